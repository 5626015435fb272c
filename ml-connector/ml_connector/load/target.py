"""The Singer target over any warehouse: messages in, changes and states out."""

from __future__ import annotations

import copy
import gc
import logging
import signal
import sys
import time
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Target
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from ml_connector import secrets
from ml_connector.load.errors import BadInputError, LoadError, SettingsError, TooManyDeadLettersError
from ml_connector.load.reader import ColumnarReader, RecordLine, Take
from ml_connector.plugin import CheckedSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from singer_sdk.sinks import Sink

    from ml_connector.load.checks import Checks
    from ml_connector.load.connection import Connection
    from ml_connector.load.run import Run
    from ml_connector.load.sink import WarehouseSink
    from ml_connector.load.sql.dialect import Dialect

UNUSED = ("add_record_metadata", "validate_records")
"""The SDK's settings that are left out: metadata columns are always there, records are always validated."""

_GARBAGE = 50_000
"""Objects made between two looks for cycles."""

_STATE = msgspec.json.Encoder(decimal_format="number")
_NOISY = ("singer_sdk.metrics", "singer_sdk.mapper")


class MissingKeysError(TooManyDeadLettersError, MissingKeyPropertiesError):
    """Too many records were rejected, the last of them for want of a key property."""


class WarehouseTarget(CheckedSettings, Target):
    """Loads Singer streams into a warehouse; a target says which, and how it is reached."""

    message_reader_class = ColumnarReader
    invalid_setting = SettingsError
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
        self._longest_wait = float(self.config["batch_max_age"])
        self._undecoded: dict[str, bool] = {}
        self._early_versions: dict[str, list[dict[str, Any]]] = {}
        self._bookmark_properties: dict[str, str] = {}
        self._document_keys: dict[str, Sequence[str]] = {}
        self._written_state: dict[str, Any] | None = None
        if isinstance(self.message_reader, ColumnarReader):
            self.message_reader.failed = self.finish
            self.message_reader.stopped = self._stop

    # what a target says

    def open_dialect(self) -> Dialect:
        """The warehouse's SQL."""
        raise NotImplementedError

    def connect(self, what: str) -> Connection:
        """A session of its own; it is opened when it is first used.

        Args:
            what: What it is for, where the warehouse writes that down.
        """
        raise NotImplementedError

    def checks(self) -> Checks:
        """What ``doctor`` checks beside what every target needs."""
        from ml_connector.load.checks import Checks  # noqa: PLC0415 - see new_run

        return Checks()

    # the run

    def new_run(self) -> Run:
        """A run that is not open: what commands work with."""
        # pyarrow and the warehouse's client, which --version and --about need not wait for
        from ml_connector.load.run import Run  # noqa: PLC0415

        run = Run(
            self.config,
            target=self.name,
            version=version(self.name),
            dialect=self.open_dialect(),
            connect=self.connect,
            write_state=self._write_state,
        )
        run.missing_keys = MissingKeysError
        return run

    @cached_property
    def run(self) -> Run:
        """The run; opening it writes it into the ledger."""
        run = self.new_run()
        run.bookmark_properties = self._bookmark_properties
        run.document_keys = self._document_keys
        run.drain = self.drain
        run.limit_waiting = self.limit_waiting
        # records hold no cycles, and going through all that is imported again and again finds none either
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        return run.open()

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """The one kind of sink."""
        from ml_connector.load.sink import WarehouseSink  # noqa: PLC0415 - see new_run

        return partial(WarehouseSink, run=self.run)  # type: ignore[return-value]

    @property
    def sinks(self) -> list[WarehouseSink]:
        """Every sink that takes records."""
        return list(self._sinks_active.values())  # type: ignore[arg-type]

    @override
    def get_sink(self, stream_name: str, *, schema: dict[str, Any] | None = None, **arguments: Any) -> Sink:
        """Give the stream's sink; what waits under an old schema is loaded before the new one takes over."""
        old: Any = self._sinks_active.get(stream_name) if schema is not None else None
        if old is not None:
            self.run.submit(old.changes(more_follows=False))
        sink: Any = super().get_sink(stream_name, schema=schema, **arguments)
        if old is not None and sink is not old:
            sink.reads.take_over(old.reads)
            self._sinks_to_clear.clear()
        return sink  # type: ignore[no-any-return]

    # messages

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = str(message_dict.get("stream"))
        if bookmarks := message_dict.get("bookmark_properties"):
            self._bookmark_properties[stream] = bookmarks[0]
        document_key = message_dict.get("x-document-key")
        if document_key is None and isinstance(message_dict.get("schema"), dict):
            document_key = message_dict["schema"].get("x-document-key")
        if document_key is not None and not (
            isinstance(document_key, list) and all(isinstance(name, str) for name in document_key)
        ):
            raise InvalidInputLine("x-document-key must be a list of properties")
        self._register_document_key(stream, document_key)
        super()._process_schema_message(message_dict)
        maps = self.mapper.stream_maps[stream]
        only = maps[0]
        whole = len(maps) == 1 and type(only) is SameRecordTransform and not only.flattening_enabled
        if not whole and self._undecoded.get(stream, True):
            self.logger.info(
                "Stream '%s' is mapped or flattened: it takes the slower path, record by record.", stream
            )
        self._undecoded[stream] = whole
        for early in self._early_versions.pop(stream, ()):
            self._process_activate_version_message(early)

    def _register_document_key(self, stream: str, document_key: Sequence[str] | None) -> None:
        """Remember what names a line's document, for the stream and for those it is mapped to."""
        aliases = {stream}
        configured = (self.config.get("stream_maps") or {}).get(stream)
        if isinstance(configured, dict) and isinstance(alias := configured.get("__alias__"), str):
            aliases.add(alias)
        for alias in aliases:
            if document_key:
                self._document_keys[alias] = list(document_key)
            else:
                self._document_keys.pop(alias, None)

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
            sink: WarehouseSink = self._sinks_active[stream]  # type: ignore[assignment]
            sink.take(line, number)
            return sink.take
        self._map(message_dict)
        self.limit_waiting()
        return None

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        stream, number = message_dict.get("stream"), message_dict.get("version")
        if not isinstance(stream, str) or not isinstance(number, int) or isinstance(number, bool):
            raise InvalidInputLine("it needs a stream, and a version that is a whole number")
        partitions = message_dict.get("x-partitions")
        if partitions is not None and not isinstance(partitions, list):
            raise InvalidInputLine("x-partitions must be a list of objects")
        if stream not in self._undecoded:
            # some taps announce a version before the schema: it is kept until that comes
            self._early_versions.setdefault(stream, []).append(message_dict)
            return
        for stream_map in self.mapper.stream_maps[stream]:
            sink: Any = self.get_sink(stream_map.stream_alias)
            sink.reads.activate(number, partitions)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        if message_dict.get("stream") not in self._undecoded:
            raise InvalidInputLine("no SCHEMA of this stream came before")
        super()._process_batch_message(message_dict)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_state_message(message_dict)
        for sink in self.sinks:
            sink.reads.state_came()
        self._handle_max_record_age()

    @override
    def _handle_max_record_age(self) -> None:
        if time.time() - self._last_full_drain_at > self._longest_wait:
            self.drain_streams()

    def _map(self, message: RecordLine) -> None:
        """The SDK's path: decode the record, run its stream maps, and encode what they gave."""
        stream, line, number = message
        try:
            decoded = self.message_reader.deserialize_json(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            first = self.mapper.stream_maps[stream][0]
            flawed: Any = self.get_sink(first.stream_alias)
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

    # loading

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all records that wait for their batch."""
        return sum(sink.waiting_bytes for sink in self.sinks)

    def limit_waiting(self) -> None:
        """Load what waits in too many bytes, or for too long."""
        if self.waiting_bytes > self.run.most_waiting:
            self.drain(max(self.sinks, key=lambda sink: sink.waiting_bytes))
        if time.time() - self._last_full_drain_at > self._longest_wait:
            self.drain_streams(more_follows=True)

    def drain(self, sink: Any) -> None:
        """Load one stream's batch; if nothing waits any more, the state may go out."""
        self.run.submit(sink.changes(more_follows=True))
        self._emit_state()

    def drain_streams(self, *, more_follows: bool = False) -> None:
        """Load what waits, all of it together; the state goes out after it.

        Args:
            more_follows: Whether a document of which lines came may go on; a state comes between documents.
        """
        self._submit_all(more_follows=more_follows)
        self._emit_state()
        self._reset_max_record_age()

    def _submit_all(self, *, more_follows: bool = False) -> None:
        changes = [
            change
            for sink in self.sinks
            for change in sink.changes(more_follows=more_follows and sink.reads.since_state > 0)
        ]
        self.run.submit(changes)

    def _emit_state(self) -> None:
        if self._latest_state and all(sink.is_settled for sink in self.sinks):
            self.run.emit_state(copy.deepcopy(self._latest_state))

    @override
    def process_endofpipe(self) -> None:
        """Load what is left, judge what the tap said of it, let the last state out, close the ledger."""
        try:
            self._load_the_rest()
        except Exception as error:
            self.finish(str(error))
            raise
        self.finish(None)

    def _load_the_rest(self) -> None:
        for stream in self._early_versions:
            raise BadInputError(
                f"The input has an ACTIVATE_VERSION of stream '{stream}', for which no SCHEMA came. The tap"
                " breaks the Singer specification."
            )
        failure: LoadError | None = None
        for sink in self.sinks:
            try:
                sink.reads.end_of_input()
            except LoadError as error:  # noqa: PERF203 - the other streams are to be loaded all the same
                failure = failure or error
        if self.sinks:
            self._submit_all()
            self.run.wait()
            self.run.check_dead_letters(at_end=True)
            self._emit_state()
            self.run.wait()
        elif self._latest_state:
            self._write_state(self._latest_state)
        if failure is not None:
            raise failure

    def _write_state(self, state: dict[str, Any]) -> None:
        if state != self._written_state:
            self._written_state = copy.deepcopy(state)
            sys.stdout.write(_STATE.encode(state).decode() + "\n")
            sys.stdout.flush()

    # endings

    def _stop(self) -> None:
        """Load what was read, as somebody asked the process to stop."""
        self.logger.info("Asked to stop: loading what was read.")
        for sink in self.sinks:
            if sink.place.method.replaces:
                sink.reads.discard()  # it was not read whole
        self.drain_streams(more_follows=True)
        self.run.wait()
        self.finish("Stopped by a signal before the end of the input; what was read is loaded.", stopped=True)

    def finish(self, error: str | None, *, stopped: bool = False) -> None:
        """Close the ledger, if it was opened; the first word on a run counts."""
        if run := self.__dict__.pop("run", None):
            for sink in self.sinks:
                sink.reads.discard()
            run.finish(error, stopped=stopped)
            self._tell_counts(run, error)

    def _tell_counts(self, run: Run, error: str | None) -> None:
        """Close the log with what came, and what became of it."""
        total = run.ledger.total
        self.logger.info(
            "Run %s %s: %d records read, %d loaded, %d rejected, of %d streams.",
            run.run_id,
            "succeeded" if error is None else "ended early",
            total.read,
            total.loaded,
            total.rejected,
            len(run.ledger.counts),
        )

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop between two messages; a second signal ends the process at once, which loses nothing either."""
        signal.signal(signum, self._end_at_once)
        if isinstance(self.message_reader, ColumnarReader):
            self.message_reader.stop()

    def _end_at_once(self, signum: int, _frame: FrameType | None) -> None:
        """End, and have the warehouse end what it does for this process."""
        signal.signal(signum, signal.SIG_DFL)
        if run := self.__dict__.get("run"):
            run.cancel()
        signal.raise_signal(signum)

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
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            super().invoke(**arguments)
        except (LoadError, RecordsWithoutSchemaException, secrets.SecretError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the traceback is no help to an operator
            sys.exit(1)


def revealed(config: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The settings with their secrets in plain text."""
    return {**config, **secrets.reveal_config(config, names)}
