"""Nothing acknowledged is lost and nothing half written is kept, whenever the process is killed."""

import os
import random
import signal
import subprocess
import sys
from itertools import pairwise

import pytest

from onevoice.journal.port import Kind
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults
from tests.journal.crash_child import numbered

APPENDS = 60


def start(path, crash_at=""):
    environment = {**os.environ, faults.VARIABLE: crash_at}
    command = [sys.executable, "-m", "tests.journal.crash_child", str(path), str(APPENDS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def acknowledged(child, kill_after=None):
    """Rows the child said were in before it died; with `kill_after`, kill it once it has said so many lines."""
    count = 0
    for lines, line in enumerate(child.stdout):
        count = int(line) if line.strip().isdigit() else count
        if lines == kill_after:
            child.kill()
    assert child.wait() in {0, -signal.SIGKILL}
    child.stdout.close()
    return count


def check(path, rows_before, rows_acknowledged):
    """Every acknowledged row is there; at most one append more; every row is whole. Return how many rows there are."""
    journal = SqliteJournal(path)
    found = list(journal.read())
    head = journal.last()
    journal.close()
    assert max(rows_before, rows_acknowledged) <= len(found) <= max(rows_before, rows_acknowledged) + 3
    for number, row in enumerate(found):
        expected = numbered(number)
        assert (row.kind, row.position, row.stamp_us) == (Kind.EVENTS, expected.position, expected.stamp_us)
        assert row.payload == expected.payload
    assert all(former.position + former.count == later.position for former, later in pairwise(found))
    assert head.rows == len(found)
    return len(found)


def kill_and_check(path, kills, draw):
    """Let child after child append to one journal, each killed at a drawn moment."""
    rows = 0
    for _ in range(kills):
        if draw.random() < 0.5:
            point = draw.choice(["in_write", "in_write", "before_sync", "before_commit", "after_commit"])
            crash_at = f"{point}:{draw.randint(1, 150 if point == 'in_write' else 30)}"
            print(crash_at)
            said = acknowledged(start(path, crash_at))
        else:
            after = draw.randrange(APPENDS)
            print("killed from outside after line", after)
            said = acknowledged(start(path), after)
        rows = check(path, rows, said)
    return rows


def test_twenty_kills_lose_nothing_acknowledged(tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    assert kill_and_check(tmp_path / "journal.db", 20, random.Random(seed)) > 0


@pytest.mark.torture
def test_two_hundred_kills_lose_nothing_acknowledged(tmp_path):
    seed = random.randrange(2**32)
    print("seed", seed)
    draw = random.Random(seed)
    for journal in range(10):
        assert kill_and_check(tmp_path / f"journal-{journal}.db", 20, draw) > 0


@pytest.mark.parametrize(
    ("crash_at", "said", "kept"),
    [("before_commit:3", 3, 3), ("after_commit:3", 3, 6), ("before_sync:1", 0, 0), ("in_write:1", 0, 0)],
)
def test_each_point_dies_where_it_says(tmp_path, crash_at, said, kept):
    child = start(tmp_path / "journal.db", crash_at)
    assert acknowledged(child) == said
    assert child.returncode == -signal.SIGKILL
    assert check(tmp_path / "journal.db", 0, said) == kept


def test_unset_nothing_dies_and_sqlite_is_left_alone(tmp_path):
    assert faults.passage("after_commit") is None
    assert faults.journal_vfs() is None
    assert acknowledged(start(tmp_path / "journal.db")) == 120


@pytest.mark.parametrize("setting", ["after_lunch:3", "after_commit", "after_commit:0", "after_commit:-1"])
def test_a_setting_that_names_no_point_is_refused(tmp_path, setting):
    child = subprocess.run(
        [sys.executable, "-c", "import onevoice.runtime.faults"],
        env={**os.environ, faults.VARIABLE: setting},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"expected one of {', '.join(faults.POINTS)} and a count, as in after_commit:3" in child.stderr
    assert f"found {setting!r}" in child.stderr
