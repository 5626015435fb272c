"""Start the sandbox's servers and leave none behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent


@contextmanager
def serving(*arguments: str, log: Path) -> Iterator[str]:
    """Run ``erp-sandbox serve`` and yield the URL it printed when it was ready.

    Args:
        arguments: What follows ``erp-sandbox serve``.
        log: File that takes the server's error output.

    Raises:
        RuntimeError: When the server ended instead of answering.
    """
    with ExitStack() as stack:
        errors = stack.enter_context(log.open("w"))
        process = subprocess.Popen(
            [BIN / "erp-sandbox", "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("ready "):
                msg = f"erp-sandbox serve {arguments[0]} did not start; its last words are in {log}"
                raise RuntimeError(msg)
            yield line.split(maxsplit=1)[1].strip()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def stop_like_ctrl_c() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that the servers end with us."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
