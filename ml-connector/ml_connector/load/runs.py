"""Runs that share a spool folder: which of them live, and how far the dead ones had come."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock, Timeout

from ml_connector.load.errors import LoadError
from ml_connector.load.spool import ONLY_OURS, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_LONG = 3_600.0
"""Seconds after which a process has long written its first note, or was killed before it could."""


class RunNote(msgspec.Struct):
    """What a run writes down for the runs after it.

    Attributes:
        run_id: Its name in the ledger.
        promised: The sequence up to which everything is promised by a state that was let out.
        unpromised: By append-only stream, digests of batches that runs before it loaded and that no state
            promises yet.
        reads: Whether it reads a tap's records; commands load what others have read.
    """

    run_id: str
    promised: int = 0
    unpromised: dict[str, list[str]] = msgspec.field(default_factory=dict)
    reads: bool = True


class RunFile:
    """A run's file in the spool folder, locked for as long as the process lives."""

    def __init__(self, folder: Path, run_id: str, *, reads: bool = True) -> None:
        self._folder = folder
        self._note = RunNote(run_id, reads=reads)
        self._path = folder / f"{run_id}.run"
        self._lock = FileLock(f"{self._path}.lock", mode=0o600)
        self._writing = threading.Lock()

    def open(self) -> list[RunNote]:
        """Begin, and find the runs that died: their files are there, and nobody holds them.

        Raises:
            LoadError: If the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=ONLY_OURS)
            self._sweep()
            dead = self._dead()
            self._lock.acquire(timeout=0)
            self._write()
        except OSError as error:
            raise LoadError(
                f"Cannot write to the spool folder {self._folder}: {error.strerror or error}. Free some space"
                " or point spool_dir at another disk.",
            ) from error
        return dead

    def promise(self, sequence: int, unpromised: dict[str, list[str]]) -> None:
        """Write down that a state is about to be let out which promises everything up to a sequence.

        Args:
            sequence: The sequence.
            unpromised: What runs before this one loaded and it does not promise.
        """
        self._note.promised = max(self._note.promised, sequence)
        self.write_down(unpromised)

    def write_down(self, unpromised: dict[str, list[str]]) -> None:
        """Write down what runs before this one loaded and no state promises yet."""
        self._note.unpromised = unpromised
        with suppress(OSError):  # a later run would only repeat what it could have spared
            self._write()

    def close(self, *, forget: bool) -> None:
        """End the run; one that did not end well leaves its note for the next."""
        if forget:
            self._path.unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):
            self._path.with_name(f"{self._path.name}.lock").unlink(missing_ok=True)

    def forget(self, run_id: str) -> None:
        """Remove the note of a dead run that has been dealt with."""
        for path in self._folder.glob(f"{run_id}.run*"):
            with suppress(OSError):
                path.unlink()

    def _write(self) -> None:
        with self._writing:
            write_atomically(self._path, msgspec.json.encode(self._note))

    def _sweep(self) -> None:
        """Remove what processes left that were killed before they had written a note."""
        for path in self._folder.glob("*.run.*"):
            with suppress(OSError):
                noted = path.with_name(f"{path.name.partition('.')[0]}.run").exists()
                if not noted and time.time() - path.stat().st_mtime > _LONG:
                    path.unlink()

    def _dead(self) -> list[RunNote]:
        found = []
        for path in sorted(self._folder.glob("*.run")):
            lock = FileLock(f"{path}.lock", mode=0o600)
            try:
                lock.acquire(timeout=0)
            except (Timeout, OSError):
                continue  # it lives
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=RunNote))
            except (OSError, msgspec.MsgspecError):
                found.append(RunNote(path.stem))
            finally:
                lock.release()
        return found


def dead_runs(folder: Path) -> list[str]:
    """Runs of this spool folder that ended without a word, or not well; the next run clears up after them."""
    return [path.stem for path in sorted(folder.glob("*.run")) if not is_alive(folder, path.stem)]


def is_alive(folder: Path, run_id: str) -> bool:
    """Tell whether a run of this spool folder still goes on."""
    path = folder / f"{run_id}.run"
    if not path.exists():
        return False
    lock = FileLock(f"{path}.lock", mode=0o600)
    try:
        with lock.acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True
