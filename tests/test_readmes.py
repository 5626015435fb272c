"""What the READMEs say of the plugins is what the plugins say of themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_settings_table_is_that_of_the_plugin():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "settings.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "<!-- settings -->" in (ROOT / "target-snowflake-ml" / "README.md").read_text()
