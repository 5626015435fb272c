"""A target over DuckDB and its commands, in this process."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))

from duckdb_warehouse import TargetDuckDB  # noqa: E402
from ml_connector.load.commands.cli import commands_of  # noqa: E402

PROPERTIES = {
    "id": {"type": "integer"},
    "source_company": {"type": ["string", "null"]},
    "VendorName": {"type": ["string", "null"]},
    "Amount": {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3},
}


def schema(stream="bills", properties=None, keys=("id",), **more):
    return {
        "type": "SCHEMA", "stream": stream, "key_properties": list(keys), **more,
        "schema": {"type": "object", "properties": properties or PROPERTIES},
    }  # fmt: skip


def record(number, name="a", amount=1, stream="bills", more=None, **message):
    values = {"id": number, "VendorName": name, "Amount": amount, **(more or {})}
    return {"type": "RECORD", "stream": stream, "record": values, **message}


def activate(version, stream="bills", **more):
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version, **more}


STATE = {"type": "STATE", "value": {"bookmarks": {"bills": {"replication_key_value": "1"}}}}


class Warehouse:
    """One database, its target's settings, and what is done with them."""

    target = TargetDuckDB

    def __init__(self, folder):
        self.folder = folder
        self.settings = {
            "path": str(folder / "db"), "spool_dir": str(folder / "spool"), "default_target_schema": "BOOKS",
            "max_retry_time": 0,
        }  # fmt: skip

    def load(self, *messages, **settings):
        """Load messages; gives the error that ended the run, if one did."""
        target = self.target(config={**self.settings, **settings})
        text = b"\n".join(m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages) + b"\n"
        try:
            target.listen(io.BytesIO(text))
        except Exception as error:
            return error
        finally:
            target.database.close()
        return None

    def operate(self, *words, settings=None, style="json", code=0, before=(), stdin=None):
        """Run a command; gives what it printed, as JSON where it is."""
        config = self.folder / "config.json"
        config.write_text(json.dumps({**self.settings, **(settings or {})}))
        words = [*before, *map(str, words), "--config", str(config), *(["--format", style] if style else [])]
        made = []
        outer = self

        class Target(self.target):
            def __init__(self, **arguments):
                super().__init__(**arguments)
                made.append(self)
                outer.last = self

        try:
            result = CliRunner().invoke(commands_of(Target), words, input=stdin)
        finally:
            for target in made:
                if "database" in target.__dict__:
                    target.database.close()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.errors = result.stderr
        assert result.exit_code == code, result.output
        if style == "json" and result.stdout.strip():
            return json.loads(result.stdout, parse_float=Decimal)
        return result.stdout

    def query(self, sql):
        with duckdb.connect(str(self.folder / "db")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return (
                connection.sql(sql).fetchall()
                if sql.lower().startswith("select")
                else connection.execute(sql)
            )

    def rows(self, *columns, table="BOOKS.bills", where="TRUE"):
        names = ", ".join(f'"{column}"' for column in columns)
        schema, _, name = table.partition(".")
        return self.query(f'SELECT {names} FROM "{schema}"."{name.upper()}" WHERE {where} ORDER BY ALL')

    def audit(self, table, *columns, where="TRUE"):
        return self.rows(*columns, table=f"ML_AUDIT.{table}", where=where)

    @property
    def spooled(self):
        return sorted(path.name for path in (self.folder / "spool").glob("*.json*"))

    def block(self, table="BILLS", schema="BOOKS"):
        """Have a table refuse every row."""
        self.query(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        self.query(f'CREATE TABLE IF NOT EXISTS "{schema}"."{table}" ("THEIRS" VARCHAR)')
        self.query(f'ALTER TABLE "{schema}"."{table}" ADD COLUMN IF NOT EXISTS "THEIRS" VARCHAR')
        self.query(f'UPDATE "{schema}"."{table}" SET "THEIRS" = \'x\'')
        self.query(f'ALTER TABLE "{schema}"."{table}" ALTER COLUMN "THEIRS" SET NOT NULL')

    def unblock(self, table="BILLS", schema="BOOKS"):
        self.query(f'ALTER TABLE "{schema}"."{table}" ALTER COLUMN "THEIRS" DROP NOT NULL')


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path)
