"""Requests to one Syracuse server: signed in, exact, and as patient as all taps are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from ml_connector.extract.digits import decode_exactly
from ml_connector.extract.errors import Denied, Refused, StreamUnavailable, TooSlow, Transient
from ml_connector.extract.http import (
    GaveUpError,
    HttpError,
    HttpSettings,
    PoliteSession,
    TryAgain,
    transient,
)

from tap_sagex3.auth import authorization
from tap_sagex3.errors import (
    RecordGone,
    SageX3Error,
    describes_no_record,
    diagnoses_of,
    is_about_question,
    is_about_size,
    is_absent,
    page_title,
    said_by,
    token_refused,
)
from tap_sagex3.tokens import Tokens

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    import requests

    from tap_sagex3.auth import Authorization

Judge: TypeAlias = "Callable[[Answer], Exception | None]"

_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TOO_LARGE: Final = 413
_SERVER_ERROR: Final = 500


class Answer(
    msgspec.Struct,
    rename={
        "rows": "$resources",
        "links": "$links",
        "per_page": "$itemsPerPage",
        "diagnoses": "$diagnoses",
        "severity": "$severity",
        "said": "$message",
    },
):
    """An answer of which only what the next request needs was decoded."""

    rows: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    links: Any = None
    per_page: Any = None
    diagnoses: Any = None
    severity: Any = None
    said: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    errors: Any = None
    content: bytes = b""


_peek = msgspec.json.Decoder(Answer)


@dataclass(frozen=True)
class _Request:
    """A request before it is signed."""

    method: str
    url: str
    where: str
    headers: dict[str, str]
    body: bytes | None = None
    judge: Judge | None = None
    most: int | None = None
    refusable: bool = False


class Client:
    """Sends requests to a server for one folder.

    Args:
        config: The tap's settings, revealed.
        folder: The endpoint's name.
        login: Signs the requests of all folders; made here if None.
        logger: Gets a line a retry.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: str,
        login: Authorization | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.base_url = str(config["base_url"]).rstrip("/")
        self.folder = folder
        settings = HttpSettings.from_config(config)
        self.concurrency = settings.concurrency
        self._http = PoliteSession(settings, logger=logger)
        self.login = login or make_login(config, settings, logger)
        self._reached = False

    def get(self, url: str, where: str) -> dict[str, Any]:
        """Ask the REST services, and decode the whole answer.

        Args:
            url: The whole address.
            where: What is read, for errors.

        Returns:
            The decoded body.

        Raises:
            SignInRefused: The credentials do not work, not even with a fresh token.
            StreamUnavailable: The server has no such class or endpoint.
            Refused: The question is not to its liking.
            RecordGone: There is no such record.
            ApiError: Any other failure that outlived all attempts.
        """
        answer = self.ask(url, where)
        document = decode_exactly(answer.content)
        if not isinstance(document, dict):
            raise SageX3Error(f"Reading {where}: the server sent JSON that is no object. Check base_url.")
        return document

    def ask(self, url: str, where: str, *, refusable: bool = False, most: int | None = None) -> Answer:
        """Ask the REST services, without decoding the records.

        Args:
            url: The whole address.
            where: What is read, for errors.
            refusable: The question has a condition or an order: an error may be about that.
            most: Repetitions, instead of the settings'.

        Raises:
            As for `get`.
        """
        headers = {"Accept": "application/json"}
        return self._signed(_Request("GET", url, where, headers, most=most, refusable=refusable))

    def post(self, url: str, where: str, body: bytes, judge: Judge, *, most: int | None = None) -> Answer:
        """Ask GraphQL.

        Args:
            url: The whole address.
            where: What is read, for errors.
            body: The question as JSON.
            judge: Says what is wrong with an answer; `SageX3Error` itself and `Refused` are worth another
                attempt.
            most: Repetitions, instead of the settings'.

        Returns:
            The answer, its data not decoded.

        Raises:
            As for `get`.
        """
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "x-xtrem-endpoint": self.folder,
        }
        return self._signed(_Request("POST", url, where, headers, body, judge, most))

    def close(self) -> None:
        """End the connections; requests that wait are given up."""
        self._http.close()

    def _signed(self, asked: _Request) -> Answer:
        renewed = False
        while True:
            signed = self.login.headers()
            try:
                document = self._sent(asked, signed)
            except _Unauthorized as refusal:
                # a password that worked before may be tried once more; a new one not: accounts get locked
                if renewed or not (self.login.renewable or self._reached):
                    raise token_refused(refusal.status, refusal.text, renewed=renewed) from None
                # a token may end in the middle of a read: the same page is asked for with a fresh one
                self.login.refused(signed, refusal.date)
                renewed = True
            else:
                self._reached = True
                return document

    def _sent(self, asked: _Request, signed: dict[str, str]) -> Answer:
        def read(response: requests.Response) -> Answer:
            answer = _read(response, asked)
            wrong = asked.judge(answer) if asked.judge else None
            if isinstance(wrong, Transient):
                raise TryAgain(str(wrong), final=wrong)
            if wrong is not None:
                raise wrong
            return answer

        headers = {**asked.headers, **signed}
        try:
            return self._http.request(
                asked.method, asked.url, read=read, headers=headers, data=asked.body, most=asked.most
            )
        except GaveUpError as error:
            kind = TooSlow if error.slow else Transient
            raise kind(f"Reading {asked.where} failed: {error}") from error
        except HttpError as error:
            raise SageX3Error(str(error)) from error


