"""The registries of oddities, and the page that tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from erp_sandbox.intacct.oddities import ODDITIES as INTACCT
from erp_sandbox.oddities import Oddities, Oddity, oddity_help
from erp_sandbox.sage300.oddities import ODDITIES as SAGE300
from erp_sandbox.sagex3.oddities import ODDITIES as SAGEX3

README = Path(__file__).parents[1] / "README.md"
KNOWN = {
    "plain": Oddity("takes nothing", "here"),
    "some": Oddity("may take a thing", "here", "[THING]"),
    "one": Oddity("takes two parts", "here", "A:B"),
}


@pytest.mark.parametrize("registry", [SAGE300, INTACCT, SAGEX3])
def test_the_readme_tells_of_every_oddity(registry):
    rows = [line for line in README.read_text().splitlines() if line.startswith("| `")]
    for name, oddity in registry.items():
        told = f"| {oddity.meaning.replace('|', chr(92) + '|')} | {oddity.source} |"
        assert any(row.startswith(f"| `{name}") and row.endswith(told) for row in rows), name


def test_oddities_are_combined_and_read_by_name():
    chosen = Oddities(KNOWN, ["plain", "some=x", "some=y", "one=1:2:3"])
    assert "plain" in chosen
    assert chosen.values("some") == ["x", "y"]
    assert chosen.value("some") == "y"
    assert chosen.value("plain", "nothing") == "nothing"
    assert chosen.parts("one", 2) == [("1", "2:3")]
    assert chosen.parts("one", 4) == [("1", "2", "3", "")]
    assert not Oddities(KNOWN)


def test_an_oddity_without_a_value_holds_for_all_and_one_with_values_for_those():
    assert Oddities(KNOWN, ["some"]).hits("some", "anything")
    named = Oddities(KNOWN, ["some=Vendors", "some=items"])
    assert named.hits("some", "vendors")
    assert not named.hits("some", "customers")
    assert not Oddities(KNOWN).hits("some", "vendors")


def test_the_help_has_a_line_for_each():
    lines = oddity_help(KNOWN).splitlines()
    assert lines[2:] == [
        "plain: takes nothing (here)",
        "some[=THING]: may take a thing (here)",
        "one=A:B: takes two parts (here)",
    ]
