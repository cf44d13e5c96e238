"""`onevoice run` killed at any moment, and run again until it is done, ends where an undisturbed run ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

import onevoice
from onevoice.journal.port import Meta
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults
from onevoice.runtime.node import JOURNAL

from .telecom import PLAYBOOK, lines

META = Meta(bytes(range(16)), created_us=0)
EVENTS = 240  # of each of two files
BATCH = 8  # lines of a journal row
KILLS = 20


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

    def start(self, crash_at=""):
        # The compiler is off: a start is then quicker than loading kernels, and the file is small.
        environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", faults.VARIABLE: crash_at}
        command = [sys.executable, "-m", "onevoice.cli", "run", PLAYBOOK, *self.files, "--data", self.data]
        options = ["--out", self.out, "--batch", str(BATCH), "--snapshot-every", "50"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(list(map(str, command + options)), env=environment, text=True, **pipes)

    def finish(self):
        process = self.start()
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors

    def result(self):
        with onevoice.open(PLAYBOOK, self.data) as engine:
            assert engine.run(self.files).lines == 0
            return engine.position, engine.hash(), self.out.read_bytes(), list(map(repr, engine.decisions()))


def die_somewhere(run, dice, took_s):
    """Start the command, let it die somewhere unless it is done before that; return how, and the exit code."""
    if dice.random() < 0.3:
        delay_s = dice.uniform(0.5, 1.0) * took_s
        how = f"after {delay_s:.3f} s"
        process = run.start()
        time.sleep(delay_s)  # the moment of death, not a wait for something
        process.kill()
    else:
        point = dice.choice(faults.POINTS)
        how = f"{point}:{dice.randint(1, PASSAGES[point])}"
        process = run.start(how)
    _, errors = process.communicate(timeout=300)
    assert process.returncode in {0, -signal.SIGKILL}, errors
    return how, process.returncode


def undisturbed(folder, seed):
    run = Run(folder, seed)
    began = time.perf_counter()
    run.finish()
    took_s = time.perf_counter() - began
    return run.result(), took_s


def killed_and_compared(folder, seed, kills):
    """Kill one run after another until so many have died; each that gets to its end must have ended alike."""
    expected, took_s = undisturbed(folder / "whole", seed)
    dice = random.Random(seed)
    deaths, turn, run = [], 0, Run(folder / "0", seed)
    while len(deaths) < kills:
        how, code = die_somewhere(run, dice, took_s)
        if code:
            deaths.append(how)
        else:
            assert run.result() == expected, f"seed {seed}, turn {turn} after {deaths}"
            turn += 1
            run = Run(folder / str(turn), seed)
    run.finish()
    assert run.result() == expected, f"seed {seed}, turn {turn} after {deaths}"
    print(f"seed {seed}: {turn + 1} runs, killed {deaths}")


def test_runs_killed_twenty_times_end_as_if_undisturbed(tmp_path):
    killed_and_compared(tmp_path, 0, KILLS)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(100, 110))
def test_runs_killed_two_hundred_times(seed, tmp_path):
    killed_and_compared(tmp_path, seed, KILLS)


def test_the_drawn_events_lead_to_every_kind_of_decision(tmp_path):
    """Else the equalities above would say little."""
    (position, _, out, decisions), _ = undisturbed(tmp_path / "whole", 0)
    assert position > 2 * EVENTS
    assert out.count(b"\n") == len(decisions) > 30
    for word in (b'"round"', b'"ask"', b'"won"', b'"contact":1,', b'"suppressed"', b'"end"'):
        assert word in out, word
