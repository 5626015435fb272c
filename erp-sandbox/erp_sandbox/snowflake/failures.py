"""DuckDB's and fakesnow's errors as Snowflake words them."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from erp_sandbox.snowflake.statements import UnsupportedError

UNSUPPORTED = "000002"


class Failure(NamedTuple):
    """Snowflake's code, message and SQLSTATE."""

    code: str
    message: str
    state: str


def failure_of(error: Exception) -> Failure:
    """What Snowflake says of an error.

    Args:
        error: Whatever a statement raised.
    """
    if isinstance(error, UnsupportedError):
        return Failure(UNSUPPORTED, f"Unsupported feature in this sandbox: {error}", "0A000")
    if isinstance(error, duckdb.TransactionException):
        # Snowflake waits for the other transaction's lock, and gives up like this
        text = f"Your statement was aborted because it waited for a lock: {error}"
        return Failure("000625", text, "57014")
    if isinstance(error, duckdb.InterruptException):
        return Failure("000604", "SQL execution canceled", "57014")
    if isinstance(error, duckdb.Error):
        return Failure("100038", str(error), "22018")
    # fakesnow raises the connector's errors
    number = getattr(error, "errno", None)
    code = f"{number:06d}" if isinstance(number, int) else UNSUPPORTED
    text = str(getattr(error, "msg", None) or error)
    return Failure(code, text, getattr(error, "sqlstate", None) or "0A000")
