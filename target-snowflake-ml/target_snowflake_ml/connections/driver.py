"""What differs between the two generations of Snowflake's connector: arguments, time-outs, repetitions.

4.8 is Python over ``requests``; its ``network_timeout`` is the time-out of each cursor's statement too, so it
is never set, and its repetitions end with the back-off policy. 5.x is a core in Rust with a number of
attempts, of which each has a time-out, and one for the login as a whole; its ``query_timeout`` stays unset
for the same reason. See ``connection.py`` of 4.8.1 and ``connection_config.py`` of 5.2.0.
"""

from __future__ import annotations

import logging
import math
import warnings
from typing import TYPE_CHECKING, Any

from target_snowflake_ml.connections import sign_in
from target_snowflake_ml.connections.keys import private_key_der
from target_snowflake_ml.connections.patience import ONE_SECOND
from target_snowflake_ml.failures import GaveUpError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_snowflake_ml.connections.address import Address
    from target_snowflake_ml.connections.patience import Patience

LOGIN_SECONDS = 60.0
"""For how long the connector repeats a login by itself."""
SIGN_IN_SECONDS = 15.0
"""How long to wait for the answer to one attempt at a login."""
ANSWER_SECONDS = 60.0
"""How long to wait for an answer to a statement: one that takes longer is answered with 333333 after 45 s,
and asked for again by the connector, as often as it takes."""
CONNECT_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1, 8
_RUST_CORE = 5
_PASSED_ON = ("user", "role", "warehouse", "database")


