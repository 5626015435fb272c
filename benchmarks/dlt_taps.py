"""dlt's rest_api source on the same answers, into files of JSON lines on this disk; it runs in dlt's environment.

``python dlt_taps.py KIND CONFIG`` writes how many records there are in the files as its last word.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
}

import dlt
from dlt.sources.rest_api import rest_api_source
from questions import HEADERS

_CURSOR = "data.x3Finance.journalEntry.query.pageInfo.endCursor"
_MORE = "data.x3Finance.journalEntry.query.pageInfo.hasNextPage"


def _sage300(given: dict[str, Any]) -> list[Any]:
    endpoint = {
        "path": "SAMINC/GL/GLPostedTransactions",
        "data_selector": "value",
        "paginator": {"type": "json_link", "next_url_path": "'@odata.nextLink'"},
    }
    return [{"name": given["stream"], "endpoint": endpoint}]


def _list(given: dict[str, Any]) -> list[Any]:
    endpoint = {
        "path": "api1/x3/erp/SAMINC/GACCENTRYD",
        "params": {"representation": "ZGACCENTRYD.$query", "count": 1000},
        "data_selector": "'$resources'",
        "paginator": {"type": "json_link", "next_url_path": "'$links'.'$next'.'$url'"},
    }
    return [{"name": given["stream"], "endpoint": endpoint}]


def _documents(given: dict[str, Any]) -> list[Any]:
    entries = {
        "path": "api1/x3/erp/SAMINC/GACCENTRY",
        "params": {"representation": "GACCENTRY.$query", "count": 100},
        "data_selector": "'$resources'",
        "paginator": {"type": "json_link", "next_url_path": "'$links'.'$next'.'$url'"},
    }
    lines = {
        "path": "api1/x3/erp/SAMINC/GACCENTRY('STDCO~{resources.entries.NUM}')",
        "params": {"representation": "GACCENTRY.$details"},
        "data_selector": "HAEDAE",
        "paginator": "single_page",
    }
    return [
        {"name": "entries", "endpoint": entries, "selected": False},
        {"name": given["stream"], "endpoint": lines},
    ]


def _graphql(given: dict[str, Any]) -> list[Any]:
    endpoint = {
        "path": "xtrem/api",
        "method": "POST",
        "json": {"query": _escaped(given["query"]), "variables": {"after": None}},
        "data_selector": "data.x3Finance.journalEntry.query.edges[*].node.journalEntryLines.query.edges[*].node",
        "paginator": {
            "type": "cursor",
            "cursor_path": _CURSOR,
            "cursor_body_path": "variables.after",
            "has_more_path": _MORE,
        },
    }
    return [{"name": given["stream"], "endpoint": endpoint}]


def _escaped(query: str) -> str:
    """Braces stand for placeholders to dlt."""
    return query.replace("{", "{{").replace("}", "}}")


KINDS = {"sage300": _sage300, "list": _list, "documents": _documents, "graphql": _graphql}


def main() -> None:
    """Read and load."""
    given = json.loads(Path(sys.argv[2]).read_text())
    folder = Path(given["folder"])
    shutil.rmtree(folder, ignore_errors=True)
    client = {
        "base_url": given["base_url"].rstrip("/") + "/",
        "headers": {"Content-Type": "application/json", **HEADERS},
        "auth": {"type": "http_basic", "username": given["username"], "password": given["password"]},
    }
    source = rest_api_source({"client": client, "resources": KINDS[sys.argv[1]](given)})
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(str(folder / "files")),
        dataset_name="bench",
    )
    pipeline.run(source, loader_file_format="jsonl")
    print(sum(_lines(path) for path in folder.glob(f"files/bench/{given['stream']}/*")))


def _lines(path: Path) -> int:
    """The lines of a file, which dlt may have packed."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


if __name__ == "__main__":
    main()
