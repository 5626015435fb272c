"""Accounts Receivable.

Batches as in AP. Posted documents carry the number of their posting run, so one that was posted with a date
in the past is found, too.
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
        stream="ar_account_sets",
        address="AR/ARAccountSets",
        key=("AccountSetKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ar_billing_cycles",
        address="AR/ARBillingCycles",
        key=("BillingCycleKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ar_comment_types",
        address="AR/ARCommentTypes",
        key=("CommentTypeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
        selected=False,
    ),
    Resource(
        stream="ar_customer_groups",
        address="AR/ARCustomerGroups",
        key=("GroupCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ar_distribution_codes",
        address="AR/ARDistributionCodes",
        key=("DistributionCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ar_dunning_messages",
        address="AR/ARDunningMessages",
        key=("DunningMessageCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
        selected=False,
    ),
    Resource(
        stream="ar_invoice_batches",
        address="AR/ARInvoiceBatches",
        key=("BatchNumber",),
        stamps=(
            day("DateLastEdited"),
            counter("BatchNumber"),
        ),
        final=Final("BatchStatus", BATCH_DONE),
        evidence="verified",
        lines=(
            Lines(
                stream="ar_invoices",
                collection="Invoices",
                key=("BatchNumber", "EntryNumber"),
                carried=SUBLEDGER_BATCH,
                lines=(
                    Lines(
                        stream="ar_invoice_lines",
                        collection="InvoiceDetails",
                        key=("BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(*of_invoice("CustomerNumber"), *above("DueDate")),
                    ),
                    Lines(
                        stream="ar_invoice_payment_schedules",
                        collection="InvoicePaymentSchedules",
                        key=("BatchNumber", "EntryNumber", "PaymentNumber"),
                        carried=(*of_invoice("CustomerNumber"), Carried("InvoiceDueDate", "DueDate", 1)),
                    ),
                ),
            ),
        ),
    ),
    Resource(
        stream="ar_item_statistics",
        address="AR/ARItemStatistics",
        key=("ItemNumber", "UnitOfMeasure", "Year", "Period"),
        evidence="verified",
        selected=False,
    ),
    Resource(
        stream="ar_items",
        address="AR/ARItems",
        key=("ItemNumber",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ar_national_account_statistics",
        address="AR/ARNationalAccountStatistics",
        key=("NationalAccountNumber", "Year", "Period"),
        evidence="verified",
        selected=False,
    ),
    Resource(
        stream="ar_national_accounts",
        address="AR/ARNationalAccounts",
        key=("NationalAccountNumber",),
        stamps=(
            day("DateLastMaintained"),
            chosen("DateOfLastActivity"),
        ),
        evidence="verified",
    ),
    Resource(
        stream="ar_payment_codes",
        address="AR/ARPaymentCodes",
        key=("PaymentCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    Resource(
        stream="ar_payments",
        address="AR/ARPayments",
        key=("CustomerNumber", "DocumentNumber", "SequenceNumber"),
        stamps=(
            chosen("PostingDate"),
            chosen("DateCleared"),
            chosen("DateReversed"),
            counter("PostingSequenceNumber"),
        ),
        evidence="verified",
    ),
    Resource(
        stream="ar_posted_documents",
        address="AR/ARPostedDocuments",
        key=("CustomerNumber", "DocumentNumber"),
        stamps=(
            chosen("LastActivityDate"),
            chosen("PostingDate"),
            chosen("DatePaid"),
            counter("PostingSequenceNumber", per="BatchType"),
        ),
        evidence="verified",
    ),
    Resource(
        stream="ar_posted_receipts",
        address="AR/ARPostedReceipts",
        key=(
            "BankCode",
            "CustomerNumber",
            "CheckReceiptNumber",
            "DepositSerialNumber",
            "DepositLineNumber",
            "ReceiptDate",
        ),
        stamps=(
            day("DateLastMaintained"),
            chosen("PostingDate"),
            chosen("DateCleared"),
            chosen("DateReturned"),
        ),
        evidence="verified",
    ),
    Resource(
        stream="ar_receipt_batches",
        address="AR/ARReceiptAndAdjustmentBatches",
        key=("BatchRecordType", "BatchNumber"),
        stamps=(day("DateLastEdited"),),
        final=Final("BatchStatus", BATCH_DONE),
        evidence="verified",
        lines=(
            Lines(
                stream="ar_receipts",
                collection="ReceiptsAdjustments",
                key=("BatchType", "BatchNumber", "EntryNumber"),
                carried=(
                    "BatchRecordType",
                    "BatchDate",
                    "BatchStatus",
                    Carried("BatchBankCode", "BankCode"),
                    "DefaultBankCurrency",
                    "PostingSequenceNumber",
                    "DateLastEdited",
                ),
                lines=(
                    Lines(
                        stream="ar_miscellaneous_receipt_lines",
                        collection="MiscellaneousReceipts",
                        key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(
                            "BatchRecordType",
                            "BatchDate",
                            "BatchStatus",
                            "BankCode",
                            "DefaultBankCurrency",
                            "PostingSequenceNumber",
                            "DateLastEdited",
                            *above(
                                "CustomerNumber",
                                "CheckReceiptNumber",
                                "ReceiptDateAdjustmentDate",
                                "PostingDate",
                                "FiscalYear",
                                "FiscalPeriod",
                                "CustomerCurrencyCode",
                                "ReceiptTransactionType",
                                "EntryDescription",
                            ),
                        ),
                    ),
                    Lines(
                        stream="ar_receipt_lines",
                        collection="AppliedReceiptsAdjustments",
                        key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(
                            "BatchRecordType",
                            "BatchDate",
                            "BatchStatus",
                            "BankCode",
                            "DefaultBankCurrency",
                            "PostingSequenceNumber",
                            "DateLastEdited",
                            Carried("ReceiptCustomerNumber", "CustomerNumber", 1),
                            *above(
                                "CheckReceiptNumber",
                                "ReceiptDateAdjustmentDate",
                                "PostingDate",
                                "FiscalYear",
                                "FiscalPeriod",
                            ),
                            Carried("ReceiptCustomerCurrencyCode", "CustomerCurrencyCode", 1),
                            Carried("ReceiptReceiptTransactionType", "ReceiptTransactionType", 1),
                            Carried("EntryDescription", "EntryDescription", 1),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Resource(
        stream="ar_recurring_charges",
        address="AR/ARRecurringCharges",
        key=("RecurringChargeCode", "CustomerNumber"),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
        lines=(
            Lines(
                stream="ar_recurring_charge_lines",
                collection="RecurringChargeDetails",
                key=("RecurringChargeCode", "CustomerNumber", "LineNumber"),
                carried=("DateLastMaintained",),
            ),
        ),
    ),
    Resource(
        stream="ar_refund_batches",
        address="AR/ARRefundBatches",
        key=("BatchNumber",),
        stamps=(
            day("DateLastEdited"),
            counter("BatchNumber"),
        ),
        final=Final("BatchStatus", BATCH_DONE),
        evidence="verified",
        lines=(
            Lines(
                stream="ar_refunds",
                collection="RefundEntries",
                key=("BatchNumber", "EntryNumber"),
                carried=(
                    "BatchDate",
                    "BatchStatus",
                    "PostingSequenceNumber",
                    Carried("BatchDateLastEdited", "DateLastEdited"),
                ),
                lines=(
                    Lines(
                        stream="ar_refund_lines",
                        collection="RefundDetails",
                        key=("BatchNumber", "EntryNumber", "LineNumber"),
                        carried=(
                            "BatchDate",
                            "BatchStatus",
                            "PostingSequenceNumber",
                            "DateLastEdited",
                            Carried("RefundCustomerNumber", "CustomerNumber", 1),
                            Carried("RefundDocumentDate", "DocumentDate", 1),
                            *above("FiscalYear", "FiscalPeriod"),
                            Carried("RefundDocumentNumber", "DocumentNumber", 1),
                            *above("CustomerCurrency", "ExchangeRate", "PostingDate", "DocumentDescription"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Resource(
        stream="ar_salesperson_statistics",
        address="AR/ARSalespersonStatistics",
        key=("Salesperson", "Year", "Period"),
        evidence="verified",
        selected=False,
    ),
    Resource(
        stream="ar_salespersons",
        address="AR/ARSalespersons",
        key=("SalespersonKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
    ),
    # Read whole: nothing else shows which addresses were deleted.
    Resource(
        stream="ar_ship_to_locations",
        address="AR/ARShipToLocations",
        key=("CustomerNumber", "ShipToLocationKey"),
        evidence="verified",
    ),
    Resource(
        stream="ar_terms",
        address="AR/ARTerms",
        key=("TermsCodeKey",),
        stamps=(day("DateLastMaintained"),),
        evidence="verified",
        lines=(
            Lines(
                stream="ar_terms_payment_schedules",
                collection="TermsPaymentSchedules",
                key=("TermsCodeKey", "PaymentNumber"),
                carried=(
                    "TermsCodeKey",
                    Carried("TermsCodeDateLastMaintained", "DateLastMaintained"),
                ),
            ),
        ),
    ),
    Resource(
        stream="customers",
        address="AR/ARCustomers",
        key=("CustomerNumber",),
        stamps=(
            day("DateLastMaintained"),
            chosen("DateOfLastActivity"),
        ),
        evidence="verified",
    ),
)
"""Every readable entity set of Accounts Receivable."""
