"""From a stream's JSON schema to its columns.

The rules, in the order they are tried:

===========================================================  ==============================================
JSON schema                                                  column
===========================================================  ==============================================
``integer``                                                  ``INTEGER``: NUMBER(38, 0)
``number`` with ``x-precision``/``x-scale``                  ``DECIMAL(p, s)``
``number`` with ``multipleOf``                               ``DECIMAL(38, digits after its point)``
``number``                                                   by ``number_type``: ``DOUBLE`` by default
``string`` or ``number``, ``format: singer.decimal``         ``DECIMAL``, (38, 9) unless told otherwise
``boolean``                                                  ``BOOLEAN``
``string``, ``format: date``                                 ``DATE``
``string``, ``format: date-time``                            ``TIMESTAMP_TZ``; ``TIMESTAMP_NTZ`` with
                                                             ``"x-timezone-naive": true``
``string``, ``format: time``                                 ``TIME``
``string``, ``contentEncoding: base64``                      ``BINARY``
``string``                                                   ``STRING``
``object``, ``array``, ``{}``                                ``VARIANT``
several kinds of text (a date-time or any string)            ``STRING``
``integer`` or ``number``                                    what ``number`` gives
any other mixture                                            ``VARIANT``
===========================================================  ==============================================

Whether a date-time has an offset is a matter of the data and not of the schema, yet a column must be one or
the other before the first record comes. RFC 3339 date-times have an offset, hence ``TIMESTAMP_TZ``; a value
without one is taken as UTC there, as the Singer SDK does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from ml_connector.load.resolve import SchemaError, alternatives, properties_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["METADATA_NAMES", "Column", "Field", "Kind", "SchemaError", "columns_of", "fields_of"]

MAX_PRECISION = 38
DEFAULT_SCALE = 9
METADATA_NAMES = frozenset(
    {
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        "_sdc_deleted_at",
        "_sdc_sequence",
        "_sdc_table_version",
        "_sdc_sync_started_at",
        "_sdc_version",
    },
)
"""Names the target fills itself; a schema that declares them gets no second column (nor with the SDK)."""

JSON_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_DECIMAL_FORMATS = frozenset({"singer.decimal", "x-singer.decimal"})
_NUMBER_TYPE = re.compile(
    r"(?:number|decimal|numeric)(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", re.IGNORECASE
)


class Kind(str, Enum):
    """What a column holds, whatever the warehouse calls it."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP_TZ = "timestamp_tz"
    TIMESTAMP_NTZ = "timestamp_ntz"
    TIME = "time"
    VARIANT = "variant"
    BINARY = "binary"


