"""Objects that the setting `extra_objects` adds: what they are like, the company's `lookup` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract.resource import Stamp

from tap_sageintacct.streams.resource import NO_STAMP, Resource

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterable, Iterator, Mapping

KEYS = ("RECORDNO", "id")
"""The key of Intacct's own objects, and that of a company's custom ones (reference section 3)."""
STAMPS = ("WHENMODIFIED", "updatedAt")


def parsed(text: str) -> tuple[str, bool]:
    """An entry of the setting: its object, and whether only `readByQuery` serves it."""
    name, _, function = text.partition(":")
    return name.strip(), function.strip().lower() == "readbyquery"


def resources(
    settings: Iterable[str], fields: Mapping[str, Collection[str]], logger: logging.Logger
) -> Iterator[Resource]:
    """The objects of the setting.

    Args:
        settings: Its entries.
        fields: The names of fields by stream, as a lookup or a catalog has them.
        logger: Told of those that nothing is known of.

    Yields:
        Each of which a key is known.
    """
    for text in settings:
        name, legacy = parsed(text)
        known = fields.get(name.lower(), ())
        key = next((each for each in KEYS if each in known), None)
        if key is None:
            logger.warning("Object %s has no fields that are known, or no key; it has no stream.", name)
            continue
        stamp = None if legacy else next((each for each in STAMPS if each in known), None)
        yield Resource(
            stream=name.lower(),
            address=name,
            key=(key,),
            stamps=(Stamp(stamp),) if stamp else NO_STAMP,
            audited=False,
            legacy=legacy,
        )


def shown(catalog: Any) -> dict[str, Collection[str]]:
    """The names of the fields of a catalog, by stream."""
    return {entry.tap_stream_id: entry.schema.to_dict().get("properties", {}) for entry in catalog.streams}
