"""Answers are read in one go; what is not of its types is never lost."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from ml_connector.extract.decode import JsonRows
from ml_connector.extract.source import Selection, Texts
from tap_sage300.answers import AnswerReader, WrappedError

SHAPE = {
    (): {"Number": {"type": "string"}, "Name": {"type": ["string", "null"]}, "Amount": {"type": "number"}}
}
ROWS = JsonRows(Selection(frozenset({"Number", "Name", "Amount"})), SHAPE, {"Number"})
READER = AnswerReader(("Number",), ROWS)


def body(*records, **around):
    return json.dumps({"@odata.context": "x", "value": records, **around}).encode()


def test_records_keys_count_and_link_come_from_one_answer():
    answer = READER.answer(
        b"\xef\xbb\xbf" + body({"Number": "1"}, **{"@odata.count": "7", "@odata.nextLink": "x"})
    )
    assert (answer.keys, answer.count, answer.linked) == ([("1",)], 7, True)
    assert READER.levels(answer)[()].columns["Number"] == ["1"]


def test_texts_that_were_decoded_as_texts_are_known_to_be_some():
    columns = READER.levels(
        READER.answer(body({"Number": "1", "Name": None}, {"Number": "2", "Amount": 1.5}))
    )[()]
    assert isinstance(columns.columns["Name"], Texts)
    assert columns.columns["Name"] == [None, msgspec.UNSET]
    assert not isinstance(columns.columns["Amount"], Texts)


def test_a_record_that_is_not_of_its_types_comes_as_it_came_with_all_others():
    answer = READER.answer(body({"Number": "1", "Name": {"first": 1.1}}, None, {"Number": "2", "Name": "B"}))
    assert answer.keys == [("1",), ("2",)]
    level = READER.levels(answer)[()]
    assert level.columns["Name"] == [{"first": Decimal("1.1")}, "B"]
    assert not isinstance(level.columns["Name"], Texts)
    assert READER.levels(answer, 1)[()].columns["Number"] == ["2"]


@pytest.mark.parametrize("name", ["A", 5])
def test_keys_are_kept_as_a_state_holds_them(name):
    answer = READER.answer(body({"Number": 10.50, "Name": name}, {"Name": name}, None, {"Number": 3}))
    assert [answer.key(place) for place in range(3)] == [["10.5"], [None], [3]]


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b'{"value": null}', b'{"value": ["a"]}', b'{"value": 1}', b"{"]
)
def test_what_is_no_collection_is_an_error(content):
    with pytest.raises(msgspec.DecodeError):
        READER.answer(content)


@pytest.mark.parametrize("around", [{}, {"value": []}, {"value": [{"Number": "1"}]}])
def test_an_error_in_a_success_is_one(around):
    with pytest.raises(WrappedError):
        READER.answer(json.dumps({"error": {"code": "General", "message": "x"}, **around}).encode())
