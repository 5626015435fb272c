"""The business's books as the tables of Sage X3: they tie, and stamps move when something changes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from decimal import Decimal

import pytest

from erp_sandbox import business
from erp_sandbox.business.books import connect
from erp_sandbox.sagex3.model import EMPTY, catalogue
from erp_sandbox.sagex3.projection import project

COMPANIES = ("SAMINC", "SAMLTD")
STAMPS = {"UPDDAT", "UPDDATTIM", "UPDTICK", "UPDUSR"}
#: Documents whose stamp moves with their lines, by the field that joins the two.
DOCUMENTS = {
    "PORDER": (("PORDERP", "PORDERQ"), "POHNUM"),
    "PRECEIPT": (("PRECEIPTD",), "PTHNUM"),
    "PINVOICE": (("BPSINVLIG",), "NUM"),
    "PINVOICEV": (("PINVOICED",), "NUM"),
    "SORDER": (("SORDERP", "SORDERQ"), "SOHNUM"),
    "SINVOICE": (("BPCINVLIG",), "NUM"),
    "SINVOICEV": (("SINVOICED",), "NUM"),
    "PAYMENTH": (("PAYMENTD",), "NUM"),
}
FORMS = {
    "d": re.compile(r"\d{4}-\d\d-\d\d$"),
    "t": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
    "u": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
    "n": re.compile(r"-?\d+(\.\d*[1-9])?$"),
}


def made(path, **how):
    business.create(path, **{"companies": COMPANIES, "scale": 0.2, "erps": ("sagex3",), **how})
    return path


def stored(path):
    """By folder and table, the documents by key."""
    found = defaultdict(lambda: defaultdict(dict))
    with sqlite3.connect(path) as connection:
        for folder, table, key, doc in connection.execute(
            "SELECT folder, tbl, key, doc FROM sagex3_rows ORDER BY folder, tbl, key"
        ):
            found[folder][table][key] = json.loads(doc)
    return {folder: dict(tables) for folder, tables in found.items()}


def today_of(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT value FROM meta WHERE key = 'today'").fetchone()[0]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return made(tmp_path_factory.mktemp("books") / "a.db")


@pytest.fixture(scope="module")
def books(path):
    return stored(path)


@pytest.fixture(params=COMPANIES)
def folder(books, request):
    return books[request.param]


def number(row, name):
    return Decimal(row.get(name, "0"))


def total(rows, name):
    return sum((number(row, name) for row in rows), Decimal(0))


def signed(rows, name):
    return sum((row["SNS"] * number(row, name) for row in rows), Decimal(0))


def by(rows, *names):
    found = defaultdict(list)
    for row in rows:
        found[tuple(row.get(name) for name in names)].append(row)
    return found


def values(folder, table):
    return list(folder[table].values())


def test_every_table_has_rows(books):
    for company, tables in books.items():
        assert tables.keys() == catalogue().keys(), company


def test_documents_are_sparse_and_of_the_stored_form(books, path):
    with sqlite3.connect(path) as connection:
        custom = {
            (folder, table, field): kind
            for folder, table, field, kind in connection.execute(
                "SELECT folder, tbl, field, type FROM sagex3_custom"
            )
        }
    assert {field for _, _, field in custom} == {"YRATING", "ZREGION", "YBUDGET"}
    seen = set()
    for company, tables in books.items():
        for table, rows in tables.items():
            fields = catalogue()[table].fields
            for row in rows.values():
                for name, value in row.items():
                    place = (company, table, name)
                    size = 0
                    if name in fields:
                        kind, size = fields[name].type, fields[name].size
                        assert value != fields[name].empty, place
                    else:
                        kind = custom[place]
                        seen.add(name)
                    assert isinstance(value, list) == bool(size), place
                    for part in value if size else [value]:
                        check_form(kind, part, place)
                    if size:
                        assert 0 < len(value) <= size
                        assert value[-1] != EMPTY[kind], place
    assert seen == {"YRATING", "ZREGION", "YBUDGET"}


def check_form(kind, value, place):
    if kind in {"i", "m", "y"}:
        assert type(value) is int, place
        return
    assert isinstance(value, str), place
    if kind in FORMS and value != EMPTY[kind]:
        assert FORMS[kind].match(value), (place, value)


def test_keys_are_the_fields_of_the_index_and_sort_as_it_does(books):
    for tables in books.values():
        for table, rows in tables.items():
            known = catalogue()[table]
            order = []
            for key, row in rows.items():
                parts = key.split("~")
                assert len(parts) == len(known.key), (table, key)
                sortable = []
                for name, part in zip(known.key, parts, strict=True):
                    kind = known.fields[name].type
                    if kind in {"i", "m", "n"}:
                        assert len(part) == 10
                        assert int(part) == int(row.get(name, 0))
                        sortable.append(int(part))
                    else:
                        assert part == row.get(name, EMPTY[kind])
                        sortable.append(part.encode())
                order.append(tuple(sortable))
            assert order == sorted(order), table


def test_codes_fit_their_sizes(books):
    sizes = {
        "BPRNUM": 15,
        "NUM": 20,
        "POHNUM": 20,
        "FCY": 5,
        "CPY": 5,
        "CUR": 3,
        "ACC": 15,
        "COA": 3,
        "ITMREF": 20,
        "STU": 3,
        "CRY": 3,
        "BPAADD": 5,
        "PTE": 15,
        "TYP": 5,
        "JOU": 5,
        "DES": 30,
        "BPSNAM": 35,
        "CREUSR": 5,
    }
    for tables in books.values():
        for table, rows in tables.items():
            for row in rows.values():
                for name, size in sizes.items():
                    if isinstance(row.get(name), str):
                        assert len(row[name]) <= size, (table, name, row[name])


def test_entries_balance_in_every_ledger(folder):
    ledgers = set()
    for (kind, entry, ledger), lines in by(values(folder, "GACCENTRYD"), "TYP", "NUM", "LEDTYP").items():
        assert f"{kind}~{entry}" in folder["GACCENTRY"]
        assert signed(lines, "AMTLED") == 0
        assert {line["SNS"] for line in lines} == {1, -1}
        ledgers.add(ledger)
    assert ledgers == {1, 2}
    legal = {(row["TYP"], row["NUM"]) for row in values(folder, "GACCENTRYD") if row["LEDTYP"] == 1}
    assert legal == {(row["TYP"], row["NUM"]) for row in values(folder, "GACCENTRY")}
    assert len({row["ACCNUM"] for row in values(folder, "GACCENTRYD")}) == len(folder["GACCENTRYD"])


def test_analytical_lines_divide_their_line(folder):
    analytical = by(values(folder, "GACCENTRYA"), "TYP", "NUM", "LIN", "LEDTYP")
    lines = by(values(folder, "GACCENTRYD"), "TYP", "NUM", "LIN", "LEDTYP")
    accounts = {(row["COA"], row["ACC"]): row for row in values(folder, "GACCOUNT")}
    assert max(map(len, analytical.values())) == 2
    for place, rows in analytical.items():
        for name in ("AMTCUR", "AMTLED"):
            assert total(rows, name) == total(lines[place], name)
        assert accounts[rows[0]["COA"], rows[0]["ACC"]]["DIE"] == rows[0]["DIE"]
    for place, (line,) in lines.items():
        assert bool(accounts[line["COA"], line["ACC"]].get("DIE")) == (place in analytical)


def test_the_ledger_is_the_business_s(folder, path, request):
    company = request.node.callspec.params["folder"]
    waiting, expected = set(), defaultdict(Decimal)
    with sqlite3.connect(path) as connection:
        sql = (
            "SELECT j.reference FROM biz_journals j JOIN biz_batches b ON b.company = j.company"
            " AND b.ledger = 'GL' AND b.number = j.batch WHERE j.company = ? AND b.status <> 'Posted'"
        )
        waiting = {reference for (reference,) in connection.execute(sql, (company,))}
        sql = "SELECT account, net FROM biz_periods WHERE company = ?"
        for account, net in connection.execute(sql, (company,)):
            expected[account] += Decimal(net)
    balances = defaultdict(Decimal)
    for row in values(folder, "GACCENTRYD"):
        if row["LEDTYP"] == 1 and row["NUM"] not in waiting:
            balances[row["ACC"]] += row["SNS"] * number(row, "AMTLED")
    assert {account: net for account, net in balances.items() if net} == {
        account: net for account, net in expected.items() if net
    }
    temporary = {row["NUM"] for row in values(folder, "GACCENTRY") if row["STA"] == 1}
    assert temporary >= waiting & {row["NUM"] for row in values(folder, "GACCENTRY")}
    assert temporary


@pytest.mark.parametrize(("account", "code"), [("2000100", "SUPP"), ("1100100", "CUST")])
def test_open_items_are_the_control_account(folder, account, code):
    lines = [row for row in values(folder, "GACCENTRYD") if row["ACC"] == account and row["LEDTYP"] == 1]
    items = [row for row in values(folder, "GACCDUDATE") if row["SAC"] == code]
    assert items
    assert {row["SAC"] for row in lines} == {code}
    assert signed(lines, "AMTLED") == signed(items, "AMTLOC") - signed(items, "PAYLOC")
    partners = by(lines, "BPR")
    for (partner,), rows in by(items, "BPR").items():
        assert signed(partners[partner,], "AMTCUR") == signed(rows, "AMTCUR") - signed(rows, "PAYCUR")
        for row in rows:
            assert (row["FLGCLE"] == 2) == (number(row, "AMTCUR") == number(row, "PAYCUR"))
            entry = folder["GACCENTRYD"][f"{row['TYP']}~{row['NUM']}~{1:010d}~{1:010d}"]
            assert entry["ACCNUM"] == row["ACCNUM"]
            assert number(entry, "AMTLED") == number(row, "AMTLOC")


def test_payments_are_their_lines_and_what_is_paid(folder):
    lines = by(values(folder, "PAYMENTD"), "NUM")
    paid = defaultdict(Decimal)
    pending = defaultdict(Decimal)
    for payment in values(folder, "PAYMENTH"):
        rows = lines[payment["NUM"],]
        assert total(rows, "AMTLIN") == number(payment, "AMTCUR")
        for row in rows:
            if payment["STA"] == 1:
                pending[row.get("VCRTYP"), row.get("VCRNUM")] += number(row, "PAYCURLIN")
            elif payment["STA"] != 4:
                paid[row.get("VCRTYP"), row.get("VCRNUM")] += number(row, "PAYCURLIN")
    for item in values(folder, "GACCDUDATE"):
        place = item["TYP"], item["NUM"]
        assert number(item, "PAYCUR") == paid[place]
        assert number(item, "TMPCUR") == pending[place]


@pytest.mark.parametrize(
    ("header", "amount", "table", "line", "join"),
    [
        ("PORDER", "TOTORD", "PORDERQ", "LINAMT", "POHNUM"),
        ("PORDER", "TTVORD", "PORDERQ", "LINATI", "POHNUM"),
        ("PRECEIPT", "TOTAMTNOT", "PRECEIPTD", "LINAMT", "PTHNUM"),
        ("PINVOICEV", "TOTLINAMT", "PINVOICED", "AMTNOTLIN", "NUM"),
        ("PINVOICEV", "TOTTAXAMT", "PINVOICED", "AMTTAXLIN1", "NUM"),
        ("SORDER", "ORDNOT", "SORDERP", "CLCAMT1", "SOHNUM"),
        ("SORDER", "ORDATI", "SORDERP", "CLCAMT2", "SOHNUM"),
    ],
)
def test_headers_are_the_sum_of_their_lines(folder, header, amount, table, line, join):
    lines = by(values(folder, table), join)
    assert len(lines) == len(folder[header])
    for row in values(folder, header):
        assert number(row, amount) == total(lines[row[join],], line)


@pytest.mark.parametrize(
    ("document", "traded", "direct"), [("P", "PINVOICED", "BPSINVLIG"), ("S", "SINVOICED", "BPCINVLIG")]
)
def test_every_invoice_has_lines_of_one_kind(folder, document, traded, direct):
    of_traded, of_direct = by(values(folder, traded), "NUM"), by(values(folder, direct), "NUM")
    assert of_traded
    assert of_direct
    assert not of_traded.keys() & of_direct.keys()
    assert {key for (key,) in of_traded} == folder[f"{document}INVOICEV"].keys()
    for row in values(folder, f"{document}INVOICE"):
        lines = of_traded.get((row["NUM"],)) or of_direct[row["NUM"],]
        assert total(lines, "AMTNOTLIN") == number(row, "AMTNOT")
        assert total(lines, "AMTATILIN") == number(row, "AMTATI")
        assert number(row, "AMTNOT") + number(row, "AMTTAX") == number(row, "AMTATI")
        posted = f"{row['GTE']}~{row['NUM']}" in folder["GACCENTRY"]
        assert posted == (row["STA"] == 3)


def test_order_lines_have_a_price_and_a_quantity(folder):
    for price, quantity in (("PORDERP", "PORDERQ"), ("SORDERP", "SORDERQ")):
        assert {key.split("~")[:2][0] for key in folder[price]} == {
            key.split("~")[:2][0] for key in folder[quantity]
        }
        assert len(folder[price]) == len(folder[quantity])
    received = by(values(folder, "PRECEIPTD"), "POHNUM", "POPLIN")
    invoiced = by(values(folder, "PINVOICED"), "POHNUM", "POPLIN")
    for row in values(folder, "PORDERQ"):
        place = row["POHNUM"], row["POPLIN"]
        assert number(row, "RCPQTYPUU") == total(received[place], "QTYPUU")
        assert number(row, "INVQTYPUU") == total(invoiced[place], "QTYPUU")
    sold = by(values(folder, "SINVOICED"), "SOHNUM", "SOPLIN")
    for row in values(folder, "SORDERQ"):
        assert number(row, "INVQTY") == total(sold[row["SOHNUM"], row["SOPLIN"]], "QTY")


def test_the_stock_is_the_sum_of_its_movements(folder, path, request):
    company = request.node.callspec.params["folder"]
    moved = by(values(folder, "STOJOU"), "STOFCY", "ITMREF")
    on_hand = defaultdict(Decimal)
    for row in values(folder, "STOCK"):
        assert number(row, "QTYSTU") == total(moved[row["STOFCY"], row["ITMREF"]], "QTYSTU")
        on_hand[row["ITMREF"]] += number(row, "QTYSTU")
    assert {row["STOFCY"] for row in values(folder, "STOCK")} == set(folder["FACILITY"])
    with sqlite3.connect(path) as connection:
        for item, quantity in connection.execute(
            "SELECT id, on_hand FROM biz_items WHERE company = ?", (company,)
        ):
            assert on_hand[item] == Decimal(quantity)


def test_every_reference_exists(folder):
    """Fields that name another row, wherever they are, name one that is there."""
    known = {
        "partners": {row["BPRNUM"] for row in values(folder, "BPARTNER")},
        "suppliers": {row["BPSNUM"] for row in values(folder, "BPSUPPLIER")},
        "customers": {row["BPCNUM"] for row in values(folder, "BPCUSTOMER")},
        "sites": set(folder["FACILITY"]),
        "companies": set(folder["COMPANY"]),
        "currencies": set(folder["TABCUR"]),
        "items": set(folder["ITMMASTER"]),
        "charts": set(folder["GCOA"]),
        "types": {row["TYP"] for row in values(folder, "GTYPACCENT")},
        "journals": {row["JOU"] for row in values(folder, "GJOURNAL")},
        "terms": {row["PTE"] for row in values(folder, "TABPAYTERM")},
        "categories": {row["TCLCOD"] for row in values(folder, "ITMCATEG")},
        "orders": set(folder["PORDER"]),
        "receipts": set(folder["PRECEIPT"]),
        "sold": set(folder["SORDER"]),
    }
    fields = {
        "BPR": "partners", "BPRNUM": "partners", "BPRPAY": "partners", "BPRLIN": "partners",
        "BPSNUM": "suppliers", "BPSINV": "suppliers", "BPCORD": "customers", "BPCINV": "customers",
        "FCY": "sites", "FCYLIN": "sites", "POHFCY": "sites", "PRHFCY": "sites", "SALFCY": "sites",
        "STOFCY": "sites", "INVFCY": "sites", "RCPFCY": "sites", "FINRSPFCY": "sites", "CPY": "companies",
        "LEGCPY": "companies", "CUR": "currencies", "CURLIN": "currencies", "NETCUR": "currencies",
        "ITMREF": "items", "COA": "charts", "GTE": "types", "TYP": "types", "VCRTYP": "types",
        "JOU": "journals", "DEFJOU": "journals", "PTE": "terms", "TCLCOD": "categories", "POHNUM": "orders",
        "PTHNUM": "receipts", "SOHNUM": "sold",
    }  # fmt: skip
    accounts = {row["ACC"] for row in values(folder, "GACCOUNT")}
    for table, rows in folder.items():
        types = catalogue()[table].fields
        for row in rows.values():
            for name, of in fields.items():
                found = row.get(name)
                # the same codes are menus elsewhere
                if found and name in types and types[name].type == "s":
                    for part in found if isinstance(found, list) else [found]:
                        assert part in known[of], (table, name, part)
            for name in ("ACC", "CNVACC1"):
                for part in row.get(name, []) if isinstance(row.get(name), list) else [row.get(name)]:
                    assert not part or part in accounts, (table, part)


def test_every_dimension_exists(folder, request):
    first = request.node.callspec.params["folder"] == COMPANIES[0]
    assert len(folder["GDIE"]) == (3 if first else 5)
    seen = set()
    for table, rows in folder.items():
        if table in {"CACCE", "GDIE"}:
            continue
        for row in rows.values():
            kinds, found = row.get("DIE", []), row.get("CCE", [])
            kinds, found = ([part] if isinstance(part, str) else part for part in (kinds, found))
            for kind, code in zip(kinds, found, strict=False):
                assert kind in folder["GDIE"]
                if code:
                    assert f"{kind}~{code}" in folder["CACCE"], (table, kind, code)
                    seen.add(kind)
    assert seen == set(folder["GDIE"])


def test_entries_of_one_folder_are_numbered_for_themselves(books):
    first, second = (books[company] for company in COMPANIES)
    assert first["COMPANY"].keys() != second["COMPANY"].keys()
    assert not first["FACILITY"].keys() & second["FACILITY"].keys()
    assert next(iter(second["COMPANY"].values()))["ACCCUR"] == "CAD"


def test_a_few_rows_have_no_identifier(folder):
    rows = [row for name in ("BPARTNER", "GACCENTRYD", "PORDERQ") for row in values(folder, name)]
    without = [row for row in rows if "AUUID" not in row]
    assert 0 < len(without) < len(rows) / 20
    identifiers = [row["AUUID"] for row in rows if "AUUID" in row]
    assert len(set(identifiers)) == len(identifiers)


def test_tables_have_the_stamps_of_their_kind(folder):
    for table, rows in folder.items():
        fields = catalogue()[table].fields
        for row in rows.values():
            for name in ("CREDAT", "CREDATTIM", "UPDDAT", "UPDDATTIM", "UPDTICK"):
                assert (name in row) == (name in fields), (table, name)
            if "CREDAT" in row:
                assert row["CREDATTIM"].startswith(row["CREDAT"])
            assert row["CREDATTIM"] <= row["UPDDATTIM"]
    assert "UPDDAT" not in next(iter(folder["GACCDUDATE"].values()))


def test_the_same_seed_gives_the_same_rows(tmp_path, books):
    assert stored(made(tmp_path / "b.db")) == books
    other = stored(made(tmp_path / "c.db", seed=2))
    assert other["SAMINC"]["PORDER"] != books["SAMINC"]["PORDER"]


def test_projecting_again_changes_nothing(tmp_path):
    path = made(tmp_path / "d.db", companies=("SAMINC",), scale=0.05)
    before = stored(path)
    connection = connect(path)
    connection.execute("BEGIN")
    project(connection, ["SAMINC"], today_of(path))
    connection.execute("COMMIT")
    connection.close()
    assert stored(path) == before


def without_stamps(row):
    return {name: value for name, value in row.items() if name not in STAMPS}


def test_a_day_changes_what_it_touches_and_moves_only_its_stamps(tmp_path):
    path = made(tmp_path / "e.db")
    before, today = stored(path), today_of(path)
    business.advance(path, 1)
    after = stored(path)
    changed, born = set(), set()
    for company, tables in after.items():
        for table, rows in tables.items():
            for key, row in rows.items():
                known = before[company][table].get(key)
                if known is None:
                    born.add(table)
                    assert row["CREDATTIM"] == row["UPDDATTIM"] > today
                elif known != row:
                    changed.add(table)
                    assert row["UPDDATTIM"] > today
                    assert row.get("UPDTICK", 2) == known.get("UPDTICK", 1) + 1
                    assert row["CREDATTIM"] == known["CREDATTIM"]
                    moved = without_stamps(known) != without_stamps(row)
                    assert moved or lines_moved(before[company], tables, table, row), (table, key)
    assert {"PORDER", "PINVOICE", "GACCENTRY", "PAYMENTH", "STOJOU", "GACCDUDATE"} <= born
    assert {"PORDER", "PORDERQ", "SORDERQ", "GACCENTRY", "GACCDUDATE", "BPSUPPLIER"} <= changed
    assert changed & {"PINVOICE", "SINVOICE"}
    # closing an open item touches neither its invoice nor the account
    assert after["SAMINC"]["GACCOUNT"] == before["SAMINC"]["GACCOUNT"]
    assert not {"BPSINVLIG", "BPCINVLIG", "PINVOICED", "PORDERP"} & changed


def lines_moved(before, after, table, row):
    tables, join = DOCUMENTS[table]
    return any(
        before[of].get(key) != line
        for of in tables
        for key, line in after[of].items()
        if line[join] == row[join]
    )


def test_payments_move_the_open_item_and_not_the_invoice(tmp_path):
    path = made(tmp_path / "f.db", companies=("SAMINC",), scale=0.1)
    before = stored(path)["SAMINC"]
    business.advance(path, 8)
    after = stored(path)["SAMINC"]
    paid = [
        row
        for key, row in after["GACCDUDATE"].items()
        if key in before["GACCDUDATE"] and before["GACCDUDATE"][key].get("PAYCUR") != row.get("PAYCUR")
    ]
    assert paid
    for row in paid:
        table = "PINVOICE" if row["SAC"] == "SUPP" else "SINVOICE"
        assert after[table][row["NUM"]] == before[table][row["NUM"]]


def test_temporary_entries_become_final_and_deletions_vanish(tmp_path):
    path = made(tmp_path / "g.db", companies=("SAMINC",), scale=0.05)
    before = stored(path)["SAMINC"]
    gone, final = defaultdict(set), set()
    for _ in range(25):
        business.advance(path, 1)
        after = stored(path)["SAMINC"]
        for table in before:
            gone[table] |= before[table].keys() - after[table].keys()
        for key, row in before["GACCENTRY"].items():
            if row["STA"] == 2:
                # lines may still be matched, the entry itself stays as it is
                assert after["GACCENTRY"][key] == row
            elif key in after["GACCENTRY"] and after["GACCENTRY"][key]["STA"] == 2:
                final.add(key)
        before = after
    assert final
    assert gone.pop("BPADDRESS")
    entries = {key.split("~")[1] for key in gone.pop("GACCENTRY")}
    assert entries
    for table in ("GACCENTRYD", "GACCENTRYA"):
        assert {key.split("~")[1] for key in gone.pop(table)} == entries
    assert not any(gone.values())
    with sqlite3.connect(path) as connection:
        for (number,) in connection.execute("SELECT count(*) FROM sagex3_keys"):
            assert number == sum(map(len, before.values()))


def test_a_sage_300_file_takes_x3_too(tmp_path):
    path = tmp_path / "h.db"
    business.create(path, companies=("SAMINC",), scale=0.05)
    business.add_erp(path, "sagex3")
    before = stored(path)
    assert before["SAMINC"]["PORDER"]
    business.advance(path, 3)
    assert stored(path) != before
