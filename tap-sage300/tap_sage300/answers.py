"""What stands in an answer: records by the Structs of a read, their keys, and what the next request needs."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING, Any

import msgspec
from ml_connector.extract.digits import decode_exactly

from tap_sage300.errors import error_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml_connector.extract.decode import JsonRows
    from ml_connector.extract.source import Levels

_BOM = b"\xef\xbb\xbf"
UNSET = msgspec.UNSET


class WrappedError(Exception):
    """A success that carries an error object."""


class Answer(msgspec.Struct):
    """A page of a collection.

    Attributes:
        records: Its records: Structs of the reader's rows, or dictionaries where one is not of its types.
        keys: Their keys.
        count: How many records match, if the server says.
        linked: Whether there is a next link.
    """

    records: list[Any]
    keys: list[tuple[Any, ...]]
    count: int | None = None
    linked: bool = False

    def key(self, place: int) -> list[Any]:
        """A key as a state holds it: decimals as text, nothing for what is missing."""
        values = self.keys[place]
        return [None if each is UNSET else str(each) if type(each) is Decimal else each for each in values]


class AnswerReader:
    """Reads answers: the records and what is around them in one go.

    Args:
        key: The names of the key; the rows have them, too.
        rows: The records' types.
    """

    def __init__(self, key: Sequence[str], rows: JsonRows) -> None:
        self._key, self._rows = key, rows
        envelope = msgspec.defstruct(
            "Envelope",
            [
                ("value", list[rows.type | None] | msgspec.UnsetType, UNSET),  # type: ignore[name-defined]
                ("count", Any, None),
                ("link", Any, None),
                ("error", Any, None),
            ],
            rename={"count": "@odata.count", "link": "@odata.nextLink"},
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(envelope, float_hook=Decimal)

    def answer(self, content: bytes) -> Answer:
        """Read an answer.

        Raises:
            WrappedError: It is an error.
            msgspec.DecodeError: It is no collection.
        """
        content = content.removeprefix(_BOM)
        try:
            found = self._decoder.decode(content)
        except msgspec.ValidationError:
            return self._untyped(content)
        if found.value is UNSET or isinstance(found.error, dict):
            return self._untyped(content)
        records = [each for each in found.value if each is not None] if None in found.value else found.value
        keys = self._rows.tuples(records, self._key)
        return Answer(records, keys, _count(found.count), bool(found.link))

    def levels(self, answer: Answer, drop: int = 0) -> Levels:
        """The columns of an answer.

        Args:
            answer: One that this reader has read.
            drop: How many records at its beginning are left out.
        """
        records = answer.records[drop:] if drop else answer.records
        if records and isinstance(records[0], dict):
            return self._rows.careful(records)
        return self._rows.columns(records)

    def _untyped(self, content: bytes) -> Answer:
        """An answer of which not all is as the schema says: its records stay as they came."""
        document = one_object(content)
        records = document.get("value")
        if not isinstance(records, list) or not all(isinstance(each, dict | None) for each in records):
            raise msgspec.DecodeError("no list of records under 'value'")
        records = [each for each in records if each is not None]
        keys = [tuple(each.get(name) for name in self._key) for each in records]
        link = document.get("@odata.nextLink")
        return Answer(records, keys, _count(document.get("@odata.count")), bool(link))


def one_object(content: bytes) -> dict[str, Any]:
    """Decode a body that is a JSON object.

    Raises:
        WrappedError: It is an error.
        msgspec.DecodeError: It is none.
    """
    document = decode_exactly(content.removeprefix(_BOM))
    if error_in(document) is not None:
        raise WrappedError
    if not isinstance(document, dict):
        raise msgspec.DecodeError("not a JSON object")
    return document


def ascending(keys: Sequence[tuple[Any, ...]]) -> bool:
    """Whether keys come in their order, none of them blank."""
    try:
        return all(map(lt, keys, islice(keys, 1, None)))
    except TypeError:  # a blank among them
        return False


def _count(value: Any) -> int | None:
    """A count, also one that came as text."""
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None
