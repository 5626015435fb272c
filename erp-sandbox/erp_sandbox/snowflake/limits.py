"""How long a statement may be.

https://docs.snowflake.com/en/user-guide/query-size-limits: 1 MB of text, without what is bound to it. The
page gives no error; code and text are inferred.
"""

from __future__ import annotations

from erp_sandbox.snowflake.refusals import compilation

MOST_BYTES = 1_048_576


def check_text(sql: str) -> None:
    """Refuse a statement whose text is too long.

    Raises:
        Refusal: If it has more than 1 MB, 001003.
    """
    if len(sql) > MOST_BYTES // 4 and len(sql.encode()) > MOST_BYTES:
        raise compilation(
            "001003",
            "42000",
            f"SQL text of {len(sql.encode())} bytes exceeds the limit of {MOST_BYTES} bytes.",
        )
