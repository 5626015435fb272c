"""Which column each JSON schema gives."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.load.schema import Column, Kind, SchemaError, columns_of

D, S, V = Kind.DECIMAL, Kind.STRING, Kind.VARIANT
STAMP = {"type": "string", "format": "date-time"}

TABLE = [
    ({"type": "string"}, (S, None, None)),
    ({"type": ["null", "string"], "maxLength": 3}, (S, None, None)),
    ({"type": "string", "format": "uuid"}, (S, None, None)),
    ({"type": "integer"}, (Kind.INTEGER, 38, 0)),
    ({"type": "boolean"}, (Kind.BOOLEAN, None, None)),
    ({"type": "number"}, (Kind.DOUBLE, None, None)),
    ({"type": "number", "multipleOf": 0.001, "x-precision": 19, "x-scale": 3}, (D, 19, 3)),
    ({"type": "number", "multipleOf": 0.01}, (D, 38, 2)),
    ({"type": "number", "multipleOf": 1e-7}, (D, 38, 7)),
    ({"type": "number", "multipleOf": 0.25}, (D, 38, 2)),
    ({"type": "number", "multipleOf": 10}, (D, 38, 0)),
    ({"type": "number", "multipleOf": 0}, (Kind.DOUBLE, None, None)),
    ({"type": "number", "multipleOf": 1e-300}, (Kind.DOUBLE, None, None)),
    ({"type": "number", "x-precision": 12}, (D, 12, 0)),
    ({"type": "number", "x-precision": 12, "multipleOf": 0.01}, (D, 12, 2)),
    ({"type": "number", "x-scale": 4}, (D, 38, 4)),
    ({"type": "number", "x-precision": 60, "x-scale": 4}, (D, 38, 4)),
    ({"type": "number", "x-precision": 2, "x-scale": 5}, (D, 5, 5)),
    ({"type": "string", "format": "singer.decimal"}, (D, 38, 9)),
    (
        {"type": ["string", "number", "null"], "format": "singer.decimal", "x-precision": 9, "x-scale": 2},
        (D, 9, 2),
    ),
    ({"type": "string", "format": "date"}, (Kind.DATE, None, None)),
    (STAMP, (Kind.TIMESTAMP_TZ, None, None)),
    ({**STAMP, "x-timezone-naive": True}, (Kind.TIMESTAMP_NTZ, None, None)),
    ({"type": "string", "format": "time"}, (Kind.TIME, None, None)),
    ({"type": "string", "contentEncoding": "base64"}, (Kind.BINARY, None, None)),
    ({"type": "object"}, (V, None, None)),
    ({"type": "array", "items": {"type": "object"}}, (V, None, None)),
    ({}, (V, None, None)),
    (True, (V, None, None)),
    ({"type": "null"}, (V, None, None)),
    ({"type": []}, (V, None, None)),
    ({"type": "any"}, (V, None, None)),
    ({"properties": {"a": {}}}, (V, None, None)),
    ({"items": {}}, (V, None, None)),
    ({"enum": ["a", "b", None]}, (S, None, None)),
    ({"enum": [Decimal("1.5")]}, (Kind.DOUBLE, None, None)),
    ({"type": "number", "multipleOf": Decimal("0.001")}, (D, 38, 3)),
    ({"enum": [1, "b"]}, (V, None, None)),
    ({"const": 1}, (Kind.INTEGER, 38, 0)),
    ({"type": ["integer", "number"]}, (Kind.DOUBLE, None, None)),
    ({"anyOf": [{"type": "integer"}, {"type": "number", "multipleOf": 0.01}]}, (D, 38, 2)),
    ({"type": ["integer", "string"]}, (V, None, None)),
    ({"type": ["boolean", "string"]}, (V, None, None)),
    ({"type": ["string", "array"]}, (V, None, None)),
    ({"anyOf": [STAMP, {"type": "null"}]}, (Kind.TIMESTAMP_TZ, None, None)),
    ({"anyOf": [STAMP, {"type": ["string", "null"]}]}, (S, None, None)),
    ({"oneOf": [STAMP, {"type": "string", "format": "date"}]}, (S, None, None)),
    ({"allOf": [{"type": ["string", "null"]}, {"format": "date"}]}, (Kind.DATE, None, None)),
    ({"allOf": [{"type": "number"}, {"type": "integer"}]}, (Kind.INTEGER, 38, 0)),
    ({"type": "string", "anyOf": [{"format": "date"}]}, (Kind.DATE, None, None)),
    ({"$ref": "#/definitions/money"}, (D, 19, 2)),
    ({"$ref": "#/$defs/nested/~1odd~0"}, (S, None, None)),
    ({"$ref": "#/definitions/loop"}, (V, None, None)),
    ({"anyOf": [{"$ref": "#/definitions/money"}, {"type": "null"}]}, (D, 19, 2)),
]
DEFINITIONS = {
    "definitions": {
        "money": {"type": "number", "x-precision": 19, "x-scale": 2},
        "loop": {"$ref": "#/definitions/loop"},
    },
    "$defs": {"nested": {"/odd~": {"type": "string"}}},
}


@pytest.mark.parametrize(("property_", "expected"), TABLE, ids=[str(schema) for schema, _ in TABLE])
def test_a_property_gives_its_column(property_, expected):
    (column,) = columns_of({"type": "object", "properties": {"x": property_}, **DEFINITIONS})
    assert (column.kind, column.precision, column.scale) == expected


@pytest.mark.parametrize(
    ("number_type", "expected"),
    [
        ("double", (Kind.DOUBLE, None, None)),
        ("decimal", (D, 38, 9)),
        ("number", (D, 38, 9)),
        ("NUMBER(20, 4)", (D, 20, 4)),
        ("decimal(12)", (D, 12, 0)),
    ],
)
def test_a_bare_number_becomes_what_number_type_says(number_type, expected):
    (column,) = columns_of({"properties": {"x": {"type": "number"}}}, number_type=number_type)
    assert (column.kind, column.precision, column.scale) == expected


@pytest.mark.parametrize("number_type", ["money", "number(39,2)", "number(5,6)", "number(0,0)"])
def test_an_impossible_number_type_is_refused(number_type):
    with pytest.raises(SchemaError, match="number_type"):
        columns_of({"properties": {"x": {"type": "number"}}}, number_type=number_type)


def test_names_order_keys_and_nullability_follow_the_schema():
    schema = {
        "properties": {
            "class": {"type": "integer"},
            "Ünit price.€": {"type": ["string", "null"]},
            "needed": {"type": "string"},
            "needed or null": {"type": ["string", "null"]},
            "optional": {"type": "string"},
        },
        "required": ["needed", "needed or null"],
    }
    assert columns_of(schema, key_properties=["class"]) == (
        Column("class", Kind.INTEGER, 38, 0, nullable=False, required=True),
        Column("Ünit price.€", S, nullable=True, required=False),
        Column("needed", S, nullable=False, required=True),
        Column("needed or null", S, nullable=True, required=True),
        Column("optional", S, nullable=True, required=False),
    )


def test_composition_at_the_top_gathers_the_properties():
    schema = {
        "allOf": [
            {"$ref": "#/definitions/base"},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ],
        "definitions": {"base": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}},
    }
    assert [(c.name, c.kind, c.required) for c in columns_of(schema)] == [
        ("a", Kind.INTEGER, True),
        ("b", S, True),
    ]


def test_branches_at_the_top_require_only_what_each_requires():
    branch = {"properties": {"id": {"type": "integer"}, "x": {"type": "integer"}}, "required": ["id", "x"]}
    other = {"properties": {"id": {"type": "integer"}, "x": {"type": "string"}}, "required": ["id"]}
    assert [(c.name, c.kind, c.required) for c in columns_of({"oneOf": [branch, other]})] == [
        ("id", Kind.INTEGER, True),
        ("x", V, False),
    ]


def test_the_targets_own_names_get_no_second_column():
    schema = {
        "properties": {
            "id": {"type": "integer"},
            "_sdc_deleted_at": STAMP,
            "_sdc_sequence": {"type": "integer"},
        }
    }
    assert [column.name for column in columns_of(schema)] == ["id"]


@pytest.mark.parametrize(
    ("schema", "keys", "said"),
    [
        ({"type": "object"}, [], "no `properties`"),
        ({}, [], "no `properties`"),
        ({"properties": {"a": {}}}, ["b"], "Key property `b`"),
        ({"properties": {"a": {"$ref": "#/nowhere"}}}, [], "`#/nowhere`"),
        ({"properties": {"a": {"$ref": "https://example.org/s.json"}}}, [], "example.org"),
    ],
)
def test_a_schema_that_cannot_be_loaded_is_explained(schema, keys, said):
    with pytest.raises(SchemaError, match=said):
        columns_of(schema, key_properties=keys)


def fanning_out(levels, last):
    """References that double at each level: 2^levels ways to the last one."""
    return {
        f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}, {"$ref": f"#/$defs/d{level + 1}"}]}
        for level in range(levels)
    } | {f"d{levels}": last}


def property_of(value, **schema):
    return columns_of({"properties": {"x": value}, **schema})[0]


def test_references_that_fan_out_are_followed_once():
    text = {"type": ["string", "null"]}
    assert property_of({"$ref": "#/$defs/d0"}, **{"$defs": fanning_out(25, text)}) == Column("x", S)
    merged = {name: {"allOf": way.get("anyOf", [way])} for name, way in fanning_out(25, text).items()}
    assert property_of({"$ref": "#/$defs/d0"}, **{"$defs": merged}) == Column("x", S)


def test_references_that_fan_out_and_lead_back_are_an_error_not_a_hang():
    circle = fanning_out(25, {"anyOf": [{"$ref": f"#/$defs/d{level}"} for level in range(25)]})
    with pytest.raises(SchemaError, match="more than 10,000 alternatives"):
        property_of({"$ref": "#/$defs/d0"}, **{"$defs": circle})


def test_a_circle_is_followed_once_and_takes_anything():
    tree = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/tree"}]}
    assert property_of({"$ref": "#/$defs/tree"}, **{"$defs": {"tree": tree}}).kind is V
    both = {"a": {"anyOf": [{"$ref": "#/$defs/b"}, {"type": "string"}]}, "b": {"$ref": "#/$defs/a"}}
    schema = {"properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/b"}}, "$defs": both}
    assert [column.kind for column in columns_of(schema)] == [V, V]


def test_choices_that_multiply_are_an_error_not_a_hang():
    choice = [{"anyOf": [{"title": f"{n}a"}, {f"x-{n}": n}]} for n in range(25)]
    with pytest.raises(SchemaError, match="more than 10,000 alternatives"):
        property_of({"type": "string", "allOf": choice})


@pytest.mark.parametrize("keyword", ["anyOf", "allOf"])
def test_a_schema_nested_without_end_is_an_error(keyword):
    value = {"type": "string"}
    for _ in range(1_200):
        value = {keyword: [value]}
    with pytest.raises(SchemaError, match="nested deeper than can be read"):
        property_of(value)


def test_many_branches_may_describe_a_property_each_in_its_way():
    branches = [{"properties": {"x": {"type": "string", "title": str(n)}}} for n in range(2_000)]
    assert columns_of({"oneOf": branches})[0].kind is S


def test_a_name_that_no_encoding_can_write_is_an_error():
    with pytest.raises(SchemaError, match="half of a surrogate pair"):
        columns_of({"properties": {"\ud800": {"type": "string"}}})
