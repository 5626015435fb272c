"""What a statement needs, makes and takes away, by its parsed form.

Each statement's page has a section "Access control requirements"; the general rule, cited in all of them, is
that whoever operates on an object needs any privilege on its database and on its schema:
https://docs.snowflake.com/en/sql-reference/sql/create-table#access-control-requirements
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlglot import exp

from erp_sandbox.snowflake.grants import OWNERSHIP
from erp_sandbox.snowflake.naming import NAME, Key, completed, full_name

if TYPE_CHECKING:
    from erp_sandbox.snowflake.grants import Thing

INFORMATION = "INFORMATION_SCHEMA"
ANY = "ANY"
"""Any privilege at all."""
_FLAGS = re.IGNORECASE | re.DOTALL
_STAGE = re.compile(r"@(?P<stage>[^\s'/;)]+)")
_STAGED = re.compile(r"^\s*(?P<verb>PUT|GET|LIST|LS|REMOVE|RM)\b", _FLAGS)
_STREAM = re.compile(
    rf"^\s*CREATE\s+(?:OR\s+REPLACE\s+)?STREAM\s+(?:IF\s+NOT\s+EXISTS\s+)?{NAME}\s+ON\s+TABLE\s+"
    rf"(?P<table>\S+)",
    _FLAGS,
)
_SHOWN = re.compile(rf"^\s*SHOW\s+.*\bIN\s+(?:TABLE\s+)?{NAME}\s*;?\s*$", _FLAGS)
_ALTERED = re.compile(rf"^\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?{NAME}", _FLAGS)
_PRIVILEGES = {"Update": "UPDATE", "Delete": "DELETE"}
_KINDS_OF_SCHEMAS = ("VIEW", "TABLE")


class Need(NamedTuple):
    """A privilege on a thing."""

    privilege: str
    thing: Thing


@dataclass
class Needs:
    """What a statement needs and does.

    Attributes:
        needs: The privileges.
        makes: What it creates, for whoever runs it to own.
        drops: What is no more after it.
        moves: What exchanges its name with what.
        replaces: Whether it puts what it creates in the place of what is there.
        careful: Whether it does nothing where the thing is there, or not there, already.
        temporary: Whether what it creates is the session's own.
        computes: Whether it needs a warehouse.
    """

    needs: list[Need] = field(default_factory=list)
    makes: list[Thing] = field(default_factory=list)
    drops: list[Thing] = field(default_factory=list)
    moves: list[tuple[Thing, Thing]] = field(default_factory=list)
    replaces: bool = False
    careful: bool = False
    temporary: bool = False
    computes: bool = False


def needs_of(connection: Any, sql: str, tree: exp.Expr) -> Needs:
    """What a statement needs and does.

    Args:
        connection: fakesnow's connection of the session.
        sql: The statement.
        tree: The same, parsed.
    """
    for kind, read in _READERS:
        if isinstance(tree, kind):
            return read(connection, tree)
    return _of_text(connection, sql)


def table_key(connection: Any, table: exp.Table) -> Key:
    """Database, schema and name of a table."""
    parts = [part for part in (table.args.get("catalog"), table.args.get("db"), table.this) if part]
    return completed(connection, [_name(part) for part in parts])


def _name(part: Any) -> str:
    text: str = part.name
    return text if part.args.get("quoted") else text.upper()


def _tables(connection: Any, tree: exp.Expr | None, left_out: exp.Expr | None = None) -> list[Key]:
    """Tables that a query reads, without what it names itself."""
    if tree is None:
        return []
    own = {cte.alias.upper() for cte in tree.find_all(exp.CTE)}
    return [
        table_key(connection, table)
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier)
        and table is not left_out
        and not (not table.db and table.name.upper() in own)
        and table.db.upper() != INFORMATION
    ]


def _reads(connection: Any, tree: exp.Expr, left_out: exp.Expr | None = None) -> list[Need]:
    found = [Need("SELECT", ("TABLE", key)) for key in _tables(connection, tree, left_out)]
    for stage in {
        str(each.this) for each in tree.find_all(exp.Table) if str(each.this).lstrip("'")[:1] == "@"
    }:
        found += _stage(connection, stage, "READ")
    return found


def _query(connection: Any, tree: exp.Expr) -> Needs:
    return Needs(_reads(connection, tree), computes=tree.find(exp.Table) is not None)


def _target(tree: exp.Expr) -> exp.Table | None:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return target if isinstance(target, exp.Table) else None


def _change(connection: Any, tree: exp.Expr) -> Needs:
    """INSERT, UPDATE, DELETE, MERGE and COPY INTO a table."""
    target = _target(tree)
    found = Needs(_reads(connection, tree, target), computes=True)
    if target is None:
        return found
    thing: Thing = ("TABLE", table_key(connection, target))
    if isinstance(tree, exp.Merge):
        done = {_done(when.args.get("then")) for when in tree.find_all(exp.When)}
        privileges = ["SELECT", *sorted(done)]
    else:
        privileges = [_PRIVILEGES.get(type(tree).__name__, "INSERT")]
    if isinstance(tree, exp.Insert) and tree.args.get("overwrite"):
        privileges.append("DELETE")
    found.needs = [*(Need(privilege, thing) for privilege in privileges), *found.needs]
    if isinstance(tree, exp.Copy):
        for file in tree.args.get("files") or []:
            found.needs += _stage(connection, file.sql(dialect="snowflake"), "READ")
    return found


def _done(then: Any) -> str:
    if isinstance(then, exp.Insert | exp.Update):
        return "INSERT" if isinstance(then, exp.Insert) else "UPDATE"
    return "DELETE"


def _truncate(connection: Any, tree: exp.Expr) -> Needs:
    tables = tree.expressions
    return Needs([Need("TRUNCATE", ("TABLE", table_key(connection, table))) for table in tables])


def _thing(connection: Any, kind: str, table: exp.Table) -> Thing:
    parts = [part for part in (table.args.get("catalog"), table.args.get("db"), table.this) if part]
    # a schema is parsed as the db of a table that has no name, a database as a table's name
    names = [_name(part) for part in parts if getattr(part, "name", "")]
    if kind == "DATABASE":
        return kind, tuple(names)
    if kind == "SCHEMA":
        return kind, completed(connection, names, 2)
    return "TABLE" if kind in _KINDS_OF_SCHEMAS else kind, completed(connection, names)


def _create(connection: Any, tree: exp.Expr) -> Needs:
    target = _target(tree)
    kind = str(tree.args.get("kind") or "").upper()
    if target is None:
        return Needs()
    thing = _thing(connection, kind, target)
    properties = tree.args.get("properties")
    temporary = properties is not None and properties.find(exp.TemporaryProperty) is not None
    found = Needs(
        makes=[thing],
        replaces=bool(tree.args.get("replace")),
        careful=bool(tree.args.get("exists")),
        temporary=temporary,
    )
    if kind == "DATABASE":
        found.needs.append(Need("CREATE DATABASE", ("ACCOUNT", ())))
    elif kind == "SCHEMA":
        found.needs.append(Need("CREATE SCHEMA", ("DATABASE", thing[1][:1])))
    else:
        # a temporary one needs no more than the schema:
        # https://docs.snowflake.com/en/sql-reference/sql/create-table and create-stage, in the said section
        privilege = ANY if temporary else f"CREATE {kind}"
        found.needs.append(Need(privilege, ("SCHEMA", thing[1][:2])))
    found.needs += _reads(connection, tree, target)
    found.computes = isinstance(tree.args.get("expression"), exp.Query)
    return found


def _drop(connection: Any, tree: exp.Expr) -> Needs:
    kind = str(tree.args.get("kind") or "").upper()
    tables = [table for table in tree.args.get("tables") or [] if isinstance(table, exp.Table)]
    things = [_thing(connection, kind, table) for table in tables]
    return Needs(
        [Need(OWNERSHIP, thing) for thing in things], drops=things, careful=bool(tree.args.get("exists"))
    )


def _alter(connection: Any, tree: exp.Expr) -> Needs:
    if not isinstance(tree.this, exp.Table) or str(tree.args.get("kind")).upper() not in _KINDS_OF_SCHEMAS:
        return Needs()
    thing: Thing = ("TABLE", table_key(connection, tree.this))
    found = Needs([Need(OWNERSHIP, thing)])
    for action in tree.args.get("actions") or []:
        if isinstance(action, exp.AlterRename | exp.SwapTable) and isinstance(action.this, exp.Table):
            other: Thing = ("TABLE", table_key(connection, action.this))
            swaps = isinstance(action, exp.SwapTable)
            found.needs.append(
                Need(OWNERSHIP, other) if swaps else Need("CREATE TABLE", ("SCHEMA", other[1][:2]))
            )
            found.moves.append((thing, other))
    return found


def _comment(connection: Any, tree: exp.Expr) -> Needs:
    kind = str(tree.args.get("kind") or "").upper()
    if kind == "COLUMN" and isinstance(tree.this, exp.Column):
        parts = [_name(part) for part in tree.this.parts[:-1]]
        return Needs([Need(OWNERSHIP, ("TABLE", completed(connection, parts)))])
    if isinstance(tree.this, exp.Table):
        return Needs([Need(OWNERSHIP, _thing(connection, kind, tree.this))])
    return Needs()


def _describe(connection: Any, tree: exp.Expr) -> Needs:
    if isinstance(tree.this, exp.Table):
        return Needs([Need(ANY, ("TABLE", table_key(connection, tree.this)))])
    return Needs(_reads(connection, tree))


def _stage(connection: Any, text: str, privilege: str) -> list[Need]:
    """A named stage; the user's own needs nothing, and a table's belongs to the table's owner."""
    match = _STAGE.search(text)
    if match is None or match["stage"].startswith("~"):
        return []
    name = match["stage"].rstrip("'")
    if "%" in name:
        return [Need(OWNERSHIP, ("TABLE", full_name(connection, name.replace("%", ""))))]
    return [Need(privilege, ("STAGE", full_name(connection, name)))]


