"""Order Entry.

Orders, invoices and credit notes have numbers of their own (uniquifiers) that only grow.
"""

from __future__ import annotations

from ml_connector.extract.resource import Carried

from tap_sage300.streams.resource import Lines, Resource, chosen, counter, day

RESOURCES = (
    Resource(
        stream="invoices",
        address="OE/OEInvoices",
        key=("InvoiceUniquifier",),
        stamps=(
            chosen("PostingDate"),
            counter("InvoiceUniquifier"),
        ),
        evidence="verified",
        lines=(
            Lines(
                stream="invoice_lines",
                collection="InvoiceDetails",
                key=("InvoiceUniquifier", "LineUniquifier"),
                carried=(
                    "InvoiceNumber",
                    "InvoiceDate",
                    "PostingDate",
                    "CustomerNumber",
                    "BillTo",
                    Carried("InvoiceOrderNumber", "OrderNumber"),
                    Carried("InvoiceShipmentNumber", "ShipmentNumber"),
                    "InvoiceStatus",
                    "InvoiceSourceCurrency",
                    "InvoiceHomeCurrency",
                    "InvoiceRate",
                    "InvoiceFiscalYear",
                    "InvoiceFiscalPeriod",
                ),
            ),
        ),
    ),
    Resource(
        stream="oe_credit_debit_notes",
        address="OE/OECreditDebitNotes",
        key=("CNUniquifier",),
        stamps=(
            chosen("CreditDebitNoteDate"),
            counter("CNUniquifier"),
        ),
        evidence="partial",
        lines=(
            Lines(
                stream="oe_credit_debit_note_lines",
                collection="CreditDebitDetails",
                key=("CNUniquifier", "LineNumber"),
                carried=(
                    "CreditDebitNoteNumber",
                    "CreditDebitNoteDate",
                    "CreditDebitNoteType",
                    "CustomerNumber",
                    "CreditDebitNoteStatus",
                    "CreditDebitNoteSourceCurr",
                    "CreditDebitNoteHomeCurrency",
                    "CreditDebitNoteRate",
                    "CreditDebitNoteFiscalYear",
                    "CreditDebitNoteFiscalPeriod",
                ),
            ),
        ),
    ),
    Resource(
        stream="oe_miscellaneous_charges",
        address="OE/OEMiscellaneousCharges",
        key=("Currency", "MiscellaneousChargeCode"),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="oe_posting_journals",
        address="OE/OEPostingJournals",
        key=("DayEndNumber", "EntryNumber"),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="oe_sales_history",
        address="OE/OESalesHistory",
        key=("CustomerNumber", "FiscalYear", "FiscalPeriod", "UnformattedItemNumber"),
        evidence="inferred",
    ),
    Resource(
        stream="oe_sales_history_details",
        address="OE/OESalesHistoryDetails",
        key=("DayEndNumber", "TransactionNumber", "LineNumber"),
        evidence="inferred",
    ),
    Resource(
        stream="oe_sales_statistics",
        address="OE/OESalesStatistics",
        key=("FiscalYear", "FiscalPeriod", "Currency"),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="oe_ship_via_codes",
        address="OE/OEShipViaCodes",
        key=("Code",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="oe_templates",
        address="OE/OETemplates",
        key=("TemplateCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
        selected=False,
    ),
    Resource(
        stream="orders",
        address="OE/OEOrders",
        key=("OrderUniquifier",),
        stamps=(
            chosen("LastPostingDate"),
            counter("OrderUniquifier"),
            counter("PostSequenceNumber"),
        ),
        evidence="verified",
        lines=(
            Lines(
                stream="order_lines",
                collection="OrderDetails",
                key=("OrderUniquifier", "LineNumber"),
                carried=(
                    "OrderNumber",
                    "OrderDate",
                    "CustomerNumber",
                    "BillToName",
                    "OrderType",
                    "OrderCompleted",
                    "OnHold",
                    "OrderSourceCurrency",
                    "OrderHomeCurrency",
                    "OrderRate",
                    "LastPostingDate",
                ),
            ),
        ),
    ),
)
"""Every readable entity set of Order Entry."""
