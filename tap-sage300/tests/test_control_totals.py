"""Which fields control totals sum up, and to which period a record belongs."""

from __future__ import annotations

import pytest

from ml_connector.periods import period_of
from tap_sage300.amounts import money_fields, period_fields
from tap_sage300.schema_files import FILES


@pytest.mark.parametrize(
    ("stream", "summed", "not_summed"),
    [
        ("order_lines", {"HeaderDiscount", "ExtendedAmount"}, {"QuantityOrdered", "TaxRate1", "LineNumber"}),
        (
            "ap_invoices",
            {"TaxTotal", "ExpensedSeparatelyTaxes"},
            {"ExchangeRate", "NumberOfScheduledPayments"},
        ),
        ("ic_transfer_lines", {"ProratedAddlCost"}, {"ConversionFactor", "QuantityTransferred"}),
        ("gl_journal_lines", {"Amount", "SourceCurrencyAmount"}, {"CurrencyRate", "Quantity"}),
    ],
)
def test_amounts_are_summed_and_rates_and_counts_are_not(stream, summed, not_summed):
    schema = FILES.shipped(stream)
    assert summed | not_summed <= schema["properties"].keys()
    found = set(money_fields(schema))
    assert summed <= found
    assert not found & not_summed


@pytest.mark.parametrize(
    ("record", "period"),
    [
        ({"FiscalYear": "2026", "FiscalPeriod": "3", "DocumentDate": "2026-04-01T00:00:00Z"}, "2026P03"),
        ({"FiscalYear": "2026", "FiscalPeriod": "Num12"}, "2026P12"),
        ({"FiscalYear": "2026", "FiscalPeriod": "Closing"}, "2026PClosing"),
        ({"Year": 2026, "Period": 1}, "2026P01"),
        ({"FiscalYear": "", "InvoiceDate": "2026-04-01T00:00:00Z"}, "2026-04"),
        ({"DocumentDate": None, "PostingDate": "2026-05-02T00:00:00Z"}, "2026-05"),
        ({"Name": "x"}, None),
    ],
)
def test_a_record_belongs_to_its_fiscal_period_else_to_the_month_of_its_date(record, period):
    fiscal, dates = period_fields(record)
    assert period_of([(record[a], record[b]) for a, b in fiscal], [record[d] for d in dates]) == period
