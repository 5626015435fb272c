"""Money: every decimal comes back exact or is rejected."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lines import decode

from ml_connector.load.values import BadValue, fit

MONEY = {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}
WIDE = {"type": "number", "x-precision": 38, "x-scale": 9}
WHOLE = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"], "format": "singer.decimal", "x-precision": 19, "x-scale": 3}


@pytest.mark.parametrize(
    ("written", "loaded"),
    [
        ("0.1", "0.1"),
        ("100.000", "100"),
        ("-0.00", "0"),
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("12.5e-1", "1.25"),
        ("1.5000000000000000000000000000000000000000000000000000", "1.5"),
        ("9999999999999999.999", "9999999999999999.999"),
        ("-9999999999999999.999", "-9999999999999999.999"),
        ("0e99999", "0"),
        ("7", "7"),
    ],
)
def test_a_number_is_loaded_to_its_last_digit(written, loaded):
    rows, rejections = decode({"amount": MONEY}, f'{{"amount": {written}}}')
    assert rejections == []
    assert rows[0]["amount"] == Decimal(loaded)
    assert rows[0]["amount"].as_tuple().exponent == -3


def test_more_digits_than_a_double_has():
    rows, _ = decode({"amount": WIDE}, '{"amount": 12345678901234567.123456789}')
    assert str(rows[0]["amount"]) == "12345678901234567.123456789"


@pytest.mark.parametrize(
    "written",
    [
        "0.0001",
        "1.0005",
        "10000000000000000",
        "1e999999999",
        "1e-400",
        "1e99999999999999999999",
        "NaN",
        "Infinity",
        "-Infinity",
    ],
)
def test_what_does_not_fit_is_rejected_never_rounded(written):
    rows, rejections = decode({"amount": MONEY}, '{"amount": 1.5}', f'{{"amount": {written}}}')
    assert rows == [{"amount": Decimal("1.5")}]
    (rejection,) = rejections
    assert (rejection.kind, rejection.path, rejection.line_number) == ("decimal", "$.record.amount", 1)
    assert rejection.record == f'{{"amount": {written}}}'.encode()
    assert rejection.message


@pytest.mark.parametrize("written", ['"1.5"', "true", "[1]", '{"a": 1}'])
def test_another_json_type_is_not_a_number(written):
    _, (rejection,) = decode({"amount": MONEY}, f'{{"amount": {written}}}')
    assert (rejection.kind, rejection.path) == ("type", "$.record.amount")


@pytest.mark.parametrize("written", ['"1.5"', '"1.500000"', "1.5", '"15e-1"', '"+1.5"', r'"\u0031.5"'])
def test_singer_decimals_are_text(written):
    rows, rejections = decode({"amount": TEXT}, f'{{"amount": {written}}}', '{"amount": null}')
    assert rejections == []
    assert [row["amount"] for row in rows] == [Decimal("1.5"), None]


@pytest.mark.parametrize(
    "written", ['""', '"abc"', '"1,5"', '"1_000"', '" 1"', '"NaN"', '"0.0001"', '"null"', '"0x1F"']
)
def test_text_that_is_no_decimal_is_rejected(written):
    rows, (rejection,) = decode({"amount": TEXT}, f'{{"amount": {written}}}', '{"amount": "2"}')
    assert rows == [{"amount": Decimal(2)}]
    assert rejection.kind == "decimal"


@pytest.mark.parametrize(
    ("written", "loaded"),
    [
        ("1", 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2**63),
        ("9" * 38, int("9" * 38)),
        ("1.0", 1),
        ("1e3", 1000),
        ("9007199254740993.0", 9007199254740993),
    ],
)
def test_integers_keep_every_digit(written, loaded):
    rows, rejections = decode({"n": WHOLE}, f'{{"n": {written}}}', '{"n": 5}', '{"n": null}')
    assert rejections == []
    assert [row["n"] for row in rows] == [loaded, 5, None]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ('"1"', "type"),
        ("1.5", "type"),
        ("true", "type"),
        ("9" * 39, "decimal"),
        ("1e38", "decimal"),
        ("9" * 5000, "decimal"),
    ],
)
def test_what_is_no_integer_is_rejected(written, kind):
    rows, (rejection,) = decode({"n": WHOLE}, f'{{"n": {written}}}', '{"n": 5}')
    assert rows == [{"n": 5}]
    assert (rejection.kind, rejection.path) == (kind, "$.record.n")


@pytest.mark.parametrize(
    "written", [str(2**128 + 1), str(2**127), "9e37", "12345678901234567890123456789012345678"]
)
@pytest.mark.parametrize("schema", [MONEY, WIDE])
def test_a_number_too_large_never_wraps_around(written, schema):
    rows, (rejection,) = decode({"amount": schema}, f'{{"amount": {written}}}')
    assert (rows, rejection.kind) == ([], "decimal")


digits = st.integers(min_value=-(10**45), max_value=10**45)


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False)
        | st.builds(lambda whole, scale: Decimal(whole).scaleb(-scale), digits, st.integers(0, 20)),
        min_size=1,
        max_size=5,
    ),
)
@example([Decimal("170141183460469231731687303715884105728")])
@example([Decimal("0.1234567890000000000000000000000000000000000000")])
def test_arrow_reads_numbers_as_decimal_does(values):
    rows, rejections = decode({"amount": WIDE}, *[f'{{"amount": {_json(value)}}}' for value in values])
    expected = [value for value in values if _fits(value)]
    assert [row["amount"] for row in rows] == expected
    assert {rejection.kind for rejection in rejections} <= {"decimal"}


def _json(value: Decimal) -> str:
    text = str(value)
    json.loads(text)
    return text


def _fits(value: Decimal) -> bool:
    try:
        return fit(value, 38, 9) == value
    except BadValue:
        return False
