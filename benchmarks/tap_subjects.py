"""Who is measured in ``make bench-taps``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

POSTED, JOURNAL, DETAIL = "gl_posted_transactions", "gl_journal_lines", "gl_detail"
_X3 = {"folders": ["SAMINC"], "username": "ADMIN", "password": "admin"}
_X3_LIST = {"gl_journal_lines": {"class": "GACCENTRYD", "representation": "ZGACCENTRYD"}}
SAGE300 = {"companies": ["SAMINC"], "username": "WEBAPI", "password": "WEBAPI"}
_INTACCT = {
    "sender_id": "SENDER",
    "sender_password": "SENDERPASS",
    "company_id": "SAMINC",
    "user_id": "WEBUSER",
    "user_password": "WEBPASS",
}
_LARGE = (100_000, 1_000_000)
"""Of one subject a tap: whether its memory stays as it is."""
_MIDDLE, _DOCUMENTS = (50_000, 250_000), (10_000, 50_000)
_SMALL, _SLOW = (10_000, 30_000), (2_500, 10_000)
"""Of those who take long."""
_WAITS = 1_000
"""Records of a page at the most where a server takes its time: of more, the reader takes longer than it."""


@dataclass(frozen=True)
class Ours:
    """A tap of this repository, with settings.

    Attributes:
        tap: Its name.
        config: Its settings.
    """

    tap: str
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """Who reads what.

    Attributes:
        name: Who.
        kind: ``tap``: ours; ``plain``: one of plain_taps.py; ``dlt``: dlt's rest_api source; ``floor``: one of
            tap_floors.py; ``hotglue``: hotglue_parse.py.
        ledger: What canned.py serves.
        stream: The stream of ours whose schema it has.
        ours: Our tap on the same answers, for that schema.
        sizes: Records.
        which: Which of its kind.
        page: Records a page.
        waits: Whether it is measured with a server that takes its time, too.
    """

    name: str
    kind: str
    ledger: str
    stream: str
    ours: Ours
    sizes: tuple[int, int]
    which: str = ""
    page: int = 1_000
    waits: bool = False


_OURS = {
    "sage300": Ours("tap-sage300", SAGE300),
    "list": Ours("tap-sagex3", {**_X3, "api": "rest", "representations": _X3_LIST}),
    "documents": Ours("tap-sagex3", {**_X3, "api": "rest"}),
    "graphql": Ours("tap-sagex3", {**_X3, "api": "graphql"}),
    "intacct": Ours("tap-sageintacct", _INTACCT),
    "intacct-1000": Ours("tap-sageintacct", {**_INTACCT, "page_size": 1_000}),
}


def _of(
    own: str, api: str, ledger: str, stream: str, *, page: int, sizes: tuple[int, int] = _LARGE
) -> list[Subject]:
    """Our tap, a plain one of the SDK, and dlt, on the same answers."""
    ours = _OURS[own]
    small = _SLOW if sizes == _DOCUMENTS else _SMALL
    found = [
        Subject(f"{ours.tap}, {api}", "tap", ledger, stream, ours, sizes, page=page, waits=page <= _WAITS),
        Subject(f"singer-sdk RESTStream, {api}", "plain", ledger, stream, ours, small, own, page),
    ]
    if own != "intacct":  # no XML in dlt's rest_api
        found.append(Subject(f"dlt rest_api, {api}", "dlt", ledger, stream, ours, small, own, page))
    return found


SUBJECTS = (
    *_of("sage300", "posted lines", "sage300", POSTED, page=1_000),
    Subject(
        "tap-sage300, posted lines by $skip",
        "tap",
        "sage300-counted",
        POSTED,
        _OURS["sage300"],
        _MIDDLE,
        page=999,
    ),
    Subject("floor: Structs, posted lines", "floor", "sage300", POSTED, _OURS["sage300"], _MIDDLE, "structs"),
    Subject(
        "floor: Decimals, posted lines", "floor", "sage300", POSTED, _OURS["sage300"], _MIDDLE, "decimals"
    ),
    *_of("graphql", "GraphQL", "sagex3-graphql", JOURNAL, page=500, sizes=_MIDDLE),
    *_of("list", "REST, a list of lines", "sagex3-rest", JOURNAL, page=1_000),
    *_of("documents", "REST, document by document", "sagex3-rest", JOURNAL, page=5, sizes=_DOCUMENTS),
    *_of("intacct", "details", "intacct", DETAIL, page=2_000),
    Subject(
        "tap-sageintacct, details, pages of 1,000",
        "tap",
        "intacct",
        DETAIL,
        _OURS["intacct-1000"],
        _SMALL,
        waits=True,
    ),
    Subject("hotglue's parse, details", "hotglue", "intacct", DETAIL, _OURS["intacct"], _SMALL),
    Subject("floor: lxml and a dict, details", "floor", "intacct", DETAIL, _OURS["intacct"], _SMALL, "lxml"),
)
