"""The settings of the tap."""

from __future__ import annotations

from typing import Any

from ml_connector.extract.settings import common_settings
from ml_connector.extract.tap import VERSIONS
from singer_sdk import typing as th

_EXTRA_RESOURCE = th.ObjectType(
    th.Property("module", th.StringType, required=True, description="The address' module segment: TU."),
    th.Property("entity_set", th.StringType, required=True, description="The entity set: TUPaymentCodes."),
    th.Property("name", th.StringType, description="Stream name; by default the entity set in snake_case."),
    th.Property("key", th.ArrayType(th.StringType), description="Key; by default as $metadata declares it."),
    th.Property("replication_key", th.StringType, description="Date or number that moves with each change."),
)

SETTINGS: dict[str, Any] = th.PropertiesList(
    th.Property(
        "base_url",
        th.StringType,
        required=True,
        title="Base URL",
        description="Address of the Web API, up to and including /v1.0/-.",
        examples=["https://erp.example.com/Sage300WebApi/v1.0/-"],
    ),
    th.Property(
        "companies",
        th.ArrayType(th.StringType),
        required=True,
        title="Companies",
        description="Org IDs of the company databases to read.",
        examples=[["SAMINC", "SAMLTD"]],
    ),
    th.Property(
        "username",
        th.StringType,
        required=True,
        title="User",
        description=(
            "A Sage 300 user whose security groups have the authorization 'Sage 300 Web API'; not ADMIN."
            " Sent in capitals."
        ),
    ),
    th.Property(
        "password",
        th.StringType,
        required=True,
        secret=True,
        title="Password",
        description="The user's password, plain or enc:v1:...; sent in capitals.",
    ),
    th.Property(
        "extra_resources",
        th.ArrayType(_EXTRA_RESOURCE),
        title="Extra resources",
        description="Partners' endpoints to read besides Sage's own; their schemas come from $metadata.",
    ),
    th.Property(
        "flatten_optional_fields",
        th.CustomType({"type": ["boolean", "array", "string", "null"], "items": {"type": "string"}}),
        default=False,
        title="Flatten optional fields",
        description=(
            "Make a column of each optional field, named by its code: true for all streams, or a list of"
            " stream names and globs. The arrays stay as they are."
        ),
    ),
    *common_settings(),
    VERSIONS,
).to_dict()
"""The JSON schema of the settings."""
