"""Session parameters that loading relies on, whatever the account, the user or the warehouse sets.

Parameters: https://docs.snowflake.com/en/sql-reference/parameters
"""

from __future__ import annotations

from typing import Any

from target_snowflake_ml.connections.bindings import literal

STATEMENT_SECONDS = 172_800
"""How long a statement may run: two days, Snowflake's own default. A large MERGE on a small warehouse takes
its time, and who sets less for the user would have it cancelled again and again. A shorter limit of the
warehouse itself still holds: the smaller one counts."""

RELIED_ON: dict[str, Any] = {
    "AUTOCOMMIT": True,
    "BINARY_INPUT_FORMAT": "HEX",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "DATE_INPUT_FORMAT": "AUTO",
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
    "STATEMENT_TIMEOUT_IN_SECONDS": STATEMENT_SECONDS,
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "UTC",
}

REQUEST: dict[str, Any] = {"BINARY_OUTPUT_FORMAT": "HEX", "TIMEZONE": "UTC"}
"""Those of them that a request to the SQL API may set in ``parameters``. Its page names these, the output
formats, ``query_tag``, ``multi_statement_count``, ``rows_per_resultset``, ``use_cached_result`` and
``client_result_chunk_size``, and no input format: https://docs.snowflake.com/en/developer-guide/sql-api/reference
"""


_NOT_AMONG_STATEMENTS = frozenset(
    {*REQUEST, "AUTOCOMMIT", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "STATEMENT_TIMEOUT_IN_SECONDS"}
)
"""A request says its time-out itself and begins its transaction itself. AUTOCOMMIT cannot be set in a stored
procedure, and several statements run in one (inferred from SYSTEM$MULTISTMT in their error messages)."""


def alter_session() -> str:
    """Set what ``parameters`` of the SQL API cannot, at the start of a request of several statements.

    ALTER SESSION among several statements:
    https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements
    """
    said = (
        f"{name} = {literal(value)}" for name, value in RELIED_ON.items() if name not in _NOT_AMONG_STATEMENTS
    )
    return f"ALTER SESSION SET {' '.join(said)}"
