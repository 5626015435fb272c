"""Dead letters, loaded late: judged anew by their stream's newest schema, into the table of their time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyarrow as pa
from filelock import FileLock

from ml_connector.load.changes import BatchLoad, Replay
from ml_connector.load.clock import exact_moment, moment_of, now
from ml_connector.load.dead_letters import COLUMNS
from ml_connector.load.decode import StreamDecoder
from ml_connector.load.errors import LoadError
from ml_connector.load.location import stream_table
from ml_connector.load.options import own_options
from ml_connector.load.rows import MOMENT, rows_of
from ml_connector.load.sql import audit
from ml_connector.load.sql.identifiers import listed, quoted
from ml_connector.load.superseded import loading_method_of, not_superseded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ml_connector.load.connection import Statement
    from ml_connector.load.decode import Rejection
    from ml_connector.load.ledger import SchemaSeen
    from ml_connector.load.loader import Loader
    from ml_connector.load.location import StreamTable
    from ml_connector.load.run import Run

LETTER = tuple(COLUMNS.names)
AT_ONCE = 1_000
_BATCHES_AT_ONCE = 50
_NANOSECONDS = 1_000


class Origin(NamedTuple):
    """What the ledger says of the batch that a dead letter came with.

    Attributes:
        target_table: The table that the batch went to, as ``SCHEMA.TABLE``.
        load_method: How it was loaded.
        sequence: The greatest sequence of its rows.
    """

    target_table: str | None
    load_method: str | None
    sequence: int


class Outcome(NamedTuple):
    """What became of a stream's dead letters."""

    stream: str
    replayed: int
    rejected_again: int
    superseded: int


