"""Accounts payable: who is owed, for what, and how it was paid."""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource(
        stream="vendors",
        address="VENDOR",
        business_key="VENDORID",
        created="WHENCREATED",
        measures=("TOTALDUE",),
    ),
    Resource(stream="ap_terms", address="APTERM", created="WHENCREATED", audited=False, small=True),
    Resource(
        stream="ap_bills",
        address="APBILL",
        refused=frozenset({"ENTITY", "BBTEMPLATE_USEIET", "SOURCEMODULE", "BBRECORDKEY", "RETAINAGEINVTYPE"}),
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED", "TOTALPAID", "TOTALDUE"),
    ),
    Resource(
        stream="ap_bill_lines",
        address="APBILLITEM",
        created="WHENCREATED",
        audited=False,
        parent="ap_bills",
        parent_key=("RECORDKEY",),
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
    Resource(
        stream="ap_payments",
        address="APPYMT",
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        stream="ap_payment_details",
        address="APPYMTDETAIL",
        created="WHENCREATED",
        audited=False,
        parent="ap_payments",
        parent_key=("PAYMENTKEY",),
        period="PAYMENTDATE",
        measures=("PAYMENTAMOUNT",),
    ),
    Resource(
        stream="ap_adjustments",
        address="APADJUSTMENT",
        refused=frozenset({"ENTITY", "PRBATCH", "PRBATCH_OPEN", "PRBATCH_NOGL"}),
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        stream="ap_adjustment_lines",
        address="APADJUSTMENTITEM",
        created="WHENCREATED",
        audited=False,
        parent="ap_adjustments",
        parent_key=("RECORDKEY",),
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
)
