"""Plain HTTPS as the SQL API and token endpoints are asked: nothing is followed, nothing is looked up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import requests
from ml_connector.load.errors import LoadError, TransientLoadError

from target_snowflake_ml.connections.address import proxies_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def new_session(headers: Mapping[str, str]) -> requests.Session:
    """A session that takes nothing from ~/.netrc: a password there would replace the token."""
    session = requests.Session()
    session.trust_env = False
    session.headers.update(headers)
    return session


def send(session: requests.Session, method: str, url: str, what: str, **more: Any) -> requests.Response:
    """Send a request once, without following a redirect.

    Args:
        session: Of :func:`new_session`.
        method: GET or POST.
        url: Where.
        what: Whom the request is for, for errors; the errors of the HTTP library are never shown, as they
            quote headers.
        more: As for :meth:`requests.Session.request`.

    Raises:
        TransientLoadError: If there is no connection or no answer.
        LoadError: If the address or the certificate is wrong, or the answer is a redirect.
    """
    host = url.split("/", 3)[2]
    try:
        answer = session.request(
            method,
            url,
            allow_redirects=False,
            proxies=proxies_of(url),
            # the environment's variables count, though the session ignores the rest of it
            verify=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True,
            **more,
        )
    except requests.exceptions.SSLError as error:
        raise LoadError(
            f"The certificate of {host} was not accepted: {_innermost(error)}. If it is right, set"
            " REQUESTS_CA_BUNDLE to the file of the authority that signed it; if the port speaks plain HTTP,"
            " correct protocol and port."
        ) from None
    except requests.exceptions.Timeout:
        raise TransientLoadError(f"{what} at {host} did not answer in time.") from None
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise TransientLoadError(f"{what} at {host} cannot be reached: {_innermost(error)}.") from None
    except requests.exceptions.ContentDecodingError:
        raise TransientLoadError(f"{what} at {host} broke off its answer.") from None
    except (requests.exceptions.RequestException, ValueError) as error:
        raise LoadError(f"{what} at {host} cannot be asked: {type(error).__name__}.") from None
    if answer.is_redirect or answer.is_permanent_redirect:
        elsewhere = answer.headers.get("Location", "").split("?", 1)[0]
        raise LoadError(
            f"{what} at {host} sends requests on to {elsewhere}. Credentials are not sent there: correct the"
            " address in the settings."
        )
    return answer


def _innermost(error: BaseException) -> str:
    """The system's own words at the bottom of the library's errors; those above quote addresses."""
    seen: BaseException = error
    for _ in range(10):
        inner = next((each for each in seen.args if isinstance(each, BaseException)), None)
        inner = inner or getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
        if not isinstance(inner, BaseException):
            break
        seen = inner
    text = getattr(seen, "strerror", None) or getattr(seen, "verify_message", None) or str(seen)
    return str(text).rstrip(".") or type(seen).__name__
