"""The parts in which an object is read: a question for all of it may time out, or not know all fields."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

from tap_sageintacct import query
from tap_sageintacct.definitions import FIELD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_sageintacct.streams import Resource
    from tap_sageintacct.xml import Element


class Slice(NamedTuple):
    """A part of what is read, in a question of its own.

    Attributes:
        name: In the state.
        condition: Which rows.
        definition: The transaction definition whose own fields are asked for.
        fields: What it knows of the selected fields; None for all.
    """

    name: str
    condition: Element | None
    definition: str | None = None
    fields: frozenset[str] | None = None


def conditions(resource: Resource) -> list[Element | None]:
    """The filters by which a large view is asked for, lest it time out; the last one asks for the rest."""
    if not resource.slices:
        return [None]
    field, values = resource.slices
    each: list[Element | None] = [query.compared("equalto", field, value) for value in values]
    others = query.any_of([query.one_of(field, values, negated=True), query.is_null(field)])
    return [*each, others]


def by_value(resource: Resource, condition: Element | None) -> list[Slice]:
    """The parts of a large view, of which only some rows may be wanted."""
    return [
        Slice(str(place), query.all_of([each, deepcopy(condition)]))
        for place, each in enumerate(conditions(resource))
    ]


def by_definition(found: Iterable[tuple[str, frozenset[str]]], condition: Element | None) -> list[Slice]:
    """A part for each transaction definition, with the fields that it knows."""
    return [
        Slice(name, query.all_of([query.compared("equalto", FIELD, name), deepcopy(condition)]), name, fields)
        for name, fields in found
    ]
