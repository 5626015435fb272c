"""What a company or its gateway may do that the sandbox's does not, met in one process."""

from __future__ import annotations

import json

import pytest
from ml_connector.extract.errors import ApiError

DAY = "03/0{}/2026 10:00:00"


def a_bill(number, day=1, **more):
    return {"RECORDNO": number, "WHENMODIFIED": DAY.format(day), "AUWHENCREATED": DAY.format(1), **more}


def a_line(number, bill, day=1, **more):
    return {
        "RECORDNO": number,
        "RECORDKEY": bill,
        "WHENMODIFIED": DAY.format(day),
        "WHENCREATED": DAY.format(1),
        **more,
    }


@pytest.fixture
def bills(gateway):
    gateway.put("APBILL", *(a_bill(n) for n in range(1, 5)), AUWHENCREATED="TIMESTAMP")
    lines = [a_line(10 * bill + n, bill) for bill in range(1, 5) for n in (1, 2)]
    gateway.put("APBILLITEM", *lines, RECORDKEY="INTEGER", WHENCREATED="TIMESTAMP")
    return gateway


def edit(gateway, bill, day, *, without=()):
    """Edit a bill and take lines out of it: its stamp moves, nothing tells of the lines."""
    gateway.now = "2026-03-09T12:00:00+00:00"
    gone = {str(line) for line in without}
    gateway.rows["APBILLITEM"] = [row for row in gateway.rows["APBILLITEM"] if row["RECORDNO"] not in gone]
    for row in gateway.rows["APBILL"]:
        if row["RECORDNO"] == str(bill):
            row["WHENMODIFIED"] = DAY.format(day)


def delete(gateway, name, number, day, *, key=None):
    """Delete a record; the audit trail names it by its RECORDNO or by something else."""
    gateway.now = "2026-03-09T12:00:00+00:00"
    gateway.rows[name] = [row for row in gateway.rows[name] if row["RECORDNO"] != str(number)]
    gateway.put(
        "AUDITHISTORY",
        {
            "ID": f"{name}:{number}",
            "OBJECTTYPE": name.lower(),
            "OBJECTKEY": key or str(number),
            "ACCESSMODE": "D",
            "ACCESSTIME": DAY.format(day),
        },
    )


def cut_at(gateway, tap, what, *streams, **settings):
    """Run until the gateway fails at a query of an object; what was written until then."""
    writer = tap.collector()
    broken = tap(*streams, writer=writer, **settings)
    for stream in broken.streams.values():
        stream.STATE_MSG_FREQUENCY = 1
    kept, (name, number) = gateway.do_query, what

    def failing(call):
        if call.findtext("object") == name:
            gateway.fuse -= 1
            if gateway.fuse < 0:
                raise gateway.refused("BL01001973", "the power went")
        return kept(call)

    gateway.fuse, gateway.do_query = number, failing
    with pytest.raises(SystemExit):
        broken.sync_all()
    gateway.do_query = kept
    return writer, writer.state


def test_lines_lost_before_a_cut_between_bills_and_lines_are_told_after_it(bills, run, tap):
    first = run("ap_bills", "ap_bill_lines")
    edit(bills, 2, day=3, without=[21])
    edit(bills, 4, day=4)
    cut, state = cut_at(bills, tap, ("APBILLITEM", 0), "ap_bills", "ap_bill_lines", state=first.state)
    assert 2 in cut.numbers("ap_bills")
    last = run("ap_bills", "ap_bill_lines", state=state)
    assert last.deleted("ap_bill_lines") == [21]


def test_lines_lost_by_bills_of_pages_before_a_cut_are_told_after_it(bills, run, tap):
    first = run("ap_bills", "ap_bill_lines")
    edit(bills, 2, day=3, without=[21])
    edit(bills, 4, day=4)
    _, state = cut_at(bills, tap, ("APBILL", 3), "ap_bills", "ap_bill_lines", state=first.state, page_size=1)
    last = run("ap_bills", "ap_bill_lines", state=state, page_size=1)
    assert last.deleted("ap_bill_lines") == [21]


