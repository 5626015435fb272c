"""What has to be done at the least: pages asked for, decoded, and written as lines.

``python tap_floors.py KIND CONFIG`` reads the address and what to ask for from a file.
"""

from __future__ import annotations

import base64
import http.client
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from lxml import etree
from questions import asked

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Connection:
    """Asks for pages with as little as it takes."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._place = urlsplit(config["base_url"])
        who = f"{config['username']}:{config['password']}".encode()
        self._headers = (
            {"Authorization": f"Basic {base64.b64encode(who).decode()}"} if config["username"] else {}
        )
        self._open = http.client.HTTPConnection(self._place.hostname or "", self._place.port)

    def ask(self, path: str, body: bytes | None = None) -> bytes:
        """The body of an answer."""
        headers = {"Content-Type": "application/xml" if body else "application/json", **self._headers}
        self._open.request("POST" if body else "GET", self._place.path + path, body, headers)
        return self._open.getresponse().read()


def _json_pages(config: dict[str, Any]) -> Iterator[bytes]:
    connection, skip = _Connection(config), 0
    while True:
        page = connection.ask(f"/SAMINC/GL/GLPostedTransactions?$count=true&$skip={skip}")
        yield page
        skip += 1_000
        if b'"@odata.nextLink"' not in page[-500:]:
            return


def _xml_pages(config: dict[str, Any]) -> Iterator[bytes]:
    connection, offset = _Connection(config), 0
    while True:
        page = connection.ask("", asked(config["login"], config["fields"], 2_000, offset))
        yield page
        offset += 2_000
        if b'numremaining="0"' in page[:2_000]:
            return


def structs(config: dict[str, Any]) -> None:
    """Pages into Structs whose numbers stay text, and many lines at once."""
    fields: list[Any] = []
    for name, about in json.loads(config["schema"])["properties"].items():
        types = about["type"]
        raw = {"number", "integer"} & ({types} if isinstance(types, str) else set(types))
        fields.append((name, msgspec.Raw if raw else str | None, msgspec.UNSET))
    row: Any = msgspec.defstruct("Row", fields, gc=False)
    page: Any = msgspec.defstruct("Page", [("value", list[row])])
    message = msgspec.defstruct("Message", [("stream", str), ("record", row)], tag_field="type", tag="RECORD")
    decoder, encoder = msgspec.json.Decoder(page), msgspec.json.Encoder()
    for body in _json_pages(config):
        lines = [message("gl_posted_transactions", each) for each in decoder.decode(body).value]
        sys.stdout.buffer.write(encoder.encode_lines(lines))


def decimals(config: dict[str, Any]) -> None:
    """Pages into dictionaries with Decimals, and many lines at once."""
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    encoder = msgspec.json.Encoder(decimal_format="number")
    for body in _json_pages(config):
        rows = decoder.decode(body)["value"]
        lines = [{"type": "RECORD", "stream": "gl_posted_transactions", "record": row} for row in rows]
        sys.stdout.buffer.write(encoder.encode_lines(lines))


def lxml(config: dict[str, Any]) -> None:
    """A page of XML into dictionaries, and many lines at once."""
    encoder = msgspec.json.Encoder()
    for body in _xml_pages(config):
        rows = [{e.tag: e.text for e in each} for each in etree.fromstring(body).iterfind(".//GLDETAIL")]
        lines = [{"type": "RECORD", "stream": "gl_detail", "record": row} for row in rows]
        sys.stdout.buffer.write(encoder.encode_lines(lines))


KINDS = {"structs": structs, "decimals": decimals, "lxml": lxml}

if __name__ == "__main__":
    KINDS[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
    sys.stdout.flush()
