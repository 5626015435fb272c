from __future__ import annotations

import pytest

from tap_sage300.metadata import MetadataError, Property, parse_metadata

EDMX = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Sage.CA.SBS.ERP.Sage300.GL.WebApi.Models" Alias="M" xmlns="http://docs.oasis-open.org/odata/ns/edm">
  <EntityType Name="JournalBatch"><Key><PropertyRef Name="BatchNumber"/></Key>
    <Property Name="BatchNumber" Type="Edm.String" Nullable="false"/>
    <Property Name="DateCreated" Type="Edm.DateTimeOffset"/>
    <Property Name="TotalDebits" Type="Edm.Decimal" Nullable="false" Precision="19" Scale="3"/>
    <Property Name="Rate" Type="Edm.Decimal" Scale="Variable"/>
    <Property Name="Status" Type="Sage.CA.SBS.ERP.Sage300.GL.WebApi.Models.StatusEnum" Nullable="false"/>
    <Property Name="JournalHeaders" Type="Collection(M.JournalHeader)"/>
    <Property Name="Tags" Type="Collection(Edm.String)"/>
    <Property Name="MY_PartnerField" Type="Edm.Int64"/>
  </EntityType>
  <EntityType Name="Child" BaseType="M.JournalBatch"><Property Name="Extra" Type="Edm.Boolean"/></EntityType>
  <ComplexType Name="JournalHeader">
    <Property Name="EntryNumber" Type="Edm.String"/>
    <Property Name="JournalDetails" Type="Collection(M.JournalDetail)"/>
  </ComplexType>
  <ComplexType Name="JournalDetail">
    <Property Name="Amount" Type="Edm.Decimal" Scale="3"/>
    <Property Name="Parent" Type="M.JournalHeader"/>
  </ComplexType>
  <EnumType Name="StatusEnum"><Member Name="Open" Value="1"/><Member Name="Posted" Value="3"/></EnumType>
</Schema>
<Schema Namespace="Default" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityContainer Name="Container">
  <EntitySet Name="GLJournalBatches" EntityType="Sage.CA.SBS.ERP.Sage300.GL.WebApi.Models.JournalBatch"/>
  <EntitySet Name="Children" EntityType="M.Child"/>
  <EntitySet Name="Elsewhere" EntityType="Other.Thing"/>
</EntityContainer></Schema>
</edmx:DataServices></edmx:Edmx>""".encode()


@pytest.fixture
def batches():
    return parse_metadata(EDMX).entity_sets["GLJournalBatches"]


def test_sets_with_a_described_type_are_listed_in_the_servers_order():
    assert list(parse_metadata(EDMX).entity_sets) == ["GLJournalBatches", "Children"]


def test_key_and_plain_properties(batches):
    assert batches.key == ("BatchNumber",)
    assert batches.properties["BatchNumber"] == Property("BatchNumber", "Edm.String", nullable=False)
    assert batches.properties["TotalDebits"] == Property(
        "TotalDebits", "Edm.Decimal", nullable=False, scale=3, precision=19
    )
    assert batches.properties["DateCreated"].nullable
    assert batches.properties["Rate"].scale is None
    assert batches.properties["MY_PartnerField"].edm_type == "Edm.Int64"


def test_enums_carry_their_members(batches):
    status = batches.properties["Status"]
    assert status.members == ("Open", "Posted")
    assert status.properties is None


def test_details_are_opened_to_the_bottom(batches):
    headers = batches.properties["JournalHeaders"]
    assert headers.collection
    details = headers.properties["JournalDetails"]
    assert details.collection
    assert details.properties["Amount"].scale == 3


def test_a_detail_that_refers_back_to_its_parent_ends_there(batches):
    details = batches.properties["JournalHeaders"].properties["JournalDetails"]
    parent = details.properties["Parent"]
    assert parent.properties is None
    assert not parent.collection


def test_collections_of_plain_values_have_no_properties(batches):
    tags = batches.properties["Tags"]
    assert (tags.collection, tags.edm_type, tags.properties) == (True, "Edm.String", None)


def test_a_subclassed_set_inherits_key_and_fields():
    child = parse_metadata(EDMX).entity_sets["Children"]
    assert child.key == ("BatchNumber",)
    assert list(child.properties)[0] == "BatchNumber"
    assert list(child.properties)[-1] == "Extra"


@pytest.mark.parametrize("document", [b"", b"<html><br></html>", b"<a/>", b'{"json": 1}'])
def test_what_is_not_edmx_is_refused(document):
    with pytest.raises(MetadataError, match=r"\$metadata"):
        parse_metadata(document)


def test_external_entities_are_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("TOP SECRET")
    attack = EDMX.replace(
        b"<edmx:Edmx", f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]><edmx:Edmx'.encode(), 1
    ).replace(b'<PropertyRef Name="BatchNumber"/>', b'<PropertyRef Name="BatchNumber"/>&e;')
    assert "TOP SECRET" not in repr(parse_metadata(attack))
