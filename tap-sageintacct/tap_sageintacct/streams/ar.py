"""Accounts receivable: who owes, for what, and how it was paid."""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource("customers", "CUSTOMER", created="WHENCREATED", measures=("TOTALDUE",)),
    Resource("ar_terms", "ARTERM", created="WHENCREATED", audited=False, small=True),
    Resource(
        "ar_invoices",
        "ARINVOICE",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED", "TOTALPAID", "TOTALDUE"),
    ),
    Resource(
        "ar_invoice_lines",
        "ARINVOICEITEM",
        created="WHENCREATED",
        audited=False,
        parent="ar_invoices",
        parent_key="RECORDKEY",
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
    Resource(
        "ar_payments",
        "ARPYMT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        "ar_payment_details",
        "ARPYMTDETAIL",
        created="WHENCREATED",
        audited=False,
        parent="ar_payments",
        parent_key="PAYMENTKEY",
        period="PAYMENTDATE",
        measures=("PAYMENTAMOUNT",),
    ),
    Resource(
        "ar_adjustments",
        "ARADJUSTMENT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        "ar_adjustment_lines",
        "ARADJUSTMENTITEM",
        created="WHENCREATED",
        audited=False,
        parent="ar_adjustments",
        parent_key="RECORDKEY",
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
)
