"""Ledger lines know their account's segments and group, from one read of the chart of accounts."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

import tap_sage300
from tap_sage300.session import Session
from tap_sage300.source import WebApi
from tap_sage300.streams.resource import SEGMENTS

ACCOUNT = {
    "UnformattedAccount": "4000100",
    "AccountNumber": "4000-100",
    "AccountSegmentCode1": "4000",
    "AccountSegmentCode2": "100",
    "AccountGroupCode": "REVENUE",
    "Description": "Sales",
}
LOG = logging.getLogger("tap-sage300")
SCHEMAS = Path(tap_sage300.__file__).parent / "schemas"
LINES = ("gl_journal_lines", "gl_posted_transactions", "gl_posting_journal_details")


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
    return {
        "AccountNumber": account,
        "FiscalYear": "2026",
        "FiscalPeriod": "03",
        "SourceCurrencyCode": "USD",
        "SourceLedgerCode": "GL",
        "SourceTypeCode": "JE",
        "PostingSequenceNumber": 1,
        "DetailCount": number,
    }


def a_journal_detail(account, number):
    return {
        "Postingsequencenumber": 1,
        "BatchNumber": "000001",
        "Journalentrynumber": "00001",
        "Journaltransactionnumber": f"{number:010}",
        "AccountNumber": account,
    }


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


def test_only_what_is_wanted_of_the_chart_is_asked_for(erp):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    erp.fake.add("SAMINC", "GLPostingJournalDetails", a_journal_detail("4000100", 1))
    columns = {
        "gl_posted_transactions": ["AccountSegmentCode2"],
        "gl_posting_journal_details": ["AccountGroupCode", "AccountNumber"],
    }
    out = erp.run(*columns, columns=columns)
    ((_, query),) = [r for r in erp.fake.requests if r[0] == "GLAccounts"]
    assert sorted(query["$select"].split(",")) == [
        "AccountGroupCode", "AccountNumber", "AccountSegmentCode2", "UnformattedAccount",
    ]  # fmt: skip
    (posted,), (detail,) = map(out.records, columns)
    assert (posted["AccountSegmentCode2"], "AccountGroupCode" in posted) == ("100", False)
    assert (detail["AccountGroupCode"], "AccountSegmentCode2" in detail) == ("REVENUE", False)


def test_every_company_has_its_own_chart(erp):
    for company, group in (("SAMINC", "REVENUE"), ("SAMLTD", "INCOME")):
        erp.fake.add(company, "GLAccounts", {**ACCOUNT, "AccountGroupCode": group})
        erp.fake.add(company, "GLPostedTransactions", a_posted_line("4000100", 1))
    out = erp.run("gl_posted_transactions", companies=["SAMINC", "SAMLTD"])
    rows = out.records("gl_posted_transactions")
    assert {row["source_company"]: row["AccountGroupCode"] for row in rows} == {
        "SAMINC": "REVENUE",
        "SAMLTD": "INCOME",
    }
    assert len(erp.fake.asked("GLAccounts")) == 2


def test_batch_files_have_segments_too(erp, tmp_path):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    config = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    (row,) = erp.run("gl_posted_transactions", batch_config=config).filed("gl_posted_transactions")
    assert (row["AccountSegmentCode1"], row["AccountGroupCode"]) == ("4000", "REVENUE")


def test_lines_without_an_account_have_no_segments_and_no_warning(erp, caplog):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    erp.fake.add("SAMINC", "GLJournalBatches", a_journal_batch(None, ""))
    with caplog.at_level(logging.WARNING):
        out = erp.run("gl_journal_lines")
    assert [row["AccountGroupCode"] for row in out.records("gl_journal_lines")] == [None, None]
    assert caplog.messages == []


def test_accounts_that_the_chart_does_not_have_are_one_warning(erp, caplog):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    lines = [a_posted_line(account, n) for n, account in enumerate(("4000100", "9999", "9998", "9999"), 1)]
    erp.fake.add("SAMINC", "GLPostedTransactions", *lines)
    erp.fake.add("SAMINC", "GLPostingJournalDetails", a_journal_detail("9999", 1))
    with caplog.at_level(logging.WARNING):
        out = erp.run("gl_posted_transactions", "gl_posting_journal_details")
    groups = [row["AccountGroupCode"] for row in out.records("gl_posted_transactions")]
    assert groups == ["REVENUE", None, None, None]
    (said,) = caplog.messages
    assert "2 accounts" in said
    assert "9999" in said
    assert "not in GLAccounts" in said


def test_a_chart_that_may_not_be_read_fails_its_lines_with_right_and_remedy(erp, caplog):
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    erp.fake.add("SAMINC", "APVendors", {"VendorNumber": "1"})
    erp.fake.forbidden_sets.add("GLAccounts")
    columns = {"gl_posted_transactions": ["AccountGroupCode"]}
    out = erp.failing_run("gl_posted_transactions", "vendors", columns=columns)
    (said, *_) = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert "READER may not read SAMINC/GL/GLAccounts" in said
    assert "'Sage 300 Web API'" in said
    assert "deselect these columns" in said
    assert "AccountGroupCode" in said
    assert "AccountSegmentCode" not in said
    assert len(out.records("vendors")) == 1


def test_a_chart_that_the_company_does_not_have_is_one_warning_and_nulls(erp, caplog):
    erp.fake.add("SAMINC", "GLPostedTransactions", *(a_posted_line("4000100", n) for n in (1, 2)))
    erp.fake.missing_sets.add("GLAccounts")
    with caplog.at_level(logging.WARNING):
        out = erp.run("gl_posted_transactions")
    assert {row["AccountGroupCode"] for row in out.records("gl_posted_transactions")} == {None}
    (said,) = caplog.messages
    assert "segments and groups of its ledger lines are null" in said


def test_a_server_that_cannot_select_is_asked_for_whole_accounts(erp):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    erp.fake.add("SAMINC", "GLPostedTransactions", a_posted_line("4000100", 1))
    erp.fake.refuses_select.add("GLAccounts")
    out = erp.run("gl_posted_transactions")
    assert out.records("gl_posted_transactions")[0]["AccountGroupCode"] == "REVENUE"
    assert len([q for name, q in erp.fake.requests if name == "GLAccounts" and "$select" not in q]) >= 1


def test_the_chart_keeps_nothing_but_the_wanted_columns(erp):
    erp.fake.add("SAMINC", "GLAccounts", ACCOUNT)
    source = WebApi(Session(erp.config(), "SAMINC", LOG), lambda: {"AccountGroupCode"}, LOG)
    found = source._chart.columns(["4000-100", None], ["AccountGroupCode"])
    assert found == {"AccountGroupCode": ["REVENUE", None]}
    assert {number: row for number, row in source._chart._accounts.items() if row} == {
        "4000100": ("REVENUE",),
        "4000-100": ("REVENUE",),
    }
    source.close()


@pytest.mark.parametrize("stream", LINES)
def test_the_schema_says_where_segments_come_from(stream):
    schema = json.loads((SCHEMAS / f"{stream}.json").read_text())
    chart = json.loads((SCHEMAS / "gl_accounts.json").read_text())["properties"]
    for name in SEGMENTS:
        assert schema["properties"][name]["type"] == chart[name]["type"]
        assert "from GLAccounts" in schema["properties"][name]["description"]
