"""Purchase orders, receipts, sales orders, their invoices, returns and credit notes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.business import trade
from erp_sandbox.business.subledger import due_date
from erp_sandbox.sage300.projection_facts import money, optional_fields, party_name, period, tax
from erp_sandbox.sage300.projection_shape import OFFERS

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.business.books import Books
    from erp_sandbox.sage300.projection_shape import Writer

_REQUISITIONS: Final = 5


def _line(row: sqlite3.Row, **keys: Any) -> dict[str, Any]:
    """What purchase lines of every kind share."""
    return {
        **keys, "LineNumber": row["line"], "ItemNumber": row["item"], "ItemDescription": row["description"],
        "Location": row["location"], "UnitOfMeasure": row["uom"], "UnitCost": row["price"],
        "ConversionFactor": 1,
        "ExtendedCost": row["amount"], "NetExtendedCost": row["amount"], **tax(row["amount"], Decimal(0)),
    }  # fmt: skip


def _purchase(books: Books, row: sqlite3.Row, total: Decimal) -> dict[str, Any]:
    """What purchase headers of every kind share."""
    return {
        "Vendor": row["party"], "VendorName": party_name(books, "AP", row["party"]), **period(row["day"]),
        **money(row, books), **tax(total - row["tax"], row["tax"]),
        "EnteredBy": "ADMIN", "PostingDate": row["day"], "LastPostingDate": row["day"],
        "Description": row["description"], "TermsCode": "N30", "ExtendedOrderAmount": total,
    }  # fmt: skip


def _order_lines(books: Books, row: sqlite3.Row) -> list[sqlite3.Row]:
    return books.rows(
        "SELECT * FROM biz_order_lines WHERE company = :company AND side = :side"
        " AND seq = :seq ORDER BY line",
        side=row["side"],
        seq=row["seq"],
    )


def order(writer: Writer, side: str, seq: str) -> None:
    """A purchase order (and now and then its requisition) or a sales order."""
    row = writer.books.find("orders", side=side, seq=int(seq))
    if side == "AP":
        _purchase_order(writer, row)
    else:
        _sales_order(writer, row)


def _purchase_order(writer: Writer, row: sqlite3.Row) -> None:
    books, seq, done = writer.books, row["seq"], row["status"] == "complete"
    lines = _order_lines(books, row)
    writer.put(
        "POPurchaseOrders",
        {
            "PurchaseOrderSequenceKey": seq, "PurchaseOrderDate": row["day"],
            "PurchaseOrderNumber": row["number"],
            "ExpectedArrivalDate": row["expected"], "Completed": done, "NumberOfLines": len(lines),
            "DatePurchaseOrderCompleted": row["last_posting"] if done else None,
            "TotalQuantityOrdered": sum(line["quantity"] for line in lines), "PurchaseOrderType": "Active",
            "LastPostingDate": row["last_posting"] or row["day"], "ShipToLocation": row["location"],
            "PurchaseOrderLines": [
                {
                    "QuantityOrdered": line["quantity"], "QuantityReceived": line["done"],
                    "QuantityOutstanding": line["quantity"] - line["done"],
                    "LineCompletion": "Completed" if line["done"] == line["quantity"] else "Incomplete",
                    OFFERS: _line(line, PurchaseOrderSequenceKey=seq, ExpectedArrivalDate=row["expected"]),
                }
                for line in lines
            ],
            "PurchaseOrderOptionalFields": optional_fields(
                "PurchaseOrderOptionalField", {"PurchaseOrderSequenceKey": seq}, BUYER="Zoë"
            ),
        },
        _purchase(books, row, row["total"]),
    )  # fmt: skip
    if seq % _REQUISITIONS == 0 or seq == 1001:  # noqa: PLR2004 - the first order always has one
        writer.put(
            "PORequisitions",
            {
                "RequisitionSequenceKey": seq, "RequisitionDate": row["day"],
                "RequisitionNumber": f"RQN{seq:09d}",
                "RequestedBy": "J. Groß", "DateRequired": row["expected"], "Completed": done,
                "RequisitionLines": [
                    {"QuantityOrdered": line["quantity"], OFFERS: _line(line, RequisitionSequenceKey=seq)}
                    for line in lines
                ],
            },
            _purchase(books, row, row["total"]),
        )  # fmt: skip


def _sales_order(writer: Writer, row: sqlite3.Row) -> None:
    books, seq = writer.books, row["seq"]
    lines = _order_lines(books, row)
    writer.put(
        "OEOrders",
        {
            "OrderUniquifier": seq, "OrderNumber": row["number"], "CustomerNumber": row["party"],
            "BillToName": party_name(books, "AR", row["party"]), "OrderDate": row["day"],
            "ExpectedShipDate": row["expected"], "OrderFiscalYear": row["day"][:4],
            "OrderFiscalPeriod": f"Num{int(row['day'][5:7])}",
            "LastPostingDate": row["last_posting"] or row["day"],
            "OrderDescription": row["description"], "OrderHomeCurrency": books.currency,
            "OrderSourceCurrency": row["currency"], "OrderRate": row["rate"], "OrderRateDate": row["day"],
            "NumberOfLinesOnOrder": len(lines), "DefaultLocationCode": row["location"],
            "TotalAmountItems": row["net"],
            "OrderDetails": [
                {
                    "OrderUniquifier": seq, "LineNumber": line["line"], "LineType": "Item",
                    "Item": line["item"],
                    "Description": line["description"], "Category": line["category"],
                    "Location": line["location"],
                    "QuantityOrdered": line["quantity"] - line["done"],
                    "OriginalQuantityOrdered": line["quantity"],
                    "QuantityShippedtodate": line["done"], "OrderUnitOfMeasure": line["uom"],
                    "OrderUnitPrice": line["price"], "OrderUnitCost": line["cost"],
                    "ExtendedOrderAmount": line["amount"], OFFERS: tax(line["amount"], Decimal(0)),
                }
                for line in lines
            ],
            "OrderCommentsInstructions": [{"OrderUniquifier": seq,
            OFFERS: {"CommentsInstructions": "Fragile, this side up: ↑"}}],
            "OrderOptionalFields": optional_fields("OrderOptionalField", {"OrderUniquifier": seq},
            CHANNEL="web"),
        },
        {**tax(row["net"], row["tax"]), "OrderTotalWithTax": row["total"], "TotalWithTax": row["total"]},
    )  # fmt: skip


def delivery(writer: Writer, side: str, seq: str) -> None:
    """A receipt of goods, or the sales history of a shipment."""
    books = writer.books
    row = books.find("deliveries", side=side, seq=int(seq))
    lines = trade.delivery_lines(books, side, row["seq"])
    if side == "AP":
        keys = {"ReceiptSequenceKey": row["seq"], "PurchaseOrderSequenceKey": row["order_seq"]}
        writer.put(
            "POGetReceipts",
            {
                **keys, "PurchaseOrderNumber": row["order_number"], "ReceiptDate": row["day"],
                "ReceiptNumber": row["number"], "InvoiceNumber": row["invoice"],
                "Completed": bool(row["invoice"]),
                "TotalReceiptAmount": row["total"], "NumberOfLines": len(lines),
                "TotalQuantityReceived": sum(line["quantity"] for line in lines),
                "ReceiptLine2s": [
                    {"QuantityReceived": line["quantity"], OFFERS: _line(line, **keys)} for line in lines
                ],
            },
            _purchase(books, row, row["total"]),
        )  # fmt: skip
        return
    for line in lines:
        writer.put(
            "OESalesHistoryDetails",
            {
                "DayEndNumber": int(row["day"].replace("-", "")), "TransactionNumber": row["seq"],
                "LineNumber": line["line"], "CustomerNumber": row["party"],
                "UnformattedItemNumber": line["item"],
                "Category": line["category"], "Location": line["location"], "TransactionDate": row["day"],
                "OrderNumber": row["order_number"], "InvoiceNumber": row["invoice"],
                "QuantitySold": line["quantity"], "UnitOfMeasure": line["uom"],
                "SalesAmountSourceCurrency": line["amount"],
                "SalesAmountFunctionalCurrency": line["amount"] * row["rate"],
                "CostOfSalesFunctionalCurrency": line["cost"],
            },
            {**period(row["day"]), **money(row, books)},
        )  # fmt: skip


def invoice(writer: Writer, side: str, seq: str, day: str) -> None:
    """The invoice of a delivery as Purchase Orders or Order Entry shows it."""
    books = writer.books
    row = books.find("deliveries", side=side, seq=int(seq))
    lines = trade.delivery_lines(books, side, row["seq"])
    party = books.find("parties", ledger=side, id=row["party"])
    if side == "AP":
        writer.put(
            "POInvoices",
            {
                "InvoiceSequenceKey": row["seq"], "InvoiceNumber": row["invoice"], "InvoiceDate": day,
                "ReceiptDate": row["day"], "ReceiptNumber": row["number"], "InvoiceTotal": row["total"],
                "DueDate": due_date(day, party["terms"]), "PurchaseOrderNumber": row["order_number"],
                "NumberOfLines": len(lines),
                "InvoiceLines": [
                    {"QuantityReceived": line["quantity"], OFFERS: _line(line, InvoiceSequenceKey=row["seq"])}
                    for line in lines
                ],
            },
            {**_purchase(books, row, row["total"]), "ReceiptSequenceKey": row["seq"], "LastPostingDate": day},
        )  # fmt: skip
        return
    writer.put(
        "OEInvoices",
        {
            "InvoiceUniquifier": row["seq"], "OrderNumber": row["order_number"],
            "CustomerNumber": row["party"],
            "BillTo": party["name"], "OrderDate": row["day"], "ShipmentDate": row["day"], "InvoiceDate": day,
            "PostingDate": day, "InvoiceFiscalYear": day[:4], "InvoiceFiscalPeriod": f"Num{int(day[5:7])}",
            "InvoiceNumber": row["invoice"], "ShipmentNumber": row["number"],
            "Description": row["description"],
            "InvoiceTotalBeforeTax": row["net"], "InvoiceItemTotalAmount": row["net"],
            "InvoiceTotalWithTax": row["total"], "InvoiceHomeCurrency": books.currency,
            "InvoiceSourceCurrency": row["currency"], "InvoiceRate": row["rate"],
            "InvoiceRateDate": row["day"],
            "NumberOfLinesInInvoice": len(lines), "Location": row["location"], "TermsCode": party["terms"],
            "ICDayEndTransactionNumber": row["seq"],
            "InvoiceDetails": [
                {
                    "InvoiceUniquifier": row["seq"], "LineUniquifier": line["line"], "LineType": "Item",
                    "Item": line["item"], "Description": line["description"], "Category": line["category"],
                    "Location": line["location"], "QuantityShipped": line["quantity"],
                    "UnitPrice": line["price"],
                    "InvoiceUnitOfMeasure": line["uom"], "ExtendedDetailCost": line["cost"],
                    "ExtendedShippedPriceMiscellaneousCha": line["amount"],
                    OFFERS: tax(line["amount"], Decimal(0)),
                }
                for line in lines
            ],
            "InvoicePaymentSchedules": [
                {"InvoiceUniquifier": row["seq"], "PaymentNumber": 1,
                 "DueDate": due_date(day, party["terms"]),
                 "AmountDue": row["total"]}
            ],
            "InvoiceOptionalFields": optional_fields(
                "InvoiceOptionalField", {"InvoiceUniquifier": row["seq"]}, CHANNEL="web", GIFT=False
            ),
        },
        tax(row["net"], row["tax"]),
    )  # fmt: skip
    writer.put(
        "OEPostingJournals",
        {
            "DayEndNumber": int(day.replace("-", "")), "EntryNumber": row["seq"],
            "TransactionType": "Invoice",
            "DocumentNumber": row["invoice"], "DocumentDate": day, "PostingDate": day,
            "CustomerNumber": row["party"], "CustomerName": party["name"], "TotalSourceAmount": row["total"],
            "TotalFunctionalAmount": row["total"] * row["rate"], "DocumentUniquifier": row["seq"],
        },
        {**period(day), **money(row, books)},
    )  # fmt: skip


def note(writer: Writer, side: str, kind: str, seq: str) -> None:
    """Goods returned to a vendor, or a credit note of either side."""
    books = writer.books
    row = books.find("trade_notes", side=side, kind=kind, seq=int(seq))
    if side == "AR":
        writer.put(
            "OECreditDebitNotes",
            {
                "CNUniquifier": row["seq"], "CreditDebitNoteNumber": row["number"],
                "CustomerNumber": row["party"],
                "CreditDebitNoteDate": row["day"], "CreditDebitNoteFiscalYear": row["day"][:4],
                "Description": row["description"], "Reference": row["invoice"],
                "CreditDebitNoteTotal": row["total"],
                "CreditDebitNoteTotBeforeTax": row["amount"], "CreditDebitNoteHomeCurrency": books.currency,
                "CreditDebitNoteSourceCurr": row["currency"], "CreditDebitNoteRate": row["rate"],
                "NoOfLinesInCreditDebitNote": 1,
                "CreditDebitDetails": [
                    {"CNUniquifier": row["seq"], "LineNumber": 1, "Item": row["item"],
                     "Description": row["description"], "QuantityReturned": row["quantity"],
                     "UnitPrice": row["price"], "CreditDebitNoteUOM": row["uom"], "Location": row["location"]}
                ],
            },
            tax(row["amount"], row["tax"]),
        )  # fmt: skip
        return
    returned = kind == "Return"
    key = "ReturnSequenceKey" if returned else "CreditDebitNoteSequenceKey"
    line = {
        key: row["seq"], "LineNumber": 1, "ItemNumber": row["item"], "ItemDescription": row["description"],
        "Location": row["location"], "UnitOfMeasure": row["uom"], "QuantityReturned": row["quantity"],
        "UnitCost": row["price"], "ExtendedCost": row["amount"],
    }  # fmt: skip
    names = {"ReturnDate": "ReturnNumber"} if returned else {"CreditDebitNoteDate": "CreditDebitNoteNumber"}
    ((date_name, number_name),) = names.items()
    total = {"ReturnTotal": row["total"]} if returned else {
        "CreditDebitNoteTotal": row["total"], "InvoiceNumber": row["invoice"]
    }  # fmt: skip
    writer.put(
        "POReturns" if returned else "POCreditDebitNotes",
        {key: row["seq"], date_name: row["day"], number_name: row["number"], "NumberOfLines": 1, **total,
         "ReturnLines" if returned else "CreditDebitNoteLines": [line]},
        _purchase(books, row, row["total"]),
    )  # fmt: skip
