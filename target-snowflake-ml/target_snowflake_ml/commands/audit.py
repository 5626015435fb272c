"""``audit``: what was loaded, when, and where a row came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from ml_connector.load.errors import LoadError

from target_snowflake_ml.commands.group import configured, select, session_of, show, target_of
from target_snowflake_ml.sql.identifiers import given, identifier, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = (
    "RUN_ID", "STARTED_AT", "FINISHED_AT", "STATUS", "RECORDS_READ", "RECORDS_LOADED", "RECORDS_REJECTED",
    "ERROR",
)  # fmt: skip
BATCHES = (
    "BATCH_ID", "STREAM", "TARGET_TABLE", "LOAD_METHOD", "STATUS", "RECORDS_READ", "RECORDS_LOADED",
    "RECORDS_REJECTED", "MIN_REPLICATION_VALUE", "MAX_REPLICATION_VALUE", "ATTEMPTS", "LOADED_AT", "ERROR",
)  # fmt: skip
_OF_ROW = ("_SDC_EXTRACTED_AT", "_SDC_RECEIVED_AT", "_SDC_BATCHED_AT", "_SDC_DELETED_AT", "_ML_BATCH_ID")
_OF_BATCH = ("RUN_ID", "STREAM", "STATUS", "LOADED_AT", "STATEMENT_IDS", "SHA256")
_OF_RUN = ("STARTED_AT", "TARGET_VERSION")


@click.group(name="audit")
def command() -> None:
    """Show what the ledger says."""


@command.command()
@configured
@click.option("--status", help="Only runs that are: running, succeeded, partial, failed.")
@click.option("--limit", default=20, show_default=True)
def runs(config: Sequence[str], style: str, status: str | None, limit: int) -> None:
    """Show the last runs, the newest first."""
    with target_of(config) as target, session_of(target) as connection:
        where = 'WHERE "STATUS" = %s' if status else ""
        path = quoted(target.audit_schema, "RUNS")
        sql = f'SELECT {_columns(RUNS)} FROM {path} {where} ORDER BY "STARTED_AT" DESC LIMIT {int(limit)}'
        show(select(connection, sql, [status] if status else [], RUNS), RUNS, style)


@command.command()
@configured
@click.option("--run", help="Only batches of this run.")
@click.option("--stream", help="Only batches of this stream.")
@click.option("--status", help="Only batches that are: loaded, failed, replayed.")
@click.option("--limit", default=50, show_default=True)
def batches(config: Sequence[str], style: str, limit: int, **wanted: str | None) -> None:
    """Show the last batches, the newest first."""
    columns = {"run": "RUN_ID", "stream": "STREAM", "status": "STATUS"}
    given_ = {columns[name]: value for name, value in wanted.items() if value}
    where = " AND ".join(["TRUE", *(f"{quoted(name)} = %s" for name in given_)])
    with target_of(config) as target, session_of(target) as connection:
        path = quoted(target.audit_schema, "BATCHES")
        order = f'ORDER BY "BATCH_ID" DESC LIMIT {int(limit)}'
        sql = f"SELECT {_columns(BATCHES)} FROM {path} WHERE {where} {order}"
        show(select(connection, sql, list(given_.values()), BATCHES), BATCHES, style)


@command.command()
@configured
@click.argument("table")
@click.argument("key", nargs=-1, required=True, metavar="COLUMN=VALUE...")
def row(config: Sequence[str], style: str, table: str, key: tuple[str, ...]) -> None:
    """Say of one row which run read it, when the source showed it and when it was loaded.

    TABLE may name its schema (BOOKS.VENDORS); the key is given as the table's columns.
    """
    with target_of(config) as target, session_of(target) as connection:
        case = target.config["identifier_case"]
        schema, _, name = table.rpartition(".")
        schema = schema or str(target.config.get("default_target_schema") or "PUBLIC")
        path = quoted(given(schema, case), identifier(name, case))
        pairs = [part.partition("=") for part in key]
        if not all(mark for _, mark, _ in pairs):
            raise LoadError("Write the key as COLUMN=VALUE, one for each key column.")
        where = " AND ".join(
            f"TO_VARCHAR(t.{quoted(identifier(column, case))}) = %s" for column, _, _ in pairs
        )
        of_row = ", ".join(f"t.{quoted(column)}" for column in _OF_ROW)
        of_batch = ", ".join(f"b.{quoted(column)}" for column in _OF_BATCH)
        of_run = ", ".join(f"r.{quoted(column)}" for column in _OF_RUN)
        sql = (
            f"SELECT {of_row}, {of_batch}, {of_run} FROM {path} t"
            f' LEFT JOIN {quoted(target.audit_schema, "BATCHES")} b ON b."BATCH_ID" = t."_ML_BATCH_ID"'
            " AND b.\"STATUS\" <> 'failed'"
            f' LEFT JOIN {quoted(target.audit_schema, "RUNS")} r ON r."RUN_ID" = b."RUN_ID" WHERE {where}'
        )
        columns = (*_OF_ROW, *_OF_BATCH, *_OF_RUN)
        found = select(connection, sql, [value for _, _, value in pairs], columns)
        if not found:
            raise LoadError(f"{table} has no row with {' and '.join(key)}.")
        if style == "json":
            show(found, columns, style)
            return
        for each in found:
            show([{"what": name, "value": value} for name, value in each.items()], ("what", "value"), style)


def _columns(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))
