"""Requests to Snowflake's SQL API: repeated while what fails may pass, and errors as sentences."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Any

import requests
from ml_connector.load.errors import LoadError, TransientLoadError
from ml_connector.load.retry import retrying

from target_snowflake_ml.errors import LOG_ON, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_snowflake_ml.connections.tokens import Proof

REQUEST_SECONDS = 120.0
"""For how long one request is sent again by itself; then the whole batch is tried again."""
ANSWER_SECONDS = (30.0, 90.0)
"""How long to wait for a connection, and for an answer: Snowflake gives one after 45 s at the latest."""
_LONGEST_RETRY_AFTER = 60.0
_OK = (requests.codes.ok, requests.codes.accepted)
_HTTP_CODE = 290_000
_PASSING = frozenset({408, 429, 500, 502, 503, 504})

logger = logging.getLogger(__name__)


class _ApiError(Exception):
    """What an answer says went wrong, in the shape of the connector's errors."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        self.raw_msg = str(answer.get("message") or f"HTTP {status}")
        code = str(answer.get("code") or "")
        self.errno = int(code) if code.isdigit() else _HTTP_CODE + status
        super().__init__(self.raw_msg)


class Api:
    """One way to the account's SQL API.

    Args:
        config: The settings, for the address and for names in errors.
        proof: Who asks.
        agent: ``User-Agent``, which Snowflake demands.
    """

    def __init__(self, config: Mapping[str, Any], proof: Proof, agent: str) -> None:
        host = config.get("host") or f"{config['account']}.snowflakecomputing.com".replace("_", "-").lower()
        port = f":{config['port']}" if config.get("port") else ""
        self._base = f"{config.get('protocol') or 'https'}://{host}{port}"
        self._config = config
        self._proof = proof
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": agent, "Accept": "application/json"})

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
            answer = self.send_once(method, path, query={**(query or {}), **again}, body=body)
            if answer.status_code == requests.codes.unauthorized and self._proof.renew():
                answer = self.send_once(method, path, query={**(query or {}), **again}, body=body)
            return self._read(answer, statement)

        return retrying(attempt, seconds=REQUEST_SECONDS, what="The SQL API", logger=logger)

    def send_once(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        seconds: tuple[float, float] = ANSWER_SECONDS,
    ) -> requests.Response:
        """Send a request once; arguments as for :meth:`send`, and how long to wait for its answer.

        Raises:
            TransientLoadError: If there is no connection or no answer.
            LoadError: If the address or the certificate is wrong.
        """
        try:
            return self._session.request(
                method,
                self._base + path,
                params=query,
                json=body,
                headers=self._proof.headers(),
                timeout=seconds,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise LoadError(
                f"The certificate of {self._base} was not accepted ({error}). Set REQUESTS_CA_BUNDLE to the"
                " file of the authority that signed it."
            ) from error
        except requests.exceptions.ConnectionError as error:
            raise TransientLoadError(f"Snowflake's SQL API at {self._base} cannot be reached.") from error
        except requests.exceptions.RequestException as error:
            raise TransientLoadError(f"Snowflake's SQL API did not answer: {error}") from error

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _read(self, answer: requests.Response, statement: str) -> dict[str, Any]:
        status = answer.status_code
        try:
            found = answer.json()
        except ValueError:
            found = None
        if status in _OK:
            if not isinstance(found, dict):
                raise TransientLoadError(f"Snowflake's SQL API answered {status} without JSON.")
            return {**found, "_status": status}
        error = _ApiError(status, found if isinstance(found, dict) else {})
        if status in _PASSING:
            _wait(answer.headers.get("Retry-After"))
            raise TransientLoadError(
                f"Snowflake's SQL API answered {status}: {error}", code=f"{error.errno:06d}"
            )
        refused = status in {requests.codes.unauthorized, requests.codes.forbidden, requests.codes.not_found}
        raise explained(error, LOG_ON if refused else statement, self._config) from error


def _wait(retry_after: str | None) -> None:
    """Stay away for as long as the server says, and a little longer, not to come back all at once."""
    if retry_after and retry_after.strip().isdigit():
        time.sleep(min(float(retry_after), _LONGEST_RETRY_AFTER) + random.uniform(0, 0.2))  # noqa: S311
