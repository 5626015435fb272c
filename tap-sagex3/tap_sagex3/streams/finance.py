"""Finance: the ledger, its open items and payments, and the analytical dimensions."""

from __future__ import annotations

from ml_connector.extract.resource import Final

from tap_sagex3.streams.resource import MOMENT_ONLY, Lines, Resource

RESOURCES = (
    Resource("charts_of_accounts", "GCOA", ("COA",), "chartOfAccounts", "x3FinanceData", stamps=MOMENT_ONLY),
    Resource("gl_accounts", "GACCOUNT", ("COA", "ACC"), "account", "x3FinanceData"),
    Resource("dimension_types", "GDIE", ("DIE",), "dimensionType", "x3FinanceData"),
    Resource("dimensions", "CACCE", ("DIE", "CCE"), "dimension", "x3FinanceData"),
    Resource("journal_codes", "GJOURNAL", ("JOU", "LEG"), "journal", "x3FinanceData", named_by="JOU"),
    Resource("entry_types", "GTYPACCENT", ("TYP", "LEG"), "entryType", "x3FinanceData", named_by="TYP"),
    Resource(
        "gl_journals",
        "GACCENTRY",
        ("TYP", "NUM"),
        "journalEntry",
        "x3Finance",
        period="ACCDAT",
        # temporary entries (1) may change or vanish; final ones (2) do not
        final=Final("STA", frozenset({2})),
        lines=(
            Lines(
                "gl_journal_lines",
                ("TYP", "NUM", "LIN", "LEDTYP"),
                "HAEDAE",
                "GACCENTRYD",
                "journalEntryLine",
                "journalEntryLines",
                carried=("STA", "CAT", "JOU"),
                period="ACCDAT",
                measures=("AMTCUR", "AMTLED"),
                lines=(
                    Lines(
                        "gl_analytical_lines",
                        ("TYP", "NUM", "LIN", "LEDTYP", "ANALIN"),
                        "DAEDAA",
                        "GACCENTRYA",
                        "journalEntryAnalyticalLine",
                        "analyticalLines",
                        carried=("STA", "CAT", "JOU", "FIY", "PER"),
                        measures=("AMTCUR", "AMTLED"),
                    ),
                ),
            ),
        ),
    ),
    # The payment of an open item does not touch its document: it has a stamp of its own (reference 4).
    Resource(
        "open_items",
        "GACCDUDATE",
        ("NUMDUD",),
        "openItem",
        "x3FinanceData",
        stamps=MOMENT_ONLY,
        period="DUDDAT",
        measures=("AMTCUR", "AMTLOC", "PAYCUR", "PAYLOC"),
    ),
    Resource(
        "payments",
        "PAYMENTH",
        ("NUM",),
        "payment",
        "x3FinanceData",
        period="ACCDAT",
        measures=("AMTCUR",),
        lines=(
            Lines(
                "payment_lines",
                ("NUM", "LIN"),
                "PYHPYD",
                "PAYMENTD",
                "paymentLine",
                "paymentLines",
                period="ACCDAT",
                carried=("CPY", "FCY", "BPR", "CUR", "ACCDAT", "STA", "PAM", "PAYTYP"),
                measures=("AMTLIN",),
            ),
        ),
    ),
)
