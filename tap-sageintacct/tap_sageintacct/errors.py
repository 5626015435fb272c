"""What can go wrong with the gateway, in words a person can act on.

Where errors sit and what they say: reference sections 1.4 and 1.5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ml_connector.extract.errors import ApiError, Refused, SignInRefused, StreamUnavailable
from ml_connector.extract.http import TryAgain

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUPPORT_ID = re.compile(r"\s*\[Support ID:[^\]]*\]")
_NO_PERMISSION = re.compile(r"do not have permission|not authori[sz]ed to", re.IGNORECASE)
_UNKNOWN_OBJECT = re.compile(r"object definition \S+ not found|not subscribed|no subscription", re.IGNORECASE)
_PASSING = re.compile(
    r"temporarily off-?line|try again later|rate limit|too many (?:operations|requests)|"
    r"concurren|timed? ?out|deadlock",
    re.IGNORECASE,
)
_PASSING_NUMBERS = frozenset({"GW-0010"})
"""The rate limit, whatever it says."""
_SESSION = re.compile(r"invalid session|session (?:has )?(?:expired|timed out)", re.IGNORECASE)
_NOT_QUERYABLE = re.compile(r"fields? cannot be queried\s*:\s*(?P<lists>.*)", re.IGNORECASE | re.DOTALL)
"""`The following fields cannot be queried: [ apbill: [PAYTOCONTACTNAME, RETURNTOCONTACTNAME] ]`, as users
have reported it."""
_LIST = re.compile(r"\[\s*([A-Za-z][\w.]*(?:\s*,\s*[A-Za-z][\w.]*)*)\s*\]")
_FIELDS = re.compile(r"[;:]\s*\[?(?P<names>[A-Z][\w.]*(?:\s*,\s*[A-Z][\w.]*)*)\]?\s*$", re.IGNORECASE)
_SIGN_IN_NUMBERS = frozenset({"XMLGW_JPP0002", "UJPP0002", "GW-0011", "invalidRequest"})
_SENDER_NUMBERS = frozenset({"XL03000006", ""})
_HICCUP = re.compile(r"(?:there was an error processing the request)?[\s.;:]*$", re.IGNORECASE)
GENERIC = "DL02000001"


class IntacctError(ApiError):
    """The gateway refuses, and asking again does not help; the message says what to do."""


class SessionEnded(Exception):  # noqa: N818 - a signal to the session, not an error anybody is shown
    """The gateway does not know the session any more."""


class Said(NamedTuple):
    """One ``<error>`` of an answer; any part may be empty."""

    errorno: str
    description: str
    description2: str
    correction: str

    def __str__(self) -> str:
        """The parts that say something, without the support id."""
        texts = dict.fromkeys(
            _SUPPORT_ID.sub("", text).strip() for text in (self.description, self.description2)
        )
        parts = [text for text in texts if text]
        if self.correction:
            parts.append(self.correction.strip())
        text = " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts)
        return (
            f"{self.errorno}: {text}" if self.errorno and text else self.errorno or text or "no reason given"
        )


def control_failed(said: Sequence[Said], *, in_session: bool = False, entity: str = "") -> Exception:
    """What a failure of the control block means.

    Args:
        said: Its errors.
        in_session: The request carried a session, not a sign-in.
        entity: Where the sign-in was for; empty for the top level.
    """
    text = _together(said)
    if _passes(said, text):
        return TryAgain(text, distress=True)
    if any(each.errorno == "XL03000003" for each in said):
        return IntacctError(f"The gateway could not read the request: {text}")
    if any(each.errorno in _SIGN_IN_NUMBERS for each in said):
        # the newer front end's words for a sign-in, or a session, that it does not accept
        return SessionEnded(text) if in_session else _sign_in_refused(text, entity)
    if any(each.errorno not in _SENDER_NUMBERS for each in said):
        return IntacctError(f"The gateway does not serve this company: {text}")
    return SignInRefused(
        f"The gateway refuses the sender: {text} Check sender_id and sender_password (the Web Services"
        " credentials, not the company's), and that the sender is in the company's list of authorized Web"
        " Services senders (Company > Company Info > Security)."
    )


def sign_in_failed(said: Sequence[Said], entity: str = "") -> Exception:
    """What a failure of the authentication block means.

    Args:
        said: Its errors.
        entity: Where the sign-in was for; empty for the top level.
    """
    text = _together(said)
    if _SESSION.search(text):
        return SessionEnded(text)
    if _passes(said, text):
        return TryAgain(text, distress=True)
    return _sign_in_refused(text, entity)


def _sign_in_refused(text: str, entity: str) -> SignInRefused:
    place = f" to entity {entity}" if entity else ""
    return SignInRefused(
        f"Intacct refuses the sign-in{place}: {text} Check company_id, user_id, user_password and entity_ids,"
        " that the user is a Web Services user, and that the sender is authorized for the company."
    )


def result_failed(said: Sequence[Said], what: str) -> Exception:
    """What a failed function means.

    Args:
        said: Its errors; the first one is usually the cause.
        what: What was asked, for a person.
    """
    text = _together(said)
    forbidden = _NO_PERMISSION.search(text) or any(each.errorno == "PL04000005" for each in said)
    if forbidden or _UNKNOWN_OBJECT.search(text):
        remedy = " Give the user's role List and View rights on it." if forbidden else ""
        return StreamUnavailable(f"{what}: {text}{remedy}")
    if _SESSION.search(text):
        return SessionEnded(text)
    if names := _fields(said):
        return Refused(
            f"{what}: the company does not have the fields {', '.join(names)}, or does not give them.",
            "field",
            names,
        )
    generic = any(each.errorno == GENERIC for each in said)
    refused = Refused(f"{what}: {text}") if generic else IntacctError(f"{what}: {text}")
    passing = _passes(said, text)
    # the generic error is said of hiccups too (reference 1.5), which give no reason at all
    hiccup = generic and all(_HICCUP.match(_bare(each)) for each in said)
    if passing or hiccup:
        return TryAgain(text, distress=passing, final=refused)
    return refused


def _passes(said: Sequence[Said], text: str) -> bool:
    return _PASSING.search(text) is not None or any(each.errorno in _PASSING_NUMBERS for each in said)


def _fields(said: Sequence[Said]) -> tuple[str, ...]:
    """The fields that an error names: in lists by object, after a semicolon, or after the last colon."""
    for each in said:
        text = _bare(each)
        if lists := _NOT_QUERYABLE.search(text):
            found = [name for names in _LIST.findall(lists["lists"]) for name in names.split(",")]
        elif each.errorno == GENERIC and (names := _FIELDS.search(text)):
            found = names["names"].split(",")
        else:
            continue
        if found:
            return tuple(sorted({name.strip() for name in found}))
    return ()


def _bare(said: Said) -> str:
    return _SUPPORT_ID.sub("", said.description2 or said.description).strip()


def _together(said: Sequence[Said]) -> str:
    return " ".join(dict.fromkeys(map(str, said))) or "no reason given."
