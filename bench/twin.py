"""The oracle twin on the same events: plain Python objects, written for being read, against the kernels.

Before measuring: an event means some 2,000 steps of the interpreter to the twin, 200 µs and more, and a timer or a
segment that must be judged as many again: 2,000 events/s. The engine's share of the same work is 3 µs: x500 and more.
"""

from __future__ import annotations

import msgspec
import pyarrow as pa

from bench import workload
from bench.report import core_seconds, number, row
from bench.workload import SECRET
from onevoice.compiler import compile_playbook
from onevoice.engine.machine import Machine
from onevoice.events.decode import decode_ndjson
from tests.oracle.engine import told
from tests.oracle.twin import Twin

EVENTS, CUSTOMERS, DAYS = 5_000, 500, 30


def main():
    pa.set_cpu_count(1)
    playbook = workload.playbook()
    payload = workload.ndjson(workload.stream(EVENTS, CUSTOMERS, DAYS))
    parsed = [msgspec.json.decode(line) for line in payload.splitlines()]

    def engine():
        machine = Machine(compile_playbook(playbook), SECRET)
        batch = decode_ndjson(payload, machine.compiled.schema, SECRET)
        return core_seconds(lambda: machine.row(batch, 0, imported=True))

    engine()
    engine_s, outcome = min((engine() for _ in range(3)), key=lambda found: found[0])
    twin = Twin(playbook, SECRET)
    end = workload.START_US + DAYS * workload.DAY
    twin_s, _ = core_seconds(lambda: twin.row(parsed, end, imported=True))
    decisions = told(playbook, outcome)
    assert decisions == twin.decisions
    ratio = f"the engine's step {number(EVENTS / engine_s)} events/s: x{twin_s / engine_s:.0f}"
    beside = f"{ratio}; the same {len(decisions):,} decisions"
    row("oracle twin on the same events", EVENTS / twin_s, "events/s", None, beside)


if __name__ == "__main__":
    main()
