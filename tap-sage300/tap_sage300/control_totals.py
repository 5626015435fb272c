"""`tap-sage300 --control-totals`: counts and sums as the ERP has them, to compare a warehouse with."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from tap_sage300.errors import StreamUnavailable
from tap_sage300.reading import documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tap_sage300.rows import Record
    from tap_sage300.streams.base import DocumentStream, Sage300Stream

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
_PERIOD = re.compile(r"(\d+)$")
_MONTH = 7


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


def period_of(row: Record) -> str | None:
    """Say to which period a row belongs.

    Args:
        row: A stream's row.

    Returns:
        `2026P03` from fiscal year and period, else the month `2026-03` of the document's date, else None.
    """
    for year_field, period_field in _FISCAL:
        year, period = row.get(year_field), row.get(period_field)
        if year and period is not None:
            # Periods are numbers, or names of a list: "3", "03", "Num3".
            number = _PERIOD.search(str(period))
            return f"{year}P{number[1].zfill(2) if number else period}"
    date = next((row[name] for name in _DATES if row.get(name)), None)
    return str(date)[:_MONTH] if date else None


def period_fields(columns: Collection[str]) -> dict[str, Any]:
    """Say which fields of a stream `period_of` looks at, in its order.

    Args:
        columns: The stream's selected columns.

    Returns:
        `{"fiscal": [[year, period], ...], "dates": [...]}`.
    """
    return {
        "fiscal": [list(pair) for pair in _FISCAL if set(pair) <= set(columns)],
        "dates": [name for name in _DATES if name in columns],
    }


def control_totals(streams: Iterable[DocumentStream], companies: Sequence[str]) -> dict[str, Any]:
    """Count and sum every selected stream, reading each entity set once.

    Args:
        streams: The document streams; their `outlets` tell what is selected.
        companies: The Org IDs.

    Returns:
        `{"source", "generated_at", "periods": {stream: fields}, "totals": [{"stream", "source_company",
        "period", "count", "measures"}]}`; the measures are exact decimals as text, and `periods` says from
        which fields each stream's periods come. Sets that a company does not have are missing.

    Raises:
        Sage300Error: The server refuses, or an error outlived all retries.
    """
    totals: list[dict[str, Any]] = []
    periods: dict[str, Any] = {}
    for root in streams:
        periods.update({stream.name: period_fields(stream.columns) for stream in root.outlets})
        for company in companies if root.outlets else ():
            sums = {stream: _Sums(stream) for stream in root.outlets}
            try:
                for document in documents(root.tap.client(company), root.resource):
                    for stream, measured in sums.items():
                        for row in stream.row_maker.rows(company, document):
                            measured.add(row)
            except StreamUnavailable as missing:
                root.logger.warning("%s of %s has no totals: %s", root.name, company, missing)
                continue
            totals.extend(total for measured in sums.values() for total in measured.totals(company))
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"source": "sage300", "generated_at": now, "periods": periods, "totals": totals}


class _Sums:
    """Count and sums of one stream by period."""

    def __init__(self, stream: Sage300Stream) -> None:
        self._stream = stream.name
        self._fields = [name for name in money_fields(stream.schema) if name in stream.columns]
        self._counts: dict[str | None, int] = defaultdict(int)
        self._sums: dict[str | None, dict[str, Decimal]] = {}

    def add(self, row: Record) -> None:
        period = period_of(row)
        self._counts[period] += 1
        sums = self._sums.setdefault(period, dict.fromkeys(self._fields, Decimal(0)))
        with localcontext() as context:
            # The default of 28 digits would round the sum of many 19-digit amounts.
            context.prec = 60
            for name in self._fields:
                value = row.get(name)
                if value is not None:
                    sums[name] += Decimal(value)

    def totals(self, company: str) -> Iterable[dict[str, Any]]:
        for period in sorted(self._counts, key=str):
            yield {
                "stream": self._stream,
                "source_company": company,
                "period": period,
                "count": self._counts[period],
                "measures": {name: format(value, "f") for name, value in self._sums[period].items()},
            }
