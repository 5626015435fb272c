"""Which number of a local menu the name of an enum's value is."""

from __future__ import annotations

import pytest

from tap_sagex3.menus import camel_case, menu_of, named


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Yes automatic", "yesAutomatic"),
        ("Credit memo/Return", "creditMemoReturn"),
        ("Off-balance-sheet", "offBalanceSheet"),
        ("IAS", "ias"),
        ("Ledger 4", "ledger4"),
    ],
)
def test_names_are_made_of_the_english_texts(label, name):
    assert camel_case(label) == name


def test_a_value_that_is_missing_does_not_move_the_others():
    found = menu_of(["PORDER"], "RCPFLG", ["no", "inPart", "inFull", "yesAutomatic"])
    assert found.numbers == {"no": 1, "inPart": 2, "inFull": 3, "yesAutomatic": 5}
    assert found.unknown == ()


def test_the_order_of_the_values_tells_nothing():
    assert menu_of(["GACCENTRY"], "STA", ["final", "temporary"]).numbers == {"temporary": 1, "final": 2}


def test_what_a_package_added_stays_text():
    found = menu_of(["GACCENTRYD"], "LEDTYP", ["legal", "local"])
    assert found.numbers == {"legal": 1}
    assert found.unknown == ("local",)
    assert found.found


def test_a_value_without_a_name_bears_its_number():
    found = menu_of([], "ANY", ["temporary", "substituteValue2"])
    assert found.numbers == {"temporary": 1, "substituteValue2": 2}


def test_texts_that_are_there_twice_bear_their_number():
    assert named(["Open", "Other", "Other"]) == {
        "open": 1,
        "open1": 1,
        "other2": 2,
        "other3": 3,
    }


def test_a_menu_of_another_field_is_found_by_its_names():
    found = menu_of(["PRECEIPT"], "INVFLG", ["no", "inPart", "inFull", "notManaged"])
    assert found.numbers["notManaged"] == 4


def test_names_that_two_menus_have_in_other_places_are_not_guessed():
    # of suppliers 2, of customers 4
    found = menu_of(["ELSEWHERE"], "ANY", ["normal", "prospect"])
    assert not found.found
    assert found.unknown == ("normal", "prospect")
    assert menu_of(["BPCUSTOMER"], "BPCTYP", ["normal", "prospect"]).numbers["prospect"] == 4
