"""``dead-letters``: look at what was rejected, correct it, load it, or let it go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import pyarrow as pa
from ml_connector.load.dead_letters import COLUMNS
from ml_connector.load.decode import StreamDecoder
from ml_connector.load.errors import LoadError

from target_snowflake_ml.commands.group import configured, select, session_of, show, target_of
from target_snowflake_ml.home import home_of
from target_snowflake_ml.ledger import now, stamp
from target_snowflake_ml.loader import Replay
from target_snowflake_ml.rows import MOMENT, rows_of
from target_snowflake_ml.sql import ledger as sql
from target_snowflake_ml.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml_connector.load.decode import Rejection

    from target_snowflake_ml.connections import Connection
    from target_snowflake_ml.target import TargetSnowflakeML

LISTED = (
    "DEAD_LETTER_ID",
    "STREAM",
    "ERROR_KIND",
    "ERROR_PATH",
    "ERROR_MESSAGE",
    "RECEIVED_AT",
    "STATUS",
    "ATTEMPTS",
)
SHOWN = tuple(COLUMNS.names)
_AT_ONCE = 1_000


@click.group(name="dead-letters")
def command() -> None:
    """Look at rejected records, correct them, load them, or let them go."""


def _filtered(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--run", help="Only of this run."),
        click.option(
            "--kind", help="Only with this error: type, decimal, missing_key, required, format, json."
        ),
        click.option("--stream", help="Only of this stream."),
    ):
        function = option(function)
    return function


@command.command(name="list")
@configured
@_filtered
@click.option("--status", default="open", show_default=True, help="open, replayed, discarded or all.")
@click.option("--limit", default=50, show_default=True)
def list_(config: Sequence[str], style: str, limit: int, **wanted: str | None) -> None:
    """List dead letters, the newest first."""
    with target_of(config) as target, session_of(target) as connection:
        found = _find(target, connection, [], wanted, f'ORDER BY "DEAD_LETTER_ID" DESC LIMIT {int(limit)}')
        show(found, LISTED, style)


@command.command(name="show")
@configured
@click.argument("dead_letter_id")
def show_(config: Sequence[str], style: str, dead_letter_id: str) -> None:
    """Show one with its record, as it came."""
    with target_of(config) as target, session_of(target) as connection:
        (letter,) = _find(target, connection, [dead_letter_id], {"status": "all"})
        if style == "json":
            show([letter], SHOWN, style)
            return
        record = str(letter.pop("RECORD"))
        show([{"what": name, "value": value} for name, value in letter.items()], ("what", "value"), style)
        click.echo(f"\n{record}")


@command.command()
@configured
@_filtered
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All open ones.")
def discard(
    config: Sequence[str], style: str, ids: tuple[str, ...], everything: bool, **wanted: str | None
) -> None:
    """Mark open dead letters as not to be loaded; they stay in the table."""
    _some(ids, wanted, everything=everything)
    with target_of(config) as target, session_of(target) as connection:
        found = _find(target, connection, ids, {**wanted, "status": "open"})
        for start in range(0, len(found), _AT_ONCE):
            some = [letter["DEAD_LETTER_ID"] for letter in found[start : start + _AT_ONCE]]
            connection.execute(*_resolved(target.audit_schema, some, "discarded"))
        show([{"discarded": len(found)}], ("discarded",), style)


@command.command()
@configured
@_filtered
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All open ones.")
@click.option(
    "--record",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with the corrected record, for one dead letter.",
)
def replay(
    config: Sequence[str],
    style: str,
    ids: tuple[str, ...],
    everything: bool,
    record: Path | None,
    **wanted: str | None,
) -> None:
    """Judge open dead letters by their stream's schema of today, and load those that follow it.

    A row of the same key that came after the rejected record is newer, and stays as it is.
    """
    _some(ids, wanted, everything=everything)
    if record is not None and len(ids) != 1:
        raise click.UsageError("--record goes with the id of one dead letter.")
    with target_of(config) as target:
        try:
            outcome = _replay(target, ids, {**wanted, "status": "open"}, record)
        except LoadError as error:
            target.finish(str(error))
            raise
        target.finish(None)
        show(outcome, ("stream", "replayed", "rejected_again"), style)


def _some(ids: Sequence[str], wanted: dict[str, str | None], *, everything: bool) -> None:
    if not ids and not everything and not any(wanted.values()):
        raise click.UsageError("Give ids, --stream, --run, --kind, or --all.")


def _find(
    target: TargetSnowflakeML,
    connection: Connection,
    ids: Sequence[str],
    wanted: dict[str, str | None],
    order: str = 'ORDER BY "DEAD_LETTER_ID"',
) -> list[dict[str, Any]]:
    columns = {"run": "RUN_ID", "kind": "ERROR_KIND", "stream": "STREAM", "status": "STATUS"}
    where, values = ["TRUE"], []
    for name, value in wanted.items():
        if value and value != "all":
            where.append(f"{quoted(columns[name])} = %s")
            values.append(value)
    if ids:
        where.append(f'"DEAD_LETTER_ID" IN ({", ".join(["%s"] * len(ids))})')
        values += ids
    names = ", ".join(map(quoted, SHOWN))
    path = quoted(target.audit_schema, "DEAD_LETTERS")
    found = select(
        connection, f"SELECT {names} FROM {path} WHERE {' AND '.join(where)} {order}", values, SHOWN
    )
    if missing := sorted(set(ids) - {letter["DEAD_LETTER_ID"] for letter in found}):
        status = f"{wanted['status']} " if wanted.get("status") not in {None, "all"} else ""
        raise LoadError(f"There is no {status}dead letter {', '.join(missing)} in {path}.")
    return found


def _resolved(schema: str, ids: Sequence[str], status: str) -> tuple[str, tuple[Any, ...]]:
    path = quoted(schema, "DEAD_LETTERS")
    more = ', "ATTEMPTS" = "ATTEMPTS" + 1' if status == "replayed" else ""
    where = f'"STATUS" = \'open\' AND "DEAD_LETTER_ID" IN ({", ".join(["%s"] * len(ids))})'
    sql = f'UPDATE {path} SET "STATUS" = %s, "RESOLVED_AT" = %s{more} WHERE {where}'
    return sql, (status, stamp(now()), *ids)


def _rejected(schema: str, letter: str, rejection: Rejection) -> tuple[str, tuple[Any, ...]]:
    path = quoted(schema, "DEAD_LETTERS")
    now_wrong = '"ERROR_KIND" = %s, "ERROR_PATH" = %s, "ERROR_MESSAGE" = %s'
    where = '"STATUS" = \'open\' AND "DEAD_LETTER_ID" = %s'
    sql = f'UPDATE {path} SET "ATTEMPTS" = "ATTEMPTS" + 1, {now_wrong} WHERE {where}'
    return sql, (rejection.kind, rejection.path, rejection.message, letter)


def _replay(
    target: TargetSnowflakeML, ids: Sequence[str], wanted: dict[str, str | None], record: Path | None
) -> list[dict[str, Any]]:
    loader = target.loader
    letters = _find(target, loader.connection, ids, wanted)
    if record is not None:
        letters[0]["RECORD"] = _corrected(record)
    schemas = {str(row[0]): row for row in loader.connection.execute(sql.newest_schemas(target.audit_schema))}
    outcome = []
    for stream in sorted({letter["STREAM"] for letter in letters}):
        if stream not in schemas:
            raise LoadError(
                f"{target.audit_schema}.SCHEMAS has no schema of stream '{stream}': run it once more."
            )
        _, schema, keys, _ = schemas[stream]
        replayed = rejected = 0
        own = [letter for letter in letters if letter["STREAM"] == stream]
        for start in range(0, len(own), _AT_ONCE):
            good, bad = _replay_some(
                target,
                stream,
                msgspec.json.decode(schema),
                msgspec.json.decode(keys),
                own[start : start + _AT_ONCE],
            )
            replayed, rejected = replayed + good, rejected + bad
        outcome.append({"stream": stream, "replayed": replayed, "rejected_again": rejected})
    return outcome


def _corrected(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError as error:
        raise LoadError(f"{path} is not one JSON object: {error}.") from error
    return text


def _replay_some(
    target: TargetSnowflakeML,
    stream: str,
    schema: dict[str, Any],
    keys: list[str],
    letters: list[dict[str, Any]],
) -> tuple[int, int]:
    """Load what follows the schema now, and write down both kinds, in one transaction."""
    loader, config = target.loader, target.config
    decoder = StreamDecoder(stream, schema, keys, number_type=config["number_type"])
    home = home_of(stream, decoder.columns, keys, config)
    if home.load_method == "overwrite":
        raise LoadError(
            f"Stream '{stream}' is loaded with overwrite: its next run reads it whole. Discard these."
        )
    prefix = f'{{"type":"RECORD","stream":{msgspec.json.encode(stream).decode()},"record":'
    table, rejections = decoder.decode([f"{prefix}{letter['RECORD']}}}".encode() for letter in letters])
    bad = {rejection.line_number: rejection for rejection in rejections}
    good = [letter for place, letter in enumerate(letters) if place not in bad]
    also = [_rejected(target.audit_schema, letters[place]["DEAD_LETTER_ID"], bad[place]) for place in bad]
    if not good:
        loader.execute_all(also)
        return 0, len(bad)
    also.append(_resolved(target.audit_schema, [letter["DEAD_LETTER_ID"] for letter in good], "replayed"))
    loader.prepare(home.table, overwrite=False)
    batch_id = target.next_batch_id()
    received = pa.array([letter["RECEIVED_AT"] for letter in good], MOMENT)
    # numbers like those the records would have had: what came since is newer
    sequence = [value * 1_000 + place for place, value in enumerate(received.cast(pa.int64()).to_pylist())]
    manifest = loader.spool.write(
        rows_of(table, home, batch_id=batch_id, received=received, sequence=pa.array(sequence, pa.int64())),
        COLUMNS.empty_table(),
        batch_id=batch_id,
        run_id=loader.ledger.run_id,
        stream=stream,
        load_method=home.load_method,
        schema=schema,
        key_properties=keys,
        facts={"SEQUENCE": target.batches},
    )
    loader.load(home.table, manifest, Replay(also=also))
    return len(good), len(bad)
