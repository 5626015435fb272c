"""The settings that say where Snowflake is and how to sign in."""

from __future__ import annotations

from singer_sdk import typing as th

from target_snowflake_ml.connections.sign_in import METHODS, PROVIDERS, SECRETS

__all__ = ["SECRETS", "connection_settings"]


def connection_settings() -> tuple[th.Property[str] | th.Property[int], ...]:
    """Each of them, declared once."""
    return (*_where(), *_key_pair_and_token(), *_oauth(), *_workload_identity(), *_context())


def _where() -> tuple[th.Property[str] | th.Property[int], ...]:
    return (
        th.Property(
            "account",
            th.StringType,
            required=True,
            title="Account",
            description="Account identifier, such as MYORG-ACCOUNT; not an address.",
        ),
        th.Property(
            "host",
            th.StringType,
            title="Host",
            description="Host name alone, for private link or a sandbox; derived from account if unset.",
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
                "How Snowflake is reached: its connector, with Parquet files on an internal stage; or its SQL"
                " API over HTTPS alone, slower, for networks that let nothing through to a stage."
            ),
        ),
    )


def _key_pair_and_token() -> tuple[th.Property[str], ...]:
    return (
        th.Property(
            "authenticator",
            th.StringType,
            title="Way to sign in",
            allowed_values=sorted(METHODS),
            description=(
                "How to sign in. If unset, the settings below decide, in this order: token, private_key or"
                " private_key_path, oauth_token, oauth_client_id, workload_identity_provider."
            ),
        ),
        th.Property(
            "user",
            th.StringType,
            title="User",
            description="User that loads. Needed for a key pair; tokens of every kind say whose they are.",
        ),
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
    )


def _oauth() -> tuple[th.Property[str], ...]:
    return (
        th.Property(
            "oauth_token",
            th.StringType,
            secret=True,
            title="OAuth access token",
            description=(
                "Access token that something else fetches and renews, such as the orchestrator. May be an"
                " enc:v1: value."
            ),
        ),
        th.Property(
            "oauth_client_id",
            th.StringType,
            title="OAuth client",
            description="Client of the client credentials grant; the target fetches and renews its tokens.",
        ),
        th.Property(
            "oauth_client_secret",
            th.StringType,
            secret=True,
            title="OAuth client secret",
            description="Secret of oauth_client_id. May be an enc:v1: value.",
        ),
        th.Property(
            "oauth_token_request_url",
            th.StringType,
            title="OAuth token endpoint",
            description=(
                "Where access tokens are fetched, such as"
                " https://login.microsoftonline.com/TENANT/oauth2/v2.0/token."
            ),
        ),
        th.Property(
            "oauth_scope",
            th.StringType,
            title="OAuth scope",
            description="Scope to ask for; session:role:ROLE if it is unset and role is set.",
        ),
    )


def _workload_identity() -> tuple[th.Property[str], ...]:
    return (
        th.Property(
            "workload_identity_provider",
            th.StringType,
            title="Workload identity",
            allowed_values=list(PROVIDERS),
            description=(
                "Sign in as what this machine, pod or function runs as: AWS, AZURE, GCP or OIDC. Over the"
                " transport connector only."
            ),
        ),
        th.Property(
            "workload_identity_token",
            th.StringType,
            secret=True,
            title="Workload's ID token",
            description="ID token for the provider OIDC. May be an enc:v1: value.",
        ),
        th.Property(
            "workload_identity_token_path",
            th.StringType,
            title="Workload's ID token file",
            description="File with that token, read again at every sign-in, as the platform replaces it.",
        ),
    )


def _context() -> tuple[th.Property[str], ...]:
    return (
        th.Property(
            "role",
            th.StringType,
            title="Role",
            description="Role of the session; the user's default role if unset.",
        ),
        th.Property(
            "warehouse",
            th.StringType,
            title="Warehouse",
            description="Warehouse of the session; the user's default warehouse if unset.",
        ),
        th.Property(
            "database",
            th.StringType,
            required=True,
            title="Database",
            description="Database; it must exist.",
        ),
    )
