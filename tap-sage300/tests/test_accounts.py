"""Ledger lines know their account's segments and group, from one read of the chart of accounts."""

from __future__ import annotations

import pytest

from tap_sage300.errors import Sage300Error
from tap_sage300.metadata import Property
from tap_sage300.schema_files import Differences, _agreed

ACCOUNT = {
    "UnformattedAccount": "4000100",
    "AccountNumber": "4000-100",
    "AccountSegmentCode1": "4000",
    "AccountSegmentCode2": "100",
    "AccountGroupCode": "REVENUE",
}


def a_journal_batch(*accounts):
    lines = [
        {"BatchNumber": "000001", "EntryNumber": "00001", "TransactionNumber": f"{n:010}", "AccountNumber": a}
        for n, a in enumerate(accounts, 1)
    ]
    entry = {"BatchNumber": "000001", "EntryNumber": "00001", "JournalDetails": lines}
    return {
        "BatchNumber": "000001",
        "Status": "Posted",
        "DateLastEdited": "2026-03-01T00:00:00Z",
        "JournalHeaders": [entry],
    }


def a_posted_line(account, number):
    return {"AccountNumber": account, "PostingSequenceNumber": 1, "DetailCount": number, "FiscalYear": "2026"}


def test_lines_of_journals_and_of_the_ledger_carry_segments_and_group(erp):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    erp.fake.add("SAMINC", "GLJournalBatches", a_journal_batch("4000100", "4000-100"))
    erp.fake.add("SAMINC", "GLPostedTransactions", *(a_posted_line("4000100", n) for n in range(1, 4)))
    out = erp.run("gl_journal_lines", "gl_posted_transactions")
    rows = out.records("gl_journal_lines") + out.records("gl_posted_transactions")
    assert len(rows) == 5
    for row in rows:
        assert (row["AccountSegmentCode1"], row["AccountSegmentCode2"]) == ("4000", "100")
        assert (row["AccountSegmentCode3"], row["AccountGroupCode"]) == (None, "REVENUE")
    assert len(erp.fake.asked("GLAccounts")) == 1


def test_the_server_is_never_asked_a_line_for_what_only_its_account_has(erp):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    erp.run("gl_posted_transactions", columns={"gl_posted_transactions": ["AccountGroupCode", "FiscalYear"]})
    ((_, query),) = [r for r in erp.fake.requests if r[0] == "GLPostedTransactions"]
    asked = query["$select"].split(",")
    assert "AccountNumber" in asked
    assert not any(name.startswith(("AccountSegment", "AccountGroup")) for name in asked)


def test_without_those_columns_the_chart_is_not_read(erp):
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    out = erp.run("gl_posted_transactions", columns={"gl_posted_transactions": ["FiscalYear"]})
    assert len(out.records("gl_posted_transactions")) == 1
    assert erp.fake.asked("GLAccounts") == []


def test_an_account_that_the_chart_does_not_have_is_told_once(erp, caplog):
    erp.fake.add("SAMINC", "GLPostedTransactions", *(a_posted_line("9999", n) for n in (1, 2)))
    out = erp.run("gl_posted_transactions")
    assert {row["AccountGroupCode"] for row in out.records("gl_posted_transactions")} == {None}
    told = [r.getMessage() for r in caplog.records if "9999" in r.getMessage()]
    assert len(told) == 1
    assert "is not in GLAccounts" in told[0]


def test_a_chart_that_may_not_be_read_stops_the_stream_with_the_reason(erp):
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    erp.fake.forbidden_sets.add("GLAccounts")
    with pytest.raises(Sage300Error, match="GLAccounts"):
        erp.run("gl_posted_transactions")


@pytest.mark.parametrize(
    ("precision", "scale", "wanted"),
    [
        (19, 3, (19, 3)),
        (19, 2, (20, 3)),
        (19, 5, (21, 5)),
        (30, 3, (30, 3)),
        (19, None, (19, 3)),
        (38, 9, (38, 9)),
    ],
)
def test_a_decimal_is_as_wide_as_the_server_and_the_file_say(precision, scale, wanted):
    shipped = {"type": ["number", "null"], "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}
    known = Property("Amount", "Edm.Decimal", precision=precision, scale=scale)
    found = _agreed(shipped, known, "Amount", Differences())
    assert (found["x-precision"], found["x-scale"]) == wanted
    assert found["multipleOf"] == float(f"1e-{wanted[1]}")
