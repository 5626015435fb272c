"""Accounts Receivable.

Batches as in AP. Posted documents carry the number of their posting run, so one that was posted with a date
in the past is found, too.
"""

from __future__ import annotations

from tap_sage300.streams.resource import BATCH_DONE, Final, Lines, Resource

RESOURCES = (
    Resource(
        "ar_account_sets",
        "AR",
        "ARAccountSets",
        key=("AccountSetKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ar_billing_cycles",
        "AR",
        "ARBillingCycles",
        key=("BillingCycleKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ar_comment_types",
        "AR",
        "ARCommentTypes",
        key=("CommentTypeKey",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "ar_customer_groups",
        "AR",
        "ARCustomerGroups",
        key=("GroupCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ar_distribution_codes",
        "AR",
        "ARDistributionCodes",
        key=("DistributionCodeKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ar_dunning_messages",
        "AR",
        "ARDunningMessages",
        key=("DunningMessageCode",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "ar_invoice_batches",
        "AR",
        "ARInvoiceBatches",
        key=("BatchNumber",),
        replication_key="DateLastEdited",
        grows_by="BatchNumber",
        final=Final("BatchStatus", BATCH_DONE),
        lines=(
            Lines("ar_invoices", ("Invoices",), key=("BatchNumber", "EntryNumber")),
            Lines(
                "ar_invoice_lines",
                ("Invoices", "InvoiceDetails"),
                key=("BatchNumber", "EntryNumber", "LineNumber"),
            ),
            Lines(
                "ar_invoice_payment_schedules",
                ("Invoices", "InvoicePaymentSchedules"),
                key=("BatchNumber", "EntryNumber", "PaymentNumber"),
            ),
        ),
    ),
    Resource(
        "ar_item_statistics",
        "AR",
        "ARItemStatistics",
        key=("ItemNumber", "UnitOfMeasure", "Year", "Period"),
        selected=False,
    ),
    Resource(
        "ar_items",
        "AR",
        "ARItems",
        key=("ItemNumber",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ar_national_account_statistics",
        "AR",
        "ARNationalAccountStatistics",
        key=("NationalAccountNumber", "Year", "Period"),
        selected=False,
    ),
    Resource(
        "ar_national_accounts",
        "AR",
        "ARNationalAccounts",
        key=("NationalAccountNumber",),
        replication_key="DateLastMaintained",
        also_changed=("DateOfLastActivity",),
    ),
    Resource(
        "ar_payment_codes",
        "AR",
        "ARPaymentCodes",
        key=("PaymentCodeKey",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "ar_payments",
        "AR",
        "ARPayments",
        key=("CustomerNumber", "DocumentNumber", "SequenceNumber"),
        replication_key="PostingDate",
        also_changed=("DateCleared", "DateReversed"),
    ),
    Resource(
        "ar_posted_documents",
        "AR",
        "ARPostedDocuments",
        key=("CustomerNumber", "DocumentNumber"),
        replication_key="LastActivityDate",
        grows_by="PostingSequenceNumber",
    ),
    Resource(
        "ar_posted_receipts",
        "AR",
        "ARPostedReceipts",
        key=(
            "BankCode",
            "CustomerNumber",
            "CheckReceiptNumber",
            "DepositSerialNumber",
            "DepositLineNumber",
            "ReceiptDate",
        ),
        replication_key="DateLastMaintained",
        also_changed=("PostingDate", "DateCleared", "DateReturned"),
    ),
    Resource(
        "ar_receipt_batches",
        "AR",
        "ARReceiptAndAdjustmentBatches",
        key=("BatchRecordType", "BatchNumber"),
        replication_key="DateLastEdited",
        final=Final("BatchStatus", BATCH_DONE),
        lines=(
            Lines("ar_receipts", ("ReceiptsAdjustments",), key=("BatchType", "BatchNumber", "EntryNumber")),
            Lines(
                "ar_miscellaneous_receipt_lines",
                ("ReceiptsAdjustments", "MiscellaneousReceipts"),
                key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
            ),
            Lines(
                "ar_receipt_lines",
                ("ReceiptsAdjustments", "AppliedReceiptsAdjustments"),
                key=("BatchType", "BatchNumber", "EntryNumber", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "ar_recurring_charges",
        "AR",
        "ARRecurringCharges",
        key=("RecurringChargeCode", "CustomerNumber"),
        replication_key="DateLastMaintained",
        lines=(
            Lines(
                "ar_recurring_charge_lines",
                ("RecurringChargeDetails",),
                key=("RecurringChargeCode", "CustomerNumber", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "ar_refund_batches",
        "AR",
        "ARRefundBatches",
        key=("BatchNumber",),
        replication_key="DateLastEdited",
        grows_by="BatchNumber",
        final=Final("BatchStatus", BATCH_DONE),
        lines=(
            Lines("ar_refunds", ("RefundEntries",), key=("BatchNumber", "EntryNumber")),
            Lines(
                "ar_refund_lines",
                ("RefundEntries", "RefundDetails"),
                key=("BatchNumber", "EntryNumber", "LineNumber"),
            ),
        ),
    ),
    Resource(
        "ar_salesperson_statistics",
        "AR",
        "ARSalespersonStatistics",
        key=("Salesperson", "Year", "Period"),
        selected=False,
    ),
    Resource(
        "ar_salespersons",
        "AR",
        "ARSalespersons",
        key=("SalespersonKey",),
        replication_key="DateLastMaintained",
    ),
    # Read whole: nothing else shows which addresses were deleted.
    Resource(
        "ar_ship_to_locations",
        "AR",
        "ARShipToLocations",
        key=("CustomerNumber", "ShipToLocationKey"),
    ),
    Resource(
        "ar_terms",
        "AR",
        "ARTerms",
        key=("TermsCodeKey",),
        replication_key="DateLastMaintained",
        lines=(
            Lines(
                "ar_terms_payment_schedules",
                ("TermsPaymentSchedules",),
                key=("TermsCodeKey", "PaymentNumber"),
            ),
        ),
    ),
    Resource(
        "customers",
        "AR",
        "ARCustomers",
        key=("CustomerNumber",),
        replication_key="DateLastMaintained",
        also_changed=("DateOfLastActivity",),
    ),
)
"""Every readable entity set of Accounts Receivable."""
