"""Vendors, customers, accounts, dimensions and the other things that documents name."""

from __future__ import annotations

import calendar
import datetime as dt
import zlib
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.intacct.projection_record import ENTITIES, FIRST_DAY, PROGRAMS, Record, known, money

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from erp_sandbox.business.books import Books
    from erp_sandbox.intacct.projection_record import Keys

JOURNALS: Final = {
    "AP": ("APJ", "AP journal"),
    "AR": ("ARJ", "AR journal"),
    "GL": ("GJ", "General journal"),
    "IC": ("IVJ", "Inventory journal"),
    "PO": ("POJ", "Purchasing journal"),
    "BK": ("CMJ", "Cash management journal"),
}
_KINDS: Final = {
    "Asset": ("balancesheet", "debit"),
    "Liability": ("balancesheet", "credit"),
    "Equity": ("balancesheet", "credit"),
    "Revenue": ("incomestatement", "credit"),
    "Expense": ("incomestatement", "debit"),
}


def masters(books: Books, keys: Keys) -> Iterator[Record]:
    """Every master record of a company."""
    yield from _places(books, keys)
    yield from _accounts(books)
    yield from _dimensions(books, keys)
    yield from _parties(books, keys)
    yield from _ship_to(books)
    yield from _items(books)
    yield from _others(books, keys)


def _places(books: Books, keys: Keys) -> Iterator[Record]:
    for entity in ENTITIES:
        common = {"LOCATIONID": entity, "NAME": f"{books.company} {entity}", "STATUS": "active"}
        yield Record("LOCATION", entity, FIRST_DAY, {**common, "CURRENCY": books.currency})
        more = {"CURRENCY": books.currency, "FIRSTMONTH": 1}
        yield Record("LOCATIONENTITY", entity, FIRST_DAY, {**common, **more})
    found = books.rows("SELECT DISTINCT location FROM biz_order_lines WHERE company = :company ORDER BY 1")
    for row in found:
        place = row["location"]
        parent = {"PARENTID": ENTITIES[0], "PARENTKEY": keys.number("LOCATION", ENTITIES[0])}
        fields = {"LOCATIONID": f"L{place}", "NAME": f"Location {place}", "STATUS": "active", **parent}
        yield Record("LOCATION", place, FIRST_DAY, fields)
        yield Record(
            "WAREHOUSE",
            place,
            FIRST_DAY,
            {"WAREHOUSEID": f"W{place}", "NAME": f"Warehouse {place}", "STATUS": "active"},
        )


def _accounts(books: Books) -> Iterator[Record]:
    for group in books.rows("SELECT DISTINCT grp FROM biz_accounts WHERE company = :company ORDER BY 1"):
        name = group["grp"]
        fields = {"NAME": name, "TITLE": name, "NORMAL_BALANCE": "debit", "MEMBERTYPE": "Accounts"}
        yield Record("GLACCTGRP", name, FIRST_DAY, fields)
    for row in books.rows("SELECT * FROM biz_accounts WHERE company = :company ORDER BY account"):
        kind, balance = _KINDS[row["kind"]]
        fields = {
            "ACCOUNTNO": row["account"],
            "TITLE": row["description"],
            "ACCOUNTTYPE": kind,
            "NORMALBALANCE": balance,
            "CLOSINGTYPE": "non-closing account" if kind == "balancesheet" else "closing account",
            "STATUS": "active",
            "REQUIREDEPT": False,
            "REQUIRELOC": False,
            "CATEGORY": row["grp"],
            "ALTERNATIVEACCOUNT": "None",
        }
        yield Record("GLACCOUNT", row["account"], row["created"], fields)
    for account, title in (("S100", "Headcount"), ("S200", "Square metres")):
        fields = {"ACCOUNTNO": account, "TITLE": title, "ACCOUNTTYPE": "forperiod", "STATUS": "active"}
        yield Record("STATACCOUNT", account, FIRST_DAY, fields)
    for symbol, title in JOURNALS.values():
        yield Record(
            "GLJOURNAL",
            symbol,
            FIRST_DAY,
            {"SYMBOL": symbol, "TITLE": title, "STATUS": "active", "ADJ": False},
        )
    years = books.rows(
        "SELECT DISTINCT year, period FROM biz_journals WHERE company = :company ORDER BY 1, 2"
    )
    for row in years:
        first = dt.date(row["year"], row["period"], 1)
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        name = f"Month Ended {first:%B %Y}"
        fields = {
            "NAME": name,
            "HEADER1": "Month Ended",
            "HEADER2": f"{last:%m/%d/%Y}",
            "START_DATE": first.isoformat(),
            "END_DATE": last.isoformat(),
            "BUDGETING": True,
            "STATUS": "active",
        }
        yield Record("REPORTINGPERIOD", name, first.isoformat(), fields)


