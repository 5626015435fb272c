"""Intacct's XML as hotglue's tap takes it apart (hotgluexyz/tap-intacct, client.py at 05206d7), in lines of Singer.

xmltodict, then through JSON into plain dictionaries; a message and a line a record. It asks for 2,000 records a page
like the others, where that tap asks for 1,000, and writes each page at once, where that tap keeps all of them.
``python hotglue_parse.py CONFIG``; it runs in an environment of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests
import xmltodict
from questions import asked

_PAGE = 2_000


def main(config: dict[str, Any]) -> None:
    """Read all details."""
    headers = {"Content-Type": "application/xml"}
    offset = 0
    while True:
        body = asked(config["login"], config["fields"], _PAGE, offset)
        answer = requests.post(config["base_url"], data=body, headers=headers, timeout=600)
        parsed = json.loads(json.dumps(xmltodict.parse(answer.text)))
        data = parsed["response"]["operation"]["result"]["data"]
        for record in data["GLDETAIL"]:
            message = {"type": "RECORD", "stream": "gl_detail", "record": record}
            sys.stdout.write(json.dumps(message) + "\n")
        offset += _PAGE
        if int(data["@numremaining"]) == 0:
            return


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
