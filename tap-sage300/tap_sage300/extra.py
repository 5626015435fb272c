"""Declarations that depend on the site: partners' endpoints, and keys that only a server tells for sure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ml_connector.extract.errors import ApiError, SignInRefused
from ml_connector.extract.resource import COMPANY, Stamp

from tap_sage300.streams import RESOURCES
from tap_sage300.streams.resource import Resource

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from singer_sdk.singerlib import Catalog

    from tap_sage300.metadata import EntitySet
    from tap_sage300.source import WebApi

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBERS = frozenset({"Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double"})


def snake_case(name: str) -> str:
    """Spell an entity set's name as a stream's.

    Args:
        name: `TUPaymentCodes`.

    Returns:
        `tu_payment_codes`.
    """
    return _WORD.sub("_", name).lower()


def declarations(
    config: Mapping[str, Any], catalog: Catalog | None, sources: Sequence[WebApi], logger: logging.Logger
) -> tuple[Resource, ...]:
    """Say what is read: the declarations, with what catalog or servers know better.

    Args:
        config: The tap's settings.
        catalog: The catalog that was given.
        sources: The companies to ask; none for offline.
        logger: Is told of extra resources that nobody describes.

    Returns:
        The declarations, extra resources last.
    """
    site = _Site(catalog, sources)
    own = [_with_key(each, site) if each.evidence == "inferred" else each for each in RESOURCES]
    for given in config.get("extra_resources") or ():
        declared = Resource(
            stream=given.get("name") or snake_case(given["entity_set"]),
            address=f"{given['module']}/{given['entity_set']}",
            key=tuple(given.get("key") or ()),
        )
        extra = _extra(declared, given.get("replication_key"), site)
        if extra is None:
            logger.warning(
                "Extra resource %s left out: its schema comes from the server's $metadata, which does not"
                " describe %s.",
                declared.stream,
                declared.address,
            )
            continue
        own.append(extra)
    return tuple(own)


class _Site:
    """What catalog and servers say."""

    def __init__(self, catalog: Catalog | None, sources: Sequence[WebApi]) -> None:
        self._catalog, self._sources = catalog, sources

    def key(self, resource: Resource) -> tuple[str, ...]:
        """The key by the catalog, or as a server declares it; empty if neither says."""
        if self._catalog is not None:
            entry = self._catalog.get_stream(resource.stream)
            return tuple(name for name in (entry and entry.key_properties) or () if name != COMPANY)
        described = self.described(resource)
        return described.key if described else ()

    def described(self, resource: Resource) -> EntitySet | None:
        """An entity set as the first company has it that shows it."""
        for source in self._sources:
            try:
                found = source.entity_set(resource)
            except SignInRefused:
                raise
            except ApiError:
                continue
            if found is not None:
                return found
        return None

    def is_number(self, resource: Resource, field: str) -> bool | None:
        """Whether a field is a number; None if there is no such field."""
        if self._catalog is not None:
            entry = self._catalog.get_stream(resource.stream)
            found = (entry.schema.to_dict().get("properties") or {}).get(field) if entry else None
            return None if found is None else bool({"integer", "number"} & set(found.get("type") or ()))
        described = self.described(resource)
        known = described.properties.get(field) if described else None
        return None if known is None else known.edm_type in _NUMBERS


def _with_key(resource: Resource, site: _Site) -> Resource:
    key = site.key(resource)
    return replace(resource, key=key) if key else resource


def _extra(resource: Resource, replication_key: str | None, site: _Site) -> Resource | None:
    key = resource.key or site.key(resource)
    if not key:
        return None
    if not replication_key:
        return replace(resource, key=key)
    number = site.is_number(resource, replication_key)
    stamp = Stamp(replication_key, "counter" if number else "moment")
    return replace(resource, key=key, stamps=(stamp,))
