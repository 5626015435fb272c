"""Sales: orders and invoices of both sides."""

from __future__ import annotations

from tap_sagex3.streams.resource import Lines, Resource

RESOURCES = (
    Resource(
        "sales_orders",
        "SORDER",
        ("SOHNUM",),
        "salesOrder",
        "x3Sales",
        period="ORDDAT",
        lines=(
            Lines(
                "sales_order_lines",
                "SORDERP+SORDERQ",
                ("SOHNUM", "SOPLIN", "SOQSEQ"),
                "SOHSOP",
                "salesOrderLine",
                "salesOrderLines",
                carried=("CUR", "ORDSTA"),
                measures=("QTYSTU",),
            ),
        ),
    ),
    Resource(
        "sales_invoices",
        "SINVOICEV",
        ("NUM",),
        "salesInvoice",
        "x3Sales",
        cls="SINVOICE",
        period="INVDAT",
        lines=(
            Lines(
                "sales_invoice_lines",
                "SINVOICED",
                ("NUM", "SIDLIN"),
                "SIVSID",
                "salesInvoiceLine",
                "salesInvoiceLines",
                carried=("CUR", "INVTYP", "SIVTYP", "INVSTA"),
                measures=("QTYSTU", "AMTNOTLIN"),
            ),
        ),
    ),
    Resource(
        "ar_invoices",
        "SINVOICE",
        ("NUM",),
        "customerInvoiceHeader",
        "x3InvoicingData",
        cls="BPCINV",
        period="ACCDAT",
        measures=("AMTNOT", "AMTATI"),
        lines=(
            Lines(
                "ar_invoice_lines",
                "BPCINVLIG",
                ("NUM", "LIG"),
                "SIHBCL",
                "customerInvoiceLine",
                "customerInvoiceLines",
                period="ACCDAT",
                carried=("CPY", "FCY", "BPR", "CUR", "ACCDAT", "STA", "SNS", "SIVTYP"),
                measures=("AMTNOTLIN",),
            ),
        ),
    ),
)
