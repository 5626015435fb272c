"""The books are right: what an accountant would check first."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from erp_sandbox import business


def _ledger_balance(docs, path, account):
    totals = defaultdict(Decimal)
    for (company, _), posted in docs(path, "GLPostedTransactions").items():
        if posted["AccountNumber"] == account:
            totals[company] += posted["JournalTransactionAmount"]
    return totals


@pytest.fixture(params=["at once", "after five days"])
def path(request, founded, living):
    if request.param == "at once":
        return founded
    business.advance(living, 5)
    return living


def test_every_journal_balances_to_the_thousandth(path, docs):
    entries = defaultdict(Decimal)
    for (company, _), batch in docs(path, "GLJournalBatches").items():
        for journal in batch["JournalHeaders"]:
            for line in journal["JournalDetails"]:
                entries[company, batch["BatchNumber"], journal["EntryNumber"]] += line["Amount"]
            assert journal["Debits"] == journal["Credits"] > 0
    assert len(entries) > 500
    assert {key for key, total in entries.items() if total} == set()


@pytest.mark.parametrize(("documents", "account", "sign"), [("AP", "2000100", -1), ("AR", "1100100", 1)])
def test_open_items_tie_out_to_the_control_account(path, docs, documents, account, sign):
    items = defaultdict(Decimal)
    for (company, _), document in docs(path, f"{documents}PostedDocuments").items():
        items[company] += document["FunctionalCurrencyAmountDue"]
        assert (document["FullyPaid"] == "Yes") == (document["FunctionalCurrencyAmountDue"] == 0)
    control = _ledger_balance(docs, path, account)
    assert set(items) == {"SAMINC", "SAMLTD"}
    assert all(items.values())
    assert {company: sign * total for company, total in control.items()} == items


@pytest.mark.parametrize(
    ("masters", "documents"), [("APVendors", "APPostedDocuments"), ("ARCustomers", "ARPostedDocuments")]
)
def test_balances_of_vendors_and_customers_are_their_open_items(path, docs, masters, documents):
    name = "VendorNumber" if masters == "APVendors" else "CustomerNumber"
    due = defaultdict(Decimal)
    for (company, _), document in docs(path, documents).items():
        due[company, document[name]] += document["FunctionalCurrencyAmountDue"]
    balances = {
        (company, master[name]): master["BalanceDueInFunctionalCurrency"]
        for (company, _), master in docs(path, masters).items()
    }
    assert balances == {key: due.get(key, Decimal(0)) for key in balances}


def test_fiscal_sets_are_the_sums_of_posted_transactions(path, docs):
    posted = defaultdict(Decimal)
    for (company, _), line in docs(path, "GLPostedTransactions").items():
        posted[company, line["AccountNumber"], line["FiscalYear"], line["FiscalPeriod"]] += line[
            "JournalTransactionAmount"
        ]
    periods = {
        (company, year["AccountNumber"], year["Fiscalsetyear"], f"{month:02d}"): year[
            f"Period{month:02d}netamount"
        ]
        for (company, _), year in docs(path, "GLAccountFiscalSets").items()
        for month in range(1, 13)
    }
    assert {key: value for key, value in periods.items() if value} == {
        key: value for key, value in posted.items() if value
    }


def test_balance_sheet_accounts_open_with_last_years_close(path, docs):
    sets = {
        (company, year["AccountNumber"], year["Fiscalsetyear"]): year
        for (company, _), year in docs(path, "GLAccountFiscalSets").items()
    }
    bank = sets["SAMINC", "1020100", "2025"]
    closing = bank["Beginningbalance"] + sum(bank[f"Period{month:02d}netamount"] for month in range(1, 13))
    assert sets["SAMINC", "1020100", "2026"]["Beginningbalance"] == closing != 0
    assert sets["SAMINC", "4000100", "2026"]["Beginningbalance"] == 0


def test_posted_transactions_stand_in_both_journals_with_one_sequence(path, docs):
    batches = {
        (company, batch["BatchNumber"]): batch
        for (company, _), batch in docs(path, "GLJournalBatches").items()
    }
    for (company, _), line in docs(path, "GLPostedTransactions").items():
        batch = batches[company, line["BatchNumber"]]
        assert batch["Status"] == "Posted"
        assert batch["PostingSequence"] == line["PostingSequenceNumber"] > 0
    assert len(docs(path, "GLPostedTransactions")) == len(docs(path, "GLPostingJournalDetails"))


def test_the_books_are_as_ugly_as_real_ones(founded, read, docs):
    texts = "".join(row["doc"] for row in read(founded, "SELECT doc FROM documents"))
    for wanted in (
        "株式会社",
        "O'Brien",
        '\\"Best\\"',
        "12345678901234.567",
        "-12345678901234.567",
        "\\n",
        "\\t",
    ):
        assert wanted in texts
    kuwait = [d for d in docs(founded, "APPostedDocuments").values() if d["CurrencyCode"] == "KWD"]
    assert any(d["OriginalDocumentAmountVendorCurrency"] % Decimal("0.01") for d in kuwait)
    assert {"Invoice", "3"} == {
        invoice["DocumentType"]
        for b in docs(founded, "APInvoiceBatches").values()
        for invoice in b["Invoices"]
    }
    notes = [d for d in docs(founded, "ARPostedDocuments").values() if d["DocumentType"] == "CreditNote"]
    assert any(d["CustomerCurrencyInvoiceAmount"] < 0 for d in notes)
    assert any(d["DatePaid"] is None for d in docs(founded, "ARPostedDocuments").values())
    with_fields = [bool(len(v["VendorOptionalFieldValues"]) > 1) for v in docs(founded, "APVendors").values()]
    assert True in with_fields
    assert False in with_fields


def test_the_same_seed_gives_the_same_business(tmp_path, read):
    everything = "SELECT company, entity_set, sort_key, doc FROM documents ORDER BY 1, 2, 3"
    found = []
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        business.create(tmp_path / f"{name}.db", companies=("ACME",), scale=0.05, seed=seed)
        found.append(read(tmp_path / f"{name}.db", everything))
    one, again, other = found
    assert one == again
    assert one != other


def test_scale_sets_the_size(founded, tmp_path, read):
    def count(path):
        rows = read(
            path, "SELECT count(*) AS n FROM biz_invoices WHERE company = 'SAMINC' AND order_number >= ''"
        )
        return rows[0]["n"]

    business.create(tmp_path / "twice.db", companies=("SAMINC",), scale=0.3, seed=7)
    assert count(founded) * 1.6 < count(tmp_path / "twice.db") < count(founded) * 2.4


def test_a_file_holds_one_business(founded):
    with pytest.raises(business.BusinessError, match="holds a business already; name another file"):
        business.create(founded)


@pytest.mark.parametrize(
    ("batches", "entries", "lines", "account", "amount", "sign"),
    [
        ("APPaymentAndAdjustmentBatches", "PaymentsAdjustments", "MiscellaneousPayments", "GLAccount",
         "DistributedAmount", 1),
        ("ARReceiptAndAdjustmentBatches", "ReceiptsAdjustments", "MiscellaneousReceipts", "AccountNumber",
         "FunctionalDistributionAmount", -1),
    ],
)  # fmt: skip
def test_miscellaneous_payments_and_receipts_reach_the_ledger_once_they_are_posted(
    path, docs, batches, entries, lines, account, amount, sign
):
    posted = defaultdict(Decimal)
    for (company, _), line in docs(path, "GLPostedTransactions").items():
        key = company, line["SourceLedgerCode"], line["JournalDetailReference"], line["AccountNumber"]
        posted[key] += line["JournalTransactionAmount"]
    found = defaultdict(set)
    for (company, _), batch in docs(path, batches).items():
        for entry in batch[entries]:
            if not entry[lines]:
                continue
            found[company].add(batch["BatchStatus"])
            assert sum(line[amount] for line in entry[lines]) == batch["BatchTotal"]
            document = company, batches[:2], entry["CheckNumber" if sign == 1 else "CheckReceiptNumber"]
            moved = {line[account]: sign * posted.get((*document, line[account]), 0) for line in entry[lines]}
            if batch["BatchStatus"] == "Posted":
                assert moved == {line[account]: line[amount] for line in entry[lines]}
                assert posted[(*document, "1020100")] == -sign * batch["BatchTotal"]
            else:
                assert set(moved.values()) == {0}
    assert {company for company, statuses in found.items() if "Posted" in statuses} == {"SAMINC", "SAMLTD"}
