"""Order Entry.

Orders, invoices and credit notes have numbers of their own (uniquifiers) that only grow.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Lines, Resource

RESOURCES = (
    Resource(
        "invoices",
        "OE",
        "OEInvoices",
        key=("InvoiceUniquifier",),
        replication_key="PostingDate",
        grows_by="InvoiceUniquifier",
        lines=(Lines("invoice_lines", ("InvoiceDetails",), key=("InvoiceUniquifier", "LineUniquifier")),),
    ),
    Resource(
        "oe_credit_debit_notes",
        "OE",
        "OECreditDebitNotes",
        key=("CNUniquifier",),
        replication_key="CreditDebitNoteDate",
        grows_by="CNUniquifier",
        lines=(
            Lines("oe_credit_debit_note_lines", ("CreditDebitDetails",), key=("CNUniquifier", "LineNumber")),
        ),
    ),
    Resource(
        "oe_miscellaneous_charges",
        "OE",
        "OEMiscellaneousCharges",
        key=("Currency", "MiscellaneousChargeCode"),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "oe_posting_journals",
        "OE",
        "OEPostingJournals",
        key=("DayEndNumber", "EntryNumber"),
        selected=False,
    ),
    Resource(
        "oe_sales_history",
        "OE",
        "OESalesHistory",
        key=("CustomerNumber", "FiscalYear", "FiscalPeriod", "UnformattedItemNumber"),
    ),
    Resource(
        "oe_sales_history_details",
        "OE",
        "OESalesHistoryDetails",
        key=("DayEndNumber", "TransactionNumber", "LineNumber"),
    ),
    Resource(
        "oe_sales_statistics",
        "OE",
        "OESalesStatistics",
        key=("FiscalYear", "FiscalPeriod", "Currency"),
        selected=False,
    ),
    Resource(
        "oe_ship_via_codes",
        "OE",
        "OEShipViaCodes",
        key=("Code",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "oe_templates",
        "OE",
        "OETemplates",
        key=("TemplateCode",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "orders",
        "OE",
        "OEOrders",
        key=("OrderUniquifier",),
        replication_key="LastPostingDate",
        grows_by="OrderUniquifier",
        lines=(Lines("order_lines", ("OrderDetails",), key=("OrderUniquifier", "LineNumber")),),
    ),
)
"""Every readable entity set of Order Entry."""
