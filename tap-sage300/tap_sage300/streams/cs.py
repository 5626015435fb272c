"""Common Services.

Small sets that every other module refers to.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Lines, Resource, day

RESOURCES = (
    Resource(
        stream="cs_company_profiles",
        address="CS/CSCompanyProfile",
        key=("OrgID",),
        evidence="inferred",
    ),
    Resource(
        stream="cs_currency_codes",
        address="CS/CSCurrencyCodes",
        key=("CurrencyCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="cs_currency_rate_types",
        address="CS/CSCurrencyRateTypes",
        key=("RateTypeKey",),
        evidence="partial",
    ),
    Resource(
        stream="cs_currency_rates",
        address="CS/CSCurrencyRates",
        key=("ToCurrency", "RateType"),
        evidence="partial",
        lines=(
            Lines(
                stream="cs_currency_rate_details",
                collection="CurrencyRateDetail",
                key=("ToCurrency", "RateType", "FromCurrency", "RateDate"),
                carried=(
                    "TableDescription",
                    "RateOperation",
                ),
            ),
        ),
    ),
    Resource(
        stream="cs_fiscal_calendars",
        address="CS/CSFiscalCalendars",
        key=("FiscalYear",),
        evidence="partial",
    ),
    Resource(
        stream="cs_schedules",
        address="CS/CSSchedules",
        key=("ScheduleCode",),
        stamps=(day("LastMaintained"),),
        evidence="partial",
        selected=False,
    ),
)
"""Every readable entity set of Common Services."""
