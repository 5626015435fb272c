"""Which streams there are: from the files alone, or with what the server says about itself."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_sage300.accounts import CHART
from tap_sage300.errors import LoginRefused, NotAllowed, Sage300Error, StreamUnavailable
from tap_sage300.schema_files import described, matched, shipped
from tap_sage300.streams import RESOURCES
from tap_sage300.streams.base import DocumentStream, LineStream
from tap_sage300.streams.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.singerlib import Catalog

    from tap_sage300.client import Sage300Client
    from tap_sage300.metadata import EntitySet
    from tap_sage300.streams.base import Sage300Stream
    from tap_sage300.tap import TapSage300

_LOG = logging.getLogger(__name__)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def extra_resources(config: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Read the setting `extra_resources`.

    Args:
        config: The tap's settings.

    Returns:
        The declared resources; the name defaults to the entity set's in snake_case.
    """
    return tuple(
        Resource(
            stream=declared.get("name") or snake_case(declared["entity_set"]),
            module=declared["module"],
            entity_set=declared["entity_set"],
            key=tuple(declared.get("key") or ()),
            replication_key=declared.get("replication_key"),
        )
        for declared in config.get("extra_resources") or ()
    )


def snake_case(name: str) -> str:
    """Spell an entity set's name as a stream's.

    Args:
        name: `TUPaymentCodes`.

    Returns:
        `tu_payment_codes`.
    """
    return _WORD.sub("_", name).lower()


class ServerDescription:
    """What `$metadata` of all companies says, asked module by module when first needed.

    Args:
        clients: A client for each company.
        forgiving: Go on without the server if it cannot be reached.
    """

    def __init__(self, clients: Sequence[Sage300Client], *, forgiving: bool) -> None:
        self._clients = clients
        self._forgiving = forgiving
        self._modules: dict[str, dict[str, EntitySet]] = {}
        self._unreachable = False

    def entity_set(self, resource: Resource) -> EntitySet | None:
        """Describe an entity set as the companies' servers do.

        Args:
            resource: The entity set.

        Returns:
            The description with the properties of all companies; None when no company has the set.

        Raises:
            LoginRefused: User or password is wrong.
            NotAllowed: The user has no rights in the Web API.
            Sage300Error: The server cannot be reached, unless that is forgiven.
        """
        if resource.module not in self._modules:
            self._modules[resource.module] = self._ask(resource.module)
        known = self._modules[resource.module]
        return known.get(resource.entity_set) or known.get(resource.fallback or "")

    def _ask(self, module: str) -> dict[str, EntitySet]:
        found: dict[str, EntitySet] = {}
        for client in () if self._unreachable else self._clients:
            try:
                sets = client.metadata(module).entity_sets
            except StreamUnavailable as missing:
                _LOG.debug("Module %s of company %s is not described: %s", module, client.company, missing)
                continue
            except (LoginRefused, NotAllowed):
                raise
            except Sage300Error as error:
                if not self._forgiving:
                    raise
                self._unreachable = True
                _LOG.warning("Discovery goes on with the schemas that ship with the tap: %s", error)
                return {}
            for name, entity_set in sets.items():
                found[name] = _joined(found[name], entity_set) if name in found else entity_set
        return found


def discover(
    tap: TapSage300, description: ServerDescription | None, catalog: Catalog | None
) -> list[Sage300Stream]:
    """Make the tap's streams.

    Args:
        tap: The tap.
        description: What the server says; None for discovery offline.
        catalog: The catalog given to the tap, which knows the schemas of extra resources.

    Returns:
        A document stream for each entity set, followed by its line streams.
    """
    streams: list[Sage300Stream] = []
    for resource in (*RESOURCES, *extra_resources(tap.config)):
        entity_set = description.entity_set(resource) if description else None
        chart = description.entity_set(CHART) if description and resource.module == CHART.module else None
        made = _document_stream(tap, resource, entity_set, chart, catalog)
        if made is None:
            _LOG.warning(
                "Extra resource %s left out: its schema comes from the server's $metadata, which does not"
                " describe %s/%s.",
                resource.stream,
                resource.module,
                resource.entity_set,
            )
            continue
        streams.append(made)
        streams.extend(_line_streams(tap, type(made), resource, entity_set, chart))
    return streams


def _document_stream(
    tap: TapSage300,
    resource: Resource,
    entity_set: EntitySet | None,
    chart: EntitySet | None,
    catalog: Catalog | None,
) -> DocumentStream | None:
    schema = shipped(resource.stream)
    if schema is None:
        entry = catalog.get_stream(resource.stream) if catalog else None
        if entity_set is not None:
            schema = described(resource, entity_set)
        elif entry is not None:
            keys = [name for name in entry.key_properties or () if name != "source_company"]
            schema = {**entry.schema.to_dict(), "x-key": keys}
        else:
            return None
    elif entity_set is not None:
        key = entity_set.key if entity_set.key and schema.get("x-evidence") == "inferred" else resource.key
        schema, changes = matched(schema, key, None, entity_set, chart)
        schema["x-key"] = list(key)
        if str(changes):
            _LOG.info("%s as this server has it: %s.", resource.stream, changes)
    cls = type(resource.stream, (DocumentStream,), {"name": resource.stream})
    stream: DocumentStream = cls(tap, resource, schema)
    return stream


def _line_streams(
    tap: TapSage300,
    parent: type[DocumentStream],
    resource: Resource,
    entity_set: EntitySet | None,
    chart: EntitySet | None,
) -> Iterable[LineStream]:
    for lines in resource.lines:
        schema = shipped(lines.stream)
        if schema is None:  # a mistake in the tap, which its tests find
            raise LookupError(f"Stream {lines.stream} has no schema file.")
        if entity_set is not None:
            schema, changes = matched(schema, lines.key, lines, entity_set, chart)
            if changes.key_unknown:
                _LOG.warning(
                    "%s left out: this server does not have %s in %s. The lines are in %s.",
                    lines.stream,
                    ", ".join(changes.key_unknown),
                    "/".join((resource.entity_set, *lines.path)),
                    resource.stream,
                )
                continue
            if str(changes):
                _LOG.info("%s as this server has it: %s.", lines.stream, changes)
        cls = type(lines.stream, (LineStream,), {"name": lines.stream, "parent_stream_type": parent})
        yield cls(tap, resource, schema, lines.key, lines)


def _joined(one: EntitySet, other: EntitySet) -> EntitySet:
    """Join two companies' descriptions: a custom field of either is one."""
    return replace(one, properties={**other.properties, **one.properties})
