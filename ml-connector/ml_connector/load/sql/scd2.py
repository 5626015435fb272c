"""``scd2``: every version that a record ever had, as pure functions from names to statements.

A key's timeline is made of events in the order of time: a version begins, or a version ends because the
record was deleted. What the table has and what the batch brings are put on one timeline; a version lasts
until the next event. One that comes twice, or unchanged, adds nothing.

What arrives later is newer, whatever the clocks say: an event that bears an earlier moment than one that
arrived before it is put just after that one. Only in a replay, which brings what was read before, does a
record take its place between the versions that are there. And what is carried out late, after what arrived
after it, is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.load.schema import Column, Kind
from ml_connector.load.sql.identifiers import listed, quoted
from ml_connector.load.sql.merge import MOMENT, documents_of, same
from ml_connector.load.sql.staged import DOCUMENT_READ
from ml_connector.load.sql.table import CURRENT, FROM, HASH, TO

if TYPE_CHECKING:
    from ml_connector.load.connection import Statement
    from ml_connector.load.sql.dialect import Dialect
    from ml_connector.load.sql.merge import Loading
    from ml_connector.load.sql.table import Table

LAST_SEEN = Column("_ML_LAST_SEEN", Kind.INTEGER, 38, 0)
"""Sequence of the last record that showed a version; only of lines whose documents are read whole."""

_ENDS, _STANDS, _COMES = 0, 1, 2
"""Events of the same moment are in this order: ends, versions of the table, versions of the batch."""


def merge(loading: Loading) -> list[Statement]:
    """Put a batch's versions into the table."""
    table = loading.table
    names = [column.name for column in table.columns]
    versions, parameters = _versions(loading)
    on = f'{same(table.keys, "t", "s")} AND t."{FROM}" = s."{FROM}" AND t."{HASH}" = s."{HASH}"'
    place = (
        f'MERGE INTO {table.path} t USING ({versions}) s ON {on} AND s."ML_EVENT" = {_STANDS}'
        f' WHEN MATCHED AND t."{TO}" IS DISTINCT FROM s."{TO}"'
        f' THEN UPDATE SET "{TO}" = s."{TO}", "{CURRENT}" = s."{CURRENT}",'
        ' "_SDC_DELETED_AT" = s."_SDC_DELETED_AT"'
        f' WHEN NOT MATCHED AND s."ML_EVENT" = {_COMES} THEN'
        f" INSERT ({listed(names)}) VALUES ({listed(names, 's.')})"
    )
    return [(place, parameters), _seen_again(loading)]


def _versions(loading: Loading) -> Statement:
    """Every version of the batch's keys, old and new, with the end it has now."""
    table = loading.table
    order = f'PARTITION BY {listed(table.keys)} ORDER BY "{FROM}", "ML_EVENT", "_SDC_SEQUENCE"'
    computed = {TO: '"ML_UNTIL"', CURRENT: '"ML_UNTIL" IS NULL', "_SDC_DELETED_AT": '"ML_GONE"'}
    outer = ", ".join(
        f"{computed.get(column.name, quoted(column.name))} AS {quoted(column.name)}"
        for column in table.columns
    )
    events, parameters = _events(loading)
    sql = (
        f'SELECT {outer}, "ML_EVENT" FROM (SELECT e.*, LEAD("{FROM}") OVER ({order}) AS "ML_UNTIL",'
        f' LEAD(CASE WHEN "{HASH}" IS NULL THEN "{FROM}" END) OVER ({order}) AS "ML_GONE"'
        f' FROM (SELECT f.*, LAG("{HASH}") OVER ({order}) AS "ML_BEFORE" FROM ({events}) f) e'
        f' WHERE "ML_EVENT" <> {_COMES} OR "{HASH}" IS DISTINCT FROM "ML_BEFORE") g'
        f' WHERE "{HASH}" IS NOT NULL'
    )
    return sql, parameters


def _events(loading: Loading) -> Statement:
    """The timeline: an event that ends a version has no hash."""
    table = loading.table
    names = [column.name for column in table.columns]
    query, parameters = loading.select()
    last = f'PARTITION BY {listed(table.keys)}, "{FROM}" ORDER BY "_SDC_SEQUENCE" DESC'
    # of one moment the last record counts
    batch = (
        f'SELECT {listed(names)} FROM (SELECT a.*, ROW_NUMBER() OVER ({last}) AS "ML_LAST" FROM ({query}) a)'
        ' b WHERE "ML_LAST" = 1'
    )
    ends = ", ".join(f"{_AT_END.get(name, f'h.{quoted(name)}')} AS {quoted(name)}" for name in names)
    comes = listed(names, "c.") if loading.late else _in_order_of_arrival(loading, names)
    of_batch = f"EXISTS (SELECT 1 FROM ML_BATCH k WHERE {same(table.keys, 'h', 'k')})"
    return (
        f"WITH ML_BATCH AS ({batch})"
        f' SELECT {listed(names, "h.")}, {_STANDS} AS "ML_EVENT" FROM {table.path} h WHERE {of_batch}'
        f' UNION ALL SELECT {ends}, {_ENDS} AS "ML_EVENT" FROM {table.path} h'
        f' WHERE h."_SDC_DELETED_AT" IS NOT NULL AND {of_batch}'
        f' UNION ALL SELECT {comes}, {_COMES} AS "ML_EVENT" FROM ML_BATCH c'
        + ("" if loading.late else _newest_event(loading) + _not_repeated(loading)),
        parameters,
    )


