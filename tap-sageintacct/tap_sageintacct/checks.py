"""`tap-sageintacct --test`: sign-in, the user's preferences, each object, the audit trail, one line each."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from ml_connector.extract.checks import Check, signed_in
from ml_connector.extract.errors import ApiError, StreamUnavailable

from tap_sageintacct import errors
from tap_sageintacct.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sageintacct.source import IntacctSource
    from tap_sageintacct.streams import Resource


def check(sources: Sequence[IntacctSource], resources: Sequence[Resource]) -> Iterator[Check]:
    """Try what a run needs, step by step, in few requests.

    Args:
        sources: One an entity.
        resources: All that a run reads.

    Returns:
        A line for each sign-in, one for the user's preferences, then one for each object. An object that the
        user may not read is no failure, since its stream is skipped.
    """

    def behind(source: IntacctSource) -> Iterator[Check]:
        if source is sources[0]:
            fine, sentence = source.preferences()
            yield Check(ok=fine, text=f"{source.place}: {sentence}")
        yield from _objects(source, resources)

    return signed_in(sources, attrgetter("place"), behind)


def _objects(source: IntacctSource, resources: Sequence[Resource]) -> Iterator[Check]:
    queries = [Query(each.address, each.key, order=each.key, size=1) for each in resources if not each.legacy]
    queries.append(Query("AUDITHISTORY", ("ID",), order=("ID",), size=1))
    asked = [(source.what(each.name), each.element()) for each in queries]
    try:
        results = source.session.several(asked)
    except ApiError as error:
        yield Check(ok=False, text=f"{source.place}: {error}")
        return
    readable = 0
    for query, (what, _), result in zip(queries, asked, results, strict=True):
        if not result.failed:
            readable += query.name != "AUDITHISTORY"
            total = result.attributes.get("totalcount", "?")
            yield Check(ok=True, text=f"{source.place} {query.name}: {total} records.")
            continue
        problem = errors.result_failed(result.errors, what)
        if query.name == "AUDITHISTORY":
            remedy = "Deletes are not seen: give the user View rights on custom reports (Platform Services)."
            yield Check(ok=True, text=f"{problem} {remedy}", skipped=True)
            continue
        skipped = isinstance(problem, StreamUnavailable)
        text = f"{problem}{' Its stream is skipped.' if skipped else ''}"
        yield Check(ok=skipped, text=text, skipped=skipped)
    if not readable:
        yield Check(ok=False, text=f"{source.place}: nothing in it can be read. Check the user's rights.")
