"""What a target checks of its warehouse, beside what every target needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml_connector.load.connection import Connection


class RefusedError(Exception):
    """A check that failed; the text says why, and what to do."""


@dataclass(frozen=True)
class Checks:
    """What a target checks beside what every target needs.

    Attributes:
        settings: Says of the settings that they are complete.
        before: Checks that need no session, by name; if one fails, none is opened.
        sign_in: Opens the session, and says as whom.
        session: Checks over the session, by name.
    """

    settings: Callable[[], str] | None = None
    before: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    sign_in: Callable[[Connection], str] | None = None
    session: Mapping[str, Callable[[Connection], str]] = field(default_factory=dict)
