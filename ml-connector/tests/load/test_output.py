"""Tables that a person can read, whole: nothing is cut."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from decimal import Decimal

import pytest

from ml_connector.load.output import rendered

HASH = "4f2a9c" * 12
LETTERS = [
    {"id": "20260101T000000Z-4f2a9c1b-000001-7", "count": 12, "message": "Expected `int`, got `str`"},
    {
        "id": "20260101T000000Z-4f2a9c1b-000001-8",
        "count": 7,
        "message": f"The {'long ' * 12}reason {HASH} ends",
    },
]
COLUMNS = ("id", "count", "message")


def test_the_last_column_is_wrapped_between_words():
    assert rendered(LETTERS, COLUMNS, "table", 80).splitlines() == [
        "id                                  count  message",
        "----------------------------------  -----  " + "-" * 37,
        "20260101T000000Z-4f2a9c1b-000001-7     12  Expected `int`, got `str`",
        "20260101T000000Z-4f2a9c1b-000001-8      7  The long long long long long long",
        "                                           long long long long long long reason",
        f"                                           {HASH}",
        "                                           ends",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [0, 30, 60, 80, 100, 150, 400])
def test_nothing_is_cut_at_any_width(width):
    text = rendered(LETTERS, COLUMNS, "table", width)
    assert HASH in text
    for letter in LETTERS:
        assert letter["id"] in text
        assert letter["message"] in " ".join(text.split())
    without_hash = [line for line in text.splitlines() if HASH not in line and set(line) - set("- ")]
    assert not width or max(map(len, without_hash)) <= max(width, 45)


def test_what_does_not_fit_is_a_block_a_row():
    assert rendered(LETTERS[:1] * 2, COLUMNS, "table", 50) == "\n\n".join(
        [
            "id       20260101T000000Z-4f2a9c1b-000001-7\n"
            "count    12\n"
            "message  Expected `int`, got `str`"
        ]
        * 2
    )  # fmt: skip


def test_a_table_that_fits_is_not_stretched():
    assert rendered([{"a": 1, "b": "x"}], ("a", "b"), "table", 80) == "a  b\n-  -\n1  x"
    assert rendered([], ("a", "b"), "table", 80) == "(nothing)"


def test_values_are_written_for_a_person():
    row = {
        "none": None,
        "at": dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        "amount": Decimal("1.50"),
        "text": " two\n lines ",
    }
    assert rendered([row], tuple(row), "table", 0).splitlines()[2].split("  ") == [
        "", "", "", "2026-01-02 01:04:05", "", "1.50", "two lines"
    ]  # fmt: skip
    assert json.loads(rendered([row], ("amount", "none"), "json"), parse_float=Decimal) == [
        {"amount": Decimal("1.50"), "none": None}
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_the_terminal_decides_the_width(monkeypatch, terminal):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("COLUMNS", "90")
    assert os.environ["COLUMNS"] == "90"
    found = rendered(LETTERS, COLUMNS, "table")
    assert found == rendered(LETTERS, COLUMNS, "table", 90 if terminal else 0)
    assert len(found.splitlines()) == (7 if terminal else 4)