def make_login(
    config: Mapping[str, Any], settings: HttpSettings, logger: logging.Logger | None = None
) -> Authorization:
    """Make what signs requests.

    Args:
        config: The tap's settings, revealed.
        settings: The connection settings, for the token endpoint.
        logger: Gets a line a retry.

    Raises:
        SignInRefused: A setting is missing.
    """

    def tokens() -> Tokens:
        # tokens are not data: they do not wait in the line of requests_per_minute
        http = PoliteSession(replace(settings, requests_per_minute=None), logger=logger)
        return Tokens(config, http)

    return authorization(config, tokens)


class _Unauthorized(Exception):  # noqa: N818 - a signal, not an error anybody is shown
    """The token, or the password, was refused."""

    def __init__(self, status: int, text: str, date: str | None) -> None:
        super().__init__(text)
        self.status, self.text, self.date = status, text, date


def _read(response: requests.Response, asked: _Request) -> Answer:
    """Judge an answer: HTTP 200 is not a success by itself (reference 1.5)."""
    status, where, content = response.status_code, asked.where, response.content
    if status == _UNAUTHORIZED:
        raise _Unauthorized(status, response.text, response.headers.get("Date"))
    if status >= _BAD_REQUEST:
        raise _verdict(response, asked)
    try:
        answer = _peek.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if content.lstrip()[:1] in {b"[", b'"'}:
            raise SageX3Error(
                f"Reading {where}: the server sent JSON that is no object. Check base_url."
            ) from None
        seen = _seen(content, error)
        raise TryAgain(
            f"the server sent {seen}",
            final=Transient(
                f"Reading {where}: instead of data the server sent {seen}. Check base_url, and the server's"
                " log if the address is right.",
                answered=True,
            ),
        ) from None
    answer.content = content
    wrong = diagnoses_of(answer.diagnoses, answer.severity, answer.said)
    if wrong is not None:
        raise _diagnosed(wrong, asked)
    return answer


def _seen(content: bytes, error: Exception) -> str:
    """What stands in a body that is not JSON."""
    if not content.strip():
        return "an empty body"
    start = content[:4000].decode(errors="replace")
    if "<html" in start.lower() or "<!doctype" in start.lower():
        return f"a page of HTML, '{page_title(start)}'"
    return f"a broken body ({error})"


def _verdict(response: requests.Response, asked: _Request) -> Exception:  # noqa: PLR0911 - one a status
    status, where = response.status_code, asked.where
    try:
        document = decode_exactly(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = None
    said = said_by(status, document, response.text)
    if is_absent(said) and status != _FORBIDDEN:
        return StreamUnavailable(f"{where}: {said}")
    if asked.refusable and status >= _SERVER_ERROR and is_about_question(said):
        # Sage's help says that an unknown property in where is answered with 500
        return Refused(f"{where}: {said}")
    if again := transient(response):
        failed = f"Reading {where} failed: {said}."
        again.final = (
            Refused(failed)
            if asked.refusable and status == _SERVER_ERROR
            else Transient(
                f"{failed} An unknown endpoint, or a user without an X3 user, is answered like this too:"
                " check folders, and the user's mapping in Syracuse.",
                answered=status == _SERVER_ERROR,
            )
        )
        return again
    if status == _FORBIDDEN:
        return Denied(
            f"{where}: {said}. The user lacks the right: give its X3 user access to the function, or deselect"
            " the stream; with an API gateway, check api_key."
        )
    if status == _NOT_FOUND:
        return StreamUnavailable(f"{where}: {said}")
    if status in {_BAD_REQUEST, _TOO_LARGE}:
        return Refused(
            f"{where}: {said}", "size" if is_about_size(said) or status == _TOO_LARGE else "question"
        )
    return SageX3Error(f"Reading {where} failed: {said}")


def _diagnosed(wrong: str, asked: _Request) -> Exception:
    """An error inside HTTP 200: permanent if it says so, else worth another attempt."""
    if describes_no_record(wrong):
        return RecordGone(f"{asked.where}: {wrong}")
    if is_absent(wrong):
        return StreamUnavailable(f"{asked.where}: {wrong}")
    failed = f"Reading {asked.where}: {wrong}"
    final = Refused(failed) if asked.refusable else Transient(failed, answered=True)
    return TryAgain(f"the server answered an error: {wrong}", final=final)
