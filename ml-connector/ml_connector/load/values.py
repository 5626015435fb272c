"""One value at a time, exactly: the careful way, taken only for columns that the vectorised way refused."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.load.moments import NANO_DIGITS, SECOND
from ml_connector.load.schema import MAX_PRECISION, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_DECIMAL_TEXT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?", re.ASCII)
# a date-time may stop at the hour, as Arrow's parser lets it
_CLOCK = re.compile(r"(\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?", re.ASCII)
_ZONE = re.compile(r"(?:[zZ]|([+-])(\d{2}):?(\d{2})?)", re.ASCII)
_WIDE = Context(prec=4 * MAX_PRECISION)
_EPOCH = dt.date(1970, 1, 1)
_DAY = 86_400
_FIRST = (dt.date.min - _EPOCH).days * _DAY * SECOND
_BEYOND = ((dt.date.max - _EPOCH).days + 1) * _DAY * SECOND
_JSON_TYPE = {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}
_SPOKEN = {"integer": "int", "string": "str", "boolean": "bool"}
_SHOWN = 60


class BadValue(ValueError):  # noqa: N818 - a value is bad, the program is not in error
    """A value that its column cannot hold exactly.

    Attributes:
        kind: ``type``, ``missing_key``, ``decimal``, ``format`` or ``encoding``.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def exact(field: Field, value: Any) -> Any:
    """Convert one decoded value to what Arrow takes for its column.

    Args:
        field: The value's column.
        value: ``None`` for a missing property; raw JSON (bytes) for INTEGER, DECIMAL and VARIANT; else what
            msgspec made of it.

    Returns:
        int, Decimal, str, bytes, bool, float, date, or, for times, nanoseconds since midnight or since the
        epoch.

    Raises:
        BadValue: With the reason, in words for a person.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        text = _text(value)
        if text == "null":
            return _null(field)
        return _RAW[field.column.kind](field, text)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadValue(
                "encoding", "The text holds half of a surrogate pair, which no encoding can store"
            ) from None
        convert = _FROM_TEXT.get(field.column.kind)
        return convert(value) if convert else value
    return value


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadValue("encoding", "The value is not UTF-8") from None


def _null(field: Field) -> None:
    if field.null_allowed:
        return
    if field.key:
        raise BadValue("missing_key", f"Key property `{field.column.name}` is null")
    raise BadValue("type", f"Expected `{_expected(field)}`, got `null`")


def _expected(field: Field) -> str:
    """Name the types as msgspec does, so that all messages read alike."""
    names = {_SPOKEN.get(name, name) for name in field.json_types - {"null"}}
    return " | ".join([*sorted(names), *(["null"] if field.null_allowed else [])])


def json_type(text: str) -> str:
    """Name the JSON type of raw JSON text."""
    return _JSON_TYPE.get(text[:1], "number")


def _spoken(text: str) -> str:
    return _SPOKEN.get(json_type(text), json_type(text))


def _integer(field: Field, text: str) -> int:
    if json_type(text) != "number":
        raise BadValue("type", f"Expected `{_expected(field)}`, got `{_spoken(text)}`")
    value = _number(text)
    if value and value.adjusted() >= MAX_PRECISION:
        raise BadValue("decimal", f"Integer {_short(text)} has more than {MAX_PRECISION} digits")
    if value and _last_digit(value) < 0:
        raise BadValue("type", f"Expected `{_expected(field)}`, got `number` {_short(text)}")
    return int(value)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadValue("decimal", f"{_short(text)} is beyond what any decimal can hold") from None


def _last_digit(value: Decimal) -> int:
    """Give the power of ten of the last digit that is not zero."""
    _, digits, exponent = value.as_tuple()
    zeros = next((place for place, digit in enumerate(reversed(digits)) if digit), 0)
    return int(exponent) + zeros


def _decimal(field: Field, text: str) -> Decimal:
    got = json_type(text)
    if got == "string" and "string" in field.json_types:
        number = msgspec.json.decode(text)
        if not _DECIMAL_TEXT.fullmatch(number):
            raise BadValue("decimal", f"{_short(number)!r} is not a decimal number")
    elif got == "number" and field.json_types & {"number", "integer"}:
        number = text
    else:
        raise BadValue("type", f"Expected `{_expected(field)}`, got `{_spoken(text)}`")
    return fit(_number(number), field.column.precision or MAX_PRECISION, field.column.scale or 0)


def fit(value: Decimal, precision: int, scale: int) -> Decimal:
    """Give ``value`` at exactly ``scale``, or refuse; zeros beyond the scale are no loss.

    Raises:
        BadValue: If digits would be lost on either side of the point.
    """
    if not value.is_finite():
        raise BadValue("decimal", f"{value} is not a number that a decimal column can hold")
    if not value:
        return Decimal(0).scaleb(-scale)
    if value.adjusted() >= precision - scale:
        raise BadValue(
            "decimal", f"{_short(str(value))} does not fit DECIMAL({precision}, {scale}): too large"
        )
    if _last_digit(value) < -scale:
        loss = "digits after the point would be lost"
        raise BadValue("decimal", f"{_short(str(value))} does not fit DECIMAL({precision}, {scale}): {loss}")
    # strip first: a value written with hundreds of zeros would not fit the context
    stripped = value.normalize(_WIDE) if len(value.as_tuple().digits) <= _WIDE.prec else _stripped(value)
    return stripped.quantize(Decimal(1).scaleb(-scale), context=_WIDE)


def _stripped(value: Decimal) -> Decimal:
    sign, digits, exponent = value.as_tuple()
    last = _last_digit(value)
    kept = digits[: len(digits) - (last - int(exponent))]
    return Decimal((sign, kept, last))


def _variant(_: Field, text: str) -> str:
    return text


def _date(text: str) -> dt.date:
    """Read a date, or a date-time at midnight: whatever its zone, its day is the one that is written."""
    day, rest = text[:10], text[10:]
    try:
        if _DATE.fullmatch(day) and (not rest or is_midnight(rest)):
            return dt.date.fromisoformat(day)
    except ValueError:
        pass
    raise BadValue(
        "format", f"{_short(text)!r} is not a date (YYYY-MM-DD, years 0001 to 9999), nor one at midnight"
    )


def is_midnight(rest: str) -> bool:
    """Whether what follows a date is midnight: ``T00:00:00Z``."""
    clock = _CLOCK.match(rest, 1)
    if clock is None or rest[0] not in "Tt " or _nanoseconds_of_day(clock) != 0:
        return False
    zone = rest[clock.end() :].strip()
    return not zone or _zone_minutes(zone) is not None


def _time(text: str) -> int:
    match = _TIME.match(text)
    rest = text[match.end() :].strip() if match else text
    found = _nanoseconds_of_day(match) if match else None
    if found is None or (rest and _zone_minutes(rest) != 0):
        # a time of day has no date, so an offset other than UTC cannot be kept
        raise BadValue(
            "format", f"{_short(text)!r} is not a time (HH:MM:SS, optionally with up to nine decimals)"
        )
    return found


def _nanoseconds_of_day(match: re.Match[str]) -> int | None:
    hours, minutes, seconds = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    fraction = (match[4] or "").rstrip("0")
    if hours > 23 or minutes > 59 or seconds > 59 or len(fraction) > NANO_DIGITS:  # noqa: PLR2004 - a clock's face
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND + int(fraction.ljust(NANO_DIGITS, "0"))


def _zone_minutes(text: str) -> int | None:
    match = _ZONE.fullmatch(text)
    if match is None or int(match[2] or 0) > 23 or int(match[3] or 0) > 59:  # noqa: PLR2004 - a clock's face
        return None
    minutes = int(match[2] or 0) * 60 + int(match[3] or 0)
    return -minutes if match[1] == "-" else minutes


def _timestamp(text: str, *, zoned: bool) -> int:
    """Read a date-time, or a date as its midnight, as nanoseconds since the epoch."""
    found = _moment(text, zoned=zoned)
    if found is None or not _FIRST <= found < _BEYOND:
        kind = "with an offset or in UTC" if zoned else "without an offset"
        message = f"{_short(text)!r} is not a date-time {kind}, years 0001 to 9999, exact to the nanosecond"
        raise BadValue("format", message)
    return found


def _moment(text: str, *, zoned: bool) -> int | None:
    day, rest = text[:10], text[10:]
    clock = _CLOCK.match(rest, 1)
    zone = rest[clock.end() :].strip() if clock else ""
    of_day = _nanoseconds_of_day(clock) if clock else None if rest else 0
    minutes = _zone_minutes(zone) if zone else 0
    if not _DATE.fullmatch(day) or rest[:1] not in {"", "T", "t", " "} or (zone and not zoned):
        return None
    if of_day is None or minutes is None:
        return None
    try:
        days = (dt.date.fromisoformat(day) - _EPOCH).days
    except ValueError:
        return None
    return (days * _DAY - minutes * 60) * SECOND + of_day


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadValue("format", f"{_short(text)!r} is not base64") from None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_RAW: dict[Kind, Callable[[Field, str], Any]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.VARIANT: _variant,
}
_FROM_TEXT: dict[Kind, Callable[[str], Any]] = {
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.TIMESTAMP_TZ: lambda text: _timestamp(text, zoned=True),
    Kind.TIMESTAMP_NTZ: lambda text: _timestamp(text, zoned=False),
    Kind.BINARY: _binary,
}
