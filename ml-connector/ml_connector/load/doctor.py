"""What a run needs, checked one thing after the other. A target adds what only its warehouse needs."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from ml_connector import secrets
from ml_connector.load.checks import RefusedError
from ml_connector.load.connection import Connection, StagedFile
from ml_connector.load.errors import LoadError
from ml_connector.load.lookup import Lookup
from ml_connector.load.run import spool_of
from ml_connector.load.runs import dead_runs
from ml_connector.load.schema import Column, Kind
from ml_connector.load.spool import ONLY_OURS
from ml_connector.load.sql import audit
from ml_connector.load.sql.identifiers import given, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ml_connector.load.sql.dialect import Dialect, Existing
    from ml_connector.load.target import WarehouseTarget

_OK, _FAIL = "ok", "fail"
_PROBE = Column("X", Kind.INTEGER, 38, 0)
_MOST_TABLES = 50
"""So many tables of a schema are asked whether they may be loaded."""


class Verdict(NamedTuple):
    """The outcome of a check."""

    result: str
    check: str
    says: str


def examine(target: WarehouseTarget) -> Iterator[Verdict]:
    """Check one thing after the other; what builds on one that failed is not tried."""
    checks = target.checks()
    yield _verdict("settings", checks.settings or (lambda: "They are complete."))
    reached = True
    for name, check in checks.before.items():
        verdict = _verdict(name, check)
        yield verdict
        reached = reached and verdict.result == _OK
    yield _verdict("spool folder", partial(_spool, target))
    if not reached:
        return  # to sign in would be to try the same address for a minute
    try:
        connection = target.connect("doctor")
    except (LoadError, secrets.SecretError) as error:
        yield Verdict(_FAIL, "login", secrets.redact(str(error)))
        return
    try:
        verdict = _verdict("login", partial(checks.sign_in or _sign_in, connection))
        yield verdict
        if verdict.result == _FAIL:
            return
        usable = True
        for name, ask in checks.session.items():
            verdict = _verdict(name, partial(ask, connection))
            yield verdict
            usable = usable and verdict.result == _OK
        if usable:
            yield from _Schemas(target, connection).examine()
    finally:
        connection.close()


def _verdict(name: str, check: Callable[[], str]) -> Verdict:
    try:
        return Verdict(_OK, name, secrets.redact(check()))
    except (LoadError, RefusedError, secrets.SecretError, OSError) as error:
        return Verdict(_FAIL, name, secrets.redact(str(error)))


def _sign_in(connection: Connection) -> str:
    connection.execute("SELECT 1")
    return "A session can be opened."


def _spool(target: WarehouseTarget) -> str:
    spool = spool_of(target.config)
    folder = spool.folder
    probe = folder / f".probe-{uuid4().hex[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=ONLY_OURS)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise RefusedError(
            f"{folder} cannot be written: {error.strerror}. Point spool_dir at another folder."
        ) from error
    said = [f"{folder} can be written."]
    found = spool.readable()
    if failed := sum(1 for manifest, _ in found if manifest is not None and manifest.error):
        said.append(f"{failed} batches that could not be loaded wait in it: see replay --list.")
    if dead := dead_runs(folder):
        said.append(f"{len(dead)} runs ended without success; the next run clears up after them.")
    torn = [text for manifest, text in found if manifest is None]
    if aside := spool.aside():
        names = ", ".join(str(path) for path in aside)
        said.append(f"Manifests that could not be read were set aside: {names}. They can be removed.")
    if torn:
        raise RefusedError(" ".join([*said, *torn, "Or let replay --all set it aside."]))
    return " ".join(said)


class _Schemas:
    """The schemas that runs load into: whether they are there, and what may be done in them."""

    def __init__(self, target: WarehouseTarget, connection: Connection) -> None:
        self._connection = connection
        self._dialect: Dialect = target.open_dialect()
        self._config = target.config
        self._lookup = Lookup(connection, self._dialect, target.config)
        self._file: Path = spool_of(target.config).folder / f"doctor-{uuid4().hex[:8]}.parquet"

    def examine(self) -> Iterator[Verdict]:
        """A verdict on each schema that the settings or the ledger name."""
        try:
            wanted = self._wanted()
        except LoadError as error:
            yield Verdict(_FAIL, "schemas", secrets.redact(str(error)))
            return
        for schema in wanted:
            yield _verdict(f"schema {schema}", partial(self._schema, schema))

    def _wanted(self) -> list[str]:
        """The audit schema last."""
        case = str(self._config["identifier_case"])
        named = [self._config.get("default_target_schema")]
        named += [(own or {}).get("schema") for own in (self._config.get("streams") or {}).values()]
        schemas = [given(str(name), case) for name in named if name]
        schemas += [schema for schema, _ in self._known()]
        schemas = schemas or [self._dialect.default_schema]
        return list(dict.fromkeys([*schemas, self._lookup.audit_schema]))

    def _known(self) -> list[tuple[str, str]]:
        """Schema and table of every stream that was ever loaded."""
        try:
            return sorted(self._lookup.tables)
        except LoadError:
            return []  # a ledger that was never begun, or that this role may not read

    def _schema(self, schema: str) -> str:
        tables = self._lookup.tables_of(schema)
        if tables is None:
            return self._missing(schema)
        refused = self._refused_table(schema)
        loaded = self._may_be_loaded(schema, tables)
        if refused is None:
            return f"It is there; tables can be made in it, and a file loaded.{loaded}"
        if not tables:
            raise RefusedError(
                f"It is there, but has no tables, and this role may make none in it: {refused}"
                f" GRANT it the right to make tables in {schema}."
            )
        return (
            f"It is there; this role can make no tables in it ({refused}), so only streams whose tables are"
            f" there can be loaded.{loaded}"
        )

    def _missing(self, schema: str) -> str:
        """Whether a schema that is missing could be made: tried with another name."""
        probe = f"ML_DOCTOR_{uuid4().hex[:8].upper()}"
        try:
            self._connection.execute(self._dialect.create_schema(probe))
        except LoadError as error:
            raise RefusedError(
                f"It is not there, and this role may not make it: {error} Make it (CREATE SCHEMA"
                f" {quoted(schema)}) and GRANT this role its use, or GRANT the right to make schemas."
            ) from error
        try:
            refused = self._refused_table(probe)
        finally:
            with suppress(LoadError):
                self._connection.execute(f"DROP SCHEMA IF EXISTS {quoted(probe)} CASCADE")
        if refused is not None:
            raise RefusedError(f"It is not there yet and can be made, but not loaded into: {refused}")
        return "It is not there yet; the first run can make it, with its tables, and load a file."

    def _refused_table(self, schema: str) -> str | None:
        """Make a table, load a file into it, and take it away again; gives what is refused."""
        name = f"ML_DOCTOR_{uuid4().hex[:8].upper()}"
        made = self._dialect.create_table(
            quoted(schema, name), [(_PROBE, True, None)], (), comment=None, cluster_by=(), transient=True
        )
        try:
            for statement in made:
                self._connection.execute(statement)
        except LoadError as error:
            return str(error)
        try:
            self._load_file(schema, name)
        finally:
            with suppress(LoadError):
                self._connection.execute(f"DROP TABLE IF EXISTS {quoted(schema, name)}")
        return None

    def _load_file(self, schema: str, name: str) -> None:
        staged = f"ML_STAGED_{name}"
        try:
            pq.write_table(pa.table({_PROBE.name: [1]}), self._file)
            file = StagedFile(self._file, [_PROBE], frozenset(), 1)
            self._connection.stage(schema, staged, file)
            column = quoted(_PROBE.name)
            move = (
                f"INSERT INTO {quoted(schema, name)} ({column}) SELECT {column} FROM {quoted(schema, staged)}"
            )
            self._connection.transaction([(move, ())])
            ((count,),) = self._connection.execute(f"SELECT COUNT(*) FROM {quoted(schema, name)}")
        finally:
            self._connection.unstage(schema, [staged])
            self._file.unlink(missing_ok=True)
        if count != 1:
            raise RefusedError(f"A file of one row was loaded as {count} rows.")

    def _may_be_loaded(self, schema: str, tables: Mapping[str, Existing]) -> str:
        """Whether the tables that runs have loaded may be loaded on; no row is changed.

        Raises:
            RefusedError: If one may not.
        """
        if schema == self._lookup.audit_schema:
            names = sorted(set(tables) & set(audit.COLUMNS))
        else:
            names = sorted(name for own, name in self._known() if own == schema and name in tables)
        refused = []
        for name in names[:_MOST_TABLES]:
            path = quoted(schema, name)
            column = quoted(next(iter(tables[name].columns), _PROBE.name))
            statements: Sequence[tuple[str, tuple[Any, ...]]] = [
                (f"INSERT INTO {path} SELECT * FROM {path} WHERE 1 = 0", ()),
                (f"UPDATE {path} SET {column} = {column} WHERE 1 = 0", ()),
                (f"DELETE FROM {path} WHERE 1 = 0", ()),
            ]
            try:
                self._connection.transaction(statements)
            except LoadError as error:
                refused.append(f"{name}: {error}")
        if refused:
            raise RefusedError(
                f"This role may not load {len(refused)} of its tables. {refused[0]} GRANT SELECT, INSERT,"
                f" UPDATE and DELETE on the tables of {schema}, and ownership where columns are to be added."
            )
        asked = len(names[:_MOST_TABLES])
        return f" {asked} of its tables were tried, and can be loaded." if asked else ""
