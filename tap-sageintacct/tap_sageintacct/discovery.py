"""Which streams there are, and with which fields: as shipped, and as the company's `lookup` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract import GaveUpError, HttpError

from tap_sageintacct.client import lookup
from tap_sageintacct.errors import IntacctError
from tap_sageintacct.schema_files import OWN_PROPERTIES, looked_up, shipped
from tap_sageintacct.streams import RESOURCES, Resource

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from tap_sageintacct.client import Client
    from tap_sageintacct.xml import Result


def resources(config: Mapping[str, Any]) -> list[Resource]:
    """All streams' objects: Intacct's own, then those that the settings add."""
    return [*RESOURCES, *map(_extra, config.get("extra_objects") or ())]


def _extra(text: str) -> Resource:
    """An object of the settings: its name, or name and function."""
    name, _, function = str(text).partition(":")
    legacy = function.strip().lower() == "readbyquery"
    stamp = None if legacy else "WHENMODIFIED"
    return Resource(name.lower(), name.upper(), replication_key=stamp, audited=False, legacy=legacy)


def described(
    wanted: Sequence[Resource], catalog: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Give each stream its schema without asking anybody.

    Args:
        wanted: The objects.
        catalog: The schemas of a catalog by stream, for those that do not ship with the tap.

    Yields:
        Each object with its schema; one that nothing is known of is left out.
    """
    for each in wanted:
        if each in RESOURCES:
            yield each, shipped(each.stream)
        elif each.stream in catalog:
            yield each, dict(catalog[each.stream])


def discover(
    wanted: Sequence[Resource], clients: Sequence[Client], logger: logging.Logger, *, forgiving: bool
) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Give each stream its schema.

    Args:
        wanted: The objects.
        clients: Whom to ask for the company's own fields, one an entity; nobody works offline.
        logger: Told when the company cannot be asked.
        forgiving: Go on with the shipped schemas then.

    Yields:
        Each object with its schema. One that the settings add has none without being asked for.

    Raises:
        IntacctError: The company cannot be asked, and that is not forgiven.
    """
    answers: dict[str, list[Result]] = {}
    for client in clients:
        functions = [(client.what(each.object), lookup(each.object)) for each in wanted]
        try:
            results = client.several(functions)
        except (IntacctError, GaveUpError, HttpError) as error:
            if not forgiving:
                raise
            logger.warning("The company's own fields are not known: %s", error)
            break
        for each, result in zip(wanted, results, strict=True):
            if not result.failed:
                answers.setdefault(each.object, []).append(result)
    for each in wanted:
        own = each in RESOURCES
        schema = shipped(each.stream) if own else {"properties": dict(OWN_PROPERTIES)}
        schema = looked_up(schema, answers.get(each.object, []))
        if "RECORDNO" in schema["properties"]:
            yield each, schema
        else:
            logger.warning("Object %s has no fields that are known; it has no stream.", each.object)
