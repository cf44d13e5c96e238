"""A process that publishes another playbook, killed at each point on its way, again and again, leaves one or the other.

The next start with the new playbook then goes on as if nothing had happened: published once, nothing decided twice.
"""

from __future__ import annotations

import shutil
from contextlib import closing

import pytest

import onevoice
from onevoice.journal.port import Kind, Meta
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults
from onevoice.runtime.fold import Published
from onevoice.runtime.node import Onevoice
from onevoice.runtime.opening import JOURNAL, SNAPSHOTS

from .process import ended, start
from .telecom import PLAYBOOK, lines

META = Meta(bytes(range(16)), created_us=0)
EVENTS = 100
SMALL = 500  # bytes of decisions in a journal row, so that one outcome takes several
PUBLISH = """
import sys, onevoice
with onevoice.open(sys.argv[1], sys.argv[2]) as engine:
    engine.snapshot()
"""
# Customers are numbered anew, for `page_left` is known now; contacts count under another gap.
CHANGES = {
    "customers.yaml": ("  store_visited: {}", "  page_left: {}\n  store_visited: {}"),
    "policies.yaml": ("gap: 4 hours", "gap: 5 hours"),
}


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("changed") / "telecom"
    shutil.copytree(PLAYBOOK, folder)
    for name, (before, after) in CHANGES.items():
        text = (folder / name).read_text("utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after, 1), "utf-8")
    return folder


def begun(folder, seed, *, whole):
    """Make data under the first playbook; unless `whole` a death kept what was decided out of the journal."""
    folder.mkdir()
    journal = SqliteJournal(folder / JOURNAL, new=META)
    engine = Onevoice(Published.of(PLAYBOOK), journal, folder / SNAPSHOTS)
    engine.ingest(lines(seed, EVENTS), imported=True)
    if whole:
        engine.close()
    journal.close()


def gone_on(folder, changed, seed):
    """Go on under the second playbook; return what all starts must agree on."""
    with onevoice.open(changed, folder) as engine:
        engine.ingest(lines(seed + 1, EVENTS), imported=True)
        found = engine.position, engine.hash(), list(map(repr, engine.decisions()))
    with closing(SqliteJournal(folder / JOURNAL)) as journal:
        published = [row.digest for row in journal.read() if row.kind is Kind.PLAYBOOK]
    assert len(published) == 2
    return found


@pytest.mark.parametrize(
    ("point", "whole"),
    [*((point, True) for point in faults.POINTS), ("before_commit", False), ("after_commit", False)],
)
def test_a_death_while_a_playbook_is_published(point, whole, changed, tmp_path):
    seed = 3
    begun(tmp_path / "calm", seed, whole=whole)
    shutil.copytree(tmp_path / "calm", tmp_path / "begun")
    expected = gone_on(tmp_path / "calm", changed, seed)
    assert len(expected[2]) > 10
    deaths, died = 0, True
    while died:
        folder = tmp_path / f"{deaths}"
        shutil.copytree(tmp_path / "begun", folder)
        crash_at = f"{point}:{deaths + 1}"
        died = ended(start(PUBLISH, changed, folder, compiled=False, row_bytes=SMALL, crash_at=crash_at)) != 0
        deaths += died
        assert gone_on(folder, changed, seed) == expected, crash_at
    print(f"{deaths} deaths at {point}")
    assert deaths > (3 if point == "in_write" else 0)
    if not whole:
        assert deaths > 2, "between the rows of what was missing, too"
