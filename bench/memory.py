"""State per customer: bytes of all tables after the whole workload, 10 events a customer over 30 days.

Before measuring, per customer: 13 numbers, traits, memberships 200 B; 1.5 identifiers at 32 B and 16 B of index; five
rows of facts at 13 numbers 520 B; four cells and panes 350 B; rows of moments at 11 numbers and 16 B of index: 25
first steps 2.6 kB if each is a row of its own, 320 B where they are shared; timers 50 B. So 1.5 kB to 4 kB. The limit
beside it is the events themselves.
"""

from __future__ import annotations

import pyarrow as pa

from bench import workload
from bench.flow import fold_arrow
from bench.report import row
from bench.workload import SECRET
from onevoice.compiler import compile_playbook
from onevoice.engine import state as at
from onevoice.engine.machine import Machine
from onevoice.engine.store import COUNT, HIGH

EVENTS, CUSTOMERS, DAYS = 1_000_000, 100_000, 30


def bytes_by_table(state):
    """Return for each table the bytes of rows in use and of all rows; of an index, all is in use."""
    found = {}
    for name, pool in at.TABLES.items():
        table = getattr(state, name)
        used = max(int(state.pools[pool, COUNT]), int(state.pools[pool, HIGH]))
        found[name] = used * table.nbytes // len(table), table.nbytes
    for name in ("identifiers_index", "facts_index", "cells_index", "progress_index", "ids", "names"):
        found[name] = getattr(state, name).nbytes, getattr(state, name).nbytes
    return found


def main():
    pa.set_cpu_count(1)
    machine = Machine(compile_playbook(workload.playbook()), SECRET)
    table = workload.arrow(workload.stream(EVENTS, CUSTOMERS, DAYS))
    fold_arrow(machine, table)
    customers = int(machine.state.pools[at.CUSTOMERS, COUNT])
    found = bytes_by_table(machine.state)
    used, whole = (sum(each[i] for each in found.values()) / customers for i in (0, 1))
    largest = sorted(found, key=lambda name: -found[name][0])[:5]
    parts = ", ".join(f"{name} {found[name][0] / customers:.0f}" for name in largest)
    beside = f"{parts}; {whole:.0f} with room to grow; ten events as Arrow {table.nbytes / customers:.0f}"
    row("state per customer, rows in use and indexes", used, "B", 2_000, beside, less=True)


if __name__ == "__main__":
    main()
