"""Names that no column may have, even quoted.

https://docs.snowflake.com/en/sql-reference/reserved-keywords: "Cannot be used as column name (reserved by
ANSI)". The page gives no error; code and text are inferred from that of other invalid names.
"""

from __future__ import annotations

from erp_sandbox.snowflake.refusals import compilation

COLUMNS = frozenset(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP"}
)


def check_column(name: str) -> None:
    """Refuse a column's name.

    Raises:
        Refusal: If it is reserved, 001003.
    """
    if name in COLUMNS:
        raise compilation(
            "001003", "42000", f"syntax error: invalid column name '{name}' (reserved keyword)."
        )
    if len(name) > 255:  # noqa: PLR2004 - https://docs.snowflake.com/en/sql-reference/identifiers-syntax
        raise compilation("002110", "42000", f"Identifier '{name[:40]}...' is too long; the limit is 255.")
