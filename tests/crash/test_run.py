"""`onevoice run` killed at any moment, and run again until it is done, ends where an undisturbed run ends.

About half of all runs are compiled, the others not, and half of them cut what is decided to small journal rows, as if
there were very much of it. Seeds rotate and are printed; CRASH_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import time

import pytest

import onevoice
from onevoice.journal.port import Meta
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults, outcomes
from onevoice.runtime.opening import JOURNAL

from .process import ended, start
from .telecom import PLAYBOOK, lines

META = Meta(bytes(range(16)), created_us=0)
EVENTS = 240  # of each of two files
BATCH = 8  # lines of a journal row
KILLS = 20
SEED = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(2**31))

# How many passages of each point a death waits for, at the most.
PASSAGES = {
    "before_commit": 20,
    "in_write": 90,
    "before_sync": 20,
    "after_commit": 20,
    "in_snapshot": 3,
    "before_rename": 3,
}


class Run:
    """One folder of data, and the command that fills it."""

    def __init__(self, folder, seed):
        folder.mkdir()
        self.data, self.out = folder / "data", folder / "decisions.ndjson"
        self.data.mkdir()
        SqliteJournal(self.data / JOURNAL, new=META).close()  # the same secret, so that hashes can be compared
        self.files = [folder / "first.ndjson", folder / "second.ndjson"]
        first, second = lines(seed, EVENTS), lines(seed, 2 * EVENTS)
        self.files[0].write_bytes(first)
        self.files[1].write_bytes(second[len(first) + 1 :])

    def start(self, **how):
        arguments = ["run", PLAYBOOK, *self.files, "--data", self.data]
        options = ["--out", self.out, "--batch", BATCH, "--snapshot-every", 50]
        return start("from onevoice import cli; cli.main()", *arguments, *options, **how)

    def finish(self, *, compiled):
        assert ended(self.start(compiled=compiled)) == 0

    def result(self):
        with onevoice.open(PLAYBOOK, self.data) as engine:
            assert engine.run(self.files).lines == 0
            return engine.position, engine.hash(), self.out.read_bytes(), list(map(repr, engine.decisions()))


def die_somewhere(run, dice, took_s):
    """Start the command, let it die somewhere unless it is done before that; return how, and the exit code."""
    compiled, row_bytes = dice.random() < 0.5, dice.choice([200, outcomes.ROW_BYTES])
    how = f"{'compiled' if compiled else 'interpreted'}, rows of {row_bytes} bytes, "
    if dice.random() < 0.3:
        delay_s = dice.uniform(0.5, 1.0) * took_s[compiled]
        how += f"after {delay_s:.3f} s"
        process = run.start(compiled=compiled, row_bytes=row_bytes)
        time.sleep(delay_s)  # the moment of death, not a wait for something
        process.kill()
    else:
        point = dice.choice(faults.POINTS)
        crash_at = f"{point}:{dice.randint(1, PASSAGES[point])}"
        how += crash_at
        process = run.start(compiled=compiled, row_bytes=row_bytes, crash_at=crash_at)
    return how, ended(process)


def undisturbed(folder, seed):
    """Return what an undisturbed run comes to, and how long it takes interpreted and compiled."""
    results, took_s = [], []
    for compiled in (False, True):
        run = Run(folder / f"whole{compiled:d}", seed)
        began = time.perf_counter()
        run.finish(compiled=compiled)
        took_s.append(time.perf_counter() - began)
        results.append(run.result())  # which also compiles the kernels if that is to be done
    assert results[0] == results[1], f"seed {seed}"
    return results[0], took_s


def killed_and_compared(folder, seed, kills):
    """Kill one run after another until so many have died; each that gets to its end must have ended alike."""
    expected, took_s = undisturbed(folder, seed)
    dice = random.Random(seed)
    print(f"seed {seed}: CRASH_SEED={seed}")
    deaths, turn, run = [], 0, Run(folder / "0", seed)
    while len(deaths) < kills:
        how, code = die_somewhere(run, dice, took_s)
        if code:
            deaths.append(how)
        else:
            assert run.result() == expected, f"seed {seed}, turn {turn} after {deaths}"
            turn += 1
            run = Run(folder / str(turn), seed)
    run.finish(compiled=dice.random() < 0.5)
    assert run.result() == expected, f"seed {seed}, turn {turn} after {deaths}"
    print(f"seed {seed}: {turn + 1} runs, killed {deaths}")


def test_runs_killed_twenty_times_end_as_if_undisturbed(tmp_path):
    killed_and_compared(tmp_path, SEED, KILLS)


@pytest.mark.torture
@pytest.mark.parametrize("turn", range(10))
def test_runs_killed_two_hundred_times(turn, tmp_path):
    killed_and_compared(tmp_path, SEED + turn, KILLS)


def test_the_drawn_events_lead_to_every_kind_of_decision(tmp_path):
    """Else the equalities above would say little."""
    (position, _, out, decisions), _ = undisturbed(tmp_path, 0)
    assert position > 2 * EVENTS
    assert out.count(b"\n") == len(decisions) > 30
    for word in (b'"round"', b'"ask"', b'"won"', b'"contact":1,', b'"suppressed"', b'"end"'):
        assert word in out, word
