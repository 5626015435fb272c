"""DuckDB's and fakesnow's errors as Snowflake words them."""

from __future__ import annotations

from typing import NamedTuple

from erp_sandbox.snowflake.refusals import UNSUPPORTED, refusal_of
from erp_sandbox.snowflake.statements import UnsupportedError


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
    refusal = refusal_of(error)
    return Failure(f"{refusal.errno:06d}", str(refusal.msg), str(refusal.sqlstate))
