"""What a request to the SQL API asks for, and what is refused before anything runs.

https://docs.snowflake.com/en/developer-guide/sql-api/reference and Snowflake's own description of the API,
https://github.com/snowflakedb/snowflake-rest-api-specs (sqlapi.yaml), which is cited as "the specification".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from erp_sandbox.snowflake import values
from erp_sandbox.snowflake.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

#: The session parameters that a request may set, by the specification and, the last three, the reference.
PARAMETERS = frozenset(
    {
        "BINARY_OUTPUT_FORMAT",
        "DATE_OUTPUT_FORMAT",
        "MULTI_STATEMENT_COUNT",
        "QUERY_TAG",
        "TIMESTAMP_LTZ_OUTPUT_FORMAT",
        "TIMESTAMP_NTZ_OUTPUT_FORMAT",
        "TIMESTAMP_OUTPUT_FORMAT",
        "TIMESTAMP_TZ_OUTPUT_FORMAT",
        "TIMEZONE",
        "TIME_OUTPUT_FORMAT",
        "CLIENT_RESULT_CHUNK_SIZE",
        "ROWS_PER_RESULTSET",
        "USE_CACHED_RESULT",
    }
)
LONGEST = 604_800
"""Seconds; the specification's maximum of ``timeout``."""
#: Alone they would end with their request; https://docs.snowflake.com/en/developer-guide/sql-api/intro
_ONLY_TOGETHER = re.compile(
    r"(?:BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK|USE|ALTER\s+SESSION|SET|UNSET"
    r"|CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:LOCAL|GLOBAL)\s+)?TEMP(?:ORARY)?)\b",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?:PUT|GET)\b", re.IGNORECASE)
_COMMENT = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)+", re.DOTALL)
_PIECE = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/|(?P<end>;)", re.DOTALL
)
_SHOWN = 30
"""Characters of a statement that an error quotes."""


class RefusedError(Exception):
    """A request that is answered before anything runs.

    Attributes:
        status: The HTTP status.
        failure: Code and text.
    """

    def __init__(self, status: int, code: str, message: str, state: str = "02000") -> None:
        super().__init__(message)
        self.status = status
        self.failure = Failure(code, message, state)


class Part(NamedTuple):
    """One statement of a request, and where it stands."""

    sql: str
    line: int
    position: int

    def blamed(self, cause: str) -> Failure:
        """The failure of a request of which this statement failed: always one code, the cause in the text.

        https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements (handling errors)
        """
        shown = self.sql if len(self.sql) <= _SHOWN else f"{self.sql[:_SHOWN]}..."
        failed = "Execution of multiple statements failed on statement"
        text = (
            f'JavaScript execution error: Uncaught {failed} "{shown}" (at line {self.line}, position'
            f" {self.position}).\n{cause} in SYSTEM$MULTISTMT at '    throw `{failed} {{0}} (at line {{1}},"
            " position {2}).`.replace('{1}', LINES[i])' position 4\nstackstrace: \nSYSTEM$MULTISTMT line: 10"
        )
        return Failure("100132", text, "P0000")


@dataclass(frozen=True)
class Submission:
    """A request that may run.

    Attributes:
        body: The request's body.
        parts: Its statements.
        several: Whether it is one of several statements, even if it has only one.
    """

    body: Mapping[str, Any]
    parts: list[Part]
    several: bool
    bindings: Mapping[str, Any] = field(default_factory=dict)


def check_headers(request: Request) -> None:
    """See that a request is one that the API talks to.

    Raises:
        RefusedError: If not.
    """
    headers = request.headers
    accepted = headers.get("accept", "")
    if "application/json" not in accepted and "*/*" not in accepted:
        text = f"Unsupported Accept header {accepted or 'null'} is specified."
        raise RefusedError(406, "391902", text)
    if not headers.get("user-agent", "").strip():
        # required by the reference; the code is inferred from its neighbour's
        raise RefusedError(400, "391903", "Unsupported User-Agent header null is specified.")
    kind = headers.get("content-type")
    if request.method == "POST" and kind and kind.partition(";")[0].strip().lower() != "application/json":
        # none is taken for JSON, by the specification; the code is inferred
        raise RefusedError(415, "391901", f"Unsupported Content-Type header {kind} is specified.")


async def read(request: Request) -> Submission:
    """Read a request to run statements.

    Raises:
        RefusedError: If it is malformed (400), or asks for what the API does not do (422).
    """
    for name in ("requestId",):
        given = request.query_params.get(name)
        try:
            UUID(given or str(UUID(int=0)))
        except ValueError:
            raise _malformed(f"{name} is no UUID.") from None
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise _malformed(str(error)) from None
    if not isinstance(body, dict) or not isinstance(body.get("statement"), str):
        raise _malformed("statement is missing, or no text.")
    parameters = _parameters(body)
    timeout = body.get("timeout", 0)
    if isinstance(timeout, bool) or not isinstance(timeout, int) or not 0 <= timeout <= LONGEST:
        raise _malformed(f"timeout must be a whole number from 0 to {LONGEST}.")
    try:
        values.checked(body.get("bindings") or {})
    except values.BindingError as error:
        raise _malformed(str(error)) from None
    return _submission(body, parameters)


def _malformed(why: str) -> RefusedError:
    # the specification gives the status, and no code
    return RefusedError(400, "391900", f"The request cannot be read: {why}")


def _parameters(body: Mapping[str, Any]) -> dict[str, str]:
    given = {} if body.get("parameters") is None else body["parameters"]
    if not isinstance(given, dict):
        raise _malformed("parameters must be an object.")
    for name in given:
        if name.upper() not in PARAMETERS:
            raise _malformed(f"{name} is no parameter that a request can set.")
    return {name.upper(): str(value) for name, value in given.items()}


def _submission(body: Mapping[str, Any], parameters: Mapping[str, str]) -> Submission:
    count = parameters.get("MULTI_STATEMENT_COUNT", "1")
    if not count.isdigit():
        raise _malformed("MULTI_STATEMENT_COUNT must be a whole number, not below 0.")
    wanted = int(count)
    parts = split(body["statement"])
    if not parts:
        raise RefusedError(422, "000900", "SQL compilation error:\nEmpty SQL statement.", "42601")
    if wanted not in {0, len(parts)}:
        text = f"Actual statement count {len(parts)} did not match the desired statement count {wanted}."
        raise RefusedError(422, "000008", text, "0A000")
    several = len(parts) > 1
    bindings = body.get("bindings") or {}
    if several and bindings:
        # "Currently, bind variables are not supported in multi-statement SQL requests."
        # https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests; the code is inferred
        raise RefusedError(
            422, "391911", "Bind variables are not supported in a request of several statements.", "0A000"
        )
    for part in parts:
        if _NEVER.match(part.sql) or (not several and _ONLY_TOGETHER.match(part.sql)):
            kind = " ".join(part.sql.upper().split()[:2])
            raise RefusedError(422, "391911", f"Unsupported statement type '{kind}'.", "0A000")
    return Submission(body, parts, several, bindings)


def split(text: str) -> list[Part]:
    """The statements of a text, each with its line (from 1) and position (from 0)."""
    ends = [match.start() for match in _PIECE.finditer(text) if match["end"]]
    parts = []
    for start, end in zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True):
        lead = _COMMENT.match(text, start, end)
        begin = lead.end() if lead else start
        if sql := text[begin:end].strip():
            line = text.count("\n", 0, begin) + 1
            parts.append(Part(sql, line, begin - (text.rfind("\n", 0, begin) + 1)))
    return parts
