"""What a server's own description changes in the shipped schemas."""

from __future__ import annotations

import pytest

from tap_sage300.edm import FACETS, json_type
from tap_sage300.metadata import Property
from tap_sage300.schema_files import _agreed

MONEY = {
    "type": ["number", "null"],
    "multipleOf": 0.001,
    "x-precision": 19,
    "x-scale": 3,
    "description": "Sum.",
}


def fitted(shipped_type, known):
    """A column of a shipped schema, next to the server's word on it."""
    found = _agreed(shipped_type, json_type(known))
    assert FACETS not in str(found)
    return found


@pytest.mark.parametrize(
    ("precision", "scale", "wanted"),
    [
        (19, 3, (19, 3)),
        (18, 3, (19, 3)),
        (19, 2, (20, 3)),
        (18, 2, (19, 3)),
        (19, 5, (21, 5)),
        (22, 6, (22, 6)),
        (30, 3, (30, 3)),
        (38, 9, (38, 9)),
        (38, 2, (38, 3)),
        (None, 5, (21, 5)),
        (None, 3, (19, 3)),
        (30, None, (30, 3)),
        (19, None, (19, 3)),
        (None, None, (19, 3)),
    ],
)
def test_a_decimal_holds_what_either_the_server_or_the_file_says(precision, scale, wanted):
    found = fitted(MONEY, Property("Amount", "Edm.Decimal", precision=precision, scale=scale))
    assert (found["x-precision"], found["x-scale"]) == wanted
    assert found["multipleOf"] == float(f"1e-{wanted[1]}")
    assert (found["type"], found["description"]) == (["number", "null"], "Sum.")


def test_a_decimal_inside_a_line_is_widened_as_well():
    lines = {
        "type": ["array", "null"],
        "items": {"type": "object", "properties": {"Amount": MONEY, "Gone": MONEY}},
    }
    amount = Property("Amount", "Edm.Decimal", precision=19, scale=5)
    known = Property("Lines", "M.Line", collection=True, properties={"Amount": amount})
    found = fitted(lines, known)
    inner = found["items"]["properties"]
    assert (inner["Amount"]["x-precision"], inner["Amount"]["x-scale"]) == (21, 5)
    assert inner["Gone"] == MONEY
    assert lines["items"]["properties"]["Amount"] == MONEY


def test_a_whole_number_that_the_server_declares_as_decimal_stays_whole():
    found = fitted({"type": ["integer", "null"]}, Property("Batch", "Edm.Decimal", precision=19, scale=0))
    assert found == {"type": ["integer", "null"]}


def test_a_double_says_nothing_about_digits():
    assert fitted(MONEY, Property("Amount", "Edm.Double")) == MONEY


@pytest.mark.parametrize("edm_type", ["Edm.DateTimeOffset", "Edm.DateTime", "Edm.Date"])
def test_a_day_stays_a_date_though_the_server_declares_the_moment_of_its_midnight(edm_type):
    shipped = {"type": ["string", "null"], "format": "date", "description": "Due date."}
    assert fitted(shipped, Property("DueDate", edm_type)) == shipped
