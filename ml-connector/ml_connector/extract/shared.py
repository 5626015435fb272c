"""What the reads of one run of a tap are told, share, and say of what came of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ml_connector.extract.rows import RowPlan


@dataclass
class Feed:
    """One stream that a read feeds.

    Attributes:
        plan: Its rows.
        state: Its part of the state, changed in place.
        write: Takes rows and the moment when they were read.
        whole: Read all of it and forget the bookmark.
    """

    plan: RowPlan
    state: dict[str, Any]
    write: Callable[[Sequence[Any], str], None]
    whole: bool = False


@dataclass(frozen=True)
class ReadSettings:
    """The settings of a read, parsed."""

    start_date: datetime | None = None
    page_size: int | None = None
    lookback: timedelta = timedelta(days=1)
    prefetch_pages: int = 2


@dataclass
class Outcome:
    """What came of a read, for the log and the closing table."""

    stream: str
    company: str
    records: int = 0
    pages: int = 0
    watermark: str = ""
    skipped: str = ""
    """Why nothing was read, where the company does not have it."""
    failed: list[str] = field(default_factory=list)
    """What could not be read, in sentences."""


class Met(NamedTuple):
    """Documents that a read has met, for the lines that are asked for by themselves.

    Attributes:
        keys: Their tokens.
        since: From which moment on all that changed are among them; None if that cannot be said.
        deletes: From which moment on all that were deleted are; None if the API does not say.
        until: The bookmark of their stream.
    """

    keys: set[str]
    since: str | None
    deletes: str | None
    until: str | None


@dataclass
class Run:
    """What the reads of one run of the tap share.

    Attributes:
        settings: How they read.
        logger: For a person.
        is_due: Whether the state should be written by now.
        write_state: Writes it, after all that it counts.
        count: Told of each page: how many rows of which stream.
        met: Documents that were read because they changed, by stream and partition.
        told: Warnings that were given.
        lock: Held while the state is changed or written.
    """

    settings: ReadSettings
    logger: logging.Logger
    is_due: Callable[[], bool]
    write_state: Callable[[], None]
    count: Callable[[str, int], None] = lambda _name, _rows: None
    met: dict[tuple[str, str], Met] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
