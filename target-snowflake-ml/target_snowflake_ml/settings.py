"""Settings of target-snowflake-ml, as design section 4 names them."""

from __future__ import annotations

from ml_connector.load.settings import loading_settings
from singer_sdk import typing as th

UNUSED = ("add_record_metadata", "validate_records")
"""The SDK's settings that are left out: metadata columns are always there, records are always validated."""

SECRETS = ("private_key", "private_key_passphrase", "token")

SETTINGS = th.PropertiesList(
    th.Property(
        "account",
        th.StringType,
        required=True,
        title="Account",
        description="Account identifier, such as MYORG-ACCOUNT.",
    ),
    th.Property("user", th.StringType, required=True, title="User", description="User that loads."),
    th.Property(
        "private_key",
        th.StringType,
        secret=True,
        title="Private key",
        description="RSA key in PKCS#8: the PEM text, or DER in base64. May be an enc:v1: value.",
    ),
    th.Property(
        "private_key_path",
        th.StringType,
        title="Private key file",
        description="File with the RSA key, PEM or DER.",
    ),
    th.Property(
        "private_key_passphrase",
        th.StringType,
        secret=True,
        title="Passphrase",
        description="Passphrase of an encrypted key. May be an enc:v1: value.",
    ),
    th.Property(
        "token",
        th.StringType,
        secret=True,
        title="Programmatic access token",
        description="Used instead of a key pair. May be an enc:v1: value.",
    ),
    th.Property(
        "role", th.StringType, title="Role", description="Role of the session; the user's own if unset."
    ),
    th.Property(
        "warehouse",
        th.StringType,
        title="Warehouse",
        description="Warehouse of the session; the user's own if unset.",
    ),
    th.Property(
        "database", th.StringType, required=True, title="Database", description="Database; it must exist."
    ),
    th.Property(
        "host",
        th.StringType,
        title="Host",
        description="Host, for private link or a sandbox; else from account.",
    ),
    th.Property("port", th.IntegerType, title="Port", description="Port, where it is not 443."),
    th.Property(
        "protocol",
        th.StringType,
        title="Protocol",
        allowed_values=["https", "http"],
        description="https, or http for a sandbox on this machine.",
    ),
    th.Property(
        "transport",
        th.StringType,
        title="Transport",
        allowed_values=["connector", "sql_api"],
        default="connector",
        description=(
            "How Snowflake is reached: its connector, with Parquet files on an internal stage; or its SQL API"
            " over HTTPS alone, slower, for networks that let nothing through to a stage."
        ),
    ),
    *loading_settings(),
    th.Property(
        "create_streams",
        th.BooleanType,
        default=False,
        title="Create streams",
        description="Make a Snowflake STREAM <table>_STREAM on each table, for what consumes changes after.",
    ),
    th.Property(
        "transient_tables",
        th.BooleanType,
        default=False,
        title="Transient tables",
        description="Make tables TRANSIENT (no fail-safe storage).",
    ),
    th.Property(
        "query_tag",
        th.StringType,
        title="Query tag",
        default="target-snowflake-ml",
        description="QUERY_TAG of the session; the run's id is added.",
    ),
).to_dict()
