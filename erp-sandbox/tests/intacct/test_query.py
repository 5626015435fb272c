"""`query` and its operators, paging, orders and aggregates; `readByQuery` and its language."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

FIELDS = "RECORDNO RECORDID STATE TOTALENTERED WHENCREATED WHENMODIFIED VENDORID WHENPAID"


def comparison(name, field, *values):
    inside = "".join(f"<value>{value}</value>" for value in values)
    return f"<filter><{name}><field>{field}</field>{inside}</{name}></filter>"


def numbers(data):
    return {int(row.findtext("RECORDNO")) for row in data}


@pytest.fixture(scope="module")
def bills(gateway):
    return gateway.stored("APBILL")


CASES = {
    "equalto": (("STATE", "Paid"), lambda b: b["STATE"] == "Paid"),
    "notequalto": (("STATE", "Paid"), lambda b: b["STATE"] != "Paid"),
    "lessthan": (("TOTALENTERED", "5000"), lambda b: Decimal(b["TOTALENTERED"]) < 5000),
    "greaterthanorequalto": (("WHENCREATED", "01/15/2026"), lambda b: b["WHENCREATED"] >= "2026-01-15"),
    "lessthanorequalto": (
        ("WHENMODIFIED", "01/15/2026 12:00:00"),
        lambda b: (b["WHENMODIFIED"] or "9") <= "2026-01-15T12:00:00",
    ),
    "greaterthan": (("RECORDNO", "5"), lambda b: b["RECORDNO"] > 5),
    "like": (("VENDORID", "V%0_"), lambda b: b["VENDORID"][0] == "V" and b["VENDORID"][-2] == "0"),
    "notlike": (("VENDORID", "%1"), lambda b: not b["VENDORID"].endswith("1")),
    "between": (
        ("WHENCREATED", "12/01/2025", "12/31/2025"),
        lambda b: "2025-12-01" <= b["WHENCREATED"] <= "2025-12-31",
    ),
    "in": (("STATE", "Paid", "Draft"), lambda b: b["STATE"] in {"Paid", "Draft"}),
    "notin": (("STATE", "Paid", "Draft"), lambda b: b["STATE"] not in {"Paid", "Draft"}),
    "isnull": (("WHENPAID",), lambda b: b["WHENPAID"] is None),
    "isnotnull": (("WHENPAID",), lambda b: b["WHENPAID"] is not None),
}


@pytest.mark.parametrize("operator", CASES)
def test_each_operator_finds_what_it_says(gateway, bills, operator):
    arguments, holds = CASES[operator]
    data = gateway.query("APBILL", FIELDS, comparison(operator, *arguments), pagesize=2000)
    expected = {number for number, bill in bills.items() if holds(bill)}
    assert expected
    assert numbers(data) == expected
    assert data.get("totalcount") == str(len(expected))


def test_conditions_nest(gateway, bills):
    paid = "<equalto><field>STATE</field><value>Paid</value></equalto>"
    late = "<greaterthan><field>WHENCREATED</field><value>02/01/2026</value></greaterthan>"
    small = "<lessthan><field>TOTALENTERED</field><value>2000</value></lessthan>"
    data = gateway.query(
        "APBILL", "RECORDNO", f"<filter><and>{paid}<or>{late}{small}</or></and></filter>", pagesize=2000
    )
    assert numbers(data) == {
        number
        for number, bill in bills.items()
        if bill["STATE"] == "Paid"
        and (bill["WHENCREATED"] > "2026-02-01" or Decimal(bill["TOTALENTERED"]) < 2000)
    }


@pytest.mark.parametrize(
    ("select", "filter_", "more", "words"),
    [
        ("NOSUCH", "", {}, "NOSUCH"),
        ("RECORDNO", comparison("equalto", "WHENCREATED", "2026-01-01"), {}, "2026-01-01"),
        ("RECORDNO", comparison("equalto", "NOSUCH", "1"), {}, "NOSUCH"),
        ("RECORDNO", comparison("between", "RECORDNO", "1"), {}, "between"),
        ("RECORDNO", comparison("matches", "RECORDNO", "1"), {}, "matches"),
        ("RECORDNO", "", {"pagesize": "2001"}, "2001"),
        ("RECORDNO", "", {"nonsense": "1"}, "nonsense"),
        (
            "RECORDNO",
            "<filter><isnull><field>STATE</field></isnull><isnull><field>STATE</field></isnull></filter>",
            {},
            "exactly one",
        ),
        (
            "RECORDNO",
            "<filter><and><isnull><field>STATE</field></isnull></and></filter>",
            {},
            "at least two",
        ),
    ],
)
def test_what_query_refuses(gateway, select, filter_, more, words):
    errorno, text = gateway.query("APBILL", select, filter_, **more)
    assert errorno == "DL02000001"
    assert words in text


def test_pages_in_an_order_hold_each_row_once(gateway, bills):
    order = "<order><field>TOTALENTERED</field><descending/></order><order><field>RECORDNO</field></order>"
    found, offset = [], 0
    while True:
        data = gateway.query("APBILL", "RECORDNO TOTALENTERED", orderby=order, pagesize=7, offset=offset)
        found += [(Decimal(row.findtext("TOTALENTERED")), int(row.findtext("RECORDNO"))) for row in data]
        offset += 7
        assert data.get("numremaining") == str(max(0, len(bills) - offset))
        if data.get("numremaining") == "0":
            break
    assert len(found) == len(bills)
    assert found == sorted(found, key=lambda pair: (-pair[0], pair[1]))
    unordered = gateway.query("APBILL", "RECORDNO", pagesize=2000)
    assert [int(row.findtext("RECORDNO")) for row in unordered] != sorted(bills)


def test_aggregates_are_exact_by_group(gateway, bills):
    answer = gateway.ask(
        "<query><object>APBILL</object><select><field>STATE</field><count>RECORDNO</count>"
        "<sum>TOTALENTERED</sum><max>WHENCREATED</max></select></query>"
    )
    found = {
        row.findtext("STATE"): (int(row.findtext("COUNT.RECORDNO")), Decimal(row.findtext("TOTALENTERED")))
        for row in answer.find(".//data")
    }
    expected = {}
    for bill in bills.values():
        count, total = expected.get(bill["STATE"], (0, Decimal(0)))
        expected[bill["STATE"]] = (count + 1, total + Decimal(bill["TOTALENTERED"]))
    assert found == expected


def test_other_aggregates_are_exact_and_ordered(gateway, bills):
    amounts = [Decimal(bill["TOTALENTERED"]) for bill in bills.values()]
    data = gateway.ask(
        "<query><object>APBILL</object><select><min>TOTALENTERED</min></select></query>",
        "<query><object>APBILL</object><select><max>TOTALENTERED</max></select></query>",
        "<query><object>APBILL</object><select><field>STATE</field><count>RECORDNO</count></select>"
        "<orderby><order><field>STATE</field><descending/></order></orderby></query>",
        "<query><object>APBILL</object><select><avg>TOTALENTERED</avg></select></query>",
    ).findall(".//data")
    assert Decimal(data[0].findtext(".//TOTALENTERED")) == min(amounts)
    assert Decimal(data[1].findtext(".//TOTALENTERED")) == max(amounts)
    states = [row.findtext("STATE") for row in data[2]]
    assert states == sorted(states, reverse=True)
    assert Decimal(data[3].findtext(".//TOTALENTERED")) == sum(amounts) / len(amounts)
    body = gateway.raw(
        "<query><object>APBILL</object><select><count>RECORDNO</count></select>"
        "<options><returnformat>json</returnformat></options></query>"
    )[1]
    assert json.loads(body) == [{"COUNT.RECORDNO": str(len(bills))}]


def test_json_and_csv_have_no_envelope_and_their_errors_have(gateway, bills):
    options = "<options><returnformat>{}</returnformat></options>"
    asked = (
        "<query><object>APBILL</object><select><field>RECORDNO</field><field>{}</field></select>{}</query>"
    )
    rows = json.loads(gateway.raw(asked.format("WHENPAID", options.format("json")))[1])
    assert len(rows) == min(100, len(bills))
    assert set(rows[0]) == {"RECORDNO", "WHENPAID"}
    assert all(isinstance(value, str) for row in rows for value in row.values())
    lines = gateway.raw(asked.format("DESCRIPTION", options.format("csv")))[1].decode().splitlines()
    assert lines[0] == "RECORDNO,DESCRIPTION"
    assert b"<errorno>DL02000001" in gateway.raw(asked.format("NOSUCH", options.format("json")))[1]


def test_values_are_written_the_american_way(gateway, bills):
    data = gateway.query("APBILL", FIELDS, comparison("equalto", "RECORDNO", "3"))
    (row,) = data
    bill = bills[3]
    year, month, day = bill["WHENCREATED"].split("-")
    assert row.findtext("WHENCREATED") == f"{month}/{day}/{year}"
    assert row.findtext("WHENMODIFIED").endswith(bill["WHENMODIFIED"][11:])
    assert Decimal(row.findtext("TOTALENTERED")) == Decimal(bill["TOTALENTERED"])
    assert [child.tag for child in row] == FIELDS.split()


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("", lambda b: True),
        ("STATE = 'Paid'", lambda b: b["STATE"] == "Paid"),
        ("RECORDNO &gt; 4 AND NOT STATE = 'Paid'", lambda b: b["RECORDNO"] > 4 and b["STATE"] != "Paid"),
        ("VENDORID in ('V01201', 'V01202')", lambda b: b["VENDORID"] in {"V01201", "V01202"}),
        ("VENDORID not like '%1' or RECORDNO = 1", lambda b: b["VENDORID"][-1] != "1" or b["RECORDNO"] == 1),
        ("WHENPAID IS NULL", lambda b: b["WHENPAID"] is None),
        ("(WHENCREATED &gt;= '01/01/2026') and WHENPAID is not null",
         lambda b: b["WHENCREATED"] >= "2026-01-01" and b["WHENPAID"] is not None),
    ],
)  # fmt: skip
def test_the_legacy_language(gateway, bills, query, holds):
    found, function = (
        set(),
        (
            f"<readByQuery><object>APBILL</object><fields>RECORDNO,STATE</fields><query>{query}</query>"
            "<pagesize>6</pagesize></readByQuery>"
        ),
    )
    while True:
        data = gateway.ask(function).find(".//data")
        assert data.get("listtype") == "apbill"
        assert all(row.tag == "apbill" for row in data)
        found |= numbers(data)
        if data.get("numremaining") == "0":
            break
        function = f"<readMore><resultId>{data.get('resultId')}</resultId></readMore>"
    assert found == {number for number, bill in bills.items() if holds(bill)}


@pytest.mark.parametrize(
    "query", ["NOSUCH = 1", "STATE = 'Paid' ORDER BY STATE", "STATE ==", "STATE in ('a'"]
)
def test_what_the_legacy_language_refuses(gateway, query):
    answer = gateway.ask(
        f"<readByQuery><object>APBILL</object><fields>*</fields><query>{query}</query></readByQuery>"
    )
    assert answer.findtext(".//errorno") == "DL02000001"


def test_stored_codes_are_asked_for_in_the_legacy_language(gateway):
    active = {number for number, doc in gateway.stored("VENDOR").items() if doc["STATUS"] == "active"}
    answer = gateway.ask(
        "<readByQuery><object>VENDOR</object><fields>RECORDNO</fields><query>STATUS = 'T'</query>"
        "<pagesize>1000</pagesize></readByQuery>"
    )
    assert numbers(answer.find(".//data")) == active


def test_records_are_read_by_number_and_by_name(gateway, bills):
    answer = gateway.ask(
        "<read><object>APBILL</object><keys>2,1,999999</keys><fields>RECORDNO,STATE</fields></read>"
    )
    assert [row.findtext("RECORDNO") for row in answer.find(".//data")] == ["2", "1"]
    answer = gateway.ask(
        "<readByName><object>VENDOR</object><keys>V01201</keys><fields>VENDORID</fields></readByName>"
    )
    assert answer.findtext(".//VENDORID") == "V01201"
    answer = gateway.ask("<read><object>APBILL</object><keys>1</keys><fields>NOSUCH</fields></read>")
    assert answer.findtext(".//errorno") == "Invalid fields list NOSUCH"


def test_lookup_lists_fields_types_and_what_the_company_added(gateway):
    kind = gateway.ask("<lookup><object>CUSTOMER</object></lookup>").find(".//Type")
    fields = {field.findtext("ID"): field for field in kind.iterfind("Fields/Field")}
    assert fields["RECORDNO"].findtext("DATATYPE") == "INTEGER"
    assert fields["CUST_RATE"].findtext("DATATYPE") == "DECIMAL"
    assert fields["CUST_RATE"].findtext("ISCUSTOM") == "true"
    assert [value.text for value in fields["STATUS"].iterfind("VALIDVALUES/VALIDVALUE")] == [
        "active",
        "inactive",
    ]
    accounts = gateway.ask("<lookup><object>GLACCOUNT</object></lookup>").find(".//Type")
    kinds = next(f for f in accounts.iter("Field") if f.findtext("ID") == "ACCOUNTTYPE")
    assert [value.text for value in kinds.iter("VALIDVALUE")] == ["balancesheet", "incomestatement"]
    names = gateway.ask('<inspect detail="1"><object>CUSTOMER</object></inspect>').findall(".//Field/Name")
    assert {name.text for name in names} == set(fields)


def test_the_trial_balance_is_that_of_the_details(gateway):
    ask = (
        "<get_trialbalance><startdate><year>2026</year><month>01</month><day>01</day></startdate>"
        "<enddate><year>2026</year><month>01</month><day>31</day></enddate></get_trialbalance>"
    )
    rows = gateway.ask(ask).find(".//data")
    found = {row.findtext("glaccountno"): Decimal(row.findtext("endbalance")) for row in rows}
    expected = {}
    for detail in gateway.stored("GLDETAIL").values():
        if detail["ENTRY_DATE"] <= "2026-01-31":
            amount = Decimal(detail["DEBITAMOUNT"] or 0) - Decimal(detail["CREDITAMOUNT"] or 0)
            expected[detail["ACCOUNTNO"]] = expected.get(detail["ACCOUNTNO"], Decimal(0)) + amount
    assert {account: total for account, total in found.items() if total} == {
        account: total for account, total in expected.items() if total
    }
    assert sum(found.values()) == 0


def test_timestamps_follow_the_user_s_zone(own_gateway):
    gateway = own_gateway("--timezone", "America/Los_Angeles")
    bill = gateway.stored("APBILL")[1]
    (row,) = gateway.query("APBILL", "RECORDNO WHENMODIFIED", comparison("equalto", "RECORDNO", "1"))
    hours = int(bill["WHENMODIFIED"][11:13]) - int(row.findtext("WHENMODIFIED")[11:13])
    assert hours % 24 in {7, 8}
    same = comparison("equalto", "WHENMODIFIED", row.findtext("WHENMODIFIED"))
    assert 1 in numbers(gateway.query("APBILL", "RECORDNO", same))
    offset = gateway.ask("<readUserFormatting><userId>x</userId></readUserFormatting>").findtext(
        ".//gmtoffset"
    )
    assert offset in {"-08:00", "-07:00"}
