"""What X3 answers when it refuses, and the shapes of these answers (reference 1.5 and 2.4)."""

from __future__ import annotations

import json

from starlette.responses import Response

JSON = "application/json"


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a mishap
    """A request that is answered with no data.

    Attributes:
        response: The answer.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class ArgumentError(ValueError):
    """An argument of a query that cannot be read."""


def diagnoses(status: int, message: str) -> Response:
    """An answer of api1 that says what is wrong; ``status`` may well be 200."""
    body = {"$diagnoses": [{"$severity": "error", "$message": message}]}
    return Response(json.dumps(body), status, media_type=JSON)


def refused(status: int, message: str) -> Refused:
    """A refusal of api1 with its sentence."""
    return Refused(diagnoses(status, message))


def opaque() -> Refused:
    """What api1 answers to an endpoint it does not have: nothing of use."""
    return Refused(Response("Internal Server Error", 500, media_type="text/plain"))


def plain(status: int, text: str, headers: dict[str, str] | None = None) -> Refused:
    """A refusal in plain text."""
    return Refused(Response(text, status, headers, "text/plain"))


def gateway(status: int, text: str) -> Refused:
    """A refusal of the gateway that stands before Sage X3 Cloud."""
    return Refused(Response(json.dumps({"message": text}), status, media_type=JSON))
