"""The JSON schemas that ship with the tap, and what a server's own `$metadata` changes in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ml_connector.extract.digits import MOST_DIGITS
from ml_connector.extract.resource import walk
from ml_connector.extract.schemas import SchemaFiles
from typing_extensions import override

from tap_sage300.edm import FACETS
from tap_sage300.streams import RESOURCES
from tap_sage300.streams.resource import MODULE, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.extract import resource as core
    from ml_connector.extract.source import SourceSchema

OWN: Final[dict[str, dict[str, Any]]] = {
    "source_company": {
        "type": "string",
        "description": "Org ID of the company database the record was read from.",
    },
    MODULE: {"type": "string", "description": "Sage 300 module that serves the record, such as AP."},
}
_SHIPPED: Final = frozenset(
    stream for each in RESOURCES for stream in (each.stream, *(lines.stream for lines, _ in walk(each.lines)))
)
#: What each other's values fit into: a server that declares a whole number as decimal sends it whole all the
#: same, and a day is sent as its midnight.
_SAME: Final = frozenset({("integer", "number"), ("date", "date-time"), ("date-time", "date")})


class Sage300Files(SchemaFiles):
    """The files of the tap. Those of documents hold the collections inside them, too."""

    @override
    def shipped(self, stream: str) -> dict[str, Any]:
        if stream not in _SHIPPED:
            return {"type": "object", "properties": dict(OWN)}
        return super().shipped(stream)

    @override
    def document(
        self, resource: core.Resource | core.Lines, told: SourceSchema | None = None
    ) -> dict[str, Any]:
        if isinstance(resource, Resource) and resource.stream not in _SHIPPED:
            return _as_told(resource, told)
        schema = self.shipped(resource.stream)
        return schema if told is None else {**schema, "properties": self._fitted(schema, resource, told)}

    @override
    def line(
        self, lines: core.Lines, document: Mapping[str, Any], told: SourceSchema | None = None
    ) -> dict[str, Any]:
        schema = self.shipped(lines.stream)
        if told is None:
            return schema
        properties = self._fitted(schema, lines, told)
        for carried in lines.from_above:
            known = document["properties"].get(carried.field) if carried.level == 0 else None
            if known is not None or carried.level:
                properties[carried.column] = _agreed(schema["properties"][carried.column], known)
        ordered = {name: properties[name] for name in schema["properties"] if name in properties}
        return {**schema, "properties": {**ordered, **properties}}

    def _fitted(
        self, schema: Mapping[str, Any], resource: core.Resource | core.Lines, told: SourceSchema
    ) -> dict[str, Any]:
        """Custom fields in, unknown fields out, each with the server's type."""
        shipped = schema["properties"]
        carried = {each.column for each in getattr(resource, "from_above", ())}
        own = {
            name: _agreed(each, told.fields.get(name))
            for name, each in shipped.items()
            if name in OWN or name in resource.key or (name in told.fields and name not in carried)
        }
        added = {
            name: _without_facets(each)
            for name, each in told.fields.items()
            if name not in own and name not in shipped
        }
        return {**own, **added}


FILES = Sage300Files("tap_sage300")


def _as_told(resource: Resource, told: SourceSchema | None) -> dict[str, Any]:
    """The schema of a resource that has no file, from `$metadata` alone."""
    fields = {name: _without_facets(each) for name, each in told.fields.items()} if told else {}
    for name in resource.key:
        if name in fields:
            fields[name] = {**fields[name], "type": _kind(fields[name])[0]}
    described = f"Entity set {resource.entity_set} of module {resource.module}."
    return {
        "type": "object",
        "description": resource.description or described,
        "properties": {**OWN, **fields},
    }


def _agreed(ours: dict[str, Any], theirs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Keep the shipped type, with its scale and text, unless the server's is of another kind."""
    if theirs is None:
        return ours
    one, other = _kind(ours), _kind(theirs)
    if one == other or (one[1] or one[0], other[1] or other[0]) in _SAME:
        return _wider(ours, theirs)
    kept = {"description": ours["description"]} if ours.get("description") else {}
    nullable = isinstance(ours.get("type"), list)
    found = _without_facets({word: value for word, value in theirs.items() if word != "description"})
    return {**found, **kept, "type": [other[0], "null"] if nullable else other[0]}


def _wider(ours: dict[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Make room for what either of two decimals holds, before the point and after it, also inside lines."""
    inner, known = (each.get("items", {}).get("properties") for each in (ours, theirs))
    if inner and known:
        properties = {
            name: _wider(item, known[name]) if name in known else item for name, item in inner.items()
        }
        return {**ours, "items": {**ours["items"], "properties": properties}}
    if FACETS not in theirs or "x-scale" not in ours:
        return ours
    # a facet that the server does not declare says nothing: OData's default, a scale of 0, is not meant
    precision, scale = theirs[FACETS]
    before = ours["x-precision"], ours["x-scale"]
    places = max(before[1], scale or 0)
    whole = max(before[0] - before[1], (precision or 0) - (before[1] if scale is None else scale))
    after = min(whole + places, MOST_DIGITS), places
    if after == before:
        return ours
    step = 1 if places == 0 else float(f"1e-{places}")
    return {**ours, "multipleOf": step, "x-precision": after[0], "x-scale": places}


def _without_facets(described: Mapping[str, Any]) -> dict[str, Any]:
    found = {word: value for word, value in described.items() if word != FACETS}
    if "items" in found:
        found["items"] = _without_facets(found["items"])
    if isinstance(found.get("properties"), dict):
        found["properties"] = {name: _without_facets(each) for name, each in found["properties"].items()}
    return found


def _kind(described: Mapping[str, Any]) -> tuple[str, str]:
    types = described.get("type") or "string"
    kinds = [types] if isinstance(types, str) else types
    return next(kind for kind in kinds if kind != "null"), str(described.get("format") or "")
