"""An import by a mapping killed at any moment, and begun again until it is done, ends where an undisturbed one ends.

Seeds rotate and are printed; CRASH_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import onevoice
from onevoice.journal.port import Meta
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults
from onevoice.runtime.form import FOLDER
from onevoice.runtime.opening import JOURNAL

from .process import ended, start
from .test_run import PASSAGES

RETAIL = Path(__file__).resolve().parents[2] / "examples" / "retail"
META = Meta(bytes(range(16)), created_us=0)
LINES = 600  # of each of two files
KILLS = 6
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(2**31))
IMPORT = """
import sys, onevoice
playbook, data, mapping, aside, *files = sys.argv[1:]
with onevoice.open(playbook, data, piece_lines=8, snapshot_every=50) as engine:
    engine.run(files, mapping=mapping, aside=aside)
"""


def messy(seed):
    """Lines of invoices in two formats of times: repeated, without customer, broken, returned."""
    dice = random.Random(seed)
    found = ["InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"]
    while len(found) <= LINES:
        invoice, day = dice.randrange(900), dice.randrange(1, 28)
        sign, kind = (-1, "C") if dice.random() < 0.2 else (1, "")
        time = dice.choice([f"2011-03-{day:02d} 10:{invoice % 60:02d}:00", f"3/{day}/11 9:{invoice % 60:02d}", "soon"])
        who = dice.choice(["", *range(20), *range(20)])
        found += [f"{kind}{invoice},p{dice.randrange(9)},{sign * 3},{time},2.5,{who},X" for _ in range(3)]
        if dice.random() < 0.1:
            found += ["1,2,3", '"x"y']
    return "\n".join(found)


class Import:
    """One folder of data, and the program that fills it."""

    def __init__(self, folder, seed):
        folder.mkdir()
        self.data, self.aside = folder / "data", folder / "aside.ndjson"
        self.data.mkdir()
        SqliteJournal(self.data / JOURNAL, new=META).close()  # the same secret, so that hashes can be compared
        self.files = [folder / "first.csv", folder / "second.csv"]
        for file in self.files:
            file.write_text(messy(f"{seed} {file.name}"))

    def start(self, **how):
        arguments = [RETAIL / "playbook", self.data, RETAIL / "mapping.yaml", self.aside, *self.files]
        return start(IMPORT, *arguments, **how)

    def result(self):
        assert not (self.data / FOLDER).exists()
        kept = self.aside.read_text("utf-8").replace(str(self.data.parent), "")
        with onevoice.open(RETAIL / "playbook", self.data) as engine:
            assert engine.run(self.files, mapping=RETAIL / "mapping.yaml").lines == 0
            return engine.position, engine.hash(), kept, list(map(repr, engine.decisions()))


def die_somewhere(run, dice, took_s):
    """Start the import, let it die somewhere unless it is done before that; return how, and the exit code."""
    if dice.random() < 0.5:  # the lines are worked on in this time, before anything comes into the journal
        delay_s = dice.uniform(0.3, 1.0) * took_s
        process = run.start()
        time.sleep(delay_s)  # the moment of death, not a wait for something
        process.kill()
        return f"after {delay_s:.3f} s", ended(process)
    point = dice.choice(faults.POINTS)
    how = f"{point}:{dice.randint(1, PASSAGES[point])}"
    return how, ended(run.start(crash_at=how))


def test_imports_killed_six_times_end_as_if_undisturbed(tmp_path):
    whole = Import(tmp_path / "whole", SEED)
    with onevoice.open(RETAIL / "playbook"):
        pass  # kernels are compiled by now
    began = time.perf_counter()
    assert ended(whole.start()) == 0
    took_s = time.perf_counter() - began
    expected = whole.result()
    assert expected[0] > 100
    assert len(expected[3]) > 2
    dice, deaths, turn, run = random.Random(SEED), [], 0, Import(tmp_path / "0", SEED)
    print(f"seed {SEED}: CRASH_SEED={SEED}")
    while len(deaths) < KILLS:
        how, code = die_somewhere(run, dice, took_s)
        if code:
            deaths.append(how)
        else:
            assert run.result() == expected, f"seed {SEED}, turn {turn} after {deaths}"
            turn += 1
            run = Import(tmp_path / str(turn), SEED)
    assert ended(run.start()) == 0
    assert run.result() == expected, f"seed {SEED}, turn {turn} after {deaths}"
    print(f"seed {SEED}: {turn + 1} runs, killed {deaths}")
