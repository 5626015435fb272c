"""`--test`: each company, then each kind of document, one line each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ml_connector.extract.errors import ApiError, SignInRefused, StreamUnavailable
from ml_connector.extract.source import ReadRequest, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ml_connector.extract.resource import Resource
    from ml_connector.extract.source import Source

S = TypeVar("S", bound="Source")


class Check(NamedTuple):
    """What one step of a test found."""

    ok: bool
    """False when the run would stop there."""
    text: str
    """One line for a person."""
    skipped: bool = False
    """A run goes on without it, and what belongs to it is missing."""

    @property
    def word(self) -> str:
        """How the line begins."""
        return "FAIL" if not self.ok else "skip" if self.skipped else "ok  "


def check(sources: Sequence[Source], every: Sequence[Resource]) -> Iterator[Check]:
    """Try what a run needs, step by step.

    Args:
        sources: One a company.
        every: What a run reads.

    Yields:
        A line for each company's sign-in, then one for each kind of document. What a company does not have
        is no failure, since its stream is skipped; a company that has nothing is one.
    """
    if not sources:
        yield Check(ok=False, text="The list of companies is empty: nothing would be read.")
    yield from signed_in(sources, _name, partial(_kinds, every))


def signed_in(
    sources: Sequence[S], name_of: Callable[[S], str], behind: Callable[[S], Iterator[Check]]
) -> Iterator[Check]:
    """Sign in to each company, and try what lies behind where that works.

    Args:
        sources: One a company.
        name_of: Names a company for a person.
        behind: Tries the rest of a company.

    Yields:
        A line for each sign-in, and those of the rest; none after a user that is refused.
    """
    for source in sources:
        name = name_of(source)
        try:
            said = source.check()
        except SignInRefused as error:
            yield Check(ok=False, text=f"{name}: {error}")
            # a second wrong password would only bring the account nearer to being locked
            return
        except ApiError as error:
            yield Check(ok=False, text=f"{name}: {error}")
            continue
        yield Check(ok=True, text=f"{name}: {said}.")
        yield from behind(source)


def _name(source: Source) -> str:
    return "/".join(str(value) for value in source.partition.values() if value is not None)


def _kinds(every: Sequence[Resource], source: Source) -> Iterator[Check]:
    name, readable = _name(source), 0
    for resource in every:
        found, available = _readable(source, resource, name)
        readable += available
        yield found
    if not readable:
        yield Check(
            ok=False,
            text=f"{name}: nothing in it can be read. Check its name and the address (base_url).",
        )


def _readable(source: Source, resource: Resource, name: str) -> tuple[Check, bool]:
    place = f"{name} {resource.stream}"
    request = ReadRequest(resource, Selection(frozenset(resource.key)), size=1, patient=False)
    try:
        page = next(iter(source.pages(request)), None)
        records = page.levels()[()].count if page else 0
        count = source.totals(resource)
    except StreamUnavailable as missing:
        text = f"{place}: not available, its stream is skipped. {missing}"
        return Check(ok=True, text=text, skipped=True), False
    except ApiError as error:
        return Check(ok=False, text=f"{place}: {error}"), True
    if count is not None:
        return Check(ok=True, text=f"{place}: {count} records."), True
    return Check(ok=True, text=f"{place}: {'readable' if records else 'no records'}."), True
