"""Write each plugin's settings where people and programs look for them, from what the plugin itself declares.

That is the table in its README, and the list in meltano.yml. ``python docs/settings.py`` writes; with
``--check`` it only says which file is behind, and exits with 1.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
START, END = "<!-- settings -->\n", "<!-- /settings -->"
#: A plugin's list in meltano.yml stands between these two comments; a plugin without them is kept by hand.
LISTED = re.compile(
    r"^(?P<indent> *)# settings of (?P<plugin>[\w-]+): made by `make settings`\n"
    r"(?P<list>.*?)(?P<end>^ *# end of settings\n)",
    re.MULTILINE | re.DOTALL,
)
#: What the SDK gives every plugin; https://sdk.meltano.com describes it.
SDK = ("batch_config", "stream_map", "stream_maps", "faker_config", "flattening_", "process_activate")
#: What a setting is in a Meltano project, where that is not its default.
VALUES = {"default_target_schema": "$MELTANO_EXTRACT__LOAD_SCHEMA"}
YAML_WORDS = frozenset({"true", "false", "null"})
#: https://docs.meltano.com/reference/plugin-definition-syntax#settingskind
KINDS = ("integer", "boolean", "array", "object")


@cache
def declared(plugin: str) -> dict[str, Any]:
    """The settings that a plugin declares, as a JSON schema."""
    about = subprocess.run([BIN / plugin, "--about", "--format=json"], check=True, capture_output=True)
    schema: dict[str, Any] = json.loads(about.stdout)["settings"]
    schema["properties"] = {
        name: setting for name, setting in schema["properties"].items() if not name.startswith(SDK)
    }
    return schema


def table(plugin: str) -> str:
    """The settings of a plugin as a Markdown table."""
    schema = declared(plugin)
    needed = set(schema.get("required", ()))
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, setting in schema["properties"].items():
        marks = "".join(
            [" (required)" if name in needed else "", " (secret)" if setting.get("secret") else ""]
        )
        lines.append(f"| `{name}`{marks} | {_default(setting)} | {_meaning(setting)} |")
    return "\n".join(lines) + "\n"


def listed(plugin: str, indent: str) -> str:
    """The settings of a plugin as Meltano's list, in YAML."""
    lines = [f"{indent}settings:"]
    for name, setting in declared(plugin)["properties"].items():
        about = _of_meltano(name, setting)
        lines += [
            f"{indent}{'  - ' if place == 0 else '    '}{key}: {value if key == 'name' else _yaml(value)}"
            for place, (key, value) in enumerate(about.items())
        ]
    return "\n".join(lines) + "\n"


def _of_meltano(name: str, setting: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name}
    choices = [choice for choice in setting.get("enum", ()) if choice is not None]
    if choices:
        about["kind"] = "options"
    elif setting.get("format") in {"date-time", "date"}:
        about["kind"] = "date_iso8601"
    elif kind := next(
        (kind for kind in KINDS if kind in setting.get("type", ()) and "string" not in setting["type"]), None
    ):
        about["kind"] = kind
    elif "number" in setting.get("type", ()) and "string" not in setting.get("type", ()):
        about["kind"] = "decimal"
    if setting.get("secret"):
        about |= {"kind": "string", "sensitive": True}
    about["label"] = setting.get("title") or name.replace("_", " ").capitalize()
    if description := " ".join(str(setting.get("description") or "").split()):
        about["description"] = description
    if choices:
        about["options"] = [{"label": str(choice), "value": choice} for choice in choices]
    value = VALUES.get(name, setting.get("default"))
    if value is not None:
        about["value"] = value
    return about


def _yaml(value: Any) -> str:
    """A value as JSON, which is YAML too; a word alone needs no quotes."""
    if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{3,}", value) and value not in YAML_WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _default(setting: dict[str, Any]) -> str:
    value = setting.get("default")
    return "" if value is None else f"`{json.dumps(value).strip(chr(34))}`"


def _meaning(setting: dict[str, Any]) -> str:
    choices = [choice for choice in setting.get("enum", ()) if choice is not None]
    said = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    return " ".join(str(setting.get("description", "")).split()).replace("|", "\\|") + said


def fresh() -> Iterator[tuple[Path, str]]:
    """Every file that has a place for settings, and what it should be."""
    for readme in sorted(ROOT.glob("t*-*/README.md")):
        text = readme.read_text()
        if START in text:
            before, rest = text.split(START)
            after = rest.split(END, 1)[1]
            yield readme, f"{before}{START}{table(readme.parent.name)}{END}{after}"
    project = ROOT / "meltano.yml"
    yield project, LISTED.sub(_relisted, project.read_text())


def _relisted(match: re.Match[str]) -> str:
    head = match.string[match.start() : match.start("list")]
    return f"{head}{listed(match['plugin'], match['indent'])}{match['end']}"


def main() -> None:
    """Write or check every file that has a place for settings."""
    behind = []
    for path, text in fresh():
        if text != path.read_text():
            behind.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(text)
    if behind and "--check" in sys.argv:
        sys.exit(f"Behind: {', '.join(behind)}. Run `make settings`.")


if __name__ == "__main__":
    main()
