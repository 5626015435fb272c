"""``audit``: what was loaded, when, and where a row came from."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from ml_connector.load.commands.cli import configured
from ml_connector.load.errors import LoadError
from ml_connector.load.sql.identifiers import given, identifier, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.commands.cli import Operation
    from ml_connector.load.lookup import Lookup
    from ml_connector.load.sql.dialect import Existing

RUNS = (
    "RUN_ID", "STARTED_AT", "FINISHED_AT", "STATUS", "RECORDS_READ", "RECORDS_LOADED", "RECORDS_REJECTED",
    "RECORDS_DELETED", "ERROR",
)  # fmt: skip
BATCHES = (
    "BATCH_ID", "WHAT", "STREAM", "TARGET_TABLE", "LOAD_METHOD", "STATUS", "RECORDS_READ", "RECORDS_LOADED",
    "RECORDS_REJECTED", "RECORDS_DELETED", "MIN_REPLICATION_VALUE", "MAX_REPLICATION_VALUE", "ATTEMPTS",
    "LOADED_AT", "REPLAYS", "PARTITIONS", "ERROR",
)  # fmt: skip
_WHAT = (
    "CASE WHEN \"REPLAYS\" IS NOT NULL THEN 'replay'"
    " WHEN \"STATUS\" = 'replayed' THEN 'dead letters'"
    " WHEN \"PARTITIONS\" IS NOT NULL AND \"LOAD_METHOD\" = 'overwrite' THEN 'replacement'"
    " WHEN \"PARTITIONS\" IS NOT NULL THEN 'deletes by version'"
    " WHEN COALESCE(\"RECORDS_READ\", 0) = 0 THEN 'deletes by document' ELSE 'batch' END"
)
_OF_ROW = (
    "_SDC_EXTRACTED_AT", "_SDC_RECEIVED_AT", "_SDC_BATCHED_AT", "_SDC_DELETED_AT", "_SDC_SEQUENCE",
    "_ML_BATCH_ID", "_ML_VALID_FROM", "_ML_VALID_TO",
)  # fmt: skip
_OF_BATCH = ("RUN_ID", "STREAM", "STATUS", "REPLAYS", "LOADED_AT", "STATEMENT_IDS", "SHA256")
_OF_RUN = ("STARTED_AT", "TARGET_VERSION")
_COMPANY = "SOURCE_COMPANY"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = 1_000


@click.group(name="audit")
def command() -> None:
    """Show what the ledger says."""


@command.command()
@configured
@click.option("--status", help="Only runs that are: running, succeeded, partial, failed, killed.")
@click.option("--limit", default=20, show_default=True, help="At most so many.")
def runs(operation: Operation, status: str | None, limit: int) -> None:
    """Show the last runs, the newest first."""
    with operation.target() as target, operation.lookup(target) as lookup:
        where = 'WHERE "STATUS" = ?' if status else ""
        sql = (
            f"SELECT {listed(RUNS)} FROM {lookup.ledger_rows('RUNS')} r {where}"
            f' ORDER BY "STARTED_AT" DESC LIMIT {int(limit)}'
        )
        operation.show(lookup.select(sql, [status] if status else [], RUNS), RUNS)


@command.command()
@configured
@click.option("--run", help="Only batches of this run.")
@click.option("--stream", help="Only batches of this stream.")
@click.option("--status", help="Only batches that are: loaded, failed, replayed.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
def batches(operation: Operation, limit: int, **wanted: str | None) -> None:
    """Show the last batches and whatever else changed rows (WHAT says what it is), the newest first."""
    columns = {"run": "RUN_ID", "stream": "STREAM", "status": "STATUS"}
    only = {columns[name]: value for name, value in wanted.items() if value}
    where = " AND ".join(["1 = 1", *(f"{quoted(name)} = ?" for name in only)])
    names = ", ".join(_WHAT if name == "WHAT" else quoted(name) for name in BATCHES)
    with operation.target() as target, operation.lookup(target) as lookup:
        sql = (
            f"SELECT {names} FROM {lookup.ledger_rows('BATCHES')} b WHERE {where}"
            f' ORDER BY "SEQUENCE" DESC, "BATCH_ID" DESC LIMIT {int(limit)}'
        )
        operation.show(lookup.select(sql, list(only.values()), BATCHES), BATCHES)


@command.command()
@configured
@click.argument("table")
@click.argument("key", nargs=-1, required=True, metavar="COLUMN=VALUE...")
def row(operation: Operation, table: str, key: tuple[str, ...]) -> None:
    """Say of one row which run read it, when the source showed it, when it was loaded, and who deleted it.

    TABLE is a table, with its schema (BOOKS.VENDORS) or without, or a stream. Of several rows that have these
    values, as a history has them or several companies, each is shown with its whole key.
    """
    with operation.target() as target, operation.lookup(target) as lookup:
        schema, name, stream = _table(lookup, table)
        existing = (lookup.tables_of(schema) or {}).get(name)
        if existing is None:
            raise LoadError(f"There is no table {schema}.{name}.")
        where, values = _condition(lookup, stream, existing, key, f"{schema}.{name}")
        keys = _keys(lookup, stream, existing)
        own = [*keys, *(column for column in _OF_ROW if column in existing.columns)]
        sql = (
            f"SELECT {listed(own, 't.')}, {listed(_OF_BATCH, 'b.')}, {listed(_OF_RUN, 'r.')}"
            f" FROM {quoted(schema, name)} t"
            f" LEFT JOIN {lookup.ledger_rows('BATCHES')} b"
            ' ON b."BATCH_ID" = t."_ML_BATCH_ID" AND b."STATUS" <> \'failed\''
            f' LEFT JOIN {lookup.ledger_rows("RUNS")} r ON r."RUN_ID" = b."RUN_ID" WHERE {where}'
            f' ORDER BY t."_SDC_SEQUENCE"'
        )
        columns = (*own, *_OF_BATCH, *_OF_RUN)
        found = lookup.select(sql, values, columns)
        if not found:
            raise LoadError(f"{table} has no row with {' and '.join(key)}.")
        found = [each | _deletion(lookup, f"{schema}.{name}", each) for each in found]
        columns = (*columns, "DELETED_BY", "DELETED_BECAUSE")
        if operation.style == "json":
            operation.show(found, columns)
            return
        for place, each in enumerate(found):
            if place:
                click.echo()
            operation.show_pairs(each, columns)


def _table(lookup: Lookup, name: str) -> tuple[str, str, str | None]:
    """Schema, table and stream of what somebody calls a table."""
    wanted = name.lower()
    found = {
        (schema, table): stream
        for (schema, table), stream in lookup.tables.items()
        if wanted in {f"{schema}.{table}".lower(), table.lower(), stream.lower()}
    }
    if len(found) > 1:
        names = ", ".join(f"{schema}.{table}" for schema, table in sorted(found))
        raise LoadError(f"{name} may be {names}: write which.")
    for (schema, table), stream in found.items():
        return schema, table, stream
    schema, _, table = name.rpartition(".")
    schema = schema or str(lookup.config.get("default_target_schema") or lookup.dialect.default_schema)
    return given(schema, lookup.case), identifier(table, lookup.case), None


def _condition(
    lookup: Lookup, stream: str | None, existing: Existing, key: Sequence[str], table: str
) -> tuple[str, list[str]]:
    parts, values = [], []
    for pair in key:
        name, mark, value = pair.partition("=")
        if not mark:
            raise LoadError("Write the key as COLUMN=VALUE, one for each key column.")
        column = lookup.column_of(stream, name, existing.columns)
        if column is None:
            raise LoadError(f"{table} has no column {name}. It has {', '.join(existing.columns)}.")
        kind = lookup.column(column, existing)
        parts.append(f"t.{quoted(column)} = {lookup.dialect.from_text(kind, '?') if kind else '?'}")
        values.append(value)
    return " AND ".join(parts), values


def _keys(lookup: Lookup, stream: str | None, existing: Existing) -> list[str]:
    """The columns that say which row it is."""
    seen = lookup.schemas.get(stream) if stream else None
    names = [lookup.column_of(stream, key, existing.columns) for key in (seen.key_properties if seen else [])]
    company = [_COMPANY] if _COMPANY in existing.columns else []
    return list(dict.fromkeys(name for name in (*company, *names) if name))


def _deletion(lookup: Lookup, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What marked a row as deleted, and why.

    Whatever the target marks bears the moment of the change that marked it, and that is where the change's
    own sequence begins; what the source told bears the source's moment.
    """
    deleted = row["_SDC_DELETED_AT"]
    if deleted is None:
        return {"DELETED_BY": None, "DELETED_BECAUSE": None}
    moment = deleted if isinstance(deleted, datetime) else datetime.fromisoformat(str(deleted))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    passed = moment - _EPOCH
    sequence = (passed.days * 86_400 + passed.seconds) * 1_000_000_000 + passed.microseconds * _MICROSECOND
    columns = ("BATCH_ID", "SEQUENCE", "RECORDS_READ", "PARTITIONS")
    sql = (
        f'SELECT {listed(columns)} FROM {lookup.ledger_rows("BATCHES")} b WHERE "TARGET_TABLE" = ?'
        ' AND "SEQUENCE" >= ? AND "STATUS" <> \'failed\' AND "REPLAYS" IS NULL ORDER BY "SEQUENCE" LIMIT 1'
    )
    for change in lookup.select(sql, [table, sequence], columns):
        began = int(change["SEQUENCE"]) - max(int(change["RECORDS_READ"] or 0) - 1, 0)
        if began - sequence < _MICROSECOND:
            why = (
                "its document no longer has it"
                if change["PARTITIONS"] is None
                else f"a complete read did not bring it ({change['PARTITIONS']})"
            )
            return {"DELETED_BY": change["BATCH_ID"], "DELETED_BECAUSE": why}
    return {"DELETED_BY": row["_ML_BATCH_ID"], "DELETED_BECAUSE": "the source said so"}
