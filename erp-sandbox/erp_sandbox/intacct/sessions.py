"""Who may call, and how long a session lives (reference section 1.2)."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from erp_sandbox.intacct.envelope import SignedIn
from erp_sandbox.intacct.errors import ControlError, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from erp_sandbox.intacct.envelope import Request

_SHOWN: Final = 2
_WRONG: Final = "Sign-in information is incorrect"


@dataclass(frozen=True)
class Credentials:
    """Who is known: one sender, one user, the companies of the business."""

    sender_id: str
    sender_password: str
    user_id: str
    user_password: str


@dataclass
class Session:
    """One session.

    Attributes:
        company: The company.
        location: The entity it is in, empty at the top level.
        since: When it was opened by the company's clock, in seconds since 1970.
        until: When it ends, unless it is used before.
        requests: How many requests it has left; None for any number.
    """

    company: str
    location: str
    since: float
    until: float
    requests: int | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Gatekeeper:
    """Lets requests in.

    Args:
        credentials: Who is known.
        companies: Companies of the business.
        entities: Gives a company's entities.
        clock: The company's clock, in seconds since 1970; sessions end by the real one.
        minutes: How long a session lives after each use.
        requests: After how many requests a session dies; None for never.
    """

    def __init__(
        self,
        credentials: Credentials,
        companies: Collection[str],
        entities: Callable[[str], Collection[str]],
        clock: Callable[[], float],
        *,
        minutes: float,
        requests: int | None,
    ) -> None:
        self._credentials = credentials
        self._companies = companies
        self._entities = entities
        self._clock = clock
        self._seconds = minutes * 60
        self._requests = requests
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def check_sender(self, request: Request) -> None:
        """Check the control block.

        Raises:
            ControlError: If the sender is not known, or the request names a policy.
        """
        control, known = request.control, self._credentials
        if (control["senderid"], control["password"]) != (known.sender_id, known.sender_password):
            raise ControlError("XL03000006", "Incorrect Intacct XML Partner ID or password.")
        if policy := control.get("policyid"):
            raise ControlError("XL03000006", f"{policy} is not a valid transport policy.")
        if control["dtdversion"] not in {"3.0", "2.1"}:
            raise ControlError("XL03000003", "XML Parse error: dtdversion must be 3.0 or 2.1.")

    def admit(self, request: Request) -> tuple[Session, SignedIn]:
        """Check the authentication block.

        Raises:
            SignInError: If the session is not alive, or the sign-in wrong.
        """
        session = self._alive(request.session) if request.session else self._signed_in(request)
        return session, SignedIn(
            self._credentials.user_id,
            session.company,
            session.location,
            _iso(session.since),
            _iso(self._clock() + self._seconds),
        )

    def open(self, company: str, location: str) -> Session:
        """Open a session.

        Raises:
            SignInError: If the company has no such entity.
        """
        if location and location not in self._entities(company):
            raise SignInError("XL03000006", f"{location} is not a valid location entity.")
        until = time.time() + self._seconds
        session = Session(company, location, self._clock(), until, self._requests)
        with self._lock:
            self._sessions[session.token] = session
        return session

    def forget(self, token: str) -> None:
        """Let a session die before its time."""
        with self._lock:
            self._sessions.pop(token, None)

    def _alive(self, token: str) -> Session:
        with self._lock:
            session = self._sessions.get(token)
            now = time.time()
            if session is None or session.until < now or session.requests == 0:
                self._sessions.pop(token, None)
                raise SignInError("XL03000006", f"Invalid session {token[:_SHOWN]}....")
            session.until = now + self._seconds
            if session.requests is not None:
                session.requests -= 1
            return session

    def _signed_in(self, request: Request) -> Session:
        """A login that comes with the functions: a session for this request alone."""
        login, known = request.login, self._credentials
        wrong = SignInError(
            "XL03000006", _WRONG, user=login.get("userid", ""), company=login.get("companyid", "")
        )
        company, _, location = login.get("companyid", "").partition("||")
        if (
            (login.get("userid"), login.get("password")) != (known.user_id, known.user_password)
            or company not in self._companies
        ):  # fmt: skip
            raise wrong
        location = login.get("locationid") or location
        if location and location not in self._entities(company):
            raise wrong
        return Session(company, location, self._clock(), time.time() + self._seconds)


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc) + timedelta(0)
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
