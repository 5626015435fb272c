"""Accounts Payable.

Invoice and payment batches are read again until they are posted or deleted; what came of them is in
APPostedDocuments (by last activity) and APPostedPayments (which clear or are reversed later).
"""

from __future__ import annotations

from ml_connector.extract.resource import Carried, Final

from tap_sage300.streams.resource import (
    BATCH_DONE,
    SUBLEDGER_BATCH,
    Lines,
    Resource,
    above,
    chosen,
    counter,
    day,
    of_invoice,
)

RESOURCES = (
    Resource(
        stream="ap_1099_cprs_amounts",
        address="AP/AP1099CPRSAmounts",
        key=("VendorNumber", "Year", "Period", "Num1099CPRSCode"),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="ap_1099_cprs_codes",
        address="AP/AP1099CPRSCodes",
        key=("Num1099CPRSCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="ap_account_sets",
        address="AP/APAccountSets",
        key=("AccountSetCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="ap_distribution_codes",
        address="AP/APDistributionCodes",
        key=("DistributionCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="ap_distribution_sets",
        address="AP/APDistributionSets",
        key=("DistributionSetKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="inferred",
        lines=(
            Lines(
                stream="ap_distribution_set_lines",
                collection="DistributionSetDetails",
                key=("DistributionSetKey", "LineNumber"),
                carried=("DateLastMaintained",),
            ),
        ),
    ),
    Resource(
        stream="ap_invoice_batches",
        address="AP/APInvoiceBatches",
        key=("BatchNumber",),
        stamps=(
            day("DateLastEdited"),
            counter("BatchNumber"),
        ),
        final=Final("BatchStatus", BATCH_DONE),
        evidence="verified",
        lines=(
            Lines(
                stream="ap_invoices",
                collection="Invoices",
                key=("BatchNumber", "EntryNumber"),
                carried=SUBLEDGER_BATCH,
                lines=(
                    Lines(
                        stream="ap_invoice_lines",
                        collection="InvoiceDetails",
                        key=("BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(*of_invoice("VendorNumber"), *above("DueDate")),
                    ),
                    Lines(
                        stream="ap_invoice_payment_schedules",
                        collection="InvoicePaymentSchedules",
                        key=("BatchNumber", "EntryNumber", "PaymentNumber"),
                        carried=(*of_invoice("VendorNumber"), Carried("InvoiceDueDate", "DueDate", 1)),
                    ),
                ),
            ),
        ),
    ),
    Resource(
        stream="ap_payment_batches",
        address="AP/APPaymentAndAdjustmentBatches",
        key=("BatchSelector", "BatchNumber"),
        stamps=(day("DateLastEdited"),),
        final=Final("BatchStatus", BATCH_DONE),
        evidence="partial",
        lines=(
            Lines(
                stream="ap_payments",
                collection="PaymentsAdjustments",
                key=("BatchType", "BatchNumber", "EntryNumber"),
                carried=(
                    "BatchSelector",
                    "BatchDate",
                    "BatchStatus",
                    Carried("BatchBankCode", "BankCode"),
                    Carried("BatchBankCurrencyCode", "BankCurrencyCode"),
                    "PostingSequenceNumber",
                    "DateLastEdited",
                ),
                lines=(
                    Lines(
                        stream="ap_miscellaneous_payment_lines",
                        collection="MiscellaneousPayments",
                        key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(
                            "BatchSelector",
                            "BatchDate",
                            "BatchStatus",
                            "BankCode",
                            "BankCurrencyCode",
                            "PostingSequenceNumber",
                            "DateLastEdited",
                            *above(
                                "VendorNumber",
                                "CheckNumber",
                                "CheckDate",
                                "PaymentDateAdjustmentDate",
                                "PostingDate",
                                "FiscalYear",
                                "FiscalPeriod",
                                "VendorCurrencyCode",
                                "PaymentTransactionType",
                                "EntryDescription",
                            ),
                        ),
                    ),
                    Lines(
                        stream="ap_payment_lines",
                        collection="AppliedPayments",
                        key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(
                            "BatchSelector",
                            "BatchDate",
                            "BatchStatus",
                            "BankCode",
                            "BankCurrencyCode",
                            "PostingSequenceNumber",
                            "DateLastEdited",
                            Carried("PaymentVendorNumber", "VendorNumber", 1),
                            *above(
                                "CheckNumber",
                                "CheckDate",
                                "PaymentDateAdjustmentDate",
                                "PostingDate",
                                "FiscalYear",
                                "FiscalPeriod",
                                "VendorCurrencyCode",
                                "PaymentTransactionType",
                                "EntryDescription",
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Resource(
        stream="ap_payment_codes",
        address="AP/APPaymentCodes",
        key=("PaymentCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="inferred",
    ),
    Resource(
        stream="ap_posted_documents",
        address="AP/APPostedDocuments",
        key=("VendorNumber", "DocumentNumber"),
        stamps=(
            chosen("LastActivityDate"),
            chosen("PostingDate"),
            chosen("BatchDate"),
            chosen("DatePaid"),
            counter("PostingSequenceNumber"),
        ),
        evidence="inferred",
    ),
    Resource(
        stream="ap_posted_payments",
        address="AP/APPostedPayments",
        key=("BankCode", "VendorNumber", "CheckNumber", "CheckSerialNumber", "CheckDate"),
        stamps=(
            chosen("BatchDate"),
            chosen("PostingDate"),
            chosen("DateCleared"),
            chosen("DateReversed"),
            counter("PostingSequenceNumber"),
        ),
        evidence="inferred",
    ),
    Resource(
        stream="ap_posting_error_messages",
        address="AP/APPostingErrorMessages",
        key=("PostingSequenceNumber", "ErrorSequenceNumber"),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="ap_recurring_payables",
        address="AP/APRecurringPayables",
        key=("VendorNumber", "RecurringPayableCode"),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
        lines=(
            Lines(
                stream="ap_recurring_payable_lines",
                collection="RecurringPayableDetails",
                key=("VendorNumber", "RecurringPayableCode", "LineNumber"),
                carried=("DateLastMaintained",),
            ),
        ),
    ),
    # Read whole: nothing else shows which addresses were deleted.
    Resource(
        stream="ap_remit_to_locations",
        address="AP/APRemitToLocations",
        key=("VendorNumber", "RemitToLocation"),
        evidence="inferred",
    ),
    Resource(
        stream="ap_terms",
        address="AP/APTerms",
        key=("TermsCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
        lines=(
            Lines(
                stream="ap_terms_payment_schedules",
                collection="TermsPaymentSchedule",
                key=("TermsCode", "PaymentNumber"),
                carried=("DateLastMaintained",),
            ),
        ),
    ),
    Resource(
        stream="ap_vendor_groups",
        address="AP/APVendorGroups",
        key=("GroupCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="ap_vendor_statistics",
        address="AP/APVendorStatistics",
        key=("VendorNumber", "Year", "Period"),
        evidence="inferred",
    ),
    Resource(
        stream="vendors",
        address="AP/APVendors",
        key=("VendorNumber",),
        stamps=(
            day("DateLastMaintained"),
            chosen("DateOfLastActivity"),
        ),
        evidence="verified",
    ),
)
"""Every readable entity set of Accounts Payable."""
