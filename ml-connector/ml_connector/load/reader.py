"""Reads Singer messages; RECORD lines are passed on undecoded, for the columns to be decoded later."""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from ml_connector.load.errors import BadInputError
from ml_connector.load.explain import stream_of_flawed_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


class ColumnarReader(GenericSingerReader[bytes]):
    """A message reader whose RECORD callback takes a :class:`RecordLine` instead of a dict.

    Attributes:
        failed: Told what ended the reading, before the error goes on its way.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failed: Callable[[str], None] = lambda _: None
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
            return self._process(file_input, callbacks)
        except Exception as error:
            self.failed(str(error))
            raise

    def _process(
        self,
        file_input: IO[Any] | None,
        callbacks: dict[Any, Callable[[Any], None]],
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        source: Iterable[bytes | str] = file_input or self.default_input
        record = callbacks["RECORD"]
        for number, text in enumerate(source, 1):
            line = text.encode() if isinstance(text, str) else text
            try:
                peeked = self._peek.decode(line)
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
                callbacks[peeked.type](self.deserialize_json(line))
            else:
                raise BadInputError(
                    f"Line {number} of the input has the unknown message type {peeked.type!r}."
                )
        return counts
