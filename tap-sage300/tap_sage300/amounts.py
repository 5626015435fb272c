"""Which fields of a stream are amounts, and which tell its period: for control totals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MONEY_SCALE = 3
# As the names spell them: a discount is no count, and what is expensed separately is no rate.
_NO_MONEY = re.compile(r"Rate|Percent|Quantity|Factor|Conversion|Number|Days|Count$")
_FISCAL = (
    ("FiscalYear", "FiscalPeriod"),
    ("InvoiceFiscalYear", "InvoiceFiscalPeriod"),
    ("OrderFiscalYear", "OrderFiscalPeriod"),
    ("Year", "Period"),
)
_DATES = (
    "DocumentDate",
    "InvoiceDate",
    "OrderDate",
    "PurchaseOrderDate",
    "ReceiptDate",
    "ReturnDate",
    "CreditDebitNoteDate",
    "ShipDate",
    "AdjustmentDate",
    "InternalUsageDate",
    "RequisitionDate",
    "BankEntryDate",
    "JournalDate",
    "CheckDate",
    "PostingDate",
    "BatchDate",
    "DateCreated",
)


def money_fields(schema: Mapping[str, Any]) -> list[str]:
    """Find the amounts of a stream.

    Args:
        schema: The stream's schema.

    Returns:
        The decimals of three places, which is how Sage 300 keeps money, less rates, percentages and counts.
    """
    return [
        name
        for name, described in schema["properties"].items()
        if described.get("x-scale") == _MONEY_SCALE and not _NO_MONEY.search(name)
    ]


def period_fields(columns: Collection[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Say which fields of a stream tell the period of a row, most telling first.

    Args:
        columns: The stream's selected columns.

    Returns:
        Pairs of fiscal year and period, then dates.
    """
    fiscal = [(year, period) for year, period in _FISCAL if {year, period} <= set(columns)]
    return fiscal, [name for name in _DATES if name in columns]
