"""How oddities change what an X3 server shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from erp_sandbox.oddities import Oddities
from erp_sandbox.sagex3.errors import ArgumentError, Refused, diagnoses, opaque, refused
from erp_sandbox.sagex3.model import NO_DATE
from erp_sandbox.sagex3.oddities import ODDITIES
from erp_sandbox.sagex3.source import Shape

if TYPE_CHECKING:
    import sqlite3

    from erp_sandbox.sagex3.graphql_names import Property

_NONE: Final = Oddities(ODDITIES)
_MEGABYTE: Final = 1_000_000
#: Fields with an index of which a server's schema may say that they have none; sizes are assumed.
_TAXES: Final = {"TAX": 10, "BASTAX": 10, "AMTTAX": 10, "BPAADDLIG": 3}
_ELEMENTS: Final = {"TSCCOD": 5, "INVDTA": 9, "INVDTAAMT": 9, "REP": 3}
_INDEXED: Final = {
    "PINVOICE": _TAXES,
    "SINVOICE": _TAXES,
    "PINVOICEV": _TAXES,
    "SINVOICEV": {**_TAXES, **_ELEMENTS},
    "BPCUSTOMER": _ELEMENTS,
}
_UNRESOLVED: Final = "The reference cannot be resolved."


class OddServer:
    """What a server's oddities do.

    Args:
        oddities: Those that it has.
    """

    def __init__(self, oddities: Oddities = _NONE) -> None:
        self.oddities = oddities
        limit = oddities.value("page-limit", "0")
        self._most = int(limit)
        self.nested = int(oddities.value("nested-limit", "0")) or None
        self._renamed_values: dict[str, dict[str, str]] = {}
        for value, name in oddities.parts("enum-renamed", 2):
            enum, _, label = value.partition(".")
            self._renamed_values.setdefault(enum, {})[label] = name

    def shape(self, table: str) -> Shape:
        """What a table shows differently."""
        hidden = set()
        for value in self.oddities.values("hidden"):
            owner, dot, code = value.rpartition(".")
            if not dot or owner == table:
                hidden.add(code)
        indexed = _INDEXED.get(table, {}) if "indexed-as-lists" in self.oddities else {}
        return Shape(frozenset(hidden), tuple(indexed.items()))

    def check_size(self, size: int | None) -> None:
        """Refuse a page that is too large.

        Raises:
            ArgumentError: As GraphQL does.
        """
        if self._most and size is not None and size > self._most:
            raise ArgumentError(f"Invalid value for first: {size}")

    def check_count(self, text: str) -> None:
        """Refuse a page that is too large.

        Raises:
            Refused: As api1 does.
        """
        if self._most and text.isdigit() and int(text) > self._most:
            raise refused(400, f"Invalid count: {text}")

    def class_name(self, name: str) -> str:
        """The class that is meant by a name; one that there is none of where it does not exist."""
        for old, new in self.oddities.parts("class-renamed", 2):
            if name == new:
                return old
            if name == old:
                return ""
        return "" if name in self.oddities.values("class-missing") else name

    def representation(self, text: str) -> str:
        """The representation that is meant; a class that is called otherwise has one of its name."""
        for old, new in self.oddities.parts("class-renamed", 2):
            if text.removeprefix("Z").startswith(f"{new}."):
                return text.replace(new, old, 1)
        return text

    def query_refused(self, refusal: Refused) -> Refused:
        """A refusal of a list's options."""
        if "unknown-property-500" not in self.oddities or b"does not exist" not in refusal.response.body:
            return refusal
        if self.oddities.value("unknown-property-500") != "told":
            return opaque()
        words = bytes(refusal.response.body).split(b"'")[1].decode()
        return Refused(diagnoses(500, f"Property {words} does not exist"))

    def check_prototypes(self) -> None:
        """Refuse to describe.

        Raises:
            Refused: With nothing of use.
        """
        if "prototypes-500" in self.oddities:
            raise opaque()

    def row(self, row: dict[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
        """A row of api1."""
        for code in hidden:
            row.pop(code, None)
        if "empty-date" in self.oddities:
            day = self.oddities.value("empty-date")
            for code, value in row.items():
                if isinstance(value, str) and value.startswith(NO_DATE):
                    row[code] = value.replace(NO_DATE, day, 1)
        if "references-as-objects" in self.oddities:
            for code in self.oddities.values("references-as-objects") or ("CUR",):
                if code in row:
                    row[code] = {"$key": row[code]}
        return row

    def listed(self, body: dict[str, Any]) -> dict[str, Any]:
        """A list of api1."""
        if "no-links" in self.oddities:
            body.pop("$links")
        return body

    def shown_property(self, table: str, given: Property) -> Property:
        """A property of a node, or of its elements."""
        named = {f"{table}.{code}" for code in given.codes}
        if given.kind == "leaf" and named & set(self.oddities.values("key-as-reference")):
            return replace(given, kind="reference", type="keyPart", decisive=given.codes[0])
        return given

    def description(self, text: str | None) -> str | None:
        """A description of the schema."""
        if text is None:
            return None
        if "no-codes" in self.oddities:
            return text.rpartition(" (")[0]
        return f"{text[:-1]}_0)" if "codes-with-index" in self.oddities else text

    def element_key(self, code: str) -> str | None:
        """The description of an element's id."""
        return self.description(f"Id ({code})") if "element-keys" in self.oddities else None

    def labels(self, enum: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """The values of an enum as the schema has them."""
        gaps = {value.partition(".")[2] for value in self._of("enum-gap", enum)}
        more = tuple(value.partition(".")[2] for value in self._of("enum-extra", enum))
        renamed = self._renamed_values.get(enum, {})
        return tuple(renamed.get(label, label) for label in known if label not in gaps) + more

    def renamed(self, enum: str) -> dict[str, str]:
        """The values of an enum that have other names."""
        return self._renamed_values.get(enum, {})

    def offers(self, node: str) -> bool:
        """Whether a node is in its package."""
        return node not in self.oddities.values("node-missing")

    def check_reference(self, node: str, name: str, shown: str, *, first: bool) -> None:
        """Refuse to resolve a reference.

        Raises:
            ValueError: With what X3 says.
        """
        for value, key in self.oddities.parts("unresolvable-reference", 2):
            if value == f"{node}.{name}" and (shown == key if key else first):
                raise ValueError(_UNRESOLVED)

    def forbids(self, text: str) -> bool:
        """Whether a query may not be asked."""
        return "introspection-forbidden" in self.oddities and ("__schema" in text or "__type(" in text)

    @property
    def padding(self) -> int:
        """By how many enums of a megabyte the schema is larger."""
        return int(self.oddities.value("introspection-large", "0"))

    def overlay(self, connection: sqlite3.Connection) -> None:
        """Let a connection see rows that are other than those that are stored."""
        key, doc = "key", "doc"
        for value in self.oddities.values("pipe-in-key"):
            old, new = value.replace("'", "''"), f"{value[:-2]}|{value[-2:]}".replace("'", "''")
            key = (
                f"substr(replace('~' || {key} || '~', '~{old}~', '~{new}~'), 2,"
                f" length(replace('~' || {key} || '~', '~{old}~', '~{new}~')) - 2)"
            )
            doc = f"replace({doc}, '\"{old}\"', '\"{new}\"')"
        if "pipe-in-key" in self.oddities:
            columns = f"folder, tbl, {key} AS key, visible, {doc} AS doc"
            connection.execute(
                f"CREATE TEMP VIEW IF NOT EXISTS sagex3_rows AS SELECT {columns} FROM main.sagex3_rows"
            )

    def _of(self, name: str, enum: str) -> list[str]:
        return [value for value in self.oddities.values(name) if value.startswith(f"{enum}.")]


def padding(number: int) -> list[str]:
    """Names of the values of an enum whose descriptions make it large."""
    return [f"filler{number}of{nth}" for nth in range(1_000)]


#: What describes each of them: with it, an enum fills a megabyte.
FILLER: Final = "x" * (_MEGABYTE // 1_000)
