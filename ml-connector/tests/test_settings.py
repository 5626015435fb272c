from __future__ import annotations

import pytest
from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError

from ml_connector.extract.lookback import parse_lookback
from ml_connector.extract.settings import common_settings

NAMES = {
    "start_date", "page_size", "lookback", "discover_custom_fields", "request_timeout", "max_retries",
    "requests_per_minute", "prefetch_pages", "verify_ssl", "ca_bundle", "proxy_url", "user_agent",
    "full_refresh_every", "max_retry_time", "concurrency",
}  # fmt: skip


class AnyTap(Tap):
    name = "tap-any"
    config_jsonschema = th.PropertiesList(
        th.Property("base_url", th.StringType), *common_settings()
    ).to_dict()

    def discover_streams(self):
        return []


def test_every_tap_has_the_same_settings_each_with_title_and_description():
    properties = common_settings().to_dict()["properties"]
    assert set(properties) == NAMES
    for setting in properties.values():
        assert setting["title"]
        assert setting["description"].endswith(".")


def test_defaults_reach_the_tap():
    config = AnyTap(config={}).config
    assert config["lookback"] == "P1D"
    assert config["discover_custom_fields"] is True
    assert config["verify_ssl"] is True
    assert config["request_timeout"] == 120
    assert "page_size" not in config


@pytest.mark.parametrize("lookback", ["PT6H", 86400, "86400"])
def test_lookback_is_a_duration_or_seconds(lookback):
    assert AnyTap(config={"lookback": lookback, "start_date": "2024-01-01"}).config["lookback"] == lookback


@pytest.mark.parametrize("wrong", [{"page_size": 0}, {"prefetch_pages": -1}, {"requests_per_minute": 0}])
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(ConfigValidationError):
        AnyTap(config=wrong)


@pytest.mark.parametrize(("text", "expected"), [("PT6H", "PT6H"), ("86400", "86400")])
def test_a_lookback_from_the_environment_stays_its_text(monkeypatch, text, expected):
    """The SDK takes what may be an integer for one, and ends where the text is none."""
    monkeypatch.setenv("TAP_LOOKBACK", text)
    found = parse_environment_config(common_settings().to_dict(), "TAP_")
    assert found["lookback"] == expected
    assert parse_lookback(found["lookback"])
