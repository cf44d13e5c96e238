"""From the start of a process to its first decision: with nothing compiled, and with the kernels kept on disk.

Before measuring: about 200 kernels at 0.2 s each are 40 s; loading them 0.3 s, importing numba and numpy 0.6 s,
starting Python 0.05 s. The limit beside it is Python importing numba and numpy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from bench.report import row, seconds

FIRST_DECISION = """
import onevoice
from bench import workload
with onevoice.open(workload.playbook(asked=True)) as engine:
    engine.ingest([{"type": "ev_00", "identifiers": {"user_id": "1"}, "fields": {"val": 3}}])
    print(len(engine.decide("till", {"user_id": "1"}).lines))
"""
NUMBA = "import numba, numpy"


def started(program, cache):
    """Run a program with its kernels kept in `cache`; returns the seconds from start to end."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    run = lambda: subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)  # noqa: E731
    return seconds(run)[0]


def main():
    with tempfile.TemporaryDirectory() as cache:
        limit = started(NUMBA, cache)
        first = started(FIRST_DECISION, cache)
        later = min(started(FIRST_DECISION, cache) for _ in range(3))
    row("first start, all kernels compiled", first, "s", 45, "once for each version, 1.2 cores busy", less=True)
    row("later start to first decision", later, "s", 2, f"importing numba and numpy alone {limit:.2f} s", less=True)


if __name__ == "__main__":
    main()
