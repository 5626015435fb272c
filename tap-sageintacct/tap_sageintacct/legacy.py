"""Objects that `query` does not serve: `readByQuery` and `readMore` (reference section 2.2)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from ml_connector.extract.errors import Refused
from ml_connector.extract.source import Page

from tap_sageintacct.errors import IntacctError
from tap_sageintacct.query import MOST_A_LEGACY_PAGE
from tap_sageintacct.xml import element

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_sageintacct.query import Query
    from tap_sageintacct.session import Session
    from tap_sageintacct.xml import Result

_READS = 3
"""How often a read begins again after its result was lost with the session."""


class _Contradiction(Exception):  # noqa: N818 - says what it is
    """The gateway contradicts itself; asking from the beginning would only cost."""


def legacy_pages(session: Session, asked: Query, place: str, logger: logging.Logger) -> Iterator[Page]:
    """Read an object whole.

    Its pages are of one moment and in no order, and are lost with their session: then it is read from its
    beginning, and what came before comes again.

    Args:
        session: Asks the gateway.
        asked: Object, fields and size; its filter and order are of no use here.
        place: Company and entity, for a person.
        logger: Told when a read begins again.

    Yields:
        Each page.

    Raises:
        ApiError: The gateway refuses, or does not say whether more is to come.
    """
    what, size = f"{asked.name} of {place}", min(asked.size, MOST_A_LEGACY_PAGE)
    begin = element(
        "readByQuery",
        element("object", text=asked.name),
        element("fields", text=",".join(asked.select)),
        element("query", text=""),
        element("pagesize", text=size),
    )
    for again in range(_READS):
        result = session.one(what, deepcopy(begin))
        yield Page(result.records.levels)
        try:
            left: int | None = None
            while left := _left(what, result, size, left):
                more = element("readMore", element("resultId", text=_token(what, result)))
                result = session.one(what, more)
                yield Page(result.records.levels)
        except _Contradiction as error:
            raise IntacctError(str(error)) from error
        except (IntacctError, Refused) as error:
            if again + 1 == _READS:
                raise
            logger.warning("%s Reading it from its beginning.", error)
            continue
        return


def _left(what: str, result: Result, size: int, before: int | None) -> int:
    """How many rows are still to come."""
    left, count = result.number("numremaining"), len(result.records)
    if left is None:
        if count < size and result.number("totalcount") in {None, count}:
            return 0
        raise _Contradiction(
            f"{what}: a page came that does not say how many records remain. What is not known to be whole is"
            " not taken for it."
        )
    if before is not None and left >= before:
        raise _Contradiction(
            f"{what}: {left} records remain, as many as before the last page: nothing more is asked, as each"
            " call is billed."
        )
    return left


def _token(what: str, result: Result) -> str:
    token = str(result.attributes.get("resultId") or "").strip()
    if not token:
        raise _Contradiction(f"{what}: records remain, and no resultId says where to go on.")
    return token
