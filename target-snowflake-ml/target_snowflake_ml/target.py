"""``target-snowflake-ml``: Singer messages into Snowflake, columnar, exact and audited."""

from __future__ import annotations

import copy
import gc
import signal
import sys
import time
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from ml_connector import secrets
from ml_connector.load.errors import LoadError, TooManyDeadLettersError
from ml_connector.load.limit import DeadLetterLimit
from ml_connector.load.reader import ColumnarReader, RecordLine, Take
from ml_connector.load.worker import Worker
from singer_sdk import Target
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_snowflake_ml.errors import MissingKeysError
from target_snowflake_ml.ledger import TARGET
from target_snowflake_ml.settings import SETTINGS, UNUSED
from target_snowflake_ml.sql.identifiers import given

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

    from ml_connector.load.decode import Rejection
    from ml_connector.load.spool import Spool
    from singer_sdk.sinks import Sink

    from target_snowflake_ml.connections import Connection
    from target_snowflake_ml.loader import Loader
    from target_snowflake_ml.sink import SnowflakeSink
    from target_snowflake_ml.sql.table import Table

_MOST_WAITING = 2
"""All streams together may keep this many times ``batch_size_bytes`` in memory."""

_GARBAGE = 50_000
"""Objects made between two looks for cycles."""

_STATE = msgspec.json.Encoder(decimal_format="number")


