"""Write each plugin's settings table into its README, from what the plugin itself declares.

``python docs/settings.py`` writes; with ``--check`` it only says which README is behind, and exits with 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
START, END = "<!-- settings -->\n", "<!-- /settings -->"
#: What the SDK gives every plugin; https://sdk.meltano.com describes it.
SDK = ("batch_config", "stream_map", "stream_maps", "faker_config", "flattening_", "process_activate")


def table(plugin: str) -> str:
    """The settings of a plugin as a Markdown table."""
    about = subprocess.run([BIN / plugin, "--about", "--format=json"], check=True, capture_output=True)
    schema = json.loads(about.stdout)["settings"]
    needed = set(schema.get("required", ()))
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, setting in schema["properties"].items():
        if name.startswith(SDK):
            continue
        marks = "".join(
            [" (required)" if name in needed else "", " (secret)" if setting.get("secret") else ""]
        )
        lines.append(f"| `{name}`{marks} | {_default(setting)} | {_meaning(setting)} |")
    return "\n".join(lines) + "\n"


def _default(setting: dict[str, Any]) -> str:
    value = setting.get("default")
    return "" if value is None else f"`{json.dumps(value).strip(chr(34))}`"


def _meaning(setting: dict[str, Any]) -> str:
    choices = [choice for choice in setting.get("enum", ()) if choice is not None]
    said = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    return " ".join(str(setting.get("description", "")).split()).replace("|", "\\|") + said


def main() -> None:
    """Write or check every README that has a place for the table."""
    behind = []
    for readme in sorted(ROOT.glob("t*-*/README.md")):
        text = readme.read_text()
        if START not in text:
            continue
        before, rest = text.split(START)
        after = rest.split(END, 1)[1]
        fresh = f"{before}{START}{table(readme.parent.name)}{END}{after}"
        if fresh != text:
            behind.append(readme.parent.name)
            if "--check" not in sys.argv:
                readme.write_text(fresh)
    if behind and "--check" in sys.argv:
        sys.exit(f"Behind: {', '.join(behind)}. Run `make settings`.")


if __name__ == "__main__":
    main()
