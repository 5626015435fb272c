"""Snowflake's SQL API v2: HTTPS only, for networks that let nothing through to a stage.

Requests: https://docs.snowflake.com/en/developer-guide/sql-api/reference. Each request is a session of its
own: what has to stay together (a transaction) goes as one request of several statements, and a table that
several requests share cannot be a temporary one.
"""

from __future__ import annotations

import contextlib
import time
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests
from ml_connector.load.errors import LoadError, TransientLoadError
from ml_connector.load.sql.identifiers import given

from target_snowflake_ml.connections import bindings, session, staging
from target_snowflake_ml.connections.address import address_of
from target_snowflake_ml.connections.api import Api
from target_snowflake_ml.connections.patience import Patience
from target_snowflake_ml.connections.tokens import proof_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ml_connector.load.connection import Late, StagedFile, Statement

MOST_BYTES = 900_000
"""Of one request's statements and values together. Snowflake advises against more than 1 MB, keeps no more of
a text, and counts what is bound: https://docs.snowflake.com/en/user-guide/query-size-limits. Some room is
left for quotes and backslashes that become two characters in a literal."""
CANCEL_SECONDS = 5.0
_READ_AT_ONCE = 32_768
_FIRST_POLL, _LONGEST_POLL = 0.02, 5.0
_NAMES = ("role", "warehouse", "database")
_STATEMENTS = "/api/v2/statements"


