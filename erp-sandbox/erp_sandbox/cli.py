"""The ``erp-sandbox`` command."""

from __future__ import annotations

import click

from erp_sandbox.business.cli import advance
from erp_sandbox.intacct.cli import intacct
from erp_sandbox.sage300.cli import sage300
from erp_sandbox.sagex3.cli import sagex3
from erp_sandbox.snowflake.cli import snowflake


@click.group()
@click.version_option(package_name="erp-sandbox")
def main() -> None:
    """Run pipelines without an ERP or a Snowflake account."""


@main.group()
def serve() -> None:
    """Serve one simulator until interrupted."""


serve.add_command(sage300)
serve.add_command(intacct)
serve.add_command(sagex3)
serve.add_command(snowflake)
main.add_command(advance)

if __name__ == "__main__":
    main()
