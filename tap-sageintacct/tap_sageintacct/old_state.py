"""What version 0.1 kept of a stream, in today's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_connector.extract.deletes import token

if TYPE_CHECKING:
    from collections.abc import Iterator


def upgrade(partition: dict[str, Any], *, lines: bool) -> None:
    """Change a partition in place; one that has today's words already stays as it is.

    Args:
        partition: A stream's part of the state in one entity.
        lines: The stream is of lines.
    """
    kept = partition.get("lines")
    # all of them are of one version: a state of thousands of documents is looked at often
    if isinstance(kept, dict) and not next(iter(kept), "[").startswith("["):
        partition["lines"] = dict(_lines(kept))
    progress = partition.get("progress")
    if isinstance(progress, dict) and "slice" in progress:
        if lines:
            # its records came in another order: the read begins again
            del partition["progress"]
            return
        place, behind = str(progress.pop("slice") or 0), progress.get("after")
        progress["after"] = [place, *([behind] if behind is not None else [])]


def _lines(kept: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """By a document's number there were ranges of line numbers, `[first, count, ...]`, or texts."""
    for parent, ranges in kept.items():
        if parent.startswith("[") or not isinstance(ranges, list):
            yield parent, ranges
            continue
        name = token([parent])
        if ranges and isinstance(ranges[0], str):
            yield name, [[text] for text in ranges]
        else:
            pairs = zip(ranges[::2], ranges[1::2], strict=True)
            yield name, {"runs": [[[], first, 1, count, []] for first, count in pairs]}