class SqlApiConnection:
    """Statements over the SQL API, each request with its own name so that none is carried out twice.

    Attributes:
        statement_ids: Statement handles since the list was last cleared.
        ids_follow: Always true: a request's handle comes with its answer.
        transaction_bytes: A transaction is one request, with its parameters as literals.
    """

    ids_follow = True
    transaction_bytes: int | None = MOST_BYTES

    def __init__(
        self,
        config: Mapping[str, Any],
        what: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the settings; nothing is sent yet.

        Args:
            config: The settings, secrets in plain text and cleaned.
            what: What follows ``query_tag`` in QUERY_TAG, until :meth:`tag` says something else.
            clock: Seconds that only grow.
            sleep: Waits some seconds.

        Raises:
            LoadError: If the address is none, the key cannot be read, or there is no way to sign in.
        """
        self._context = {name: given(str(config[name]), "upper") for name in _NAMES if config.get(name)}
        agent = f"target-snowflake-ml/{version('target-snowflake-ml')}"
        patience = Patience.of(config, clock)
        proof = proof_of(config)
        self._api = Api(config, address_of(config), proof, agent=agent, patience=patience, sleep=sleep)
        self._tag = str(config.get("query_tag") or "target-snowflake-ml")
        self._run = self._what = what
        self._sleep = sleep
        self._swept: set[str] = set()
        self._running: str | None = None
        self.statement_ids: list[str] = []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; see :class:`Connection`."""
        if any(name != name.upper() for name in bindings.quoted_names(sql)):
            # QUOTED_IDENTIFIERS_IGNORE_CASE makes another name of it, which a statement alone cannot unset
            answer = self._together([bindings.inlined(sql, parameters)])
            *_, handle = answer.get("statementHandles") or [answer.get("statementHandle")]
            answer = self._api.send("GET", f"{_STATEMENTS}/{handle}", sql)
            return self._rows(answer, sql)
        return self._rows(self._submit(sql, values=bindings.bound(parameters)), sql)

    def transaction(self, statements: Sequence[Statement | Late]) -> None:
        """Run statements as one request; see :class:`Connection`.

        A session that ends in the middle, as one whose statement failed does, rolls back.
        """
        made = [statement() if callable(statement) else statement for statement in statements]
        self._together(["BEGIN", *(bindings.inlined(*each) for each in made), "COMMIT"])

    def stage(self, schema: str, name: str, file: StagedFile) -> None:
        """Insert a file's rows into a transient table, as many at once as fit; see :class:`Connection`."""
        self._sweep(schema)
        self.execute(staging.create_table(schema, name, file, temporary=False))
        insert = staging.insert_text(schema, name, file)
        for text in _texts(file, MOST_BYTES - len(insert.encode())):
            self.execute(insert, (text,))
        ((inserted,),) = self.execute(staging.count(schema, name))
        if int(inserted) != file.count:
            hint = "" if inserted else " Check that AUTOCOMMIT is TRUE for the user and the account."
            raise LoadError(
                f"Snowflake took {inserted} of the {file.count} rows of {file.path.name};"
                f" nothing is loaded.{hint}"
            )

    def unstage(self, schema: str, names: Sequence[str]) -> None:
        """Drop the tables; see :class:`Connection`."""
        for name in names:
            with contextlib.suppress(LoadError):
                self.execute(staging.drop_table(schema, name))

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the requests that follow are for; see :class:`Connection`."""
        self._what = what or self._run

    def cancel(self) -> None:
        """Cancel what runs; see :class:`Connection`."""
        if handle := self._running:
            with contextlib.suppress(LoadError, requests.RequestException):
                self._api.send_once("POST", f"{_STATEMENTS}/{handle}/cancel", seconds=CANCEL_SECONDS)

    def close(self) -> None:
        """Let the connections go; there is no session to end."""
        self._api.close()

    def _sweep(self, schema: str) -> None:
        """Drop what processes that were killed left in a schema more than a day ago."""
        if schema in self._swept:
            return
        self._swept.add(schema)
        names = (str(name) for (name,) in self.execute(*staging.staged_tables(schema)))
        self.unstage(schema, staging.left_behind(names, datetime.now(timezone.utc)))

    def _together(self, statements: Sequence[str]) -> dict[str, Any]:
        """Send statements as one request, after the session parameters that only a statement can set."""
        texts = [session.alter_session(), *statements]
        return self._submit(";\n".join(texts), count=len(texts))

    def _submit(
        self, statement: str, *, values: Mapping[str, Any] | None = None, count: int = 1
    ) -> dict[str, Any]:
        """Send a request and wait until it has run.

        Its name (``requestId``) stays the same when it is sent again: Snowflake carries it out once.
        """
        parameters = {
            **session.REQUEST,
            "QUERY_TAG": f"{self._tag} {self._what}".strip(),
            "MULTI_STATEMENT_COUNT": str(count),
        }
        body = {
            "statement": statement,
            "timeout": session.STATEMENT_SECONDS,
            **self._context,
            **({"bindings": values} if values else {}),
            "parameters": parameters,
        }
        # what may take long is not waited for in one request: its handle is needed to cancel it
        query = {"requestId": str(uuid4()), **({"async": "true"} if count > 1 else {})}
        try:
            answer = self._api.send("POST", _STATEMENTS, statement, query=query, body=body)
            return self._finished(answer, statement)
        except KeyboardInterrupt:
            self.cancel()
            raise
        finally:
            self._running = None

    def _finished(self, answer: dict[str, Any], statement: str) -> dict[str, Any]:
        """Ask until a statement that runs has ended, however long it takes."""
        handle = str(answer.get("statementHandle") or "")
        pause = _FIRST_POLL
        while answer["_status"] == requests.codes.accepted:
            self._running = handle
            self._sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL)
            answer = self._api.send("GET", f"{_STATEMENTS}/{handle}", statement)
        self.statement_ids += answer.get("statementHandles") or [handle]
        return answer

    def _rows(self, answer: Mapping[str, Any], statement: str) -> list[tuple[Any, ...]]:
        """Every row of a result, of all its partitions."""
        about = answer.get("resultSetMetaData")
        if about is None:
            raise TransientLoadError("Snowflake's answer lacks its result.")
        rows = list(answer.get("data") or [])
        for number in range(1, len(about.get("partitionInfo") or ())):
            path = f"{_STATEMENTS}/{answer['statementHandle']}"
            rows += self._api.send("GET", path, statement, query={"partition": str(number)})["data"]
        return bindings.decoded(about["rowType"], rows)


def _texts(file: StagedFile, most_bytes: int) -> Iterator[str]:
    """A file's rows as JSON texts, none of them much longer than it may be."""
    import pyarrow as pa  # noqa: PLC0415 - small batches do without
    import pyarrow.parquet as pq  # noqa: PLC0415
    from ml_connector.load.json_rows import pieces  # noqa: PLC0415

    names = [column.name for column in file.columns]
    with pq.ParquetFile(file.path) as parquet:
        for rows in parquet.iter_batches(_READ_AT_ONCE, columns=names):
            for text, _ in pieces(pa.Table.from_batches([rows]).select(names), most_bytes):
                yield text
