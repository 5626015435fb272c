"""Snowflake's own Python connector, 4.8 and later or 5.x.

Parameters: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
"""

from __future__ import annotations

import contextlib
import threading
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.connections import driver, session, staging
from target_snowflake_ml.connections.address import address_of
from target_snowflake_ml.connections.patience import Patience
from target_snowflake_ml.errors import LOG_ON, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml_connector.load.connection import Late, StagedFile, Statement

CLOSE_SECONDS = 5.0
"""For how long a session may say goodbye: one that is broken may never be answered."""


class ConnectorConnection:
    """One session of the connector, opened when it is first needed and again after it broke.

    Attributes:
        statement_ids: Query ids since the list was last cleared.
        ids_follow: Always false: each statement has its id as soon as it ran.
        transaction_bytes: None: every statement of a transaction is a request of its own. Snowflake advises
            against more than 1 MB for one statement with what is bound to it:
            https://docs.snowflake.com/en/user-guide/query-size-limits
    """

    ids_follow = False
    transaction_bytes: int | None = None

    def __init__(
        self, config: Mapping[str, Any], what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the settings; nothing is sent yet.

        Args:
            config: The settings, secrets in plain text and cleaned.
            what: What follows ``query_tag`` in QUERY_TAG, until :meth:`tag` says something else.
            clock: Seconds that only grow.

        Raises:
            LoadError: If the address is none, the key cannot be read, or there is no way to sign in.
        """
        generation = int(version("snowflake-connector-python").partition(".")[0])
        self._patience = Patience.of(config, clock)
        self._config = config
        self._address = address_of(config)
        self._driver = driver.Driver(config, self._address, generation, self._patience)
        self._tag = str(config.get("query_tag") or "target-snowflake-ml")
        self._run = self._what = what
        self._session: Any = None
        self._known = False
        self._stages: set[str] = set()
        self.statement_ids: list[str] = []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; see :class:`Connection`."""
        opened = self._open()
        cursor = None
        # a parameter of this statement alone: no statement of its own is needed to say what one is for
        tag = {} if self._what == self._run else {"_statement_params": {"QUERY_TAG": self._query_tag()}}
        try:
            cursor = opened.cursor()
            cursor.execute(sql, tuple(parameters) or None, **tag)
            rows = cursor.fetchall()
        except Exception as error:
            raise self._failed(error, sql) from error
        finally:
            if cursor is not None:
                with contextlib.suppress(Exception):
                    if cursor.sfqid:
                        self.statement_ids.append(str(cursor.sfqid))
                    cursor.close()
        self._patience.succeeded()
        return [tuple(row) for row in rows]

    def transaction(self, statements: Sequence[Statement | Late]) -> None:
        """Run statements between BEGIN and COMMIT; see :class:`Connection`.

        Whether it was committed is not known where the answer to COMMIT is lost: that is a failure that may
        pass, and the ledger can tell.
        """
        self.execute("BEGIN")
        try:
            for statement in statements:
                self.execute(*(statement() if callable(statement) else statement))
            self.execute("COMMIT")
        except BaseException:
            if self._session is not None:  # a session that broke has taken its transaction with it
                with contextlib.suppress(LoadError):
                    self.execute("ROLLBACK")
            raise

    def stage(self, schema: str, name: str, file: StagedFile) -> None:
        """Copy a file into a temporary table, over a stage of the session; see :class:`Connection`."""
        self._open()  # another session has no stage
        if schema not in self._stages:
            self.execute(staging.create_stage(schema))
            self._stages.add(schema)
        self.execute(staging.create_table(schema, name, file, temporary=True))
        self.execute(staging.put(str(file.path.resolve()), schema))
        results = self.execute(staging.copy(schema, name, file.path.name))
        # a file that the stage does not have is answered with one text and no file
        copied = sum(int(row[3]) for row in results if len(row) > 3)  # noqa: PLR2004 - file, status, parsed, loaded
        if copied != file.count:
            raise LoadError(
                f"Snowflake copied {copied} of the {file.count} rows of {file.path.name}; nothing is loaded."
            )

    def unstage(self, schema: str, names: Sequence[str]) -> None:
        """Drop the temporary tables, which a long session would else gather; see :class:`Connection`."""
        for name in names:
            if self._session is None:  # they went with it
                return
            with contextlib.suppress(LoadError):
                self.execute(staging.drop_table(schema, name))

    def tag(self, what: str) -> None:
        """Say in QUERY_TAG what the statements that follow are for; see :class:`Connection`."""
        self._what = what or self._run

    def cancel(self) -> None:
        """Leave it to the session: what runs in it is not committed without the COMMIT that never comes."""

    def close(self) -> None:
        """End the session, which rolls back what it began; never raises."""
        opened, self._session = self._session, None
        self._stages.clear()
        if opened is None:
            return
        # in a thread, as a server that says nothing would keep the connector waiting
        parting = threading.Thread(target=driver.part, args=(opened,), daemon=True)
        parting.start()
        parting.join(CLOSE_SECONDS)

    def _open(self) -> Any:
        if self._session is None:
            try:
                if not self._known:
                    self._address.check()
                opened = self._driver.connect({**session.RELIED_ON, "QUERY_TAG": self._query_tag(self._run)})
            except Exception as error:
                raise self._failed(error, LOG_ON) from error
            self._session = opened
            self._known = True
            self._patience.succeeded()
        return self._session

    def _query_tag(self, what: str | None = None) -> str:
        return f"{self._tag} {what or self._what}".strip()

    def _failed(self, error: Exception, sql: str) -> LoadError:
        said = explained(error, sql, self._config, renewable=self._driver.renewable)
        if isinstance(said, TransientLoadError):
            self._patience.failed()
            if str(said.code).startswith("390"):  # it may be the access token that is no longer taken
                self._driver.renew()
            self.close()  # a broken session takes its transaction with it; the next attempt opens its own
        return said
