"""The settings every ERP tap has, with the same names, meanings and defaults."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from ml_connector.extract.http import HttpSettings
from ml_connector.extract.lookback import DEFAULT_LOOKBACK

DEFAULT_PREFETCH_PAGES = 2


def common_settings(
    lookback: str = DEFAULT_LOOKBACK, request_timeout: float = HttpSettings.request_timeout
) -> th.PropertiesList:
    """Describe the common settings, to be joined with a tap's own.

    Args:
        lookback: The default of the setting `lookback`.
        request_timeout: The default of the setting `request_timeout`, in seconds.

    Returns:
        The properties; join them as `th.PropertiesList(*own, *common_settings()).to_dict()`.
    """
    return th.PropertiesList(*_reading(lookback), *_connection(request_timeout))


def _reading(lookback: str) -> list[th.Property[Any]]:
    """What is read, and how much of it at a time."""
    return [
        th.Property(
            "start_date",
            th.DateTimeType,
            title="Start date",
            description=(
                "The first run reads records that changed on this day or later (ISO 8601)."
                " Without it, everything."
            ),
            examples=["2024-01-01", "2024-01-01T00:00:00Z"],
        ),
        th.Property(
            "lookback",
            th.CustomType({"type": ["string", "number", "null"]}),
            default=lookback,
            title="Lookback",
            description=(
                "How far before its bookmark a stream reads again, because the ERP stamps changes late or by"
                " day: an ISO 8601 duration (P1D, PT6H) or seconds. Upserts make the overlap harmless."
            ),
            examples=["P1D", "PT6H", 86400],
        ),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1),
            title="Page size",
            description="Records asked for in one request. Without it, as many as the server likes to send.",
        ),
        th.Property(
            "prefetch_pages",
            th.IntegerType(minimum=0),
            default=DEFAULT_PREFETCH_PAGES,
            title="Pages ahead",
            description=(
                "How many pages of a stream are fetched in the background while earlier ones are written; 0"
                " for none. Requests of a session still go out one at a time."
            ),
        ),
        th.Property(
            "discover_custom_fields",
            th.BooleanType,
            default=True,
            title="Discover custom fields",
            description=(
                "Ask the server's own metadata at discovery: adds the site's custom fields, drops what the"
                " server does not know. False discovers offline, from the schemas that ship with the tap."
            ),
        ),
    ]


def _connection(request_timeout: float) -> list[th.Property[Any]]:
    """How the server is reached and how patiently."""
    return [
        th.Property(
            "request_timeout",
            th.NumberType(exclusive_minimum=0),
            default=request_timeout,
            title="Request timeout",
            description="Seconds the server may stay silent before a request has failed and is repeated.",
        ),
        th.Property(
            "max_retries",
            th.IntegerType(minimum=0),
            default=HttpSettings.max_retries,
            title="Retries",
            description=(
                "How often a request is repeated after a transient failure (timeout, reset, 429, 5xx, broken"
                " answer), with exponential backoff and full jitter; Retry-After is honoured."
            ),
        ),
        th.Property(
            "requests_per_minute",
            th.NumberType(exclusive_minimum=0),
            title="Requests per minute",
            description="The most requests a session sends in a minute, evenly spaced. Without it, no limit.",
        ),
        th.Property(
            "verify_ssl",
            th.BooleanType,
            default=True,
            title="Verify TLS",
            description="Check the server's certificate. Prefer ca_bundle to switching this off.",
        ),
        th.Property(
            "ca_bundle",
            th.StringType,
            title="CA bundle",
            description="Path of a PEM file with the certificate authorities to trust, e.g. the company's.",
        ),
        th.Property(
            "proxy_url",
            th.StringType,
            secret=True,
            title="Proxy",
            description=(
                "Proxy for all requests, user and password included if it wants any:"
                " http://user:password@host:3128. Without it, HTTPS_PROXY and NO_PROXY of the environment."
            ),
        ),
        th.Property(
            "user_agent",
            th.StringType,
            default=HttpSettings.user_agent,
            title="User agent",
            description="What the tap calls itself in the server's log.",
        ),
    ]
