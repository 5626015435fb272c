"""Lets a statement in if the session's role may do what it needs, and refuses it as Snowflake does if not.

What a role has no privilege on, it is told, does not exist; where it has some, but not the one it needs, it
is told so: https://docs.snowflake.com/en/user-guide/security-access-control-overview
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from sqlglot import exp

from erp_sandbox.snowflake.execution import StoppedError
from erp_sandbox.snowflake.failures import Failure
from erp_sandbox.snowflake.grants import ADMIN, OWNERSHIP, Grants
from erp_sandbox.snowflake.naming import PART, completed, parts_of
from erp_sandbox.snowflake.needs import ANY, INFORMATION, Need, Needs, needs_of

if TYPE_CHECKING:
    from erp_sandbox.snowflake.grants import Thing
    from erp_sandbox.snowflake.naming import Key
    from erp_sandbox.snowflake.sessions import Session

DONE = "SELECT 'Statement executed successfully.' AS \"status\""
_FLAGS = re.IGNORECASE | re.DOTALL
_GRANT = re.compile(
    rf"^\s*(?P<verb>GRANT|REVOKE)\s+(?P<what>.+?)\s+(?:TO|FROM)\s+(?:ROLE\s+)?(?P<role>{PART})"
    r"(?:\s+(?:WITH\s+GRANT\s+OPTION|COPY\s+CURRENT\s+GRANTS|REVOKE\s+CURRENT\s+GRANTS))?\s*;?\s*$",
    _FLAGS,
)
_GRANT_ROLE = re.compile(r"^\s*(?:GRANT|REVOKE)\s+ROLE\s", _FLAGS)
_CREATE_ROLE = re.compile(rf"^\s*CREATE\s+ROLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<role>{PART})\s*;?\s*$", _FLAGS)
_USE = re.compile(
    rf"^\s*USE\s+(?P<kind>ROLE|WAREHOUSE|DATABASE|SCHEMA)?\s*(?P<name>{PART}(?:\s*\.\s*{PART})?)\s*;?\s*$",
    _FLAGS,
)
_LISTED = {"SCHEMATA", "TABLES", "COLUMNS", "VIEWS"}


@dataclass(frozen=True)
class Admission:
    """A statement that was let in.

    Attributes:
        sql: What is left of it to do.
        needs: What it needed, and does.
        new: What it makes that was not there before.
        gone: What is no more after it.
    """

    sql: str
    needs: Needs
    new: tuple[Thing, ...] = ()
    gone: tuple[Thing, ...] = ()


class Roles:
    """Who may do what.

    Args:
        grants: The roles' privileges.
        account: The account's name.
    """

    def __init__(self, grants: Grants, account: str) -> None:
        self._grants = grants
        self._account = account

    @property
    def first(self) -> str:
        """The role of who asks for none."""
        return self._grants.first

    def known(self, role: str) -> bool:
        """Whether the user may take a role."""
        return self._grants.known(role)

    def admitted(self, session: Session, sql: str) -> Admission:
        """Let a statement in.

        Raises:
            StoppedError: If the role may not do what it needs.
        """
        if (done := self._about_roles(session, sql)) is not None:
            return Admission(done, Needs())
        if match := _USE.match(sql):
            self._check_use(session, (match["kind"] or "").upper(), match["name"])
            return Admission(sql, Needs())
        try:
            tree = sqlglot.parse_one(sql, read="snowflake")
        except sqlglot.ParseError:
            return Admission(sql, Needs())  # which others refuse
        needs = needs_of(session.connection, sql, tree)
        for need in needs.needs:
            self._check(session, need, needs)
        self._check_names(session, needs)
        if needs.computes and not self._warehouse(session):
            text = (
                "No active warehouse selected in the current session.  Select an active warehouse with the"
                " 'use warehouse' command."
            )
            raise StoppedError(Failure("000606", text, "57P03"))
        gone = [thing for thing in needs.drops if thing[1] not in session.temporary]
        new = []
        for thing in needs.makes if not needs.temporary else []:
            there = _exists(session.connection, thing)
            new += [thing] if needs.replaces or not there else []
            gone += [thing] if needs.replaces and there else []
        return Admission(self._filtered(session, tree, sql), needs, tuple(new), tuple(gone))

    def carried_out(self, session: Session, admission: Admission) -> None:
        """Note who owns what a statement has made, and forget what it has taken away."""
        for thing in admission.gone:
            self._grants.drop(thing)
        for one, other in admission.needs.moves:
            self._grants.move(one, other)
        for thing in admission.new:
            self._grants.own(session.role, thing)

    def _about_roles(self, session: Session, sql: str) -> str | None:
        """Do what a statement says of roles; None if it is no such statement."""
        create, grant = _CREATE_ROLE.match(sql), _GRANT.match(sql)
        if not create and not grant:
            return None
        if session.role != ADMIN:
            raise StoppedError(_insufficient("account", self._account))
        if create:
            self._grants.create(parts_of(create["role"])[0])
        elif grant and not _GRANT_ROLE.match(sql):
            role = parts_of(grant["role"])[0]
            if not self._grants.known(role):
                raise StoppedError(_missing("Role", role))
            try:
                given = grant["verb"].upper() == "GRANT"
                (self._grants.give if given else self._grants.take)(role, grant["what"])
            except ValueError as error:
                raise StoppedError(Failure("001003", f"SQL compilation error:\n{error}", "42000")) from None
        return DONE

    def _check_use(self, session: Session, kind: str, name: str) -> None:
        parts = parts_of(name)
        thing: Thing
        if kind == "ROLE":
            if not self._grants.known(parts[0]):
                text = (
                    f"SQL access control error:\nRequested role '{parts[0]}' is not assigned to the executing"
                    " user. Specify another role to activate."
                )
                raise StoppedError(Failure("003013", text, "42501"))
            return
        if kind == "SCHEMA" or len(parts) > 1:
            thing = ("SCHEMA", completed(session.connection, parts, 2))
        else:
            thing = (kind or "DATABASE", tuple(parts))
        if not self._grants.sees(session.role, thing):
            text = "SQL compilation error:\nObject does not exist, or operation cannot be performed."
            raise StoppedError(Failure("002043", text, "02000"))

    def _check(self, session: Session, need: Need, needs: Needs) -> None:
        """See that the role has a privilege, and any on what the thing is in."""
        role, (kind, key) = session.role, need.thing
        if kind not in {"DATABASE", "SCHEMA", "ACCOUNT"} and key in session.temporary:
            return
        if kind not in {"ACCOUNT", "WAREHOUSE"}:
            if not self._grants.sees(role, ("DATABASE", key[:1])):
                raise StoppedError(_missing("Database", key[0]))
            if len(key) > 1 and not self._grants.sees(role, ("SCHEMA", key[:2])):
                raise StoppedError(_missing("Schema", ".".join(key[:2])))
        if not self._grants.sees(role, need.thing):
            if needs.drops and needs.careful:
                return  # for this role there is nothing to drop
            if kind != "ACCOUNT":
                raise StoppedError(
                    _missing("Object" if need.privilege == "SELECT" else kind.title(), ".".join(key))
                )
        if need.privilege != ANY and not self._grants.may(role, need.privilege, need.thing):
            name = key[-1] if key else self._account
            raise StoppedError(_insufficient(kind.lower(), name))

    def _check_names(self, session: Session, needs: Needs) -> None:
        """See that what is put in the place, or before the face, of something belongs to the role."""
        for thing in needs.makes:
            # https://docs.snowflake.com/en/release-notes/bcr-bundles/2023_03/bcr-427
            hidden = needs.replaces or needs.temporary
            there = hidden and thing[1] not in session.temporary and _exists(session.connection, thing)
            if there and not self._grants.may(session.role, OWNERSHIP, thing):
                raise StoppedError(_insufficient(thing[0].lower(), thing[1][-1]))

    def _warehouse(self, session: Session) -> bool:
        name = session.warehouse
        return bool(name) and self._grants.may(session.role, "USAGE", ("WAREHOUSE", (str(name).upper(),)))

    def _filtered(self, session: Session, tree: exp.Expr, sql: str) -> str:
        """A query of the information schema that sees only what the role sees.

        https://docs.snowflake.com/en/sql-reference/info-schema (general usage notes)
        """
        views = [
            t for t in tree.find_all(exp.Table) if t.db.upper() == INFORMATION and t.name.upper() in _LISTED
        ]
        if not views or session.role == ADMIN:
            return sql
        for view in views:
            database = (view.catalog or session.connection.database or "").upper()
            condition = self._seen(session, database, view.name.upper())
            inner = exp.select("*").from_(exp.Table(**{k: v for k, v in view.args.items() if k != "alias"}))
            alias = view.alias or view.name
            view.replace(inner.where(condition).subquery(alias))
        return tree.sql(dialect="snowflake")

    def _seen(self, session: Session, database: str, view: str) -> exp.Expr:
        role = session.role
        schemas = [key[1] for key in self._grants.seen(role, "SCHEMA") if key[0] == database]
        if view == "SCHEMATA":
            return exp.column("SCHEMA_NAME").isin(
                *[exp.Literal.string(name) for name in [INFORMATION, *schemas]]
            )
        every = [key[1] for key in self._grants.seen(role, "TABLES IN SCHEMA") if key[0] == database]
        tables = [
            key[1:]
            for key in {*self._grants.seen(role, "TABLE"), *session.temporary}
            if key[0] == database and key[1] in schemas
        ]
        pairs = [
            exp.and_(exp.column("TABLE_SCHEMA").eq(schema), exp.column("TABLE_NAME").eq(name))
            for schema, name in tables
        ]
        whole = [exp.column("TABLE_SCHEMA").eq(schema) for schema in every]
        return exp.or_(exp.false(), *pairs, *whole)


def _missing(kind: str, name: str) -> Failure:
    text = f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized."
    return Failure("002003", text, "42S02" if kind in {"Object", "Table"} else "02000")


def _insufficient(kind: str, name: str) -> Failure:
    text = f"SQL access control error:\nInsufficient privileges to operate on {kind} '{name}'"
    return Failure("003001", text, "42501")


def _exists(connection: Any, thing: Thing) -> bool:
    """Whether something is there already."""
    kind, key = thing
    asked: dict[str, tuple[str, Key]] = {
        "DATABASE": ("schemata WHERE upper(catalog_name) = ?", key),
        "SCHEMA": ("schemata WHERE catalog_name = ? AND schema_name = ?", key),
        "TABLE": ("tables WHERE table_catalog = ? AND table_schema = ? AND table_name = ?", key),
    }
    if kind not in asked:
        return False
    where, values = asked[kind]
    with suppress(duckdb.Error):
        duck = connection._duck_conn  # noqa: SLF001 - there is no public way to the session's database
        found = duck.execute(f"SELECT 1 FROM information_schema.{where}", list(values)).fetchone()
        return found is not None
    return False
