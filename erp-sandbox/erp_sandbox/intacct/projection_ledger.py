"""The general ledger: batches, their entries, and what is posted of them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.projection_masters import JOURNALS
from erp_sandbox.intacct.projection_record import PROGRAMS, Record, entity_of, known, money

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.business.books import Books
    from erp_sandbox.intacct.projection_record import Keys

_MODULES: Final = {"AP": "3.AP", "AR": "4.AR", "GL": "2.GL", "IC": "7.INV", "PO": "9.PO", "BK": "11.CM"}


def ledger(books: Books, keys: Keys) -> Iterator[Record]:
    """Every journal entry as a batch, followed by its lines and, once it is posted, by their details."""
    accounts = {
        row["account"]: row["description"]
        for row in books.rows("SELECT account, description FROM biz_accounts WHERE company = :company")
    }
    sql = (
        "SELECT j.*, b.status, b.edited, b.posting_sequence FROM biz_journals j JOIN biz_batches b"
        " ON b.company = j.company AND b.ledger = 'GL' AND b.kind = 'GL' AND b.number = j.batch"
        " WHERE j.company = :company AND b.status <> 'Deleted' ORDER BY j.day, j.batch, j.entry"
    )
    for row in books.rows(sql):
        yield from _batch(books, keys, row, accounts)


def _batch(books: Books, keys: Keys, row: sqlite3.Row, accounts: dict[str, str]) -> Iterator[Record]:
    natural = f"{row['batch']}-{row['entry']}"
    number = keys.number("GLBATCH", natural)
    symbol, _ = JOURNALS[row["ledger"]]
    entity = entity_of(row["party"] or natural)
    posted = row["status"] == "Posted"
    fields = {
        "BATCHNO": row["batch"],
        "BATCH_TITLE": row["description"],
        "JOURNAL": symbol,
        "JOURNALKEY": keys.number("GLJOURNAL", symbol),
        "BATCH_DATE": row["day"],
        "MODULE": _MODULES[row["ledger"]],
        "REFERENCENO": row["reference"] or None,
        "STATE": "Posted" if posted else "Draft",
        "BASELOCATION_NO": entity,
        "BALANCE": "0.00",
        "ADJ": False,
        "MEGAENTITYID": entity,
        "USERINFO.LOGINID": "Admin",
    }
    edited = row["edited"] or row["day"]
    yield Record("GLBATCH", natural, row["day"], known("GLBATCH", fields), entity, edited)
    sql = (
        "SELECT * FROM biz_journal_lines WHERE company = :company AND batch = :batch AND entry = :entry"
        " ORDER BY line"
    )
    for place, line in enumerate(books.rows(sql, batch=row["batch"], entry=row["entry"]), 1):
        key = f"{natural}-{line['line']}"
        common = _line(keys, row, line, place, accounts)
        debit = line["amount"] >= 0
        entry = {
            **common,
            "BATCHNO": number,
            "BATCH_NUMBER": row["batch"],
            "BATCHTITLE": row["description"],
            "AMOUNT": money(abs(line["amount"])),
            "TRX_AMOUNT": money(abs(line["source"])),
            "STATE": "Posted" if posted else "Draft",
            "LOCATION": entity,
            "DEPARTMENT": line["account"][-3:],
        }
        yield Record("GLENTRY", key, row["day"], known("GLENTRY", entry), entity, edited)
        if posted:
            detail = {
                **common,
                "BATCHKEY": number,
                "BATCH_DATE": row["day"],
                "BATCH_TITLE": row["description"],
                "BATCH_NO": row["batch"],
                "BATCH_STATE": "Posted",
                "SYMBOL": symbol,
                "BOOKID": "ACCRUAL",
                "MODULEKEY": _MODULES[row["ledger"]],
                "GLENTRYKEY": keys.number("GLENTRY", key),
                "WHENCREATED": row["day"],
                "DEBITAMOUNT": money(line["amount"] if debit else None),
                "CREDITAMOUNT": money(None if debit else -line["amount"]),
                "TRX_DEBITAMOUNT": money(line["source"] if debit else None),
                "TRX_CREDITAMOUNT": money(None if debit else -line["source"]),
                "AMOUNT": money(line["amount"]),
                "TRX_AMOUNT": money(line["source"]),
                "LOCATIONID": entity,
                "DEPARTMENTID": line["account"][-3:],
                "RECORDID": row["reference"] or None,
                "STATE": "Posted",
            }
            yield Record("GLDETAIL", key, row["day"], known("GLDETAIL", detail), entity, edited)


def _line(
    keys: Keys, row: sqlite3.Row, line: sqlite3.Row, place: int, accounts: dict[str, str]
) -> dict[str, Any]:
    account = line["account"]
    found = {
        "LINE_NO": place,
        "TR_TYPE": 1 if line["amount"] >= 0 else -1,
        "ENTRY_DATE": row["day"],
        "ACCOUNTNO": account,
        "ACCOUNTTITLE": accounts[account],
        "ACCOUNTKEY": keys.number("GLACCOUNT", account),
        "DESCRIPTION": line["description"],
        "DOCUMENT": row["reference"] or None,
        "CURRENCY": line["currency"],
        "BASECURR": "USD",
        "EXCHANGE_RATE": money(line["rate"]),
        "GLDIMPROGRAM": keys.number("PROGRAM", PROGRAMS[zlib.crc32(account.encode()) % len(PROGRAMS)]),
    }
    if row["party"]:
        kind = "VENDOR" if row["ledger"] in {"AP", "PO"} else "CUSTOMER"
        found |= {f"{kind}ID": row["party"], f"{kind}DIMKEY": keys.find(kind, row["party"])}
    return found
