"""What the selected streams of a read want of each document, and in which types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract.resource import COMPANY, Lines, walk
from ml_connector.extract.source import Selection
from ml_connector.extract.state import all_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.rows import Path, RowPlan

Shape = dict[tuple[str, ...], dict[str, "Mapping[str, Any]"]]


def selection_of(resource: Resource, plans: Iterable[RowPlan]) -> Selection:
    """What the streams want of a document, besides what the read itself needs.

    Args:
        resource: The documents.
        plans: The rows of the selected streams.
    """
    paths: dict[Path, set[str]] = {(): {*resource.key, *resource.parent_key}}
    stamps = {name for each in all_of(resource.stamps) for name in (each.field, each.per) if name}
    paths[()] |= stamps | ({resource.final.field} if resource.final else set())
    lines_at = {path: lines for lines, path in walk(resource.lines)}
    for plan in plans:
        own = paths.setdefault(plan.path, set())
        carried = {each.column: each for each in plan.carried}
        for name in {*plan.columns, *plan.key, *plan.sources} - plan.made - {COMPANY}:
            inner = _inner(plan.properties.get(name, {}))
            if name in carried:
                paths.setdefault(plan.path[: carried[name].level], set()).add(carried[name].field)
            elif inner is not None:
                _want_all(inner, (*plan.path, name), paths)
            else:
                own.add(name)
        for depth in range(1, len(plan.path) + 1):
            above = plan.path[:depth]
            paths.setdefault(above, set())
            if above in lines_at:
                paths[above].update(lines_at[above].key)
                paths[above] |= stamps
    return _nested((), paths)


def shape_of(resource: Resource, schemas: Mapping[Path, Mapping[str, Any]]) -> Shape:
    """The schemas of all fields that may come, by path.

    Args:
        resource: The documents.
        schemas: The properties of the streams, by path.
    """
    found: Shape = {}

    def add(path: Path, properties: Mapping[str, Any]) -> None:
        level = found.setdefault(path, {})
        for name, described in properties.items():
            inner = _inner(described)
            if inner is None:
                level.setdefault(name, described)
            else:
                add((*path, name), inner)

    carried = {path: {each.column for each in lines.from_above} for lines, path in walk(resource.lines)}
    for path, properties in sorted(schemas.items(), key=lambda each: -len(each[0])):
        add(path, {n: e for n, e in properties.items() if n != COMPANY and n not in carried.get(path, ())})
    return found


def line_of(lines: Sequence[Lines], path: Path) -> Lines:
    """The lines at a path."""
    return next(each for each, place in walk(lines) if place == path)


def _inner(described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = (described.get("items") or {}).get("properties")
    return found


def _want_all(properties: Mapping[str, Any], path: Path, paths: dict[Path, set[str]]) -> None:
    """All of the lines that a column holds, and of the lines inside them."""
    own = paths.setdefault(path, set())
    for name, described in properties.items():
        inner = _inner(described)
        if inner is None:
            own.add(name)
        else:
            _want_all(inner, (*path, name), paths)


def _nested(path: Path, paths: Mapping[Path, set[str]]) -> Selection:
    below = {each[len(path)] for each in paths if len(each) > len(path) and each[: len(path)] == path}
    return Selection(
        frozenset(paths.get(path, ())), {name: _nested((*path, name), paths) for name in sorted(below)}
    )
