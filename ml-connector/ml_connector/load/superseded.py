"""What was read before and is loaded late: which of it was deleted or read anew since."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from ml_connector.load.errors import LoadError
from ml_connector.load.partitions import partition_condition
from ml_connector.load.sql import merge
from ml_connector.load.sql.identifiers import listed, quoted
from ml_connector.load.sql.scd2 import LAST_SEEN

if TYPE_CHECKING:
    from ml_connector.load.connection import Statement
    from ml_connector.load.loader import Loader
    from ml_connector.load.location import StreamTable


def not_superseded(loader: Loader, place: StreamTable, sequence: int) -> Statement | None:
    """The condition on rows (``r``) that nothing after a sequence has superseded; None if nothing can have.

    Rows of the same key that came since need no condition: a late row gives way to them. Left out are rows

    - of partitions that a later complete read was of: it brought the row, or found that it is gone;
    - of documents that were read again since: their lines are all in the table, or lost;
    - whose key was removed since (``hard_delete``), as the ledger says while an older batch waits.

    Args:
        loader: A way to the warehouse and its ledger.
        place: Where the rows are to go.
        sequence: The greatest sequence of the rows.

    Raises:
        LoadError: If a later complete read was of partitions that the rows do not tell.
    """
    parts = [
        condition
        for condition in (
            _not_read_whole(loader, place, sequence),
            _not_read_again(place, sequence),
            _not_removed(loader, place, sequence),
        )
        if condition is not None
    ]
    if not parts:
        return None
    return " AND ".join(sql for sql, _ in parts), tuple(value for _, own in parts for value in own)


def _not_read_whole(loader: Loader, place: StreamTable, sequence: int) -> Statement | None:
    path = quoted(loader.ledger.schema, "BATCHES")
    sql = (
        f'SELECT DISTINCT "PARTITIONS" FROM {path} WHERE "TARGET_TABLE" = ? AND "PARTITIONS" IS NOT NULL'
        ' AND "SEQUENCE" > ? AND "STATUS" = \'loaded\''
    )
    ask = partial(loader.connection.execute, sql, (place.table.spoken, sequence))
    read = [
        partition
        for (text,) in loader.retrying("The ledger", ask)
        for partition in msgspec.json.decode(text, type=list[dict[str, object]])
    ]
    if not read:
        return None
    if not all(read):
        return "FALSE", ()  # everything was read whole since
    if unknown := sorted({name for partition in read for name in partition} - set(place.names)):
        raise LoadError(
            f"{place.table.spoken} was read whole since, by {', '.join(unknown)}, which these records do not"
            " have: nothing tells which of them are gone. Read the stream again instead.",
        )
    condition, parameters = partition_condition(place.table, place.names, read, loader.dialect)
    # of a row without a value the condition is neither true nor false
    return f"NOT COALESCE({condition}, FALSE)", parameters


def _not_read_again(place: StreamTable, sequence: int) -> Statement | None:
    table = place.table
    if not table.document_key:
        return None
    newer = '"_SDC_SEQUENCE" > ?'
    parameters: tuple[int, ...] = (sequence,)
    if LAST_SEEN in table.columns:
        newer, parameters = f"({newer} OR {quoted(LAST_SEEN.name)} > ?)", (sequence, sequence)
    documents = f"SELECT DISTINCT {listed(table.document_key)} FROM {table.path} WHERE {newer}"
    same = merge.same(table.document_key, "n", "r")
    return f"NOT EXISTS (SELECT 1 FROM ({documents}) n WHERE {same})", parameters


def _not_removed(loader: Loader, place: StreamTable, sequence: int) -> Statement | None:
    table = place.table
    if not table.keys or table.history:
        return None
    path = quoted(loader.ledger.schema, "DELETED_KEYS")
    count = f'SELECT COUNT(*) FROM {path} WHERE "TARGET_TABLE" = ? AND "SEQUENCE" > ?'
    parameters = (table.spoken, sequence)
    ask = partial(loader.connection.execute, count, parameters)
    if not loader.retrying("The ledger", ask)[0][0]:
        return None
    removed = f'SELECT "ROW_KEY" FROM {path} WHERE "TARGET_TABLE" = ? AND "SEQUENCE" > ?'
    return f"{merge.key_text(table.keys, 'r.')} NOT IN ({removed})", parameters


def forget_removed(loader: Loader, table: str, before: int | None) -> None:
    """Delete what the ledger keeps of removed keys for batches that do not wait any more.

    Args:
        loader: A way to the warehouse and its ledger.
        table: The table, as ``SCHEMA.TABLE``.
        before: The least of the greatest sequences of batches that still wait; None if none does.
    """
    path = quoted(loader.ledger.schema, "DELETED_KEYS")
    sql, parameters = f'DELETE FROM {path} WHERE "TARGET_TABLE" = ?', [table]
    if before is not None:
        sql += f' AND "SEQUENCE" <= {int(before)}'
    loader.retrying("The ledger", partial(loader.connection.execute, sql, parameters))


def loading_method_of(loader: Loader, table: str) -> str | None:
    """How a table was loaded last; None if nothing says."""
    path = quoted(loader.ledger.schema, "BATCHES")
    sql = (
        f'SELECT "LOAD_METHOD" FROM {path} WHERE "TARGET_TABLE" = ?'
        " AND \"STATUS\" IN ('loaded', 'replayed')"
        ' ORDER BY "SEQUENCE" DESC LIMIT 1'
    )
    rows = loader.retrying("The ledger", partial(loader.connection.execute, sql, (table,)))
    return str(rows[0][0]) if rows else None
