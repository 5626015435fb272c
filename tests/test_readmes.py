"""What READMEs, meltano.yml and the lists of streams say of the plugins is what the plugins say of themselves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def check(root=ROOT, script="settings.py"):
    command = [sys.executable, root / "docs" / script, "--check"]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_list_of_settings_is_that_of_the_plugin():
    done = check()
    assert done.returncode == 0, done.stderr
    assert "<!-- settings -->" in (ROOT / "target-snowflake-ml" / "README.md").read_text()
    project = (ROOT / "meltano.yml").read_text()
    assert "# settings of target-snowflake-ml: made by `make settings`" in project
    assert 'value: "$MELTANO_EXTRACT__LOAD_SCHEMA"' in project


def test_a_list_that_is_behind_is_named(tmp_path):
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "settings.py", tmp_path / "docs")
    text = (ROOT / "meltano.yml").read_text()
    (tmp_path / "meltano.yml").write_text(text.replace("- name: hard_delete", "- name: soft_delete"))
    done = check(tmp_path)
    assert done.returncode == 1
    assert "Behind: meltano.yml" in done.stderr


def test_every_list_of_streams_is_that_of_the_tap():
    done = check(script="streams.py")
    assert done.returncode == 0, done.stderr
    for page in ("sage300", "sageintacct", "sagex3"):
        listed = (ROOT / "docs" / "streams" / f"{page}.md").read_text()
        assert "made by `make settings`" in listed


@pytest.mark.parametrize("page", ["sage300", "sageintacct", "sagex3"])
def test_a_join_guide_names_streams_and_columns_that_there_are(page):
    guide = (ROOT / "docs" / "joins" / f"{page}.md").read_text()
    folder = ROOT / f"tap-{page}" / f"tap_{page}" / "schemas"
    columns = {path.stem: json.loads(path.read_text())["properties"].keys() for path in folder.glob("*.json")}
    named = {name for name in re.findall(r"`([a-z]+[a-z0-9_]*)`", guide) if not name.startswith("source_")}
    assert sorted(named - columns.keys()) == []
    told = re.findall(r"`([a-z][a-z0-9_]*)\.(\w+)`", guide)
    assert [f"{stream}.{column}" for stream, column in told if column not in columns.get(stream, ())] == []
    joins = re.findall(r"^\| (`.+`[^|]*) \| (`.+`[^|]*) \| (.+) \|$", guide, re.MULTILINE)
    assert len(joins) > 15
    for left, right, on in joins:
        shared = [name for name in re.findall(r"`(\w+)`", on.split(";")[0]) if " = " not in on]
        for stream in re.findall(r"`(\w+)`", f"{left} {right}"):
            assert [name for name in shared if name not in columns[stream]] == [], (left, right)


def test_a_list_of_streams_that_is_behind_is_named(tmp_path):
    for name in ("streams.py", "streams"):
        source = ROOT / "docs" / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        (tmp_path / "docs").mkdir(exist_ok=True)
        copy(source, tmp_path / "docs" / name)
    page = tmp_path / "docs" / "streams" / "sagex3.md"
    page.write_text(page.read_text().replace("| `suppliers`", "| `vendors`"))
    done = check(tmp_path, script="streams.py")
    assert done.returncode == 1
    assert "Behind: docs/streams/sagex3.md." in done.stderr
