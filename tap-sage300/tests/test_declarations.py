"""The declarations of the streams and the schema files say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tap_sage300 import schema_files
from tap_sage300.schema_files import SEGMENTS
from tap_sage300.streams import RESOURCES

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
STREAMS = [(r.stream, r.entity_set, r.module, r.key, ()) for r in RESOURCES] + [
    (lines.stream, r.entity_set, r.module, lines.key, lines.path) for r in RESOURCES for lines in r.lines
]
# Their stamps miss changes that matter: quantities on hand, deleted addresses.
READ_WHOLE_ALL_THE_SAME = {"items", "ar_ship_to_locations", "ap_remit_to_locations"}


def test_every_schema_file_has_its_stream_and_every_stream_its_file():
    assert {name for name, *_ in STREAMS} == set(SCHEMAS)
    assert len(STREAMS) == len(SCHEMAS)


@pytest.mark.parametrize(
    ("name", "entity_set", "module", "key", "path"), STREAMS, ids=[s[0] for s in STREAMS]
)
def test_declaration_and_schema_agree(name, entity_set, module, key, path):
    schema = SCHEMAS[name]
    assert (schema["x-entity-set"], schema["x-module"]) == (entity_set, module)
    assert tuple(schema["x-key"]) == key
    assert tuple(schema.get("x-path") or ()) == path
    assert set(key) <= set(schema["properties"])
    assert {"source_company", "source_module"} <= set(schema["properties"])


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.stream)
def test_what_decides_about_changes_is_a_property_of_the_document(resource):
    schema = SCHEMAS[resource.stream]
    deciding = [resource.replication_key, *resource.also_changed, resource.grows_by]
    deciding.append(resource.final.field if resource.final else None)
    assert {name for name in deciding if name} <= set(schema["properties"])
    if resource.stream not in READ_WHOLE_ALL_THE_SAME:
        assert resource.replication_key == schema.get("x-replication-key")
    if resource.final:
        described = schema["properties"][resource.final.field].get("description", "")
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


@pytest.mark.parametrize(
    ("name", "entity_set", "path"), [(s[0], s[1], s[4]) for s in STREAMS], ids=[s[0] for s in STREAMS]
)
def test_every_field_is_of_the_type_that_the_reference_gives_it(name, entity_set, path):
    """The model is the reference in another form: whole numbers, money and rates are told apart there."""
    schema = SCHEMAS[name]
    levels = [{p["name"]: p for p in MODEL[entity_set]["properties"]}]
    for step in path:
        levels.append({p["name"]: p for p in levels[-1][step]["properties"]})
    own = dict(schema["properties"])
    for column in ("source_company", "source_module", *(SEGMENTS if "x-looked-up" in schema else ())):
        del own[column]
    for column, (level, source) in schema.get("x-carried", {}).items():
        assert not list(disagreements({source: own.pop(column)}, levels[level], name)), column
    ancestors = {column: found for level in levels for column, found in level.items()}
    assert not list(disagreements(own, ancestors, name))


def test_no_schema_offers_a_password():
    assert not [name for name, schema in SCHEMAS.items() if re.search("password", json.dumps(schema), re.I)]
