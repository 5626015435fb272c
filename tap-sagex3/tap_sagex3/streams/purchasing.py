"""Purchasing: orders, receipts, invoices of both sides."""

from __future__ import annotations

from tap_sagex3.streams.resource import Lines, Resource

RESOURCES = (
    Resource(
        "purchase_orders",
        "PORDER",
        ("POHNUM",),
        "purchaseOrder",
        "x3Purchasing",
        period="ORDDAT",
        lines=(
            Lines(
                "purchase_order_lines",
                ("POHNUM", "POPLIN", "POPSEQ"),
                "POHPOP",
                "PORDERP+PORDERQ",
                "purchaseOrderLine",
                "purchaseOrderLines",
                carried=("CUR", "CLEFLG", "APPFLG"),
                measures=("QTYSTU", "LINAMT"),
            ),
        ),
    ),
    Resource(
        "purchase_receipts",
        "PRECEIPT",
        ("PTHNUM",),
        "purchaseReceipt",
        "x3Purchasing",
        period="RCPDAT",
        lines=(
            Lines(
                "purchase_receipt_lines",
                ("PTHNUM", "PTDLIN"),
                "PTHPTD",
                "PRECEIPTD",
                "purchaseReceiptLine",
                "purchaseReceiptLines",
                carried=("CUR",),
                measures=("QTYSTU",),
            ),
        ),
    ),
    Resource(
        "purchase_invoices",
        "PINVOICEV",
        ("NUM",),
        "purchaseInvoice",
        "x3Purchasing",
        cls="PINVOICE",
        lines=(
            Lines(
                "purchase_invoice_lines",
                ("NUM", "PIDLIN"),
                "PIVPID",
                "PINVOICED",
                "purchaseInvoiceLine",
                "purchaseInvoiceLines",
                carried=("CUR",),
                measures=("QTYSTU", "AMTNOTLIN"),
            ),
        ),
    ),
    Resource(
        "ap_invoices",
        "PINVOICE",
        ("NUM",),
        "supplierInvoiceHeader",
        "x3InvoicingData",
        cls="BPSINV",
        period="ACCDAT",
        measures=("AMTNOT", "AMTATI"),
        lines=(
            Lines(
                "ap_invoice_lines",
                ("NUM", "LIG"),
                "PIHBSL",
                "BPSINVLIG",
                "supplierInvoiceLine",
                "supplierInvoiceLines",
                period="ACCDAT",
                carried=("CPY", "FCY", "BPR", "CUR", "ACCDAT", "STA", "SNS", "PIVTYP"),
                measures=("AMTNOTLIN",),
            ),
        ),
    ),
)
"""Class names other than those of suppliers and orders are inferred: `representations` names a site's own."""