_AT_END = {FROM: f'h."{TO}"', HASH: "CAST(NULL AS VARCHAR)"}


def _newest_event(loading: Loading) -> str:
    """Join the moment of the last event that the table has of each key, and its arrival."""
    table = loading.table
    newest = (
        f'MAX(CASE WHEN "{TO}" > "{FROM}" THEN "{TO}" ELSE "{FROM}" END) AS "ML_NEWEST",'
        ' MAX("_SDC_SEQUENCE") AS "ML_ARRIVED"'
    )
    keys = listed(table.keys)
    return (
        f" LEFT JOIN (SELECT {keys}, {newest} FROM {table.path} GROUP BY {keys}) n"
        f" ON {same(table.keys, 'c', 'n')}"
    )


def _not_repeated(loading: Loading) -> str:
    """Leave out what the table has just so: a record that comes again with its moment is no news.

    Nor is one that arrived before what the table has.
    """
    table = loading.table
    keys, first = same(table.keys, "c", "p"), quoted(table.keys[0])
    ended = same(table.keys, "c", "q")
    return (
        f' LEFT JOIN {table.path} p ON {keys} AND p."{FROM}" = c."{FROM}" AND p."{HASH}" = c."{HASH}"'
        f' LEFT JOIN {table.path} q ON {ended} AND q."{TO}" = c."{FROM}" AND q."_SDC_DELETED_AT" IS NOT NULL'
        f' AND c."{HASH}" IS NULL'
        f" WHERE p.{first} IS NULL AND q.{first} IS NULL"
        ' AND (n."ML_ARRIVED" IS NULL OR n."ML_ARRIVED" < c."_SDC_SEQUENCE")'
    )


def _in_order_of_arrival(loading: Loading, names: list[str]) -> str:
    """The batch's columns, with no version that begins before one that arrived before it."""
    dialect, keys = loading.dialect, listed(loading.table.keys, "c.")
    before = (
        f'MAX(c."{FROM}") OVER (PARTITION BY {keys} ORDER BY c."_SDC_SEQUENCE"'
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    lifted = f'c."{FROM}"'
    for floor in (before, 'n."ML_NEWEST"'):
        lifted = f"CASE WHEN {floor} >= {lifted} THEN {dialect.just_after(floor)} ELSE {lifted} END"
    return ", ".join(
        f'{lifted} AS "{FROM}"' if name == FROM else f"c.{quoted(name)} AS {quoted(name)}" for name in names
    )


def _seen_again(loading: Loading) -> Statement:
    """An unchanged record adds no version, but the full read that brought it must not end it."""
    table = loading.table
    version, seen = '"_SDC_TABLE_VERSION"', quoted(LAST_SEEN.name)
    query, parameters = loading.select([*table.keys, "_SDC_TABLE_VERSION", "_SDC_SEQUENCE"])
    newer = f"(t.{version} IS NULL OR t.{version} < s.{version})"
    sets = f"{version} = COALESCE(s.{version}, t.{version})"
    if LAST_SEEN in table.columns:
        newer = f'({newer} OR COALESCE(t.{seen}, t."_SDC_SEQUENCE") < s.{seen})'
        sets += f", {seen} = s.{seen}"
    sql = (
        f"UPDATE {table.path} AS t SET {sets}"
        f' FROM (SELECT {listed(table.keys)}, MAX({version}) AS {version}, MAX("_SDC_SEQUENCE") AS {seen}'
        f" FROM ({query}) a GROUP BY {listed(table.keys)}) s"
        f' WHERE {same(table.keys, "t", "s")} AND t."{CURRENT}" AND {newer}'
    )
    return sql, parameters


def lost_lines(loading: Loading) -> Statement:
    """End the current versions of lines that the batch's documents no longer have."""
    table, dialect = loading.table, loading.dialect
    documents, parameters = documents_of(loading)
    deleted = dialect.from_text(MOMENT, "?")
    read, seen = quoted(DOCUMENT_READ.name), quoted(LAST_SEEN.name)
    ended = f'CASE WHEN {deleted} > t."{FROM}" THEN {deleted} ELSE t."{FROM}" END'
    statement = (
        f'UPDATE {table.path} AS t SET "{TO}" = {ended}, "{CURRENT}" = FALSE, "_SDC_DELETED_AT" = {deleted}'
        f" FROM ({documents}) d WHERE {same(table.document_key, 't', 'd')}"
        f' AND t."{CURRENT}" AND COALESCE(t.{seen}, t."_SDC_SEQUENCE") < d.{read}'
    )
    return statement, (loading.moment,) * 3 + parameters


def absent_rows(
    table: Table, dialect: Dialect, version: int, partitions: Statement | None, *, moment: str
) -> Statement:
    """End the current versions of what a complete read did not bring; arguments as for ``upsert``."""
    deleted = dialect.from_text(MOMENT, "?")
    statement = (
        f'UPDATE {table.path} SET "{TO}" = CASE WHEN {deleted} > "{FROM}" THEN {deleted} ELSE "{FROM}" END,'
        f' "{CURRENT}" = FALSE, "_SDC_DELETED_AT" = {deleted}'
        f' WHERE "{CURRENT}" AND ("_SDC_TABLE_VERSION" IS NULL OR "_SDC_TABLE_VERSION" < {int(version)})'
    )
    if partitions is None:
        return statement, (moment,) * 3
    return f"{statement} AND {partitions[0]}", (*(moment,) * 3, *partitions[1])
