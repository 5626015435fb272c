"""What some X3 servers always do beside the rules; ``--oddity`` switches it on."""

from __future__ import annotations

from typing import Final

from erp_sandbox.odd_wire import WIRE
from erp_sandbox.oddities import REPORTED, Oddity

_DESCRIPTIONS: Final = "reference section 2.2: only one public source shows codes; else " + REPORTED

ODDITIES: Final[dict[str, Oddity]] = {
    "element-keys": Oddity(
        "elements of indexed fields describe their id with the code of their document's key",
        "denormalised arrays in reference section 2.2; the description is " + REPORTED,
    ),
    "indexed-as-lists": Oddity(
        "taxes, statistical groups, invoicing elements and sales reps come as lists over both APIs",
        "reference section 8 and " + REPORTED,
    ),
    "hidden": Oddity(
        "a field is in no answer, no description and no schema, and cannot be asked for",
        "reference section 4 and " + REPORTED,
        "[TABLE.]CODE",
    ),
    "key-as-reference": Oddity(
        "a part of a key is a reference to a node that has _id and code only", REPORTED, "TABLE.CODE"
    ),
    "unknown-property-500": Oddity(
        "where and orderBy with an unknown property get 500, with a sentence (VALUE told) or without",
        "Sage's help says so; reference section 1.5",
        "[VALUE]",
    ),
    "class-missing": Oddity("a class does not exist", "reference section 1.8", "CLASS"),
    "class-renamed": Oddity("a class has another name", "reference section 1.8", "CLASS:NAME"),
    "node-missing": Oddity("a node is in no package", "reference section 2.2", "NODE"),
    "page-limit": Oddity("first and count beyond so many rows are refused", REPORTED, "ROWS"),
    "no-codes": Oddity("descriptions of the schema show no field codes", _DESCRIPTIONS),
    "codes-with-index": Oddity("descriptions of the schema show (CODE_0)", _DESCRIPTIONS),
    "enum-gap": Oddity(
        "an enum of the schema lacks a value of its local menu",
        "local menus in reference section 7, and " + REPORTED,
        "ENUM.VALUE",
    ),
    "enum-extra": Oddity("an enum has one more value at its end, of a package", REPORTED, "ENUM.VALUE"),
    "enum-renamed": Oddity(
        "a value of an enum has another name, for example substituteValue4", REPORTED, "ENUM.VALUE:NAME"
    ),
    "references-as-objects": Oddity(
        "references come as sub-entities with $key over api1; CUR unless codes are given",
        "reference section 1.3 and " + REPORTED,
        "[CODE]",
    ),
    "empty-date": Oddity(
        "a date that is not set comes as this day over api1, 1753-01-01 with SQL Server",
        "reference section 7 and https://learn.microsoft.com/sql/t-sql/data-types/datetime-transact-sql",
        "DATE",
    ),
    "nested-limit": Oddity("a nested collection shows at most so many rows a page", REPORTED, "ROWS"),
    "prototypes-500": Oddity("$prototypes answers with 500", "reference section 1.5"),
    "no-links": Oddity("lists come without $links, full pages too", REPORTED),
    "pipe-in-key": Oddity(
        "a value has a | before its last two characters, wherever it stands", REPORTED, "VALUE"
    ),
    "introspection-forbidden": Oddity("Introspection is not allowed", REPORTED),
    "introspection-large": Oddity(
        "introspection is larger by so many megabytes, as X3 Cloud's is of 22", REPORTED, "MEGABYTES"
    ),
    "unresolvable-reference": Oddity(
        "a reference of one record, or of the first of each page, cannot be resolved",
        "partial data in reference section 2.4, and " + REPORTED,
        "NODE.PROPERTY[:ID]",
    ),
    **WIRE,
}
