"""General Ledger.

Journal batches are read again until they are posted or deleted. The posted ledger has no date of change; its
posting sequence number only grows, and a posted line never changes.
"""

from __future__ import annotations

from ml_connector.extract.resource import Carried, Final

from tap_sage300.streams.resource import BATCH_DONE, Lines, Resource, above, counter, day

RESOURCES = (
    Resource(
        stream="gl_account_fiscal_sets",
        address="GL/GLAccountFiscalSets",
        key=("AccountNumber", "Fiscalsetyear", "FiscalsetDesignator", "Currencycode", "Currencytype"),
        evidence="inferred",
    ),
    Resource(
        stream="gl_account_groups",
        address="GL/GLAccountGroups",
        key=("AccountGroupCode",),
        evidence="inferred",
    ),
    Resource(
        stream="gl_accounts",
        address="GL/GLAccounts",
        key=("UnformattedAccount",),
        evidence="verified",
    ),
    Resource(
        stream="gl_journal_batches",
        address="GL/GLJournalBatches",
        key=("BatchNumber",),
        stamps=(day("DateLastEdited"),),
        final=Final("Status", BATCH_DONE),
        evidence="verified",
        lines=(
            Lines(
                stream="gl_journals",
                collection="JournalHeaders",
                key=("BatchNumber", "EntryNumber"),
                carried=(
                    Carried("BatchDescription", "Description"),
                    "Status",
                    "ReadyToPost",
                    "JournalBatchType",
                    "PostingSequence",
                    "DateLastEdited",
                ),
                lines=(
                    Lines(
                        stream="gl_journal_lines",
                        collection="JournalDetails",
                        key=("BatchNumber", "EntryNumber", "TransactionNumber"),
                        account="AccountNumber",
                        carried=(
                            Carried("BatchDescription", "Description"),
                            "Status",
                            "ReadyToPost",
                            "JournalBatchType",
                            "PostingSequence",
                            "DateCreated",
                            "DateLastEdited",
                            Carried("JournalSourceLedger", "SourceLedger", 1),
                            Carried("JournalSourceType", "SourceType", 1),
                            *above("FiscalYear", "FiscalPeriod", "PostingDate", "DocumentDate"),
                            Carried("JournalDescription", "Description", 1),
                            Carried("EnteredBy", "EnteredBy", 1),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Resource(
        stream="gl_posted_transactions",
        address="GL/GLPostedTransactions",
        key=(
            "AccountNumber",
            "FiscalYear",
            "FiscalPeriod",
            "SourceCurrencyCode",
            "SourceLedgerCode",
            "SourceTypeCode",
            "PostingSequenceNumber",
            "DetailCount",
        ),
        stamps=(counter("PostingSequenceNumber"),),
        account="AccountNumber",
        evidence="verified",
    ),
    Resource(
        stream="gl_posting_journal_details",
        address="GL/GLPostingJournalDetails",
        key=("Postingsequencenumber", "BatchNumber", "Journalentrynumber", "Journaltransactionnumber"),
        stamps=(counter("Postingsequencenumber"),),
        account="AccountNumber",
        evidence="verified",
    ),
    Resource(
        stream="gl_provisional_posting_errors",
        address="GL/GLProvisionalPostingErrors",
        key=("PostingSequenceNumber", "BatchNumber", "EntryNumber", "TransactionNumber"),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="gl_revaluation_codes",
        address="GL/GLRevaluationCodes",
        key=("RevaluationCodeKey",),
        evidence="partial",
        selected=False,
    ),
    Resource(
        stream="gl_segment_codes",
        address="GL/GLSegmentCodes",
        key=("SegmentNumber", "SegmentCode"),
        evidence="inferred",
    ),
    Resource(
        stream="gl_source_codes",
        address="GL/GLSourceCodes",
        key=("SourceLedger", "SourceType"),
        evidence="partial",
    ),
)
"""Every readable entity set of General Ledger."""