def _dimensions(books: Books, keys: Keys) -> Iterator[Record]:
    found = books.rows("SELECT DISTINCT department FROM biz_accounts WHERE company = :company ORDER BY 1")
    for row in found:
        name = row["department"]
        fields = {"DEPARTMENTID": name, "TITLE": f"Department {name}", "STATUS": "active"}
        yield Record("DEPARTMENT", name, FIRST_DAY, fields)
    for row in books.rows("SELECT DISTINCT category FROM biz_items WHERE company = :company ORDER BY 1"):
        fields = {"CLASSID": row["category"], "NAME": row["category"], "STATUS": "active"}
        yield Record("CLASS", row["category"], FIRST_DAY, fields)
    sql = (
        "SELECT DISTINCT salesperson FROM biz_parties WHERE company = :company AND salesperson <> ''"
        " ORDER BY 1"
    )
    for row in books.rows(sql):
        person = row["salesperson"]
        fields = {
            "EMPLOYEEID": person,
            "TITLE": "Sales",
            "PERSONALINFO.CONTACTNAME": f"Salesperson {person}",
            "STARTDATE": FIRST_DAY,
            "STATUS": "active",
            "DEPARTMENTID": "100",
        }
        yield Record("EMPLOYEE", person, FIRST_DAY, known("EMPLOYEE", fields))
    sql = (
        "SELECT id, name, start FROM biz_parties WHERE company = :company AND ledger = 'AR'"
        " ORDER BY id LIMIT 8"
    )
    for row in books.rows(sql):
        fields = {
            "PROJECTID": f"P-{row['id']}",
            "NAME": f"Fitting out {row['name']}",
            "CUSTOMERID": row["id"],
            "CUSTOMERKEY": keys.number("CUSTOMER", row["id"]),
            "CUSTOMERNAME": row["name"],
            "PROJECTCATEGORY": "Contract",
            "BEGINDATE": row["start"],
            "STATUS": "active",
        }
        yield Record("PROJECT", row["id"], row["start"], known("PROJECT", fields))
    for name in PROGRAMS:
        yield Record("PROGRAM", name, FIRST_DAY, {"NAME": name})


def _parties(books: Books, keys: Keys) -> Iterator[Record]:
    sql = "SELECT * FROM biz_parties WHERE company = :company ORDER BY start, ledger, id"
    for row in books.rows(sql):
        name = "VENDOR" if row["ledger"] == "AP" else "CUSTOMER"
        contact = keys.number("CONTACT", f"{name}{row['id']}")
        fields = {
            f"{name}ID": row["id"],
            "NAME": row["name"],
            "STATUS": "active" if row["status"] == "Active" else "inactive",
            "TOTALDUE": money(row["balance"]),
            "CREDITLIMIT": money(row["credit_limit"]),
            "CURRENCY": row["currency"],
            "TERMNAME": row["terms"],
            "ONHOLD": bool(row["on_hold"]),
            "ONETIME": False,
            "COMMENTS": row["region"] or None,
            "DISPLAYCONTACTKEY": contact,
            **_contact(row, "DISPLAYCONTACT."),
            "REGION_CODE": row["region"] or None,
        }
        if name == "VENDOR":
            fields |= {"VENDTYPE": row["grp"], "APPROVED_ON": row["start"]}
        else:
            rate = None if row["on_hold"] else f"0.{zlib.crc32(row['id'].encode()) % 900 + 100}"
            fields |= {
                "CUSTTYPE": row["grp"],
                "CUSTREPID": row["salesperson"] or None,
                "CUST_RATE": rate,
                "IS_PRIORITY": row["grp"] == "WHL",
            }
        yield Record(name, row["id"], row["start"], known(name, fields), changed=row["maintained"] or "")
        yield Record("CONTACT", f"{name}{row['id']}", row["start"], known("CONTACT", _contact(row, "")))


def _ship_to(books: Books) -> Iterator[Record]:
    """Ship-to and remit-to places: contacts of their own, which somebody deletes now and then."""
    sql = "SELECT * FROM biz_places WHERE company = :company ORDER BY maintained, ledger, party, id"
    for row in books.rows(sql):
        natural = f"{row['ledger']}{row['party']}/{row['id']}"
        fields = {
            "CONTACTNAME": f"{row['name']} ({row['party']} {row['id']})",
            "COMPANYNAME": row["name"],
            "PRINTAS": row["name"],
            "MAILADDRESS.CITY": row["city"],
            "MAILADDRESS.COUNTRY": row["country"],
        }
        yield Record("CONTACT", natural, row["maintained"] or FIRST_DAY, known("CONTACT", fields))


