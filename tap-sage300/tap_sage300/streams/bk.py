"""Bank Services.

Bank entries change when they are posted, without a new date.
"""

from __future__ import annotations

from ml_connector.extract.resource import Final

from tap_sage300.streams.resource import Lines, Resource, chosen, counter, day

RESOURCES = (
    Resource(
        stream="bk_bank_distribution_codes",
        address="BK/BKBankDistributionCodes",
        key=("DistributionCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
    ),
    Resource(
        stream="bk_bank_entries",
        address="BK/BKBankEntries",
        key=("SequenceNumber",),
        stamps=(
            chosen("BankEntryDate"),
            chosen("PostingDate"),
            counter("SequenceNumber"),
        ),
        final=Final("Status", frozenset({"Posted"})),
        evidence="partial",
        lines=(
            Lines(
                stream="bk_bank_entry_lines",
                collection="BankEntryDetail",
                key=("SequenceNumber", "LineNumber"),
                carried=(
                    "BankCode",
                    "BankEntryDate",
                    "BankEntryType",
                    "PostingDate",
                    "FiscalYear",
                    "FiscalPeriod",
                    "BankCurrencyCode",
                    "Status",
                ),
            ),
        ),
    ),
    Resource(
        stream="bk_banks",
        address="BK/BKBanks",
        key=("BankCode",),
        stamps=(day("DateLastMaintained"),),
        evidence="partial",
        lines=(
            Lines(
                stream="bk_bank_currencies",
                collection="BankCurrencies",
                key=("BankCode", "CurrencyCode"),
                carried=(
                    "Description",
                    "DateLastMaintained",
                ),
            ),
        ),
    ),
    Resource(
        stream="bk_credit_card_types",
        address="BK/BKCreditCardTypes",
        key=("CreditCardTypeKey",),
        evidence="partial",
        selected=False,
    ),
)
"""Every readable entity set of Bank Services."""
