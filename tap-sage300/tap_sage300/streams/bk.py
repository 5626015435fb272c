"""Bank Services.

Bank entries change when they are posted, without a new date.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Final, Lines, Resource

RESOURCES = (
    Resource(
        "bk_bank_distribution_codes",
        "BK",
        "BKBankDistributionCodes",
        key=("DistributionCode",),
        replication_key="DateLastMaintained",
    ),
    Resource(
        "bk_bank_entries",
        "BK",
        "BKBankEntries",
        key=("SequenceNumber",),
        replication_key="BankEntryDate",
        also_changed=("PostingDate",),
        grows_by="SequenceNumber",
        final=Final("Status", frozenset({"Posted"})),
        lines=(Lines("bk_bank_entry_lines", ("BankEntryDetail",), key=("SequenceNumber", "LineNumber")),),
    ),
    Resource(
        "bk_banks",
        "BK",
        "BKBanks",
        key=("BankCode",),
        replication_key="DateLastMaintained",
        lines=(Lines("bk_bank_currencies", ("BankCurrencies",), key=("BankCode", "CurrencyCode")),),
    ),
    Resource(
        "bk_credit_card_types",
        "BK",
        "BKCreditCardTypes",
        key=("CreditCardTypeKey",),
        selected=False,
    ),
)
"""Every readable entity set of Bank Services."""
