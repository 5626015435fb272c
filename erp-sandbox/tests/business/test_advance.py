"""Days pass: what changes, what is stamped, and what stays as it was."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from erp_sandbox import business
from erp_sandbox.business.cli import advance

EVERYTHING = "SELECT company, entity_set, sort_key, doc FROM documents ORDER BY 1, 2, 3"
LAST_DAY = "2026-03-31T00:00:00Z"
NEXT_DAY = "2026-04-01T00:00:00Z"


@pytest.fixture
def moved(founded, living, docs):
    """Documents of a set: (before, after) one day."""
    business.advance(living, 1)
    return lambda entity_set: (docs(founded, entity_set), docs(living, entity_set))


def _changed(before, after):
    return {
        key: (before[key], after[key]) for key in before.keys() & after.keys() if before[key] != after[key]
    }


def test_three_days_at_once_are_three_single_days(founded, tmp_path, read):
    for name, steps in (("once", [3]), ("thrice", [1, 1, 1])):
        shutil.copy(founded, tmp_path / name)
        for days in steps:
            business.advance(tmp_path / name, days)
    assert read(tmp_path / "once", EVERYTHING) == read(tmp_path / "thrice", EVERYTHING)


@pytest.mark.parametrize(
    "entity_set",
    ["APVendors", "ARCustomers", "ICItems", "APInvoiceBatches", "ARInvoiceBatches", "POPurchaseOrders", "OEOrders",
     "POGetReceipts", "OEInvoices", "GLJournalBatches", "GLPostedTransactions"],
)  # fmt: skip
def test_three_days_bring_new_documents(founded, living, docs, entity_set):
    business.advance(living, 3)
    before, after = docs(founded, entity_set), docs(living, entity_set)
    assert {company for company, _ in after.keys() - before.keys()} == {"SAMINC", "SAMLTD"}


@pytest.mark.parametrize("entity_set", ["APVendors", "ARCustomers", "ICItems"])
def test_an_edited_master_is_stamped_yesterday_late_or_today(moved, entity_set):
    stamps = {new["DateLastMaintained"] for old, new in _changed(*moved(entity_set)).values()
              if old["DateLastMaintained"] != new["DateLastMaintained"]}  # fmt: skip
    assert stamps <= {LAST_DAY, NEXT_DAY}
    assert stamps


def test_a_record_is_edited_again_on_the_day_it_was_extracted(moved):
    """The trap of day-precision stamps: `gt` the last stamp seen would miss these."""
    late = [
        key
        for entity_set in ("APVendors", "ARCustomers", "ICItems")
        for key, (_, new) in _changed(*moved(entity_set)).items()
        if new["DateLastMaintained"] == LAST_DAY
    ]
    assert late


@pytest.mark.parametrize(
    ("entity_set", "status"),
    [("APInvoiceBatches", "BatchStatus"), ("ARInvoiceBatches", "BatchStatus"), ("GLJournalBatches", "Status"),
     ("APPaymentAndAdjustmentBatches", "BatchStatus"), ("ARReceiptAndAdjustmentBatches", "BatchStatus")],
)  # fmt: skip
def test_batches_only_move_forward_and_end_posted(founded, living, docs, entity_set, status):
    ways = set()
    before = docs(founded, entity_set)
    for _ in range(6):
        business.advance(living, 1)
        after = docs(living, entity_set)
        for old, new in _changed(before, after).values():
            if old[status] != new[status]:
                ways.add((old[status], new[status]))
                assert old["DateLastEdited"] < new["DateLastEdited"]
        assert before.keys() <= after.keys()
        before = after
    assert {("Open", "ReadyToPost"), ("ReadyToPost", "Posted")} <= ways
    assert ways <= {("Open", "ReadyToPost"), ("ReadyToPost", "Posted"), ("Open", "Deleted")}


def test_within_days_an_unposted_batch_is_deleted_and_a_payment_reversed(founded, living, docs):
    business.advance(living, 6)
    statuses = [(old["Status"], new["Status"]) for old, new in
                _changed(docs(founded, "GLJournalBatches"), docs(living, "GLJournalBatches")).values()]  # fmt: skip
    dropped = [b for b in docs(living, "GLJournalBatches").values() if b["Status"] == "Deleted"]
    assert dropped or ("Open", "Deleted") in statuses
    reversed_before = [p for p in docs(founded, "APPostedPayments").values() if p["DateReversed"]]
    reversed_after = [p for p in docs(living, "APPostedPayments").values() if p["DateReversed"]]
    assert len(reversed_after) > len(reversed_before)
    assert {p["ReasonForReversal"] for p in reversed_after} == {"Check returned: “insufficient funds”"}


@pytest.mark.parametrize(
    ("entity_set", "path"),
    [("APPaymentAndAdjustmentBatches", ("PaymentsAdjustments", "MiscellaneousPayments")),
     ("ARReceiptAndAdjustmentBatches", ("ReceiptsAdjustments", "MiscellaneousReceipts")),
     ("ICItems", ("VendorItemNumbers",))],
)  # fmt: skip
def test_three_days_bring_the_rare_lines_too(founded, living, docs, entity_set, path):
    business.advance(living, 3)
    counts = []
    for file in (founded, living):
        level = list(docs(file, entity_set).values())
        for step in path:
            level = [child for parent in level for child in parent[step]]
        counts.append(len(level))
    assert 0 < counts[0] < counts[1]


def test_a_deleted_location_vanishes_and_nothing_else_does(founded, living, read):
    business.advance(living, 4)
    keys = "SELECT company, entity_set, sort_key FROM documents"
    gone = {tuple(row.values()) for row in read(founded, keys)} - {
        tuple(row.values()) for row in read(living, keys)
    }
    assert {entity_set for _, entity_set, _ in gone} <= {"APRemitToLocations", "ARShipToLocations"}
    assert gone


def test_a_payment_moves_the_activity_of_an_older_document(founded, living, docs):
    business.advance(living, 6)
    paid = [
        (old, new)
        for old, new in _changed(
            docs(founded, "APPostedDocuments"), docs(living, "APPostedDocuments")
        ).values()
        if new["AmountDueVendorCurrency"] < old["AmountDueVendorCurrency"]
    ]
    assert paid
    for old, new in paid:
        assert new["LastActivityDate"] >= NEXT_DAY > old["PostingDate"]


def test_what_was_not_touched_is_the_same_to_the_byte(founded, living, read):
    before = read(founded, "SELECT id, doc FROM documents")
    business.advance(living, 1)
    after = {row["id"]: row["doc"] for row in read(living, "SELECT id, doc FROM documents")}
    same = sum(after.get(row["id"]) == row["doc"] for row in before)
    assert same > 0.9 * len(before)
    assert {row["id"] for row in before if row["doc"] != after.get(row["id"])}


def test_posted_transactions_are_append_only(moved):
    before, after = moved("GLPostedTransactions")
    assert _changed(before, after) == {}
    assert before.keys() < after.keys()
    for company in ("SAMINC", "SAMLTD"):
        last = max(line["PostingSequenceNumber"] for (owner, _), line in before.items() if owner == company)
        new = [line for key, line in after.items() if key not in before and key[0] == company]
        assert min(line["PostingSequenceNumber"] for line in new) == last + 1


def test_a_reader_sees_the_state_before_or_after_but_never_between(living):
    with closing(sqlite3.connect(living)) as reader:
        reader.execute("BEGIN")
        count = reader.execute("SELECT count(*) FROM documents").fetchone()
        business.advance(living, 1)
        assert reader.execute("SELECT count(*) FROM documents").fetchone() == count
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM documents").fetchone() > count


def test_the_command_moves_the_calendar(living, read):
    result = CliRunner().invoke(advance, ["--path", str(living), "--days", "3"])
    assert result.exit_code == 0, result.output
    assert "3 days passed" in result.output
    assert read(living, "SELECT value FROM meta WHERE key = 'today'") == [{"value": "2026-04-03"}]


def test_the_command_explains_a_file_without_a_business(tmp_path):
    sqlite3.connect(tmp_path / "empty.db").close()
    result = CliRunner().invoke(advance, ["--path", str(tmp_path / "empty.db")])
    assert result.exit_code == 1
    assert "holds no business; create one with" in result.output
