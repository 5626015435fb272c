"""Journal batches, posted transactions, balances by period, statistics and sales history."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.sage300.projection_facts import yes_no
from erp_sandbox.sage300.projection_shape import OFFERS

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.sage300.projection_shape import Writer

_ZERO: Final = Decimal(0)


def batch(writer: Writer, number: str) -> None:
    """A journal batch with everything nested; once posted also its posted transactions."""
    books = writer.books
    row = books.find("batches", ledger="GL", kind="GL", number=int(number))
    key = f"{row['number']:06d}"
    journals = books.rows(
        "SELECT * FROM biz_journals WHERE company = :company AND batch = :batch ORDER BY entry",
        batch=row["number"],
    )
    lines: dict[int, list[sqlite3.Row]] = {}
    for line in books.rows(
        "SELECT * FROM biz_journal_lines WHERE company = :company AND batch = :batch ORDER BY entry, line",
        batch=row["number"],
    ):
        lines.setdefault(line["entry"], []).append(line)
    status = row["status"]
    writer.put(
        "GLJournalBatches",
        {
            "BatchNumber": key, "ActiveSwitch": "Yes", "Description": row["description"],
            "SourceLedger": row["source"], "DateCreated": row["day"], "DateLastEdited": row["edited"],
            "JournalBatchType": "Entered" if row["source"] == "GL" else "Subledger", "Status": status,
            "PostingSequence": row["posting_sequence"], "Debits": row["total"], "Credits": row["total"],
            "NumberOfEntries": row["entries"], "NextEntryNumber": row["entries"] + 1,
            "ReadyToPost": yes_no(status == "ReadyToPost"),
            "JournalHeaders": [_journal(books.currency, key, entry,
            lines[entry["entry"]]) for entry in journals],
        },
    )  # fmt: skip
    if status == "Posted":
        _posted(writer, row, key, journals, lines)


def _journal(currency: str, key: str, row: sqlite3.Row, lines: list[sqlite3.Row]) -> dict[str, Any]:
    entry = f"{row['entry']:05d}"
    debits = sum((max(line["amount"], _ZERO) for line in lines), _ZERO)
    source = {"SourceLedger": row["ledger"], "SourceType": row["type"]}
    return {
        "BatchNumber": key, "EntryNumber": entry, **source, "FiscalYear": str(row["year"]),
        "FiscalPeriod": f"{row['period']:02d}", "Description": row["description"], "Debits": debits,
        "Credits": debits, "PostingDate": row["day"], "DocumentDate": row["day"],
        "NumberOfDetails": len(lines),
        "DocumentNumber": row["reference"], "CustomerVendorNumber": row["party"], "EnteredBy": "ADMIN",
        "JournalDetails": [
            {
                "BatchNumber": key, "EntryNumber": entry, "TransactionNumber": f"{line['line']:010d}",
                "AccountNumber": line["account"], "Amount": line["amount"],
                "SourceCurrencyAmount": line["source"],
                "HomeCurrency": currency, "CurrencyRateTable": "SP", "SourceCurrency": line["currency"],
                "CurrencyRateDate": row["day"], "CurrencyRate": line["rate"],
                "Description": line["description"],
                "Reference": row["reference"], "JournalDate": row["day"], **source,
            }
            for line in lines
        ],
    }  # fmt: skip


def _posted(
    writer: Writer,
    row: sqlite3.Row,
    key: str,
    journals: list[sqlite3.Row],
    lines: dict[int, list[sqlite3.Row]],
) -> None:
    sequence, count, home = row["posting_sequence"], 0, writer.books.currency
    for journal in journals:
        entry = f"{journal['entry']:05d}"
        year, month = str(journal["year"]), f"{journal['period']:02d}"
        for line in lines[journal["entry"]]:
            count += 1
            writer.put(
                "GLPostedTransactions",
                {
                    "AccountNumber": line["account"], "FiscalYear": year, "FiscalPeriod": month,
                    "SourceCurrencyCode": line["currency"], "SourceLedgerCode": journal["ledger"],
                    "SourceTypeCode": journal["type"], "PostingSequenceNumber": sequence,
                    "DetailCount": count,
                    "JournalDate": journal["day"], "BatchNumber": key, "JournalEntryNumber": entry,
                    "JournalTransactionNumber": line["line"], "JournalDetailDescription": line["description"],
                    "JournalDetailReference": journal["reference"],
                    "JournalTransactionAmount": line["amount"],
                    "SourceCurrencyAmount": line["source"], "HomeCurrencyCode": home,
                    "CurrencyRateForConversion": line["rate"], "DateOfCurrencyRateSelected": journal["day"],
                    "DocumentDate": journal["day"],
                },
            )  # fmt: skip
            writer.put(
                "GLPostingJournalDetails",
                {
                    "Postingsequencenumber": sequence, "BatchNumber": key, "Journalentrynumber": entry,
                    "Journaltransactionnumber": line["line"], "Journaldate": journal["day"],
                    "Fiscalyear": year,
                    "Fiscalperiod": month, "SourceLedgerCode": journal["ledger"],
                    "SourceTypeCode": journal["type"], "AccountNumber": line["account"],
                    "Journaldetaildescription": line["description"],
                    "Journaldetailreference": journal["reference"],
                    "Journaltransactionamount": line["amount"],
                    "Sourcecurrencyamount": line["source"], "Homecurrencycode": home,
                    "Sourcecurrencycode": line["currency"], "PostingDate": row["edited"],
                    "DocumentDate": journal["day"], OFFERS: {"CurrencyrateForconversion": line["rate"]},
                },
            )  # fmt: skip


def balance(writer: Writer, number: str, year: str) -> None:
    """An account's net changes of a fiscal year, and of the next one if it opens with this one's balance."""
    books = writer.books
    sheet = books.find("accounts", account=number)["kind"] in {"Asset", "Liability", "Equity"}
    rows = books.rows(
        "SELECT year, period, net FROM biz_periods WHERE company = :company AND account = :account",
        account=number,
    )
    for fiscal in sorted({row["year"] for row in rows if row["year"] >= int(year)}):
        opening = sum((row["net"] for row in rows if row["year"] < fiscal), _ZERO) if sheet else _ZERO
        nets = {f"Period{row['period']:02d}netamount": row["net"] for row in rows if row["year"] == fiscal}
        writer.put(
            "GLAccountFiscalSets",
            {
                "AccountNumber": number, "Fiscalsetyear": str(fiscal), "FiscalsetDesignator": "A",
                "Currencycode": books.currency, "Currencytype": "F", "Sourcecurrencydecimals": "2",
                "Beginningbalance": opening, "Activityswitch": "Yes",
                **nets,
            },
        )  # fmt: skip


def statistic(writer: Writer, ledger: str, scope: str, key: str, year: str, period: str) -> None:  # noqa: PLR0917 - what one posting needs
    """What a vendor, a salesperson or a customer group did in a period."""
    row = writer.books.find(
        "statistics", ledger=ledger, scope=scope, id=key, year=int(year), period=int(period)
    )
    when = {"Year": year, "Period": f"{int(period):02d}"}
    if ledger == "AP":
        writer.put(
            "APVendorStatistics",
            {
                "VendorNumber": key, **when, "CurrencyCode": writer.books.currency,
                "NumberOfInvoicesPosted": row["invoices"],
                "AmountOfInvoicesFunctionalCurrency": row["invoiced"],
                "NumberOfCreditNotesPosted": row["credits"], "NumberOfPaymentsPosted": row["payments"],
                "AmountOfCreditNotesFunctionalCurrency": row["credited"],
                "AmountOfPaymentsFunctionalCurrency": row["paid"],
            },
        )  # fmt: skip
        return
    counts = {
        "NumberOfInvoices": row["invoices"], "NumberOfCreditNotes": row["credits"],
        "NumberOfReceipts": row["payments"],
    }  # fmt: skip
    if scope == "salesperson":
        writer.put(
            "ARSalespersonStatistics",
            {"Salesperson": key, **when, **counts, "TotalInvoiceAmount": row["invoiced"],
             "TotalCreditNoteAmount": row["credited"], "TotalReceiptAmount": row["paid"]},
        )  # fmt: skip
    elif scope == "group":
        writer.put(
            "ARNationalAccountStatistics",
            {"NationalAccountNumber": key, **when, **counts,
             "TotalInvoicesInFunctionalCurrency": row["invoiced"],
             "TotalCreditsInFunctionalCurrency": row["credited"],
             "TotalReceiptsInFunctionalCurrency": row["paid"]},
        )  # fmt: skip


def sale(writer: Writer, party: str, number: str, year: str, period: str) -> None:
    """What a customer bought of an item in a period, and the item's own statistics."""
    books = writer.books
    row = books.find("sales", party=party, item=number, year=int(year), period=int(period))
    item = books.find("items", id=number)
    month = f"{int(period):02d}"
    writer.put(
        "OESalesHistory",
        {
            "CustomerNumber": party, "FiscalYear": year, "FiscalPeriod": month,
            "UnformattedItemNumber": number,
            "ItemNumber": number, "Category": item["category"], "Currency": books.currency,
            "QuantitySold": row["quantity"], "SalesAmountFunctionalCurrency": row["amount"],
            "CostOfSalesFunctionalCurrency": row["cost"], "NumberOfSales": row["count"],
        },
    )  # fmt: skip
    sold = books.rows(
        "SELECT * FROM biz_sales WHERE company = :company AND item = :item AND year = :year"
        " AND period = :period",
        item=number,
        year=int(year),
        period=int(period),
    )
    amount = sum((each["amount"] for each in sold), _ZERO)
    cost = sum((each["cost"] for each in sold), _ZERO)
    writer.put(
        "ARItemStatistics",
        {
            "ItemNumber": number, "UnitOfMeasure": item["uom"], "Year": year, "Period": month,
            "DateOfLastSale": max(each["last_day"] for each in sold), "TotalAmountSold": amount,
            "NumberOfSales": sum(each["count"] for each in sold), "TotalCostOfGoodsSold": cost,
            "TotalGrossMargin": amount - cost,
            "QuantitySold": sum((each["quantity"] for each in sold), _ZERO),
        },
    )  # fmt: skip


def sales_period(writer: Writer, year: str, period: str) -> None:
    """The company's sales of a period."""
    amount = cost = quantity = _ZERO
    count = 0
    for row in writer.books.each(
        "SELECT amount, cost, quantity, count FROM biz_sales WHERE company = :company AND year = :year"
        " AND period = :period",
        year=int(year),
        period=int(period),
    ):
        amount, cost, quantity = amount + row["amount"], cost + row["cost"], quantity + row["quantity"]
        count += row["count"]
    writer.put(
        "OESalesStatistics",
        {
            "FiscalYear": year, "FiscalPeriod": f"{int(period):02d}", "Currency": writer.books.currency,
            "NumberOfInvoices": count, "TotalInvoiceAmount": amount, "CostOfSales": cost,
            "QuantitySold": quantity,
        },
    )  # fmt: skip
