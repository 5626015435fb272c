"""Every entity set of the reference is there, and each record is complete."""

from __future__ import annotations

import json

import pytest

from erp_sandbox.business.books import Books, connect
from erp_sandbox.sage300.keys import sort_key
from erp_sandbox.sage300.model import catalogue
from erp_sandbox.sage300.projection_shape import ProjectionError, Shape, Writer, shape_of

READABLE = sorted(name for name, entity_set in catalogue().sets.items() if "GET" in entity_set.verbs)


def _check(record, properties, where):
    assert list(record) == [prop.name for prop in properties], where
    for prop in properties:
        value = record[prop.name]
        here = f"{where}.{prop.name}"
        if prop.type == "Collection":
            for detail in value:
                _check(detail, prop.properties, here)
        elif prop.type == "Edm.DateTimeOffset":
            assert value is None or (len(value) == 20 and value.endswith("T00:00:00Z")), here
        elif prop.type == "Edm.Boolean":
            assert isinstance(value, bool), here
        elif prop.type == "Edm.Decimal":
            assert len(value.partition(".")[2]) == prop.scale, here
        elif prop.type.startswith("Edm.") and prop.type != "Edm.String":
            assert isinstance(value, int), here
        else:
            assert isinstance(value, str), here
        if prop.type == "Enum" and prop.members:
            assert value in prop.members or value.isdigit(), here


@pytest.mark.parametrize("company", ["SAMINC", "SAMLTD"])
@pytest.mark.parametrize("name", READABLE)
def test_every_set_has_complete_records_in_every_company(founded, read, name, company):
    entity_set = catalogue().sets[name]
    rows = read(founded, "SELECT * FROM documents WHERE company = ? AND entity_set = ?", company, name)
    assert rows
    scaled = {prop.name for prop in entity_set.properties if prop.type == "Edm.Decimal" and prop.scale == 0}
    for row in rows:
        # Decimals without a point are read as integers, so integers of scale 0 are put back as text.
        record = json.loads(row["doc"], parse_float=str)
        _check(_as_text(record, entity_set.properties), entity_set.properties, name)
        assert record["UpdateOperation"] == "Unspecified" if "UpdateOperation" in record else True
        assert row["sort_key"] == sort_key(entity_set, tuple(record[key] for key in entity_set.key))
    assert scaled <= set(record)


def _as_text(record, properties):
    for prop in properties:
        if prop.type == "Edm.Decimal" and isinstance(record.get(prop.name), int):
            record[prop.name] = str(record[prop.name])
        elif prop.type == "Collection":
            for detail in record.get(prop.name, ()):
                _as_text(detail, prop.properties)
    return record


def test_the_headers_have_their_lines(founded, docs):
    for name, path in {
        "APInvoiceBatches": ("Invoices", "InvoiceDetails"),
        "APPaymentAndAdjustmentBatches": ("PaymentsAdjustments", "AppliedPayments"),
        "ARInvoiceBatches": ("Invoices", "InvoiceDetails"),
        "ARReceiptAndAdjustmentBatches": ("ReceiptsAdjustments", "AppliedReceiptsAdjustments"),
        "ARRefundBatches": ("RefundEntries", "RefundDetails"),
        "GLJournalBatches": ("JournalHeaders", "JournalDetails"),
        "OEOrders": ("OrderDetails",),
        "POGetReceipts": ("ReceiptLine2s",),
    }.items():
        level = list(docs(founded, name).values())
        for step in path:
            level = [child for parent in level for child in parent[step]]
            assert len(level) > 10, (name, step)
            keys = [
                tuple(v for k, v in child.items() if k.endswith(("Number", "Key", "fier"))) for child in level
            ]
            assert all(any(part not in {0, ""} for part in key) for key in keys), (name, step)


def test_a_mapping_to_an_unknown_property_is_refused():
    with pytest.raises(ProjectionError, match="APVendors has no property VendorNo"):
        shape_of("APVendors").render({"VendorNo": "1200"})


def test_a_member_the_model_does_not_name_is_refused_but_its_number_is_not():
    with pytest.raises(ProjectionError, match="APVendors.Status has no member Sleeping"):
        shape_of("APVendors").render({"Status": "Sleeping"})
    assert '"Status":"4"' in shape_of("APVendors").render({"Status": "4"})


def test_amounts_keep_their_scale_and_dates_their_form():
    properties = catalogue().sets["APPostedDocuments"].properties
    text = Shape("APPostedDocuments", properties).render(
        {"FunctionalCurrencyAmountDue": 5, "DueDate": "2026-01-31", "DatePaid": None, "DocumentNumber": 'A"1'}
    )
    assert '"FunctionalCurrencyAmountDue":5.000,' in text
    assert '"DueDate":"2026-01-31T00:00:00Z"' in text
    assert '"DatePaid":null' in text
    assert json.loads(text)["DocumentNumber"] == 'A"1'


def test_a_deleted_record_is_gone(living, read):
    connection = connect(living)
    writer = Writer(Books(connection, "SAMINC"))
    writer.remove("APVendors", {"VendorNumber": "V01200"})
    connection.close()
    assert not read(
        living,
        "SELECT 1 FROM documents WHERE company = 'SAMINC' AND entity_set = 'APVendors' AND sort_key = 'V01200'",
    )
