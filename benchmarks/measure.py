"""One process, measured: its wall and CPU seconds and its peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LAST_WORDS = 12


class SubjectError(Exception):
    """A subject could not do its work."""


@dataclass(frozen=True)
class Usage:
    """What a process took.

    Attributes:
        wall_s: Seconds from its start to its end.
        cpu_s: Its CPU seconds, user and system, with those of its own children.
        peak_mb: The most memory it had resident, in MiB.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Usage:
    """Run a process to its end.

    A process's peak memory is at least that of the one that started it: this one has to stay small.

    Args:
        command: Its command line.
        log: File for its error output.
        stdin: What it reads.
        stdout: Where it writes to.
        environment: Variables it gets beside this process's own.

    Raises:
        SubjectError: If it fails, with its last words.
    """
    with log.open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
            env={**os.environ, **(environment or {})},
        )
        # a child's figures come with its exit status; no other process is in them
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words = log.read_text(errors="replace").splitlines()[-_LAST_WORDS:]
        raise SubjectError("\n".join([f"{command[0]} ended with {process.returncode}:", *words]))
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
