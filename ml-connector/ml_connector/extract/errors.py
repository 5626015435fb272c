"""What an API may answer instead of data, by what a reader can do about it.

A source raises these, with a sentence for a person as their message; `read` decides by their kind.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Refusable: TypeAlias = Literal["filter", "order", "field", "size", "count", "select", "blanks", "question"]
"""What a server can refuse of a question: `select` is naming fields at all, `blanks` the condition that finds
records with a blank stamp, `question` where it does not say."""


class ApiError(Exception):
    """Something that a person has to see; the message says what and where, and what to do."""


class SignInRefused(ApiError):  # noqa: N818 - reads as the sentence it is
    """The credentials do not work: it ends the run, as more attempts may lock the account."""


class Denied(ApiError):  # noqa: N818 - reads as the sentence it is
    """The user lacks the right to what was asked for: that stream of that company fails, the others go on."""


class StreamUnavailable(ApiError):  # noqa: N818 - reads as the sentence it is
    """The company does not have what a stream reads: it is skipped, the others go on."""


class Refused(ApiError):  # noqa: N818 - reads as the sentence it is
    """The server does not accept the question as it is put; a plainer one may work.

    Args:
        message: The sentence.
        what: The part that is refused.
        fields: The fields that the server names, where it names any.
    """

    def __init__(self, message: str, what: Refusable = "question", fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.what = what
        self.fields = fields


class Transient(ApiError):  # noqa: N818 - reads as the sentence it is
    """A failure that might pass and outlived all attempts, or a page that the server cannot give.

    Where the server did answer, `read` asks for smaller pages until the record that breaks them is alone,
    goes on behind it, and says so.

    Args:
        message: The sentence.
        answered: The server answers, but not with this page.
    """

    def __init__(self, message: str, *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class TooSlow(Transient):
    """The server, or a gateway before it, has no answer in time: `read` asks for smaller pages."""


class InvalidSetting(ApiError):  # noqa: N818 - reads as the sentence it is
    """A setting has a value that cannot be used."""
