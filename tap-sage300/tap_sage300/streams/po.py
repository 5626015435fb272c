"""Purchase Orders.

Documents have sequence keys that only grow, and the date they were last posted.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Lines, Resource

RESOURCES = (
    Resource(
        "po_account_sets",
        "PO",
        "POAccountSets",
        key=("AccountSetCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "po_additional_costs",
        "PO",
        "POAdditionalCosts",
        key=("AdditionalCostKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "po_credit_debit_notes",
        "PO",
        "POCreditDebitNotes",
        key=("CreditDebitNoteSequenceKey",),
        replication_key="LastPostingDate",
        grows_by="CreditDebitNoteSequenceKey",
        lines=(
            Lines(
                "po_credit_debit_note_lines",
                ("CreditDebitNoteLines",),
                key=("CreditDebitNoteSequenceKey", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "po_invoices",
        "PO",
        "POInvoices",
        key=("InvoiceSequenceKey",),
        replication_key="LastPostingDate",
        grows_by="InvoiceSequenceKey",
        lines=(Lines("po_invoice_lines", ("InvoiceLines",), key=("InvoiceSequenceKey", "LineNumber")),),
    ),
    Resource(
        "po_requisitions",
        "PO",
        "PORequisitions",
        key=("RequisitionSequenceKey",),
        lines=(
            Lines(
                "po_requisition_lines", ("RequisitionLines",), key=("RequisitionSequenceKey", "LineNumber")
            ),
        ),
    ),
    Resource(
        "po_returns",
        "PO",
        "POReturns",
        key=("ReturnSequenceKey",),
        replication_key="LastPostingDate",
        grows_by="ReturnSequenceKey",
        lines=(Lines("po_return_lines", ("ReturnLines",), key=("ReturnSequenceKey", "LineNumber")),),
    ),
    Resource(
        "po_templates",
        "PO",
        "POTemplates",
        key=("TemplateCode",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "po_vendor_contract_costs",
        "PO",
        "POVendorContractCosts",
        key=("VendorNumber", "UnformattedItemNumber", "Currency"),
        replication_key="LastMaintained",
    ),
    Resource(
        "purchase_orders",
        "PO",
        "POPurchaseOrders",
        key=("PurchaseOrderSequenceKey",),
        replication_key="LastPostingDate",
        grows_by="PurchaseOrderSequenceKey",
        lines=(
            Lines(
                "purchase_order_lines",
                ("PurchaseOrderLines",),
                key=("PurchaseOrderSequenceKey", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "purchase_receipts",
        "PO",
        "POGetReceipts",
        key=("ReceiptSequenceKey",),
        replication_key="LastPostingDate",
        grows_by="ReceiptSequenceKey",
        lines=(
            Lines("purchase_receipt_lines", ("ReceiptLine2s",), key=("ReceiptSequenceKey", "LineNumber")),
        ),
        fallback="POReceipts",
    ),
)
"""Every readable entity set of Purchase Orders."""
