"""How a question becomes plainer, when a server does not accept it as it is put."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml_connector.extract.state import moment_of, start_value

if TYPE_CHECKING:
    from datetime import timedelta

    from ml_connector.extract.errors import Refused
    from ml_connector.extract.source import Bound, ReadRequest, Selection


_TOLD = {
    "order": "Asking without an order: records come as the server has them.",
    "count": "Asking without the count.",
    "select": "Asking for all fields.",
    "blanks": "Asking without records whose stamp is blank; those come with a full refresh.",
}


def plainer(  # noqa: PLR0911 - one a kind of refusal
    request: ReadRequest, refused: Refused, size: int, lookback: timedelta
) -> tuple[ReadRequest, str] | None:
    """Leave out the part of a question that was refused, or, where nobody says which, one after the other.

    Args:
        request: The question.
        refused: The answer.
        size: The size of a page that was asked for.
        lookback: The setting.

    Returns:
        The plainer question, and a sentence about it; None if it cannot be plainer.
    """
    if refused.what == "size":
        if size <= 1:
            return None
        half = max(1, size // 2)
        return replace(request, size=half), f"Pages of {half} records are asked for instead of {size}."
    if refused.what == "field":
        return _without_fields(request, refused.fields)
    if refused.what in _TOLD:
        return _without(request, refused.what, lookback)
    if refused.what == "filter":
        return _next_stamp(request, lookback)
    for part in ("order", "filter"):
        if part == "filter":
            if (found := _next_stamp(request, lookback)) is not None:
                # the order was given up in vain
                kept = replace(found[0], without=found[0].without - {"order"})
                return kept, found[1]
        elif (ordered := _without(request, part, lookback)) is not None:
            return ordered
    return None


def narrowed(request: ReadRequest, without: frozenset[str], lookback: timedelta) -> ReadRequest:
    """A question without what the server refused in an earlier run."""
    found = replace(request, without=without)
    fields = {name.partition(":")[2] for name in without if name.startswith("field:")}
    if fields:
        found = replace(found, selection=_less(found.selection, frozenset(fields)))
    while found.since and any(f"filter:{bound.stamp.field}" in without for bound in found.since):
        found = replace(found, since=_substituted(found, without, lookback))
    return found


def _without(request: ReadRequest, part: str, lookback: timedelta) -> tuple[ReadRequest, str] | None:
    if part in request.without:
        return None
    return narrowed(request, request.without | {part}, lookback), _TOLD[part]


def _without_fields(request: ReadRequest, fields: tuple[str, ...]) -> tuple[ReadRequest, str] | None:
    names = {name for name in fields if name not in request.resource.key}
    added = frozenset(f"field:{name}" for name in names) - request.without
    if not added:
        return None
    kept = replace(
        request, without=request.without | added, selection=_less(request.selection, frozenset(names))
    )
    return kept, f"Asking without {', '.join(sorted(names))}; they stay empty."


def _less(selection: Selection, fields: frozenset[str]) -> Selection:
    lines = {name: _less(each, fields) for name, each in selection.lines.items()}
    return replace(selection, fields=selection.fields - fields, lines=lines)


def _next_stamp(request: ReadRequest, lookback: timedelta) -> tuple[ReadRequest, str] | None:
    """By the next best stamp of each that is asked for; whole, if there is none."""
    if not request.since:
        return None
    refused = frozenset(f"filter:{bound.stamp.field}" for bound in request.since)
    found = narrowed(request, request.without | refused, lookback)
    if found.since:
        names = " or ".join(bound.stamp.field for bound in found.since)
        return found, f"Asking by {names} instead."
    return found, "It cannot be asked by a stamp. All of it is read."


def _substituted(
    request: ReadRequest, without: frozenset[str], lookback: timedelta
) -> tuple[Bound, ...] | None:
    found: list[Bound] = []
    for bound in request.since or ():
        if f"filter:{bound.stamp.field}" not in without:
            found.append(bound)
            continue
        instead = bound.stamp.instead
        moment = moment_of(str(bound.value))
        if instead is None or moment is None:
            # of stamps joined by `or`, one that cannot be asked for leaves no way but to read all
            return None
        value = start_value(instead, moment + bound.stamp.reach(lookback), lookback)
        found.append(bound._replace(stamp=instead, value=value))
    return tuple(found)
