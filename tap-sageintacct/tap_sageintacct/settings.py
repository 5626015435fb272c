"""The settings of the tap."""

from __future__ import annotations

from typing import Any

from ml_connector.extract.settings import common_settings
from ml_connector.extract.tap import VERSIONS
from singer_sdk import typing as th

from tap_sageintacct.session import DEFAULT_LIFETIME, DEFAULT_URL

SECRETS = ("sender_password", "user_password")
NEEDED = ("sender_id", "sender_password", "company_id", "user_id", "user_password")
LOOKBACK = "PT3H"
"""Rows become visible late: others have met two and a half hours (reference section 2.5)."""
REQUEST_TIMEOUT = 900.0
"""The gateway works up to 15 minutes on a request. One that is given up before runs on, and its
repetition has to wait for it: one job runs at a time."""


def _who() -> list[th.Property[Any]]:
    return [
        th.Property(
            "sender_id",
            th.StringType,
            required=True,
            title="Sender",
            description="Web Services sender id; the company must list it as authorized.",
        ),
        th.Property(
            "sender_password",
            th.StringType,
            required=True,
            secret=True,
            title="Sender's password",
            description="The sender's password, plain or enc:v1:...",
        ),
        th.Property("company_id", th.StringType, required=True, title="Company", description="Company id."),
        th.Property(
            "user_id",
            th.StringType,
            required=True,
            title="User",
            description="A Web Services user of the company, with List and View rights.",
        ),
        th.Property(
            "user_password",
            th.StringType,
            required=True,
            secret=True,
            title="User's password",
            description="The user's password, plain or enc:v1:...",
        ),
    ]


def _what() -> list[th.Property[Any]]:
    return [
        th.Property(
            "entity_ids",
            th.ArrayType(th.StringType),
            title="Entities",
            description=(
                "Entities to read, each in a session and with bookmarks of its own; an empty text is the top"
                " level. Without it, the top level, which sees every entity's records."
            ),
            examples=[["E100", "E200"]],
        ),
        th.Property(
            "base_url",
            th.StringType,
            default=DEFAULT_URL,
            title="Base URL",
            description="Where to sign in; later requests go to the endpoint that the gateway names.",
        ),
        th.Property(
            "session_lifetime",
            th.IntegerType(minimum=1),
            default=DEFAULT_LIFETIME,
            title="Session lifetime",
            description="Seconds after which a session is renewed, before Intacct ends it.",
        ),
        th.Property(
            "timezone",
            th.StringType,
            title="Time zone",
            description=(
                "Zone of the user's timestamps, as an IANA name; UTC if it is not set. Intacct shows them in"
                " the zone of the user's preferences: best set the API user to GMT. A run compares both, and"
                " ends if they differ."
            ),
            examples=["America/Los_Angeles"],
        ),
        th.Property(
            "extra_objects",
            th.ArrayType(th.StringType),
            title="Extra objects",
            description=(
                "Objects to read besides those that the tap knows, with the fields of their lookup: a name,"
                " or NAME:readByQuery for one that the newer query does not serve, which is read whole."
            ),
            examples=[["PROGRAM", "GLACCTALLOCATION:readByQuery"]],
        ),
    ]


SETTINGS: dict[str, Any] = th.PropertiesList(
    *_who(), *_what(), *common_settings(LOOKBACK, REQUEST_TIMEOUT), VERSIONS
).to_dict()
