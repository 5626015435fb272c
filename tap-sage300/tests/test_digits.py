"""The digits of decimals on their way from the server through a catalog into SCHEMA messages."""

from __future__ import annotations

import json

import pytest

from ml_connector.extract.digits import with_digits

VENDORS = """<?xml version="1.0"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="M" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="Vendor"><Key><PropertyRef Name="VendorNumber"/></Key>
<Property Name="VendorNumber" Type="Edm.String"/>
<Property Name="BalanceDueInVendorCurrency" Type="Edm.Decimal" Precision="24" Scale="5"/>
<Property Name="CreditLimit" Type="Edm.Decimal"/>
<Property Name="TUScore" Type="Edm.Decimal" Precision="30" Scale="9"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="APVendors" EntityType="M.Vendor"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""
WANTED = {"BalanceDueInVendorCurrency": (24, 5), "CreditLimit": (19, 3), "TUScore": (30, 9)}


def digits(properties):
    return {name: (properties[name].get("x-precision"), properties[name].get("x-scale")) for name in WANTED}


def test_what_the_server_says_of_digits_survives_the_catalog_file(erp):
    erp.fake.metadata["AP"] = VENDORS.encode()
    erp.fake.add("SAMINC", "APVendors", {"VendorNumber": "1"})
    tap = erp.tap("vendors", discover_custom_fields=True)
    file = json.loads(tap.catalog_json_text)
    (entry,) = [stream for stream in file["streams"] if stream["tap_stream_id"] == "vendors"]
    assert digits(entry["schema"]["properties"]) == WANTED
    out = erp.run("vendors", discover_custom_fields=True, catalog=file)
    columns = out.of("SCHEMA", "vendors")[0]["schema"]["properties"]
    assert digits(columns) == WANTED
    assert all(columns[name]["multipleOf"] == float(f"1e-{scale}") for name, (_, scale) in WANTED.items())


def test_a_catalog_without_digits_is_believed_in_its_steps(erp):
    erp.fake.add("SAMINC", "APVendors", {"VendorNumber": "1"})
    file = erp.tap("vendors").catalog.to_dict()
    (entry,) = [stream for stream in file["streams"] if stream["tap_stream_id"] == "vendors"]
    entry["schema"]["properties"]["BalanceDueInVendorCurrency"]["multipleOf"] = 0.00001
    columns = erp.run("vendors", catalog=file).of("SCHEMA", "vendors")[0]["schema"]["properties"]
    balance, limit = columns["BalanceDueInVendorCurrency"], columns["CreditLimit"]
    assert (balance["x-precision"], balance["x-scale"], balance["multipleOf"]) == (21, 5, 0.00001)
    assert (limit["x-precision"], limit["x-scale"], limit["multipleOf"]) == (19, 3, 0.001)


@pytest.mark.parametrize(
    ("step", "precision", "scale", "wanted"),
    [
        (0.001, 19, 3, (19, 3)),
        (1e-07, 19, 3, (23, 7)),
        (1, 19, 3, (16, 0)),
        (10, 19, 3, (16, 0)),
        (1e-09, 38, 3, (38, 9)),
    ],
)
def test_steps_and_digits_never_contradict_each_other(step, precision, scale, wanted):
    found = with_digits({"multipleOf": step}, {"x-precision": precision, "x-scale": scale})
    assert (found["x-precision"], found["x-scale"]) == wanted
