"""The business's books as Intacct objects: they add up, and stamps move when something changes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from decimal import Decimal

import pytest

from erp_sandbox import business
from erp_sandbox.intacct.model import catalogue

DATE, TIME = re.compile(r"\d{4}-\d\d-\d\d$"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")


def made(path, **how):
    business.create(path, companies=("SAMINC",), scale=0.2, erps=("intacct",), **how)
    return path


def stored(path):
    found = defaultdict(dict)
    for name, number, doc in sqlite3.connect(path).execute(
        "SELECT object, recordno, doc FROM intacct_records"
    ):
        found[name][number] = json.loads(doc)
    return found


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    return stored(made(tmp_path_factory.mktemp("books") / "a.db"))


def total(rows, name):
    return sum((Decimal(row[name]) for row in rows if row[name]), Decimal(0))


def by(rows, name):
    found = defaultdict(list)
    for row in rows:
        found[str(row[name])].append(row)
    return found


def test_every_value_is_of_its_field_s_type(books):
    custom = {"REGION_CODE", "APPROVED_ON", "CUST_RATE", "IS_PRIORITY", "GLDIMPROGRAM"}
    for name, rows in books.items():
        fields = catalogue()[name].fields if name in catalogue() else {}
        for row in rows.values():
            for column, value in row.items():
                if column not in fields:
                    assert column in custom or name in {"PROGRAM", "AUDITHISTORY"}, (name, column)
                    continue
                kind = fields[column].type
                if value is None or column == "RECORDNO":
                    continue
                if kind == "INTEGER":
                    assert type(value) is int, (name, column, value)
                elif kind == "BOOLEAN":
                    assert type(value) is bool, (name, column, value)
                elif kind == "DATE":
                    assert DATE.match(value), (name, column, value)
                elif kind == "TIMESTAMP":
                    assert TIME.match(value), (name, column, value)
                else:
                    assert isinstance(value, str), (name, column, value)
                    if kind in {"DECIMAL", "CURRENCY"}:
                        assert Decimal(value).is_finite()


def test_most_columns_of_the_objects_have_values(books):
    columns = filled = 0
    for name, kind in catalogue().items():
        if name == "AUDITHISTORY":  # its rows are made by deletions
            continue
        some = {column for row in books[name].values() for column, value in row.items() if value is not None}
        columns += len(kind.fields)
        filled += len(some & kind.fields.keys())
    assert filled / columns >= 0.7


def test_what_one_record_says_of_another_is_true(books):
    departments = {row["DEPARTMENTID"]: row["TITLE"] for row in books["DEPARTMENT"].values()}
    vendors = {number: row["VENDORID"] for number, row in books["VENDOR"].items()}
    seen = set()
    for rows in books.values():
        for row in rows.values():
            if row.get("DEPARTMENTID") in departments and row.get("DEPARTMENTNAME"):
                seen.add("department")
                assert row["DEPARTMENTNAME"] == departments[row["DEPARTMENTID"]]
            if row.get("VENDORID") and row.get("VENDORDIMKEY"):
                seen.add("vendor")
                assert vendors[int(row["VENDORDIMKEY"])] == row["VENDORID"]
    assert seen == {"department", "vendor"}


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("APBILL", "APBILLITEM"),
        ("ARINVOICE", "ARINVOICEITEM"),
        ("APADJUSTMENT", "APADJUSTMENTITEM"),
        ("ARADJUSTMENT", "ARADJUSTMENTITEM"),
    ],
)
def test_a_document_is_the_sum_of_its_lines(books, header, line):
    lines = by(books[line].values(), "RECORDKEY")
    assert books[header]
    for number, document in books[header].items():
        assert total(lines[str(number)], "AMOUNT") == Decimal(document["TOTALENTERED"])
        paid, due = Decimal(document["TOTALPAID"]), Decimal(document["TOTALDUE"])
        assert paid + due == Decimal(document["TOTALENTERED"])


def test_journals_balance_and_the_details_are_their_lines(books):
    entries = by(books["GLENTRY"].values(), "BATCHNO")
    details = by(books["GLDETAIL"].values(), "BATCHKEY")
    for number, batch in books["GLBATCH"].items():
        signed = [Decimal(row["AMOUNT"]) * int(row["TR_TYPE"]) for row in entries[str(number)]]
        assert sum(signed) == 0
        if batch["STATE"] == "Posted":
            rows = details[str(number)]
            assert len(rows) == len(signed)
            assert total(rows, "DEBITAMOUNT") == total(rows, "CREDITAMOUNT")
        else:
            assert str(number) not in details


def test_payments_name_what_they_paid(books):
    for detail in books["APPYMTDETAIL"].values():
        assert detail["PAYMENTKEY"] in books["APPYMT"]
        assert detail["RECORDKEY"] in books["APBILL"]


def test_stamps_share_seconds_and_some_are_empty(books):
    stamps = [row["WHENMODIFIED"] for row in books["GLENTRY"].values()]
    assert None in stamps
    assert len(set(stamps)) < len(stamps)


def test_the_same_seed_gives_the_same_records(tmp_path, books):
    again = stored(made(tmp_path / "b.db"))
    assert again == books
    assert stored(made(tmp_path / "c.db", seed=2)) != books


def test_a_day_changes_what_it_touches_and_nothing_else(tmp_path):
    path = made(tmp_path / "d.db")
    today = sqlite3.connect(path).execute("SELECT value FROM meta WHERE key = 'today'").fetchone()[0]
    before = stored(path)
    business.advance(path, 1)
    after = stored(path)
    changed = 0
    for name, rows in after.items():
        for number, row in rows.items():
            known = before[name].get(number)
            if known == row:
                continue
            stamp = row.get("WHENMODIFIED") or row.get("AUWHENCREATED") or row.get("WHENCREATED")
            if stamp is not None and name != "AUDITHISTORY":
                assert stamp[:10] > today, (name, row)
            if known is not None:
                changed += 1
                assert {k: v for k, v in known.items() if k != "WHENMODIFIED"} != {
                    k: v for k, v in row.items() if k != "WHENMODIFIED"
                }
    assert changed
    assert after["GLACCOUNT"] == before["GLACCOUNT"]


def test_what_is_deleted_vanishes_and_is_in_the_audit_trail(tmp_path):
    path = made(tmp_path / "e.db")
    gone = defaultdict(set)
    names = {}
    before = stored(path)
    for _ in range(25):
        business.advance(path, 1)
        after = stored(path)
        for name in before:
            gone[name] |= before[name].keys() - after[name].keys()
        names |= {row["CONTACTNAME"]: number for number, row in before["CONTACT"].items()}
        before = after
    assert gone["GLBATCH"]
    assert gone["GLENTRY"]
    assert any(row["OBJECTKEY"] in names for row in before["AUDITHISTORY"].values())
    audited = defaultdict(set)
    for row in before["AUDITHISTORY"].values():
        assert row["ACCESSMODE"] == "D"
        key = row["OBJECTKEY"].removesuffix("--REC")
        audited[row["OBJECTTYPE"].upper()].add(int(key) if key.isdecimal() else names[key])
    lines = {name for name, kind in catalogue().items() if kind.parent}
    assert audited == {name: numbers for name, numbers in gone.items() if numbers and name not in lines}


def test_a_sage_300_file_takes_intacct_too(tmp_path):
    path = tmp_path / "f.db"
    business.create(path, companies=("SAMINC",), scale=0.05)
    documents = sqlite3.connect(path).execute("SELECT * FROM documents ORDER BY id").fetchall()
    business.add_erp(path, "intacct")
    assert sqlite3.connect(path).execute("SELECT * FROM documents ORDER BY id").fetchall() == documents
    before = stored(path)
    assert before["APBILL"]
    business.advance(path, 3)
    assert stored(path) != before
    assert sqlite3.connect(path).execute("SELECT * FROM documents ORDER BY id").fetchall() != documents
