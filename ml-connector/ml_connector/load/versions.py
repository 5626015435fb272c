"""What ``scd2`` needs of each record: when its version begins, and a hash of its content."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ml_connector.load.moments import plain_values
from ml_connector.load.sql.table import CURRENT, FROM, HASH, TO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ml_connector.load.schema import Kind

_ENCODE = msgspec.json.Encoder(order="sorted").encode
_ROWS_AT_ONCE = 1_000
_MOMENT = pa.timestamp("us", tz="UTC")


def versions(
    data: pa.Table,
    kinds: Mapping[str, Kind],
    deleted_at: pa.ChunkedArray,
    extracted_at: pa.ChunkedArray,
    received: pa.Array,
) -> dict[str, pa.Array]:
    """Columns of the history, for a batch.

    A deleted record is no version but the end of one: it has no hash, and its moment is that of the deletion.

    Args:
        data: The source's columns, under the table's names.
        kinds: What each of them holds.
        deleted_at: When each record was deleted, if it was.
        extracted_at: When the source showed it.
        received: When it came, where the tap does not say when it was extracted.
    """
    hashes = pa.array(_hashes(data, kinds), pa.string())
    gone = pc.is_valid(deleted_at)
    return {
        FROM: pc.coalesce(deleted_at, extracted_at, received),
        TO: pa.nulls(data.num_rows, _MOMENT),
        CURRENT: pa.nulls(data.num_rows, pa.bool_()),
        HASH: pc.if_else(gone, pa.scalar(None, pa.string()), hashes),
    }


def _hashes(data: pa.Table, kinds: Mapping[str, Kind]) -> Iterator[str]:
    """Digests of the values that are there: a new column or a wider type makes no new version by itself."""
    for batch in data.to_batches(max_chunksize=_ROWS_AT_ONCE):
        columns = [
            plain_values(column, kinds.get(name))
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        for values in zip(*columns, strict=True):
            row = zip(batch.schema.names, values, strict=True)
            content = {name: _plain(value) for name, value in row if value is not None}
            yield hashlib.sha256(_ENCODE(content)).hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    text = format(value, "f")  # never through the context's 28 digits
    return text.rstrip("0").rstrip(".") if "." in text else text