class Corrections:
    """Loads dead letters, those of one batch in a batch of their own.

    Args:
        run: An open run.
        config: The target's settings.
    """

    def __init__(self, run: Run, config: Mapping[str, Any]) -> None:
        self._run = run
        self._config = config
        self._loader: Loader = run.loader
        self._schema = run.ledger.schema

    def load(self, letters: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Load what follows the schema now; of the rest, the reason is brought up to date.

        Args:
            letters: Rows of DEAD_LETTERS, with their records as they are to be loaded.

        Raises:
            LoadError: If nothing says where they go, or something cannot be loaded.
        """
        with FileLock(self._run.spool.folder / "dead-letters.lock", mode=0o600):
            still_open = self._open(letters)
            origins = self._origins(still_open)
            by_stream: dict[str, list[Mapping[str, Any]]] = {}
            for letter in still_open:
                by_stream.setdefault(str(letter["STREAM"]), []).append(letter)
            return [self._load_stream(stream, own, origins) for stream, own in sorted(by_stream.items())]

    def _ask(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        asked = partial(self._loader.connection.execute, sql, parameters)
        rows: list[tuple[Any, ...]] = self._loader.retrying("The ledger", asked)
        return rows

    def _open(self, letters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those that nobody has dealt with meanwhile."""
        found: set[str] = set()
        for some in _pieces(letters, AT_ONCE):
            ids = [letter["DEAD_LETTER_ID"] for letter in some]
            sql = (
                f'SELECT "DEAD_LETTER_ID" FROM {quoted(self._schema, "DEAD_LETTERS")}'
                f' WHERE "STATUS" = \'open\' AND "DEAD_LETTER_ID" IN ({audit.marks(len(ids))})'
            )
            found |= {str(row[0]) for row in self._ask(sql, ids)}
        return [letter for letter in letters if letter["DEAD_LETTER_ID"] in found]

    def _origins(self, letters: Sequence[Mapping[str, Any]]) -> dict[str, Origin]:
        """The batches that the letters came with; a replay stands for the batch that it replays."""
        found: dict[str, Origin] = {}
        ids = sorted({str(letter["BATCH_ID"]) for letter in letters if letter["BATCH_ID"]})
        columns = ("BATCH_ID", "REPLAYS", "TARGET_TABLE", "LOAD_METHOD", "SEQUENCE")
        for some in _pieces(ids, AT_ONCE // 2):
            marks = audit.marks(len(some))
            sql = (
                f"SELECT {listed(columns)} FROM {quoted(self._schema, 'BATCHES')}"
                f' WHERE "BATCH_ID" IN ({marks}) OR "REPLAYS" IN ({marks})'
            )
            for batch_id, replays, table, method, sequence in self._ask(sql, [*some, *some]):
                found[str(replays or batch_id)] = Origin(table, method, int(sequence or 0))
        return found

    def _load_stream(
        self, stream: str, letters: Sequence[Mapping[str, Any]], origins: Mapping[str, Origin]
    ) -> Outcome:
        seen = self._run.ledger.schema_of(stream)
        if seen is None:
            raise LoadError(f"{self._schema}.SCHEMAS has no schema of stream '{stream}': run it once more.")
        unknown = Origin(seen.target_table, None, 0)
        groups: dict[Origin, list[Mapping[str, Any]]] = {}
        for letter in letters:
            origin = origins.get(str(letter["BATCH_ID"]), unknown)
            origin = origin if origin.target_table else unknown._replace(sequence=origin.sequence)
            groups.setdefault(origin, []).append(letter)
        loads: list[BatchLoad] = []
        replayed = rejected = 0
        for origin, own in groups.items():
            place = self._place_of(stream, seen, origin)
            for some in _pieces(own, AT_ONCE):
                load, bad = self._batch(stream, seen, place, origin, some)
                rejected += len(bad)
                if load is None:
                    self._loader.retrying(
                        "The ledger", partial(self._loader.connection.transaction, [self._rejected(bad)])
                    )
                else:
                    replayed += load.loaded
                    loads.append(load)
        superseded = 0
        for batch in _pieces(loads, _BATCHES_AT_ONCE):
            self._loader.load(batch)
            superseded += self._left_out(batch)
        return Outcome(stream, replayed, rejected, superseded)

    def _place_of(self, stream: str, seen: SchemaSeen, origin: Origin) -> StreamTable:
        """The table where the stream was loaded at the time, as it is loaded now.

        Raises:
            LoadError: If nothing says which, or its columns are named otherwise.
        """
        schema, _, name = (origin.target_table or "").partition(".")
        if not name:
            raise LoadError(
                f"Neither BATCHES nor SCHEMAS in {self._schema} says into which table stream '{stream}' was"
                " loaded. Nothing was changed. Run it once more, and try again."
            )
        method = loading_method_of(self._loader, f"{schema}.{name}") or origin.load_method
        own = dict(own_options(stream, self._config)) | ({"load_method": method} if method else {})
        text = msgspec.json.decode(seen.schema, type=dict[str, Any])
        decoder = self._decoder(stream, seen)
        place = stream_table(
            stream,
            decoder.columns,
            seen.key_properties,
            {**self._config, "streams": {"*": own}},
            self._run.dialect,
            document_key=text.get("x-document-key") or (),
        )
        table = replace(place.table, schema=schema, name=name)
        if place.method.replaces:
            raise LoadError(
                f"Stream '{stream}' is loaded with {place.method.name}: its next run reads it whole. Discard"
                " these."
            )
        existing = self._loader.catalog.existing(self._loader.connection, table)
        wanted = table.keys or tuple(place.names.values())
        if existing is not None and not set(wanted) & set(existing.columns):
            raise LoadError(
                f"{table.spoken} has no column {' and no '.join(wanted[:3])}: the settings (identifier_case,"
                f" streams.{stream}.columns) name the columns otherwise than they did when it was loaded."
                " Nothing was changed."
            )
        return replace(place, table=table)

    def _decoder(self, stream: str, seen: SchemaSeen) -> StreamDecoder:
        return StreamDecoder(
            stream,
            msgspec.json.decode(seen.schema, type=dict[str, Any]),
            seen.key_properties,
            number_type=self._config["number_type"],
            limits=self._run.dialect.limits,
        )

    def _batch(
        self,
        stream: str,
        seen: SchemaSeen,
        place: StreamTable,
        origin: Origin,
        letters: Sequence[Mapping[str, Any]],
    ) -> tuple[BatchLoad | None, dict[str, Rejection]]:
        """Letters of one batch as a batch of their own, and those that still break the schema."""
        prefix = f'{{"type":"RECORD","stream":{msgspec.json.encode(stream).decode()},"record":'
        lines = [f"{prefix}{letter['RECORD']}}}".encode() for letter in letters]
        table, rejections = self._decoder(stream, seen).decode(lines)
        bad = {str(letters[each.line_number]["DEAD_LETTER_ID"]): each for each in rejections}
        good = [letter for letter in letters if letter["DEAD_LETTER_ID"] not in bad]
        if not good:
            return None, bad
        also = [self._resolved([str(letter["DEAD_LETTER_ID"]) for letter in good])]
        if bad:
            also.append(self._rejected(bad))
        batch_id = self._run.next_batch_id()
        received = pa.array([letter["RECEIVED_AT"] for letter in good], MOMENT)
        # numbers like those the records would have had: what came since is newer
        sequences = [
            max((value or 0) * _NANOSECONDS, origin.sequence) + place_
            for place_, value in enumerate(received.cast(pa.int64()).to_pylist())
        ]
        rows = rows_of(
            table,
            place,
            batch_id=batch_id,
            received=received,
            sequence=pa.array(sequences, pa.int64()),
        )
        greatest = max(sequences)
        load = BatchLoad(
            place.table,
            place.method,
            batch_id,
            stream,
            {
                "RUN_ID": self._run.run_id,
                "STREAM": stream,
                "TARGET_TABLE": place.table.spoken,
                "SEQUENCE": greatest,
                "LOAD_METHOD": place.method.name,
                "RECORDS_DELETED": rows.num_rows - rows["_SDC_DELETED_AT"].null_count,
            },
            moment_of(self._run.sequence.reserve(1)),
            rows,
            COLUMNS.empty_table(),
            size=rows.nbytes,
            replay=Replay(restriction=not_superseded(self._loader, place, greatest), also=also),
        )
        return load, bad

    def _resolved(self, ids: Sequence[str]) -> Statement:
        moment = exact_moment(now())
        rows = [{"DEAD_LETTER_ID": id_, "STATUS": "replayed", "RESOLVED_AT": moment} for id_ in ids]
        return self._update(rows)

    def _rejected(self, bad: Mapping[str, Rejection]) -> Statement:
        rows = [
            {
                "DEAD_LETTER_ID": id_,
                "ERROR_KIND": each.kind,
                "ERROR_PATH": each.path,
                "ERROR_MESSAGE": each.message,
            }
            for id_, each in bad.items()
        ]
        return self._update(rows)

    def _update(self, rows: Sequence[Mapping[str, Any]]) -> Statement:
        return audit.update_each(
            self._run.dialect,
            self._schema,
            "DEAD_LETTERS",
            "DEAD_LETTER_ID",
            rows,
            more='"ATTEMPTS" = COALESCE(t."ATTEMPTS", 0) + 1',
            where="t.\"STATUS\" = 'open'",
        )

    def _left_out(self, loads: Sequence[BatchLoad]) -> int:
        """Records that were deleted or read again since: they count as read, not as loaded."""
        restricted = {load.batch_id: load for load in loads if load.replay and load.replay.restriction}
        if not restricted:
            return 0
        sql = (
            f'SELECT "BATCH_ID", "RECORDS_LOADED" FROM {quoted(self._schema, "BATCHES")}'
            f' WHERE "BATCH_ID" IN ({audit.marks(len(restricted))})'
        )
        left = 0
        for batch_id, loaded in self._ask(sql, list(restricted)):
            load = restricted[str(batch_id)]
            own = load.loaded - int(loaded)
            self._run.ledger.of(load.stream).add(0, -own, 0)
            left += own
        return left


def _pieces(things: Sequence[Any] | Iterable[Any], count: int) -> Iterator[list[Any]]:
    everything = list(things)
    for start in range(0, len(everything), count):
        yield everything[start : start + count]
