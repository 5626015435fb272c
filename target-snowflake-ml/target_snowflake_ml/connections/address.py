"""Where the account is: what the settings say, checked before anything is sent there."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from ml_connector.load.errors import LoadError, TransientLoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DOMAIN = re.compile(r"\.snowflakecomputing\.(?:com|cn)$", re.IGNORECASE)
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_HTTPS, _HTTP = 443, 80
_UNKNOWN = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


@dataclass(frozen=True)
class Address:
    """Where an account answers.

    Attributes:
        host: Its host.
        port: Its port.
        protocol: https or http.
        given: Which setting the host is from: host or account.
    """

    host: str
    port: int
    protocol: str
    given: str

    @property
    def url(self) -> str:
        """Scheme, host and port; the port is left out where it is the scheme's own."""
        usual = self.port == (_HTTP if self.protocol == "http" else _HTTPS)
        return f"{self.protocol}://{self.host}{'' if usual else f':{self.port}'}"

    def check(self, lookup: Callable[..., Any] = socket.getaddrinfo) -> None:
        """Look the host up, unless a proxy does.

        Args:
            lookup: As :func:`socket.getaddrinfo`.

        Raises:
            LoadError: If no such host is known.
            TransientLoadError: If nobody can be asked.
        """
        if proxies_of(self.url):
            return
        try:
            lookup(self.host.strip("[]"), self.port)
        except socket.gaierror as error:
            if error.errno in _UNKNOWN:
                raise LoadError(
                    f"There is no host {self.host}: correct the setting {self.given}. An account identifier"
                    " looks like MYORG-ACCOUNT; Snowsight shows it under Account details."
                ) from error
            raise TransientLoadError(
                f"The host {self.host} cannot be looked up: {error.strerror}."
            ) from error
        except UnicodeError as error:
            raise LoadError(f"{self.host} is no host name: correct the setting {self.given}.") from error


def address_of(config: Mapping[str, Any]) -> Address:
    """The address that the settings say.

    Args:
        config: ``account``, and ``host``, ``port`` and ``protocol`` where they are set.

    Raises:
        LoadError: If account or host is not what it should be, such as an address with https://.
    """
    account = str(config.get("account") or "").strip()
    _check_account(account)
    protocol = str(config.get("protocol") or "https").lower()
    port = int(config.get("port") or (_HTTP if protocol == "http" else _HTTPS))
    if host := str(config.get("host") or "").strip():
        if not _HOST.fullmatch(host):
            raise LoadError(
                f"The setting host is {host!r}; it takes a host name alone, such as"
                " myorg-account.snowflakecomputing.com. Its scheme belongs into protocol, its port into port."
            )
        return Address(host, port, protocol, "host")
    # accounts in China have a domain of their own, by their region: https://docs.snowflake.com/en/user-guide/admin-account-identifier
    domain = "cn" if ".cn-" in account.lower() else "com"
    host = f"{account}.snowflakecomputing.{domain}".replace("_", "-").lower()
    return Address(host, port, protocol, "account")


def proxies_of(url: str) -> dict[str, str]:
    """The proxies that the environment names for an address (HTTPS_PROXY, NO_PROXY and their like)."""
    found: dict[str, str] = requests.utils.get_environ_proxies(url)
    scheme = url.partition(":")[0]
    return {name: value for name, value in found.items() if name in {scheme, "all"} and value}


def _check_account(account: str) -> None:
    if not account:
        raise LoadError("Set account: the account identifier, such as MYORG-ACCOUNT.")
    bare = account.split("://", 1)[-1].split("/", 1)[0]
    name = _DOMAIN.sub("", bare.split(":", 1)[0])
    if name != account or not _ACCOUNT.fullmatch(account):
        hint = f": set account to {name}" if name != account and _ACCOUNT.fullmatch(name) else ""
        raise LoadError(
            f"The setting account is {account!r}; it takes the account identifier alone, such as"
            f" MYORG-ACCOUNT, without https:// and without the domain{hint or ''}."
        )
