"""One ask with 100 campaigns: the answer to "what shall we show this customer now", in process.

Before measuring: entering a kernel with a few tables 5 µs, preparing one batch in Python 15 µs, 100 campaigns with a
condition of five instructions, four suppressions and a rank at 5 ns an instruction 10 µs, decisions copied out 3 µs:
about 35 µs. Through the public interface the event is written as JSON and decoded (60 µs), and put into the journal,
durably, before it is answered.
The limit beside it is one fdatasync of a small file, which no durable answer can beat.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from time import perf_counter_ns

import numpy as np
import pyarrow as pa

import onevoice
from bench import workload
from bench.flow import fold_arrow
from bench.report import row
from bench.workload import SECRET, START_US
from onevoice.compiler import compile_playbook
from onevoice.engine.machine import Machine
from onevoice.events.decode import decode_arrow
from onevoice.playbook.model import DAY

EVENTS, CUSTOMERS, DAYS = 500_000, 50_000, 30
ASKS = 20_000
PUBLIC = 3_000


def told(name, times_ns, target, beside):
    """Print the median and the 99th percentile."""
    median, slow = np.percentile(times_ns, [50, 99]) / 1000
    row(f"{name}, median", median, "µs", target and target[0], beside, less=True)
    row(
        f"{name}, p99",
        slow,
        "µs",
        target and target[1],
        f"worst of {len(times_ns):,}: {max(times_ns) / 1000:.0f} µs",
        less=True,
    )


def ask_batches(machine, count):
    """Return one batch for each ask, decoded beforehand: a batch can be used only once."""
    draw = np.random.default_rng(11)
    users = [f"user-{number}" for number in draw.integers(0, CUSTOMERS, count)]
    table = pa.table({"type": ["asked"] * count, "identifiers.user_id": users, "fields.placement": ["till"] * count})
    schema = machine.compiled.schema
    return [decode_arrow(table.slice(i, 1), schema, SECRET) for i in range(count)]


def timed(work, things):
    """Return the ns that each call took."""
    times = []
    for thing in things:
        start = perf_counter_ns()
        work(thing)
        times.append(perf_counter_ns() - start)
    return times


def sync_ns(folder):
    """Return the median ns of writing 200 bytes durably."""
    with Path(folder, "plain").open("wb", buffering=0) as file:

        def write(_):
            file.write(b"x" * 200)
            os.fdatasync(file.fileno())

        return np.median(timed(write, range(300)))


def by_machine(playbook, table):
    machine = Machine(compile_playbook(playbook), SECRET)
    fold_arrow(machine, table)
    stamp = START_US + DAYS * DAY
    outcomes = []
    batches = ask_batches(machine, ASKS + 100)
    for batch in batches[:100]:
        machine.row(batch, stamp)
    times = timed(lambda batch: outcomes.append(machine.row(batch, stamp)), batches[100:])
    lines = [len(outcome.lines) for outcome in outcomes]
    beside = f"{np.mean(lines):.0f} of 100 campaigns in an answer's record; columns prepared"
    told("one ask, 100 campaigns", times, (60, 200), beside)


def by_interface(playbook, table, folder, name, beside):
    with onevoice.open(playbook, folder, snapshot_every=0) as engine:
        for start in range(0, table.num_rows, workload.PIECE):
            engine.ingest(table.slice(start, workload.PIECE), imported=True)
        users = np.random.default_rng(11).integers(0, CUSTOMERS, PUBLIC + 100)
        asks = [{"user_id": f"user-{user}"} for user in users]
        timed(lambda who: engine.decide("till", who), asks[:100])
        told(name, timed(lambda who: engine.decide("till", who), asks[100:]), None, beside)


def main():
    playbook = workload.playbook(asked=True)
    table = workload.arrow(workload.stream(EVENTS, CUSTOMERS, DAYS))
    by_machine(playbook, table)
    by_interface(playbook, table, None, "`decide`, journal in memory", "an event as JSON, decoded, journaled, answered")
    with tempfile.TemporaryDirectory() as folder:
        plain = sync_ns(folder) / 1000
        beside = f"one fdatasync of a plain file {plain:.0f} µs"
        by_interface(playbook, table, Path(folder, "data"), "`decide`, journal on disk", beside)


if __name__ == "__main__":
    main()
