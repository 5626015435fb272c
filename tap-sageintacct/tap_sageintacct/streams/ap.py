"""Accounts payable: who is owed, for what, and how it was paid."""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource("vendors", "VENDOR", created="WHENCREATED", measures=("TOTALDUE",)),
    Resource("ap_terms", "APTERM", created="WHENCREATED", audited=False, small=True),
    Resource(
        "ap_bills",
        "APBILL",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED", "TOTALPAID", "TOTALDUE"),
    ),
    Resource(
        "ap_bill_lines",
        "APBILLITEM",
        created="WHENCREATED",
        audited=False,
        parent="ap_bills",
        parent_key="RECORDKEY",
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
    Resource(
        "ap_payments",
        "APPYMT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        "ap_payment_details",
        "APPYMTDETAIL",
        created="WHENCREATED",
        audited=False,
        parent="ap_payments",
        parent_key="PAYMENTKEY",
        period="PAYMENTDATE",
        measures=("PAYMENTAMOUNT",),
    ),
    Resource(
        "ap_adjustments",
        "APADJUSTMENT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        "ap_adjustment_lines",
        "APADJUSTMENTITEM",
        created="WHENCREATED",
        audited=False,
        parent="ap_adjustments",
        parent_key="RECORDKEY",
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
)
