from __future__ import annotations

from datetime import timedelta

import pytest

from ml_connector.extract.lookback import parse_lookback


@pytest.mark.parametrize(
    ("value", "span"),
    [
        (None, timedelta(days=1)),
        ("P1D", timedelta(days=1)),
        ("p2w", timedelta(weeks=2)),
        (" PT90M ", timedelta(minutes=90)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("PT1H2M3.5S", timedelta(hours=1, minutes=2, seconds=3.5)),
        ("P0D", timedelta(0)),
        ("0", timedelta(0)),
        (0, timedelta(0)),
        ("86400", timedelta(days=1)),
        (3600, timedelta(hours=1)),
        (1.5, timedelta(seconds=1.5)),
        (timedelta(hours=2), timedelta(hours=2)),
    ],
)
def test_durations_and_seconds(value, span):
    assert parse_lookback(value) == span


@pytest.mark.parametrize(
    "value",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "1D",
        "P1M",
        "P1Y",
        "-5",
        "-P1D",
        "yesterday",
        -1,
        True,
        "P99999999999D",
        float("nan"),
    ],
)
def test_anything_else_is_refused_with_an_example(value):
    with pytest.raises(ValueError, match=r"setting lookback .* such as P1D"):
        parse_lookback(value)
