"""`tap-sageintacct --test`: sign-in, then each object's permission, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.extract import Finding, GaveUpError, HttpError

from tap_sageintacct import errors
from tap_sageintacct.client import Query
from tap_sageintacct.errors import IntacctError, ObjectUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sageintacct.client import Client


def check(clients: Sequence[Client], objects: Sequence[str]) -> Iterator[Finding]:
    """Try what a run needs, step by step.

    Args:
        clients: One an entity.
        objects: The objects of all streams.

    Yields:
        A finding for each sign-in, then one for each object. An object that the user may not read is no
        failure, since its stream is skipped.
    """
    for client in clients:
        try:
            client.session.sign_in()
        except (IntacctError, GaveUpError, HttpError) as error:
            yield Finding(ok=False, text=f"{client.place}: {error}")
            return
        yield Finding(ok=True, text=f"{client.place}: sender and user accepted.")
        asked = [(name, Query(name, ("RECORDNO",), size=1).element()) for name in objects]
        try:
            results = client.several(asked)
        except (IntacctError, GaveUpError, HttpError) as error:
            yield Finding(ok=False, text=f"{client.place}: {error}")
            continue
        for name, result in zip(objects, results, strict=True):
            if not result.failed:
                total = result.attributes.get("totalcount", "?")
                yield Finding(ok=True, text=f"{client.place} {name}: {total} records.")
                continue
            problem = errors.result_failed(result.errors, client.what(name))
            skipped = isinstance(problem, ObjectUnavailable)
            yield Finding(ok=skipped, text=f"{problem}{' Its stream is skipped.' if skipped else ''}")
