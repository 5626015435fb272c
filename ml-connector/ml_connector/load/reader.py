"""Reads Singer messages; RECORD lines are passed on undecoded, for the columns to be decoded later."""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from ml_connector.load.errors import BadInputError
from ml_connector.load.explain import stream_of_flawed_record, why_no_message
from ml_connector.load.messages import checked
from ml_connector.load.resolve import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_KNOWN = frozenset({"RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH"})
_BUFFER = 1 << 18
_RECORD = b'"record"'
_LONGEST_HEAD = 400
_MOST_HEADS = 1_000
_NO_HEAD = b"\n\n"
"""No line begins like this."""


RecordLine: TypeAlias = tuple[str, bytes, int]
"""A RECORD message as it came: its stream, the whole line, and the line's number in the input, from 1."""

Take: TypeAlias = "Callable[[bytes, int], None]"
"""Takes further lines of the same stream, until a message of another type comes."""


class _Envelope(msgspec.Struct, gc=False):
    type: str
    stream: str | None = None
    record: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class StoppedError(Exception):
    """The process was asked to stop; no message was being worked on."""


class ColumnarReader(GenericSingerReader[bytes]):
    """A message reader whose RECORD callback takes a :data:`RecordLine` instead of a dict.

    The callback may return a :data:`Take`, which spares a call for each record that follows.

    Attributes:
        failed: Told what ended the reading, before the error goes on its way.
        stopped: Called when reading ended because of :meth:`stop`; then the process exits with code 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failed: Callable[[str], None] = lambda _: None
        self.stopped: Callable[[], None] = lambda: None
        self._stopping = False
        self._waiting = False
        self._peek = msgspec.json.Decoder(_Envelope)
        self._message = msgspec.json.Decoder(dict, float_hook=Decimal)

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input, as bytes; read in larger pieces than usual."""
        try:
            return open(sys.stdin.fileno(), "rb", buffering=_BUFFER, closefd=False)
        except (OSError, ValueError):  # something else stands in for it
            return sys.stdin.buffer

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Decode one message whole; numbers with a point become decimals."""
        found: dict[str, Any] = self._message.decode(line)
        return found

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Check that a message has what the SDK needs of it; the error leaves the message's data out."""
        if missing := sorted(requires - line_dict.keys()):
            raise InvalidInputLine(f"it lacks {', '.join(missing)}")

    def stop(self) -> None:
        """Stop between two messages: to be called by a signal handler.

        A message that is being worked on is finished first, so no batch is ever left half loaded; a wait for
        input is broken off.
        """
        if self._waiting:
            raise StoppedError
        self._stopping = True

    def process_lines(
        self,
        file_input: IO[Any] | None,
        callbacks: dict[Any, Callable[[Any], None]],
    ) -> Counter[str]:
        """Hand each message to its callback.

        Args:
            file_input: Lines, text or bytes; standard input when None.
            callbacks: One callback a message type.

        Returns:
            How many messages of each type came.

        Raises:
            BadInputError: If a line is not JSON or not a Singer message; the message names the line.
        """
        try:
            try:
                return self._process(file_input or self.default_input, callbacks)
            except StoppedError:
                self.stopped()
                raise SystemExit(0) from None
        except Exception as error:
            self.failed(str(error))
            raise

    def _lines(self, source: Iterable[bytes | str]) -> Iterator[bytes]:
        lines = iter(source)
        while True:
            # in this order: a signal between the two lines finds one of them
            self._waiting = True
            if self._stopping:
                raise StoppedError
            text = next(lines, None)
            self._waiting = False
            if text is None:
                return
            yield text.encode() if isinstance(text, str) else text

    def _process(
        self,
        source: Iterable[bytes | str],
        callbacks: dict[Any, Callable[[Any], None]],
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        takers: dict[bytes, Take] = {}
        head = _NO_HEAD
        take: Take = _take_none
        taken = 0
        for number, line in enumerate(self._lines(source), 1):
            # most lines begin as the one before did, or another one, which spares the look into them
            if not line.startswith(head):
                head = line[: line.find(_RECORD, 0, _LONGEST_HEAD)]
                if head not in takers:
                    head = _NO_HEAD
                    self._look_into(line, number, callbacks, counts, takers)
                    continue
                take = takers[head]
            take(line, number)
            taken += 1
        counts["RECORD"] += taken
        return counts

    def _look_into(
        self,
        line: bytes,
        number: int,
        callbacks: dict[Any, Callable[[Any], None]],
        counts: Counter[str],
        takers: dict[bytes, Take],
    ) -> None:
        """Hand one message to its callback, whatever it is; remember how RECORD messages like it begin."""
        record: Callable[[RecordLine], Take | None] = callbacks["RECORD"]
        try:
            peeked = self._peek.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if not line.strip():
                return
            if stream := stream_of_flawed_record(line):
                counts["RECORD"] += 1
                record((stream, line, number))  # its batch makes it a dead letter
                return
            raise BadInputError(
                f"Line {number} of the input is not a Singer message: {why_no_message(line, error)}."
            ) from error
        counts[peeked.type] += 1
        if peeked.type == "RECORD":
            if peeked.stream is None or peeked.record is msgspec.UNSET:
                lacking = "stream" if peeked.stream is None else "record"
                raise BadInputError(f"Line {number} of the input is a RECORD that has no `{lacking}`.")
            taker = record((peeked.stream, line, number))
            if taker and len(takers) < _MOST_HEADS and (head := _head_of(line, peeked.stream)):
                takers[head] = taker
        elif peeked.type in _KNOWN:
            takers.clear()
            self._other(peeked, line, number, callbacks[peeked.type])
        else:
            raise BadInputError(f"Line {number} of the input has the unknown message type {peeked.type!r}.")

    def _other(self, peeked: _Envelope, line: bytes, number: int, callback: Callable[[Any], None]) -> None:
        try:
            callback(checked(self.deserialize_json(line)))
        except (InvalidInputLine, SchemaError) as error:
            raise BadInputError(f"{_named(peeked, number)} cannot be used: {error}.") from error
        except RecursionError as error:
            raise BadInputError(
                f"{_named(peeked, number)} cannot be used: it is nested deeper than can be read."
            ) from error


def _named(peeked: _Envelope, number: int) -> str:
    of = f" of stream '{peeked.stream}'" if peeked.stream else ""
    return f"Line {number} of the input, {peeked.type}{of},"


def _take_none(_line: bytes, number: int) -> None:
    raise AssertionError(f"line {number} begins with {_NO_HEAD!r}")  # pragma: no cover - none can


def _head_of(line: bytes, stream: str) -> bytes | None:
    """What comes before the record, if it says nothing but that this is a RECORD of the stream."""
    head = line[: max(line.find(_RECORD, 0, _LONGEST_HEAD), 0)]
    try:
        said = msgspec.json.decode(head.rstrip().removesuffix(b",") + b"}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return head if said == {"type": "RECORD", "stream": stream} else None
