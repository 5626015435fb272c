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
                ("SOHNUM", "SOPLIN", "SOQSEQ"),
                "SOHSOP",
                "SORDERP+SORDERQ",
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
        # Sage's own client reads SINVOICEV; other sites are known to have SINVOICE
        cls="SINVOICEV",
        cls_instead="SINVOICE",
        period="INVDAT",
        lines=(
            Lines(
                "sales_invoice_lines",
                ("NUM", "SIDLIN"),
                "SIVSID",
                "SINVOICED",
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
                ("NUM", "LIG"),
                "SIHBCL",
                "BPCINVLIG",
                "customerInvoiceLine",
                "customerInvoiceLines",
                period="ACCDAT",
                carried=("CPY", "FCY", "BPR", "CUR", "ACCDAT", "STA", "SNS", "SIVTYP"),
                measures=("AMTNOTLIN",),
            ),
        ),
    ),
)
