"""What is measured: each subject is a command that reads a shape's lines on standard input."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peers
from warehouse import DATABASE, FILE_FORMAT, USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse import Warehouse

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
FAST, SLOW = (100_000, 500_000), (10_000, 40_000)
OURS = "target-snowflake-ml"
OVER_SQL_API = "target-snowflake-ml-sql-api"
ONE_SESSION = "target-snowflake-ml-parallel-1"
BASELINE = "target-snowflake-ml-baseline"
FLOOR = "floor-decode-parquet"
MELTANOLABS = "meltanolabs-target-snowflake"
TUNED = "meltanolabs-target-snowflake-tuned"
PIPELINEWISE = "pipelinewise-target-snowflake"


@dataclass(frozen=True)
class Subject:
    """One of those that are compared.

    Attributes:
        name: Its name in the results.
        command: Its command line; of a target, without ``--config``.
        sizes: Records of the two inputs whose difference is its result; of a poll, none.
        version: Version of what runs.
        settings: The configuration of a target for a warehouse, a schema and a folder; None for a floor.
        is_peer: Whether it is told the sandbox's address by the environment.
    """

    name: str
    command: tuple[str | Path, ...]
    sizes: tuple[int, int] = (0, 0)
    version: str = ""
    settings: Callable[[Warehouse, str, Path], dict[str, Any]] | None = None
    is_peer: bool = False

    def started(
        self, warehouse: Warehouse, schema: str, folder: Path
    ) -> tuple[list[str | Path], dict[str, str]]:
        """The command line and the environment of one run."""
        if self.settings is None:
            return [*self.command], {}
        config = folder / f"{schema}.json"
        config.write_text(json.dumps(self.settings(warehouse, schema, folder)))
        told = {**warehouse.address, "private_key_file": str(warehouse.private_key)}
        environment = {"BENCH_SNOWFLAKE": json.dumps(told)} if self.is_peer else {}
        return [*self.command, "--config", config], environment


@dataclass
class Field:
    """Everybody who takes part.

    Attributes:
        subjects: Who runs.
        absent: Why others do not.
    """

    subjects: list[Subject] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)


def our_settings(warehouse: Warehouse, schema: str, folder: Path) -> dict[str, Any]:
    return {
        **warehouse.address,
        "private_key_path": str(warehouse.private_key),
        "database": DATABASE,
        "default_target_schema": schema,
        "spool_dir": str(folder / "spool"),
    }


def over_sql_api(warehouse: Warehouse, schema: str, folder: Path) -> dict[str, Any]:
    return {**our_settings(warehouse, schema, folder), "transport": "sql_api"}


def meltanolabs_settings(warehouse: Warehouse, schema: str, _: Path) -> dict[str, Any]:
    return {
        "account": "SANDBOX",
        "user": USER,
        "private_key_path": str(warehouse.private_key),
        "database": DATABASE,
        "default_target_schema": schema,
    }


def tuned_settings(warehouse: Warehouse, schema: str, folder: Path) -> dict[str, Any]:
    """What makes it fastest: nothing is validated, and batches are ten times as large."""
    best = {"validate_records": False, "batch_size_rows": 100_000}
    return {**meltanolabs_settings(warehouse, schema, folder), **best}


def _pipelinewise_settings(_: Warehouse, schema: str, folder: Path) -> dict[str, Any]:
    return {
        "account": "SANDBOX",
        "user": USER,
        "password": "unused",
        "dbname": DATABASE,
        "warehouse": "BENCH_WH",
        "file_format": FILE_FORMAT,
        "default_target_schema": schema,
        "temp_dir": str(folder),
    }


def _floor(name: str) -> Subject:
    return Subject(name, (sys.executable, HERE / "floors.py", name.removeprefix("floor-")), FAST)


def field_of(names: list[str], baseline: Path | None = None) -> Field:
    """Those of some names; of no names, all.

    Peers are installed on the way, or their absence is explained.

    Args:
        names: The names.
        baseline: Python of an environment with another version of the target, to be measured beside this one.
    """
    found = Field()
    for name in ("floor-json-loads", "floor-msgspec-decode", FLOOR, "ml-connector-decode-parquet"):
        found.subjects.append(_floor(name))
    found.subjects.append(Subject(OURS, (BIN / OURS,), FAST, version(OURS), our_settings))
    if baseline:
        told = peers.version_of(baseline, OURS)
        found.subjects.append(Subject(BASELINE, (baseline.parent / OURS,), FAST, told, our_settings))
    found.subjects.append(Subject(OVER_SQL_API, (BIN / OURS,), SLOW, version(OURS), over_sql_api))
    found.subjects = [subject for subject in found.subjects if not names or subject.name in names]
    rivals = (
        (MELTANOLABS, MELTANOLABS, meltanolabs_settings),
        (TUNED, MELTANOLABS, tuned_settings),
        (PIPELINEWISE, PIPELINEWISE, _pipelinewise_settings),
    )
    for name, package, settings in rivals:
        if names and name not in names:
            continue
        try:
            python = peers.installed(package)
        except peers.UnavailableError as error:
            found.absent[name] = f"cannot be installed here: {error}"
            continue
        command = (python, HERE / "peer.py")
        told = peers.version_of(python, package)
        found.subjects.append(Subject(name, command, SLOW, told, settings, is_peer=True))
    return found