_TEXT_KINDS = frozenset(
    {Kind.STRING, Kind.DATE, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ, Kind.TIME, Kind.BINARY},
)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: The property's name, exactly as the source spells it.
        kind: What it holds.
        precision: Digits in all, for ``INTEGER`` (38) and ``DECIMAL`` (at most 38); else None.
        scale: Digits after the point, for ``INTEGER`` (0) and ``DECIMAL``; else None.
        nullable: Whether a record may leave it out or set it to null. Never true for a key property.
        required: Whether every record must name it: ``required`` of the schema, or a key property.
    """

    name: str
    kind: Kind
    precision: int | None = None
    scale: int | None = None
    nullable: bool = True
    required: bool = False


@dataclass(frozen=True)
class Field:
    """A column and what the decoder must know beyond it.

    Attributes:
        column: The column.
        json_types: JSON types the schema allows, among them ``null``.
        key: Whether it is a key property.
    """

    column: Column
    json_types: frozenset[str]
    key: bool

    @property
    def null_allowed(self) -> bool:
        """Whether an explicit null follows the schema."""
        return "null" in self.json_types and not self.key


@dataclass(frozen=True)
class _Shape:
    kind: Kind
    precision: int | None = None
    scale: int | None = None


def columns_of(
    schema: Mapping[str, Any],
    *,
    number_type: str = "double",
    key_properties: Sequence[str] = (),
) -> tuple[Column, ...]:
    """Give a stream's columns, in the order of the schema's properties.

    Args:
        schema: The ``schema`` of a SCHEMA message.
        number_type: What a bare ``number`` becomes: ``double``, ``decimal`` (38, 9) or ``number(p,s)``.
        key_properties: The stream's key; each must be a property of the schema.

    Raises:
        SchemaError: If there are no properties, a key is not among them, or ``number_type`` is unknown.
    """
    return tuple(
        field.column for field in fields_of(schema, number_type=number_type, key_properties=key_properties)
    )


def fields_of(
    schema: Mapping[str, Any],
    *,
    number_type: str = "double",
    key_properties: Sequence[str] = (),
) -> tuple[Field, ...]:
    """Give a stream's columns with what the decoder needs; arguments and errors as :func:`columns_of`."""
    bare_number = _bare_number(number_type)
    try:
        properties, required = properties_of(schema)
        ways = {
            name: alternatives(value, schema)
            for name, value in properties.items()
            if name not in METADATA_NAMES
        }
    except RecursionError:
        raise SchemaError("The schema is nested deeper than can be read.") from None
    for key in key_properties:
        if key not in properties:
            msg = (
                f"Key property `{key}` is not among the schema's properties; declare it there with its type."
            )
            raise SchemaError(msg)
    for name in ways:
        if not _is_unicode(name):
            raise SchemaError("The name of a property holds half of a surrogate pair; no column can have it.")
    keys = frozenset(key_properties)
    return tuple(
        _field(name, schemas, bare_number, key=name in keys, required=name in required)
        for name, schemas in ways.items()
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _field(name: str, ways: list[dict[str, Any]], bare_number: _Shape, *, key: bool, required: bool) -> Field:
    types: set[str] = set()
    shapes: list[_Shape] = []
    for way in ways or [{}]:
        kind = way.get("type")
        if kind not in JSON_TYPES:
            types |= JSON_TYPES
            shapes.append(_Shape(Kind.VARIANT))
            continue
        types.add(kind)
        if kind != "null":
            shapes.append(_shape(way, bare_number))
    # a property that is only ever null says nothing of what may come: VARIANT takes anything
    shape = _join(shapes) if shapes else _Shape(Kind.VARIANT)
    if shape.kind is Kind.DECIMAL and any(way.get("format") in _DECIMAL_FORMATS for way in ways):
        types |= {"string", "number"}
    needed = required or key
    column = Column(
        name=name,
        kind=shape.kind,
        precision=shape.precision,
        scale=shape.scale,
        nullable=not key and ("null" in types or not required),
        required=needed,
    )
    return Field(column, frozenset(types), key)


def _shape(way: dict[str, Any], bare_number: _Shape) -> _Shape:
    kind, form = way["type"], way.get("format")
    if kind in {"string", "number"} and form in _DECIMAL_FORMATS:
        return _number(way, _Shape(Kind.DECIMAL, MAX_PRECISION, DEFAULT_SCALE))
    if kind == "number":
        return _number(way, bare_number)
    if kind == "string":
        return _Shape(_text_kind(way))
    if kind == "integer":
        return _Shape(Kind.INTEGER, MAX_PRECISION, 0)
    return _Shape(Kind.BOOLEAN if kind == "boolean" else Kind.VARIANT)


def _text_kind(way: dict[str, Any]) -> Kind:
    form = way.get("format")
    if form == "date-time":
        return Kind.TIMESTAMP_NTZ if way.get("x-timezone-naive") is True else Kind.TIMESTAMP_TZ
    if form == "date":
        return Kind.DATE
    if form == "time":
        return Kind.TIME
    return Kind.BINARY if way.get("contentEncoding") == "base64" else Kind.STRING


def _number(way: dict[str, Any], otherwise: _Shape) -> _Shape:
    precision, scale, step = way.get("x-precision"), way.get("x-scale"), way.get("multipleOf")
    digits = _digits_after_point(step) if isinstance(step, (int, float, Decimal)) else None
    if scale is None:
        scale = digits if precision is None or digits is not None else 0
    if not isinstance(scale, int) or scale < 0 or scale > MAX_PRECISION - 1:
        return otherwise
    wanted = precision if isinstance(precision, int) and precision > 0 else MAX_PRECISION
    return _Shape(Kind.DECIMAL, min(MAX_PRECISION, max(wanted, scale)), scale)


def _digits_after_point(step: float | Decimal) -> int | None:
    """Count the digits after the point of ``multipleOf``: 0.001 has three; not a positive number has none."""
    exact = Decimal(str(step))  # a float's shortest text is what the schema's author wrote
    if not exact.is_finite() or exact <= 0:
        return None
    exponent = exact.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else None


def _bare_number(number_type: str) -> _Shape:
    told = number_type.strip().lower()
    if told in {"double", "float"}:
        return _Shape(Kind.DOUBLE)
    match = _NUMBER_TYPE.fullmatch(told)
    if match is None:
        msg = f"Setting `number_type` is `{number_type}`; write `double`, `decimal` or `number(38,9)`."
        raise SchemaError(msg)
    if match[1] is None:
        return _Shape(Kind.DECIMAL, MAX_PRECISION, DEFAULT_SCALE)
    precision, scale = int(match[1]), int(match[2] or 0)
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        msg = f"Setting `number_type` is `{number_type}`; precision is 1 to 38, scale at most that."
        raise SchemaError(msg)
    return _Shape(Kind.DECIMAL, precision, scale)


def _join(shapes: Sequence[_Shape]) -> _Shape:
    """Find the kind that holds every alternative exactly; the table at the top of this module."""
    kinds = {shape.kind for shape in shapes}
    if kinds <= {Kind.INTEGER, Kind.DECIMAL} and Kind.DECIMAL in kinds:
        scale = max(shape.scale or 0 for shape in shapes)
        whole = max((shape.precision or 0) - (shape.scale or 0) for shape in shapes)
        return _Shape(Kind.DECIMAL, min(MAX_PRECISION, whole + scale), scale)
    if len(kinds) == 1:
        return shapes[0]
    if kinds <= {Kind.INTEGER, Kind.DOUBLE}:
        return _Shape(Kind.DOUBLE)
    return _Shape(Kind.STRING if kinds <= _TEXT_KINDS else Kind.VARIANT)
