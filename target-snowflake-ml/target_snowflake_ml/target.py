"""``target-snowflake-ml``: Singer messages into Snowflake, columnar, exact and audited."""

from __future__ import annotations

import copy
import sys
import time
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_connector import secrets
from ml_connector.load.errors import BadInputError, LoadError
from ml_connector.load.reader import ColumnarReader, RecordLine
from ml_connector.load.resolve import SchemaError
from ml_connector.load.spool import Spool
from singer_sdk import Target
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from target_snowflake_ml.connections import ConnectorConnection
from target_snowflake_ml.ledger import TARGET, Ledger
from target_snowflake_ml.loader import Loader
from target_snowflake_ml.settings import SECRETS, SETTINGS
from target_snowflake_ml.sink import SnowflakeSink

if TYPE_CHECKING:
    from target_snowflake_ml.sql.table import Table

_AGE_CHECK_EVERY = 1_000


class TargetSnowflakeML(Target):
    """Loads Singer streams into Snowflake tables."""

    name = TARGET
    config_jsonschema = SETTINGS
    default_sink_class = SnowflakeSink
    message_reader_class = ColumnarReader
    capabilities = [  # noqa: RUF012 - the SDK's way to declare them
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    @override
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        secrets.protect_logs()
        self.max_parallelism = 1  # one session, one transaction at a time
        self.bookmark_properties: dict[str, str] = {}
        self.batches = 0
        self._undecoded: dict[str, bool] = {}
        self._owners: dict[str, str] = {}
        self._held_state: dict[str, Any] | None = None
        self._since_age_check = 0
        if isinstance(self.message_reader, ColumnarReader):
            self.message_reader.failed = self._finish

    @cached_property
    def loader(self) -> Loader:
        """The way into the warehouse; opening it writes the run into the ledger."""
        settings = {**self.config, **secrets.reveal_config(self.config, SECRETS)}
        tag = f"{self.config.get('query_tag') or TARGET}"
        connection = ConnectorConnection(settings, tag)
        ledger = Ledger(connection, self.config["audit_schema"], version(TARGET))
        default = Path.home() / ".cache" / "ml-connector" / "spool"
        spool = Spool(Path(self.config.get("spool_dir") or default).expanduser())
        ledger.start()
        self.logger.info("Run %s", ledger.run_id)
        return Loader(
            connection,
            ledger,
            spool,
            hard_delete=bool(self.config["hard_delete"]),
            retry_seconds=float(self.config["max_retry_time"]),
        )

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

    @override
    def process_endofpipe(self) -> None:
        """Load what is left, put overwritten tables in place, let the last state out, close the ledger."""
        try:
            super().process_endofpipe()
            if "loader" in self.__dict__:
                self.loader.finish_overwrites()
            if self._held_state is not None:
                super()._write_state_message(self._held_state)
        except Exception as error:
            self._finish(str(error))
            raise
        self._finish(None)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = str(message_dict.get("stream"))
        bookmarks = message_dict.get("bookmark_properties")
        if bookmarks:
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
    def _process_record_message(self, message_dict: RecordLine) -> None:  # type: ignore[override]
        stream = message_dict.stream
        whole = self._undecoded.get(stream)
        if whole is None:
            raise RecordsWithoutSchemaException(
                f"Line {message_dict.number} of the input is a RECORD of stream '{stream}', for which no"
                " SCHEMA came before. The tap breaks the Singer specification.",
            )
        if whole:
            sink: SnowflakeSink = self._sinks_active[stream]  # type: ignore[assignment]
            self._take(sink, message_dict.line, message_dict.number)
        else:
            self._map(message_dict)
        self._since_age_check += 1
        if self._since_age_check >= _AGE_CHECK_EVERY:
            self._since_age_check = 0
            self._handle_max_record_age()

    @override
    def _handle_max_record_age(self) -> None:
        if time.time() - self._last_full_drain_at > float(self.config["batch_max_age"]):
            self.drain_all()

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        if "loader" in self.__dict__ and self.loader.replacing:
            self._held_state = state
            return
        super()._write_state_message(state)

    def _take(self, sink: SnowflakeSink, line: bytes, number: int) -> None:
        sink.add(line, number)
        if sink.is_full:
            self.drain_one(sink)

    def _map(self, message: RecordLine) -> None:
        """The SDK's path: decode the record, run its stream maps, and encode what they gave."""
        decoded = self.message_reader.deserialize_json(message.line)
        about = {name: decoded[name] for name in ("time_extracted", "version") if name in decoded}
        for stream_map in self.mapper.stream_maps[message.stream]:
            record = stream_map.transform(copy.copy(decoded["record"]))
            if record is not None:
                sink = self.get_sink(stream_map.stream_alias)
                sink.process_record(record, {**about, "line_number": message.number})
                if sink.is_full:
                    self.drain_one(sink)

    def _finish(self, error: str | None) -> None:
        """Close the ledger, if it was opened; the first word on a run counts."""
        loader = self.__dict__.pop("loader", None)
        if loader is None:
            return
        try:
            loader.ledger.finish(error)
        except LoadError as failure:
            if error is None:
                raise
            self.logger.warning("The run's end could not be written to the ledger: %s", failure)
        finally:
            loader.connection.close()

    @classmethod
    @override
    def invoke(cls, **arguments: Any) -> None:
        """Run; an error that has a sentence is that sentence and exit code 1, not a traceback."""
        try:
            super().invoke(**arguments)
        except (
            LoadError,
            BadInputError,
            SchemaError,
            RecordsWithoutSchemaException,
            secrets.SecretError,
        ) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the traceback is no help to an operator
            sys.exit(1)
