"""Files of BATCH messages: Parquet taken column by column, everything else record by record."""

from __future__ import annotations

import gzip
import math
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_connector.load.arrow import arrow_type
from ml_connector.load.decode import DELETED_AT, EXTRACTED_AT, MOMENT
from ml_connector.load.errors import LoadError
from ml_connector.load.excess import excess, years_of
from ml_connector.load.explain import why_no_json
from ml_connector.load.limits import FIRST_YEAR, LAST_YEAR, UNLIMITED, Limits
from ml_connector.load.moments import in_microseconds, is_moment, narrowed, texts_of
from ml_connector.load.schema import METADATA_NAMES, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from singer_sdk.helpers._batch import BaseBatchFileEncoding

_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_ROWS_AT_ONCE = 10_000
_OPENERS: dict[str, Callable[..., Any]] = {"none": open, "gzip": gzip.open}
_METADATA = (EXTRACTED_AT.column, DELETED_AT.column)
_DATED = frozenset({Kind.DATE, Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ})
_MOMENTS = frozenset({Kind.TIMESTAMP_TZ, Kind.TIMESTAMP_NTZ, Kind.TIME})


def path_of(file: str) -> str:
    """The path of a BATCH file on this machine.

    Args:
        file: A path, or a ``file:`` address: ``file:///dir/file`` is absolute, and ``file://dir/file``, the
            form of the Singer SDK's documentation, is relative to the working directory.

    Raises:
        LoadError: If it lies elsewhere.
    """
    parts = urlsplit(file)
    if parts.scheme not in {"", "file"}:
        raise LoadError(f"BATCH file {file}: only files on this machine can be read.")
    if not parts.scheme:
        return file
    host = "" if parts.netloc == "localhost" else parts.netloc
    return url2pathname(f"{host}{parts.path}")


def lines_of(file: str, encoding: BaseBatchFileEncoding) -> Iterator[bytes]:
    """The records of a file of JSON lines, as they are.

    Args:
        file: The file.
        encoding: Its format, ``jsonl``, and compression, ``gzip`` or none.

    Raises:
        LoadError: If it cannot be read, or one of its lines is not JSON.
    """
    form, compression = str(encoding.format).lower(), str(encoding.compression or "none").lower()
    opener = _OPENERS.get(compression) if form == "jsonl" else None
    if opener is None:
        what = f"compression `{compression}`" if form == "jsonl" else f"format `{form}`"
        raise LoadError(f"BATCH file {file}: its {what} cannot be read; jsonl, plain or with gzip, can.")
    try:
        with opener(path_of(file), "rb") as lines:
            for number, text in enumerate(lines, 1):
                if line := text.strip():
                    if reason := why_no_json(line):
                        raise LoadError(f"Line {number} of BATCH file {file} cannot be used: {reason}.")
                    yield line
    except (OSError, EOFError, zlib.error) as error:
        raise LoadError(f"BATCH file {file} cannot be read: {error}.") from error


def tables_of(file: str, rows: int) -> Iterator[pa.Table]:
    """The content of a Parquet file, so many rows at once.

    Args:
        file: The file.
        rows: Most rows of one table.

    Raises:
        LoadError: If it cannot be read.
    """
    try:
        with pq.ParquetFile(path_of(file)) as parquet:
            for batch in parquet.iter_batches(rows):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        raise LoadError(f"BATCH file {file} cannot be read: {error}.") from error


def records_of(table: pa.Table) -> Iterator[bytes]:
    """Rows as JSON objects; what is null in a row is left out of it, as Parquet knows no difference."""
    for batch in table.to_batches(_ROWS_AT_ONCE):
        for row in _rows(batch):
            yield _ENCODE({name: _plain(value) for name, value in row.items() if value is not None})


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (ValueError, OverflowError):  # Python knows neither nanoseconds nor the year 10000
        texts = [
            texts_of(array) if is_moment(array.type) or pa.types.is_date(array.type) else array
            for array in batch.columns
        ]
        rows = pa.RecordBatch.from_arrays(texts, batch.schema.names).to_pylist()
    return rows


def _plain(value: Any) -> Any:
    """JSON has no NaN: as text it is refused with its reason, where msgspec would write null."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def conform(table: pa.Table, columns: Sequence[Column], limits: Limits = UNLIMITED) -> pa.Table | None:
    """Give a file's columns the types of the stream, if that loses nothing.

    Args:
        table: The file's content.
        columns: The stream's columns.
        limits: What the warehouse can hold.

    Returns:
        A table as the decoder makes it; None if a value or a type does not fit, so that the records must be
        looked at one by one.
    """
    arrays: list[pa.ChunkedArray | pa.Array] = []
    for column in (*columns, *_METADATA):
        known = column.name in table.column_names
        if not known and column.required:
            return None
        array = _fitting(table[column.name], column) if known else pa.nulls(len(table), arrow_type(column))
        if array is None or (column.required and array.null_count):
            return None
        if limits is not UNLIMITED and excess(column.kind, array, limits):
            return None
        if column in _METADATA:
            array = in_microseconds(array, MOMENT)
        arrays.append(array)
    names = [column.name for column in (*columns, *_METADATA)]
    version = pa.nulls(len(table), pa.int64())
    return pa.table([*arrays, version], names=[*names, "_sdc_version"])


def unknown_to(table: pa.Table, columns: Sequence[Column]) -> list[str]:
    """Columns of a file that the stream's schema does not name."""
    known = {column.name for column in columns} | METADATA_NAMES
    return [name for name in table.column_names if name not in known]


_FROM: dict[Kind, Callable[[pa.DataType], bool]] = {
    Kind.STRING: lambda has: pa.types.is_string(has) or pa.types.is_large_string(has),
    Kind.INTEGER: pa.types.is_integer,
    Kind.DECIMAL: lambda has: pa.types.is_integer(has) or pa.types.is_decimal(has),
    Kind.DOUBLE: pa.types.is_floating,
    Kind.BOOLEAN: pa.types.is_boolean,
    Kind.DATE: pa.types.is_date,
    Kind.TIMESTAMP_TZ: lambda has: pa.types.is_timestamp(has) and has.tz is not None,
    Kind.TIMESTAMP_NTZ: lambda has: pa.types.is_timestamp(has) and has.tz is None,
    Kind.TIME: pa.types.is_time,
    Kind.BINARY: lambda has: pa.types.is_binary(has) or pa.types.is_large_binary(has),
}
"""Types whose values are the column's, exactly. Nested values go the way of the records."""


def _fitting(array: pa.ChunkedArray, column: Column) -> pa.ChunkedArray | None:
    fits = _FROM.get(column.kind)
    if fits is None or not fits(array.type):
        return None
    try:
        # date-times and times keep the digits they have
        found = narrowed(array) if column.kind in _MOMENTS else array.cast(arrow_type(column))
    except pa.ArrowInvalid:
        return None
    if column.kind in _DATED:
        years = pc.min_max(years_of(found)).as_py()
        if years["min"] is not None and not FIRST_YEAR <= years["min"] <= years["max"] <= LAST_YEAR:
            return None
    if column.kind is Kind.DOUBLE and not pc.all(pc.is_finite(found), min_count=0).as_py():
        return None
    return found
