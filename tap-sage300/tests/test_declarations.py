"""The declarations of the streams, the schema files, and the reference agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ml_connector.extract.resource import Carried, walk
from tap_sage300 import schema_files
from tap_sage300.schema_files import FILES
from tap_sage300.streams import RESOURCES
from tap_sage300.streams.resource import SEGMENTS

SCHEMAS = {
    p.stem: json.loads(p.read_text()) for p in Path(schema_files.__file__).parent.glob("schemas/*.json")
}
MODEL = json.loads((Path(__file__).parents[2] / "erp-sandbox/erp_sandbox/sage300/model.json").read_text())
MODEL_KINDS = {
    "Edm.String": "string",
    "Enum": "string",
    "Edm.Boolean": "boolean",
    "Edm.DateTimeOffset": "date",
    "Collection": "array",
    "Edm.Decimal": "integer",  # without decimals: numbers of batches, counts
    **dict.fromkeys(("Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64"), "integer"),
}
STREAMS = [(r, None, ()) for r in RESOURCES] + [
    (r, lines, path) for r in RESOURCES for lines, path in walk(r.lines)
]


def name_of(stream):
    resource, lines, _ = stream
    return (lines or resource).stream


def test_every_schema_file_has_its_stream_and_every_stream_its_file():
    assert sorted(map(name_of, STREAMS)) == sorted(SCHEMAS)


def test_what_a_declaration_names_is_a_field_of_its_schema():
    assert list(FILES.faults(RESOURCES)) == []


@pytest.mark.parametrize("stream", STREAMS, ids=name_of)
def test_lines_carry_fields_that_their_documents_have(stream):
    resource, lines, path = stream
    for each in lines.carried if lines else ():
        carried = each if isinstance(each, Carried) else Carried(each, each)
        above = SCHEMAS[resource.stream]["properties"]
        for step in path[: carried.level]:
            above = above[step]["items"]["properties"]
        assert carried.field in above
        assert carried.column in SCHEMAS[lines.stream]["properties"]


@pytest.mark.parametrize("stream", STREAMS, ids=name_of)
def test_every_line_names_its_document(stream):
    """So that targets know which lines a document has lost."""
    resource, lines, _ = stream
    if lines is not None:
        assert set(resource.key) <= set(SCHEMAS[lines.stream]["properties"])


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.stream)
def test_the_values_of_a_document_that_is_done_are_described(resource):
    if resource.final:
        described = SCHEMAS[resource.stream]["properties"][resource.final.field].get("description", "")
        assert all(value in described for value in resource.final.values)


def test_every_readable_entity_set_of_the_sandboxs_model_has_a_stream():
    readable = {name for name, entity_set in MODEL.items() if "GET" in entity_set["verbs"]}
    assert readable == {r.entity_set for r in RESOURCES}


def kind(described):
    """A schema's type as the model would call it, decimals with their scale."""
    name = next(t for t in [described["type"], *described["type"]] if isinstance(t, str) and t != "null")
    if name == "number":
        return "Edm.Decimal", described["x-scale"]
    return ("date" if described.get("format") else name), 0


def model_kind(described):
    if described["type"] == "Edm.Decimal" and described.get("scale", 3):
        return "Edm.Decimal", described.get("scale", 3)
    return MODEL_KINDS[described["type"]], 0


def disagreements(properties, model, at):
    for name, described in properties.items():
        if name not in model:
            yield at, name, "not in the model"
            continue
        if kind(described) != model_kind(model[name]):
            yield at, name, kind(described), model_kind(model[name])
        inner = {p["name"]: p for p in model[name].get("properties", ())}
        yield from disagreements(described.get("items", {}).get("properties", {}), inner, f"{at}.{name}")


@pytest.mark.parametrize("stream", STREAMS, ids=name_of)
def test_every_field_is_of_the_type_that_the_reference_gives_it(stream):
    """The model is the reference in another form: whole numbers, money and rates are told apart there."""
    resource, lines, path = stream
    name = name_of(stream)
    levels = [{p["name"]: p for p in MODEL[resource.entity_set]["properties"]}]
    for step in path:
        levels.append({p["name"]: p for p in levels[-1][step]["properties"]})
    own = dict(SCHEMAS[name]["properties"])
    for column in ("source_company", "source_module", *(SEGMENTS if (lines or resource).account else ())):
        del own[column]
    for each in lines.carried if lines else ():
        carried = each if isinstance(each, Carried) else Carried(each, each)
        found = {carried.field: own.pop(carried.column)}
        assert not list(disagreements(found, levels[carried.level], name)), carried.column
    ancestors = {column: found for level in levels for column, found in level.items()}
    assert not list(disagreements(own, ancestors, name))


def test_no_schema_offers_a_password():
    assert not [name for name, schema in SCHEMAS.items() if re.search("password", json.dumps(schema), re.I)]
