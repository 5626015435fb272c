"""Other people's programs: the newest from PyPI, each in an environment of its own under ``.venv-peers``."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_UV = ROOT / ".tools" / "bin" / "uv"
_FOLDER = ROOT / ".venv-peers"


_ALSO = {"pipelinewise-target-snowflake": ["numpy<2"]}
"""Without this its pandas 2.0 is installed beside numpy 2, and it ends with an error before it reads a line."""


class UnavailableError(Exception):
    """A peer cannot be installed here."""


@cache
def installed(package: str, *also: str) -> Path:
    """Install or renew a peer, and give its environment's Python.

    Args:
        package: Its name on PyPI.
        also: What is installed beside it.

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
        *also,
    ]
    for step in [*steps, install]:
        done = subprocess.run(step, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode and not _is_there(python, package):
            raise UnavailableError(done.stderr.strip())
    return python


def _is_there(python: Path, package: str) -> bool:
    if not python.exists():
        return False
    code = "import sys, importlib.metadata as m; m.version(sys.argv[1])"
    return not subprocess.run([python, "-c", code, package], capture_output=True, check=False).returncode


def version_of(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    return subprocess.run(
        [python, "-c", code, package], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
