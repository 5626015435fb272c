"""Singer messages out, fast, with every digit a decimal came with."""

from __future__ import annotations

import sys
import threading
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, RecordMessage, SchemaMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


MOST_ROWS = 500
"""Rows that wait to be encoded together."""


class _Row(msgspec.Struct, tag_field="type", tag="RECORD", omit_defaults=True, gc=False):
    """A RECORD message, as the SDK spells it."""

    stream: str
    record: Any
    version: int | None = None
    time_extracted: str | None = None


class ActivateVersion(Message):
    """ACTIVATE_VERSION of some partitions of a stream."""

    type = "ACTIVATE_VERSION"  # type: ignore[assignment]

    def __init__(self, stream: str, version: int, partitions: Sequence[Mapping[str, Any]]) -> None:
        self.stream, self.version, self.partitions = stream, version, partitions

    def to_dict(self) -> dict[str, Any]:  # noqa: D102 - the SDK's
        return {
            "type": "ACTIVATE_VERSION",
            "stream": self.stream,
            "version": self.version,
            "x-partitions": [dict(each) for each in self.partitions],
        }


class ExactWriter(GenericSingerWriter[bytes, Message]):
    """Writes messages to stdout with msgspec; decimals become JSON numbers without passing through a float.

    Differs from the SDK's `MsgSpecWriter` in that records leave when the output buffer is full instead of one
    by one; any other message (above all STATE) goes at once, with everything before it.

    Use it as a tap's `message_writer_class`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._encoder = msgspec.json.Encoder(enc_hook=_encode_other, decimal_format="number")
        self._writing = False
        self._exit_code: int | None = None
        self._rows: list[_Row] = []
        self._lock = threading.RLock()
        self.bytes_written = 0

    def write_rows(self, stream: str, rows: Sequence[Any], version: int | None, extracted: str) -> None:
        """Take rows of a stream; they leave together, before any other message.

        Args:
            stream: The stream's name in messages.
            rows: What msgspec encodes: Structs, or dictionaries.
            version: The version that they carry.
            extracted: When they were read.
        """
        with self._lock:
            for start in range(0, len(rows), MOST_ROWS):
                self._rows += [
                    _Row(stream, row, version, extracted) for row in rows[start : start + MOST_ROWS]
                ]
                if len(self._rows) >= MOST_ROWS:
                    self._write_rows()

    def write_state(self, state: Mapping[str, Any]) -> int:
        """Write STATE without copying it.

        Args:
            state: The whole state.

        Returns:
            The length of the line.
        """
        line = self._encoder.encode({"type": "STATE", "value": state}) + b"\n"
        with self._lock:
            self._write_rows()
            self._write(line, flush=True)
        return len(line)

    def flush(self) -> None:
        """Let go of all rows that wait."""
        with self._lock:
            self._write_rows()
            sys.stdout.buffer.flush()

    def _write_rows(self) -> None:
        if self._rows:
            rows, self._rows = self._rows, []
            self._write(self._encoder.encode_lines(rows))

    def serialize_message(self, message: Message) -> bytes:
        """Write a message as one line.

        Args:
            message: Any Singer message.

        Returns:
            UTF-8 JSON ending in a line feed.
        """
        if not isinstance(message, SchemaMessage):
            return self._encoder.encode(message.to_dict()) + b"\n"
        # the SDK would copy all of it
        given = {each.name: getattr(message, each.name) for each in fields(message)}
        plain = {name: value for name, value in given.items() if value is not None}
        return self._encoder.encode(plain) + b"\n"

    def write_message(self, message: Message) -> None:
        """Write a message to stdout.

        Args:
            message: Any Singer message.
        """
        line = self.serialize_message(message)
        with self._lock:
            self._write_rows()
            self._write(line, flush=not isinstance(message, RecordMessage))

    def _write(self, line: bytes, *, flush: bool = False) -> None:
        out = sys.stdout.buffer
        self.bytes_written += len(line)
        self._writing = True
        # a signal may cut a write short, without an error
        while (written := out.write(line)) < len(line):
            line = line[written:]
        if flush:
            out.flush()
        self._writing = False
        if self._exit_code is not None:
            code, self._exit_code = self._exit_code, None
            sys.exit(code)

    def end(self, code: int) -> None:
        """Exit between two messages: from a signal handler, half a line may be on its way.

        Args:
            code: The exit code.
        """
        if not self._writing:
            sys.exit(code)
        self._exit_code = code


def _encode_other(value: Any) -> Any:
    """Encode what msgspec does not know, the way the SDK's writers do."""
    return value.isoformat(sep="T") if isinstance(value, datetime) else str(value)
