"""Other people's targets: the newest from PyPI, each in an environment of its own under ``.venv-peers``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_UV = ROOT / ".tools" / "bin" / "uv"
_FOLDER = ROOT / ".venv-peers"


_ALSO = {"pipelinewise-target-snowflake": ["numpy<2"]}
"""Without this its pandas 2.0 is installed beside numpy 2, and it ends with an error before it reads a line."""


class UnavailableError(Exception):
    """A peer cannot be installed here."""


def installed(package: str) -> Path:
    """Install or renew a peer, and give its environment's Python.

    Raises:
        UnavailableError: If it cannot be installed and was not before.
    """
    folder = _FOLDER / package
    python = folder / "bin" / "python"
    steps = [] if python.exists() else [[_UV, "venv", "--quiet", "--python", sys.executable, folder]]
    # compiled once, or else every start would compile what it imports where bytecode is not written
    install = [
        _UV,
        "pip",
        "install",
        "--quiet",
        "--upgrade",
        "--compile-bytecode",
        "--python",
        folder,
        package,
        *_ALSO.get(package, []),
    ]
    for step in [*steps, install]:
        done = subprocess.run(step, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode and not (folder / "bin" / "target-snowflake").exists():
            raise UnavailableError(done.stderr.strip())
    return python


def version_of(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    return subprocess.run(
        [python, "-c", code, package], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
