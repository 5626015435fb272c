"""``reconcile``: the source's control totals beside the warehouse's, to the last digit."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
import msgspec

from ml_connector.load.commands.cli import configured
from ml_connector.load.errors import LoadError
from ml_connector.load.reconcile import COMPANY, compared, folded, read_totals, totals_query
from ml_connector.load.sql import audit
from ml_connector.load.sql.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml_connector.load.commands.cli import Operation
    from ml_connector.load.lookup import Lookup
    from ml_connector.load.reconcile import Difference, Totals
    from ml_connector.load.schema import Column
    from ml_connector.load.sql.dialect import Existing

COLUMNS = ("stream", "source_company", "period", "measure", "source_value", "warehouse_value", "difference")
_ROWS_AT_ONCE = 1_000
_TOTALS = "--control-totals"


@click.command(name="reconcile")
@configured
@click.argument("totals", required=False)
@click.option(
    "--tap",
    metavar="COMMAND",
    help=f"Run this tap command with {_TOTALS}, of what was loaded last, and compare what it prints:"
    ' --tap "tap-sage300 --config sage300.json".',
)
@click.option("--stream", multiple=True, help="Only this stream; may be given more than once.")
@click.option("--all", "everything", is_flag=True, help="Print what agrees too.")
def command(
    operation: Operation, totals: str | None, tap: str | None, stream: tuple[str, ...], *, everything: bool
) -> None:
    """Compare the warehouse with TOTALS, a JSON file that a tap's --control-totals printed; - reads it.

    Counts and sums by company and period, without deleted rows. Every figure is written to RECONCILIATIONS;
    what differs is printed, and makes the exit code 1.
    """
    if (totals is None) == (tap is None):
        raise click.UsageError("Give a file of control totals, or - for the input, or --tap.")
    with operation.target() as target, operation.lookup(target) as lookup:
        text, origin = _taken(lookup, tap) if tap else _read(str(totals))
        documents = [each for each in read_totals(text, origin) if not stream or each.stream in stream]
        if missing := sorted(set(stream) - {each.stream for each in documents}):
            raise LoadError(f"{origin} has no totals of {', '.join(missing)}.")
        found = [(each.stream, difference) for each in documents for difference in _compare(lookup, each)]
        _keep(lookup, found)
        wrong = [(name, difference) for name, difference in found if not difference.agrees]
        operation.show([_row(*each) for each in (found if everything else wrong)], COLUMNS)
    click.echo(f"{len(found) - len(wrong):,} of {len(found):,} control totals agree.", err=True)
    if wrong:
        raise SystemExit(1)


def _read(name: str) -> tuple[bytes, str]:
    if name == "-":
        return sys.stdin.buffer.read(), "The input"
    try:
        return Path(name).read_bytes(), name
    except OSError as error:
        raise LoadError(f"{name} cannot be read: {error.strerror}.") from error


def _taken(lookup: Lookup, tap: str) -> tuple[bytes, str]:
    """Have a tap print its control totals, of the streams and fields that were loaded last."""
    words = shlex.split(tap)
    with tempfile.TemporaryDirectory() as folder:
        if not any(word.partition("=")[0] in {"--catalog", "--properties"} for word in words):
            catalog = Path(folder) / "catalog.json"
            catalog.write_bytes(msgspec.json.encode(_catalog(lookup)))
            words += ["--catalog", str(catalog)]
        if _TOTALS not in words:
            words.append(_TOTALS)
        try:
            done = subprocess.run(words, capture_output=True, check=False)
        except OSError as error:
            raise LoadError(f"{words[0]} cannot be run: {error.strerror}.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise LoadError(
            f"{words[0]} ended with exit code {done.returncode}: {said[-1] if said else 'no word'}"
        )
    return done.stdout, words[0]


def _catalog(lookup: Lookup) -> dict[str, Any]:
    """A Singer catalog that selects what was loaded last."""
    streams = []
    for stream, seen in lookup.schemas.items():
        schema = msgspec.json.decode(seen.schema, type=dict[str, Any])
        fields = [
            {"breadcrumb": ["properties", name], "metadata": {"selected": True}}
            for name in schema.get("properties") or {}
        ]
        streams.append(
            {
                "tap_stream_id": stream,
                "stream": stream,
                "schema": schema,
                "key_properties": seen.key_properties,
                "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}, *fields],
            }
        )
    return {"streams": streams}


def _compare(lookup: Lookup, totals: Totals) -> list[Difference]:
    place = lookup.table_of(totals.stream)
    if place is None:
        return compared(totals, {})  # nothing of it was ever loaded
    schema, name = place
    existing = (lookup.tables_of(schema) or {}).get(name)
    if existing is None:
        raise LoadError(
            f"Stream '{totals.stream}' was loaded into {schema}.{name}, which is not there any more."
        )
    columns = _columns(lookup, totals, existing, f"{schema}.{name}")
    query = totals_query(quoted(schema, name), totals, columns, existing.columns, lookup.dialect)
    return compared(totals, folded(lookup.connection.execute(*query), totals))


def _columns(lookup: Lookup, totals: Totals, existing: Existing, table: str) -> Mapping[str, Column]:
    """The columns of what the totals are of."""
    wanted = [COMPANY, *(name for pair in totals.fiscal for name in pair), *totals.dates, *totals.measures]
    found: dict[str, Column] = {}
    unknown = []
    for name in wanted:
        column = lookup.column_of(totals.stream, name, existing.columns)
        own = lookup.column(column, existing) if column else None
        if own is not None:
            found[name] = own
        elif name != COMPANY:
            unknown.append(name)
    if unknown:
        raise LoadError(
            f"The totals of '{totals.stream}' are of {', '.join(unknown)}, which {table} does not have."
            " Take them with the catalog that the pipeline uses."
        )
    return found


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


def _keep(lookup: Lookup, found: Sequence[tuple[str, Difference]]) -> None:
    """Write every figure down, under one id."""
    from ml_connector.load.catalog import Catalog  # noqa: PLC0415 - what help need not wait for
    from ml_connector.load.clock import exact_moment, now  # noqa: PLC0415

    dialect, schema = lookup.dialect, lookup.audit_schema
    Catalog(dialect, lambda *_: None).ensure(lookup.connection, audit.table_of(schema, "RECONCILIATIONS"))
    reconciliation, moment = uuid4().hex, exact_moment(now())
    rows = [
        {
            "RECONCILIATION_ID": reconciliation,
            **{name.upper(): value for name, value in _row(stream, difference).items()},
            "STATUS": "agrees" if difference.agrees else "differs",
            "CHECKED_AT": moment,
        }
        for stream, difference in found
    ]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        lookup.connection.execute(*audit.insert(dialect, schema, "RECONCILIATIONS", some))
