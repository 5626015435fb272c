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
        out = sys.stdout.buffer
        out.write(self.serialize_message(message))
        if not isinstance(message, RecordMessage):
            out.flush()


def _encode_other(value: Any) -> Any:
    """Encode what msgspec does not know, the way the SDK's writers do."""
    return value.isoformat(sep="T") if isinstance(value, datetime) else str(value)
