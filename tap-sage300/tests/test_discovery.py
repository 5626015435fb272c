"""Discovery: offline from the files, live with what the server says about itself."""

from __future__ import annotations

import pytest

from ml_connector.extract.errors import SignInRefused
from tap_sage300.extra import snake_case
from tap_sage300.streams.resource import SEGMENTS
from tap_sage300.tap import TapSage300

EDMX = """<?xml version="1.0"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="M" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}
<EntityContainer Name="Container">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""


def a_module(**sets):
    """`$metadata` of a module: entity set to (key, {property: type})."""
    types = "".join(
        f'<EntityType Name="{name}"><Key>'
        + "".join(f'<PropertyRef Name="{k}"/>' for k in key)
        + "</Key>"
        + "".join(f'<Property Name="{p}" Type="{t}"/>' for p, t in properties.items())
        + "</EntityType>"
        for name, (key, properties) in sets.items()
    )
    entity_sets = "".join(f'<EntitySet Name="{name}" EntityType="M.{name}"/>' for name in sets)
    return EDMX.format(types=types, sets=entity_sets).encode()


def live(erp, **settings):
    return TapSage300(config=erp.config(discover_custom_fields=True, **settings))


def test_without_any_setting_every_stream_is_listed():
    catalog = TapSage300(config={}, validate_config=False, setup_mapper=False).catalog_dict
    names = {stream["tap_stream_id"] for stream in catalog["streams"]}
    assert {"vendors", "ap_invoice_lines", "gl_journal_lines", "tx_tax_tracking"} <= names
    assert len(names) == 144


def test_the_sandbox_describes_what_the_files_describe(sandbox_config, caplog):
    caplog.set_level("INFO", "tap_sage300")
    offline, described = (
        TapSage300(config=sandbox_config | {"discover_custom_fields": ask}, setup_mapper=False)
        for ask in (False, True)
    )
    for name, stream in offline.streams.items():
        assert described.streams[name].schema == stream.schema, name
    assert [r.getMessage() for r in caplog.records if "as this server has it" in r.getMessage()] == []


def test_partner_fields_come_in_and_unknown_ones_go(erp):
    known = {
        "VendorNumber": "Edm.String",
        "VendorName": "Edm.String",
        "DateLastMaintained": "Edm.DateTimeOffset",
    }
    added = {"TUScore": "Edm.Decimal", "TUApproved": "Edm.Boolean", "TUPassword": "Edm.String"}
    erp.fake.metadata["AP"] = a_module(APVendors=(["VendorNumber"], known | added))
    vendors = live(erp).streams["vendors"].schema["properties"]
    assert set(vendors) == {"source_company", "source_module", *known, "TUScore", "TUApproved"}
    assert vendors["TUScore"]["type"] == ["number", "null"]
    assert vendors["TUApproved"]["type"] == ["boolean", "null"]


def test_a_type_that_the_server_declares_otherwise_is_the_servers(erp):
    properties = {"VendorNumber": "Edm.String", "GroupCode": "Edm.Int64"}
    erp.fake.metadata["AP"] = a_module(APVendors=(["VendorNumber"], properties))
    assert live(erp).streams["vendors"].schema["properties"]["GroupCode"]["type"] == ["integer", "null"]


def test_a_declared_key_replaces_one_that_was_only_inferred(erp):
    properties = {"AuditNumber": "Edm.Int64", "AuditRecordNumber": "Edm.Int64"}
    erp.fake.metadata["TX"] = a_module(TXTaxTracking=(["AuditNumber"], properties))
    assert live(erp).streams["tx_tax_tracking"].primary_keys == ("source_company", "AuditNumber")


def test_segments_that_the_servers_chart_does_not_have_are_no_columns_of_lines(erp):
    line = {"AccountNumber": "Edm.String", "PostingSequenceNumber": "Edm.Int64", "FiscalYear": "Edm.String"}
    chart = {"UnformattedAccount": "Edm.String", "AccountSegmentCode1": "Edm.String"}
    lines = (["AccountNumber"], line)
    for described in ({"GLAccounts": (["UnformattedAccount"], chart)}, {}):
        erp.fake.metadata["GL"] = a_module(GLPostedTransactions=lines, **described)
        columns = live(erp).streams["gl_posted_transactions"].schema["properties"]
        segments = {name for name in columns if name.startswith(("AccountSegment", "AccountGroup"))}
        # a server that does not describe its chart says nothing about it
        assert segments == ({"AccountSegmentCode1"} if described else set(SEGMENTS))


def test_a_stream_without_its_stamp_on_this_server_is_read_whole(erp):
    erp.fake.metadata["AP"] = a_module(APVendors=(["VendorNumber"], {"VendorNumber": "Edm.String"}))
    assert live(erp).streams["vendors"].replication_method == "FULL_TABLE"


def test_partner_endpoints_are_streams_with_the_servers_schema(erp):
    erp.fake.metadata["TU"] = a_module(
        TUPaymentCodes=(
            ["Code"],
            {"Code": "Edm.String", "Limit": "Edm.Decimal", "Edited": "Edm.DateTimeOffset"},
        )
    )
    erp.fake.add("SAMINC", "TUPaymentCodes", {"Code": "A", "Limit": 5, "Edited": "2026-03-01T00:00:00Z"})
    declared = [{"module": "TU", "entity_set": "TUPaymentCodes", "replication_key": "Edited"}]
    out = erp.run("tu_payment_codes", discover_custom_fields=True, extra_resources=declared)
    assert out.keys("tu_payment_codes") == [("SAMINC", "A")]
    assert out.partition("tu_payment_codes")["replication_key_value"] == "2026-03-01T00:00:00Z"


def test_a_server_that_is_away_costs_one_warning_in_discovery(erp, caplog):
    config = erp.config(base_url="http://127.0.0.1:9/x/v1.0/-", discover_custom_fields=True)
    tap = TapSage300(config=config, setup_mapper=False)
    tap.best_effort = True
    assert len(tap.streams) == 144
    assert [r.name for r in caplog.records if r.levelname == "WARNING"] == ["tap-sage300"]


def test_a_wrong_password_is_not_forgiven_in_discovery(erp):
    tap = TapSage300(config=erp.config(password="other", discover_custom_fields=True), setup_mapper=False)
    tap.best_effort = True
    with pytest.raises(SignInRefused):
        assert tap.streams


@pytest.mark.parametrize(
    ("entity_set", "stream"),
    [("TUPaymentCodes", "tu_payment_codes"), ("APVendors", "ap_vendors"), ("Widgets", "widgets")],
)
def test_snake_case(entity_set, stream):
    assert snake_case(entity_set) == stream


def test_a_run_makes_only_what_its_catalog_selects_and_the_documents_of_its_lines(erp):
    file = erp.tap("vendors", "ap_invoices", "ap_invoice_lines").catalog_dict
    for entry in file["streams"]:
        own = next(each for each in entry["metadata"] if not each["breadcrumb"])
        own["metadata"]["selected"] = entry["tap_stream_id"] in {"vendors", "ap_invoice_lines"}
    tap = TapSage300(config=erp.config(), catalog=file)
    assert {"vendors", "ap_invoice_lines"} == {s.name for s in tap.streams.values() if s.selected}
    (document,) = [s.name for s in tap.streams.values() if not s.selected]
    assert [each.name for each in tap.streams[document].child_streams] == ["ap_invoice_lines"]
