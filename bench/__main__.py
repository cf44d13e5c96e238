"""Print the table of all rows, or of those named, as Markdown; each file runs in a process of its own."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.report import HEAD

ROWS = ("moments", "flow", "ask", "memory", "snapshot", "compile", "twin", "look", "why", "storm")
STAGES = ("decode", "journal")  # print sentences of their own


def machine():
    """Describe the machine without naming it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cores = sum(line.startswith("processor") for line in lines)
    return f"{cores} cores {platform.machine()}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*ROWS, *STAGES)))
    names = parser.parse_args().names or [*ROWS, *STAGES]
    unknown = set(names) - {*ROWS, *STAGES}
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join((*ROWS, *STAGES))}")
    print(f"`python -m bench {' '.join(names)}`; {machine()}\n\n{HEAD}", flush=True)
    failed = [name for name in names if name in ROWS and _run(name)]
    for name in names:
        if name in STAGES:
            print(f"\n`python -m bench.{name}`\n\n```", flush=True)
            failed += [name] if _run(name) else []
            print("```", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(name):
    return subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode


if __name__ == "__main__":
    main()