def test_lines_of_a_bill_deleted_before_a_cut_are_told_after_it(bills, run, tap):
    first = run("ap_bills", "ap_bill_lines")
    delete(bills, "APBILL", 2, day=3)
    bills.rows["APBILLITEM"] = [row for row in bills.rows["APBILLITEM"] if row["RECORDKEY"] != "2"]
    cut, state = cut_at(bills, tap, ("APBILLITEM", 0), "ap_bills", "ap_bill_lines", state=first.state)
    assert cut.deleted("ap_bills") == [2]
    last = run("ap_bills", "ap_bill_lines", state=state)
    assert last.deleted("ap_bill_lines") == [21, 22]


def test_a_key_of_the_ledger_view_may_be_any_text(gateway, run):
    gateway.put("GLBATCH", {"RECORDNO": 7, "WHENMODIFIED": DAY.format(1)}, WHENCREATED="TIMESTAMP")
    rows = [
        {"RECORDNO": f"7-{n}", "BATCHKEY": 7, "MODULEKEY": "2.GL", "WHENMODIFIED": DAY.format(1)}
        for n in (1, 2)
    ]
    gateway.put("GLDETAIL", *rows, RECORDNO="TEXT", AUWHENCREATED="TIMESTAMP")
    first = run("gl_batches", "gl_detail")
    assert first.numbers("gl_detail") == ["7-1", "7-2"]
    gateway.rows["GLDETAIL"].pop()
    gateway.rows["GLBATCH"][0]["WHENMODIFIED"] = DAY.format(3)
    second = run("gl_batches", "gl_detail", state=first.state)
    assert second.deleted("gl_detail") == ["7-2"]


def test_fields_that_are_not_shipped_are_found_and_read_with_the_companys_types(gateway, run):
    """The reference's lists of documents are incomplete and partly guessed: lookup has the last word."""
    gateway.put(
        "PODOCUMENT",
        {"RECORDNO": 1, "WHENMODIFIED": DAY.format(1), "EXCHRATE": ".5", "PROJECTKEY": "P-17"},
        EXCHRATE="DECIMAL",
        PROJECTKEY="TEXT",
    )
    out = run("purchase_documents", discover_custom_fields=True)
    schema = out.of("SCHEMA", "purchase_documents")[0]["schema"]["properties"]
    assert schema["EXCHRATE"]["type"] == ["number", "null"]
    assert schema["PROJECTKEY"]["type"] == ["string", "null"]
    (record,) = out.records("purchase_documents")
    assert (record["EXCHRATE"], record["PROJECTKEY"]) == (0.5, "P-17")


@pytest.mark.parametrize("told", ["There was an error processing the request; {names}", "Something is wrong"])
def test_fields_that_query_refuses_are_left_out_however_it_says_so(gateway, run, told):
    gateway.put(
        "CLASS",
        *({"RECORDNO": n, "WHENMODIFIED": DAY.format(1), "NAME": f"c{n}"} for n in (1, 2)),
        WHENCREATED="TIMESTAMP",
        PARENTKEY="INTEGER",
        LATE="TEXT",
        STATUS="TEXT",
    )
    gateway.hidden |= {"LATE", "PARENTKEY"}
    gateway.refusal = told
    out = run("classes", discover_custom_fields=True)
    assert [(r["RECORDNO"], r["NAME"]) for r in out.records("classes")] == [(1, "c1"), (2, "c2")]


def test_an_offline_catalog_costs_one_lookup_where_fields_are_unknown(gateway, run):
    gateway.refusal = "Something is wrong"
    gateway.put("CLASS", {"RECORDNO": 1, "WHENMODIFIED": DAY.format(1)}, WHENCREATED="TIMESTAMP")
    assert run("classes").numbers("classes") == [1]
    assert gateway.count("lookup") == 1
    assert gateway.count("query", "CLASS") == 3, "refused, tried without a row, and without the fields"


