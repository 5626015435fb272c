"""Which streams there are: from the files alone, or with what the servers say about themselves."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_sagex3.dimensions import COLUMN
from tap_sagex3.errors import SageX3Error, SignInRefused, StreamUnavailable
from tap_sagex3.schema_files import document_schema, joined, line_schema, with_columns
from tap_sagex3.streams import RESOURCES
from tap_sagex3.streams.base import DocumentStream, LineStream
from tap_sagex3.streams.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.singerlib import Catalog

    from tap_sagex3.api import Api, Described
    from tap_sagex3.streams.base import SageX3Stream
    from tap_sagex3.streams.resource import Lines
    from tap_sagex3.tap import TapSageX3

_LOG = logging.getLogger(__name__)


def resources(config: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The documents to read, as the settings have them.

    Lines for which `representations` names a class of their own are read by themselves, from a list that the
    site made for it: one request a page instead of one a document.

    Args:
        config: The tap's settings.
    """
    if config.get("api") != "rest":
        return RESOURCES
    own = config.get("representations") or {}
    return tuple(part for each in RESOURCES for part in _split(each, own))


def _split(resource: Resource, own: Mapping[str, Any]) -> Iterator[Resource]:
    flat: list[Resource] = []

    def without(lines: Sequence[Lines]) -> tuple[Lines, ...]:
        kept = []
        for each in lines:
            if (own.get(each.stream) or {}).get("class"):
                flat.append(_flat(each, resource))
                flat.extend(_flat(inner, resource) for inner in each.lines)
            else:
                kept.append(replace(each, lines=without(each.lines)))
        return tuple(kept)

    yield replace(resource, lines=without(resource.lines))
    yield from (each for each in flat if (own.get(each.stream) or {}).get("class"))


def _flat(lines: Lines, resource: Resource) -> Resource:
    return Resource(
        lines.stream,
        lines.table,
        lines.key,
        lines.node,
        resource.package,
        dated="UPDDAT" in document_schema(lines)["properties"],
        period=lines.period,
        measures=lines.measures,
    )


def discover(
    tap: TapSageX3, apis: Sequence[Api], catalog: Catalog | None, *, forgiving: bool
) -> list[SageX3Stream]:
    """Make the streams.

    Args:
        tap: The tap.
        apis: One a folder, to be asked for their own fields; none leaves the shipped schemas.
        catalog: What an earlier discovery found: nothing is asked.
        forgiving: Go on with the shipped schemas if a server cannot be reached.

    Raises:
        SageX3Error: A server refuses, and may not be forgiven.
    """
    known = {entry.tap_stream_id: entry.schema.to_dict() for entry in catalog.streams} if catalog else {}
    kinds: set[str] = set()
    if apis and not catalog:
        apis, kinds = _reached(tap, apis, forgiving=forgiving)
    found: list[SageX3Stream] = []
    for resource in resources(tap.config):
        described, absent = _described(resource, apis) if apis and not catalog else (None, False)
        if absent:
            continue
        schema = known.get(resource.stream) or document_schema(resource, described)
        cls = type(resource.stream, (DocumentStream,), {"name": resource.stream})
        _add_dimensions(tap, schema, kinds)
        found.append(cls(tap, resource, schema))
        found += _lines(tap, cls, resource, schema, described, known, kinds)
    return found


def _lines(  # noqa: PLR0917 - what discovery knows of one document
    tap: TapSageX3,
    parent: type[DocumentStream],
    resource: Resource,
    schema: dict[str, Any],
    described: Described | None,
    known: Mapping[str, dict[str, Any]],
    kinds: set[str],
) -> Iterator[LineStream]:
    def below(
        lines: Sequence[Lines], path: tuple[str, ...], said: Described | None
    ) -> Iterator[tuple[Lines, tuple[str, ...], Described | None]]:
        for each in lines:
            inner = said.lines.get(each.collection) if said else None
            if said is not None and inner is None:
                _LOG.warning(
                    "%s left out: the server shows no such lines in %s.", each.stream, resource.stream
                )
                continue
            yield each, (*path, each.collection), inner
            yield from below(each.lines, (*path, each.collection), inner)

    for lines, path, said in below(resource.lines, (), described):
        own = known.get(lines.stream) or line_schema(lines, schema, said)
        _add_dimensions(tap, own, kinds)
        cls = type(lines.stream, (LineStream,), {"name": lines.stream, "parent_stream_type": parent})
        yield cls(tap, resource, own, lines, path)


def _add_dimensions(tap: TapSageX3, schema: dict[str, Any], kinds: Iterable[str]) -> None:
    # lines inside a document keep their positions only; their own stream has the columns
    with_columns(schema, tap.convention.columns(schema["properties"], list(kinds)), COLUMN)


def _reached(tap: TapSageX3, apis: Sequence[Api], *, forgiving: bool) -> tuple[Sequence[Api], set[str]]:
    """The folders that can be asked, and their dimension types."""
    reached, kinds = [], set()
    for api in apis:
        try:
            kinds.update(tap.dimension_types(api.folder))
        except SageX3Error as error:
            if not forgiving or isinstance(error, SignInRefused):
                raise
            _LOG.warning("%s is not asked for its own fields: %s", api.folder, error)
            continue
        reached.append(api)
    return reached, kinds


def _described(resource: Resource, apis: Iterable[Api]) -> tuple[Described | None, bool]:
    """What the folders say of a kind of document, and whether none of them has it."""
    found: Described | None = None
    missing, asked = [], 0
    for api in apis:
        asked += 1
        try:
            described = api.describe(resource)
        except StreamUnavailable as absent:
            missing.append(absent)
            continue
        if described is not None:
            found = joined(found, described) if found else described
    if asked and len(missing) == asked:
        _LOG.warning("%s left out: %s", resource.stream, missing[0])
        return None, True
    if found is not None and (lacking := _lacking(resource, found)):
        _LOG.warning("%s", lacking)
    return found, False


def _lacking(resource: Resource, found: Described) -> str:
    """One line about what the shipped schema has and the server has not."""
    shipped = document_schema(replace(resource, lines=()))["properties"]
    lost = sorted(name for name in shipped if name != "source_company" and name not in found.fields)
    if not lost:
        return ""
    few = ", ".join(lost[:8]) + (f" and {len(lost) - 8} more" if len(lost) > 8 else "")  # noqa: PLR2004
    return f"{resource.stream}: this server does not show {few}; they are left out."
