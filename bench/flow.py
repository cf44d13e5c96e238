"""The whole step, from Arrow in memory, from NDJSON with the durable journal, and replayed from that journal.

Before measuring, per event: finding the customer 0.15 µs (two identifiers, two misses each), half a measure and half
a fact 0.3 µs, 7.5 uses of moments 0.4 µs, ten segments of six instructions at 5 ns 0.3 µs, a wish in 13 events 0.1
µs: 1.3 µs. Decoding from Arrow 0.4 µs: 0.6M events/s. From lines decoding costs 0.7 µs and the journal 1 µs, on other
threads: with two cores the sum of all, 3 µs, is halved: 0.65M events/s at the best. The limit beside it is decoding
alone, and a plain file.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from time import process_time

import pyarrow as pa

import onevoice
from bench import workload
from bench.report import added_to, number, row, seconds
from bench.workload import PIECE, SECRET
from onevoice.compiler import compile_playbook
from onevoice.engine import state as at
from onevoice.engine.machine import Machine
from onevoice.events.decode import decode_arrow, decode_ndjson

EVENTS, CUSTOMERS, DAYS = 1_000_000, 100_000, 30


def fold_arrow(machine, table, piece=PIECE):
    """Fold a table into a machine; returns the processor seconds by stage, and how many decisions and lines."""
    spent, decisions, lines = {}, 0, 0
    for start in range(0, table.num_rows, piece):
        with added_to(spent, "decode"):
            batch = decode_arrow(table.slice(start, piece), machine.compiled.schema, SECRET)
        with added_to(spent, "step"):
            outcome = machine.row(batch, 0, imported=True)
        decisions += len(outcome.decisions)
        lines += len(outcome.lines)
    return spent, decisions, lines


def from_arrow(playbook, events):
    pa.set_cpu_count(1)
    table = workload.arrow(events)
    fold_arrow(Machine(compile_playbook(playbook), SECRET), table.slice(0, 2_000))
    before = sum(fold_arrow(Machine(compile_playbook(playbook), SECRET), table)[0].values())
    machine = Machine(compile_playbook(playbook), SECRET)
    spent, decisions, lines = fold_arrow(machine, table)
    total = sum(spent.values())
    row(
        "whole step, Arrow in memory, one core",
        EVENTS / total,
        "events/s",
        0.6e6,
        f"step alone {number(EVENTS / spent['step'])} events/s, decoding alone {number(EVENTS / spent['decode'])}; "
        f"{decisions:,} decisions of {lines:,} lines, {machine.state.pools[at.CUSTOMERS, 0]:,} customers; "
        f"the first time in the process, in memory it never had before, {number(EVENTS / before)} events/s",
    )
    return decisions


def plain_file(path, payload):
    """Write what the journal is given as a plain file, durable piece by piece."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(payload), 4_000_000):
            file.write(payload[start : start + 4_000_000])
            os.fdatasync(file.fileno())


def from_ndjson(playbook, events, expected):
    payload = workload.ndjson(events)
    decode_ndjson(payload[:1], compile_playbook(playbook).schema, SECRET)  # compiled before it is timed
    with tempfile.TemporaryDirectory() as folder:
        path, data = Path(folder, "events.ndjson"), Path(folder, "data")
        plain_s, _ = seconds(lambda: plain_file(path, payload))
        with onevoice.open(playbook, data, snapshot_every=0) as engine:
            before = process_time()
            run_s, taken = seconds(lambda: engine.run([path]))
            cores = (process_time() - before) / run_s
            decided, digest = engine.decision_count, engine.hash()
            engine._writer.since_snapshot = 0  # noqa: SLF001 - a replay is wanted below, not a snapshot
        assert taken.lines == EVENTS
        assert decided == expected, (decided, expected)
        row(
            "the same from NDJSON, durable journal, both cores",
            EVENTS / run_s,
            "events/s",
            0.4e6,
            f"{cores:.2f} cores busy; the same {decided:,} decisions; lines of {len(payload) // EVENTS} bytes, "
            f"a plain file takes them at {number(EVENTS / plain_s)} events/s; synced at each piece of {PIECE:,} lines",
        )
        replay_s, engine = seconds(lambda: onevoice.open(playbook, data, snapshot_every=0))
        with engine:
            assert engine.hash() == digest
            engine._writer.since_snapshot = 0  # noqa: SLF001 - nor here
        row(
            "replay of that journal at start",
            EVENTS / replay_s,
            "events/s",
            0.6e6,
            "every row verified; same state digest",
        )


def main():
    playbook = workload.playbook()
    events = workload.stream(EVENTS, CUSTOMERS, DAYS)
    decisions = from_arrow(playbook, events)
    from_ndjson(playbook, events, decisions)


if __name__ == "__main__":
    main()
