"""The index is derived: whatever became of it, it finds those lines that a reading of the whole journal finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from onevoice.engine import state as at
from onevoice.engine.store import COUNT
from onevoice.events.batch import ID, IDENTIFIERS_FROM, IDENTIFIERS_TO, ITEM, LINE, OCCURRED_AT, TYPE
from onevoice.journal.port import Kind, Mode
from onevoice.playbook.load import load_files
from onevoice.runtime import customer as customers
from onevoice.runtime import index as indices
from onevoice.runtime import runs
from onevoice.runtime.index import Index
from onevoice.runtime.related import related

from .cases import drawn, opened, take

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (1, 2, 3, 5, 7, 10)  # of whom nobody is asked or counted in a group
PLAYBOOK = """
playbook: shop
identifiers: {email: {format: email}, card: {}}
traits: {wanted: number}
events: {visit: {fields: {n: key}}, sale: {about: product}}
products: {file: products.csv}
campaigns: {news: {class: sales, priority: 1, when: event visit, per: event.n, send: [mail]}}
policies: {classes: {sales: {}}, caps: [{max: 1, per: day}]}
channels: {mail: {}}
"""
PRODUCTS = b"product\natlas\n"


def book(text=PLAYBOOK):
    return load_files({"playbook.yaml": text.encode(), "products.csv": PRODUCTS})


class Slow:
    """The journal read line by line: who is named where, and when."""

    def __init__(self, engine: Any) -> None:
        fold, now = engine._writer.fold, at.NEVER
        types = fold.compiled.schema.types
        world = {each.name for each in fold.published.playbook.events.values() if each.about == "product"}
        self.world: set[int] = set()  # the positions of world events
        self.lines: dict[int, tuple[set[Any], bool, int]] = {}  # by position: marks, names nobody, journal time
        for row in engine._journal.read(0):
            if row.kind is not Kind.EVENTS:
                continue
            batch = fold.decoded(row)
            now = now if row.mode & Mode.IMPORT else max(now, row.stamp_us)
            for event in batch.rows[batch.rows[:, ITEM] == 0].tolist():
                now = max(now, event[OCCURRED_AT]) if row.mode & Mode.IMPORT else now
                own = batch.identifiers[event[IDENTIFIERS_FROM] : event[IDENTIFIERS_TO], 1:].tolist()
                marks = {*map(tuple, own), *([event[ID]] if event[ID] else [])}
                nobodys = not own or (event[TYPE] >= 0 and not types[event[TYPE]].has_customer)
                self.lines[row.position + event[LINE]] = marks, nobodys, now
                if event[TYPE] >= 0 and types[event[TYPE]].name in world:
                    self.world.add(row.position + event[LINE])
        self.state = fold.machine.state

    def related(self, customer: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the customers, and position and journal time of the lines."""
        rows = self.state.identifiers[: self.state.pools[at.IDENTIFIERS, COUNT]].tolist()
        alias = customers.survivors(self.state)
        wanted = {(row[at.ID_LOW], row[at.ID_HIGH]) for row in rows if alias[row[at.ID_CUSTOMER]] == customer}
        while more := set().union(*(marks for marks, _, _ in self.lines.values() if marks & wanted)) - wanted:
            wanted |= more
        founding = self.state.customers[: self.state.pools[at.CUSTOMERS, COUNT]].tolist()
        named = [n for n, row in enumerate(founding) if (row[at.FOUNDING_LOW], row[at.FOUNDING_HIGH]) in wanted]
        ours = [(position, now) for position, (marks, nobodys, now) in self.lines.items() if nobodys or marks & wanted]
        return named, ours


def everybody(engine):
    return np.unique(customers.survivors(engine._writer.fold.machine.state)).tolist()


def check(engine, index, where=""):
    """Hold what the index finds of each customer against the slow reading."""
    slow, fold = Slow(engine), engine._writer.fold
    for number in everybody(engine):
        found = related(engine._journal, fold, number, index)
        named, lines = slow.related(number)
        told = [(line.row.position, line.now) for line in found.lines]
        left_out = {*lines} - {*told}
        assert (found.customers, told) == (named, [each for each in lines if each not in left_out]), (
            f"{where}: {number}"
        )
        assert {position for position, _ in left_out} <= slow.world, f"{where}: customer {number}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gathered", [1, 3, 10_000])
