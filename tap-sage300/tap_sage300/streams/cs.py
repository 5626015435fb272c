"""Common Services.

Small sets that every other module refers to.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Lines, Resource

RESOURCES = (
    Resource(
        "cs_company_profiles",
        "CS",
        "CSCompanyProfile",
        key=("OrgID",),
    ),
    Resource(
        "cs_currency_codes",
        "CS",
        "CSCurrencyCodes",
        key=("CurrencyCodeKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "cs_currency_rate_types",
        "CS",
        "CSCurrencyRateTypes",
        key=("RateTypeKey",),
    ),
    Resource(
        "cs_currency_rates",
        "CS",
        "CSCurrencyRates",
        key=("ToCurrency", "RateType"),
        lines=(
            Lines(
                "cs_currency_rate_details",
                ("CurrencyRateDetail",),
                key=("ToCurrency", "RateType", "FromCurrency", "RateDate"),
            ),
        ),
    ),
    Resource(
        "cs_fiscal_calendars",
        "CS",
        "CSFiscalCalendars",
        key=("FiscalYear",),
    ),
    Resource(
        "cs_schedules",
        "CS",
        "CSSchedules",
        key=("ScheduleCode",),
        replication_key="LastMaintained",
        selected=False,
    ),
)
"""Every readable entity set of Common Services."""
