"""A snapshot of a million customers: saved, and loaded with every byte verified.

Before measuring: two events a customer are about 1.5 GB of tables with their room to grow. Saving hashes and writes
at about 1 GB/s, loading reads from the page cache and hashes on two cores at 1.5 GB/s: 1.5 s and 1 s.
The limit beside it is a plain file of the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import workload
from bench.flow import fold_arrow
from bench.report import row, seconds
from onevoice.engine import state as at
from onevoice.runtime import snapshot
from onevoice.runtime.fold import Fold, Published

EVENTS, CUSTOMERS, DAYS = 2_000_000, 1_255_000, 30  # a million customers have an event


def write_plain(path, arrays):
    with path.open("wb", buffering=0) as file:
        for array in arrays.values():
            file.write(array.data)
        os.fdatasync(file.fileno())


def read_plain(path):
    with path.open("rb", buffering=0) as file:
        return len(file.read())


def _pairs(fold, other):
    found = other.arrays()
    return ((array, found[name]) for name, array in fold.arrays().items())


def main():
    pa.set_cpu_count(1)
    published = Published.of(workload.playbook())
    fold = Fold(published, workload.SECRET)
    fold_arrow(fold.machine, workload.arrow(workload.stream(EVENTS, CUSTOMERS, DAYS)))
    customers = int(fold.machine.state.pools[at.CUSTOMERS, 0])
    total = sum(array.nbytes for array in fold.arrays().values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plain")
        plain_s, _ = seconds(lambda: write_plain(path, fold.arrays()))
        read_s, _ = seconds(lambda: read_plain(path))
        path.unlink()
        header = {**fold.header(), "position": fold.machine.position}
        save_s, _ = seconds(lambda: snapshot.save(folder, fold.arrays(), header))
        fresh = Fold(published, workload.SECRET)
        load_s, (found, mistakes) = seconds(lambda: snapshot.load_newest(folder))
        assert found
        assert not mistakes
        restore_s, _ = seconds(lambda: fresh.restore(found))
        same = all(np.array_equal(array, other, equal_nan=True) for array, other in _pairs(fold, fresh))
        assert same
    beside = f"{total / 1e9:.2f} GB of {customers:,} customers; a plain file in {plain_s:.1f} s"
    row("snapshot saved, 1M customers", save_s, "s", None, beside, less=True)
    beside = f"every byte verified; a plain file is read in {read_s:.1f} s; the same arrays"
    row("snapshot loaded, 1M customers", load_s + restore_s, "s", 5, beside, less=True)


if __name__ == "__main__":
    main()
