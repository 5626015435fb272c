"""Snowflake's SQL API v2: HTTPS only, for networks that let nothing through to a stage.

Requests: https://docs.snowflake.com/en/developer-guide/sql-api/reference. Each request is a session of its
own: what has to stay together (a transaction) goes as one request of several statements, and a table that
several requests share cannot be a temporary one.
"""

from __future__ import annotations

import contextlib
import re
import time
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow.parquet as pq
import requests
from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.connections import wire
from target_snowflake_ml.connections.api import Api
from target_snowflake_ml.connections.tokens import proof_of
from target_snowflake_ml.sql import load
from target_snowflake_ml.sql.identifiers import given, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from ml_connector.load.schema import Column

    from target_snowflake_ml.connections.base import Late, Statement

MOST_VALUES = 60_000
"""Values bound in one request; the connectors go over to a stage at about as many."""
MOST_BYTES = 4_000_000
STATEMENT_SECONDS = 172_800
"""How long a statement may run: two days, Snowflake's own limit for a warehouse."""
CANCEL_SECONDS = (5.0, 5.0)
_FIRST_POLL, _LONGEST_POLL = 0.02, 5.0
_LEFT_BEHIND = timedelta(days=1)
_STAGED = re.compile(r"ML_(?:STAGED|REJECTED)_(\d{8}T\d{6}Z)-")
_NAMES = ("role", "warehouse", "database")


