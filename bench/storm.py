"""A storm: twenty campaigns are launched to everybody at one instant, and each customer's wishes meet in one round.

Before measuring, per wish: making it 0.15 µs (a row of candidates, a timer), its `if` and four suppressions of a few
instructions 0.2 µs, its gates 0.2 µs, comparing and the line 0.2 µs: 0.75 µs, and 15 µs for a customer with twenty. So
60k decisions of twenty lines a second, 1.3M wishes decided a second. Beside it: copying out what is decided.

`python -m bench.storm 1000000` is of so many customers, and takes some 12 GB of memory: every wish waits at once.
"""

from __future__ import annotations

import sys
from resource import RUSAGE_SELF, getrusage

import numpy as np
import pyarrow as pa

from bench.report import core_seconds, number, row
from bench.workload import SECRET
from onevoice.compiler import compile_playbook
from onevoice.engine.machine import Machine
from onevoice.events.decode import decode_arrow, decode_ndjson
from onevoice.playbook.load import load_files

CUSTOMERS, CAMPAIGNS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, 20
BEFORE_US, LAUNCH_US = 1_767_222_000_000_000, 1_767_225_600_000_000  # 2026-01-01 00:00 UTC, and an hour before
PLAYBOOK = """
playbook: storm
identifiers: {user_id: {unique: true}}
traits: {score: number}
events: {joined: {}, case_opened: {fields: {case_id: key}}}
facts: {open_case: {opens: case_opened, per: case_id}}
campaigns:
CAMPAIGNS
policies:
  classes: {sales: {}, retention: {weight: 2}}
  gap: 4 hours
  caps: [{max: 1, per: day}, {max: 2, per: week, class: sales}, {max: 3, per: 7 days, channel: push}]
  suppress:
    - {stop: [sales, retention], while: open_case}
    - {stop: sales, while: score < 0.05}
"""


def playbook():
    said = "  c{0}: {{class: {1}, priority: {0}, when: once 2026-01-01 00:00, if: score > {2}, send: [push, shop]}}"
    lines = [said.format(n, ("sales", "retention")[n % 2], n / 100) for n in range(CAMPAIGNS)]
    return load_files({"playbook.yaml": PLAYBOOK.replace("CAMPAIGNS", "\n".join(lines)).encode()})


def customers():
    """Everybody joins before the launch, a tenth with an open case."""
    draw = np.random.default_rng(7)
    kinds = np.where(draw.random(CUSTOMERS) < 0.1, "case_opened", "joined")
    return pa.table(
        {
            "type": kinds,
            "time": pa.array(np.full(CUSTOMERS, BEFORE_US), pa.timestamp("us", tz="UTC")),
            "identifiers.user_id": [f"user-{i}" for i in range(CUSTOMERS)],
            "traits.score": draw.random(CUSTOMERS),
            "fields.case_id": ["c"] * CUSTOMERS,
        }
    )


def launch(machine, schema):
    return machine.row(decode_ndjson(b"", schema, SECRET), LAUNCH_US)


def main():
    machine = Machine(compile_playbook(playbook()), SECRET)
    schema, everybody = machine.compiled.schema, customers()
    for start in range(0, CUSTOMERS, 65_536):
        machine.row(decode_arrow(everybody.slice(start, 65_536), schema, SECRET), BEFORE_US, imported=True)
    spent, outcome = core_seconds(lambda: launch(machine, schema))
    copied, _ = core_seconds(lambda: (outcome.decisions.copy(), outcome.lines.copy(), outcome.figures.copy()))
    wishes = len(outcome.lines)
    beside = (
        f"{len(outcome.decisions):,} customers in {spent:.1f} s, {number(len(outcome.decisions) / spent)} rounds/s; "
    )
    beside += (
        f"copying out what was decided {copied:.1f} s; {getrusage(RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB at the most"
    )
    row(f"`once` of {CAMPAIGNS} campaigns to {CUSTOMERS:,}, wishes decided", wishes / spent, "/s", 0.3e6, beside)


if __name__ == "__main__":
    main()
