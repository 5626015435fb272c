"""The audit tables. Their columns bind: other people's queries name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.identifiers import listed, quoted
from ml_connector.load.sql.staged import rows_in_text
from ml_connector.load.sql.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml_connector.load.connection import Statement
    from ml_connector.load.sql.dialect import Dialect

LEDGER = "(ledger)"
"""Stands where a stream's name would, for the audit tables."""

_TEXT, _NUMBER, _MOMENT = Kind.STRING, Kind.INTEGER, Kind.TIMESTAMP_TZ
_AMOUNT = Kind.DECIMAL


def _columns(**kinds: Kind) -> tuple[Column, ...]:
    digits = {_NUMBER: (38, 0), _AMOUNT: (38, 9)}
    return tuple(Column(name.upper(), kind, *digits.get(kind, (None, None))) for name, kind in kinds.items())


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "RUNS": _columns(
        run_id=_TEXT, target=_TEXT, target_version=_TEXT, started_at=_MOMENT, finished_at=_MOMENT,
        status=_TEXT, records_read=_NUMBER, records_loaded=_NUMBER, records_rejected=_NUMBER,
        records_deleted=_NUMBER,
        error=_TEXT,
    ),
    "BATCHES": _columns(
        batch_id=_TEXT, run_id=_TEXT, stream=_TEXT, target_table=_TEXT, sequence=_NUMBER, load_method=_TEXT,
        records_read=_NUMBER, records_loaded=_NUMBER, records_rejected=_NUMBER, records_deleted=_NUMBER,
        min_extracted_at=_MOMENT, max_extracted_at=_MOMENT, replication_key=_TEXT,
        min_replication_value=_TEXT, max_replication_value=_TEXT, bytes=_NUMBER, sha256=_TEXT, status=_TEXT,
        attempts=_NUMBER,
        first_attempt_at=_MOMENT, loaded_at=_MOMENT, statement_ids=_TEXT, error=_TEXT, replays=_TEXT,
        partitions=_TEXT,
    ),
    "DEAD_LETTERS": _columns(
        dead_letter_id=_TEXT, run_id=_TEXT, batch_id=_TEXT, stream=_TEXT, record=_TEXT, error_kind=_TEXT,
        error_path=_TEXT, error_message=_TEXT, received_at=_MOMENT, status=_TEXT, attempts=_NUMBER,
        resolved_at=_MOMENT,
    ),
    "WATERMARKS": _columns(
        stream=_TEXT, source_company=_TEXT, replication_key=_TEXT, replication_value=_TEXT, state=_TEXT,
        run_id=_TEXT, updated_at=_MOMENT,
    ),
    "RECONCILIATIONS": _columns(
        reconciliation_id=_TEXT, stream=_TEXT, source_company=_TEXT, period=_TEXT, measure=_TEXT,
        source_value=_AMOUNT, warehouse_value=_AMOUNT, difference=_AMOUNT, status=_TEXT, checked_at=_MOMENT,
    ),
    "SCHEMAS": _columns(
        stream=_TEXT, schema=_TEXT, key_properties=_TEXT, sha256=_TEXT, run_id=_TEXT, seen_at=_MOMENT,
        target_table=_TEXT, changes=_TEXT,
    ),
    "DELETED_KEYS": _columns(
        target_table=_TEXT, row_key=_TEXT, sequence=_NUMBER, batch_id=_TEXT, deleted_at=_MOMENT
    ),
}  # fmt: skip
"""The audit tables. A dead letter's record is text: what was rejected may not even be JSON, and must be kept
as it came. ``BATCHES.REPLAYS`` is the batch that a replay loads, ``PARTITIONS`` what a delete by version is
of. ``DELETED_KEYS`` has the keys of removed rows while an older batch waits in the spool."""


def table_of(schema: str, name: str) -> Table:
    """An audit table, as a table to be made and to grow."""
    return Table(LEDGER, schema, name, COLUMNS[name])


def exact_text(value: Any) -> str | None:
    """A value as the text that travels."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Rows as one JSON text."""
    encoded = [[exact_text(row.get(name)) for name in names] for row in rows]
    return msgspec.json.encode(encoded).decode()


def insert(
    dialect: Dialect,
    schema: str,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    computed: Mapping[str, Statement] | None = None,
    condition: str = "",
) -> Statement:
    """Put rows into an audit table.

    Args:
        dialect: The warehouse.
        schema: The audit schema.
        table: The table.
        rows: The rows; a column that a row does not have is null.
        computed: Columns that the warehouse works out, as expressions over the row (``r``).
        condition: A condition on the rows, from WHERE on.
    """
    columns = COLUMNS[table]
    names = [column.name for column in columns]
    staged = rows_in_text(dialect, columns, text_of(rows, names))
    query = staged.select(dialect, {}, names)
    computed = computed or {}
    values = ", ".join(computed[name][0] if name in computed else f"r.{quoted(name)}" for name in names)
    more = tuple(value for name in names if name in computed for value in computed[name][1])
    sql = f"INSERT INTO {quoted(schema, table)} ({listed(names)}) SELECT {values} FROM ({query}) r{condition}"
    return sql, (*more, *staged.parameters)


