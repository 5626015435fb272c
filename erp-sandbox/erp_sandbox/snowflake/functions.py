"""Snowflake's conversions as macros of DuckDB's, which refuse what Snowflake refuses.

https://docs.snowflake.com/en/sql-reference/functions-conversion: a text that does not fit raises, with the
value in the message. Each conversion of a statement becomes a temporary macro of the session.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from erp_sandbox.snowflake.formats import FINER, reader, written
from erp_sandbox.snowflake.names import literal
from erp_sandbox.snowflake.refusals import MARK, compilation

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT = 16_777_216
"""https://docs.snowflake.com/en/sql-reference/data-types-text#varchar: the default length, and bytes here."""
LONGEST_BINARY = 8_388_608
"""https://docs.snowflake.com/en/sql-reference/data-types-text#binary."""
LONGEST_VARIANT = 16_777_216
"""https://docs.snowflake.com/en/sql-reference/data-types-semistructured#variant: 16 MB."""

_OFFSET = r"(:\d{2}(?:\.\d+)?) ?(?:Z|[+-]\d{2}(?::?\d{2})?)\s*$"
_AUTO_DATE = r"\s*\d{4}-\d{1,2}-\d{1,2}"
_AUTO_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_AUTO = rf"{_AUTO_DATE}(?:[T ]{_AUTO_TIME}(?: ?(?:Z|[+-]\d{{2}}(?::?\d{{2}})?))?)?\s*"
_NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
_FLOAT = rf"{_NUMBER}|\s*(?i:nan|-?inf)\s*"
_SCIENTIFIC = re.compile(r"^(?:FM)?S?9[.D](9*)E{2,}$", re.IGNORECASE)

#: Type of DuckDB's, the default format's parameter, code and word of the message where AUTO does not fit.
_MOMENTS = {
    "TO_DATE": ("DATE", "DATE_INPUT_FORMAT", "100040", "Date"),
    "TO_TIME": ("TIME", "TIME_INPUT_FORMAT", "100108", "Time"),
    "TO_TIMESTAMP_NTZ": ("TIMESTAMP", "TIMESTAMP_INPUT_FORMAT", "100035", "Timestamp"),
    "TO_TIMESTAMP_TZ": ("TIMESTAMPTZ", "TIMESTAMP_INPUT_FORMAT", "100035", "Timestamp"),
    "TO_TIMESTAMP_LTZ": ("TIMESTAMPTZ", "TIMESTAMP_INPUT_FORMAT", "100035", "Timestamp"),
}
_NUMBERS = {"TO_NUMBER", "TO_DECIMAL", "TO_NUMERIC"}
_TEXTS = {"TO_VARCHAR", "TO_CHAR"}
_NOT_TEXT = (exp.JSONExtract, exp.JSONExtractScalar, exp.Bracket)

_COMMON = {
    # a variant's text without its quotes, and any other value as DuckDB writes it: with all its digits
    "json_unquoted": "CASE typeof(x) WHEN 'JSON' THEN json_extract_string(CAST(x AS VARCHAR), '$')"
    " ELSE CAST(x AS VARCHAR) END",
}


def refused(code: str, state: str, before: str, value: str, after: str) -> str:
    """DuckDB's expression that raises with a value in its text."""
    start = literal(f"{MARK}{code}|{state}|{before}")
    return f"error({start} || {value} || {literal(after)})"


