"""``replay``: load the batches that lie in the spool because they could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pyarrow.parquet as pq
from ml_connector.load.errors import LoadError
from ml_connector.load.schema import columns_of

from target_snowflake_ml.commands.group import configured, select, show, target_of
from target_snowflake_ml.home import home_of
from target_snowflake_ml.loader import Replay
from target_snowflake_ml.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml_connector.load.spool import Manifest

    from target_snowflake_ml.home import Home
    from target_snowflake_ml.loader import Loader
    from target_snowflake_ml.target import TargetSnowflakeML

OUTCOME = ("batch_id", "stream", "records", "outcome")


@click.command(name="replay")
@configured
@click.argument("batch_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every batch in the spool.")
@click.option("--list", "listed", is_flag=True, help="Only show what lies in the spool.")
def command(
    config: Sequence[str], style: str, batch_ids: tuple[str, ...], everything: bool, listed: bool
) -> None:
    """Load batches that could not be loaded.

    Each in one transaction, and never twice: a batch that the ledger has as loaded is only tidied away. With
    a key, rows that came since stay as they are. Exit code 1 if a batch could not be loaded.
    """
    with target_of(config) as target:
        spool = target.spool
        if listed:
            lying = [
                {
                    "batch_id": m.batch_id,
                    "stream": m.stream,
                    "records": m.records,
                    "outcome": m.error or "not loaded",
                }
                for m in spool.manifests()
            ]
            show(lying, OUTCOME, style)
            return
        if not batch_ids and not everything:
            raise click.UsageError("Give batch ids, or --all; --list shows what there is.")
        chosen = spool.manifests() if everything else [spool.manifest(batch_id) for batch_id in batch_ids]
        outcomes = _replay_all(target, chosen) if chosen else []
        show(outcomes, OUTCOME, style)
        if any(not each["outcome"].startswith(("replayed", "loaded before")) for each in outcomes):
            raise SystemExit(1)


def _replay_all(target: TargetSnowflakeML, chosen: Sequence[Manifest]) -> list[dict[str, Any]]:
    loader = target.open_loader()
    outcomes = []
    try:
        for manifest in chosen:
            try:
                outcome = _replay(target, loader, manifest)
            except LoadError as error:
                outcome = str(error)
            outcomes.append(
                {
                    "batch_id": manifest.batch_id,
                    "stream": manifest.stream,
                    "records": manifest.records,
                    "outcome": outcome,
                }
            )
    finally:
        loader.connection.close()
    return outcomes


def _replay(target: TargetSnowflakeML, loader: Loader, manifest: Manifest) -> str:
    if loader.ledger.is_loaded(manifest.batch_id):
        loader.spool.drop(manifest.batch_id)
        return "loaded before"
    loader.spool.check(manifest)
    home = _home(target, manifest)
    _refuse_what_came_again(target, loader, manifest)
    loader.prepare(home.table, overwrite=False)
    loader.load(home.table, manifest, _history_of(target, loader, manifest))
    return "replayed"


def _home(target: TargetSnowflakeML, manifest: Manifest) -> Home:
    config, keys = target.config, manifest.key_properties
    columns = columns_of(manifest.schema, number_type=config["number_type"], key_properties=keys)
    home = home_of(manifest.stream, columns, keys, config)
    if manifest.load_method == "overwrite":
        raise LoadError("It is a part of an overwrite, of which the next run brings the whole.")
    if home.load_method != manifest.load_method:
        raise LoadError(
            f"It was read for {manifest.load_method}, and the stream is now loaded with {home.load_method}."
        )
    path = target.spool.path(manifest.batch_id)
    if set(pq.read_schema(path).names) != {column.name for column in home.table.columns}:
        raise LoadError("The settings name the columns otherwise than they did when it was read.")
    return home


def _refuse_what_came_again(target: TargetSnowflakeML, loader: Loader, manifest: Manifest) -> None:
    """Without a key nothing tells a row from its repetition, so what was read again is not loaded again."""
    if manifest.load_method != "append-only":
        return
    path = quoted(target.audit_schema, "BATCHES")
    sql = f'SELECT COUNT(*) FROM {path} WHERE "STREAM" = %s AND "RUN_ID" > %s AND "STATUS" = \'loaded\''
    ((later,),) = loader.connection.execute(sql, (manifest.stream, manifest.run_id))
    if later:
        raise LoadError(
            "A later run has read the stream on from the same state, with these records: loading them would"
            f" repeat them. Delete {loader.spool.path(manifest.batch_id)} and its manifest once you have"
            " checked."
        )


def _history_of(target: TargetSnowflakeML, loader: Loader, manifest: Manifest) -> Replay:
    """What the ledger says of earlier attempts; their row gives way to the new one."""
    columns = ("ATTEMPTS", "FIRST_ATTEMPT_AT")
    path = quoted(target.audit_schema, "BATCHES")
    names = ", ".join(map(quoted, columns))
    earlier = select(
        loader.connection, f'SELECT {names} FROM {path} WHERE "BATCH_ID" = %s', [manifest.batch_id], columns
    )
    return Replay(
        status="replayed",
        attempts=max((row["ATTEMPTS"] or 0 for row in earlier), default=0),
        first_attempt_at=min(
            (row["FIRST_ATTEMPT_AT"] for row in earlier if row["FIRST_ATTEMPT_AT"]), default=None
        ),
        also=((f'DELETE FROM {path} WHERE "BATCH_ID" = %s AND "STATUS" = \'failed\'', (manifest.batch_id,)),),
    )
