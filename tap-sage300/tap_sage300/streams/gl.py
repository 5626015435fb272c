"""General Ledger.

Journal batches are read again until they are posted or deleted. The posted ledger has no date of change; its
posting sequence number only grows, and a posted line never changes.
"""

from __future__ import annotations

from tap_sage300.streams.resource import BATCH_DONE, Final, Lines, Resource

RESOURCES = (
    Resource(
        "gl_account_fiscal_sets",
        "GL",
        "GLAccountFiscalSets",
        key=("AccountNumber", "Fiscalsetyear", "FiscalsetDesignator", "Currencycode", "Currencytype"),
    ),
    Resource(
        "gl_account_groups",
        "GL",
        "GLAccountGroups",
        key=("AccountGroupCode",),
    ),
    Resource(
        "gl_accounts",
        "GL",
        "GLAccounts",
        key=("UnformattedAccount",),
    ),
    Resource(
        "gl_journal_batches",
        "GL",
        "GLJournalBatches",
        key=("BatchNumber",),
        replication_key="DateLastEdited",
        grows_by="BatchNumber",
        final=Final("Status", BATCH_DONE),
        lines=(
            Lines("gl_journals", ("JournalHeaders",), key=("BatchNumber", "EntryNumber")),
            Lines(
                "gl_journal_lines",
                ("JournalHeaders", "JournalDetails"),
                key=("BatchNumber", "EntryNumber", "TransactionNumber"),
            ),
        ),
    ),
    Resource(
        "gl_posted_transactions",
        "GL",
        "GLPostedTransactions",
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
        replication_key="PostingSequenceNumber",
    ),
    Resource(
        "gl_posting_journal_details",
        "GL",
        "GLPostingJournalDetails",
        key=("Postingsequencenumber", "BatchNumber", "Journalentrynumber", "Journaltransactionnumber"),
        replication_key="Postingsequencenumber",
    ),
    Resource(
        "gl_provisional_posting_errors",
        "GL",
        "GLProvisionalPostingErrors",
        key=("PostingSequenceNumber", "BatchNumber", "EntryNumber", "TransactionNumber"),
        selected=False,
    ),
    Resource(
        "gl_revaluation_codes",
        "GL",
        "GLRevaluationCodes",
        key=("RevaluationCodeKey",),
        selected=False,
    ),
    Resource(
        "gl_segment_codes",
        "GL",
        "GLSegmentCodes",
        key=("SegmentNumber", "SegmentCode"),
    ),
    Resource(
        "gl_source_codes",
        "GL",
        "GLSourceCodes",
        key=("SourceLedger", "SourceType"),
    ),
)
"""Every readable entity set of General Ledger."""
