"""``reconcile``: the source's control totals beside the warehouse's, to the last digit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
import msgspec
from ml_connector.load.errors import LoadError
from ml_connector.load.schema import columns_of
from ml_connector.load.totals import compared, folded, read_totals

from target_snowflake_ml.commands.group import configured, show, target_of
from target_snowflake_ml.home import home_of
from target_snowflake_ml.ledger import now, stamp
from target_snowflake_ml.sql import ledger as sql
from target_snowflake_ml.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml_connector.load.totals import Difference, Totals

    from target_snowflake_ml.connections import Connection
    from target_snowflake_ml.loader import Loader
    from target_snowflake_ml.target import TargetSnowflakeML

COLUMNS = ("stream", "source_company", "period", "measure", "source_value", "warehouse_value", "difference")
_ROWS_AT_ONCE = 100
COMPANY = "source_company"


@click.command(name="reconcile")
@configured
@click.argument("totals", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stream", multiple=True, help="Only this stream; may be given more than once.")
@click.option("--all", "everything", is_flag=True, help="Print what agrees too.")
def command(
    config: Sequence[str], style: str, totals: Path, stream: tuple[str, ...], *, everything: bool
) -> None:
    """Compare the warehouse with TOTALS, a JSON file that a tap's --control-totals printed.

    Counts and sums by company and period, without deleted rows. Every figure is written to RECONCILIATIONS;
    what differs is printed, and makes the exit code 1.
    """
    with target_of(config) as target:
        documents = [each for each in read_totals(totals) if not stream or each.stream in stream]
        if missing := sorted(set(stream) - {each.stream for each in documents}):
            raise LoadError(f"{totals} has no totals of {', '.join(missing)}.")
        loader = target.open_loader()
        try:
            for statement in sql.create(target.audit_schema):
                loader.connection.execute(statement)
            names = _columns_of_streams(target, loader.connection)
            found = [
                (each.stream, difference)
                for each in documents
                for difference in _compare(loader.connection, each, names)
            ]
            _keep(loader, found)
        finally:
            loader.connection.close()
        wrong = [(name, difference) for name, difference in found if not difference.agrees]
        show(
            [_row(name, difference) for name, difference in (found if everything else wrong)], COLUMNS, style
        )
        click.echo(f"{len(found) - len(wrong):,} of {len(found):,} control totals agree.", err=True)
        if wrong:
            raise SystemExit(1)


def _columns_of_streams(
    target: TargetSnowflakeML, connection: Connection
) -> dict[str, tuple[str, dict[str, str]]]:
    """Table path, and property to column, of every stream that was ever loaded."""
    found = {}
    for stream, schema, keys, _ in connection.execute(sql.newest_schemas(target.audit_schema)):
        key_properties = msgspec.json.decode(keys)
        columns = columns_of(
            msgspec.json.decode(schema),
            number_type=target.config["number_type"],
            key_properties=key_properties,
        )
        home = home_of(stream, columns, key_properties, target.config)
        found[str(stream)] = (home.table.path, home.names)
    return found


def _compare(
    connection: Connection,
    totals: Totals,
    names: dict[str, tuple[str, dict[str, str]]],
) -> list[Difference]:
    if totals.stream not in names:
        return compared(totals, {})  # nothing of it was ever loaded
    path, columns = names[totals.stream]
    wanted = [COMPANY, *(name for pair in totals.fiscal for name in pair), *totals.dates, *totals.measures]
    if unknown := [name for name in wanted if name not in columns and name != COMPANY]:
        raise LoadError(
            f"The totals of '{totals.stream}' are of {', '.join(unknown)}, which its table does not have."
            " Take them with the catalog that the pipeline uses."
        )
    by = [quoted(columns[COMPANY]) if COMPANY in columns else "NULL"]
    by += [quoted(columns[name]) for pair in totals.fiscal for name in pair]
    by += [f"TO_CHAR({quoted(columns[name])}, 'YYYY-MM')" for name in totals.dates]
    sums = "".join(f", SUM({quoted(columns[name])})" for name in totals.measures)
    query = (
        f'SELECT {", ".join(by)}, COUNT(*){sums} FROM {path} WHERE "_SDC_DELETED_AT" IS NULL'
        f" GROUP BY {', '.join(str(place) for place in range(1, len(by) + 1))}"
    )
    return compared(totals, folded(connection.execute(query), totals))


def _row(stream: str, difference: Difference) -> dict[str, Any]:
    source, warehouse = difference.source, difference.warehouse
    return {
        "stream": stream,
        "source_company": difference.place.company,
        "period": difference.place.period,
        "measure": difference.place.measure,
        "source_value": source,
        "warehouse_value": warehouse,
        "difference": (warehouse or 0) - (source or 0),
    }


def _keep(loader: Loader, found: Sequence[tuple[str, Difference]]) -> None:
    """Write every figure down, under one id."""
    reconciliation, moment = uuid4().hex, stamp(now())
    rows = [
        {
            "RECONCILIATION_ID": reconciliation,
            **{name.upper(): _text(value) for name, value in _row(stream, difference).items()},
            "STATUS": "agrees" if difference.agrees else "differs",
            "CHECKED_AT": moment,
        }
        for stream, difference in found
    ]
    chunks = [rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]
    loader.execute_all([sql.insert(loader.ledger.schema, "RECONCILIATIONS", chunk) for chunk in chunks])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