@dataclass
class Functions:
    """The conversions of one session's statements.

    Attributes:
        parameters: The session's parameters.
        macros: What was made so far, by name.
        known: Those that the session knows already.
    """

    parameters: Mapping[str, str]
    macros: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def create(self, duck: Any) -> None:
        """Make the macros known to the session; a rollback takes them away again."""
        for name, body in {**self.macros, **_COMMON}.items():
            if name in self.known:
                continue
            self.known.add(name)
            duck.execute(f"CREATE TEMPORARY MACRO IF NOT EXISTS {name}(x) AS {body}")

    def replace(self, statement: exp.Expr) -> None:
        """Put macros in place of a statement's conversions.

        Args:
            statement: The statement, which is changed.

        Raises:
            Refusal: If Snowflake knows no such conversion.
        """
        nodes = list(statement.dfs())
        if flattened := [node for node in nodes if isinstance(node, exp.TableFromRows)]:
            for rows in flattened:
                rows.replace(self._rows(rows))
            nodes = list(statement.dfs())
        for node in reversed(nodes):  # what is inside a conversion comes before it
            made = self._converted(node)
            if made is not node:
                node.replace(made)

    def moment(self, function: str, form: str | None = None) -> str:
        """The macro that reads a date or time."""
        kind, parameter, code, word = _MOMENTS[function]
        form = form or self.parameters.get(parameter, "AUTO")
        if form.upper() == "AUTO":
            refusal = refused(code, "22007", f"{word} '", "x", "' is not recognized")
            return self._macro(kind, self._automatic(kind, refusal))
        known = reader(form)
        what = "timestamp" if word == "Timestamp" else word.lower()
        refusal = refused("100096", "22007", "Can't parse '", "x", f"' as {what} with format '{form}'")
        made = {
            "DATE": known.date,
            "TIME": known.time,
            "TIMESTAMP": f"{known.date} {known.time}",
            "TIMESTAMPTZ": f"{known.date} {known.time}{known.offset or ' ' + self._zone}",
        }[kind]
        text = f"regexp_replace(x, {literal('^' + known.pattern + '$')}, {literal(made)})"
        return self._macro(kind, _checked("x", known.pattern, text, kind, refusal))

    def number(self, precision: int, scale: int) -> str:
        """The macro that reads a NUMBER."""
        refusal = refused("100038", "22018", "Numeric value '", "x", "' is not recognized")
        out = refused("100039", "22003", "Numeric value '", "x", "' is out of range")
        kind = f"DECIMAL({precision},{scale})"
        return self._macro("NUMBER", _checked("x", _NUMBER, "x", kind, refusal, out))

    def double(self) -> str:
        """The macro that reads a FLOAT."""
        refusal = refused("100038", "22018", "Numeric value '", "x", "' is not recognized")
        return self._macro("FLOAT", _checked("x", _FLOAT, "trim(x)", "DOUBLE", refusal))

    def boolean(self) -> str:
        """The macro that reads a BOOLEAN; https://docs.snowflake.com/en/sql-reference/functions/to_boolean."""
        refusal = refused("100037", "22018", "Boolean value '", "x", "' is not recognized")
        return self._macro(
            "BOOLEAN",
            "CASE WHEN x IS NULL THEN NULL WHEN lower(x) IN ('true', 't', 'yes', 'y', 'on', '1') THEN TRUE"
            f" WHEN lower(x) IN ('false', 'f', 'no', 'n', 'off', '0') THEN FALSE ELSE {refusal} END",
        )

    def binary(self, form: str | None = None) -> str:
        """The macro that reads a BINARY; https://docs.snowflake.com/en/sql-reference/functions/to_binary."""
        form = (form or self.parameters.get("BINARY_INPUT_FORMAT", "HEX")).upper()
        if form in {"UTF-8", "UTF8"}:
            return self._macro("BINARY", "encode(x)")
        if form == "BASE64":
            return self._macro("BINARY", "from_base64(x)")
        if form != "HEX":
            raise compilation("002057", "22023", f"invalid binary format '{form}'")  # code inferred
        refusal = refused(
            "100115", "22018", "The following string is not a legal hex-encoded value: '", "x", "'"
        )
        return self._macro(
            "BINARY",
            "CASE WHEN x IS NULL THEN NULL WHEN regexp_full_match(x, '(?:[0-9A-Fa-f]{2})*') THEN unhex(x)"
            f" ELSE {refusal} END",
        )

    def json(self, *, duplicates: bool) -> str:
        """The macro that reads a VARIANT; https://docs.snowflake.com/en/sql-reference/functions/parse_json.

        Args:
            duplicates: Whether a key may come twice in an object (the argument ``'d'``).
        """
        large = refused(
            "100069", "22P02", "Error parsing JSON: document is too large, max size 16777216 bytes", "''", ""
        )
        twice = refused("100069", "22P02", "Error parsing JSON: duplicate object attribute in ", "x", "")
        # DuckDB's JSON() writes numbers anew, through doubles; a cast only checks the text and keeps it
        double = "" if duplicates else f" WHEN {duplicated('x')} THEN {twice}"
        return self._macro(
            "JSON",
            f"CASE WHEN x IS NULL OR trim(x) = '' THEN NULL WHEN strlen(x) > {LONGEST_VARIANT} THEN {large}"
            f"{double} ELSE CAST(x AS JSON) END",
        )

    def json_once(self, table: str) -> str:
        """The macro that reads a VARIANT whose text a table may have without its repeated keys."""
        found = f"(SELECT after FROM {table} WHERE before = x LIMIT 1)"
        return self._macro("JSON", f"CAST(coalesce({found}, nullif(x, '')) AS JSON)")

    def text(self) -> str:
        """The macro that writes any value, as the session's output formats say.

        https://docs.snowflake.com/en/sql-reference/functions/to_char and
        https://docs.snowflake.com/en/sql-reference/parameters#timestamp-output-format; a FLOAT has ten digits
        (inferred: the page's examples of floats as texts have nine and ten).
        """
        given = self.parameters
        zoned = given.get("TIMESTAMP_TZ_OUTPUT_FORMAT") or given.get("TIMESTAMP_OUTPUT_FORMAT")
        zoned = zoned or "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"
        naive = given.get("TIMESTAMP_NTZ_OUTPUT_FORMAT") or "YYYY-MM-DD HH24:MI:SS.FF3"
        day = given.get("DATE_OUTPUT_FORMAT") or "YYYY-MM-DD"
        clock = given.get("TIME_OUTPUT_FORMAT") or "HH24:MI:SS"
        text = "CAST(x AS VARCHAR)"
        return self._macro(
            "VARCHAR",
            "CASE WHEN x IS NULL THEN NULL ELSE CASE typeof(x)"
            f" WHEN 'VARCHAR' THEN {text}"
            f" WHEN 'TIMESTAMP WITH TIME ZONE' THEN {written(zoned, f'CAST({text} AS TIMESTAMPTZ)')}"
            f" WHEN 'TIMESTAMP' THEN {written(naive, f'CAST({text} AS TIMESTAMP)')}"
            f" WHEN 'DATE' THEN {written(day, f'CAST({text} AS DATE)')}"
            f" WHEN 'TIME' THEN {written(clock, _on_a_day(text))}"
            f" WHEN 'DOUBLE' THEN printf('%.10g', CAST({text} AS DOUBLE))"
            f" WHEN 'BLOB' THEN hex(CAST({text} AS BLOB))"
            f" WHEN 'JSON' THEN {_unquoted(text)}"
            f" ELSE {text} END END",
        )

    def formatted(self, form: str) -> str:
        """The macro that writes a value in a format.

        Raises:
            NotImplementedError: For formats of numbers that the sandbox does not write.
        """
        text = "CAST(x AS VARCHAR)"
        if form.upper() in {"HEX", "BASE64", "UTF-8"}:
            shown = {"HEX": "hex", "BASE64": "to_base64", "UTF-8": "decode"}[form.upper()]
            return self._macro("VARCHAR", f"{shown}(x)")
        if scientific := _SCIENTIFIC.match(form):
            digits = len(scientific[1])
            return self._macro("VARCHAR", f"printf('%.{digits}E', CAST({text} AS DOUBLE))")
        if not re.search(r"YY|MM|DD|HH|MI|SS|FF|TZ", form, re.IGNORECASE):
            raise NotImplementedError(f"The number format {form!r}")
        return self._macro(
            "VARCHAR",
            "CASE WHEN x IS NULL THEN NULL ELSE CASE typeof(x)"
            f" WHEN 'TIMESTAMP WITH TIME ZONE' THEN {written(form, f'CAST({text} AS TIMESTAMPTZ)')}"
            f" WHEN 'TIME' THEN {written(form, _on_a_day(text))}"
            f" ELSE {written(form, f'CAST({text} AS TIMESTAMP)')} END END",
        )

    def fits(self, length: int) -> str:
        """The macro that lets a text of some length into a column."""
        refusal = refused(
            "100078", "22000", "String '", "left(x, 1000)", "' is too long and would be truncated"
        )
        return self._macro(
            "VARCHAR",
            f"CASE WHEN length(x) > {length} OR strlen(x) > {LONGEST_TEXT} THEN {refusal} ELSE x END",
        )

    def fits_binary(self, length: int) -> str:
        """The macro that lets bytes into a column; the code is inferred from that of texts."""
        refusal = refused(
            "100145", "22000", "Binary value '", "left(hex(x), 1000)", "' is too long and would be truncated"
        )
        return self._macro("BINARY", f"CASE WHEN octet_length(x) > {length} THEN {refusal} ELSE x END")

    def fits_number(self, precision: int, scale: int) -> str:
        """The macro that lets a number into a column."""
        kind = f"type FIXED[SB16]({precision},{scale}){{nullable}}, value "
        refusal = refused(
            "100046", "22003", f"Number out of representable range: {kind}", "CAST(x AS VARCHAR)", ""
        )
        into = f"TRY_CAST(x AS DECIMAL({precision},{scale}))"
        return self._macro("NUMBER", f"CASE WHEN x IS NULL THEN NULL ELSE coalesce({into}, {refusal}) END")

    def whole_microseconds(self, kind: str) -> str:
        """The macro that takes a moment of nanoseconds, if it says nothing finer than DuckDB keeps."""
        said = refused(
            "000002",
            "0A000",
            "Unsupported in this sandbox: fractions finer than microseconds: ",
            "CAST(x AS VARCHAR)",
            "",
        )
        cut = f"CAST(x AS {kind})"
        finer = f"regexp_matches(CAST(x AS VARCHAR), {literal(FINER)})"
        return self._macro("MOMENT", f"CASE WHEN x IS NULL THEN NULL WHEN {finer} THEN {said} ELSE {cut} END")

    @property
    def _zone(self) -> str:
        return self.parameters.get("TIMEZONE", "UTC")

    def _automatic(self, kind: str, refusal: str) -> str:
        """What AUTO takes of https://docs.snowflake.com/en/user-guide/date-time-input-output: ISO only."""
        if kind == "TIME":
            return _checked("x", rf"\s*{_AUTO_TIME}\s*", "x", kind, refusal)
        text = f"regexp_replace(x, {literal(_OFFSET)}, '\\1')"  # the clock as it was written
        if kind == "TIMESTAMPTZ":
            zone = literal(f" {self._zone}")
            text = f"CASE WHEN regexp_matches(x, {literal(_OFFSET)}) THEN x ELSE trim(x) || {zone} END"
        return _checked("x", _AUTO, text, kind, refusal)

    def _macro(self, kind: str, body: str) -> str:
        name = f"sf_{kind.lower()}_{hashlib.blake2b(body.encode(), digest_size=6).hexdigest()}"
        self.macros[name] = body
        return name

    def _rows(self, node: exp.Expr) -> exp.Expr:
        """``TABLE(FLATTEN(INPUT => PARSE_JSON(x)))`` of rows of texts, as DuckDB reads it in one go."""
        select = node.find_ancestor(exp.Select) if isinstance(node, exp.TableFromRows) else None
        flattened = node.this if isinstance(node.this, exp.Explode) else None
        given = flattened.this if flattened is not None else None
        given = given.expression if isinstance(given, exp.Kwarg) else given
        if select is None or not isinstance(given, exp.ParseJSON):
            return node
        alias = node.alias or "_rows"
        met = list(select.find_all(exp.Cast, exp.Column))
        casts = [
            node for node in met if isinstance(node, exp.Cast) and _place_in_row(node, alias) is not None
        ]
        others = [node for node in met if _of_flatten(node, alias)]
        if len(others) != len(casts):
            return node  # fakesnow's FLATTEN reads what is not rows of texts
        for cast in casts:
            column = cast.this.this
            cast.replace(exp.Anonymous(this="list_extract", expressions=[column.copy(), _next(cast)]))
        rows = exp.Anonymous(this=self._rows_macro(), expressions=[given.this.copy()])
        value = exp.alias_(exp.Anonymous(this="unnest", expressions=[rows]), "VALUE", quoted=True)
        table = exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
        return exp.Subquery(this=exp.select(value), alias=table)

    def _rows_macro(self) -> str:
        large = refused(
            "100069", "22P02", "Error parsing JSON: document is too large, max size 16777216 bytes", "''", ""
        )
        return self._macro(
            "ROWS",
            f"CASE WHEN strlen(x) > {LONGEST_VARIANT} THEN {large} ELSE from_json(x, '[[\"VARCHAR\"]]') END",
        )

    def _converted(self, node: exp.Expr) -> exp.Expr:  # noqa: C901, PLR0911 - a table of conversions
        if isinstance(node, exp.ParseJSON):
            duplicates = node.expression is not None and node.expression.name.lower() == "d"
            # fakesnow's FLATTEN reads its input in a lambda, where DuckDB takes no subquery
            duplicates = duplicates or node.find_ancestor(exp.Explode) is not None
            return _call(self.json(duplicates=duplicates), node.this)
        if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
            return self._cast(node)
        if not isinstance(node, exp.Anonymous):
            return node
        name = str(node.this).upper()
        if name == "TO_TIMESTAMP":
            mapping = self.parameters.get("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ").upper()
            name = f"TO_{mapping}"
        arguments = node.expressions
        form = arguments[1].name if len(arguments) > 1 and arguments[1].is_string else None
        if name in _MOMENTS:
            return _call(self.moment(name, form), _plain(arguments[0]))
        if name in _NUMBERS:
            size = [int(each.name) for each in arguments[1:] if not each.is_string]
            precision, scale = [*size, *(38, 0)[len(size) :]]
            return _call(self.number(precision, scale), _plain(arguments[0]))
        if name == "TO_DOUBLE":
            return _call(self.double(), _plain(arguments[0]))
        if name == "TO_BOOLEAN":
            return _call(self.boolean(), _plain(arguments[0]))
        if name == "TO_BINARY":
            return _call(self.binary(form), _plain(arguments[0]))
        if name in _TEXTS:
            return _call(self.formatted(form) if form else self.text(), arguments[0])
        return node

    def _cast(self, cast: exp.Cast) -> exp.Expr:
        """CAST to a text writes a value in the session's format; of JSON's pieces fakesnow knows best."""
        kind, value = cast.to.this, cast.this
        if isinstance(value, _NOT_TEXT) or _of_flatten(value, None):
            return cast
        if kind in {exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT} and not cast.to.expressions:
            if isinstance(value, exp.Literal):
                return cast
            return _call(self.text(), value)
        return cast


