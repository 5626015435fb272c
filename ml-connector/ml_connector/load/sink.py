"""One stream's way from lines to changes of its table."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from singer_sdk.sinks import Sink
from typing_extensions import override

from ml_connector.load.batch import Batch
from ml_connector.load.changes import BatchLoad, Prepared
from ml_connector.load.clock import exact_moment, moment_of, now
from ml_connector.load.complete_reads import CompleteReads
from ml_connector.load.dead_letters import dead_letters
from ml_connector.load.decode import StreamDecoder
from ml_connector.load.documents import DocumentReads
from ml_connector.load.errors import LoadError
from ml_connector.load.files import conform, lines_of, records_of, tables_of, unknown_to
from ml_connector.load.location import StreamTable, stream_table
from ml_connector.load.moments import extremes
from ml_connector.load.notices import Notices
from ml_connector.load.rows import MOMENT, counted, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers._batch import BaseBatchFileEncoding
    from singer_sdk.target_base import Target

    from ml_connector.load.changes import Change
    from ml_connector.load.decode import Rejection
    from ml_connector.load.run import Run
    from ml_connector.load.sql.table import Table

_ENCODE = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_SOMETIMES = 15
"""Every sixteenth line is one at which the clock is looked at."""


class WarehouseSink(Sink):
    """Gathers the lines of one stream and makes changes of them, batch by batch."""

    @override
    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
        *,
        run: Run,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._run = run
        self._notices = Notices(stream_name, self.logger)
        self.bookmark_property = run.bookmark_properties.get(stream_name)
        self._batch = self._new_batch()
        keys = self.table.document_key
        replaces = self.place.method.replaces
        self._documents = DocumentReads(keys, self.table.keys) if keys and not replaces else None
        #: What the tap says of complete reads, and rows that wait for such a word.
        self.reads = CompleteReads(
            run,
            self.place,
            stream_name,
            changes=self.changes,
            waiting=lambda: self.current_size,
            row=self._row,
        )

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
    def is_settled(self) -> bool:
        """Whether everything that came has been given to the warehouse, so that a state may promise it."""
        return not self.current_size and not self._promised_document_waits and not self.reads.waits

    @property
    def _promised_document_waits(self) -> bool:
        """Whether a document waits to be judged that began before the last state came."""
        return self._documents is not None and self._documents.waiting > self.reads.since_state

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
            limits=self._run.dialect.limits,
        )

    @cached_property
    def place(self) -> StreamTable:
        """The table this stream is loaded into, and how."""
        properties = self.original_schema.get("properties") or {}
        document_key = self._run.document_keys.get(self.stream_name, ())
        if missing := [name for name in document_key if name not in properties]:
            self.logger.warning(
                "Stream '%s' brings documents whole, but %s, which names them, is mapped away: lines that its"
                " documents lose are not found.",
                self.stream_name,
                ", ".join(missing),
            )
            document_key = ()
        place = stream_table(
            self.stream_name,
            self.decoder.columns,
            list(self.key_properties),
            self.config,
            self._run.dialect,
            descriptions={
                name: text
                for name, about in properties.items()
                if isinstance(about, dict) and isinstance(text := about.get("description"), str)
            },
            description=_text(self.original_schema.get("description")),
            document_key=document_key,
            split=(_text(self.original_schema.get("x-schema")), _text(self.original_schema.get("x-table"))),
        )
        if place.method.replaces and self.bookmark_property and not place.replace_at_end:
            raise LoadError(
                f"Stream '{self.stream_name}' is to be loaded with {place.method.name}, but it is read on"
                f" from its replication key {self.bookmark_property}: what was not read again would be lost."
                " Choose"
                " upsert for it (streams.<stream>.load_method), or read it with FULL_TABLE.",
            )
        return place

    @property
    def table(self) -> Table:
        """The table this stream is loaded into."""
        return self.place.table

    @override
    def setup(self) -> None:
        """Have the table made, so that a stream without records has one too."""
        table = self._run.reserve_table(self.table, self.stream_name, self.place.names)
        if table != self.table:
            self.__dict__["place"] = self.reads.place = replace(self.place, table=table)
        schema = dict(self.original_schema)
        if document_key := self._run.document_keys.get(self.stream_name):
            schema["x-document-key"] = list(document_key)  # a dead letter's document is known by it
        self._run.register_schema(self.stream_name, schema, list(self.key_properties), table)
        if self._run.is_first_word_on_floats(self.decoder.columns):
            self._notices.floats(self.decoder.columns)
        if self._run.needs(table):
            self._run.submit([Prepared(table, self._run.next_batch_id(), self.stream_name)])

    def add(self, line: bytes, number: int) -> bool:
        """Take one RECORD message as it came, and tell whether the batch is full."""
        return self._batch.add(line, number)

    def take(self, line: bytes, number: int) -> None:
        """Take one RECORD message as it came, and load what is to be loaded by now."""
        if self._batch.add(line, number):
            self._run.drain(self)
        if not number & _SOMETIMES:
            self._run.limit_waiting()

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
        """Have what was gathered loaded; the batch may end within a document."""
        self._run.submit(self.changes(more_follows=True))

    def changes(self, *, more_follows: bool) -> list[Change]:
        """What was gathered, as changes.

        Args:
            more_follows: Whether the last document of the batch may go on in the next one. A document that
                waits, and of which nothing came since, is judged without one.
        """
        if not self.current_size:
            return self._judge_waiting() if not more_follows else []
        batch, self._batch = self._batch, self._new_batch()
        table, rejections = batch.decoded()
        self.reads.came += len(batch.numbers)
        self.reads.count_versions(table["_sdc_version"])
        self._notices.unknown_fields(self.decoder.unknown_fields)
        self._notices.rejections(rejections, batch.numbers)
        if rejections:
            self._run.note_rejection(rejections[-1])
        return self._load(table, rejections, batch.numbers, size=batch.size, more_follows=more_follows)

    def _load(
        self,
        table: pa.Table,
        rejections: list[Rejection],
        numbers: list[int],
        *,
        size: int,
        more_follows: bool,
    ) -> list[Change]:
        batch_id, run_id = self._run.next_batch_id(), self._run.run_id
        first = self._run.sequence.reserve(table.num_rows)
        sequence = first + max(table.num_rows - 1, 0)
        received = pa.scalar(first // 1000, pa.int64()).cast(MOMENT)
        rows = rows_of(
            table,
            self.place,
            batch_id=batch_id,
            received=received,
            sequence=counted(first, table.num_rows),
        )
        letters = dead_letters(
            rejections,
            run_id=run_id,
            batch_id=batch_id,
            stream=self.stream_name,
            numbers=numbers,
            received_at=now(),
        )
        documents = None
        if self._documents is not None:
            rows, documents = self._documents.mark(rows, more_follows=more_follows, flawed=bool(rejections))
            rows = self._spare_rejected_documents(rows, rejections)
        row = self._row(sequence) | self._extremes(table) | {"BYTES": size}
        if self.place.method.repeats:
            row["SHA256"] = content_digest(table.select(list(self.place.names)))
            if self._run.was_loaded(self.stream_name, row["SHA256"]):
                self._run.ledger.of(self.stream_name).add(len(numbers), 0, 0)
                return []
        deleted = rows.num_rows - rows["_SDC_DELETED_AT"].null_count
        load = BatchLoad(
            self.table,
            self.place.method,
            batch_id,
            self.stream_name,
            row | {"RECORDS_DELETED": deleted},
            moment_of(first),
            rows,
            letters,
            documents=documents,
            size=size + letters.nbytes,
            about={
                "batch_id": batch_id,
                "run_id": run_id,
                "stream": self.stream_name,
                "load_method": self.place.method.name,
                "schema": self.original_schema,
                "key_properties": list(self.key_properties),
                "facts": row,
                "target_schema": self.table.schema,
                "target_table": self.table.name,
                "columns": self.place.names,
                "document_key": list(self._run.document_keys.get(self.stream_name, ())),
                "sequence": sequence,
            },
        )
        if self.place.method.replaces:
            self.reads.hold(load)
            return []
        if (load.size or 0) > self._run.small_batch_bytes:
            load.size = None
            load.spool(self._run.spool)
            load.row["SHA256"] = load.row.get("SHA256") or (load.manifest and load.manifest.sha256)
        return [load]

    def _judge_waiting(self) -> list[Change]:
        """Judge a document that waits, as nothing of it follows."""
        whole = self._documents.close() if self._documents else None
        if whole is None:
            return []
        first = self._run.sequence.reserve(1)
        return [
            BatchLoad(
                self.table,
                self.place.method,
                self._run.next_batch_id(),
                self.stream_name,
                self._row(first),
                moment_of(first),
                documents=whole,
                size=whole.nbytes,
            )
        ]

    def _spare_rejected_documents(self, rows: pa.Table, rejections: list[Rejection]) -> pa.Table:
        """A line that was rejected is not lost: a batch with such judges none of its documents."""
        if not rejections:
            return rows
        self._notices.spared_documents()
        place = rows.schema.get_field_index("_ML_DOCUMENT_READ")
        return rows.remove_column(place)

    def _row(self, sequence: int) -> dict[str, Any]:
        """What the ledger says of a change, whatever becomes of it."""
        return {
            "RUN_ID": self._run.run_id,
            "STREAM": self.stream_name,
            "TARGET_TABLE": self.table.spoken,
            "SEQUENCE": sequence,
            "LOAD_METHOD": self.place.method.name,
            "RECORDS_READ": 0,
            "RECORDS_LOADED": 0,
            "RECORDS_REJECTED": 0,
            "RECORDS_DELETED": 0,
        }

    @override
    def activate_version(self, new_version: int) -> None:
        """See :meth:`CompleteReads.activate`."""
        self.reads.activate(new_version, None)

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
                self._add_records(lines_of(file, encoding))

    def _take(self, table: pa.Table) -> None:
        columns = self.decoder.columns
        fitting = conform(table, columns, self._run.dialect.limits)
        if fitting is None:
            self._add_records(records_of(table))
            return
        self._run.drain(self)  # what came before is older
        for name in unknown_to(table, columns):
            self.decoder.unknown_fields[name] = self.decoder.unknown_fields.get(name, 0) + table.num_rows
        self._notices.unknown_fields(self.decoder.unknown_fields)
        self.reads.came += fitting.num_rows
        self.reads.count_versions(fitting["_sdc_version"])
        self._run.submit(self._load(fitting, [], [], size=fitting.nbytes, more_follows=True))

    def _add_records(self, records: Iterable[bytes]) -> None:
        prefix = f'{{"type":"RECORD","stream":{json.dumps(self.stream_name)},"record":'.encode()
        for record in records:
            if self.add(prefix + record + b"}", 0):
                self._run.drain(self)

    def _extremes(self, table: pa.Table) -> dict[str, Any]:
        """Earliest and latest extraction, and of the replication key where the tap names one."""
        row: dict[str, Any] = {}
        if table.num_rows:
            span = pc.min_max(table["_sdc_extracted_at"]).as_py()
            row = {
                "MIN_EXTRACTED_AT": exact_moment(span["min"]),
                "MAX_EXTRACTED_AT": exact_moment(span["max"]),
            }
            key = self.bookmark_property
            if key in table.column_names:
                least, greatest = extremes(table[key])
                row |= {
                    "REPLICATION_KEY": key,
                    "MIN_REPLICATION_VALUE": None if least is None else str(least),
                    "MAX_REPLICATION_VALUE": None if greatest is None else str(greatest),
                }
        return row


def content_digest(table: pa.Table) -> str:
    """SHA-256 of a batch's values, whatever they are stored as."""
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
