"""Durable events a second, and snapshots in bytes a second, against a plain file written with fdatasync in this run.

Estimate before measuring (2 cores, 300-byte lines): a batch of 1,000 lines is 300 KB; BLAKE2b at 0.9 GB/s takes
0.33 ms, zstd at 0.65 GB/s 0.46 ms and leaves 55 KB, writing that twice (log, then file) with one sync 0.3 ms: 1.1 ms,
so 0.9M events/s on one thread. A plain file syncs 300 KB in about 0.5 ms: ratio 0.45. A snapshot is hashed at
1.8 GB/s by two threads and copied once more: 1.2 GB/s in, the disk's own speed out.

    python -m bench.journal [FOLDER]        # the folder whose disk is measured
"""

import json
import os
import random
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from onevoice.journal.port import Kind, Row
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime.snapshot import load_newest, save

EVENTS = 600_000
STATE_BYTES = 2_000_000_000


def event_line(draw):
    types = ["page_viewed", "order_placed", "store_visited", "case_opened"]
    event = {
        "type": draw.choice(types),
        "id": f"{draw.getrandbits(96):024x}",
        "occurred_at": f"2026-03-{draw.randint(1, 28):02d}T{draw.randint(0, 23):02d}:{draw.randint(0, 59):02d}:00.000Z",
        "source": "web",
        "identifiers": {"user_id": f"u{draw.randint(1, 10**6)}", "cookie": f"{draw.getrandbits(64):016x}"},
        "channel": "web",
        "fields": {
            "page": f"/product/{draw.randint(1, 5_000)}",
            "product": f"p{draw.randint(1, 5_000)}",
            "amount": round(draw.gammavariate(2, 30), 2),
            "referrer": draw.choice(["google", "direct", "newsletter"]),
        },
    }
    return json.dumps(event).encode() + b"\n"


def batches(lines, size):
    return [b"".join(lines[start : start + size]) for start in range(0, len(lines), size)]


def timed(work):
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def write_plain(path, payloads):
    with path.open("wb", buffering=0) as file:
        for payload in payloads:
            file.write(payload)
            os.fdatasync(file.fileno())


def append_all(journal, payloads, size):
    for number, payload in enumerate(payloads):
        journal.append([Row(Kind.EVENTS, number * size, size, number, payload=payload)])


def measure_journal(folder, lines, size):
    distinct = batches(lines, size)
    payloads = [distinct[turn % len(distinct)] for turn in range(EVENTS // size)]
    volume = sum(map(len, payloads))
    path = folder / f"journal-{size}.db"
    plain_s, _ = timed(lambda: write_plain(folder / "plain", payloads))
    journal = SqliteJournal(path)
    append_s, _ = timed(lambda: append_all(journal, payloads, size))
    journal.close()
    open_s, journal = timed(lambda: SqliteJournal(path))
    read_s, _ = timed(lambda: sum(row.count for row in journal.read()))
    journal.close()
    print(
        f"journal, batches of {size:>6,}: {EVENTS / append_s / 1e6:5.2f}M durable events/s, "
        f"{plain_s / append_s:4.2f} of a plain file ({volume / plain_s / 1e6:,.0f} MB/s); "
        f"stored {volume / path.stat().st_size:.1f} times smaller; "
        f"open verifies in {open_s / volume * 1e9:.2f} s/GB of lines; read back {EVENTS / read_s / 1e6:.2f}M events/s"
    )


def state():
    draw = np.random.default_rng(1)
    return {f"table {number}": draw.integers(0, 2**60, STATE_BYTES // 80).reshape(-1, 25) for number in range(10)}


def measure_snapshot(folder):
    arrays = state()
    plain_s, _ = timed(lambda: write_plain(folder / "plain", [array.data for array in arrays.values()]))
    (folder / "plain").unlink()
    save_s, _ = timed(lambda: save(folder, arrays, {"position": 1}))
    arrays = {}  # as at a start: the memory is free
    cpu = process_time()
    load_s, (loaded, mistakes) = timed(lambda: load_newest(folder))
    cpu_s = process_time() - cpu
    assert not mistakes
    assert all((loaded.arrays[name] == array).all() for name, array in state().items())
    print(
        f"snapshot of {STATE_BYTES / 1e9:.1f} GB: saved in {save_s:.2f} s, {STATE_BYTES / save_s / 1e9:.2f} GB/s, "
        f"{plain_s / save_s:.2f} of a plain file ({STATE_BYTES / plain_s / 1e9:.2f} GB/s); "
        f"loaded and verified in {load_s:.2f} s, {STATE_BYTES / load_s / 1e9:.2f} GB/s, "
        f"with {cpu_s:.2f} s of CPU (from the page cache)"
    )


def main(folder=None):
    draw = random.Random(7)
    lines = [event_line(draw) for _ in range(50_000)]
    print(f"lines of {sum(map(len, lines)) / len(lines):.0f} bytes")
    with tempfile.TemporaryDirectory(dir=folder) as made:
        for size in (1_000, 10_000):
            measure_journal(Path(made), lines, size)
        measure_snapshot(Path(made))


if __name__ == "__main__":
    main(*sys.argv[1:2])
