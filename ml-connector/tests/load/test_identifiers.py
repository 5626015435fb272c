"""Names of the source become names of the warehouse, always the same way."""

from __future__ import annotations

import pytest
from ml_connector.load.errors import LoadError

from ml_connector.load.sql.identifiers import column_names, given, identifier, quoted


@pytest.mark.parametrize(
    ("name", "upper_snake", "upper"),
    [
        ("VendorNumber", "VENDOR_NUMBER", "VENDORNUMBER"),
        ("vendor_number", "VENDOR_NUMBER", "VENDOR_NUMBER"),
        ("Num1099CPRSCode", "NUM1099_CPRS_CODE", "NUM1099CPRSCODE"),
        ("HTTPStatus", "HTTP_STATUS", "HTTPSTATUS"),
        ("AmountInFunctionalCurrency", "AMOUNT_IN_FUNCTIONAL_CURRENCY", "AMOUNTINFUNCTIONALCURRENCY"),
        ("GLAccount", "GL_ACCOUNT", "GLACCOUNT"),
        ("id", "ID", "ID"),
        ("ID", "ID", "ID"),
        ("invoice.number", "INVOICE_NUMBER", "INVOICE.NUMBER"),
        ("net amount (USD)", "NET_AMOUNT_USD_", "NET AMOUNT (USD)"),
        ("_sdc_deleted_at", "_SDC_DELETED_AT", "_SDC_DELETED_AT"),
        ("__private", "__PRIVATE", "__PRIVATE"),
        ("CUSTOMER-ID", "CUSTOMER_ID", "CUSTOMER-ID"),
        ("金額", "金額", "金額"),
        ("select", "SELECT", "SELECT"),
        ("TAX$CODE", "TAX$CODE", "TAX$CODE"),
    ],
)
def test_each_case_spells_a_name_in_its_own_way(name, upper_snake, upper):
    assert identifier(name, "upper_snake") == upper_snake
    assert identifier(name, "upper") == upper
    assert identifier(name, "preserve") == name


def test_a_name_of_255_characters_fits_and_one_more_is_an_error():
    assert identifier("a" * 255, "upper") == "A" * 255
    with pytest.raises(LoadError, match="has 256 characters; the warehouse allows 255"):
        identifier("a" * 256, "upper")


def test_an_empty_name_is_an_error():
    with pytest.raises(LoadError, match="empty name"):
        identifier("", "preserve")


def test_names_of_the_settings_are_spelled_as_sql_spells_them():
    assert given("sage300Books", "upper_snake") == "SAGE300BOOKS"
    assert given("My Books", "upper_snake") == "My Books"
    assert given("sage300Books", "preserve") == "sage300Books"


def test_colliding_properties_are_named_both_with_the_remedy():
    with pytest.raises(LoadError) as caught:
        column_names("vendors", ["VendorNumber", "vendor_number"], "upper_snake", {})
    text = str(caught.value)
    assert "'VendorNumber' and 'vendor_number' of stream 'vendors' both become column VENDOR_NUMBER" in text
    assert "streams.<stream>.columns" in text


def test_a_renamed_property_no_longer_collides():
    names = column_names("vendors", ["VendorNumber", "vendor_number"], "upper_snake", {"VendorNumber": "vno"})
    assert names == {"VendorNumber": "VNO", "vendor_number": "VENDOR_NUMBER"}


def test_quotes_cannot_leave_their_identifier():
    assert quoted("BOOKS", 'od"d') == '"BOOKS"."od""d"'


def test_names_that_the_warehouse_refuses_get_an_underscore():
    names = column_names("log", ["current_date", "day"], "upper_snake", {}, reserved={"CURRENT_DATE"})
    assert names == {"current_date": "CURRENT_DATE_", "day": "DAY"}
