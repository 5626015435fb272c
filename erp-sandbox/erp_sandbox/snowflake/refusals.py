"""What Snowflake refuses, with its own code, SQLSTATE and text, whoever notices: this package or DuckDB.

Texts and codes are those that users of Snowflake quote in public (support articles, bug reports of dbt,
Airbyte, the connectors), as there is no page that lists them; where a code was inferred, it says so.
"""

from __future__ import annotations

import re

import duckdb
from snowflake.connector.errors import ProgrammingError
from sqlglot.errors import ParseError, TokenError

MARK = "@@refused|"
"""Begins the text of DuckDB's ``error()`` where one of our macros refuses a value."""
UNSUPPORTED = "000002"

_MARKED = re.compile(re.escape(MARK) + r"(\d{6})\|([0-9A-Z]{5})\|(.*)", re.DOTALL)
_COLUMN = re.compile(
    r'Referenced column "(?P<a>[^"]+)"|does not have a column named "(?P<b>[^"]+)"'
    r'|column "(?P<c>[^"]+)" (?:does not exist|not found)|Column with name (?P<d>\S+) does not exist'
)
_NUMBER_RANGE = re.compile(
    r"[Cc]ould not (?:cast|convert) (?:value|string) \"?(?P<value>[^\"\s]+)\"? to (?P<type>DECIMAL\([\d,]+\))"
    r"|[Cc]asting value \"(?P<b>[^\"]+)\" to type (?P<t>DECIMAL\([\d,]+\))"
)

_CASTS = tuple(
    (re.compile(pattern), code, state, message)
    for pattern, code, state, message in (
        (r'date field format: "(.*?)"', "100040", "22007", "Date '{}' is not recognized"),
        (r'date field value out of range: "(.*?)"', "100040", "22007", "Date '{}' is not recognized"),
        (r'timestamp field format: "(.*?)"', "100035", "22007", "Timestamp '{}' is not recognized"),
        (
            r'timestamp field value out of range: "(.*?)"',
            "100035",
            "22007",
            "Timestamp '{}' is not recognized",
        ),
        (
            r'time field (?:format|value out of range): "(.*?)"',
            "100108",
            "22007",
            "Time '{}' is not recognized",
        ),
        (r"string ['\"](.*?)['\"] to BOOL", "100037", "22018", "Boolean value '{}' is not recognized"),
        (
            r"string ['\"](.*?)['\"] to (?:INT|BIGINT|DOUBLE|FLOAT|DECIMAL)",
            "100038",
            "22018",
            "Numeric value '{}' is not recognized",
        ),
    )
)
"""Texts of DuckDB's casts, and what Snowflake says of the same value."""
_FAKESNOWS = {1003, 2003, 2043, 100035}
"""Codes that fakesnow gives to whole classes of DuckDB's errors."""


class Refusal(ProgrammingError):  # type: ignore[misc]  # noqa: N818 - the connector's is Any
    """A statement that Snowflake refuses; the connector and the SQL API pass code and text on."""

    def __init__(self, code: str, state: str, message: str) -> None:
        super().__init__(
            msg=message, errno=int(code), sqlstate=state, done_format_msg=True, send_telemetry=False
        )


def compilation(code: str, state: str, message: str) -> Refusal:
    """A refusal before anything runs."""
    return Refusal(code, state, f"SQL compilation error:\n{message}")


def not_found(kind: str, name: str) -> Refusal:
    """A thing that is not there, or that the role may not see: Snowflake does not say which."""
    state = "42S02" if kind in {"Table", "Object", "View"} else "02000"
    return compilation("002003", state, f"{kind} '{name}' does not exist or not authorized.")


def already_exists(name: str) -> Refusal:
    """CREATE without IF NOT EXISTS of a thing that is there."""
    return compilation("002002", "42710", f"Object '{name}' already exists.")


def unsupported(what: str) -> Refusal:
    """A statement that Snowflake may know and the sandbox does not."""
    return Refusal(UNSUPPORTED, "0A000", f"Unsupported feature in this sandbox: {what}")


def syntax_error(error: ParseError) -> Refusal:
    """What the parser could not read."""
    found = error.errors[0] if error.errors else {}
    line, place = found.get("line") or 1, found.get("col") or 0
    near = str(found.get("highlight") or "").strip() or "<EOF>"
    return compilation(
        "001003", "42000", f"syntax error line {line} at position {place} unexpected '{near}'."
    )


def refusal_of(error: Exception) -> Refusal:  # noqa: PLR0911 - a table of cases
    """Any error as Snowflake would word it.

    Args:
        error: Whatever a statement raised.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ParseError):
        return syntax_error(error)
    if isinstance(error, TokenError):
        return compilation("001003", "42000", f"parse error line 1: {error}")
    if isinstance(error, duckdb.Error):
        return _of_duckdb(error)
    if isinstance(error.__cause__, duckdb.Error) and getattr(error, "errno", None) in _FAKESNOWS:
        return _of_duckdb(error.__cause__)
    if isinstance(error, NotImplementedError):
        return unsupported(str(error))
    number, message = getattr(error, "errno", None), getattr(error, "raw_msg", None)
    if isinstance(number, int) and number > 0 and message:
        return Refusal(f"{number:06d}", getattr(error, "sqlstate", None) or "0A000", str(message))
    return unsupported(f"{type(error).__name__}: {error}")


def _of_duckdb(error: duckdb.Error) -> Refusal:  # noqa: C901, PLR0911, PLR0912 - a table of cases
    text = str(error)
    if marked := _MARKED.search(text):
        return Refusal(marked[1], marked[2], marked[3].strip())
    first = text.split("\n", maxsplit=1)[0]
    if isinstance(error, duckdb.TransactionException):
        # Snowflake waits for the other transaction's lock, and gives up like this
        return Refusal("000625", "57014", f"Your statement was aborted because it waited for a lock: {text}")
    if isinstance(error, duckdb.InterruptException):
        return Refusal("000604", "57014", "SQL execution canceled")
    if isinstance(error, duckdb.ConstraintException) and "NOT NULL" in text:
        return Refusal("100072", "22000", "NULL result in a non-nullable column")
    if "Malformed JSON" in text:
        return Refusal("100069", "22P02", f"Error parsing JSON: {first.partition('Malformed JSON ')[2]}")
    if ranged := _NUMBER_RANGE.search(text):
        value, kind = ranged["value"] or ranged["b"], (ranged["type"] or ranged["t"])[len("DECIMAL") :]
        if not re.fullmatch(r"[-+0-9.eE]+", value):
            return Refusal("100038", "22018", f"Numeric value '{value}' is not recognized")
        message = f"Number out of representable range: type FIXED[SB16]{kind}{{nullable}}, value {value}"
        return Refusal("100046", "22003", message)
    if "cannot affect the same target row more than once" in text:
        return unsupported("MERGE that deletes a row which several rows of the source match")
    for pattern, code, state, message in _CASTS:
        if found := pattern.search(text):
            return Refusal(code, state, message.format(found[1]))
    if isinstance(error, duckdb.BinderException):
        if column := _COLUMN.search(text):
            name = next(group for group in column.groups() if group)
            return compilation("000904", "42000", f"error line 1 at position 0\ninvalid identifier '{name}'")
        return Refusal("002043", "02000", first)
    if "No catalog + schema named" in text:
        return compilation("002043", "02000", "Object does not exist, or operation cannot be performed.")
    if isinstance(error, duckdb.CatalogException):
        return Refusal("002003", "42S02", first)
    if isinstance(error, duckdb.ParserException):
        return Refusal("001003", "42000", first)
    return Refusal("100038", "22018", first)
