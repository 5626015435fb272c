"""``doctor``: settings, sign-in, schemas and grants, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ml_connector.load.commands.cli import configured

if TYPE_CHECKING:
    from ml_connector.load.commands.cli import Operation

COLUMNS = ("result", "check", "says")


@click.command(name="doctor")
@configured
def command(operation: Operation) -> None:
    """Check one after the other what a run needs; exit code 1 if anything is missing.

    What is made on the way (a table, a schema where one is missing, a file on the stage) is removed again.
    """
    from ml_connector.load.doctor import examine  # noqa: PLC0415 - pyarrow, which help does not need

    with operation.target() as target:
        found = [each._asdict() for each in examine(target)]
    operation.show(found, COLUMNS)
    if any(each["result"] == "fail" for each in found):
        raise SystemExit(1)
