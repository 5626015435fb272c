"""Which streams there are: from the files alone, or with what the servers say about themselves."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_connector.extract.digits import hints_of
from ml_connector.extract.errors import ApiError, SignInRefused, StreamUnavailable
from ml_connector.extract.schemas import joined, stamp_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ml_connector.extract.resource import Lines, Resource
    from ml_connector.extract.schemas import SchemaFiles
    from ml_connector.extract.source import Source, SourceSchema

_LOG = logging.getLogger(__name__)
_FEW = 8


class DiscoveredStream(NamedTuple):
    """A stream to be made."""

    resource: Resource
    lines: Lines | None
    """None for the documents themselves."""
    path: tuple[str, ...]
    schema: dict[str, Any]


def discover(
    files: SchemaFiles,
    every: Iterable[Resource],
    sources: Sequence[Source],
    known: Mapping[str, dict[str, Any]] | None,
    *,
    best_effort: bool,
) -> Iterator[DiscoveredStream]:
    """Say which streams there are, documents before their lines.

    Args:
        files: The schemas that ship with the tap.
        every: The declarations.
        sources: One a company, to be asked for its own fields; none leaves the shipped schemas.
        known: Schemas of a catalog, by stream: nothing is asked.
        best_effort: Go on with the shipped schemas if a server cannot be reached.

    Yields:
        The streams.

    Raises:
        ApiError: No server can be asked.
    """
    lacking: list[str] = []
    for resource in every:
        told: SourceSchema | None = None
        if sources and known is None:
            try:
                told = _told(resource, sources, best_effort=best_effort)
            except StreamUnavailable as absent:
                _LOG.warning("%s left out: %s", resource.stream, absent)
                continue
            if told is not None and (
                names := [n for n in files.lacking(resource, told) if n not in stamp_fields(resource)]
            ):
                lacking.append(f"{resource.stream} ({few(names)})")
        schema = _with_digits(known, resource.stream, files.document(resource, told))
        yield DiscoveredStream(resource, None, (), schema)
        yield from _lines(files, resource, resource.lines, (), schema, told, known or {})
    if lacking:
        _LOG.warning(
            "%d streams lack fields that this server does not show; they are left out: %s.",
            len(lacking),
            "; ".join(lacking),
        )


def few(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")


def _lines(  # noqa: PLR0917 - what discovery knows of one document
    files: SchemaFiles,
    resource: Resource,
    lines: Sequence[Lines],
    above: tuple[str, ...],
    document: Mapping[str, Any],
    told: SourceSchema | None,
    known: Mapping[str, dict[str, Any]],
) -> Iterator[DiscoveredStream]:
    for each in lines:
        inner = told
        for name in each.collection.split(".") if told else ():
            inner = inner.lines.get(name) if inner else None
        if told is not None and inner is None:
            _LOG.warning("%s left out: the server shows no such lines in %s.", each.stream, resource.stream)
            continue
        path = (*above, *each.collection.split("."))
        schema = _with_digits(known, each.stream, files.line(each, document, inner))
        yield DiscoveredStream(resource, each, path, schema)
        yield from _lines(files, resource, each.lines, path, document, inner, known)


def _with_digits(
    known: Mapping[str, dict[str, Any]] | None, stream: str, ours: dict[str, Any]
) -> dict[str, Any]:
    """A stream's schema as a catalog has it, with the digits of decimals where the catalog has lost them."""
    schema = (known or {}).get(stream)
    if not schema:
        return ours
    properties = {
        name: {**hints_of(ours["properties"].get(name, {})), **each}
        for name, each in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _told(resource: Resource, sources: Iterable[Source], *, best_effort: bool) -> SourceSchema | None:
    """What the companies say of a kind of document.

    Raises:
        StreamUnavailable: None of them has it.
        ApiError: They cannot be asked, and that may not be passed over.
    """
    found: SourceSchema | None = None
    missing: list[StreamUnavailable] = []
    asked = 0
    for source in sources:
        asked += 1
        try:
            told = source.describe(resource)
        except StreamUnavailable as absent:
            missing.append(absent)
            continue
        except SignInRefused:
            raise
        except ApiError as error:
            if not best_effort:
                raise
            _LOG.warning(
                "%s of %s is described as it ships: %s Set discover_custom_fields to false to not ask.",
                resource.stream,
                "/".join(str(value) for value in source.partition.values()),
                error,
            )
            continue
        if told is not None:
            found = joined(found, told) if found else told
    if asked and len(missing) == asked:
        raise missing[0]
    return found
