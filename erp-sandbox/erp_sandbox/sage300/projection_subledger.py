"""Invoice, payment and refund batches; the posted documents and payments that come of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business.masters import TAX_RATE
from erp_sandbox.sage300.projection_facts import (
    CREDIT_NOTE,
    TAX_AUTHORITY,
    TAX_GROUP,
    optional_fields,
    party_name,
    period,
    tax,
    yes_no,
)
from erp_sandbox.sage300.projection_shape import OFFERS

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.sage300.projection_shape import Writer

_PARTY: Final = {"AP": "VendorNumber", "AR": "CustomerNumber"}


def _batch_header(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "BatchNumber": row["number"], "BatchDate": row["day"], "NumberOfEntries": row["entries"],
        "BatchStatus": row["status"], "LastEntryNumber": row["entries"],
        "PostingSequenceNumber": row["posting_sequence"], "DateLastEdited": row["edited"],
    }  # fmt: skip


def invoice_batch(writer: Writer, ledger: str, number: str) -> None:
    """A payables or receivables invoice batch, its invoices and their lines nested."""
    books = writer.books
    row = books.find("batches", ledger=ledger, kind="IN", number=int(number))
    lines: dict[int, list[sqlite3.Row]] = {}
    for line in books.rows(
        "SELECT * FROM biz_invoice_lines WHERE company = :company AND ledger = :ledger AND batch = :batch"
        " ORDER BY entry, line",
        ledger=ledger,
        batch=row["number"],
    ):
        lines.setdefault(line["entry"], []).append(line)
    invoices = books.rows(
        "SELECT * FROM biz_invoices WHERE company = :company AND ledger = :ledger AND batch = :batch"
        " ORDER BY entry",
        ledger=ledger,
        batch=row["number"],
    )
    writer.put(
        "APInvoiceBatches" if ledger == "AP" else "ARInvoiceBatches",
        {
            **_batch_header(row), "Description": row["description"], "BatchTotal": row["total"],
            "BatchType": "Entered", "SourceApplication": row["source"],
            "Invoices": [_invoice(writer, ledger, each, lines[each["entry"]]) for each in invoices],
        },
    )  # fmt: skip


def _invoice(writer: Writer, ledger: str, row: sqlite3.Row, lines: list[sqlite3.Row]) -> dict[str, Any]:
    key = {"BatchNumber": row["batch"], "EntryNumber": row["entry"]}
    line = _payables_line if ledger == "AP" else _receivables_line
    return {
        **key, _PARTY[ledger]: row["party"], "DocumentNumber": row["number"],
        "DocumentType": "Invoice" if row["kind"] == "Invoice" else CREDIT_NOTE[ledger],
        "OrderNumber": row["order_number"], "InvoiceDescription": row["description"],
        "ApplytoDocument": row["applied_to"], "DocumentDate": row["day"], "AsOfDate": row["day"],
        **period(row["day"]), "CurrencyCode": row["currency"], "RateType": "SP", "ExchangeRate": row["rate"],
        "RateDate": row["day"], "DueDate": row["due"], "TaxGroup": TAX_GROUP, "TaxAuthority1": TAX_AUTHORITY,
        "TaxClass1": 1, "TaxBase1": row["net"], "TaxAmount1": row["tax"], "TaxTotal": row["tax"],
        "DocumentTotalIncludingTax": row["total"], "AmountDue": row["total"], "NumberOfOptionalFields": 1,
        "EnteredBy": "ADMIN", "PostingDate": row["posted"] or row["day"], "AccountSet": row["currency"],
        "InvoiceDetails": [{**key, **line(writer, each)} for each in lines],
        "InvoicePaymentSchedules": [
            {**key, "PaymentNumber": 1, "DueDate": row["due"], "AmountDue": row["total"],
             "FunctionalAmountDue": row["functional"]}
        ],
        "InvoiceOptionalFields": optional_fields(
            "InvoiceOptionalField", key, APPROVER="Siân", URGENT=row["kind"] != "Invoice"
        ),
        OFFERS: {
            "VendorName": party_name(writer.books, ledger, row["party"]), "PONumber": row["order_number"],
            "DocumentTotalBeforeTaxes": row["net"], "DocumentTotalBeforeTax": row["net"],
            "DistributedTotalIncludingTax": row["total"], "FunctionalAmountDue": row["functional"],
            "NumberOfDetails": len(lines), "NumberOfScheduledPayments": 1, "Taxable": "Yes",
        },
    }  # fmt: skip


def _payables_line(_writer: Writer, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "LineNumber": row["line"], "DistributionDescription": row["description"], "GLAccount": row["account"],
        "DistributedAmount": row["amount"], "DistributedAmountBeforeTaxes": row["amount"],
        "TaxTotal": row["tax"], "ItemNumber": row["item"], "Quantity": row["quantity"],
        "UnitOfMeasure": row["uom"], "Cost": row["price"], OFFERS: tax(row["amount"], row["tax"]),
    }  # fmt: skip


def _receivables_line(_writer: Writer, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "LineNumber": row["line"], "Description": row["description"], "RevenueAccount": row["account"],
        "ExtendedAmountWithTIP": row["amount"], "ExtendedAmountWithoutTIP": row["amount"],
        "TaxTotal": row["tax"], "ItemNumber": row["item"], "Quantity": row["quantity"],
        "UnitOfMeasure": row["uom"], "Price": row["price"], "COGSAmount": row["cost"],
        OFFERS: tax(row["amount"], row["tax"]),
    }  # fmt: skip


def _payments(
    writer: Writer, ledger: str, kind: str, number: int
) -> list[tuple[sqlite3.Row, sqlite3.Row, sqlite3.Row]]:
    """Each payment of a batch with what it is applied to and that invoice."""
    books = writer.books
    found = []
    for row in books.rows(
        "SELECT * FROM biz_payments WHERE company = :company AND ledger = :ledger AND kind = :kind"
        " AND batch = :batch"
        " ORDER BY entry",
        ledger=ledger,
        kind=kind,
        batch=number,
    ):
        applied = books.find("applied", ledger=ledger, kind=kind, batch=number, entry=row["entry"])
        found.append((row, applied, books.find("invoices", ledger=ledger, number=applied["number"])))
    return found


def payment_batch(writer: Writer, ledger: str, number: str) -> None:
    """A batch of vendor payments or customer receipts."""
    row = writer.books.find("batches", ledger=ledger, kind="PY", number=int(number))
    payments = _payments(writer, ledger, "PY", row["number"])
    functional = sum((payment["functional"] for payment, _, _ in payments), Decimal(0))
    if ledger == "AP":
        writer.put(
            "APPaymentAndAdjustmentBatches",
            {
                "BatchSelector": "PY", **_batch_header(row), "Description": row["description"],
                "BankCode": "CCB",
                "BankCurrencyCode": writer.books.currency, "BatchTotal": row["total"],
                "FunctionalBatchTotal": functional,
                "PaymentsAdjustments": [_payment(writer, *each) for each in payments],
            },
        )  # fmt: skip
    else:
        writer.put(
            "ARReceiptAndAdjustmentBatches",
            {
                "BatchRecordType": "CA", **_batch_header(row), "Description": row["description"],
                "BankCode": "CCB", "DefaultBankCurrency": writer.books.currency, "BatchTotal": row["total"],
                "FunctionalBatchTotal": functional,
                "ReceiptsAdjustments": [_receipt(writer, *each) for each in payments],
            },
        )  # fmt: skip


def _payment(writer: Writer, row: sqlite3.Row, applied: sqlite3.Row, invoice: sqlite3.Row) -> dict[str, Any]:
    key = {"BatchType": "PY", "BatchNumber": row["batch"], "EntryNumber": row["entry"]}
    return {
        **key, "VendorNumber": row["party"], "PaymentDateAdjustmentDate": row["day"], "CheckDate": row["day"],
        "EntryDescription": row["description"], "CheckNumber": row["number"],
        "VendorPayeeName": party_name(writer.books, "AP", row["party"]), **period(row["day"]),
        "CheckAmountInBankCurrency": row["functional"], "CheckAmountInVendorCurrency": row["amount"],
        "VendorExchangeRate": row["rate"], "VendorCurrencyCode": row["currency"], "BankCode": row["bank"],
        "CheckSerialNumber": row["serial"], "PostingDate": row["posted"] or row["day"],
        "TotalAppliedVendorCurrency": applied["amount"],
        # A posted batch stays as it was posted: clearing and reversal show on the posted payment.
        "CheckStatus": "Outstanding",
        "AppliedPayments": [
            {
                **key, "LineNumber": applied["line"], "VendorNumber": row["party"],
                "DocumentNumber": applied["number"], "PaymentAmount": applied["amount"], "PaymentNumber": 1,
                "DocumentDate": invoice["day"], "DueDate": invoice["due"],
                "OriginalDocumentAmount": invoice["total"],
            }
        ],
    }  # fmt: skip


def _receipt(writer: Writer, row: sqlite3.Row, applied: sqlite3.Row, invoice: sqlite3.Row) -> dict[str, Any]:
    key = {"BatchType": "CA", "BatchNumber": row["batch"], "EntryNumber": row["entry"]}
    return {
        **key, "CheckReceiptNumber": row["number"], "CustomerNumber": row["party"],
        "ReceiptDateAdjustmentDate": row["day"], "EntryDescription": row["description"],
        "BankReceiptAmount": row["functional"], "CustomerReceiptAmount": row["amount"],
        "CustomerExchangeRate": row["rate"], "CustomerCurrencyCode": row["currency"],
        "TotalCustomerAmountApplied": applied["amount"], **period(row["day"]), "BankCode": row["bank"],
        "FunctionalReceiptAmount": row["functional"], "DepositSerialNumber": row["serial"],
        "DepositLineNumber": 1, "Payer": party_name(writer.books, "AR", row["party"]),
        "PostingDate": row["posted"] or row["day"],
        "AppliedReceiptsAdjustments": [
            {
                **key, "LineNumber": applied["line"], "CustomerNumber": row["party"],
                "DocumentNumber": applied["number"], "PaymentNumber": 1, "DocumentDate": invoice["day"],
                "CustomerReceiptAmount": applied["amount"], "FunctionalReceiptAmount": applied["functional"],
            }
        ],
        "ReceiptAdjustmentOptionalFiel": optional_fields("ReceiptAdjustmentOptionalFiel", key, LOCKBOX="7"),
    }  # fmt: skip


def miscellaneous_batch(writer: Writer, ledger: str, number: str) -> None:
    """A batch of one payment to no vendor, or of one receipt from no customer."""
    books = writer.books
    row = books.find("batches", ledger=ledger, kind="MI", number=int(number))
    lines = books.rows(
        "SELECT * FROM biz_miscellaneous WHERE company = :company AND ledger = :ledger AND batch = :batch"
        " ORDER BY line",
        ledger=ledger,
        batch=row["number"],
    )
    head, total = lines[0], row["total"]
    batch = {
        **_batch_header(row), "Description": row["description"], "BankCode": "CCB", "BatchTotal": total,
        "FunctionalBatchTotal": total,
    }  # fmt: skip
    key = {"BatchType": "PY" if ledger == "AP" else "CA", "BatchNumber": row["number"], "EntryNumber": 1}
    entry = {
        **key, "PaymentDateAdjustmentDate" if ledger == "AP" else "ReceiptDateAdjustmentDate": head["day"],
        "EntryDescription": head["description"], **period(head["day"]), "BankCode": "CCB",
        "PostingDate": head["posted"] or head["day"], "LastLineNumber": lines[-1]["line"],
    }  # fmt: skip
    if ledger == "AP":
        paid = {
            "PaymentTransactionType": "MiscellaneousPayment",
            "VendorPayeeName": head["name"], "CheckNumber": head["number"], "CheckDate": head["day"],
            "CheckSerialNumber": head["serial"], "CheckAmountInBankCurrency": total,
            "CheckAmountInVendorCurrency": total, "VendorCurrencyCode": books.currency,
            "VendorExchangeRate": 1, "CheckStatus": "Outstanding",
            "MiscellaneousPayments": [
                {**key, "LineNumber": line["line"], "GLAccount": line["account"],
                 "DistributedAmount": line["amount"], "DetailDescription": line["description"]}
                for line in lines
            ],
        }  # fmt: skip
        entries = {"BankCurrencyCode": books.currency, "PaymentsAdjustments": [entry | paid]}
        writer.put("APPaymentAndAdjustmentBatches", {"BatchSelector": "PY", **batch, **entries})
        return
    received = {
        "Payer": head["name"], "CheckReceiptNumber": head["number"], "DepositSerialNumber": head["serial"],
        "DepositLineNumber": 1, "BankReceiptAmount": total, "CustomerReceiptAmount": total,
        "FunctionalReceiptAmount": total, "CustomerCurrencyCode": books.currency, "CustomerExchangeRate": 1,
        "MiscellaneousReceipts": [
            {**key, "LineNumber": line["line"], "AccountNumber": line["account"],
             "GLDescription": line["description"], "DistributionAmount": line["amount"],
             "DistributionAmountNetOfTaxes": line["amount"], "FunctionalDistributionAmount": line["amount"]}
            for line in lines
        ],
    }  # fmt: skip
    entries = {"DefaultBankCurrency": books.currency, "ReceiptsAdjustments": [entry | received]}
    writer.put("ARReceiptAndAdjustmentBatches", {"BatchRecordType": "CA", **batch, **entries})


def refund_batch(writer: Writer, number: str) -> None:
    """A batch of refunds."""
    row = writer.books.find("batches", ledger="AR", kind="RF", number=int(number))
    entries = []
    for payment, applied, invoice in _payments(writer, "AR", "RF", row["number"]):
        key = {"BatchNumber": payment["batch"], "EntryNumber": payment["entry"]}
        entries.append({
            **key, "DocumentDescription": payment["description"], "DocumentDate": payment["day"],
            "CustomerNumber": payment["party"], "DocumentNumber": payment["number"], **period(payment["day"]),
            "RefundAmountCustomer": payment["amount"], "RefundAmountFunctional": payment["functional"],
            "CustomerCurrency": payment["currency"], "ExchangeRate": payment["rate"],
            "DateCreated": row["day"], "DateLastEdited": row["edited"], "CheckBankAccount": payment["bank"],
            "RemitToName": party_name(writer.books, "AR", payment["party"]),
            "RefundDetails": [
                {**key, "LineNumber": applied["line"], "DocumentNumber": applied["number"],
                 "AmountCustomer": applied["amount"], "AmountFunctional": applied["functional"],
                 "DocumentDate": invoice["day"], "CustomerNumber": payment["party"]}
            ],
        })  # fmt: skip
    writer.put(
        "ARRefundBatches",
        {**_batch_header(row), "BatchDescription": row["description"], "TotalOfEntries": row["total"],
         "DateCreated": row["day"], "RefundEntries": entries},
    )  # fmt: skip


def posted_document(writer: Writer, ledger: str, batch: str, entry: str) -> None:
    """An open (or paid) item of a subledger, and its tax."""
    books = writer.books
    row = books.find("invoices", ledger=ledger, batch=int(batch), entry=int(entry))
    sign = -1 if row["kind"] == "CreditNote" else 1
    party = books.find("parties", ledger=ledger, id=row["party"])
    functional_tax = (sign * row["tax"] * row["rate"]).quantize(Decimal("0.01"))
    common = {
        _PARTY[ledger]: row["party"], "DocumentNumber": row["number"], "OrderNumber": row["order_number"],
        "DueDate": row["due"], "BatchNumber": row["batch"], "EntryNumber": row["entry"],
        "BatchDate": row["day"], "GroupCode": party["grp"], "DocumentDescription": row["description"],
        "DocumentType": "Invoice" if sign == 1 else "CreditNote", "DocumentDate": row["day"],
        "Terms": party["terms"], "CurrencyCode": row["currency"], "ExchangeRate": row["rate"],
        "FunctionalCurrencyInvoiceAmount": sign * row["functional"],
        "FunctionalCurrencyAmountDue": row["open_functional"],
        "FunctionalCurrencyTaxAmount": functional_tax, "LastActivityDate": row["activity"],
        "FullyPaid": yes_no(not row["open"]), "PostingDate": row["posted"],
        "PostingSequenceNumber": row["posting_sequence"], "DatePaid": row["paid"], **period(row["day"]),
    }  # fmt: skip
    if ledger == "AP":
        amounts = {
            "OriginalDocumentAmountVendorCurrency": sign * row["total"],
            "AmountDueVendorCurrency": row["open"],
            "TaxAmountVendorCurrency": sign * row["tax"],
        }  # fmt: skip
    else:
        amounts = {
            "CustomerCurrencyInvoiceAmount": sign * row["total"], "CustomerCurrencyAmountDue": row["open"],
            "CustomerCurrencyTaxAmount": sign * row["tax"],
        }  # fmt: skip
    writer.put("APPostedDocuments" if ledger == "AP" else "ARPostedDocuments", {**common, **amounts})
    _tax_record(writer, ledger, row, party["name"], functional_tax)


def _tax_record(writer: Writer, ledger: str, row: sqlite3.Row, name: str, functional_tax: Decimal) -> None:
    side = {"AP": "Purchases", "AR": "Sales"}[ledger]
    sign = -1 if row["kind"] == "CreditNote" else 1
    # One number series for both ledgers, derived so that writing it again gives the same number.
    number = (row["batch"] * 100 + row["entry"]) * 2 + (ledger == "AR")
    writer.put(
        "TXTaxTracking",
        {
            "AuditRecordNumber": number, "TaxAuthority": TAX_AUTHORITY, "TransactionType": side,
            "SourceApplication": ledger, "DocumentNumber": row["number"], "DocumentDate": row["day"],
            "PostingDate": row["posted"], **period(row["day"]), "CustomerVendorNumber": row["party"],
            "CustomerVendorName": name, "SourceCurrency": row["currency"],
            "SourceInvoiceAmount": sign * row["total"], "SourceTaxBase": sign * row["net"],
            "SourceTaxAmount": sign * row["tax"], "HomeCurrency": writer.books.currency,
            "FunctionalInvoiceAmount": sign * row["functional"], "FunctionalTaxAmount": functional_tax,
            "TaxRate": TAX_RATE,
        },
    )  # fmt: skip


def posted_payment(writer: Writer, ledger: str, kind: str, batch: str, entry: str) -> None:
    """A posted check, receipt or refund; clearing and reversal show here."""
    row = writer.books.find("payments", ledger=ledger, kind=kind, batch=int(batch), entry=int(entry))
    when = {
        **period(row["day"]), "PostingDate": row["posted"], "DateCleared": row["cleared"],
        "BatchNumber": row["batch"], "EntryNumber": row["entry"], "BankCode": row["bank"],
    }  # fmt: skip
    reason = "Check returned: “insufficient funds”" if row["reversed"] else ""
    if ledger == "AP":
        writer.put(
            "APPostedPayments",
            {
                **when, "VendorNumber": row["party"], "CheckNumber": row["number"],
                "CheckSerialNumber": row["serial"], "CheckDate": row["day"], "BatchDate": row["day"],
                "CheckAmountVendorCurrency": row["amount"], "PaymentAmount": row["amount"],
                "CurrencyCode": row["currency"], "BankExchangeRate": row["rate"], "ReasonForReversal": reason,
                "CheckAmountFunctionalCurrency": row["functional"], "DateReversed": row["reversed"],
                "CheckCleared": yes_no(row["cleared"]), "PostingSequenceNumber": row["posting_sequence"],
                "PaymentCode": "CHECK",
            },
        )  # fmt: skip
    elif kind == "PY":
        changed = max(day for day in (row["posted"], row["cleared"], row["reversed"]) if day)
        writer.put(
            "ARPostedReceipts",
            {
                **when, "CustomerNumber": row["party"], "CheckReceiptNumber": row["number"],
                "DepositSerialNumber": row["serial"], "DepositLineNumber": 1, "ReceiptDate": row["day"],
                "BatchDate": row["day"], "CustomerReceiptAmount": row["amount"],
                "BankReceiptAmount": row["functional"], "CurrencyCode": row["currency"],
                "BankExchangeRate": row["rate"], "ReasonForReturn": reason, "DateLastMaintained": changed,
                "FunctionalReceiptAmount": row["functional"], "DateReturned": row["reversed"],
                "CheckCleared": yes_no(row["cleared"]), "PaymentCode": "CHECK",
            },
        )  # fmt: skip
    else:
        writer.put(
            "ARPayments",
            {
                **when, "CustomerNumber": row["party"], "DocumentNumber": row["number"], "SequenceNumber": 1,
                "DocumentDate": row["day"], "PaymentCode": "CHECK", "PaymentCurrency": row["currency"],
                "ExchangeRate": row["rate"], "PaymentAmount": row["amount"], "CustomerAmount": row["amount"],
                "FunctionalAmount": row["functional"], "PostingSequenceNumber": row["posting_sequence"],
            },
        )  # fmt: skip
