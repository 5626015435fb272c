"""Accounts receivable: who owes, for what, and how it was paid."""

from __future__ import annotations

from tap_sageintacct.streams.resource import Resource

RESOURCES = (
    Resource(
        stream="customers",
        address="CUSTOMER",
        business_key="CUSTOMERID",
        refused=frozenset({"ACTIVATIONDATE"}),
        created="WHENCREATED",
        measures=("TOTALDUE",),
    ),
    Resource(
        stream="customer_groups",
        address="CUSTOMERGROUP",
        business_key="ID",
        created="WHENCREATED",
        small=True,
    ),
    Resource(stream="ar_terms", address="ARTERM", created="WHENCREATED", audited=False, small=True),
    Resource(
        stream="ar_invoices",
        address="ARINVOICE",
        refused=frozenset({"ENTITY", "CUSTENTITY", "BBRECORDKEY", "RETAINAGEINVTYPE"}),
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED", "TOTALPAID", "TOTALDUE"),
    ),
    Resource(
        stream="ar_invoice_lines",
        address="ARINVOICEITEM",
        created="WHENCREATED",
        audited=False,
        parent="ar_invoices",
        parent_key=("RECORDKEY",),
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
    Resource(
        stream="ar_payments",
        address="ARPYMT",
        refused=frozenset({"STATE", "RAWSTATE", "CUSTENTITY"}),
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        stream="ar_payment_details",
        address="ARPYMTDETAIL",
        refused=frozenset(
            {
                "ENTRYKEY",
                "DISCOUNTKEY",
                "DISCOUNTENTRYKEY",
                "DISCOUNTDATE",
                "DISCOUNTAMOUNT",
                "TRX_DISCOUNTAMOUNT",
            }
        ),
        created="WHENCREATED",
        audited=False,
        parent="ar_payments",
        parent_key=("PAYMENTKEY",),
        period="PAYMENTDATE",
        measures=("PAYMENTAMOUNT",),
    ),
    Resource(
        stream="ar_adjustments",
        address="ARADJUSTMENT",
        refused=frozenset({"ENTITY"}),
        created="AUWHENCREATED",
        period="WHENCREATED",
        measures=("TOTALENTERED",),
    ),
    Resource(
        stream="ar_adjustment_lines",
        address="ARADJUSTMENTITEM",
        refused=frozenset({"DETAILID"}),
        created="WHENCREATED",
        audited=False,
        parent="ar_adjustments",
        parent_key=("RECORDKEY",),
        period="ENTRY_DATE",
        measures=("AMOUNT",),
    ),
)
