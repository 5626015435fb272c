"""States of version 0.1, in the words of today's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract.deletes import key_of, token

from tap_sage300 import values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.extract.resource import Lines, Resource


def upgraded(
    resource: Resource,
    lines: Lines | None,
    partition: dict[str, Any],
    properties: Mapping[str, Mapping[str, Any]],
) -> None:
    """Bring a partition of version 0.1 up to date.

    Args:
        resource: The entity set.
        lines: The lines of the stream; None for documents.
        partition: Changed in place. Its words were `also_changed` (dates that move on their own), `highest`
            (the greatest number of a record) and `open_keys` (the rows of each document that may change).
        properties: The stream's schema.
    """
    others = partition.pop("also_changed", None) or {}
    highest = partition.pop("highest", None)
    if others or highest is not None:
        stamps = partition.setdefault("stamps", {})
        stamps.update(others)
        # numbers that count apart by type start anew: one that is lower than another type's would be missed
        counters = [each for each in resource.stamps[1:] if each.kind == "counter" and each.per is None]
        if highest is not None and counters:
            stamps[counters[0].field] = highest
    open_keys = partition.pop("open_keys", None) or {}
    if open_keys:
        _open(resource, lines, partition, properties, open_keys)
    progress = partition.get("progress")
    if isinstance(progress, dict) and "filter" in progress:
        # it does not say when that read began, and so not up to which day it knows everything
        del partition["progress"]


def _open(
    resource: Resource,
    lines: Lines | None,
    partition: dict[str, Any],
    properties: Mapping[str, Mapping[str, Any]],
    open_keys: Mapping[str, Sequence[Sequence[Any]]],
) -> None:
    names = {name: token(_today(key_of(name), resource.key, properties)) for name in open_keys}
    partition["open"] = sorted(names.values())
    if lines is None:
        return
    own = [place for place, name in enumerate(lines.key) if name not in resource.key]
    kept = partition.setdefault("lines", {})
    for name, rows in open_keys.items():
        keys = [_today(row, lines.key, properties) for row in rows]
        kept[names[name]] = [[key[place] for place in own] for key in keys]


def _today(
    key: Sequence[Any], names: Sequence[str], properties: Mapping[str, Mapping[str, Any]]
) -> list[Any]:
    """A key with its days as rows have them: version 0.1 kept their midnights."""
    return [
        values.day(value) if properties.get(name, {}).get("format") == "date" else value
        for name, value in zip(names, key, strict=True)
    ]