def duplicated(text: str) -> str:
    """DuckDB's expression of whether a key comes twice in an object of a JSON text."""
    return f"(SELECT count(*) <> count(DISTINCT fullkey) FROM json_tree({text}))"


def _checked(  # noqa: PLR0917 - the parts of one expression
    value: str, pattern: str, text: str, kind: str, refusal: str, out_of_range: str | None = None
) -> str:
    finer = ""
    if kind in {"TIME", "TIMESTAMP", "TIMESTAMPTZ"}:
        said = refused(
            "000002", "0A000", "Unsupported in this sandbox: fractions finer than microseconds: ", "x", ""
        )
        finer = f" WHEN regexp_matches({value}, {literal(FINER)}) THEN {said}"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL{finer}"
        f" WHEN NOT regexp_full_match({value}, {literal(pattern)}) THEN {refusal}"
        f" ELSE coalesce(TRY_CAST({text} AS {kind}), {out_of_range or refusal}) END"
    )


def _on_a_day(text: str) -> str:
    return f"CAST('1970-01-01 ' || {text} AS TIMESTAMP)"


def _unquoted(text: str) -> str:
    return f"CASE json_type({text}) WHEN 'VARCHAR' THEN json_extract_string({text}, '$') ELSE {text} END"


def _call(name: str, value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[value])


def _plain(value: exp.Expr) -> exp.Expr:
    """A value as the text that is read, in DuckDB's full precision."""
    if isinstance(value, exp.Literal) and value.is_string:
        return value
    if isinstance(value, exp.Anonymous) and str(value.this) == "list_extract":
        return value
    return exp.Anonymous(this="json_unquoted", expressions=[value])


def _place_in_row(cast: exp.Cast, alias: str) -> int | None:
    """``r.VALUE[3]::VARCHAR``: 3."""
    inner = cast.this
    if cast.to.this not in {exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT}:
        return None
    if not isinstance(inner, exp.Bracket) or not _of_flatten(inner.this, alias):
        return None
    place = inner.expressions[0]
    return int(place.name) if isinstance(place, exp.Literal) and not place.is_string else None


def _next(cast: exp.Cast) -> exp.Expr:
    return exp.Literal.number(int(cast.this.expressions[0].name) + 1)


def _of_flatten(column: exp.Expr, alias: str | None) -> bool:
    if not isinstance(column, exp.Column) or column.name.upper() != "VALUE":
        return False
    if alias is None:
        select = column.find_ancestor(exp.Select)
        return select is not None and select.find(exp.Explode) is not None
    return column.table.upper() in {"", alias.upper()}
