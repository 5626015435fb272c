"""One line for each thing that a run needs."""

from __future__ import annotations

from duckdb_warehouse import DuckDBConnection, TargetDuckDB
from ml_connector.load.clock import new_run_id
from ml_connector.load.checks import Checks, RefusedError
from ml_connector.load.errors import LoadError

from .conftest import record, schema


def examine(warehouse, code=0, **settings):
    found = warehouse.operate("doctor", settings=settings, code=code)
    return {each["check"]: (each["result"], each["says"]) for each in found}


def granting(*, schemas=True, tables=True, rows=True):
    """A target whose role may do only so much."""

    class Connection(DuckDBConnection):
        def execute(self, sql, parameters=()):
            refused = (
                (not schemas and sql.startswith("CREATE SCHEMA"))
                or (not tables and sql.startswith("CREATE TABLE"))
                or (not rows and sql.startswith(("INSERT", "UPDATE", "DELETE")))
            )
            if refused:
                raise LoadError("Insufficient privileges.")
            return super().execute(sql, parameters)

    class Target(TargetDuckDB):
        def connect(self, what):
            return Connection(self.database, self.turn)

    return Target


def test_all_is_well_before_the_first_run_and_nothing_stays(warehouse):
    found = examine(warehouse)
    assert {result for result, _ in found.values()} == {"ok"}, found
    assert list(found) == ["settings", "spool folder", "login", "schema BOOKS", "schema ML_AUDIT"]
    assert "not there yet" in found["schema BOOKS"][1]
    left = "SELECT schema_name FROM duckdb_schemas() WHERE schema_name LIKE 'ML%' OR schema_name = 'BOOKS'"
    assert warehouse.query(left) == []


def test_all_is_well_after_it_and_nothing_stays(warehouse):
    assert warehouse.load(schema(), record(1)) is None
    found = examine(warehouse, default_target_schema=None)
    assert {result for result, _ in found.values()} == {"ok"}, found
    assert "1 of its tables were tried" in found["schema BOOKS"][1]
    assert warehouse.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'BOOKS'") == [
        ("BILLS",)
    ]
    assert warehouse.rows("ID") == [(1,)]


def test_a_role_that_may_only_use_what_exists_is_fine_with_it(warehouse):
    assert warehouse.load(schema(), record(1)) is None
    warehouse.target = granting(schemas=False, tables=False)
    found = examine(warehouse)
    assert {result for result, _ in found.values()} == {"ok"}, found
    assert "only streams whose tables are there" in found["schema BOOKS"][1]


def test_a_role_that_may_make_tables_but_no_schemas_is_fine_with_schemas_that_exist(warehouse):
    assert warehouse.load(schema(), record(1)) is None
    warehouse.target = granting(schemas=False)
    assert {result for result, _ in examine(warehouse).values()} == {"ok"}
    found = examine(warehouse, code=1, streams={"gl_*": {"schema": "ledger"}})
    assert found["schema LEDGER"][0] == "fail"
    assert "not there, and this role may not make it" in found["schema LEDGER"][1]
    assert found["schema BOOKS"][0] == "ok"


def test_a_role_that_may_not_load_what_exists_is_told(warehouse):
    assert warehouse.load(schema(), record(1)) is None
    warehouse.target = granting(rows=False, tables=False)
    found = examine(warehouse, code=1)
    assert found["schema BOOKS"][0] == "fail"
    assert "GRANT SELECT, INSERT" in found["schema BOOKS"][1]


def test_a_spool_folder_that_cannot_be_made(warehouse, tmp_path):
    (tmp_path / "file").write_text("")
    found = examine(warehouse, code=1, spool_dir=str(tmp_path / "file" / "spool"))
    assert found["spool folder"][0] == "fail"


def test_what_lies_in_the_spool_is_told_with_its_remedy(warehouse):
    warehouse.block()
    assert warehouse.load(schema(), record(1)) is not None
    found = examine(warehouse)
    assert "1 batches that could not be loaded" in found["spool folder"][1]
    torn = f"{new_run_id()}-000001"
    (warehouse.folder / "spool" / f"{torn}.json").write_bytes(b"")
    found = examine(warehouse, code=1)
    assert found["spool folder"][0] == "fail"
    assert torn in found["spool folder"][1]
    assert "Remove" in found["spool folder"][1]
    assert "schema BOOKS" in found


def test_a_target_adds_its_own_checks(warehouse):
    def refuse(*_):
        raise RefusedError("No.")

    class Target(TargetDuckDB):
        own = Checks(
            settings=lambda: "A key is set.",
            before={"network": lambda: "It answers."},
            sign_in=lambda _: "Logged on as me.",
            session={"warehouse": refuse},
        )

        def checks(self):
            return self.own

    warehouse.target = Target
    found = examine(warehouse, code=1)
    assert list(found) == ["settings", "network", "spool folder", "login", "warehouse"]
    assert found["login"] == ("ok", "Logged on as me.")
    Target.own = Checks(before={"network": refuse})
    assert list(examine(warehouse, code=1)) == ["settings", "network", "spool folder"]


def test_a_session_that_cannot_even_be_tried_is_a_verdict(warehouse):
    class Target(TargetDuckDB):
        def connect(self, what):
            raise LoadError("The key cannot be read.")

    warehouse.target = Target
    assert examine(warehouse, code=1)["login"] == ("fail", "The key cannot be read.")


def test_dead_runs_are_told(warehouse):
    folder = warehouse.folder / "spool"
    folder.mkdir()
    (folder / f"{new_run_id()}.run").write_text("{}")
    assert "1 runs ended without success" in examine(warehouse)["spool folder"][1]
