"""Flattening of JSON Schema composition: ``$ref``, ``allOf``, ``anyOf``, ``oneOf``, type lists, ``enum``.

A column needs one question answered: which simple schemas may its value follow? :func:`alternatives` answers
it as a list of schemas that each have one type and no composition keyword left.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JsonSchema = dict[str, Any]

_COMPOSITION = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_TYPE_OF_VALUE: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
    str: "string",
    list: "array",
    dict: "object",
}

_MOST = 10_000
_TOO_MANY = (
    f"The schema's references, `anyOf` and `allOf` lead to more than {_MOST:,} alternatives; describe the"
    " property more plainly."
)
_ENCODE = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=str).encode


class SchemaError(ValueError):
    """A stream's JSON schema cannot be turned into columns; the message says what to change in it."""


def alternatives(schema: object, root: Mapping[str, Any]) -> list[JsonSchema]:
    """List the simple schemas a value may follow.

    Args:
        schema: A JSON schema; anything that is not an object (``True``, ``[]``) allows every value, as
            ``{}`` does.
        root: The whole document, in which local references (``#/definitions/…``, ``#/$defs/…``) are looked
            up. A reference that leads back to itself allows every value.

    Returns:
        Schemas with at most one ``type`` and no composition keyword, none of them twice. A schema without
        ``type`` allows every value.

    Raises:
        SchemaError: If a reference is not local or leads nowhere, or the alternatives are too many.
    """
    return _Resolver(root).alternatives(schema, frozenset())


class _Resolver:
    """Follows the references of one document, each of them once."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._known: dict[str, list[JsonSchema]] = {}
        self._cut: frozenset[str] = frozenset()
        self._steps = 0

    def alternatives(self, schema: object, seen: frozenset[str]) -> list[JsonSchema]:
        """List the simple schemas; ``seen`` are the references that are being followed."""
        self._steps += 1
        if self._steps > _MOST:
            raise SchemaError(_TOO_MANY)
        if not isinstance(schema, dict):
            return [{}]
        ways: list[JsonSchema] = [{name: schema[name] for name in schema if name not in _COMPOSITION}]
        reference = schema.get("$ref")
        if isinstance(reference, str):
            ways = _product(ways, self._referred(reference, seen))
        for part in schema.get("allOf") or ():
            ways = _product(ways, self.alternatives(part, seen))
        for keyword in ("anyOf", "oneOf"):
            branches = schema.get(keyword)
            if branches:
                ways = _product(ways, [way for branch in branches for way in self.alternatives(branch, seen)])
        return _distinct([single for way in ways for single in _split_types(way)])

    def _referred(self, reference: str, seen: frozenset[str]) -> list[JsonSchema]:
        if reference in seen:
            self._cut |= {reference}
            return [{}]
        if reference not in self._known:
            before, self._cut = self._cut, frozenset()
            ways = self.alternatives(_look_up(reference, self._root), seen | {reference})
            cut = self._cut - {reference}
            self._cut = before | cut
            if cut:  # another way to this reference may cut it elsewhere
                return ways
            self._known[reference] = ways
        return self._known[reference]


def properties_of(schema: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Gather a record's properties, in order, and the names every record must have.

    Args:
        schema: The stream's JSON schema. Composition at its top is resolved: ``allOf`` adds properties, and
            with ``anyOf``/``oneOf`` the properties of every branch count, required only if every branch
            requires them.

    Raises:
        SchemaError: If the schema describes no properties at all.
    """
    objects = [way for way in alternatives(dict(schema), schema) if isinstance(way.get("properties"), dict)]
    if not objects:
        msg = "The stream's schema has no `properties`; a SCHEMA message must name the fields of its records."
        raise SchemaError(msg)
    values: dict[str, list[Any]] = {}
    for way in objects:
        for name, value in way["properties"].items():
            known = values.setdefault(name, [])
            if value not in known:
                known.append(value)
    properties = {name: known[0] if len(known) == 1 else {"anyOf": known} for name, known in values.items()}
    required = frozenset.intersection(*(frozenset(way.get("required") or ()) for way in objects))
    return properties, required


def _look_up(reference: str, root: Mapping[str, Any]) -> object:
    if not reference.startswith("#"):
        msg = (
            f"The schema refers to `{reference}`; only references inside the schema (`#/…`) can be followed."
        )
        raise SchemaError(msg)
    found: Any = root
    for step in reference.lstrip("#").strip("/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not name:
            continue
        if not isinstance(found, dict) or name not in found:
            msg = f"The schema refers to `{reference}`, which it does not contain."
            raise SchemaError(msg)
        found = found[name]
    return found


def _product(left: Sequence[JsonSchema], right: Sequence[JsonSchema]) -> list[JsonSchema]:
    if len(left) * len(right) > _MOST:
        raise SchemaError(_TOO_MANY)
    return _distinct([_both(one, other) for one in left for other in right])


def _distinct(ways: list[JsonSchema]) -> list[JsonSchema]:
    if len(ways) == 1:
        return ways
    return list({_ENCODE(way): way for way in reversed(ways)}.values())[::-1]


def _both(one: JsonSchema, other: JsonSchema) -> JsonSchema:
    """Join two schemas that both apply: the narrower type, the union of properties and of required names."""
    joined = {**one, **other}
    if "type" in one and "type" in other:
        joined["type"] = _common_types(_types(one), _types(other))
    if isinstance(one.get("properties"), dict) and isinstance(other.get("properties"), dict):
        joined["properties"] = {**one["properties"], **other["properties"]}
    if one.get("required") and other.get("required"):
        joined["required"] = [*one["required"], *other["required"]]
    return joined


def _common_types(one: list[str], other: list[str]) -> list[str]:
    common = [name for name in one if name in other]
    narrowed = "integer" not in common and {"integer", "number"} <= {*one, *other}
    return [*common, "integer"] if narrowed and ("number" not in common) else common


def _types(schema: JsonSchema) -> list[str]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return [declared]
    return [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else []


def _split_types(schema: JsonSchema) -> list[JsonSchema]:
    """Make one schema per type; a schema without a type gets it from its values or its shape."""
    if "type" in schema:
        return [{**schema, "type": name} for name in _types(schema)]
    if isinstance(schema.get("enum"), list):
        kinds = dict.fromkeys(_TYPE_OF_VALUE.get(type(value), "string") for value in schema["enum"])
        return [{**schema, "type": name} for name in kinds]
    if "const" in schema:
        return [{**schema, "type": _TYPE_OF_VALUE.get(type(schema["const"]), "string")}]
    if "properties" in schema:
        return [{**schema, "type": "object"}]
    if "items" in schema:
        return [{**schema, "type": "array"}]
    return [schema]
