"""Runs through both APIs, against servers that behave, and against some that do not."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import time
from decimal import Decimal

import pytest

from tap_sagex3.streams import RESOURCES

APIS = ["rest", "graphql"]
STAMPS = {"CREDAT", "CREDATTIM", "UPDDAT", "UPDDATTIM", "CREUSR", "UPDUSR", "UPDTICK", "AUUID", "ROWID"}
PASSWORD = "admin"
CLIENT = {
    "username": None,
    "password": None,
    "client_id": "CLIENT",
    "client_secret": "client-secret-of-the-sandbox-0001",
    "user": "WEBUSER",
}
NO_DATES = {"1599-12-31", "1599-12-31T00:00:00Z"}
TROUBLE = ("429", "500", "503", "malformed", "truncated", "reset", "diagnoses", "graphql-errors")


def streams():
    """Table and key of each stream."""

    def of(each):
        yield each.stream, (each.table.split("+")[0], each.key)
        for lines in each.lines:
            yield from of(lines)

    return dict(pair for resource in RESOURCES for pair in of(resource))


def named(row, key):
    # what is empty is not kept, and is an empty text or zero in a row
    return tuple(str(row.get(name) or "") for name in key)


def trimmed(value):
    elements = value if isinstance(value, list) else [value]
    while elements and elements[-1] in {"", 0, "0", None}:
        elements = elements[:-1]
    return elements


def same_as_stored(server, held, most=5_000):
    """Every stream holds the rows of its table, each value as it is stored."""
    stored = server.stored(*{table for table, _ in streams().values()})
    compared = 0
    for stream, (table, key) in streams().items():
        key = [name for name in key if name != "SOQSEQ"]  # of the table that is joined to it
        docs = {named(doc, key): doc for doc in stored[table].values()}
        rows = {named(row, key): row for row in held.get(stream, {}).values()}
        assert docs
        assert rows.keys() == docs.keys(), stream
        for name, doc in docs.items():
            for code, value in doc.items():
                found = rows[name].get(code)
                # a line kept in two tables shows the stamps of one
                if found is None or str(value) in NO_DATES or (code in STAMPS and "ORDER" in table):
                    continue
                if isinstance(found, list):
                    assert [str(each) for each in found] == [str(each) for each in trimmed(value)]
                elif isinstance(found, (Decimal, int)):
                    assert Decimal(found) == Decimal(value), (stream, code)
                else:
                    assert found == value, (stream, code)
                compared += 1
    assert compared > most


@pytest.mark.parametrize("api", APIS)
def test_a_first_run_brings_every_row_as_it_is(x3, warehouse, api):
    run = x3.run(api, x3.catalog(api))
    assert run.code == 0, run.log
    same_as_stored(x3, warehouse(run))
    assert run.schema("gl_journal_lines")["key_properties"] == [
        "source_company",
        "TYP",
        "NUM",
        "LIN",
        "LEDTYP",
    ]
    amount = run.schema("gl_journal_lines")["schema"]["properties"]["AMTLED"]
    assert (amount["x-precision"], amount["x-scale"]) == (27, 13)
    assert PASSWORD not in run.log
    assert "this schema has no" not in run.log  # what is made here is not asked for


def test_both_apis_yield_the_same_records(x3, warehouse):
    """Field by field, in every field that both show; dates, amounts, menus, references, indices, dimensions."""
    rest, graphql = (x3.run(api, x3.catalog(api)) for api in APIS)
    ours, theirs = warehouse(rest), warehouse(graphql)
    assert ours.keys() == theirs.keys()
    compared = 0
    for stream, rows in ours.items():
        both = rest.schema(stream)["schema"]["properties"], graphql.schema(stream)["schema"]["properties"]
        common = set(both[0]) & set(both[1])
        assert len(common) >= min(len(streams()[stream][1]) + 2, 5), stream
        lines = {name for name in common if "properties" in both[0][name].get("items", {})}
        types = [{name: kinds[name]["type"] for name in common - lines} for kinds in both]
        assert types[0] == types[1], stream
        assert rows.keys() == theirs[stream].keys(), stream
        for key, row in rows.items():
            other = theirs[stream][key]
            assert {n: row.get(n) for n in common - lines} == {n: other.get(n) for n in common - lines}, (
                stream
            )
            assert [len(row[name]) for name in lines] == [len(other[name]) for name in lines]
            compared += len(common)
    assert compared > 20_000


ODDITIES = (
    "element-keys",
    "indexed-as-lists",
    "codes-with-index",
    "class-renamed=SINVOICE:SINVOICEV",
    "enum-gap=DocumentStatus.notManaged",
    "enum-gap=GeneralLedgerTypes.ledger4",
    "enum-renamed=AccountingJournalStatus.final:substituteValue2",
    "references-as-objects",
    "empty-date=1753-01-01",
    "nested-limit=2",
    "page-limit=60",
    "unknown-property-500=told",
)


@pytest.mark.parametrize("api", APIS)
def test_servers_that_are_odd_give_the_rows_that_are_stored(serve, warehouse, api):
    server = serve(*(part for each in ODDITIES for part in ("--oddity", each)), scale="0.02")
    catalog = server.catalog(api)
    found = {each["tap_stream_id"]: each["schema"] for each in json.loads(catalog.read_text())["streams"]}
    for name in ("TAX", "BASTAX", "AMTTAX"):  # what the server gives as a list is one, over both APIs
        assert "array" in found["ap_invoices"]["properties"][name]["type"]
    run = server.run(api, catalog)
    assert run.code == 0, run.log
    same_as_stored(server, warehouse(run), most=2_000)
    again = server.run(api, catalog, run.state)
    assert again.code == 0, again.log
    assert "Traceback" not in run.log + again.log
    # a refused size is said once a kind of document, and remembered
    assert "records are asked for instead of" not in again.log


def test_a_server_that_tells_no_codes_gives_keys_and_the_ledger(serve):
    server = serve("--oddity", "no-codes", scale="0.02")
    own = {"properties": {"ITMDES1": "product.description1"}}
    streams = ("gl_journals", "gl_journal_lines", "items", "purchase_order_lines")
    catalog = server.catalog("graphql", *streams, **own)
    run = server.run("graphql", catalog, **own)
    assert run.code == 0, run.log
    stored = server.stored("GACCENTRYD", "ITMMASTER", "PORDERP")
    amounts = {str(doc.get("AMTLED", 0)) for doc in stored["GACCENTRYD"].values()}
    lines = run.records("gl_journal_lines")
    assert len(lines) == len(stored["GACCENTRYD"])
    assert {Decimal(row["AMTLED"]) for row in lines} == {Decimal(each) for each in amounts}
    assert {row["ITMREF"] for row in run.records("items")} == {
        doc["ITMREF"] for doc in stored["ITMMASTER"].values()
    }
    assert any(row.get("ITMDES1") for row in run.records("items"))
    assert len(run.records("purchase_order_lines")) == len(stored["PORDERP"])


def test_one_reference_that_cannot_be_resolved_does_not_end_its_stream(serve, x3):
    order = min(x3.stored("PORDER")["PORDER"])
    server = serve("--oddity", f"unresolvable-reference=purchaseOrder.orderFromSupplier:{order}")
    stored = server.stored("PORDER")["PORDER"]
    run = server.run("graphql", server.catalog("graphql", "purchase_orders", "suppliers"), max_retries=0)
    assert run.code == 1
    assert {row["POHNUM"] for row in run.records("purchase_orders")} == set(stored) - {order}
    assert run.records("suppliers")
    assert f'record ["{order}"] cannot be read' in run.log


@pytest.mark.parametrize("api", APIS)
def test_the_second_run_moves_only_what_changed(own_x3, warehouse, api):
    catalog = own_x3.catalog(api)
    first = own_x3.run(api, catalog)
    quiet = own_x3.run(api, catalog, first.state)
    assert quiet.code == 0, quiet.log
    # what bears the very stamp of the bookmark comes again, and what is temporary
    assert quiet.count() < first.count() / 10
    runs = [first, quiet]
    for _ in range(2):
        own_x3.advance(3)
        run = own_x3.run(api, catalog, runs[-1].state)
        assert run.code == 0, run.log
        assert run.count() < first.count() / 2
        runs.append(run)
    # what only lines told of is not read for ever
    assert own_x3.run(api, catalog, runs[-1].state).count() < first.count() / 10
    held = warehouse(*runs)
    whole = warehouse(own_x3.run(api, catalog))
    # neither API tells of deletions, but for documents that were temporary (reference 4)
    for stream, rows in whole.items():
        assert rows.keys() <= held[stream].keys(), stream
    same = ["gl_journals", "open_items", "payments", "stock", "sales_orders", "ap_invoices", "items"]
    for stream in [*same, "gl_journal_lines"] if api == "graphql" else same:
        known = {name: row for name, row in held[stream].items() if name in whole[stream]}
        without = {"HAEDAE"} if api == "rest" else set()
        assert _less(known, without) == _less(whole[stream], without), stream
    if api == "rest":
        assert "api1 shows changes of lines" in runs[-1].log


def _less(rows, names):
    return {key: {n: v for n, v in row.items() if n not in names} for key, row in rows.items()}


def test_a_line_that_changed_alone_is_found_and_not_for_ever(own_x3):
    catalog = own_x3.catalog("graphql", "gl_journal_lines")
    state = own_x3.run("graphql", catalog).state
    with sqlite3.connect(own_x3.books) as books:
        finals = (
            "SELECT key FROM sagex3_rows WHERE tbl = 'GACCENTRY' AND json_extract(doc, '$.STA') = 2 LIMIT 2"
        )
        entries = [key for (key,) in books.execute(finals)]
        for entry, stamp in zip(entries, ("2026-06-01T10:00:00Z", "2026-06-02T10:00:00Z"), strict=True):
            books.execute(
                "UPDATE sagex3_rows SET doc = json_set(doc, '$.UPDDATTIM', ?)"
                " WHERE tbl = 'GACCENTRYD' AND key = (SELECT MIN(key) FROM sagex3_rows"
                " WHERE tbl = 'GACCENTRYD' AND key LIKE ? || '~%')",
                (stamp, entry),
            )
    found = []
    for _ in range(2):
        run = own_x3.run("graphql", catalog, state)
        assert run.code == 0, run.log
        final = [row for row in run.records("gl_journal_lines") if row["STA"] == 2]
        found.append({f"{row['TYP']}~{row['NUM']}" for row in final})
        state = run.state
    assert set(entries) <= found[0]
    assert found[1] == {entries[1]}  # the newest stamp itself comes once more


def test_flat_representations_see_what_changed_in_lines_alone(own_x3, warehouse):
    lines = {"class": "GACCENTRYD", "representation": "ZGACCENTRYD"}
    analytical = {"class": "GACCENTRYA", "representation": "ZGACCENTRYA"}
    settings = {"representations": {"gl_journal_lines": lines, "gl_analytical_lines": analytical}}
    catalog = own_x3.catalog("rest", "gl_journals", "gl_journal_lines", "gl_analytical_lines", **settings)
    own_x3.requests()
    runs = [own_x3.run("rest", catalog, **settings)]
    assert len(own_x3.requests()) < 30  # lists only, no document by itself
    for _ in range(3):
        own_x3.advance(2)
        runs.append(own_x3.run("rest", catalog, runs[-1].state, **settings))
    held, whole = warehouse(*runs), warehouse(own_x3.run("rest", catalog, **settings))
    assert {key: held["gl_journal_lines"][key] for key in whole["gl_journal_lines"]} == whole[
        "gl_journal_lines"
    ]
    assert whole["gl_analytical_lines"].keys() <= held["gl_analytical_lines"].keys()


@pytest.mark.parametrize("api", APIS)
def test_temporary_entries_are_read_until_they_are_final_or_gone(own_x3, warehouse, api):
    catalog = own_x3.catalog(api, "gl_journals", "gl_journal_lines")
    runs, temporary = [own_x3.run(api, catalog)], 0
    for _ in range(5):
        opened = runs[-1].state["bookmarks"]["gl_journals"]["partitions"][0].get("open", [])
        temporary += len(opened)
        own_x3.advance(1)
        runs.append(own_x3.run(api, catalog, runs[-1].state))
        assert runs[-1].code == 0, runs[-1].log
        held, stored = warehouse(*runs), own_x3.stored("GACCENTRY", "GACCENTRYD")
        assert len(held["gl_journals"]) == len(stored["GACCENTRY"])
        assert len(held["gl_journal_lines"]) == len(stored["GACCENTRYD"])
        states = {row["STA"] for row in held["gl_journals"].values()}
        assert states <= {1, 2}
    assert temporary


@pytest.mark.parametrize("api", APIS)
def test_trouble_changes_nothing(serve, warehouse, api):
    rate = {"rest": 0.006, "graphql": 0.03}[api]  # of many requests, and of few
    kinds = [part for kind in TROUBLE for part in ("--fault", f"{kind}:{rate}")]
    server = serve("--drop-count", "--page-cap", "37", *kinds, "--fault-seed", "7", scale="0.02")
    loud = server.run(api, server.catalog(api), max_retries=12)
    assert loud.code == 0, loud.log
    assert "follows in" in loud.log
    same_as_stored(server, warehouse(loud))


def test_tokens_that_die_every_20_requests_change_nothing(serve, warehouse):
    server = serve("--token-requests", "20")
    run = server.run("graphql", server.catalog("graphql", **CLIENT), page_size=5, **CLIENT)
    assert run.code == 0, run.log
    refused = [each for each in server.requests() if each["http"] == 401]
    assert len(refused) > 5
    same_as_stored(server, warehouse(run))
    assert CLIENT["client_secret"] not in run.log


@pytest.mark.parametrize("api", APIS)
def test_a_run_that_is_ended_goes_on_where_it_was(serve, warehouse, api):
    server = serve("--latency", {"rest": "20", "graphql": "200"}[api], scale="0.05")
    catalog = server.catalog(api, "gl_journals", "gl_journal_lines")
    with (server.folder / "out").open("wb") as out:
        command = server.command(api, "--catalog", catalog, page_size=10)
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
        while (server.folder / "out").stat().st_size < 200_000:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=60)[1]
    written = (server.folder / "out").read_bytes()
    assert process.returncode == 128 + signal.SIGTERM
    cut = server.read(process.returncode, log, written)
    assert "progress" in cut.state["bookmarks"]["gl_journal_lines"]["partitions"][0]
    rest = server.run(api, catalog, cut.state, page_size=10)
    assert rest.code == 0, rest.log
    assert "going on after an interrupted read" in rest.log
    stored = server.stored("GACCENTRY", "GACCENTRYD")
    held = warehouse(cut, rest)
    assert len(rest.records("gl_journals")) < len(stored["GACCENTRY"])
    assert len(held["gl_journals"]) == len(stored["GACCENTRY"])
    assert len(held["gl_journal_lines"]) == len(stored["GACCENTRYD"])


@pytest.mark.parametrize("api", APIS)
def test_batch_files_hold_what_records_would(x3, tmp_path, api):
    catalog = x3.catalog(api, "suppliers", "purchase_order_lines")
    plain = x3.run(api, catalog)
    storage = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tmp_path}"},
    }
    batched = x3.run(api, catalog, batch_config={**storage, "batch_size": 30})
    assert batched.code == 0, batched.log
    for stream in ("suppliers", "purchase_order_lines"):
        files = [
            name
            for message in batched.messages
            if message["type"] == "BATCH" and message["stream"] == stream
            for name in message["manifest"]
        ]
        rows = [
            json.loads(line, parse_float=Decimal)
            for name in files
            for line in gzip.open(name.removeprefix("file://"), "rt")
        ]
        assert rows == plain.records(stream)


@pytest.mark.parametrize("api", APIS)
def test_only_what_is_selected_is_asked_for(x3, api):
    catalog = x3.catalog(api, "suppliers")
    found = json.loads(catalog.read_text())
    for stream in found["streams"]:
        for entry in stream["metadata"]:
            if stream["tap_stream_id"] == "suppliers" and len(entry["breadcrumb"]) == 2:
                entry["metadata"]["selected"] = entry["breadcrumb"][1] in {"BPSNAM", "YRATING"}
    catalog.write_text(json.dumps(found))
    x3.requests()
    run = x3.run(api, catalog)
    assert {name for row in run.records("suppliers") for name in row} == {
        "source_company",
        "BPSNUM",
        "BPSNAM",
        "YRATING",
        "UPDDATTIM",
    }
    assert len(x3.requests()) <= 2


@pytest.mark.parametrize("api", APIS)
def test_what_is_set_to_full_table_is_read_whole_and_activated(x3, api):
    catalog = x3.catalog(api, "addresses", "suppliers")
    found = json.loads(catalog.read_text())
    for stream in found["streams"]:
        for entry in stream["metadata"]:
            if stream["tap_stream_id"] == "addresses" and not entry["breadcrumb"]:
                entry["metadata"]["forced-replication-method"] = "FULL_TABLE"
                entry["metadata"]["replication-method"] = "FULL_TABLE"
        if stream["tap_stream_id"] == "addresses":
            stream["replication_method"] = "FULL_TABLE"
    catalog.write_text(json.dumps(found))
    first = x3.run(api, catalog)
    second = x3.run(api, catalog, first.state)
    assert second.versions() == ["addresses"]
    assert len(second.records("addresses")) == len(first.records("addresses")) > 10


@pytest.mark.parametrize("api", APIS)
def test_dimensions_become_columns_by_convention(x3, tmp_path, api):
    kinds = {doc["DIE"] for doc in x3.stored("GDIE")["GDIE"].values()}
    catalog = x3.catalog(api, "gl_analytical_lines")
    rows = x3.run(api, catalog).records("gl_analytical_lines")
    filled = [row for row in rows if any(row["CCE"])]
    assert filled
    for row in filled:
        pairs = {f"CCE_{kind}": value for kind, value in zip(row["DIE"], row["CCE"], strict=False) if value}
        assert {name: row[name] for name in pairs} == pairs
    columns = x3.run(api, catalog).schema("gl_analytical_lines")["schema"]["properties"]
    assert {f"CCE_{kind}" for kind in kinds} <= columns.keys()

    own = tmp_path / "dimensions.json"
    own.write_text(json.dumps({"prefix": "dim_", "names": {sorted(kinds)[0]: "cost_centre"}}))
    catalog = x3.catalog(api, "gl_analytical_lines", dimensions=str(own))
    columns = x3.run(api, catalog, dimensions=str(own)).schema("gl_analytical_lines")["schema"]["properties"]
    assert {"cost_centre", *(f"dim_{kind}" for kind in sorted(kinds)[1:])} <= columns.keys()


@pytest.mark.parametrize("generation", ["older", "oldest"])
def test_older_generations_of_the_schema_give_the_same_rows(serve, x3, warehouse, generation):
    server = serve("--generation", generation)
    run = server.run("graphql", server.catalog("graphql"))
    assert run.code == 0, run.log
    now = warehouse(x3.run("graphql", x3.catalog("graphql")))
    held = warehouse(run)
    for stream in ("suppliers", "purchase_orders", "purchase_order_lines", "stock", "items"):
        assert held[stream].keys() == now[stream].keys()
        row, other = (next(iter(sorted(found[stream].items(), key=str)))[1] for found in (held, now))
        lists = {name for name in row if isinstance(row[name], list)}
        common = row.keys() & other.keys() - lists
        assert len(common) > 5
        assert {name: row[name] for name in common} == {name: other[name] for name in common}


@pytest.mark.parametrize("api", APIS)
def test_what_may_not_be_read_is_said(serve, api):
    name = {"rest": "BPSUPPLIER", "graphql": "supplier"}[api]
    server = serve("--forbid", name)
    run = server.run(api, server.catalog("rest", "suppliers", discover_custom_fields=False), max_retries=1)
    assert run.code == 1
    assert " right" in run.log.partition("suppliers of SAMINC failed: ")[2].partition("\n")[0], run.log
    assert "Traceback" not in run.log


def test_what_is_not_activated_is_skipped_and_said(serve):
    server = serve("--inactive", "supplier")
    run = server.run(
        "graphql", server.catalog("rest", "suppliers", "customers", discover_custom_fields=False)
    )
    assert run.code == 0, run.log
    assert "suppliers skipped for SAMINC: " in run.log
    assert run.records("customers")


@pytest.mark.parametrize("api", APIS)
def test_a_wrong_password_is_one_sentence(x3, api):
    run = x3.run(api, x3.catalog(api, "suppliers"), password="wrong-password")
    assert run.code == 1
    last = run.log.splitlines()[-1]
    assert last.startswith("Sage X3 refuses the sign-in")
    assert "wrong-password" not in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("api", APIS)
def test_the_connection_is_tested_line_by_line(x3, api):
    done = subprocess.run(x3.command(api, "--test"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "signed in" in lines[0]
    assert len(lines) == 1 + len(RESOURCES)
    assert all(line.startswith("ok") for line in lines)


@pytest.mark.parametrize("api", APIS)
def test_control_totals_agree_with_what_is_stored(x3, api):
    catalog = x3.catalog(api, "gl_journal_lines", "open_items", "suppliers")
    command = x3.command(api, "--catalog", catalog, "--control-totals")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    stored = x3.stored("GACCENTRYD", "GACCDUDATE", "BPSUPPLIER")
    totals = [each for each in found["totals"] if each["stream"] == "gl_journal_lines"]
    assert sum(each["count"] for each in totals) == len(stored["GACCENTRYD"])
    amount = sum(Decimal(each["measures"]["AMTLED"]) for each in totals)
    assert amount == sum(Decimal(doc.get("AMTLED", 0)) for doc in stored["GACCENTRYD"].values())
    ledgers = {each["LEDTYP"] for each in found["by_ledger"] if each["stream"] == "gl_journal_lines"}
    assert ledgers == {doc["LEDTYP"] for doc in stored["GACCENTRYD"].values()}
    assert {"source", "generated_at", "periods"} <= found.keys()


@pytest.mark.parametrize("api", APIS)
def test_each_folder_has_bookmarks_of_its_own(serve, api):
    server = serve("--company", "SAMINC", "--company", "SAMLTD")
    both = {"folders": ["SAMINC", "SAMLTD", "SAMINC"]}
    catalog = server.catalog(api, "suppliers", "dimension_types", "gl_analytical_lines", **both)
    run = server.run(api, catalog, **both)
    assert run.code == 0, run.log
    assert {row["source_company"] for row in run.records("suppliers")} == {"SAMINC", "SAMLTD"}
    partitions = run.state["bookmarks"]["suppliers"]["partitions"]
    assert [each["context"] for each in partitions] == [
        {"source_company": "SAMINC"},
        {"source_company": "SAMLTD"},
    ]
    # three dimension types in one folder, five in the other: columns for all of them
    kinds = {row["DIE"] for row in run.records("dimension_types")}
    columns = run.schema("gl_analytical_lines")["schema"]["properties"]
    assert len(kinds) == 5
    assert {f"CCE_{kind}" for kind in kinds} <= columns.keys()


@pytest.mark.parametrize("api", APIS)
def test_a_folder_that_is_not_there_says_where_to_look(x3, api):
    run = x3.run(
        api, x3.catalog("rest", "suppliers", discover_custom_fields=False), folders=["NOPE"], max_retries=0
    )
    assert run.code == 1
    said = {"rest": "suppliers of NOPE failed: ", "graphql": "Nothing in NOPE can be read: "}[api]
    assert said in run.log
    assert "Traceback" not in run.log
