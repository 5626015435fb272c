from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest

from tap_sage300 import odata


class Status(Enum):
    OPEN = "Open"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1200", "'1200'"),
        ("O'Neill & Söhne", "'O''Neill & Söhne'"),
        ("", "''"),
        (66, "66"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (Decimal("1000.00"), "1000.00"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0E-10"), "0.0000000000"),
        (date(2024, 12, 1), "2024-12-01T00:00:00Z"),
        (datetime(2024, 12, 1, 13, 5), "2024-12-01T13:05:00Z"),
        (datetime(2024, 12, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2024-11-30T23:00:00Z"),
        (Status.OPEN, "'Open'"),
    ],
)
def test_literals(value, text):
    assert odata.literal(value) == text


@pytest.mark.parametrize("value", [1.5, [1], b"x"])
def test_what_has_no_exact_literal_is_refused(value):
    with pytest.raises(TypeError, match="no exact OData literal"):
        odata.literal(value)


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        odata.literal(Decimal("NaN"))


def test_conditions_combine_with_parentheses_only_where_they_matter():
    open_batches = odata.or_(odata.eq("BatchStatus", "Open"), odata.eq("BatchStatus", "ReadyToPost"))
    assert odata.and_(odata.ge("DateLastEdited", date(2024, 1, 2)), None, open_batches) == (
        "DateLastEdited ge 2024-01-02T00:00:00Z and (BatchStatus eq 'Open' or BatchStatus eq 'ReadyToPost')"
    )
    assert odata.or_(odata.lt("A", 1)) == "A lt 1"
    assert odata.and_() == odata.or_("", None) == ""
    assert [odata.gt("A", 1), odata.ne("A", 1)] == ["A gt 1", "A ne 1"]


def test_query_options_are_encoded_for_odata_parsers():
    options = {"$filter": "Name eq 'A&B +1'", "$select": "A,B"}
    assert odata.query(options) == "$filter=Name%20eq%20'A%26B%20%2B1'&$select=A,B"


BASE = "https://erp.example:8443/proxy/Sage300WebApi/v1.0/-"


@pytest.mark.parametrize("base", [BASE, BASE + "/", BASE + "//"])
def test_addresses_start_from_any_base(base):
    assert odata.resource_url(base, "SAMLTD", "AR", "ARCustomers('12 00/7')") == (
        BASE + "/SAMLTD/AR/ARCustomers('12%2000%2F7')"
    )
