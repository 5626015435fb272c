"""The ``$metadata`` of each module, read as XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from erp_sandbox.sage300.model import MODULES, catalogue

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"


@pytest.mark.parametrize("module", MODULES)
def test_a_modules_metadata_describes_every_set_of_the_model(api, module):
    answer = api.get(f"SAMINC/{module}/$metadata")
    assert answer.headers["content-type"].startswith("application/xml")
    root = ET.fromstring(answer.content)
    assert (root.tag, root.get("Version")) == (f"{EDMX}Edmx", "4.0")
    models, default = root.iter(f"{EDM}Schema")
    space = f"Sage.CA.SBS.ERP.Sage300.{module}.WebApi.Models"
    assert (models.get("Namespace"), default.get("Namespace")) == (space, "Default")
    types = {f"{space}.{each.get('Name')}": each for each in models}
    assert len(types) == len(list(models))
    sets = {each.get("Name"): types[each.get("EntityType")] for each in default.iter(f"{EDM}EntitySet")}
    assert set(sets) == {name for name, each in catalogue().sets.items() if each.module == module}
    assert not list(root.iter(f"{EDM}NavigationProperty"))
    for name, described in sets.items():
        entity_set = catalogue().sets[name]
        assert tuple(ref.get("Name") for ref in described.iter(f"{EDM}PropertyRef")) == entity_set.key
        compare(described, entity_set.properties, types)


def compare(described, properties, types):
    elements = described.findall(f"{EDM}Property")
    assert [each.get("Name") for each in elements] == [prop.name for prop in properties]
    for element, prop in zip(elements, properties, strict=True):
        kind = element.get("Type")
        if prop.type == "Collection":
            assert kind.startswith("Collection(")
            detail = types[kind[len("Collection(") : -1]]
            assert detail.tag == f"{EDM}ComplexType"
            compare(detail, prop.properties, types)
        elif prop.type == "Enum" and prop.members:
            enum = types[kind]
            assert enum.get("Name").endswith(f"{prop.name}Enum")
            assert [member.get("Name") for member in enum] == list(prop.members)
        elif prop.type == "Edm.Decimal":
            assert (kind, element.get("Scale")) == ("Edm.Decimal", str(prop.scale))
        elif prop.type != "Enum":
            assert kind == prop.type
        if prop.type == "Edm.DateTimeOffset" and element.get("Nullable") != "false":
            assert element.get("Nullable") is None


def test_the_service_document_lists_the_sets(api):
    answer = api.get("SAMINC/TX").json()
    assert answer["@odata.context"] == f"{api.base}/SAMINC/TX/$metadata"
    assert {each["name"] for each in answer["value"]} >= {"TXTaxGroups", "TXTaxRates"}
