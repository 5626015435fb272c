"""The settings of the tap."""

from __future__ import annotations

from typing import Any

from ml_connector.extract.settings import common_settings
from ml_connector.extract.tap import VERSIONS
from singer_sdk import typing as th

from tap_sagex3.tokens import DEFAULT_TOKEN_FILE

DEFAULT_LIFETIME = 300
SECRETS = ("password", "client_secret", "refresh_token", "api_key")

_REPRESENTATION = th.ObjectType(
    th.Property("class", th.StringType, description="Class of the REST services."),
    th.Property(
        "representation", th.StringType, description="Representation; by default named like the class."
    ),
    th.Property("collection", th.StringType, description="Of lines: their array in the document's $details."),
    th.Property(
        "details",
        th.BooleanType,
        description="Read each record by $details, as its $query shows too few fields: a request a record.",
    ),
)

_EXTRA = th.ObjectType(
    th.Property("name", th.StringType, required=True, description="Name of the stream, in snake_case."),
    th.Property("class", th.StringType, description="Class of the REST services; for api: rest."),
    th.Property(
        "representation", th.StringType, description="Representation; by default named like the class."
    ),
    th.Property("node", th.StringType, description="Node of the GraphQL schema; for api: graphql."),
    th.Property("package", th.StringType, description="The node's package; by default whichever has it."),
    th.Property(
        "key", th.ArrayType(th.StringType), required=True, description="Field codes of the key, in its order."
    ),
    th.Property(
        "stamp",
        th.StringType,
        description=(
            "Field of the last change: UPDDATTIM (with UPDDAT instead of it where it cannot be asked for), a"
            " moment or a day. Without it, all of it is read every time."
        ),
    ),
)


def _what() -> list[th.Property[Any]]:
    return [
        th.Property(
            "api",
            th.StringType(allowed_values=["rest", "graphql"]),
            default="graphql",
            title="API",
            description=(
                "graphql (Sage X3 Services, version 12 and later: recommended) or rest (api1, version 6 and"
                " later). The streams are the same."
            ),
        ),
        th.Property(
            "base_url",
            th.StringType,
            required=True,
            title="Base URL",
            description="Address of the Syracuse server, without /api1 or /xtrem.",
            examples=["https://x3.example.com:8124"],
        ),
        th.Property(
            "folders",
            th.ArrayType(th.StringType),
            required=True,
            title="Folders",
            description="Names of the Syracuse endpoints to read, each with bookmarks of its own.",
            examples=[["SEED", "PROD"]],
        ),
        th.Property(
            "representations",
            th.CustomType({"type": ["object", "null"], "additionalProperties": _REPRESENTATION.to_dict()}),
            title="Representations",
            description=(
                "Stream to class and representation of the REST services, where the site's differ. Lines that"
                " have a class of their own are read from its list instead of one document at a time."
            ),
            examples=[{"gl_journal_lines": {"class": "GACCENTRYD", "representation": "ZGACCENTRYD"}}],
        ),
        th.Property(
            "extra_resources",
            th.ArrayType(_EXTRA),
            title="Extra resources",
            description=(
                "Tables of the site's own, or of custom packages, to read besides Sage's; their fields come"
                " from the server's description of the class or node."
            ),
            examples=[[{"name": "z_contracts", "class": "ZCONTRACT", "node": "zContract", "key": ["ZNUM"]}]],
        ),
        th.Property(
            "properties",
            th.CustomType({"type": ["object", "null"], "additionalProperties": {"type": "string"}}),
            title="Properties",
            description=(
                "Field code to GraphQL property, or to node.property, where the server's schema does not tell"
                " it in its descriptions."
            ),
            examples=[{"ORDREF": "purchaseOrder.internalOrderReference"}],
        ),
        th.Property(
            "schema_generation",
            th.StringType(allowed_values=["auto", "x3", "xtremX3", "sage"]),
            default="auto",
            title="Schema generation",
            description="Prefix of the GraphQL packages: x3 since 2023 R2, xtremX3 before, sage at first.",
        ),
        th.Property(
            "dimensions",
            th.StringType,
            title="Dimensions",
            description=(
                "A JSON file that says how analytical dimensions become columns, instead of CCE_ and the"
                " dimension type."
            ),
        ),
    ]


def _who() -> list[th.Property[Any]]:
    return [
        th.Property(
            "auth",
            th.StringType(
                allowed_values=["connected_app", "authorization_code", "client_credentials", "basic"]
            ),
            title="Authentication",
            description="By default basic where there is a username, else connected_app.",
        ),
        th.Property("username", th.StringType, title="User", description="Syracuse user, for basic."),
        th.Property(
            "password",
            th.StringType,
            secret=True,
            title="Password",
            description="The user's password, plain or enc:v1:...",
        ),
        th.Property(
            "client_id",
            th.StringType,
            title="Client",
            description="Of the connected application, or of Sage X3 Cloud.",
        ),
        th.Property(
            "client_secret",
            th.StringType,
            secret=True,
            title="Client secret",
            description="The client's secret, plain or enc:v1:...",
        ),
        th.Property(
            "user",
            th.StringType,
            title="Allowed user",
            description="Syracuse login that the connected application allows; capitals count.",
        ),
        th.Property(
            "audience",
            th.StringType,
            title="Audience",
            description=(
                "Of a connected application the URL that it is registered with, letter by letter; of client"
                " credentials the API's."
            ),
        ),
        th.Property(
            "token_lifetime",
            th.IntegerType(minimum=10),
            default=DEFAULT_LIFETIME,
            title="Token lifetime",
            description="Seconds that a self-signed token lives; at most the application's tokens validity.",
        ),
        th.Property(
            "token_url",
            th.StringType,
            title="Token URL",
            description="Where tokens of Sage X3 Cloud come from.",
            examples=["https://api.eu-sagex3.com/v1/token"],
        ),
        th.Property(
            "refresh_token",
            th.StringType,
            secret=True,
            title="Refresh token",
            description="The first one of a pairing, plain or enc:v1:...; its successors are in token_file.",
        ),
        th.Property(
            "token_file",
            th.StringType,
            default=DEFAULT_TOKEN_FILE,
            title="Token file",
            description=(
                "Keeps the refresh token, which changes with every use; readable by its owner alone, and"
                " encrypted if ML_CONNECTOR_KEY is set."
            ),
        ),
        th.Property(
            "redirect_uri",
            th.StringType,
            title="Redirect",
            description="As the application is registered with.",
        ),
        th.Property(
            "scope",
            th.StringType,
            default="api.graphQL user.?",
            title="Scope",
            description="What --authorize asks the customer for.",
        ),
        th.Property(
            "api_key",
            th.StringType,
            secret=True,
            title="API key",
            description="Sent as X-API-Key with client credentials, plain or enc:v1:...",
        ),
    ]


SETTINGS: dict[str, Any] = th.PropertiesList(*_what(), *_who(), *common_settings(), VERSIONS).to_dict()
