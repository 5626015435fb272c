"""The declarations of the streams and the schema files say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tap_sage300 import schema_files
from tap_sage300.streams import RESOURCES

SCHEMAS = {
    p.stem: json.loads(p.read_text()) for p in Path(schema_files.__file__).parent.glob("schemas/*.json")
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
    model = json.loads((Path(__file__).parents[2] / "erp-sandbox/erp_sandbox/sage300/model.json").read_text())
    readable = {name for name, entity_set in model.items() if "GET" in entity_set["verbs"]}
    assert readable == {r.entity_set for r in RESOURCES}


def test_no_schema_offers_a_password():
    assert not [name for name, schema in SCHEMAS.items() if re.search("password", json.dumps(schema), re.I)]
