"""Accounts Payable.

Invoice and payment batches are read again until they are posted or deleted; what came of them is in
APPostedDocuments (by last activity) and APPostedPayments (which clear or are reversed later).
"""

from __future__ import annotations

from tap_sage300.streams.resource import BATCH_DONE, Final, Lines, Resource

RESOURCES = (
    Resource(
        "ap_1099_cprs_amounts",
        "AP",
        "AP1099CPRSAmounts",
        key=("VendorNumber", "Year", "Period", "Num1099CPRSCode"),
        selected=False,
    ),
    Resource(
        "ap_1099_cprs_codes",
        "AP",
        "AP1099CPRSCodes",
        key=("Num1099CPRSCode",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "ap_account_sets",
        "AP",
        "APAccountSets",
        key=("AccountSetCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ap_distribution_codes",
        "AP",
        "APDistributionCodes",
        key=("DistributionCodeKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ap_distribution_sets",
        "AP",
        "APDistributionSets",
        key=("DistributionSetKey",),
        replication_key="DateLastMaintained",
        lines=(
            Lines(
                "ap_distribution_set_lines",
                ("DistributionSetDetails",),
                key=("DistributionSetKey", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "ap_invoice_batches",
        "AP",
        "APInvoiceBatches",
        key=("BatchNumber",),
        replication_key="DateLastEdited",
        grows_by="BatchNumber",
        final=Final("BatchStatus", BATCH_DONE),
        lines=(
            Lines("ap_invoices", ("Invoices",), key=("BatchNumber", "EntryNumber")),
            Lines(
                "ap_invoice_lines",
                ("Invoices", "InvoiceDetails"),
                key=("BatchNumber", "EntryNumber", "LineNumber"),
            ),
            Lines(
                "ap_invoice_payment_schedules",
                ("Invoices", "InvoicePaymentSchedules"),
                key=("BatchNumber", "EntryNumber", "PaymentNumber"),
            ),
        ),
    ),
    Resource(
        "ap_payment_batches",
        "AP",
        "APPaymentAndAdjustmentBatches",
        key=("BatchSelector", "BatchNumber"),
        replication_key="DateLastEdited",
        final=Final("BatchStatus", BATCH_DONE),
        lines=(
            Lines("ap_payments", ("PaymentsAdjustments",), key=("BatchType", "BatchNumber", "EntryNumber")),
            Lines(
                "ap_miscellaneous_payment_lines",
                ("PaymentsAdjustments", "MiscellaneousPayments"),
                key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
            ),
            Lines(
                "ap_payment_lines",
                ("PaymentsAdjustments", "AppliedPayments"),
                key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "ap_payment_codes",
        "AP",
        "APPaymentCodes",
        key=("PaymentCodeKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ap_posted_documents",
        "AP",
        "APPostedDocuments",
        key=("VendorNumber", "DocumentNumber"),
        replication_key="LastActivityDate",
    ),
    Resource(
        "ap_posted_payments",
        "AP",
        "APPostedPayments",
        key=("BankCode", "VendorNumber", "CheckNumber", "CheckSerialNumber", "CheckDate"),
        replication_key="BatchDate",
        also_changed=("PostingDate", "DateCleared", "DateReversed"),
    ),
    Resource(
        "ap_posting_error_messages",
        "AP",
        "APPostingErrorMessages",
        key=("PostingSequenceNumber", "ErrorSequenceNumber"),
        selected=False,
    ),
    Resource(
        "ap_recurring_payables",
        "AP",
        "APRecurringPayables",
        key=("VendorNumber", "RecurringPayableCode"),
        replication_key="DateLastMaintained",
        lines=(
            Lines(
                "ap_recurring_payable_lines",
                ("RecurringPayableDetails",),
                key=("VendorNumber", "RecurringPayableCode", "LineNumber"),
            ),
        ),
    ),
    # Read whole: nothing else shows which addresses were deleted.
    Resource(
        "ap_remit_to_locations",
        "AP",
        "APRemitToLocations",
        key=("VendorNumber", "RemitToLocation"),
    ),
    Resource(
        "ap_terms",
        "AP",
        "APTerms",
        key=("TermsCode",),
        replication_key="DateLastMaintained",
        lines=(
            Lines(
                "ap_terms_payment_schedules", ("TermsPaymentSchedule",), key=("TermsCode", "PaymentNumber")
            ),
        ),
    ),
    Resource(
        "ap_vendor_groups",
        "AP",
        "APVendorGroups",
        key=("GroupCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ap_vendor_statistics",
        "AP",
        "APVendorStatistics",
        key=("VendorNumber", "Year", "Period"),
    ),
    Resource(
        "vendors",
        "AP",
        "APVendors",
        key=("VendorNumber",),
        replication_key="DateLastMaintained",
        also_changed=("DateOfLastActivity",),
    ),
)
"""Every readable entity set of Accounts Payable."""
