"""``scd2``: every version that a record ever had, as pure functions from names to statements.

A key's timeline is made of events in the order of time: a version begins, or a version ends because the
record was deleted. What the table has and what the batch brings are put on one timeline; a version lasts
until the next event. So a record that comes late takes its place between the versions that are there, and
one that comes twice, or unchanged, adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_ml.sql.identifiers import quoted
from target_snowflake_ml.sql.load import value
from target_snowflake_ml.sql.table import CURRENT, FROM, HASH, TO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml_connector.load.schema import Column

    from target_snowflake_ml.sql.table import Table

_ENDS, _STANDS, _COMES = 0, 1, 2
"""Events of the same moment are in this order: ends, versions of the table, versions of the batch."""


def merge(table: Table, staged: str, settled: Mapping[str, Column]) -> list[str]:
    """Put a batch's versions into the table.

    Args:
        table: The table; its columns are those of the stream, the bookkeeping and the history's own.
        staged: The temporary table that holds the batch.
        settled: The table's columns as the warehouse has them.
    """
    names = [quoted(column.name) for column in table.columns]
    keys = [quoted(key) for key in table.keys]
    on = " AND ".join(f"t.{key} = s.{key}" for key in keys)
    inserts = ", ".join(names)
    place = (
        f"MERGE INTO {table.path} t USING ({_versions(table, staged, settled)}) s"
        f' ON {on} AND t."{FROM}" = s."{FROM}" AND t."{HASH}" = s."{HASH}" AND s."ML_EVENT" = {_STANDS}'
        f' WHEN MATCHED AND t."{TO}" IS DISTINCT FROM s."{TO}"'
        f' THEN UPDATE SET "{TO}" = s."{TO}", "{CURRENT}" = s."{CURRENT}",'
        ' "_SDC_DELETED_AT" = s."_SDC_DELETED_AT"'
        f' WHEN NOT MATCHED AND s."ML_EVENT" = {_COMES} THEN'
        f" INSERT ({inserts}) VALUES ({', '.join(f's.{name}' for name in names)})"
    )
    return [place, _seen_again(table, staged)]


def _versions(table: Table, staged: str, settled: Mapping[str, Column]) -> str:
    """Every version of the batch's keys, old and new, with the end it has now."""
    keys = ", ".join(quoted(key) for key in table.keys)
    order = f'PARTITION BY {keys} ORDER BY "{FROM}", "ML_EVENT", "_SDC_SEQUENCE"'
    computed = {TO: '"ML_UNTIL"', CURRENT: '"ML_UNTIL" IS NULL', "_SDC_DELETED_AT": '"ML_GONE"'}
    outer = ", ".join(
        f"{computed.get(column.name, quoted(column.name))} AS {quoted(column.name)}"
        for column in table.columns
    )
    return (
        f'SELECT {outer}, "ML_EVENT" FROM (SELECT *, LEAD("{FROM}") OVER ({order}) AS "ML_UNTIL",'
        f' LEAD(CASE WHEN "{HASH}" IS NULL THEN "{FROM}" END) OVER ({order}) AS "ML_GONE"'
        f' FROM (SELECT *, LAG("{HASH}") OVER ({order}) AS "ML_BEFORE"'
        f" FROM ({_events(table, staged, settled)}))"
        f' WHERE "ML_EVENT" <> {_COMES} OR "{HASH}" IS DISTINCT FROM "ML_BEFORE")'
        f' WHERE "{HASH}" IS NOT NULL'
    )


def _events(table: Table, staged: str, settled: Mapping[str, Column]) -> str:
    """The timeline: an event that ends a version has no hash."""
    keys = [quoted(key) for key in table.keys]
    stands = ", ".join(f"h.{quoted(column.name)}" for column in table.columns)
    ends = ", ".join(
        f"{_AT_END.get(column.name, f'h.{quoted(column.name)}')} AS {quoted(column.name)}"
        for column in table.columns
    )
    comes = ", ".join(
        f"{value(column, settled[column.name])} AS {quoted(column.name)}" for column in table.columns
    )
    same = " AND ".join(f"h.{key} = b.{key}" for key in keys)
    of_batch = f"EXISTS (SELECT 1 FROM {quoted(staged)} b WHERE {same})"
    last = f'PARTITION BY {", ".join(keys)}, "{FROM}" ORDER BY "_SDC_SEQUENCE" DESC'
    return (
        f'SELECT {stands}, {_STANDS} AS "ML_EVENT" FROM {table.path} h WHERE {of_batch}'
        f' UNION ALL SELECT {ends}, {_ENDS} AS "ML_EVENT" FROM {table.path} h'
        f' WHERE h."_SDC_DELETED_AT" IS NOT NULL AND {of_batch}'
        f' UNION ALL SELECT {comes}, {_COMES} AS "ML_EVENT" FROM {quoted(staged)}'
        f" QUALIFY ROW_NUMBER() OVER ({last}) = 1"
    )


_AT_END = {FROM: f'h."{TO}"', HASH: "NULL"}


def _seen_again(table: Table, staged: str) -> str:
    """An unchanged record adds no version, but the full read that brought it must not retire it."""
    keys = [quoted(key) for key in table.keys]
    same = " AND ".join(f"t.{key} = s.{key}" for key in keys)
    version = '"_SDC_TABLE_VERSION"'
    return (
        f"UPDATE {table.path} t SET {version} = s.{version}"
        f" FROM (SELECT {', '.join(keys)}, MAX({version}) AS {version} FROM {quoted(staged)}"
        f" GROUP BY {', '.join(keys)}) s"
        f' WHERE {same} AND t."{CURRENT}" AND (t.{version} IS NULL OR t.{version} < s.{version})'
    )


def adopt(table: Table) -> list[str]:
    """Make one version of each row of a table that was loaded otherwise before, with one row a key."""
    seen = 'COALESCE("_SDC_EXTRACTED_AT", "_SDC_RECEIVED_AT", "_SDC_BATCHED_AT")'
    versions = (
        f'UPDATE {table.path} SET "{FROM}" = {seen}, "{TO}" = "_SDC_DELETED_AT",'
        f' "{CURRENT}" = "_SDC_DELETED_AT" IS NULL, "{HASH}" = \'unknown\' WHERE "{FROM}" IS NULL'
    )
    return [f"ALTER TABLE {table.path} DROP PRIMARY KEY", versions]


def retire(table: Table, version: int) -> str:
    """End the current versions of what the newest full read did not bring."""
    return (
        f'UPDATE {table.path} SET "{TO}" = CURRENT_TIMESTAMP(), "{CURRENT}" = FALSE,'
        ' "_SDC_DELETED_AT" = CURRENT_TIMESTAMP()'
        f' WHERE "{CURRENT}" AND ("_SDC_TABLE_VERSION" IS NULL OR "_SDC_TABLE_VERSION" < {int(version)})'
    )