def test_a_gateway_that_repeats_a_page_does_not_keep_the_tap_for_ever(bills, run, caplog):
    kept = bills.do_query

    def stuck(call):
        for each in call.findall("filter"):
            call.remove(each)
        return kept(call)

    bills.do_query = stuck
    with pytest.raises(SystemExit):
        run("ap_bills", page_size=2)
    assert "order does not work" in caplog.text


def test_credentials_do_not_go_to_an_endpoint_that_is_not_intacct(bills, run):
    bills.endpoint = "http://evil.example.com/ia/xml/xmlgw.phtml"
    with pytest.raises(ApiError, match="evil.example.com"):
        run("ap_bills")


def test_an_answer_cannot_read_files_of_this_machine(bills, run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the-keys-of-the-house")
    bills.put("CLASS", {"RECORDNO": 1, "WHENMODIFIED": DAY.format(1), "NAME": "@@"}, WHENCREATED="TIMESTAMP")
    plain = bills.wrap

    def with_a_door(inside):
        doctype = f'<!DOCTYPE response [<!ENTITY door SYSTEM "file://{secret}">]>'.encode()
        body = plain(inside).replace(b"@@", b"&door;")
        return body.replace(b"?><response", b"?>" + doctype + b"<response")

    bills.wrap = with_a_door
    out = run("classes")
    assert "the-keys-of-the-house" not in json.dumps(out.messages)


def test_a_deletion_that_the_audit_names_by_another_key_is_found_by_reading_all(gateway, run):
    """The documentation lets OBJECTKEY be the business key: vendors by VENDORID, documents by DOCID."""
    rows = [{"RECORDNO": n, "VENDORID": f"V{n}", "WHENMODIFIED": DAY.format(1)} for n in (1, 2, 3)]
    gateway.put("VENDOR", *rows, WHENCREATED="TIMESTAMP")
    first = run("vendors")
    delete(gateway, "VENDOR", 2, day=3, key="V2")
    second = run("vendors", state=first.state)
    assert second.numbers("vendors") == [1, 3]
    (activated,) = second.of("ACTIVATE_VERSION", "vendors")
    assert {m["version"] for m in second.of("RECORD", "vendors")} == {activated["version"]}
    third = run("vendors", state=second.state, lookback="P30D")
    assert not third.of("ACTIVATE_VERSION"), "an answered deletion is answered once"


def test_a_stream_that_a_catalog_wants_whole_is_read_whole(gateway, run, tap):
    gateway.put("VENDOR", {"RECORDNO": 1, "WHENMODIFIED": DAY.format(1)}, WHENCREATED="TIMESTAMP")
    first = run("vendors")
    gateway.put("VENDOR", {"RECORDNO": 2, "WHENMODIFIED": "01/01/2020 00:00:00"})
    writer = tap.collector()
    again = tap("vendors", state=first.state, writer=writer)
    again.streams["vendors"].forced_replication_method = "FULL_TABLE"
    again.sync_all()
    assert writer.numbers("vendors") == [1, 2]
    assert writer.of("ACTIVATE_VERSION", "vendors")


def test_control_totals_count_what_every_entity_sees_once(gateway, tap):
    """Records of the top level are seen by the session of every entity."""
    rows = [
        {"RECORDNO": n, "WHENMODIFIED": DAY.format(1), "TOTALDUE": "10.00", "MEGAENTITYID": None}
        for n in (1, 2)
    ]
    gateway.put("VENDOR", *rows, WHENCREATED="TIMESTAMP", TOTALDUE="DECIMAL")
    totals = tap("vendors", entity_ids=["E100", "E200"]).control_totals()
    (total,) = totals["totals"]
    assert (total["count"], total["period"], total["measures"]) == (2, None, {"TOTALDUE": "20"})


def test_control_totals_of_the_ledger_view_are_asked_for_in_slices(gateway, tap):
    """Unfiltered, the view times out, for sums as for rows."""
    rows = [
        {
            "RECORDNO": n,
            "MODULEKEY": module,
            "ENTRY_DATE": "03/01/2026",
            "DEBITAMOUNT": "5",
            "CREDITAMOUNT": None,
        }
        for n, module in enumerate(["2.GL", "3.AP", "99.NEW"], 1)
    ]
    gateway.put("GLDETAIL", *rows, ENTRY_DATE="DATE", DEBITAMOUNT="DECIMAL", AUWHENCREATED="TIMESTAMP")
    totals = tap("gl_detail").control_totals()
    (total,) = totals["totals"]
    assert (total["count"], total["period"], total["measures"]["DEBITAMOUNT"]) == (3, "2026-03", "15")
    assert all(
        call.find("filter") is not None for call in gateway.asked if call.findtext("object") == "GLDETAIL"
    )


def test_the_test_compares_the_users_formats_with_the_settings(bills, tap):
    lines = [each.text for each in tap("ap_bills").checks()]
    assert any("timezone" in line for line in lines)
    bills.formatting["dateformat"] = "/dmY"
    findings = [each for each in tap("ap_bills").checks() if not each.ok]
    assert any("mm/dd/yyyy" in each.text for each in findings)
    bills.formatting |= {"dateformat": "/mdY", "gmtoffset": "-08:00"}
    findings = [each for each in tap("ap_bills").checks() if not each.ok]
    assert any("-08:00" in each.text for each in findings)
    assert not [
        f for f in tap("ap_bills", timezone="America/Los_Angeles").checks() if "-08:00" in f.text and not f.ok
    ]


def test_fields_that_are_nobodys_business_are_not_proposed_though_lookup_lists_them(gateway, tap):
    gateway.put("CONTACT", {"RECORDNO": 1, "TAXID": "12-34", "CITY": "Riga"}, ACHBANKROUTINGNUMBER="TEXT")
    masks = tap("contacts", discover_custom_fields=True).streams["contacts"].mask
    assert masks["properties", "CITY"]
    assert not masks["properties", "TAXID"]
    assert not masks["properties", "ACHBANKROUTINGNUMBER"]


def test_an_error_that_passes_is_not_taken_for_a_field(gateway, run):
    """Its last word looks like a field's name."""
    gateway.put("CLASS", {"RECORDNO": 1, "WHENMODIFIED": DAY.format(1)}, WHENCREATED="TIMESTAMP")
    kept, told = gateway.do_query, []

    def hiccup(call):
        if not told:
            told.append(1)
            raise gateway.refused("DL02000001", "There was an error processing the request: Unknown")
        return kept(call)

    gateway.do_query = hiccup
    assert run("classes", discover_custom_fields=True).numbers("classes") == [1]


def test_an_account_has_a_balance_in_each_book_and_currency(gateway, run):
    gateway.put(
        "REPORTINGPERIOD",
        {
            "RECORDNO": 1,
            "NAME": "Month Ended January 2026",
            "START_DATE": "01/01/2026",
            "END_DATE": "01/31/2026",
        },
        START_DATE="DATE",
        END_DATE="DATE",
    )
    books = [("", "USD", "5.1"), ("GAAP", "USD", "6.2"), ("GAAP", "EUR", "7.3")]
    gateway.do_get_trialbalance = lambda _: (
        '<data listtype="trialbalance">'
        + "".join(
            f"<trialbalance><glaccountno>1000</glaccountno><endbalance>{amount}</endbalance>"
            f"<reportingbook>{book}</reportingbook><currency>{currency}</currency></trialbalance>"
            for book, currency, amount in books
        )
        + "</data>"
    )
    found = run("trial_balances")
    (schema,) = found.of("SCHEMA", "trial_balances")
    rows = found.records("trial_balances")
    assert len({tuple(row[key] for key in schema["key_properties"]) for row in rows}) == len(books)
    assert [(row["reportingbook"], row["currency"], str(row["endbalance"])) for row in rows] == books