class TargetSnowflakeML(Target):
    """Loads Singer streams into Snowflake tables."""

    name = TARGET
    config_jsonschema = SETTINGS
    message_reader_class = ColumnarReader
    capabilities = [  # noqa: RUF012 - the SDK's way to declare them
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
    ]

    @override
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        secrets.protect_logs()
        self.max_parallelism = 1  # one session, one transaction at a time
        self._worker = Worker()
        #: Replication key by stream, where the tap names one.
        self.bookmark_properties: dict[str, str] = {}
        #: How many batches this run has made.
        self.batches = 0
        self._most_waiting = _MOST_WAITING * int(self.config["batch_size_bytes"])
        self._longest_wait = float(self.config["batch_max_age"])
        self._limit = DeadLetterLimit(self.config.get("max_dead_letters"))
        self._undecoded: dict[str, bool] = {}
        self._owners: dict[str, str] = {}
        self._written_state: dict[str, Any] | None = None
        self._last_rejections: list[Rejection] = []
        self._at_end = False
        if isinstance(self.message_reader, ColumnarReader):
            self.message_reader.failed = self.finish
            self.message_reader.stopped = self._stop

    @property
    def audit_schema(self) -> str:
        """Where the ledger is; spelled the same way whatever identifier_case says of the streams."""
        return given(self.config["audit_schema"], "upper")

    @cached_property
    def opening(self) -> ModuleType:
        """What needs pyarrow and the connector; ``--version`` need not wait for their import."""
        found = import_module("target_snowflake_ml.opening")
        # records hold no cycles, and going through all that is imported again and again finds none either
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        return found

    @cached_property
    def spool(self) -> Spool:
        """Where batches lie until they are loaded."""
        found: Spool = self.opening.spool_of(self.config)
        return found

    def connect(self, what: str) -> Connection:
        """A session of its own; it is opened when it is first used.

        Args:
            what: Added to QUERY_TAG, until a batch is.
        """
        connection: Connection = self.opening.connect(self.config, what)
        return connection

    def open_loader(self) -> Loader:
        """A way into the warehouse that writes no run into the ledger."""
        loader: Loader = self.opening.loader_of(self.config, self.spool, self.audit_schema)
        return loader

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """The one kind of sink."""
        found: type[Sink] = self.opening.SnowflakeSink
        return found

    @cached_property
    def loader(self) -> Loader:
        """The run's way into the warehouse; opening it writes the run into the ledger."""
        loader = self.open_loader()
        loader.start()
        self.logger.info("Run %s", loader.ledger.run_id)
        return loader

    def later(self, job: Callable[[], None]) -> None:
        """Have the warehouse do something, after all that it was asked to do before.

        It is done while the next messages are read; what fails there is raised at the next call.
        """
        self._worker.submit(job)

    def idle_loader(self) -> Loader:
        """The way into the warehouse, once all that it was asked to do is done."""
        self._worker.wait()
        return self.loader

    def next_batch_id(self) -> str:
        """A name for the next batch, unique for good."""
        self.batches += 1
        return f"{self.loader.ledger.run_id}-{self.batches:06d}"

    def claim(self, table: Table, stream: str) -> None:
        """Remember whose table it is.

        Raises:
            LoadError: If two streams would share a table.
        """
        owner = self._owners.setdefault(table.path, stream)
        if owner != stream:
            raise LoadError(
                f"Streams '{owner}' and '{stream}' would both be loaded into {table.schema}.{table.name}."
                " Give one of them another table in the setting streams.<stream>.table.",
            )

    def check_dead_letters(self, rejections: list[Rejection]) -> None:
        """Stop the run when more was rejected than it may.

        Args:
            rejections: The last ones, already in the warehouse.

        Raises:
            TooManyDeadLettersError: If so.
        """
        self._last_rejections = rejections or self._last_rejections
        ledger = self.loader.ledger
        if not self._limit.passed(ledger.rejected, ledger.read, at_end=self._at_end):
            return
        last = self._last_rejections[-1]
        no_key = last.kind == "missing_key"
        raise (MissingKeysError if no_key else TooManyDeadLettersError)(
            f"{ledger.rejected} of {ledger.read} records were rejected; max_dead_letters allows"
            f" {self._limit.setting}. The last one: {last.message}. {ledger.schema}.DEAD_LETTERS has each"
            f" of run {ledger.run_id} with its reason. Correct them in the source, or raise max_dead_letters,"
            " and run again.",
        )

    @override
    def get_sink(self, stream_name: str, *, schema: dict[str, Any] | None = None, **arguments: Any) -> Sink:
        """Give the stream's sink; what waits under an old schema is loaded before the new one takes over."""
        if schema is not None and (old := self._sinks_active.get(stream_name)):
            self.drain_one(old)
        return super().get_sink(stream_name, schema=schema, **arguments)

    @override
    def process_endofpipe(self) -> None:
        """Load what is left, put overwritten tables in place, let the last state out, close the ledger."""
        try:
            for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
                self.drain_one(sink)
            self._worker.wait()
            self._at_end = True
            if "loader" in self.__dict__:
                self.check_dead_letters([])
            super().process_endofpipe()
            self._worker.wait()
            if "loader" in self.__dict__:
                self.loader.finish_overwrites()
            if self._latest_state:
                self._let_out(self._latest_state)
        except Exception as error:
            self.finish(str(error))
            raise
        self.finish(None)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = str(message_dict.get("stream"))
        if bookmarks := message_dict.get("bookmark_properties"):
            self.bookmark_properties[stream] = bookmarks[0]
        super()._process_schema_message(message_dict)
        maps = self.mapper.stream_maps[stream]
        only = maps[0]
        whole = len(maps) == 1 and type(only) is SameRecordTransform and not only.flattening_enabled
        if not whole and self._undecoded.get(stream, True):
            self.logger.info(
                "Stream '%s' is mapped or flattened: it takes the slower path, record by record.", stream
            )
        self._undecoded[stream] = whole

    @override
    def _process_record_message(self, message_dict: RecordLine) -> Take | None:  # type: ignore[override]
        stream, line, number = message_dict
        whole = self._undecoded.get(stream)
        if whole is None:
            raise RecordsWithoutSchemaException(
                f"Line {number} of the input is a RECORD of stream '{stream}', for which no SCHEMA came"
                " before. The tap breaks the Singer specification.",
            )
        if whole:
            sink: SnowflakeSink = self._sinks_active[stream]  # type: ignore[assignment]
            sink.take(line, number)
            return sink.take
        self._map(message_dict)
        self.limit_waiting()
        return None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all records that wait for their batch."""
        return sum(sink.waiting_bytes for sink in self._sinks_active.values())  # type: ignore[attr-defined]

    def limit_waiting(self) -> None:
        """Load what waits in too many bytes, or for too long."""
        if self.waiting_bytes > self._most_waiting:
            self.drain(max(self._sinks_active.values(), key=lambda sink: sink.waiting_bytes))  # type: ignore[attr-defined]
        if time.time() - self._last_full_drain_at > self._longest_wait:
            self.drain_all()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self._known(message_dict)
        super()._process_activate_version_message(message_dict)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self._known(message_dict)
        super()._process_batch_message(message_dict)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_state_message(message_dict)
        self._handle_max_record_age()

    @override
    def _handle_max_record_age(self) -> None:
        if time.time() - self._last_full_drain_at > self._longest_wait:
            self.drain_all()

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Let the state out once everything that was read before it is loaded."""
        promised = copy.deepcopy(state)
        self.later(lambda: self._let_out(promised))

    def _let_out(self, state: dict[str, Any]) -> None:
        """Write a state, unless it would promise rows that no reader can see yet."""
        if "loader" in self.__dict__:
            self.check_dead_letters([])
            if self.loader.replacing:
                return
            self.loader.mark(state)
        if state != self._written_state:
            self._written_state = copy.deepcopy(state)
            sys.stdout.write(_STATE.encode(state).decode() + "\n")
            sys.stdout.flush()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop between two messages; a second signal ends the process at once, which loses nothing either."""
        signal.signal(signum, self._end_at_once)
        if isinstance(self.message_reader, ColumnarReader):
            self.message_reader.stop()

    def _end_at_once(self, signum: int, _frame: FrameType | None) -> None:
        """End, and have Snowflake end what it does for this process."""
        signal.signal(signum, signal.SIG_DFL)
        if loader := self.__dict__.get("loader"):
            loader.connection.cancel()
        signal.raise_signal(signum)

    def _known(self, message: dict[str, Any]) -> None:
        if message.get("stream") not in self._undecoded:
            raise InvalidInputLine("no SCHEMA of this stream came before")

    def drain(self, sink: Sink) -> None:
        """Load one stream's batch; if nothing waits any more, the state may go out."""
        self.drain_one(sink)
        if not self.waiting_bytes and self._latest_state:
            self._write_state_message(self._latest_state)

    def _map(self, message: RecordLine) -> None:
        """The SDK's path: decode the record, run its stream maps, and encode what they gave."""
        stream, line, number = message
        try:
            decoded = self.message_reader.deserialize_json(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            first = self.mapper.stream_maps[stream][0]
            flawed: SnowflakeSink = self.get_sink(first.stream_alias)  # type: ignore[assignment]
            flawed.add(line, number)  # its batch makes it a dead letter
            return
        about = {name: decoded[name] for name in ("time_extracted", "version") if name in decoded}
        for stream_map in self.mapper.stream_maps[stream]:
            record = stream_map.transform(copy.copy(decoded["record"]))
            if record is not None:
                sink = self.get_sink(stream_map.stream_alias)
                sink.process_record(record, {**about, "line_number": number})
                if sink.is_full:
                    self.drain(sink)

    def _stop(self) -> None:
        """Load what was read, as somebody asked the process to stop."""
        self.logger.info("Asked to stop: loading what was read.")
        self.drain_all(is_endofpipe=True)
        self._worker.wait()
        self.finish("Stopped by a signal before the end of the input; what was read is loaded.", stopped=True)

    def finish(self, error: str | None, *, stopped: bool = False) -> None:
        """Close the ledger, if it was opened; the first word on a run counts."""
        self._worker.settle()
        if loader := self.__dict__.pop("loader", None):
            loader.finish(error, stopped=stopped)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Leave out what the SDK offers every target and this one does anyway."""
        super().append_builtin_config(config_jsonschema)
        for name in UNUSED:
            config_jsonschema["properties"].pop(name, None)

    @classmethod
    @override
    def invoke(cls, **arguments: Any) -> None:
        """Run; an error that has a sentence is that sentence and exit code 1, not a traceback."""
        try:
            super().invoke(**arguments)
        except (LoadError, RecordsWithoutSchemaException, secrets.SecretError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the traceback is no help to an operator
            sys.exit(1)
