"""`tap-sagex3 --test`: each folder, then each kind of document, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.extract import Finding

from tap_sagex3.api import Question, Wanted
from tap_sagex3.errors import SageX3Error, SignInRefused, StreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sagex3.api import Api
    from tap_sagex3.streams.resource import Resource


def check(apis: Sequence[Api], resources: Sequence[Resource]) -> Iterator[Finding]:
    """Try what a run needs, step by step.

    Args:
        apis: One a folder, each with pages of one record.
        resources: What a run reads.

    Yields:
        A finding for each folder's sign-in, then one for each kind of document. What a folder does not have
        is no failure, since its stream is skipped.
    """
    for api in apis:
        try:
            said = api.check()
        except SignInRefused as error:
            yield Finding(ok=False, text=f"{api.folder}: {error}")
            # A second wrong password would only bring the account nearer to being locked.
            return
        except SageX3Error as error:
            yield Finding(ok=False, text=f"{api.folder}: {error}")
            continue
        yield Finding(ok=True, text=f"{api.folder}: {said}.")
        for resource in resources:
            yield _readable(api, resource)


def _readable(api: Api, resource: Resource) -> Finding:
    place = f"{api.folder} {resource.stream}"
    try:
        page = next(iter(api.pages(resource, Question(Wanted(frozenset(resource.key))))), None)
        count = api.count(resource)
    except StreamUnavailable as missing:
        return Finding(ok=True, text=f"{place}: not available, its stream is skipped. {missing}")
    except SageX3Error as error:
        return Finding(ok=False, text=f"{place}: {error}")
    if count is not None:
        return Finding(ok=True, text=f"{place}: {count} records.")
    return Finding(ok=True, text=f"{place}: {'readable' if page and page.records else 'no records'}.")