class Driver:
    """Opens sessions.

    Args:
        config: The settings, secrets in plain text and cleaned.
        address: Where the account is.
        generation: Major version of the connector.
        patience: For how long to try.

    Raises:
        LoadError: If the key cannot be read, or there is no way to sign in.
    """

    def __init__(
        self, config: Mapping[str, Any], address: Address, generation: int, patience: Patience
    ) -> None:
        self._config = config
        self._generation = generation
        self._patience = patience
        self._method = sign_in.method_of(config)
        self._credentials = None
        self._arguments: dict[str, Any] = {
            "account": str(config["account"]).strip(),
            "host": address.host,
            "port": address.port,
            "protocol": address.protocol,
            "autocommit": True,
            "paramstyle": "qmark",  # bound by the server; the connectors' default writes literals
            **{name: config[name] for name in _PASSED_ON if config.get(name)},
        }
        if self._method == sign_in.KEY_PAIR:
            self._arguments |= {"authenticator": "SNOWFLAKE_JWT", "private_key": private_key_der(config)}
        elif self._method == sign_in.TOKEN:
            self._arguments |= {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": config["token"]}
        elif self._method == sign_in.OAUTH_CLIENT_CREDENTIALS:
            from target_snowflake_ml.connections.tokens import ClientCredentials  # noqa: PLC0415 - for few

            self._credentials = ClientCredentials(config)

    @property
    def renewable(self) -> bool:
        """Whether another attempt may sign in with another access token."""
        return self._credentials is not None

    def renew(self) -> None:
        """Forget the access token: it may be what was refused."""
        if self._credentials is not None:
            self._credentials.renew()

    def connect(self, parameters: Mapping[str, Any]) -> Any:
        """Open a session.

        Args:
            parameters: Its session parameters.

        Returns:
            The connector's connection.

        Raises:
            LoadError: If there is no access token to be had.
            Exception: Whatever the connector raises.
        """
        _quiet()
        # half a second of imports, which --about and --help need not wait for
        import snowflake.connector  # noqa: PLC0415

        opened = snowflake.connector.connect(**self.arguments(parameters))
        _wait_at_most(opened, ANSWER_SECONDS)
        return opened

    def arguments(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What ``snowflake.connector.connect`` is called with; arguments and errors as :meth:`connect`."""
        return {
            **self._arguments,
            **self._identity(),
            **self._limits(),
            "session_parameters": dict(parameters),
        }

    def _identity(self) -> dict[str, Any]:
        """What signs in and may be another one each time."""
        if self._credentials is not None:
            return {"authenticator": "OAUTH", "token": self._credentials.token()}
        if self._method == sign_in.OAUTH:
            return {"authenticator": "OAUTH", "token": self._config["oauth_token"]}
        if self._method == sign_in.WORKLOAD_IDENTITY:
            provider = str(self._config["workload_identity_provider"]).upper()
            token = sign_in.workload_token(self._config)
            return {
                "authenticator": "WORKLOAD_IDENTITY",
                "workload_identity_provider": provider,
                **({"token": token} if token else {}),
            }
        return {}

    def _limits(self) -> dict[str, Any]:
        """How long a request may take and how often it is sent again; never how long a statement may run."""
        at_most = self._patience.at_most
        login = {"login_timeout": math.ceil(at_most(LOGIN_SECONDS))}
        if self._generation < _RUST_CORE:
            return {
                **login,
                # for the login; it is longer once the session is open
                "socket_timeout": math.ceil(at_most(SIGN_IN_SECONDS)),
                "backoff_policy": self._pauses,
            }
        return {
            **login,
            "connect_timeout": math.ceil(at_most(CONNECT_SECONDS)),
            "retry_timeout": math.ceil(ANSWER_SECONDS),
            "retry_max_attempts": _attempts(self._patience.left),
            "retry_backoff_base_ms": _FIRST_PAUSE * 1000,
            "retry_backoff_cap_ms": _LONGEST_PAUSE * 1000,
            "retry_backoff_jitter": "none",
            "request_timeout": math.ceil(at_most(ANSWER_SECONDS)),
            # there are no asynchronous queries to look after when the session is closed
            "enable_server_session_keep_alive_auto_detection": False,
            # cached credentials would outlive their settings
            "client_store_temporary_credential": False,
        }

    def _pauses(self) -> Iterator[int]:
        """Seconds before each repetition of one request, until patience ends: 4.8's back-off policy.

        The connector takes the first pause when it sends the request, and after each failure and the pause
        that follows it the next one. What was answered with silence is taken to be so again.
        """
        pause, patience = _FIRST_PAUSE, self._patience
        while True:
            sent = patience.now()
            yield pause
            patience.failed()
            lasted = patience.now() - sent - pause
            if patience.left <= max(lasted, 0):
                raise GaveUpError
            pause = min(pause * 2, _LONGEST_PAUSE, math.ceil(patience.left))


def part(opened: Any) -> None:
    """End a session, on whatever terms."""
    _wait_at_most(opened, ONE_SECOND * 2)
    try:
        opened.close()
    except Exception:
        logging.getLogger(__name__).debug("The session could not be closed", exc_info=True)


def _attempts(seconds: float) -> int:
    """How many attempts fit into some seconds, whether they are refused at once or answered with silence."""
    attempts, pause, pauses = 1, float(_FIRST_PAUSE), 0.0
    while attempts * ANSWER_SECONDS <= seconds and (pauses := pauses + pause) < seconds:
        attempts, pause = attempts + 1, min(pause * 2, _LONGEST_PAUSE)
    return attempts


def _wait_at_most(opened: Any, seconds: float) -> None:
    """Change how long 4.8 waits for an answer; there is no public way to do so after the login."""
    if hasattr(opened, "_socket_timeout"):
        opened._socket_timeout = math.ceil(seconds)  # noqa: SLF001


def _quiet() -> None:
    """Keep the connector's own words from the log: the errors that it raises say the same.

    4.8 logs a traceback of each failed request; 5.x logs credentials that it does not find in clouds.
    """
    logging.getLogger("snowflake.connector").setLevel(logging.WARNING)
    for name in ("network", "vendored", "_core"):
        logging.getLogger(f"snowflake.connector.{name}").setLevel(logging.CRITICAL)
    # told to whoever catches it by its class, which nothing here does
    warnings.filterwarnings("ignore", ".*ReauthenticationRequest", FutureWarning)
