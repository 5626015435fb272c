"""Tables of the site's own, declared by the setting `extra_resources`: their schemas are the server's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import InvalidSetting
from ml_connector.extract.resource import COMPANY, Stamp
from ml_connector.extract.schemas import SchemaFiles
from typing_extensions import override

from tap_sagex3.streams import RESOURCES
from tap_sagex3.streams.resource import DATE_STAMP, STAMP, Lines, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ml_connector.extract import resource as declared
    from ml_connector.extract.source import SourceSchema


class SiteFiles(SchemaFiles):
    """The schema files, and for what has none the fields of its declaration with what the server adds."""

    @override
    def document(
        self, resource: declared.Resource | declared.Lines, told: SourceSchema | None = None
    ) -> dict[str, Any]:
        if not (isinstance(resource, Resource) and resource.extra):
            return super().document(resource, told)
        text = {"type": ["string", "null"]}
        properties: dict[str, Any] = {
            COMPANY: {"type": "string", "description": "The folder's endpoint."},
            **dict.fromkeys(resource.key, text),
            **{
                each.field: {**text, "format": "date" if each.kind == "day" else "date-time"}
                for stamp in resource.stamps
                for each in (stamp, stamp.instead)
                if each is not None and (told is None or each.field in told.fields)
            },
            **(told.fields if told else {}),
        }
        return {"type": "object", "description": "A table of the site's own.", "properties": properties}

    @override
    def lacking(self, resource: declared.Resource, told: SourceSchema) -> list[str]:
        if isinstance(resource, Resource) and resource.extra:
            return sorted(name for name in resource.key if name not in told.fields)
        return super().lacking(resource, told)


def extra_resources(config: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Read the setting `extra_resources`, those that the API of the settings can read.

    Raises:
        InvalidSetting: One has neither class nor node, or the name of another stream.
    """
    names = set(_names())
    found = []
    by_rest = config.get("api") == "rest"
    for given in config.get("extra_resources") or ():
        name, cls, node = given["name"], given.get("class") or "", given.get("node") or ""
        if name in names:
            raise InvalidSetting(f"The setting extra_resources: there is a stream {name} already.")
        names.add(name)
        if not (cls if by_rest else node):
            raise InvalidSetting(
                f"The setting extra_resources: {name} has no {'class' if by_rest else 'node'}, by which"
                f" api: {'rest' if by_rest else 'graphql'} reads it."
            )
        if not given.get("key"):
            raise InvalidSetting(f"The setting extra_resources: {name} has no key.")
        found.append(
            Resource(
                name,
                cls or node,
                tuple(given["key"]),
                node,
                given.get("package") or "",
                representation=given.get("representation") or "",
                extra=True,
                stamps=tuple(_stamps(given.get("stamp"))),
            )
        )
    return tuple(found)


def _stamps(field: str | None) -> Iterator[Stamp]:
    if field == STAMP:
        yield Stamp(STAMP, instead=Stamp(DATE_STAMP, "day"))
    elif field == DATE_STAMP:
        yield Stamp(DATE_STAMP, "day")
    elif field:
        # a day is compared as a moment's beginning: inclusive, and a day back at least by lookback
        yield Stamp(field)


def _names() -> Iterator[str]:
    def of(each: Resource | Lines) -> Iterator[str]:
        yield each.stream
        for lines in each.lines:
            yield from of(lines)

    for resource in RESOURCES:
        yield from of(resource)
