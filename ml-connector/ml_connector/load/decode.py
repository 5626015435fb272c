"""RECORD lines of one stream become an Arrow table; records that break their schema become rejections.

The lines are decoded in blocks into msgspec Structs compiled from the stream's schema, then built into
columns. Only where a block fails are its lines tried one by one, so that one bad record costs little and
only itself.

What is checked: JSON types of the record's own properties, required and key properties, decimals, dates,
times, base64, and what the warehouse can hold. A property that becomes nested JSON (an object, an array, a
mixture of types) takes any JSON, kept as its raw text and not compared with its part of the schema. Other
keywords (``maxLength``, ``minimum``, ``enum``, ``pattern``) say what a source intends, not
what a column can hold; they are not enforced, as loading a longer name loses nothing and refusing it would.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from ml_connector.load.arrow import arrow_type, build
from ml_connector.load.explain import UNKNOWN_FIELD, Problem, Rejection, explain, is_json, rejection, stated
from ml_connector.load.limits import UNLIMITED, Limits
from ml_connector.load.moments import common_type, converted, in_microseconds
from ml_connector.load.schema import METADATA_NAMES, Column, Field, Kind, fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.values import BadValue

__all__ = ["BLOCK", "Rejection", "StreamDecoder", "together"]

EXTRACTED_AT = Field(Column("_sdc_extracted_at", Kind.TIMESTAMP_TZ), frozenset({"string", "null"}), key=False)
DELETED_AT = Field(Column("_sdc_deleted_at", Kind.TIMESTAMP_TZ), frozenset({"string", "null"}), key=False)
MOMENT = arrow_type(EXTRACTED_AT.column)
_INT64 = 2**63
BLOCK = 2_048
"""Records that are decoded at once: few enough to stay in the processor's cache."""
_MOST_UNKNOWN = 200


