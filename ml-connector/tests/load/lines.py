"""RECORD lines for tests."""

from __future__ import annotations

import json
from typing import Any

from ml_connector.load.decode import Rejection, StreamDecoder


def line(record: str | dict[str, Any], **message: Any) -> bytes:
    """One RECORD line; a record given as text goes in as it is written."""
    text = record if isinstance(record, str) else json.dumps(record)
    rest = "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in message.items())
    return f'{{"type": "RECORD", "stream": "s", "record": {text}{rest}}}\n'.encode()


def decode(
    properties: dict[str, Any],
    *records: str | dict[str, Any],
    key: tuple[str, ...] = (),
    number_type: str = "double",
    **schema: Any,
) -> tuple[list[dict[str, Any]], list[Rejection]]:
    """Decode records under a schema; rows come without the three metadata columns."""
    decoder = StreamDecoder(
        "s", {"type": "object", "properties": properties, **schema}, key, number_type=number_type
    )
    table, rejections = decoder.decode([line(record) for record in records])
    names = [column.name for column in decoder.columns]
    assert table.column_names == [*names, "_sdc_extracted_at", "_sdc_deleted_at", "_sdc_version"]
    assert table.num_rows + len(rejections) == len(records)
    return table.select(names).to_pylist(), rejections
