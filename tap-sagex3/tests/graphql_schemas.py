"""Small GraphQL schemas, as introspection tells them."""

from __future__ import annotations


def field(name, kind, description=None, *args):
    return {
        "name": name,
        "description": description,
        "args": [{"name": each} for each in args],
        "type": {"kind": "OBJECT", "name": kind, "ofType": None},
    }


def kind(name, *fields, values=None):
    shape = "ENUM" if values else "OBJECT" if fields else "SCALAR"
    return {
        "name": name,
        "kind": shape,
        "fields": list(fields) or None,
        "enumValues": [{"name": each} for each in values or ()],
    }


def connection(of):
    return [
        kind(f"{of}_C", field("edges", f"{of}_E"), field("pageInfo", "PageInfo"), field("totalCount", "Int")),
        kind(f"{of}_E", field("node", of), field("cursor", "String")),
        kind(f"{of}_Ops", field("query", f"{of}_C"), field("read", of)),
    ]


def schema(*properties, root="x3MasterData", more=()):
    types = [
        kind("Query", field(root, "Pack")),
        kind("Pack", field("supplier", "Supplier_Ops")),
        *connection("Supplier"),
        kind("Supplier", field("_id", "Id"), *properties),
        kind("BusinessPartner", field("_id", "Id"), field("code", "String", "Code (BPRNUM)")),
        kind("Int"),
        kind("String"),
        kind("Id"),
        kind("Datetime"),
        *more,
    ]
    return {"queryType": {"name": "Query"}, "types": types}


CODE = field("code", "BusinessPartner", "Supplier (BPSNUM)")