def test_it_finds_what_a_reading_of_the_whole_journal_finds(seed, gathered, monkeypatch):
    monkeypatch.setattr(indices, "_ROWS_GATHERED", gathered)
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number == len(batches) // 2:
            check(engine, engine._writer.index, f"seed {seed}, half")
    check(engine, engine._writer.index, f"seed {seed}")
    check(engine, Index(engine._writer.fold), f"seed {seed}, made anew")


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_and_answers_are_the_same_without_it(seed):
    playbook, batches = drawn(seed)
    with_it, without = opened(playbook), opened(playbook)
    without._writer.index = None
    for batch in batches:
        take(with_it, batch)
        take(without, batch)
    for number in everybody(with_it):
        assert list(with_it.decisions(number)) == list(without.decisions(number))
        assert with_it.why(number, last=9) == without.why(number, last=9)
        assert with_it.timeline(number) == without.timeline(number)
        campaign = list(playbook.campaigns)[number % len(playbook.campaigns)]
        assert with_it.why_not(number, campaign) == without.why_not(number, campaign)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "index").iterdir())


def lived(folder, days, **more):
    """Live some days of a few people, a snapshot after each."""
    with opened(book(), folder, **more) as engine:
        for day in days:
            for n in range(4):
                who = {"email": f"p{(day + n) % 5}@x.org"} | ({"card": f"c{n}"} if day % 3 == 0 else {})
                event = {"type": "visit", "identifiers": who, "fields": {"n": f"{day}-{n}"}}
                engine.ingest(
                    [event, {"type": "sale", "fields": {"product": "atlas"}}], time=(day * 24 + n) * 3_600_000_000
                )
            engine.snapshot()
        check(engine, engine._writer.index)


def test_it_is_taken_up_from_its_files(tmp_path):
    lived(tmp_path, range(1, 9))
    with opened(book(), tmp_path) as engine:
        assert engine._writer.index.rows == engine._journal.last().rows
    assert 0 < len(files(tmp_path)) < 8
    lived(tmp_path, range(9, 12))


def test_few_runs_are_kept(tmp_path):
    lived(tmp_path, range(1, 40))
    assert len(files(tmp_path)) <= 6


def spoilt(path):
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)


SPOILING = {
    "lost": lambda paths: [path.unlink() for path in paths],
    "its beginning lost": lambda paths: paths[0].unlink(),
    "its end lost": lambda paths: paths[-1].unlink(),
    "damaged": lambda paths: [spoilt(path) for path in paths],
    "cut off": lambda paths: paths[-1].write_bytes(paths[-1].read_bytes()[:-9]),
}


@pytest.mark.parametrize("how", SPOILING)
def test_a_lost_or_damaged_one_is_made_again(tmp_path, how):
    lived(tmp_path, range(1, 9))
    SPOILING[how](files(tmp_path))
    lived(tmp_path, range(9, 11))


def test_one_of_another_journal_is_not_taken(tmp_path):
    lived(tmp_path / "a", range(1, 5)) if (tmp_path / "a").mkdir() is None else None
    (tmp_path / "b").mkdir()
    lived(tmp_path / "b", range(2, 5))
    for path in files(tmp_path / "b"):
        path.unlink()
    for path in files(tmp_path / "a"):
        path.rename(tmp_path / "b" / "index" / path.name)
    lived(tmp_path / "b", range(5, 7))


def test_a_crash_before_a_snapshot_leaves_it_behind_and_it_catches_up(tmp_path):
    lived(tmp_path, range(1, 4))
    engine = opened(book(), tmp_path)
    engine.ingest([{"type": "visit", "identifiers": {"email": "late@x.org"}}], time=10**12)
    engine._journal.close()  # and nothing is written any more
    with opened(book(), tmp_path) as again:
        assert len(again.timeline({"email": "late@x.org"}).events) == 1
        check(again, again._writer.index)


def test_lines_that_another_playbook_reads_otherwise_are_read_anew():
    with opened(book()) as engine:
        engine.ingest(
            [{"type": "visit", "identifiers": {"card": " A1"}}, {"type": "call", "identifiers": {"card": "B"}}]
        )
        engine.publish(book(PLAYBOOK.replace("visit: {fields", "call: {}, visit: {fields")))
        engine.ingest([{"type": "call", "identifiers": {"card": "B", "email": "b@x.org"}}])
        check(engine, engine._writer.index)
        assert len(engine.timeline({"email": "b@x.org"}).events) == 2


def test_a_playbook_that_reads_lines_alike_leaves_it_as_it_is():
    with opened(book()) as engine:
        engine.ingest([{"type": "visit", "identifiers": {"card": "A1"}}])
        engine.why({"card": "A1"})
        before = engine._writer.index.rows
        engine.publish(book(PLAYBOOK.replace("priority: 1", "priority: 2")))
        assert engine._writer.index.rows > before
        check(engine, engine._writer.index)