def _of_text(connection: Any, sql: str) -> Needs:
    """Statements that are not parsed."""
    head = sql[:4_000]
    if match := _STAGED.match(head):
        privilege = "READ" if match["verb"].upper() in {"GET", "LIST", "LS"} else "WRITE"
        return Needs(_stage(connection, head, privilege))
    if match := _ALTERED.match(head):
        return Needs([Need(OWNERSHIP, ("TABLE", full_name(connection, match["name"])))])
    if match := _STREAM.match(head):
        key = full_name(connection, match["name"])
        source: Thing = ("TABLE", full_name(connection, match["table"]))
        needs = [Need("CREATE STREAM", ("SCHEMA", key[:2])), Need("SELECT", source)]
        return Needs(needs, makes=[("STREAM", key)], careful="NOT EXISTS" in head.upper())
    if "PRIMARY KEYS" in head.upper() and (match := _SHOWN.match(head)):
        return Needs([Need(ANY, ("TABLE", full_name(connection, match["name"])))])
    return Needs()


_READERS = (
    (exp.Query, _query),
    ((exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy), _change),
    (exp.TruncateTable, _truncate),
    (exp.Create, _create),
    (exp.Drop, _drop),
    (exp.Alter, _alter),
    (exp.Comment, _comment),
    (exp.Describe, _describe),
)
