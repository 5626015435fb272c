"""Starts the target again and again: its imports are paid for once, each run is a process forked after them.

Run by the interpreter whose target it is. Takes one JSON object a line, answers each with one number: a
process id for ``{"config", "input", "output", "log"}``, an exit code (null while it runs) for ``{"wait"}``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from importlib.metadata import version


def main():
    from ml_connector.load import run, sink  # noqa: F401 - imported here so that no run has to
    from target_snowflake_ml.cli import main as target
    from target_snowflake_ml.connections import connector, sql_api  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    if (
        version("snowflake-connector-python") < "5"
    ):  # the core of 5.x has threads, which a fork would not have
        import snowflake.connector  # noqa: F401
    for thread in threading.enumerate():  # 4.8 loads a library in one: a fork would find its locks taken
        if thread is not threading.main_thread():
            thread.join(60)

    commands, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    codes = {}
    for line in commands:
        command = json.loads(line)
        if "wait" in command:
            pid = command["wait"]
            if pid not in codes:
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    codes[pid] = os.waitstatus_to_exitcode(status)
            answer = codes.get(pid)
        else:
            answer = os.fork()
            if not answer:
                commands.close()
                run_target(target, command)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def run_target(target, command):
    code = 1
    try:
        os.dup2(os.open(command["input"], os.O_RDONLY), 0)
        for number, name in ((1, "output"), (2, "log")):
            os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        sys.argv = ["target-snowflake-ml", "--config", command["config"]]
        try:
            target()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
