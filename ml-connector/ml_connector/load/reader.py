"""Reads Singer messages; RECORD lines are passed on undecoded, for the columns to be decoded later."""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from ml_connector.load.errors import BadInputError
from ml_connector.load.explain import stream_of_flawed_record
from ml_connector.load.resolve import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_KNOWN = frozenset({"RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH"})


class RecordLine(NamedTuple):
    """A RECORD message as it came.

    Attributes:
        stream: The stream's name.
        line: The whole message.
        number: Its line number in the input, from 1.
    """

    stream: str
    line: bytes
    number: int


class _Envelope(msgspec.Struct, gc=False):
    type: str
    stream: str | None = None


class StoppedError(Exception):
    """The process was asked to stop; no message was being worked on."""


class ColumnarReader(GenericSingerReader[bytes]):
    """A message reader whose RECORD callback takes a :class:`RecordLine` instead of a dict.

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
        """Standard input, as bytes."""
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
        record = callbacks["RECORD"]
        peek = self._peek.decode
        for number, line in enumerate(self._lines(source), 1):
            try:
                peeked = peek(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if not line.strip():
                    continue
                if stream := stream_of_flawed_record(line):
                    counts["RECORD"] += 1
                    record(RecordLine(stream, line, number))  # its batch makes it a dead letter
                    continue
                raise BadInputError(
                    f"Line {number} of the input is not a Singer message: {error}."
                ) from error
            counts[peeked.type] += 1
            if peeked.type == "RECORD":
                if peeked.stream is None:
                    raise BadInputError(f"Line {number} of the input is a RECORD that names no stream.")
                record(RecordLine(peeked.stream, line, number))
            elif peeked.type in _KNOWN:
                self._other(peeked, line, number, callbacks[peeked.type])
            else:
                raise BadInputError(
                    f"Line {number} of the input has the unknown message type {peeked.type!r}."
                )
        return counts

    def _other(self, peeked: _Envelope, line: bytes, number: int, callback: Callable[[Any], None]) -> None:
        try:
            callback(self.deserialize_json(line))
        except (InvalidInputLine, SchemaError) as error:
            of = f" of stream '{peeked.stream}'" if peeked.stream else ""
            raise BadInputError(
                f"Line {number} of the input, {peeked.type}{of}, cannot be used: {error}."
            ) from error
