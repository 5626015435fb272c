"""Singer messages out, fast, with every digit a decimal came with."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.messages import Message, RecordMessage


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

    def serialize_message(self, message: Message) -> bytes:
        """Write a message as one line.

        Args:
            message: Any Singer message.

        Returns:
            UTF-8 JSON ending in a line feed.
        """
        return self._encoder.encode(message.to_dict()) + b"\n"

    def write_message(self, message: Message) -> None:
        """Write a message to stdout.

        Args:
            message: Any Singer message.
        """
        line, out = self.serialize_message(message), sys.stdout.buffer
        self._writing = True
        # a signal may cut a write short, without an error
        while (written := out.write(line)) < len(line):
            line = line[written:]
        if not isinstance(message, RecordMessage):
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
