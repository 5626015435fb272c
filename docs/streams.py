"""Write each ERP's list of streams, from the taps' own streams and schemas, into ``docs/streams``.

``python docs/streams.py`` writes; with ``--check`` it only says which list is behind, and exits with 1.
No server is asked: discovery works offline.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream

ROOT = Path(__file__).resolve().parent.parent
#: Page, title, tap and settings that discovery wants, though it calls nobody.
LISTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "sage300",
        "Sage 300",
        "tap_sage300.tap:TapSage300",
        {
            "base_url": "https://erp.example/Sage300WebApi/v1.0/-",
            "companies": ["SAMINC"],
            "username": "reader",
            "password": "none",
        },
    ),
    (
        "sageintacct",
        "Sage Intacct",
        "tap_sageintacct.tap:TapSageIntacct",
        {
            "sender_id": "sender",
            "sender_password": "none",
            "company_id": "company",
            "user_id": "reader",
            "user_password": "none",
        },
    ),
    (
        "sagex3",
        "Sage X3",
        "tap_sagex3.tap:TapSageX3",
        {
            "api": "rest",
            "base_url": "https://erp.example",
            "folders": ["SEED"],
            "auth": "basic",
            "username": "reader",
            "password": "none",
        },
    ),
)
INTRODUCTION = """# {title}: streams

<!-- made by `make settings` -->

The {count} streams of `{plugin}`, with {columns} columns. How they join: [join guide](../joins/{page}.md).

A key begins with `source_company`, which the list leaves out. Where there is no replication key, a stream is
read whole in every run and followed by ACTIVATE_VERSION. Columns are those of the shipped schema; discovery
against a server adds the site's own. ° marks a stream that discovery does not select. *Lines of* names the
stream of the documents that the rows belong to.

| stream | what it is | key | replication key | columns | lines of |
|---|---|---|---|---:|---|
"""
ABBREVIATIONS = {"ap": "AP", "ar": "AR", "gl": "GL"}


def streams_of(tap: str, config: dict[str, Any]) -> list[Stream]:
    """A tap's streams by name, as it discovers them offline."""
    module, name = tap.split(":")
    made = getattr(import_module(module), name)(
        config={**config, "discover_custom_fields": False}, setup_mapper=False
    )
    return sorted(made.streams.values(), key=lambda stream: str(stream.name))


def parents(streams: list[Stream]) -> dict[str, str]:
    """Line stream to document stream: fed from the same answer, or declared where lines are asked for."""
    found = {child.name: stream.name for stream in streams for child in stream.child_streams}
    for stream in streams:
        declared = getattr(getattr(stream, "resource", None), "parent", None)
        if declared:
            found[stream.name] = declared
    return found


def about(tap: str, stream: Stream) -> str:
    """What a stream is, in a sentence."""
    path = files(tap.partition(".")[0]).joinpath("schemas", f"{stream.name}.json")
    said = str(json.loads(path.read_text(encoding="utf-8")).get("description", ""))
    words = [ABBREVIATIONS.get(word, word) for word in stream.name.split("_")]
    name = " ".join(words)
    address = re.search(r"\s*(https?://\S+?)\.?$", said)
    text = said[: address.start()] if address else said
    if text.startswith("Object "):
        # The gateway's objects have a name and a page, and no words.
        text = f"{name[0].upper()}{name[1:]}: o{text[1:]}"
    return f"{text} [Reference]({address[1]})" if address else text


def page_of(page: str, title: str, tap: str, config: dict[str, Any]) -> str:
    """A list of streams as Markdown."""
    streams = streams_of(tap, config)
    documents = parents(streams)
    text = INTRODUCTION.format(
        title=title,
        page=page,
        plugin=tap.partition(".")[0].replace("_", "-"),
        count=len(streams),
        columns=f"{sum(len(stream.schema['properties']) for stream in streams):,}",
    )
    for stream in streams:
        mark = "" if stream.selected_by_default else " °"
        key = ", ".join(f"`{name}`" for name in stream.primary_keys if name != "source_company")
        stamp = f"`{stream.replication_key}`" if stream.replication_key else ""
        parent = f"`{documents[stream.name]}`" if stream.name in documents else ""
        what = about(tap, stream).replace("|", "\\|")
        columns = len(stream.schema["properties"])
        text += f"| `{stream.name}`{mark} | {what} | {key} | {stamp} | {columns} | {parent} |\n"
    return text


def fresh() -> Iterator[tuple[Path, str]]:
    """Every list, and what it should be."""
    for page, *rest in LISTS:
        yield ROOT / "docs" / "streams" / f"{page}.md", page_of(page, *rest)


def main() -> None:
    """Write or check every list."""
    logging.disable(logging.WARNING)
    behind = []
    for path, text in fresh():
        if not path.exists() or text != path.read_text(encoding="utf-8"):
            behind.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if behind and "--check" in sys.argv:
        sys.exit(f"Behind: {', '.join(behind)}. Run `make settings`.")


if __name__ == "__main__":
    main()