def _contact(row: sqlite3.Row, prefix: str) -> dict[str, Any]:
    place = "MAILADDRESS."
    found = {
        "CONTACTNAME": f"{row['name']} ({row['id']})",
        "COMPANYNAME": row["name"],
        "PRINTAS": row["contact"] or row["name"],
        "PHONE1": row["phone"],
        "EMAIL1": row["email"],
        "URL1": row["website"],
        f"{place}ADDRESS1": row["address"],
        f"{place}CITY": row["city"],
        f"{place}STATE": row["state"] or None,
        f"{place}ZIP": row["zip"],
        f"{place}COUNTRY": row["country"],
    }
    return {prefix + name: value for name, value in found.items()}


def _items(books: Books) -> Iterator[Record]:
    for row in books.rows("SELECT * FROM biz_items WHERE company = :company ORDER BY id"):
        fields = {
            "ITEMID": row["id"],
            "NAME": row["description"],
            "EXTENDED_DESCRIPTION": row["colour"] or None,
            "STATUS": "active" if row["active"] else "inactive",
            "ITEMTYPE": "Inventory",
            "PRODUCTLINEID": row["category"],
            "COST_METHOD": "Average",
            "STANDARD_COST": money(row["cost"]),
            "AVERAGE_COST": money(row["cost"]),
            "BASEPRICE": money(row["price"]),
            "SHIP_WEIGHT": money(row["weight"]),
            "UOMGRP": row["uom"],
            "TAXABLE": True,
        }
        yield Record("ITEM", row["id"], FIRST_DAY, known("ITEM", fields), changed=row["maintained"] or "")


def _others(books: Books, keys: Keys) -> Iterator[Record]:
    for row in books.rows(
        "SELECT DISTINCT ledger, terms FROM biz_parties WHERE company = :company ORDER BY 1, 2"
    ):
        name = "APTERM" if row["ledger"] == "AP" else "ARTERM"
        days = int("".join(c for c in row["terms"] if c.isdigit()) or 0)
        fields = {
            "NAME": row["terms"],
            "DESCRIPTION": f"Net {days} days",
            "STATUS": "active",
            "DUEDATE": days,
        }
        yield Record(name, row["terms"], FIRST_DAY, known(name, fields))
    for row in books.rows(
        "SELECT DISTINCT grp FROM biz_parties WHERE company = :company AND ledger = 'AR' ORDER BY 1"
    ):
        fields = {"ID": row["grp"], "NAME": f"Customers {row['grp']}", "GROUPTYPE": "Specific members"}
        yield Record("CUSTOMERGROUP", row["grp"], FIRST_DAY, fields)
    for row in books.rows("SELECT DISTINCT bank FROM biz_payments WHERE company = :company ORDER BY 1"):
        fields = {
            "BANKACCOUNTID": row["bank"],
            "BANKACCOUNTNO": f"00{zlib.crc32(row['bank'].encode()) % 10**8:08d}",
            "BANKNAME": f"Bank {row['bank']}",
            "BANKACCOUNTTYPE": "checking",
            "STATUS": "active",
        }
        yield Record("CHECKINGACCOUNT", row["bank"], FIRST_DAY, fields)
    saving = {
        "BANKACCOUNTID": "SAV1",
        "BANKNAME": "Savings",
        "BANKACCOUNTTYPE": "savings",
        "STATUS": "active",
    }
    yield Record("SAVINGSACCOUNT", "SAV1", FIRST_DAY, saving)
    tax = {"DETAILID": "SALES", "DESCRIPTION": "Sales tax", "VALUE": "7.5", "STATUS": "active"}
    yield Record("TAXDETAIL", "SALES", FIRST_DAY, known("TAXDETAIL", tax))
    user = {"LOGINID": "Admin", "DESCRIPTION": "Administrator", "USERTYPE": "business", "STATUS": "active"}
    yield Record("USERINFO", "Admin", FIRST_DAY, user)
    for row in books.rows("SELECT DISTINCT currency FROM biz_rates WHERE company = :company ORDER BY 1"):
        pair = row["currency"]
        header = {"TYPENAME": "Company rate", "FROM_CURRENCY": pair, "TO_CURRENCY": books.currency}
        yield Record("EXCHANGERATE", pair, FIRST_DAY, header)
    for row in books.rows("SELECT * FROM biz_rates WHERE company = :company ORDER BY day, currency"):
        pair = row["currency"]
        fields = {
            "EXCHANGERATEKEY": keys.number("EXCHANGERATE", pair),
            "EFFECTIVE_START_DATE": row["day"],
            "EXCHANGE_RATE": money(row["rate"]),
        }
        yield Record("EXCHANGERATEENTRY", f"{pair} {row['day']}", row["day"], fields)
