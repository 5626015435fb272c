"""Every field of every shipped schema is described, for its description is the column's comment in the warehouse.

What is asked of a description: English, at least a word, a sentence's end, no note of ours about how it was
found, and more than the field's own code.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

TAPS = ("tap_sage300", "tap_sageintacct", "tap_sagex3")
#: Notes of ours, which belong in a reference.
NOTES = re.compile(
    r"inferred|see reference|reference section|French label|\blookup\b|sample value|not seen in"
    r"|seen in|inspect(ed)? answers?|LookML|Fivetran|\bTODO\b|\bguess",
    re.IGNORECASE,
)
#: Words that no English label has.
FRENCH = re.compile(
    r"\b(le|la|les|du|des|une|et|ou|pour|sur|avec|sans|aux?|dans|par|d'|l'|numero|montant|taxe|quantite|ligne"
    r"|cours|devise|societe|tiers|facture|livraison|commande|achat|vente|compte|pieces?|libelle|remise"
    r"|echeance|reglement|unite|prix|poids|adresse|ville|nombre|heure|saisie|solde|statut|etat)\b",
    re.IGNORECASE,
)
ACCENTED = re.compile(r"[\u00c0-\u024f]")
#: Upper-case codes that are words, and the ERPs' labels.
WORDS = frozenset(
    "allocation architect balance billable billed brand category cleared closed color comments condition"
    " description discount durometer entity exclusions factor fax inclusions lot memo message name note owner"
    " pager planner scope state statistical status style subcategory subtotal tax taxable terms title total"
    " units user".split()
)
WORD = re.compile(r"[A-Za-z]{2}")


def schemas():
    """Tap, stream and schema of every file that ships."""
    for tap in TAPS:
        folder = Path(import_module(tap).__file__).parent / "schemas"
        for path in sorted(folder.glob("*.json")):
            yield tap, path.stem, json.loads(path.read_text(encoding="utf-8"))


def fields(schema, at=()):
    """Every field at every depth, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield (*at, name), field
        yield from fields(field.get("items", {}), (*at, name))


def described():
    """Where a description stands, the code that it describes, and its text."""
    for tap, stream, schema in schemas():
        for path, field in fields(schema):
            yield f"{tap} {stream}.{'.'.join(path)}", path[-1], field.get("description")


DESCRIBED = list(described())


def test_there_are_schemas_of_every_tap():
    assert {where.split()[0] for where, _, _ in DESCRIBED} == set(TAPS)
    assert len(DESCRIBED) > 11_000


def test_every_field_is_described_in_a_sentence():
    assert [
        where for where, _, text in DESCRIBED if not (text and WORD.search(text) and text[-1] in ".)")
    ] == []


@pytest.mark.parametrize("wrong", [NOTES, FRENCH, ACCENTED], ids=["notes", "french", "accents"])
def test_no_description_holds_a_note_or_french(wrong):
    found = {f"{where}: {text}" for where, _, text in DESCRIBED if text and wrong.search(text)}
    assert sorted(found) == []


def test_no_description_merely_repeats_a_code():
    """`ACCNUM` described as Accnum; a code that is a word already, such as NAME, is its own label."""
    found = {
        f"{where}: {text}"
        for where, code, text in DESCRIBED
        if text and not code.islower() and code.lower() == text.rstrip(".").lower() and code.isupper()
        if code.lower() not in WORDS
    }
    assert sorted(found) == []


def test_the_same_label_of_x3_is_worded_the_same_way():
    """A code that says the same in two tables must not be two things to an analyst."""
    told = {}
    for where, name, text in DESCRIBED:
        if "tap_sagex3" in where and name in {"CREDAT", "UPDDAT", "CREUSR", "UPDUSR", "CUR", "FCY"}:
            told.setdefault(name, set()).add(text)
    assert {name: len(texts) for name, texts in told.items()} == dict.fromkeys(told, 1)


def of(tap, stream):
    return next(schema for t, s, schema in schemas() if (t, s) == (tap, stream))["properties"]


def test_formatted_and_unformatted_numbers_say_which_they_are():
    accounts = of("tap_sage300", "gl_accounts")
    assert "without separators" in accounts["UnformattedAccount"]["description"]
    assert "join them on UnformattedAccount" in accounts["AccountNumber"]["description"]
    for stream in ("gl_posted_transactions", "gl_posting_journal_details", "gl_journal_lines"):
        number = of("tap_sage300", stream)["AccountNumber"]["description"]
        assert "gl_accounts on UnformattedAccount, not on AccountNumber" in number
    for tap, stream, schema in schemas():
        for name, field in schema["properties"].items() if tap == "tap_sage300" else ():
            if name in {"ItemNumber", "Item"} and "Number of the item" in field["description"]:
                assert re.search("format|separator", field["description"]), (stream, name)


def test_keys_of_intacct_say_what_they_join():
    entries = of("tap_sageintacct", "gl_entries")
    assert "gl_batches on RECORDNO, not on BATCHNO" in entries["BATCHNO"]["description"]
    assert "the sign is TR_TYPE" in entries["AMOUNT"]["description"]


def test_a_day_is_a_date_and_only_moments_have_a_time():
    """Intacct's WHENCREATED is either: the day of a document, the moment at which a record was made."""
    moments = {
        "tap_sage300": re.compile("TimeValue$"),
        "tap_sageintacct": re.compile("(AU)?WHENCREATED$|WHENMODIFIED$|MODIFIED$"),
        "tap_sagex3": re.compile("(CRE|UPD)DATTIM$"),
    }
    found = [
        f"{tap} {stream}.{path[-1]}"
        for tap, stream, schema in schemas()
        for path, field in fields(schema)
        if field.get("format") == "date-time" and not moments[tap].match(path[-1])
    ]
    assert found == []
