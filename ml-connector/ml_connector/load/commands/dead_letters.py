"""``dead-letters``: look at what was rejected, correct it, load it, or let it go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ml_connector.load.commands.cli import configured
from ml_connector.load.errors import LoadError
from ml_connector.load.sql import audit
from ml_connector.load.sql.identifiers import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml_connector.load.commands.cli import Operation
    from ml_connector.load.corrections import Outcome
    from ml_connector.load.lookup import Lookup

LISTED = (
    "DEAD_LETTER_ID",
    "STREAM",
    "ERROR_KIND",
    "ERROR_PATH",
    "RECEIVED_AT",
    "STATUS",
    "ATTEMPTS",
    "ERROR_MESSAGE",
)
SHOWN = tuple(column.name for column in audit.COLUMNS["DEAD_LETTERS"])
OUTCOME = ("stream", "replayed", "rejected_again", "superseded")
KINDS = "type, decimal, missing_key, required, format, too_long, too_deep, encoding, syntax, message"
_AT_ONCE = 1_000


@click.group(name="dead-letters")
def command() -> None:
    """Look at rejected records, correct them, load them, or let them go."""


def _filtered(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--run", help="Only of this run."),
        click.option("--kind", help=f"Only with this error: {KINDS}."),
        click.option("--stream", help="Only of this stream."),
    ):
        function = option(function)
    return function


@command.command(name="list")
@configured
@_filtered
@click.option("--status", default="open", show_default=True, help="open, replayed, discarded or all.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
def list_(operation: Operation, limit: int, **wanted: str | None) -> None:
    """List dead letters, the newest first."""
    with operation.target() as target, operation.lookup(target) as lookup:
        found = _find(lookup, [], wanted, f'ORDER BY "DEAD_LETTER_ID" DESC LIMIT {int(limit)}')
        operation.show(found, LISTED)


@command.command(name="show")
@configured
@click.argument("dead_letter_id")
def show_(operation: Operation, dead_letter_id: str) -> None:
    """Show one with its record, as it came."""
    with operation.target() as target, operation.lookup(target) as lookup:
        (letter,) = _find(lookup, [dead_letter_id], {"status": "all"})
        if operation.style == "json":
            operation.show([letter], SHOWN)
            return
        record = str(letter.pop("RECORD"))
        operation.show_pairs(letter, [name for name in SHOWN if name in letter])
        click.echo(f"\n{record}")


@command.command()
@configured
@_filtered
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All open ones.")
def discard(operation: Operation, ids: tuple[str, ...], *, everything: bool, **wanted: str | None) -> None:
    """Mark open dead letters as not to be loaded; they stay in the table."""
    _some(ids, wanted, everything=everything)
    with operation.target() as target:
        with operation.lookup(target) as lookup:
            found = _find(lookup, ids, {**wanted, "status": "open"})
            for start in range(0, len(found), _AT_ONCE):
                some = found[start : start + _AT_ONCE]
                _discard(lookup, [str(letter["DEAD_LETTER_ID"]) for letter in some])
        operation.show([{"discarded": len(found)}], ("discarded",))


def _discard(lookup: Lookup, ids: Sequence[str]) -> None:
    from ml_connector.load.clock import exact_moment, now  # noqa: PLC0415

    moment = exact_moment(now())
    rows = [{"DEAD_LETTER_ID": id_, "STATUS": "discarded", "RESOLVED_AT": moment} for id_ in ids]
    statement = audit.update_each(
        lookup.dialect,
        lookup.audit_schema,
        "DEAD_LETTERS",
        "DEAD_LETTER_ID",
        rows,
        where="t.\"STATUS\" = 'open'",
    )
    lookup.connection.transaction([statement])


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
    operation: Operation,
    ids: tuple[str, ...],
    *,
    everything: bool,
    record: Path | None,
    **wanted: str | None,
) -> None:
    """Judge open dead letters by the newest schema of their stream, and load those that follow it.

    They go to the table that their stream was loaded into at the time. A row of the same key that came after
    the rejected record is newer, and stays as it is; what was deleted or read again since stays so
    (superseded).
    """
    from ml_connector.load.corrections import Corrections  # noqa: PLC0415 - pyarrow

    _some(ids, wanted, everything=everything)
    if record is not None and len(ids) != 1:
        raise click.UsageError("--record goes with the id of one dead letter.")
    outcomes: list[Outcome] = []
    with operation.target() as target:
        with operation.lookup(target) as lookup:
            letters = _find(lookup, ids, {**wanted, "status": "open"})
        if record is not None:
            letters[0]["RECORD"] = _corrected(record)
        if letters:
            with operation.run(target) as run:
                outcomes = Corrections(run, target.config).load(letters)
        operation.show([each._asdict() for each in outcomes], OUTCOME)


def _some(ids: Sequence[str], wanted: dict[str, str | None], *, everything: bool) -> None:
    if not ids and not everything and not any(wanted.values()):
        raise click.UsageError("Give ids, --stream, --run, --kind, or --all.")


def _find(
    lookup: Lookup,
    ids: Sequence[str],
    wanted: dict[str, str | None],
    order: str = 'ORDER BY "DEAD_LETTER_ID"',
) -> list[dict[str, Any]]:
    columns = {"run": "RUN_ID", "kind": "ERROR_KIND", "stream": "STREAM", "status": "STATUS"}
    where, values = ["1 = 1"], []
    for name, value in wanted.items():
        if value and value != "all":
            where.append(f"{quoted(columns[name])} = ?")
            values.append(value)
    if ids:
        where.append(f'"DEAD_LETTER_ID" IN ({audit.marks(len(ids))})')
        values += ids
    source = lookup.ledger_rows("DEAD_LETTERS")
    sql = f"SELECT {listed(SHOWN)} FROM {source} d WHERE {' AND '.join(where)} {order}"
    found = lookup.select(sql, values, SHOWN)
    if missing := sorted(set(ids) - {letter["DEAD_LETTER_ID"] for letter in found}):
        status = f"{wanted['status']} " if wanted.get("status") not in {None, "all"} else ""
        raise LoadError(f"There is no {status}dead letter {', '.join(missing)} in {lookup.audit_schema}.")
    return found


def _corrected(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError as error:
        raise LoadError(f"{path} is not one JSON object: {error}.") from error
    return text
