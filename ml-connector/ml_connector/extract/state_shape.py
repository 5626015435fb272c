"""What a state has to look like before a run begins with it."""

from __future__ import annotations

from typing import Any

import msgspec

from ml_connector.extract.errors import InvalidSetting


class _Progress(msgspec.Struct):
    since: list[tuple[str, Any, Any]] | str | None = None
    begun: str | None = None
    newest: dict[str, Any] | str | None = None


class _Partition(msgspec.Struct):
    context: dict[str, Any] | None = None
    replication_key: str | None = None
    replication_key_value: str | int | float | None = None
    stamps: dict[str, Any] | None = None
    lines: dict[str, Any] | None = None
    open: list[str] | None = None
    without: list[str] | None = None
    size: int | None = None
    failed: list[str] | None = None
    full_read: str | None = None
    progress: _Progress | None = None


class _Stream(_Partition):
    partitions: list[_Partition] | None = None
    version: int | None = None


class _State(msgspec.Struct):
    bookmarks: dict[str, _Stream] | None = None


def check_state(state: Any) -> None:
    """Refuse a state that no run of this tap has written, before anything is read.

    Args:
        state: The state of the last run.

    Raises:
        InvalidSetting: It names the place that is odd, and what to do.
    """
    try:
        msgspec.convert(state, _State)
    except msgspec.ValidationError as error:
        raise InvalidSetting(
            f"The state is none of this tap's: {error}. Start with the last state that worked, or without one"
            " to read everything again."
        ) from error
