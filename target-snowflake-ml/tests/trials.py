"""Runs of the target that are killed, cut off or run side by side, and what has to be true of the warehouse after them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pytest

CONNECTOR = int(version("snowflake-connector-python").partition(".")[0])
WAYS = ["this connector", "connector 5", "SQL API"] if CONNECTOR < 5 else ["this connector"]
STRESS = int(os.environ.get("STRESS") or 0)
"""How many times as much as usual is tried: 0 for what every run of the suite can afford."""
SEED = int(os.environ.get("STRESS_SEED") or 20261121)
PATIENT = 120


def in_turn(name, *values):
    """Parametrise a test by a value and a ``way``: each value with one of them in turn, or with all (STRESS)."""
    pairs = [
        (value, way)
        for place, value in enumerate(values)
        for way in (WAYS if STRESS else [WAYS[place % len(WAYS)]])
    ]
    names = [f"{value}, {way}" for value, way in pairs]
    return pytest.mark.parametrize((name, "way"), pairs, ids=names)


class Launcher:
    """Starts targets of one interpreter; see launcher.py."""

    def __init__(self, python):
        script = Path(__file__).with_name("launcher.py")
        self.process = subprocess.Popen(
            [python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.lock = threading.Lock()

    def ask(self, **command):
        with self.lock:
            self.process.stdin.write(json.dumps(command) + "\n")
            return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


@dataclass
class Target:
    """A run that goes on, or has ended."""

    launcher: Launcher
    pid: int
    output: Path
    log_file: Path

    def kill(self, how=signal.SIGKILL):
        try:
            os.kill(self.pid, how)
        except ProcessLookupError:
            pass

    def wait(self, seconds=500):
        end = time.monotonic() + seconds
        while (code := self.launcher.ask(wait=self.pid)) is None:
            assert time.monotonic() < end, f"still running after {seconds} s: {self.log}"
            time.sleep(0.02)
        return code

    @property
    def states(self):
        lines = self.output.read_bytes().split(b"\n")[:-1] if self.output.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def log(self):
        return self.log_file.read_text() if self.log_file.exists() else ""


@dataclass
class Trial:
    """A warehouse behind a proxy, and the target that loads it."""

    warehouse: object
    network: object
    launchers: dict
    runs: list = field(default_factory=list)
    starting: object = field(default_factory=threading.Lock)

    def start(self, messages, **settings):
        """Begin a run over some messages."""
        folder = self.warehouse.folder / f"run-{len(self.runs)}-{uuid.uuid4().hex[:4]}"
        folder.mkdir()
        lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
        (folder / "input").write_bytes(b"\n".join(lines) + b"\n")
        python = self.warehouse.python
        if python not in self.launchers:
            self.launchers[python] = Launcher(python)
        command = self.warehouse.command(**{"max_retry_time": PATIENT, **settings})
        places = {"output": str(folder / "output"), "log": str(folder / "log")}
        with self.starting:  # its first request may come before its number
            pid = self.launchers[python].ask(config=str(command[-1]), input=str(folder / "input"), **places)
            self.runs.append(Target(self.launchers[python], pid, folder / "output", folder / "log"))
            return self.runs[-1]

    def load(self, messages, **settings):
        """A run that nobody disturbs; it has to succeed."""
        run = self.start(messages, **settings)
        assert run.wait() == 0, run.log
        return run

    def together(self, *runs, **settings):
        """Runs that begin at once, of lists of messages."""
        started = [self.start(messages, **settings) for messages in runs]
        for run in started:
            run.wait()
        return started

    @contextmanager
    def killing(self, number, *words, sent=False):
        """Kill the run at its statement of a number (from 0) among those that have a word in them.

        Args:
            number: Which one.
            words: All statements count if there are none; other requests (logins, uploads) then count too.
            sent: Whether Snowflake still carries it out.
        """
        left = [number]
        done = threading.Event()

        def trouble(path, statement):
            if done.is_set():
                return "reset"
            counts = any(word in statement for word in words) if words else not path.startswith("/session?")
            if counts:
                left[0] -= 1
            if left[0] >= 0:
                return None
            done.set()
            with self.starting:
                self.runs[-1].kill()
            return "cut" if sent else "reset"

        self.network.trouble = trouble
        try:
            yield done
        finally:
            self.network.trouble = lambda path, statement: None

    def killed(self, messages, number, *words, sent=False, **settings):
        """A run that is killed at a statement; tells whether it came to that."""
        with self.killing(number, *words, sent=sent) as done:
            run = self.start(messages, **settings)
            code = run.wait()
            # the others of its sessions may have sent something just before
            self.settle()
        if done.is_set():
            assert code == -signal.SIGKILL, run.log
        else:
            assert code == 0, run.log
        return done.is_set()

    def settle(self):
        """Wait until the proxy has passed on what the dead have sent."""
        self.network.settle()

    def killed_after(self, seconds, messages, **settings):
        """A run that is killed some time after it began; tells whether it came to that."""
        run = self.start(messages, **settings)
        timer = threading.Timer(seconds, run.kill)
        timer.start()
        code = run.wait()
        timer.cancel()
        self.settle()
        assert code in {0, -signal.SIGKILL}, run.log
        return code != 0


def chance(*names):
    """Random numbers that are the same in every run of the suite, and others for each name."""
    return random.Random(f"{SEED} {names}")