def insert_once(
    dialect: Dialect, schema: str, table: str, key: str, rows: Sequence[Mapping[str, Any]]
) -> Statement:
    """As :func:`insert`, but for rows that are there: for a statement that may be repeated."""
    path = quoted(schema, table)
    absent = f" WHERE r.{quoted(key)} NOT IN (SELECT {quoted(key)} FROM {path})"
    return insert(dialect, schema, table, rows, condition=absent)


def replace(
    dialect: Dialect, schema: str, table: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Statement:
    """Bring an audit table's rows of some keys up to date, in one statement."""
    columns = COLUMNS[table]
    names = [column.name for column in columns]
    staged = rows_in_text(dialect, columns, text_of(rows, names))
    on = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in keys)
    sets = ", ".join(f"{quoted(name)} = s.{quoted(name)}" for name in names if name not in keys)
    sql = (
        f"MERGE INTO {quoted(schema, table)} t USING ({staged.select(dialect, {}, names)}) s ON {on}"
        f" WHEN MATCHED THEN UPDATE SET {sets}"
        f" WHEN NOT MATCHED THEN INSERT ({listed(names)}) VALUES ({listed(names, 's.')})"
    )
    return sql, staged.parameters


def update(
    dialect: Dialect,
    schema: str,
    table: str,
    changes: Mapping[str, Any],
    *,
    where: str,
    parameters: Sequence[Any] = (),
) -> Statement:
    """Change the rows of an audit table that meet a condition."""
    kinds = {column.name: column for column in COLUMNS[table]}
    sets = ", ".join(f"{quoted(name)} = {dialect.from_text(kinds[name], '?')}" for name in changes)
    values = [exact_text(value) for value in changes.values()]
    return f"UPDATE {quoted(schema, table)} SET {sets} WHERE {where}", (*values, *parameters)


def marks(count: int) -> str:
    """So many placeholders."""
    return ", ".join(["?"] * count)


def loaded(schema: str, batch_ids: Sequence[str]) -> Statement:
    """Ask which of some batches are in the warehouse already."""
    sql = (
        f'SELECT DISTINCT "BATCH_ID" FROM {quoted(schema, "BATCHES")}'
        f" WHERE \"BATCH_ID\" IN ({marks(len(batch_ids))}) AND \"STATUS\" IN ('loaded', 'replayed')"
    )
    return sql, tuple(batch_ids)


def forget_failed(schema: str, batch_id: str) -> Statement:
    """Delete the row of a batch's earlier failure."""
    path = quoted(schema, "BATCHES")
    return f'DELETE FROM {path} WHERE "BATCH_ID" = ? AND "STATUS" = \'failed\'', (batch_id,)


def recount(schema: str, batch_id: str, count: Statement) -> Statement:
    """Write down how many records of a batch were loaded, where the warehouse alone knows."""
    sql, parameters = count
    path = quoted(schema, "BATCHES")
    return f'UPDATE {path} SET "RECORDS_LOADED" = {sql} WHERE "BATCH_ID" = ?', (*parameters, batch_id)


def update_each(
    dialect: Dialect,
    schema: str,
    table: str,
    key: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    more: str = "",
    where: str = "",
) -> Statement:
    """Change several rows of an audit table, each to values of its own.

    Args:
        dialect: The warehouse.
        schema: The audit schema.
        table: The table.
        key: The column that names a row.
        rows: The new values, all of the same columns, with the key.
        more: More assignments, over the row as it was (``t``).
        where: A condition on the row as it was (``t``).
    """
    names = list(rows[0])
    columns = [column for column in COLUMNS[table] if column.name in names]
    names = [column.name for column in columns]
    staged = rows_in_text(dialect, columns, text_of(rows, names))
    sets = [f"{quoted(name)} = d.{quoted(name)}" for name in names if name != key]
    sql = (
        f"UPDATE {quoted(schema, table)} AS t SET {', '.join([*sets, *([more] if more else [])])}"
        f" FROM ({staged.select(dialect, {}, names)}) d WHERE t.{quoted(key)} = d.{quoted(key)}"
        + (f" AND {where}" if where else "")
    )
    return sql, staged.parameters


def opening(schema: str) -> str:
    """Ask for the newest schema of each stream, and for the greatest sequence that was ever given."""
    return (
        'SELECT "STREAM", "SCHEMA", "KEY_PROPERTIES", "SHA256", "TARGET_TABLE", NULL FROM'
        ' (SELECT s.*, ROW_NUMBER() OVER (PARTITION BY "STREAM" ORDER BY "SEEN_AT" DESC) AS "ML_LAST"'
        f' FROM {quoted(schema, "SCHEMAS")} s) n WHERE "ML_LAST" = 1'
        f' UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, MAX("SEQUENCE") FROM {quoted(schema, "BATCHES")}'
    )