class StreamDecoder:
    """Decodes the RECORD messages of one stream under one schema.

    Attributes:
        stream: The stream's name.
        columns: Its columns, in the order of the schema.
        unknown_fields: Properties seen in records that the schema does not name, with the number of records:
            they have no column, so they are not loaded, and whoever runs the stream should be told. Finding
            them costs nothing while there are none: the compiled Struct forbids them, and learns each name
            it meets (up to 200 names; a source with more has data where names should be).
    """

    def __init__(
        self,
        stream: str,
        schema: Mapping[str, Any],
        key_properties: Sequence[str],
        *,
        number_type: str = "double",
        limits: Limits = UNLIMITED,
    ) -> None:
        """Compile the decoder.

        Args:
            stream: The stream's name, for messages.
            schema: The ``schema`` of its SCHEMA message.
            key_properties: Its key; may be empty.
            number_type: What a bare ``number`` becomes (see :func:`ml_connector.load.schema.columns_of`).
            limits: What the warehouse can hold; a value beyond it is a rejection.

        Raises:
            SchemaError: If the schema cannot be turned into columns.
        """
        self.stream = stream
        self.fields = fields_of(schema, number_type=number_type, key_properties=key_properties)
        self.columns: tuple[Column, ...] = tuple(field.column for field in self.fields)
        self.unknown_fields: dict[str, int] = {}
        self._limits = limits
        self._by_name = {field.column.name: field for field in self.fields}
        self._forbid = True
        # msgspec cannot name such a field: these records are spelled anew before they are decoded
        self._respelled = {
            name: f"\ufffd{place}" for place, name in enumerate(self._by_name) if not _spellable(name)
        }
        self._ignored: list[str] = []
        self._compile()

    def decode(
        self, lines: Sequence[bytes], *, first_line_number: int = 0
    ) -> tuple[pa.Table, list[Rejection]]:
        """Decode RECORD lines.

        Args:
            lines: Whole RECORD message lines, with or without their line ends, in the order they came.
            first_line_number: Number of the first line in the input, for messages; the lines are taken as
                consecutive.

        Returns:
            A table with a row per good record, in order: the columns, then ``_sdc_extracted_at``
            (``time_extracted``), ``_sdc_deleted_at`` (from the record, whether or not the schema names it),
            both UTC timestamps in microseconds (further digits are left out), and ``_sdc_version`` (the
            message's ``version``, int64). And the rejections, in the order of the lines: each line is either
            a row or a rejection.
        """
        tables: list[pa.Table] = []
        rejections: list[Rejection] = []
        for start in range(0, len(lines), BLOCK) or (0,):
            block = lines[start : start + BLOCK]
            decoded, problems = self._envelopes(block)
            rows = [row for row, message in enumerate(decoded) if message is not None]
            table, bad = self._table([decoded[row] for row in rows])
            problems.update((rows[place], problem) for place, problem in bad.items())
            tables.append(table)
            rejections += [
                rejection(block[row], first_line_number + start + row, problem, self._limits.text_bytes)
                for row, problem in sorted(problems.items())
            ]
        return together(tables), rejections

    def _compile(self) -> None:
        """Compile the Structs; unknown names met so far become fields that are counted and dropped."""
        fields: list[Any] = []
        names: dict[str, str] = {}
        for place, field in enumerate(self.fields):
            slot = f"c{place}"
            names[slot] = self._respelled.get(field.column.name, field.column.name)
            kind = _python_type(field)
            # without a default the property is required
            fields.append((slot, kind) if field.column.required else (slot, kind, None))
        names["deleted"] = DELETED_AT.column.name
        fields.append(("deleted", str | None, None))
        for place, name in enumerate(self._ignored):
            names[f"u{place}"] = self._respelled.get(name, name)
            fields.append((f"u{place}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET))
        record = msgspec.defstruct(
            "Record",
            fields,
            rename=names,
            kw_only=True,
            gc=False,
            forbid_unknown_fields=self._forbid,
        )
        envelope = msgspec.defstruct(
            "Envelope",
            [("record", record), ("time_extracted", str | None, None), ("version", int | None, None)],
            kw_only=True,
            gc=False,
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope)

    def _envelopes(self, lines: Sequence[bytes]) -> tuple[list[Any], dict[int, Problem]]:
        """Decode every line; a line that fails is None and has its problem under its place."""
        whole = self._try(lines)
        if whole is not None:
            return whole, {}
        decoded: list[Any] = []
        problems: dict[int, Problem] = {}
        for place, line in enumerate(lines):
            found = self._one(line)
            if isinstance(found, tuple):
                problems[place] = found
                found = None
            decoded.append(found)
        return decoded, problems

    def _try(self, lines: Sequence[bytes]) -> list[Any] | None:
        """Decode all lines at once, or give up: None."""
        try:
            if self._respelled:
                lines = [self._respell(line) for line in lines]
            found: list[Any] = self._decoder.decode_lines(b"\n".join(lines))
        except msgspec.ValidationError as error:
            return self._try(lines) if self._learned(str(error)) else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        # one line with two messages, or a message over two lines, shows in the count
        return found if len(found) == len(lines) else None

    def _one(self, line: bytes) -> Any:
        """Decode one line: the envelope, or its problem as (path, kind, message)."""
        try:
            return self._decoder.decode(self._respell(line) if self._respelled else line)
        except msgspec.ValidationError as error:
            if not is_json(line):  # the decoder did not read on
                return explain(line, error)
            if self._learned(str(error)):
                return self._one(line)
            return stated(str(error), self._by_name, {new: old for old, new in self._respelled.items()})
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return explain(line, error)

    def _learned(self, message: str) -> bool:
        """If the message is of an unknown field, compile it in; whether it is worth trying again."""
        match = UNKNOWN_FIELD.search(message)
        if match is None:
            return False
        name = match[1]
        if name in self._ignored or len(self._ignored) >= _MOST_UNKNOWN:
            self._forbid = False
        else:
            self._ignored.append(name)
            if not _spellable(name):
                self._respelled[name] = f"\ufffd{len(self._by_name) + len(self._ignored)}"
        self._compile()
        return True

    def _respell(self, line: bytes) -> bytes:
        """Give the properties that msgspec cannot name a name it can.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError, RecursionError: If the line is not JSON.
        """
        try:
            message = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            record = msgspec.json.decode(message["record"], type=dict[str, msgspec.Raw])
        except (msgspec.ValidationError, KeyError):
            return line  # decoding it as it is will say what is wrong
        spelled = {self._respelled.get(name, name): value for name, value in record.items()}
        return msgspec.json.encode({**message, "record": spelled})

    def _table(self, envelopes: list[Any]) -> tuple[pa.Table, dict[int, Problem]]:
        """Build the columns; rows with a bad value are left out and reported once, for the first of them."""
        records = [envelope.record for envelope in envelopes]
        bad: dict[int, Problem] = {}
        arrays: list[pa.Array] = []
        for place, field in enumerate((*self.fields, DELETED_AT)):
            slot = "deleted" if field is DELETED_AT else f"c{place}"
            array, wrong = build(field, list(map(attrgetter(slot), records)), self._limits)
            for row, problem in wrong.items():
                bad.setdefault(row, (f"$.record.{field.column.name}", problem.kind, str(problem)))
            arrays.append(array)
        moments = [envelope.time_extracted for envelope in envelopes]
        extracted, wrong = _same(moments) or build(EXTRACTED_AT, moments)
        extracted, deleted = (in_microseconds(array, MOMENT) for array in (extracted, arrays.pop()))
        for row, problem in wrong.items():
            bad.setdefault(row, ("$.time_extracted", problem.kind, str(problem)))
        versions: list[int | None] = [envelope.version for envelope in envelopes]
        for row, version in enumerate(versions):
            if version is not None and not -_INT64 <= version < _INT64:
                bad.setdefault(row, ("$.version", "type", f"Version {version} is beyond 64 bits"))
                versions[row] = None
        self._count_ignored(records)
        names = [
            *(column.name for column in self.columns),
            "_sdc_extracted_at",
            "_sdc_deleted_at",
            "_sdc_version",
        ]
        arrays += [extracted, deleted, pa.array(versions, pa.int64())]
        if bad:
            kept = pa.array([row for row in range(len(records)) if row not in bad], pa.int64())
            arrays = [array.take(kept) for array in arrays]
        return pa.table(arrays, names=names), bad

    def _count_ignored(self, records: list[Any]) -> None:
        for place, name in enumerate(self._ignored):
            if name in METADATA_NAMES:
                continue
            # a record decoded before the name was learned did not have it
            slot = f"u{place}"
            seen = sum(getattr(record, slot, msgspec.UNSET) is not msgspec.UNSET for record in records)
            self.unknown_fields[name] = self.unknown_fields.get(name, 0) + seen


def together(tables: list[pa.Table]) -> pa.Table:
    """Join blocks of one stream.

    Where one has an integer beyond 64 bits, all give that column as decimal; where one has a moment that
    microseconds do not hold, all give that column in nanoseconds or, if they cannot, as text.
    """
    schema = tables[0].schema
    if all(table.schema == schema for table in tables[1:]):
        return pa.concat_tables(tables)
    columns: dict[str, pa.ChunkedArray] = {}
    for name in schema.names:
        parts = [table[name] for table in tables]
        kinds = list(dict.fromkeys(part.type for part in parts))
        alike = parts if len(kinds) == 1 else _alike(parts, kinds)
        columns[name] = pa.chunked_array([chunk for part in alike for chunk in part.chunks], alike[0].type)
    return pa.table(columns)


def _alike(parts: list[pa.ChunkedArray], kinds: list[pa.DataType]) -> list[pa.ChunkedArray]:
    decimal = next((kind for kind in kinds if pa.types.is_decimal(kind)), None)
    if decimal is not None:
        return [part.cast(decimal) for part in parts]
    wanted = common_type(kinds)
    try:
        return [converted(part, wanted) for part in parts]
    except pa.ArrowInvalid:  # some have digits beyond microseconds, others years beyond nanoseconds
        return [converted(part, pa.string()) for part in parts]


def _same(moments: Sequence[str | None]) -> tuple[pa.Array, dict[int, BadValue]] | None:
    """Read a moment once that all records of a block share, as most do."""
    if len(set(moments)) != 1:
        return None
    array, wrong = build(EXTRACTED_AT, moments[:1])
    return None if wrong else (pa.repeat(array[0], len(moments)), {})


def _spellable(name: str) -> bool:
    """Tell whether msgspec can use a property's name as a field's."""
    return not any(mark in '\\"' or mark < " " for mark in name)


def _python_type(field: Field) -> Any:
    """Choose what msgspec makes of a property: numbers and nested JSON stay raw text, hence exact."""
    kinds: dict[Kind, Any] = {Kind.BOOLEAN: bool, Kind.DOUBLE: float}
    if field.column.kind in {Kind.INTEGER, Kind.DECIMAL, Kind.VARIANT}:
        return msgspec.Raw
    kind = kinds.get(field.column.kind, str)
    return kind | None if field.null_allowed else kind
