"""The settings every ERP tap has, with the same names, meanings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_sdk import typing as th

from ml_connector.extract.errors import InvalidSetting
from ml_connector.extract.http import HttpSettings
from ml_connector.extract.lookback import DEFAULT_LOOKBACK, parse_lookback
from ml_connector.extract.shared import ReadSettings
from ml_connector.extract.state import read_start_date

DEFAULT_PREFETCH_PAGES = 2


def reading(config: Mapping[str, Any]) -> ReadSettings:
    """Parse the settings of reading.

    Args:
        config: The tap's settings.

    Raises:
        InvalidSetting: One of them cannot be used; the sentence names it.
    """
    try:
        lookback = parse_lookback(config.get("lookback"))
    except ValueError as error:
        raise InvalidSetting(str(error)) from error
    ahead = config.get("prefetch_pages")
    return ReadSettings(
        read_start_date(config.get("start_date")),
        int(config["page_size"]) if config.get("page_size") else None,
        lookback,
        DEFAULT_PREFETCH_PAGES if ahead is None else int(ahead),
    )


def full_refreshes(config: Mapping[str, Any]) -> dict[str, float]:
    """Parse `full_refresh_every`: days by stream or glob."""
    given = config.get("full_refresh_every")
    if given is None or isinstance(given, bool):
        return {}
    if isinstance(given, Mapping):
        return {str(name): float(days) for name, days in given.items() if days is not None}
    return {"*": float(given)}


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
            "full_refresh_every",
            th.CustomType({"type": ["number", "object", "null"], "additionalProperties": {"type": "number"}}),
            title="Full refresh every",
            description=(
                "Days after which a stream is read whole again, followed by ACTIVATE_VERSION: it finds what"
                " an ERP does not tell (deletes without trace, changes without a stamp): a number for all"
                " streams, or by stream or glob. Off by default."
            ),
            examples=[{"purchase_orders": 7, "ic_*": 30}],
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
            "max_retry_time",
            th.NumberType(minimum=0),
            default=HttpSettings.max_retry_time,
            title="Retry time",
            description=(
                "Seconds for which a server that is out of order (refused connections, 429, 502 to 504) is"
                " asked again, even when max_retries are used up."
            ),
        ),
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1),
            default=HttpSettings.concurrency,
            title="Concurrency",
            description=(
                "Requests at once. With more than one, companies and kinds of documents are read side by"
                " side, and so are documents that are asked for one by one; messages of a stream stay in"
                " order."
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
