"""What the gateway answers when it refuses: at the control, at the sign-in, or in a function's result.

Where each sits and what it says: reference sections 1.4 and 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OFF_LINE: Final = "The Service is Temporarily Off-line"
TRY_AGAIN: Final = "Please Try Again Later"


@dataclass
class GatewayError(Exception):
    """One ``<error>``.

    Attributes:
        errorno: A number, or a text where the gateway gives one; may be empty.
        description2: The sentence that says what is wrong.
        description: Usually empty.
        correction: What to do about it; usually empty.
    """

    errorno: str
    description2: str
    description: str = ""
    correction: str = ""


@dataclass
class ControlError(GatewayError):
    """The request as a whole is refused: no operation is answered.

    Attributes:
        others: Further errors; a parser has one a message.
    """

    others: tuple[GatewayError, ...] = ()


@dataclass
class SignInError(GatewayError):
    """The sign-in is refused: no function is answered.

    Attributes:
        user: Who signed in, if anybody said so.
        company: Where.
    """

    user: str = ""
    company: str = ""


def generic(what: str) -> GatewayError:
    """The error that says little: an unknown field, a date in another notation and the like."""
    return GatewayError("DL02000001", f"There was an error processing the request; {what}")


def not_permitted(operation: str, name: str) -> GatewayError:
    """The user's role does not let it read an object.

    Args:
        operation: ``READ_BY_QUERY``, ``QUERY`` ...
        name: The object.
    """
    if name == "AUDITHISTORY":
        return GatewayError("", "You do not have permission to view audit history")
    text = f"You do not have permission for API operation {operation} on objects of type {name.lower()}"
    return GatewayError("PL04000005", text)


def unknown_object(name: str) -> GatewayError:
    """There is no such object."""
    return GatewayError("Query Failed", f"Object definition {name} not found")
