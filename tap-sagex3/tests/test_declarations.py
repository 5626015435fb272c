"""Every stream is declared once; its schema file holds the fields that the declaration names."""

from __future__ import annotations

from dataclasses import replace

from tap_sagex3.streams import RESOURCES
from tap_sagex3.tap import FILES


def test_what_declarations_name_is_in_the_schema_files():
    assert not list(FILES.faults(RESOURCES))


def test_a_key_that_is_no_field_is_found():
    broken = replace(RESOURCES[0], key=("NOTHING",))
    assert "NOTHING" in next(FILES.faults([broken]))
