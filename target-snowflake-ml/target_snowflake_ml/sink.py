"""One stream's way from lines to its table."""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from ml_connector.load.batch import Batch
from ml_connector.load.dead_letters import dead_letters
from ml_connector.load.decode import StreamDecoder
from ml_connector.load.files import conform, lines_of, records_of, tables_of, unknown_to
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_snowflake_ml.home import Home, home_of
from target_snowflake_ml.ledger import now, stamp
from target_snowflake_ml.rows import MOMENT, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml_connector.load.decode import Rejection
    from ml_connector.load.spool import Manifest
    from singer_sdk.helpers._batch import BaseBatchFileEncoding

    from target_snowflake_ml.sql.table import Table
    from target_snowflake_ml.target import TargetSnowflakeML

_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_TOLD_OF_A_BATCH = 5
_SOMETIMES = 15
"""Every sixteenth line is one at which the clock is looked at."""


class SnowflakeSink(Sink):
    """Gathers the lines of one stream and loads them batch by batch."""

    target: TargetSnowflakeML

    @override
    def __init__(
        self,
        target: TargetSnowflakeML,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._target = target
        self._told: set[str] = set()
        self._batch = self._new_batch()
        self.bookmark_property = target.bookmark_properties.get(stream_name)

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """The metadata columns are added to the batch, not to each record."""
        return False

    @override
    def get_validator(self) -> None:
        """The decoder validates; a second validator would only slow the start."""

    @property
    @override
    def current_size(self) -> int:
        """Records waiting to be loaded."""
        return len(self._batch.numbers)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the records waiting to be loaded."""
        return self._batch.size

    @property
    @override
    def is_full(self) -> bool:
        """Whether the batch has all the rows or bytes it may have."""
        return self._batch.is_full

    @cached_property
    def decoder(self) -> StreamDecoder:
        """Compiled from the stream's schema."""
        return StreamDecoder(
            self.stream_name,
            self.original_schema,
            list(self.key_properties),
            number_type=self.config["number_type"],
        )

    @cached_property
    def home(self) -> Home:
        """The table this stream is loaded into, and how."""
        return home_of(self.stream_name, self.decoder.columns, list(self.key_properties), self.config)

    @property
    def table(self) -> Table:
        """The table this stream is loaded into."""
        return self.home.table

    @override
    def setup(self) -> None:
        """Make the table, so that a stream without records has one too."""
        self._target.claim(self.table, self.stream_name)
        overwrite = self.home.load_method == "overwrite"
        loader = self._target.idle_loader()
        loader.prepare(self.table, overwrite=overwrite)
        loader.ledger.saw(self.stream_name, self.original_schema, list(self.key_properties))

    def add(self, line: bytes, number: int) -> bool:
        """Take one RECORD message as it came, and tell whether the batch is full."""
        return self._batch.add(line, number)

    def take(self, line: bytes, number: int) -> None:
        """Take one RECORD message as it came, and load what is to be loaded by now."""
        if self._batch.add(line, number):
            self._target.drain(self)
        if not number & _SOMETIMES:
            self._target.limit_waiting()

    def _new_batch(self) -> Batch:
        rows, most = int(self.config["batch_size_rows"]), int(self.config["batch_size_bytes"])
        return Batch(self.decoder, rows, most)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Take a record that the SDK's own path made (stream maps, flattening, batch files)."""
        message = {"type": "RECORD", "stream": self.stream_name, "record": record, **context}
        self.add(_ENCODE(message), context.get("line_number", 0))

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Spool what was gathered, and have it loaded while the next messages are read."""
        batch, self._batch = self._batch, self._new_batch()
        table, rejections = batch.decoded()
        self._tell_unknown_fields()
        self._tell_rejections(rejections, batch.numbers)
        self._spool(table, rejections, batch.numbers, started_at=batch.started_at)

    def _spool(
        self, table: pa.Table, rejections: list[Rejection], numbers: list[int], *, started_at: int
    ) -> None:
        batch_id = self._target.next_batch_id()
        run_id = self._target.loader.ledger.run_id
        manifest = self._target.loader.spool.write(
            rows_of(
                table,
                self.home,
                batch_id=batch_id,
                received=pa.scalar(started_at // 1000, pa.int64()).cast(MOMENT),
                sequence=_counted(started_at, table.num_rows),
            ),
            dead_letters(
                rejections,
                run_id=run_id,
                batch_id=batch_id,
                stream=self.stream_name,
                numbers=numbers,
                received_at=now(),
            ),
            batch_id=batch_id,
            run_id=run_id,
            stream=self.stream_name,
            load_method=self.home.load_method,
            schema=self.original_schema,
            key_properties=list(self.key_properties),
            facts={"SEQUENCE": self._target.batches, **self._extremes(table)},
        )
        self._target.later(lambda: self._load(manifest, rejections))

    def _load(self, manifest: Manifest, rejections: list[Rejection]) -> None:
        self._target.loader.load(self.table, manifest)
        self.record_counter_metric.increment(manifest.records + manifest.rejected)
        self._target.check_dead_letters(rejections)

    @override
    def activate_version(self, new_version: int) -> None:
        """Mark or remove what the full read of this version did not bring."""
        self._target.drain_one(self)
        if self.home.load_method != "overwrite":
            self._target.idle_loader().retire(self.table, new_version)

    @override
    def process_batch_files(self, encoding: BaseBatchFileEncoding, files: Sequence[str]) -> None:
        """Take the records of BATCH files; each counts as a RECORD of this stream.

        The columns of a Parquet file are taken as they are if they have the types of the schema; if a value
        does not fit, the records around it go the way of all records, which finds the bad ones.
        """
        for file in files:
            if "parquet" in str(encoding.format).lower():
                for table in tables_of(file, int(self.config["batch_size_rows"])):
                    self._take(table)
            else:
                self._add_records(lines_of(file, str(encoding.compression or "none")))

    def _take(self, table: pa.Table) -> None:
        columns = self.decoder.columns
        found = conform(table, columns)
        if found is None:
            self._add_records(records_of(table))
            return
        self._target.drain_one(self)  # what came before is older
        for name in unknown_to(table, columns):
            self.decoder.unknown_fields[name] = self.decoder.unknown_fields.get(name, 0) + table.num_rows
        self._tell_unknown_fields()
        self._spool(found, [], [], started_at=time.time_ns())

    def _add_records(self, records: Iterable[bytes]) -> None:
        prefix = f'{{"type":"RECORD","stream":{json.dumps(self.stream_name)},"record":'.encode()
        for record in records:
            if self.add(prefix + record + b"}", 0):
                self._target.drain_one(self)

    def _extremes(self, table: pa.Table) -> dict[str, Any]:
        """Earliest and latest extraction, and of the replication key where the tap names one."""
        found: dict[str, Any] = {}
        if table.num_rows:
            span = pc.min_max(table["_sdc_extracted_at"]).as_py()
            found = {"MIN_EXTRACTED_AT": stamp(span["min"]), "MAX_EXTRACTED_AT": stamp(span["max"])}
            key = self.bookmark_property
            if key in table.column_names:
                span = pc.min_max(table[key]).as_py()
                found |= {
                    "REPLICATION_KEY": key,
                    "MIN_REPLICATION_VALUE": None if span["min"] is None else str(span["min"]),
                    "MAX_REPLICATION_VALUE": None if span["max"] is None else str(span["max"]),
                }
        return found

    def _tell_unknown_fields(self) -> None:
        new = set(self.decoder.unknown_fields) - self._told
        if new:
            self._told |= new
            self.logger.warning(
                "Stream '%s' has properties that its schema does not name; they are not loaded: %s.",
                self.stream_name,
                ", ".join(sorted(new)),
            )

    def _tell_rejections(self, rejections: list[Rejection], numbers: list[int]) -> None:
        for rejection in rejections[:_TOLD_OF_A_BATCH]:
            self.logger.warning(
                "Stream '%s', line %d: %s (%s). The record goes to DEAD_LETTERS.",
                self.stream_name,
                numbers[rejection.line_number],
                rejection.message,
                rejection.path,
            )
        if (more := len(rejections) - _TOLD_OF_A_BATCH) > 0:
            self.logger.warning("Stream '%s': %d more records go to DEAD_LETTERS.", self.stream_name, more)


def _counted(first: int, count: int) -> pa.Array:
    """Numbers that follow each other."""
    return pc.add(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count)), first - 1)
