"""A program that may die, as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from onevoice.runtime import faults, outcomes


def start(code, *arguments, compiled=True, row_bytes=outcomes.ROW_BYTES, crash_at=""):
    """Start a program; `row_bytes` is how much of what is decided goes into one journal row."""
    environment = os.environ | {faults.VARIABLE: crash_at} | ({} if compiled else {"NUMBA_DISABLE_JIT": "1"})
    code = f"from onevoice.runtime import outcomes; outcomes.ROW_BYTES = {row_bytes}; {code}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment, text=True, **pipes)


def ended(process):
    """Return the exit code; anything but an end and a death is a failure."""
    _, errors = process.communicate(timeout=300)
    assert process.returncode in {0, -signal.SIGKILL}, errors
    return process.returncode
