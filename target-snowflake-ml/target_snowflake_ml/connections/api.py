"""Requests to Snowflake's SQL API: repeated while what fails may pass, and errors as sentences."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Any

import requests
from ml_connector.load.errors import TransientLoadError
from ml_connector.load.retry import retrying

from target_snowflake_ml.connections import http
from target_snowflake_ml.errors import LOG_ON, explained
from target_snowflake_ml.failures import NO_CODE, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_snowflake_ml.connections.address import Address
    from target_snowflake_ml.connections.patience import Patience
    from target_snowflake_ml.connections.tokens import Proof

CONNECT_SECONDS = 15.0
ANSWER_SECONDS = 60.0
"""How long to wait for an answer: Snowflake gives one after 45 s at the latest."""
_LONGEST_RETRY_AFTER = 60.0
_OK = (requests.codes.ok, requests.codes.accepted)
_ALWAYS_PASSING = frozenset({429, 500, 502, 503, 504})
_NAME = "Snowflake's SQL API"

logger = logging.getLogger(__name__)


class Api:
    """One way to the account's SQL API.

    Args:
        config: The settings, for names in errors.
        address: Where the account is.
        proof: Who asks.
        agent: ``User-Agent``, which Snowflake demands.
        patience: For how long to try.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        address: Address,
        proof: Proof,
        *,
        agent: str,
        patience: Patience,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._address = address
        self._proof = proof
        self._patience = patience
        self._sleep = sleep
        self._known = False
        self._session = http.new_session({"User-Agent": agent, "Accept": "application/json"})

    def send(
        self,
        method: str,
        path: str,
        statement: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send a request until it is answered.

        Args:
            method: GET or POST.
            path: The path, from the host.
            statement: The SQL, for errors.
            query: Query parameters; with a ``requestId`` a repetition is marked as one.
            body: The JSON body.

        Returns:
            The answer's JSON, and its HTTP status as ``_status`` (200 or 202).

        Raises:
            LoadError: If it is refused.
            TransientLoadError: If there is no proper answer for too long.
        """

        def attempt(number: int) -> dict[str, Any]:
            again = {"retry": "true"} if number > 1 and query and "requestId" in query else {}
            try:
                answer = self.send_once(method, path, query={**(query or {}), **again}, body=body)
                if answer.status_code == requests.codes.unauthorized and self._proof.renew():
                    answer = self.send_once(method, path, query={**(query or {}), **again}, body=body)
                said = self._read(answer, statement)
            except TransientLoadError:
                self._patience.failed()
                raise
            self._patience.succeeded()
            return said

        return retrying(
            attempt, seconds=self._patience.left, what="The SQL API", logger=logger, sleep=self._sleep
        )

    def send_once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> requests.Response:
        """Send a request once; arguments as for :meth:`send`, and how long to wait for its answer.

        Raises:
            TransientLoadError: If there is no connection or no answer.
            LoadError: If the address or the certificate is wrong, or it is sent elsewhere.
        """
        if not self._known:
            self._address.check()
        answer = http.send(
            self._session,
            method,
            self._address.url + path,
            _NAME,
            params=query,
            json=body,
            headers=self._proof.headers(),
            timeout=(self._patience.at_most(CONNECT_SECONDS), seconds),
        )
        self._known = True
        return answer

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _read(self, answer: requests.Response, statement: str) -> dict[str, Any]:
        status = answer.status_code
        try:
            said = answer.json()
        except ValueError:
            said = None
        if status in _OK:
            if not isinstance(said, dict):
                raise TransientLoadError(f"{_NAME} answered {status} without JSON.")
            return {**said, "_status": status}
        error = ApiError(status, said if isinstance(said, dict) else {})
        if status in _ALWAYS_PASSING:
            self._wait(answer.headers.get("Retry-After"))
            raise TransientLoadError(f"{_NAME} answered {status}: {error}", code=f"{error.errno:06d}")
        refused = status in {requests.codes.unauthorized, requests.codes.forbidden} or (
            # what is not found may be a statement, which the answer then says
            status == requests.codes.not_found and error.errno == NO_CODE + status
        )
        raise explained(error, LOG_ON if refused else statement, self._config) from error

    def _wait(self, retry_after: str | None) -> None:
        """Stay away for as long as the server says, and a little longer, not to come back all at once."""
        if retry_after and retry_after.strip().isdigit():
            wanted = min(float(retry_after), _LONGEST_RETRY_AFTER, self._patience.left)
            self._sleep(wanted + random.uniform(0, 0.2))  # noqa: S311
