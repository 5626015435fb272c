"""Whole records made out of the partial payloads that clients write."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sage300.errors import ApiError
from erp_sandbox.sage300.model import INTEGER_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from erp_sandbox.sage300.model import EntitySet, Property

#: What tells a detail from its siblings, most specific first.
_LINE_KEYS: Final = (
    "PaymentNumber",
    "OptionalField",
    "LineNumber",
    "DetailNumber",
    "TransactionNumber",
    "EntryNumber",
)
_INTEGER: Final = re.compile(r"-?\d{1,19}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")
_NINES: Final = 19

Record = dict[str, Any]


def read_payload(body: bytes) -> Record:
    """Decode a request's body; decimals stay exact.

    Raises:
        ApiError: ``InvalidPayload`` when it is not one JSON object.
    """
    try:
        payload = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise ApiError("InvalidPayload", f"The body is not valid JSON: {error}") from error
    if not isinstance(payload, dict):
        raise ApiError("InvalidPayload", "The body must be one JSON object")
    return payload


def read_document(text: str) -> Record:
    """Decode a stored document; decimals keep their digits."""
    record: Record = json.loads(text, parse_float=Decimal)
    return record


def complete(entity_set: EntitySet, payload: Mapping[str, Any], base: Record | None = None) -> Record:
    """Fill a payload up to a whole record.

    Args:
        entity_set: Whose record.
        payload: What the client sent.
        base: The record whose values stand where the payload says nothing; None for the model's defaults.

    Returns:
        All properties in metadata order.

    Raises:
        ApiError: ``InvalidPayload`` for unknown properties and values of the wrong type, ``FieldInvalid`` for
            values that do not fit.
    """
    return _complete(entity_set.name, entity_set.properties, payload, base or {})


def number_details(entity_set: EntitySet, record: Record) -> None:
    """Give details the keys of their parents, and numbers where the client gave none."""
    parent = {name: record[name] for name in entity_set.key}
    for prop in entity_set.properties:
        if prop.type == "Collection":
            _number(prop, record[prop.name], parent)


def merge(entity_set: EntitySet, payload: Mapping[str, Any], base: Record) -> Record:
    """PATCH: scalars replaced, details inserted, updated or deleted as their ``UpdateOperation`` says."""
    scalars = {
        name: value
        for name, value in payload.items()
        if not (name in entity_set.by_name and entity_set.by_name[name].type == "Collection")
    }
    record = complete(entity_set, scalars, base)
    for prop in entity_set.properties:
        if prop.type == "Collection" and prop.name in payload:
            record[prop.name] = _merge_details(prop, payload[prop.name], base.get(prop.name, []))
    return record


def write_document(properties: Sequence[Property], record: Mapping[str, Any]) -> str:
    """Spell a record as JSON: decimals as numbers with their scale, properties in metadata order."""
    return "{" + ",".join(f'"{prop.name}":{_json(prop, record.get(prop.name))}' for prop in properties) + "}"


def encoded(value: Any) -> str:
    """Any value as JSON; decimals keep their digits."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{encoded(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(encoded(each) for each in value) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def today() -> str:
    """The day's stamp as the ERP writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT00:00:00Z")


def _complete(owner: str, properties: Sequence[Property], payload: Any, base: Mapping[str, Any]) -> Record:
    if not isinstance(payload, dict):
        raise ApiError("InvalidPayload", f"A record of {owner} must be a JSON object")
    known = {prop.name for prop in properties}
    for name in payload:
        if name not in known and not name.startswith("@odata."):
            raise ApiError("InvalidPayload", f"The property '{name}' does not exist on {owner}")
    record: Record = {}
    for prop in properties:
        if prop.name == "UpdateOperation":
            record[prop.name] = "Unspecified"
        elif prop.name in payload:
            record[prop.name] = _value(owner, prop, payload[prop.name])
        else:
            record[prop.name] = base[prop.name] if prop.name in base else _default(prop)
    return record


def _value(owner: str, prop: Property, value: Any) -> Any:  # noqa: C901, PLR0911  # a table of types
    where = f"{owner}.{prop.name}"
    if value is None:
        return _default(prop)
    if prop.type == "Collection":
        if not isinstance(value, list):
            raise ApiError("InvalidPayload", f"{where} must be a list")
        return [_complete(where, prop.properties, detail, {}) for detail in value]
    if prop.type == "Edm.Boolean":
        if isinstance(value, bool):
            return value
    elif prop.type in INTEGER_TYPES:
        if isinstance(value, int | str) and not isinstance(value, bool) and _INTEGER.fullmatch(str(value)):
            return int(value)
    elif prop.type == "Edm.Decimal":
        return _decimal(where, prop, value)
    elif prop.type == "Edm.DateTimeOffset":
        if isinstance(value, str) and _DATE.fullmatch(value):
            return f"{value[:10]}T00:00:00Z"
    elif isinstance(value, str):
        return value
    elif prop.type == "Enum" and isinstance(value, int) and not isinstance(value, bool):
        return next((member for member in prop.members if prop.number_of(member) == value), str(value))
    raise ApiError("InvalidPayload", f"The value of {where} is not a valid {prop.type}")


def _decimal(where: str, prop: Property, value: Any) -> Decimal:
    try:
        number = Decimal("" if isinstance(value, bool) else value).quantize(
            Decimal(1).scaleb(-prop.scale), rounding=ROUND_HALF_UP
        )
    except (InvalidOperation, TypeError, ValueError):
        raise ApiError("InvalidPayload", f"The value of {where} is not a valid {prop.type}") from None
    if len(number.as_tuple().digits) > _NINES:
        raise ApiError("FieldInvalid", f"The value of {where} has more than {_NINES} digits")
    return number


def _default(prop: Property) -> Any:
    if prop.type == "Edm.Decimal":
        return Decimal(0).scaleb(-prop.scale)
    if prop.type in INTEGER_TYPES:
        return 0
    if prop.type == "Enum":
        return "Active" if "Active" in prop.members else next(iter(prop.members), "")
    return {"Edm.Boolean": False, "Edm.DateTimeOffset": None, "Collection": []}.get(prop.type, "")


def _json(prop: Property, value: Any) -> str:
    if prop.type == "Collection":
        return "[" + ",".join(write_document(prop.properties, detail) for detail in value or []) + "]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value, ensure_ascii=False)


def line_key(prop: Property, parent: Mapping[str, Any]) -> Property | None:
    """What tells a detail from its siblings; None where nothing does."""
    own = {detail.name: detail for detail in prop.properties}
    return next((own[name] for name in _LINE_KEYS if name in own and name not in parent), None)


def _number(prop: Property, details: list[Record], parent: Mapping[str, Any]) -> None:
    key = line_key(prop, parent)
    for number, detail in enumerate(details, start=1):
        detail.update({name: value for name, value in parent.items() if name in detail})
        if key is not None and key.type != "Edm.String" and not detail[key.name]:
            detail[key.name] = _value(prop.name, key, number)
        elif key is not None and key.name != "OptionalField" and not detail[key.name]:
            detail[key.name] = f"{number:05d}"  # GL numbers its entries in zero-padded text
        inner = {**parent, **({key.name: detail[key.name]} if key else {})}
        for nested in prop.properties:
            if nested.type == "Collection":
                _number(nested, detail[nested.name], inner)


def _merge_details(prop: Property, sent: Any, base: list[Record]) -> list[Record]:
    if not isinstance(sent, list):
        raise ApiError("InvalidPayload", f"{prop.name} must be a list")
    key = line_key(prop, {})
    merged = {str(detail.get(key.name)) if key else str(at): detail for at, detail in enumerate(base)}
    for at, detail in enumerate(sent):
        if not isinstance(detail, dict):
            raise ApiError("InvalidPayload", f"A record of {prop.name} must be a JSON object")
        name = str(detail.get(key.name)) if key and key.name in detail else f"new {at}"
        operation = detail.get("UpdateOperation", "Unspecified")
        if operation == "Delete":
            if merged.pop(name, None) is None:
                raise ApiError("RecordInvalid", f"{prop.name} has no record {name} to delete")
            continue
        if operation == "Update" and name not in merged:
            raise ApiError("RecordInvalid", f"{prop.name} has no record {name} to update")
        if operation == "Insert" and name in merged:
            raise ApiError("RecordDuplicate", f"{prop.name} has a record {name} already")
        merged[name] = _complete(prop.name, prop.properties, detail, merged.get(name, {}))
    return list(merged.values())
