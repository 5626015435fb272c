"""``replay``: load the batches that lie in the spool because they could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ml_connector.load.commands.cli import configured

if TYPE_CHECKING:
    from ml_connector.load.commands.cli import Operation
    from ml_connector.load.replays import Outcome

OUTCOME = ("batch_id", "stream", "records", "outcome")


@click.command(name="replay")
@configured
@click.argument("batch_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every batch in the spool.")
@click.option("--list", "listed", is_flag=True, help="Only show what lies in the spool.")
def command(operation: Operation, batch_ids: tuple[str, ...], *, everything: bool, listed: bool) -> None:
    """Load batches that could not be loaded.

    Each goes where it was meant to go, whatever the settings say now, in one transaction and never twice: a
    batch that the ledger has as loaded is only tidied away. Rows that came since stay as they are, and what
    was deleted or read again since stays so. Exit code 1 if a batch could not be loaded.
    """
    # pyarrow, which help does not need
    from ml_connector.load import replays  # noqa: PLC0415
    from ml_connector.load.run import spool_of  # noqa: PLC0415

    outcomes: list[Outcome] = []
    with operation.target() as target:
        spool = spool_of(target.config)
        if listed:
            operation.show([each._asdict() for each in replays.waiting(spool)], OUTCOME)
            return
        if not batch_ids and not everything:
            raise click.UsageError("Give batch ids, or --all; --list shows what there is.")
        if chosen := spool.batch_ids() if everything else sorted(set(batch_ids)):
            with operation.run(target) as run:
                outcomes = replays.Replays(run, target.config).replay(chosen)
                failed = [each for each in outcomes if not each.done]
                if failed:
                    operation.failed = (
                        f"{len(failed)} of {len(outcomes)} batches were not replayed. {failed[0].batch_id}:"
                        f" {failed[0].outcome}"
                    )
    operation.show([each._asdict() for each in outcomes], OUTCOME)
    if not all(each.done for each in outcomes):
        raise SystemExit(1)
