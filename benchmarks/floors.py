"""The least that the work can cost: processes that read a shape's lines on standard input and load nothing.

``python benchmarks/floors.py json-loads|msgspec-decode|decode-parquet|ml-connector-decode-parquet < file``. The first
three know nothing of this workspace's packages; the last one is their decoder, without a target around it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 80_000
"""Records a Parquet file; lines of 800 bytes, as a batch of 64 MiB would have them."""
BLOCK = 2_000
"""Records decoded at once: small blocks stay in the processor's cache."""
PARQUET: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
"""How the target writes its files: what it leaves out costs a floor nothing either."""
_RECORD = b'{"type":"RECORD"'


def json_loads() -> None:
    """What the standard library needs to parse the lines and do nothing with them."""
    for line in sys.stdin.buffer:
        json.loads(line)


def msgspec_decode() -> None:
    """What msgspec needs to parse the lines into a type made from the schema."""
    decode = _decoder(_properties()).decode_lines
    for block in _blocks(BLOCK):
        decode(b"".join(block))


def decode_parquet() -> None:
    """The typed decode, then an Arrow array a column, then a Parquet file a batch."""
    import pyarrow as pa  # noqa: PLC0415 - the import is part of the subject
    import pyarrow.parquet as pq  # noqa: PLC0415

    properties = _properties()
    decode = _decoder(properties).decode_lines
    columns = {name: (attrgetter(name), *_column(schema)) for name, schema in properties.items()}
    moment = pa.timestamp("us", tz="UTC")
    with tempfile.TemporaryDirectory() as folder:
        for number, batch in enumerate(_blocks(BATCH)):
            tables = []
            for start in range(0, len(batch), BLOCK):
                envelopes = decode(b"".join(batch[start : start + BLOCK]))
                records = [envelope.record for envelope in envelopes]
                arrays = {}
                for name, (get, raw, kind) in columns.items():
                    values = list(map(get, records))
                    array = pa.array(list(map(bytes, values)), pa.string()) if raw else pa.array(values)
                    arrays[name] = array.cast(kind)
                extracted = [envelope.time_extracted for envelope in envelopes]
                arrays["_sdc_extracted_at"] = pa.array(extracted, pa.string()).cast(moment)
                tables.append(pa.table(arrays))
            pq.write_table(pa.concat_tables(tables), Path(folder) / f"{number}.parquet", **PARQUET)


def ml_connector_decode_parquet() -> None:
    """The same with the decoder of ml-connector, which checks each value and names what is wrong with it."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - the import is part of the subject
    from ml_connector.load.decode import StreamDecoder  # noqa: PLC0415

    decoder = StreamDecoder("floor", {"type": "object", "properties": _properties()}, ["id"])
    with tempfile.TemporaryDirectory() as folder:
        for number, batch in enumerate(_blocks(BATCH)):
            table, rejected = decoder.decode(batch)
            if rejected:
                sys.exit(f"{len(rejected)} lines were rejected: {rejected[0].message}")
            pq.write_table(table, Path(folder) / f"{number}.parquet", **PARQUET)


def _properties() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(sys.stdin.buffer.readline())["schema"]["properties"]
    return schema


def _blocks(count: int) -> Iterator[list[bytes]]:
    """Lines with a RECORD each, ``count`` at a time."""
    records = (line for line in sys.stdin.buffer if line.startswith(_RECORD))
    while block := list(islice(records, count)):
        yield block


def _raw(schema: dict[str, Any]) -> bool:
    """Whether the text of the value is kept: numbers stay exact, and what is nested stays as it came."""
    return not {"string", "boolean"} & set(
        schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    )


def _decoder(properties: dict[str, Any]) -> Any:
    import msgspec  # noqa: PLC0415 - the import is part of the subject

    fields: list[Any] = []
    for name, schema in properties.items():
        plain = bool if "boolean" in schema["type"] else str
        fields.append((name, msgspec.Raw if _raw(schema) else plain | None))
    record = msgspec.defstruct("Record", fields, gc=False)
    envelope = msgspec.defstruct("Envelope", [("record", record), ("time_extracted", str)], gc=False)
    return msgspec.json.Decoder(envelope)


def _column(schema: dict[str, Any]) -> tuple[bool, Any]:
    """Whether a column's values are raw text, and its Arrow type."""
    import pyarrow as pa  # noqa: PLC0415 - the import is part of the subject

    if "x-precision" in schema:
        return True, pa.decimal128(schema["x-precision"], schema["x-scale"])
    if "integer" in schema["type"]:
        return True, pa.int64()
    if "boolean" in schema["type"]:
        return False, pa.bool_()
    formats = {"date-time": pa.timestamp("us", tz="UTC"), "date": pa.date32()}
    return _raw(schema), formats.get(schema.get("format"), pa.string())


FLOORS = {
    "json-loads": json_loads,
    "msgspec-decode": msgspec_decode,
    "decode-parquet": decode_parquet,
    "ml-connector-decode-parquet": ml_connector_decode_parquet,
}

if __name__ == "__main__":
    FLOORS[sys.argv[1]]()