class SqlApiConnection:
    """Statements over the SQL API, each request with its own name so that none is carried out twice.

    Attributes:
        statement_ids: Statement handles since the list was last cleared.
        ids_follow: Always true: a request's handle comes with its answer.
    """

    ids_follow = True

    def __init__(self, config: Mapping[str, Any], query_tag: str, what: str) -> None:
        """Read the settings; nothing is sent yet.

        Args:
            config: The settings, secrets in plain text.
            query_tag: Start of each request's QUERY_TAG.
            what: What follows it until :meth:`tag` says something else.

        Raises:
            LoadError: If the key cannot be read, or there is no way to log on.
        """
        self._context = {name: given(str(config[name]), "upper") for name in _NAMES if config.get(name)}
        agent = f"target-snowflake-ml/{version('target-snowflake-ml')}"
        self._api = Api(config, proof_of(config), agent)
        self._query_tag = query_tag
        self._what = what
        self._schema: str | None = None
        self._swept: set[str] = set()
        self._running: str | None = None
        self.statement_ids: list[str] = []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; see :class:`Connection`."""
        statement, bindings = wire.bound(sql, parameters)
        return self._rows(self._submit(statement, bindings=bindings), sql)

    def transaction(self, statements: Sequence[Statement | Late]) -> None:
        """Run statements as one request; see :class:`Connection`.

        A session that ends in the middle, as one whose statement failed does, rolls back.
        """
        made = [statement() if callable(statement) else statement for statement in statements]
        texts = ["BEGIN", *(wire.inlined(*each) for each in made), "COMMIT"]
        self._submit(";\n".join(texts), count=len(texts))

    def use(self, schema: str) -> None:
        """Send a schema with each request from now on; see :class:`Connection`."""
        self._schema = schema

    def stage(self, name: str, columns: Sequence[Column], path: Path, count: int) -> None:
        """Insert a file's rows into a table, with arrays as bindings; see :class:`Connection`."""
        self._sweep()
        self.execute(load.create_staged(name, columns, temporary=False))
        marks = ", ".join("?" * len(columns))
        names = ", ".join(quoted(column.name) for column in columns)
        insert = f"INSERT INTO {quoted(name)} ({names}) VALUES ({marks})"
        with pq.ParquetFile(path) as file:
            for rows in file.iter_batches(
                max(1, MOST_VALUES // len(columns)), columns=[c.name for c in columns]
            ):
                self._insert(insert, columns, rows)
        ((inserted,),) = self.execute(f"SELECT COUNT(*) FROM {quoted(name)}")
        if inserted != count:
            raise LoadError(
                f"Snowflake took {inserted} of the {count} rows of {path.name}; nothing is loaded."
            )

    def unstage(self, names: Sequence[str]) -> None:
        """Drop the tables; see :class:`Connection`."""
        for name in names:
            with contextlib.suppress(LoadError):
                self.execute(f"DROP TABLE IF EXISTS {quoted(name)}")

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the requests that follow are for; see :class:`Connection`."""
        self._what = what

    def cancel(self) -> None:
        """Cancel what runs; see :class:`Connection`."""
        if handle := self._running:
            with contextlib.suppress(LoadError, requests.RequestException):
                path = f"/api/v2/statements/{handle}/cancel"
                self._api.send_once("POST", path, seconds=CANCEL_SECONDS)

    def close(self) -> None:
        """Let the connections go; there is no session to end."""
        self._api.close()

    def _insert(self, insert: str, columns: Sequence[Column], rows: pa.RecordBatch) -> None:
        """Insert some rows in one request, or in halves if they are too many bytes for one."""
        if rows.nbytes > MOST_BYTES and rows.num_rows > 1:
            half = rows.num_rows // 2
            self._insert(insert, columns, rows.slice(0, half))
            self._insert(insert, columns, rows.slice(half))
            return
        bindings = {
            str(place): wire.column_binding(column, rows.column(column.name))
            for place, column in enumerate(columns, 1)
        }
        self._submit(insert, bindings=bindings)

    def _sweep(self) -> None:
        """Drop what processes that were killed left in the current schema more than a day ago."""
        schema = str(self._schema)
        if schema in self._swept:
            return
        self._swept.add(schema)
        asked = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s"
        for (name,) in self.execute(asked, (schema,)):
            found = _STAGED.match(name)
            if found is None:
                continue
            made = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
            if datetime.now(timezone.utc) - made > _LEFT_BEHIND:
                self.unstage([name])

    def _submit(
        self, statement: str, *, bindings: Mapping[str, Any] | None = None, count: int = 1
    ) -> dict[str, Any]:
        """Send a request and wait until it has run.

        Its name (``requestId``) stays the same when it is sent again: Snowflake carries it out once.
        """
        parameters = {
            "QUERY_TAG": f"{self._query_tag} {self._what}",
            "TIMEZONE": "UTC",
            "MULTI_STATEMENT_COUNT": str(count),
        }
        body: dict[str, Any] = {"statement": statement, "timeout": STATEMENT_SECONDS, **self._context}
        if self._schema is not None:
            body["schema"] = self._schema
        if bindings:
            body["bindings"] = bindings
        body["parameters"] = parameters
        # what may take long is not waited for in one request: its handle is needed to cancel it
        query = {"requestId": str(uuid4()), **({"async": "true"} if count > 1 else {})}
        try:
            answer = self._api.send("POST", "/api/v2/statements", statement, query=query, body=body)
            return self._finished(answer, statement)
        except KeyboardInterrupt:
            self.cancel()
            raise
        finally:
            self._running = None

    def _finished(self, answer: dict[str, Any], statement: str) -> dict[str, Any]:
        """Ask until a statement that runs has ended."""
        handle = str(answer.get("statementHandle") or "")
        pause = _FIRST_POLL
        while answer["_status"] == requests.codes.accepted:
            self._running = handle
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL)
            answer = self._api.send("GET", f"/api/v2/statements/{handle}", statement)
        self.statement_ids += answer.get("statementHandles") or [handle]
        return answer

    def _rows(self, answer: Mapping[str, Any], statement: str) -> list[tuple[Any, ...]]:
        """Every row of a result, of all its partitions."""
        about = answer.get("resultSetMetaData")
        if about is None:
            raise TransientLoadError("Snowflake's answer lacks its result.")
        rows = list(answer.get("data") or [])
        for number in range(1, len(about.get("partitionInfo") or ())):
            path = f"/api/v2/statements/{answer['statementHandle']}"
            rows += self._api.send("GET", path, statement, query={"partition": str(number)})["data"]
        return wire.decoded(about["rowType"], rows)
