"""The Web API's error answers: code, HTTP status and body, as the developer reference lists them."""

from __future__ import annotations

from typing import Final

import msgspec

#: HTTP status of each error code (sage300.md section 5; 404 and 409 are verified, the others inferred).
STATUS: Final[dict[str, int]] = {
    "InternalServerError": 500,
    "Unauthorized": 401,
    "Forbidden": 403,
    "TooManyRequests": 429,
    "InvalidParameters": 400,
    "ResourceNotFound": 404,
    "InvalidEntityKey": 400,
    "RecordNotFound": 404,
    "MethodNotAllowed": 405,
    "InvalidPayload": 400,
    "InvalidAction": 400,
    "SessionError": 500,
    "RecordDuplicate": 409,
    "RecordInvalid": 409,
    "FieldInvalid": 409,
    "General": 409,
}

#: What IIS itself answers while the application pool is down: no JSON, no error code.
SERVICE_UNAVAILABLE_HTML: Final = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE>\r\n"
    b'<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
    b"<BODY><h2>Service Unavailable</h2>\r\n"
    b"<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n"
    b"</BODY></HTML>\r\n"
)


class ApiError(Exception):
    """A request the Web API refuses.

    Args:
        code: One of the codes in ``STATUS``.
        message: The sentence of the body's ``message.value``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS[self.code]

    def body(self) -> bytes:
        """The JSON error body."""
        return error_body(self.code, self.message)


def error_body(code: str, message: str) -> bytes:
    """Spell one error the way the Web API does.

    Args:
        code: The error code, which clients are told to act on.
        message: The sentence for people.

    Returns:
        The JSON text.
    """
    return msgspec.json.encode({"error": {"code": code, "message": {"lang": "en-US", "value": message}}})
