"""What goes wrong while loading, in sentences for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class LoadError(Exception):
    """Loading cannot go on; the message says what happened and what to do.

    Attributes:
        code: The warehouse's own error code, if it gave one.
        kept: Batches that lie in the spool because of it.
        attempts: How often it was tried.
        began: When it was tried first.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.kept: list[str] = []
        self.attempts = 1
        self.began: datetime | None = None


class TransientLoadError(LoadError):
    """The same request may succeed when it is made again: network, throttling, an expired session."""


class SettingsError(LoadError):
    """The settings are not what they should be; the message says what of them, without their values."""


class BadInputError(LoadError):
    """The input is not what the Singer specification allows; the message names the line."""


class TooManyDeadLettersError(LoadError):
    """More records were rejected than ``max_dead_letters`` allows."""
