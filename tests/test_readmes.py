"""What READMEs and meltano.yml say of the plugins is what the plugins say of themselves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def check(root=ROOT):
    command = [sys.executable, root / "docs" / "settings.py", "--check"]
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