HOMES = PLAYBOOK.replace("events: {", "groups: {home: {by: street, leaves: left}}\nevents: {MORE, ").replace(
    "MORE", "moved: {fields: {street: choice}}, left: {fields: {street: choice}}"
)


def together(engine, card):
    """Return with whom somebody hangs together, and where the lines stand."""
    fold, journal = engine._writer.fold, engine._journal
    number = customers.number_of(fold, {"card": card})
    found, anew = related(journal, fold, number, engine._writer.index), related(journal, fold, number)
    assert (found.customers, found.lines) == (anew.customers, anew.lines)
    return found.customers, [line.row.position for line in found.lines]


def test_who_is_in_a_counted_group_together_is_found_together(tmp_path):
    engine = opened(book(HOMES), tmp_path)
    for card, street in (("A", "oak"), ("B", "oak"), ("C", "elm")):
        engine.ingest([{"type": "moved", "identifiers": {"card": card}, "fields": {"street": street}}])
    engine.ingest([{"type": "left", "identifiers": {"card": "B"}, "fields": {"street": "oak"}}])
    assert together(engine, "A") == ([0], [0])
    counted = HOMES.replace("per: day}", "per: day, group: home}")
    engine.publish(book(counted))
    assert together(engine, "A") == together(engine, "B") == ([0, 1], [0, 1, 3])
    engine.ingest([{"type": "moved", "identifiers": {"card": "C"}, "fields": {"street": "oak"}}])
    assert together(engine, "C") == ([0, 1, 2], [0, 1, 2, 3, 4])
    engine.snapshot()
    engine.close()
    with opened(book(counted), tmp_path) as again:
        assert again._writer.index._filed > 0
        assert together(again, "A") == ([0, 1, 2], [0, 1, 2, 3, 4])
        again.publish(book(HOMES))
        assert together(again, "C") == ([2], [2, 4])


def test_lines_of_every_form_are_found():
    """Blank lines count for nothing; a line may be anywhere in a long row; a table has no lines of its own."""
    visits = [
        f'{{"type":"visit","identifiers":{{"email":"p{n % 7}@x.org"}},"fields":{{"n":"{n}"}}}}' for n in range(100)
    ]
    odd = "\n \n".join(visits[:40]) + "\n\n\r\n" + "\n".join(visits[40:])
    table = pa.table({"type": ["visit"] * 50, "identifiers.email": [f"p{n % 7}@x.org" for n in range(50)]})
    with opened(book()) as engine:
        engine.ingest(odd.encode(), time=10**15)
        engine.ingest(table, time=10**15)
        engine.ingest("\n".join(visits).encode(), time=10**15 + 1)
        check(engine, engine._writer.index)
        assert len(engine.timeline({"email": "p3@x.org"}).events) == 14 + 7 + 14


def test_what_only_looks_alike_by_its_mark_is_left_out(monkeypatch):
    """With marks of no bits at all everything is found, and looked at again."""
    monkeypatch.setattr(runs, "keys_of", lambda marks: np.zeros(len(marks), np.uint64))
    with opened(book()) as engine:
        for n in range(30):
            engine.ingest([{"type": "visit", "identifiers": {"email": f"p{n % 7}@x.org"}}], time=10**15 + n)
        check(engine, engine._writer.index)


def test_journal_time_of_late_lines_is_kept():
    with opened(book()) as engine:
        days = [5, 3, 9, 1, 9, 12, 2]
        lines = [
            {"type": "visit", "time": f"2026-03-{day:02}T00:00:00Z", "identifiers": {"email": f"p{day % 2}@x.org"}}
            for day in days
        ]
        engine.ingest(lines, imported=True)
        check(engine, engine._writer.index)


def test_decisions_are_found_under_every_number_a_customer_had():
    renamed = PLAYBOOK.replace("call: {}, ", "").replace("events: {", "events: {call: {}, ")
    with opened(book()) as engine:
        engine.ingest([{"type": "call", "identifiers": {"card": "z"}}], time=10**15)
        engine.ingest([{"type": "visit", "identifiers": {"card": "a"}, "fields": {"n": "1"}}], time=10**15)
        engine.publish(book(renamed))
        engine.ingest([{"type": "visit", "identifiers": {"card": "a"}, "fields": {"n": "2"}}], time=10**15 + 1)
        engine.tick(10**15 + 10**9)
        assert len(engine._writer.fold.renumbered) == 1
        own = engine.state({"card": "a"}).number
        every = [each for each in engine.decisions() if each.customer == own]
        assert list(engine.decisions({"card": "a"})) == every
        assert len(every) > 1
