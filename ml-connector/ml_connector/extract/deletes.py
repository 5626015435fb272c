"""Which lines documents have lost: remembered by document, small in the state, linear in their number."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.extract.digits import decode_exactly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_REMEMBERED = 2_000
"""Documents whose lines are remembered besides those that may change."""
_FEW = 4
"""Lines that are shorter as they are than as a sequence."""
_PLAIN = frozenset({str, int})
_encoder = msgspec.json.Encoder()


def token(key: Iterable[Any]) -> str:
    """A key as text, for the state."""
    values = tuple(key)
    if not set(map(type, values)) <= _PLAIN:
        values = tuple(map(plain, values))
    return _encoder.encode(values).decode()


def key_of(name: str) -> tuple[Any, ...]:
    """The key that `token` wrote."""
    return tuple(msgspec.json.decode(name))


def plain(value: Any) -> Any:
    """A value that survives JSON unchanged."""
    if isinstance(value, msgspec.Raw):
        value = decode_exactly(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value


class LineTracker:
    """The lines of documents, so that those they lose can be told.

    Args:
        state: What `as_state` wrote, or the forms that earlier versions wrote.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._lines: dict[str, Any] = {
            name: keys if isinstance(keys, dict) else _unpacked(keys)
            for name, keys in (state.get("lines") or {}).items()
        }
        """The keys of each document's lines; those that a state has had are packed."""
        self.open: set[str] = set(state.get("open") or ())

    def __bool__(self) -> bool:
        return bool(self._lines or self.open)

    def remember(
        self, name: str, keys: Sequence[Sequence[Any]], *, may_change: bool
    ) -> list[tuple[Any, ...]]:
        """Keep a document's lines, and give those that it has lost.

        Args:
            name: The document's token.
            keys: What tells its lines apart.
            may_change: The document is not final.

        Returns:
            The keys of lost lines.
        """
        before = self._lines.pop(name, None)
        if may_change:
            self.open.add(name)
        else:
            self.open.discard(name)
        self._lines[name] = keys
        if len(self._lines) - len(self.open) > 2 * MOST_REMEMBERED:
            self._prune()
        if not before:
            return []
        now = {tuple(map(plain, key)) for key in keys}
        return [key for key in _unpacked(before) if key not in now]

    def add(self, name: str, key: Sequence[Any]) -> None:
        """Note one more line of a document, whose others came before or follow."""
        kept = self._lines.get(name)
        if kept is None or _is_packed(kept):
            kept = self._lines[name] = _unpacked(kept or [])
            if len(self._lines) - len(self.open) > 2 * MOST_REMEMBERED:
                self._prune()
        kept.append(tuple(key))

    def forget(self, name: str) -> list[tuple[Any, ...]]:
        """Drop a document that is gone, and give its lines."""
        self.open.discard(name)
        return _unpacked(self._lines.pop(name, None) or [])

    def as_state(self) -> dict[str, Any]:
        """What a state has to hold; empty if nothing is to be remembered."""
        self._prune()
        self._lines = {name: _packed(keys) for name, keys in self._lines.items()}
        lines = {name: keys for name, keys in self._lines.items() if keys}
        found: dict[str, Any] = {"lines": lines} if lines else {}
        if self.open:
            found["open"] = sorted(self.open)
        return found

    def _prune(self) -> None:
        closed = [name for name in self._lines if name not in self.open]
        for name in closed[: max(0, len(closed) - MOST_REMEMBERED)]:
            del self._lines[name]


def _packed(keys: Any) -> Any:
    """Keys as arithmetic sequences: `{"runs": [[others before, first, step, count, others after], ...]}`."""
    if _is_packed(keys):
        return keys
    plain_keys = keys
    if not set(map(type, chain.from_iterable(keys))) <= _PLAIN:
        plain_keys = [tuple(map(plain, key)) for key in keys]
    columns = list(zip(*plain_keys, strict=False)) if len(set(map(len, plain_keys))) == 1 else []
    whole = [place for place, column in enumerate(columns) if set(map(type, column)) == {int}]
    if not whole or len(plain_keys) < _FEW:
        return [list(key) for key in plain_keys]
    place = max(whole, key=lambda each: len(set(columns[each])))
    groups: dict[tuple[Any, ...], set[int]] = defaultdict(set)
    for key in plain_keys:
        groups[(key[:place], key[place + 1 :])].add(key[place])
    return {
        "runs": [
            [list(before), first, step, count, list(after)]
            for (before, after), numbers in groups.items()
            for first, step, count in _sequences(sorted(numbers))
        ]
    }


def _is_packed(keys: Any) -> bool:
    return isinstance(keys, dict) or (len(keys) > 0 and isinstance(keys[0], list))


def _sequences(numbers: list[int]) -> Iterable[tuple[int, int, int]]:
    """Ascending numbers as first, step and count."""
    start = 0
    while start < len(numbers):
        end, step = start + 1, 1
        if end < len(numbers):
            step = numbers[end] - numbers[start]
            while end < len(numbers) and numbers[end] - numbers[end - 1] == step:
                end += 1
        yield numbers[start], step, end - start
        start = end


def _unpacked(kept: Any) -> list[tuple[Any, ...]]:
    if isinstance(kept, dict):
        return [
            (*before, first + step * each, *after)
            for before, first, step, count, after in kept.get("runs", ())
            for each in range(count)
        ]
    return [tuple(map(plain, key)) if isinstance(key, (list, tuple)) else (key,) for key in kept]
