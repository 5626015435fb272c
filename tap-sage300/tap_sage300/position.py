"""How far a read has got, and how an interrupted one goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tap_sage300 import filters, odata
from tap_sage300.bookmarks import Bookmark, plain
from tap_sage300.rows import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_sage300.client import Page

_LISTED = ("One of:", "A member name")


@dataclass
class Position:
    """The place in one read of one entity set.

    Rows come in key order, so the rest of a read is "keys greater than the last one". That holds for text
    and numbers. A key with a list field (compared by its number, shown by its name), or rows that turn out
    not to ascend, are counted instead, and the last page is read again.
    """

    condition: str
    """The condition of the read, without the position."""
    key: Sequence[str]
    schemas: Sequence[dict[str, Any]]
    """The JSON schemas of the key's properties."""
    last: list[Any] | None = None
    """The key of the last row written."""
    skip: int = 0
    """Records to pass over, if the key cannot tell."""
    by_key: bool = True
    resumes: bool = False
    earlier: dict[str, Any] = field(default_factory=dict)
    """The progress of the interrupted read."""

    @classmethod
    def resumed(
        cls,
        progress: dict[str, Any] | None,
        condition: str,
        key: Sequence[str],
        schemas: Sequence[dict[str, Any]],
    ) -> Position:
        """Go on where an interrupted read stopped, if it was one of the same condition.

        Args:
            progress: What `as_state` wrote; None for a fresh read.
            condition: The condition of the read that begins now.
            key: The key's names.
            schemas: The JSON schemas of the key's properties.

        Returns:
            The position.
        """
        comparable = not any(str(schema.get("description", "")).startswith(_LISTED) for schema in schemas)
        position = cls(condition, key, schemas, by_key=comparable)
        if progress and progress.get("filter") == condition:
            position.earlier = progress
            position.resumes = True
            position.last = progress.get("after")
            position.skip = progress.get("skip", 0)
            position.by_key = position.last is not None
        return position

    def filter_of(self, condition: str) -> str:
        """Narrow a condition to what lies behind the position.

        Args:
            condition: The condition of the whole read.

        Returns:
            The condition to send.
        """
        if not self._narrowed:
            return condition
        last = self.earlier["after"]
        values = [filters.typed(value, schema) for value, schema in zip(last, self.schemas, strict=True)]
        return odata.and_(condition, filters.after(self.key, values))

    @property
    def _narrowed(self) -> bool:
        return self.resumes and self.earlier.get("after") is not None

    def seen(self, start: Bookmark) -> Bookmark:
        """Say what was seen before this position.

        Args:
            start: The bookmark that the read began with.

        Returns:
            A bookmark to go on with; `start` is not changed.
        """
        earlier = self.earlier
        return Bookmark(
            stamps={**start.stamps, **earlier.get("stamps", {})},
            highest=earlier.get("highest", start.highest),
        )

    def move(self, page: Page) -> None:
        """Take note of a page that has been written.

        Args:
            page: The page.
        """
        if not page.records:
            return
        keys = [[plain(value) for value in key_of(record, self.key)] for record in page.records]
        if self.by_key and not _ascending([self.last, *keys] if self.last else keys):
            self.by_key = False
        # Deletions meanwhile move the rest up: the start of the page is safe to go on from, its end is not.
        # After going on by key the count is not one of the whole read, so that read would begin anew.
        self.skip = 0 if self._narrowed else page.skip
        self.last = keys[-1]

    def as_state(self, seen: Bookmark) -> dict[str, Any]:
        """Write the position for the state.

        Args:
            seen: The greatest stamps so far.

        Returns:
            A JSON object for `resumed`.
        """
        state: dict[str, Any] = {"filter": self.condition}
        if self.by_key:
            state["after"] = self.last
        else:
            state["skip"] = self.skip
        if seen.stamps:
            state["stamps"] = dict(seen.stamps)
        if seen.highest is not None:
            state["highest"] = seen.highest
        return state


def _ascending(keys: Sequence[list[Any]]) -> bool:
    try:
        return all(a < b for a, b in pairwise(keys))
    except TypeError:  # a blank among them
        return False
