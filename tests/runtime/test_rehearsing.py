"""A rehearsal under the playbook in force is what happened; under another, what publishing it would have brought."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from onevoice.engine import state as at
from onevoice.engine.machine import Outcome
from onevoice.engine.reasons import ASK, END, SOURCE_FRESH, SOURCE_STALE, STOP, Reason
from onevoice.errors import EventError, LimitError
from onevoice.journal.port import Kind
from onevoice.playbook.builtin import RECEIPTS
from onevoice.playbook.load import load_files
from onevoice.playbook.scopes import computed_parameters
from onevoice.runtime import outcomes
from onevoice.runtime.fold import Published
from onevoice.runtime.rehearsing import rehearse, window_of
from onevoice.runtime.retold import Kept
from tests.oracle.draw import Dice
from tests.oracle.strategies import draw_splits

from .cases import drawn, opened, take
from .test_splits import split

SEEDS = (14, 16, 23, 27, 31, 38, 43, 53, 62, 65, 82, 96, 122, 134)  # rich in what could go wrong
SPLIT_SEEDS = (0, 3, 4, 7, 9, 12)  # with splits between which much is decided, some of which number customers anew
HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_767_225_600_000_000  # 2026-01-01T00:00Z

SHOP = """
playbook: shop
identifiers: {user_id: {unique: true}, email: {format: email}, cookie: {anonymous: true}}
events: {viewed: {fields: {price: number}}, bought: {fields: {amount: number}}}
campaigns:
  thanks: {class: service, owner: care, when: event bought, send: [post]}
  boots: {class: sales, owner: shoes, when: event viewed, if: event.price > 5, send: [post], valid_for: 3 days}
  banner: {class: sales, owner: shoes, when: asked, placements: [home], if: seen > 1}
measures: {seen: count of viewed}
placements: {home: {}}
policies:
  classes: {service: {strict: true}, sales: {}}
  gap: 1 day
channels: {post: {}}
"""


def shop(*changes):
    text = SHOP
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return load_files({"playbook.yaml": text.encode()})


def event(kind, user="ada", **parts):
    return {"type": kind, "identifiers": {"user_id": user, **parts.pop("also", {})}, "fields": parts}


def control(what, **fields):
    return {"type": f"campaign_{what}", "fields": fields}


def told(engine):
    """All that was decided, as the journal has it."""
    found = [outcome for _, outcome in engine._recorded.outcomes(engine._recorded.start())]
    return outcomes.joined(found or [nothing(engine.playbook)])


def nothing(given):
    """No decision, as wide as those that a playbook, or one that is published, makes."""
    playbook = given.playbook if isinstance(given, Published) else given
    decisions, lines, _ = outcomes.nothing()
    return Outcome(decisions, lines, np.zeros((0, at.F_COMPUTED + len(computed_parameters(playbook)))))


def rehearsed(engine, playbook, folder, start=None, end=None):
    """What a rehearsal decides, and the number of its first decision."""
    published = playbook if isinstance(playbook, Published) else Published.of(playbook)
    kept = Kept(folder / f"{start} {end}")
    found = rehearse(engine._journal, engine._secret, published, window_of(start, end), kept, lambda _: None)
    return outcomes.joined([*found.decided()] or [nothing(playbook)]), found.first


def within(outcome, start, end):
    """The decisions of a window."""
    times = outcome.decisions[:, at.D_TIME]
    first = 0 if start is None else int((times < start).sum())
    return outcomes.part(outcome, first, len(times) if end is None else int((times < end).sum()))


def is_first_of_its_time(engine, batch):
    return not batch.observing and batch.stamp > engine._writer.fold.machine.state.scalars[at.NOW]


def of_seed(seed):
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    return engine, batches


@pytest.mark.parametrize("seed", SEEDS)
def test_the_playbook_in_force_decides_what_was_decided(seed, tmp_path):
    engine, batches = of_seed(seed)
    expected = told(engine)
    rows = engine._journal.last().rows
    stamps = [batch.stamp for batch in batches]
    times = sorted({*stamps, *expected.decisions[:, at.D_TIME].tolist()})
    middle, late = times[len(times) // 2], times[-len(times) // 5]
    windows = [(None, None), (None, middle), (middle, late), (middle + 1, None), (late - HOUR, late)]
    for start, end in dict.fromkeys(windows):
        if start is not None and start > stamps[-1]:
            continue
        found, first = rehearsed(engine, engine._writer.fold.published, tmp_path, start, end)
        assert outcomes.is_same(found, within(expected, start, end)), (seed, start, end)
        assert first == len(within(expected, None, start).decisions) if start else first == 0
    assert engine._journal.last().rows == rows, "nothing is written"
    simulated = engine.simulate(engine.playbook, middle, late)
    assert (simulated.differing, simulated.differences, simulated.examples) == (0, (), ())
    assert all(each.happened == each.rehearsed for each in simulated.totals)


@pytest.mark.parametrize("seed", SPLIT_SEEDS)
def test_splits_within_the_window_are_followed(seed, tmp_path):
    """Also some that are taken back: the playbook in force decides what was decided, whoever is two meanwhile."""
    engine, splits = of_seed_with_splits(seed)
    expected = told(engine)
    stamps = [row.stamp_us for row in engine._journal.read() if row.kind is Kind.EVENTS]
    for start in (None, stamps[len(stamps) // 4], splits[0], splits[-1]):
        found, _ = rehearsed(engine, engine._writer.fold.published, tmp_path, start)
        assert outcomes.is_same(found, within(expected, start, None)), (seed, start)
    start, end = stamps[len(stamps) // 4], stamps[len(stamps) * 3 // 4]
    assert engine.simulate(engine.playbook, start, end).differing == 0, seed


def of_seed_with_splits(seed):
    """An engine of drawn batches between which people are split, and when that was."""
    playbook, batches = drawn(seed)
    engine, when = opened(playbook), []
    pairs = draw_splits(playbook, batches, Dice.seeded(seed))
    for number, batch in enumerate(batches):
        take(engine, batch)
        if number % 5 == 4 and pairs and split(engine, pairs[0]):
            when.append(engine._journal.last().stamp_us)
            if len(when) % 2:
                engine.split(*({kind: value} for kind, value in pairs[0]), undo=True)
            pairs.append(pairs.pop(0))
    return engine, when


def test_the_drawn_journals_have_what_could_go_wrong():
    """Merges, asks, every reason that has a time or a turn, held out and explored customers, several offers."""
    drawn_from = [of_seed(seed) for seed in SEEDS]
    decided = [told(engine) for engine, _ in drawn_from]
    rows = [batch for _, batches in drawn_from for batch in batches]
    assert any(engine._writer.fold.machine.state.scalars[at.MERGES] for engine, _ in drawn_from)
    assert {ASK, STOP, END, SOURCE_STALE, SOURCE_FRESH} <= {
        kind for each in decided for kind in each.decisions[:, at.D_KIND].tolist()
    }
    reasons = (Reason.PAUSED, Reason.STOPPED, Reason.NO_CAPACITY, Reason.HOURS, Reason.GAP, Reason.CAP)
    assert {*reasons, Reason.STALE, Reason.WOULD_HAVE_WON} <= {
        each for one in decided for each in one.lines[:, at.L_REASON].tolist()
    }
    assert any((each.figures[:, at.F_PROBABILITY] < 1).any() for each in decided)
    assert any(np.isfinite(each.figures[:, at.F_COMPUTED :]).any() for each in decided)
    assert any(has_several_offers(each) for each in decided)
    assert any(line and line["type"] == "resource_set" for batch in rows for line in batch.lines)
    assert any(batch.imported for batch in rows)
    assert any(batch.observing for batch in rows)


def has_several_offers(outcome):
    came_with = np.unique(outcome.lines[outcome.lines[:, at.L_OFFER] >= 0][:, [at.L_CAMPAIGN, at.L_OFFER]], axis=0)
    return len(came_with) > len(np.unique(came_with[:, 0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_another_playbook_takes_over_as_one_that_is_published(seed, tmp_path):
    engine, batches = of_seed(seed)
    policies = engine.playbook.policies
    changed = replace(
        engine.playbook, policies=replace(policies, gap_us=policies.gap_us + HOUR, caps=policies.caps[1:])
    )
    other, rest = opened(engine.playbook), list(batches)
    while len(rest) > len(batches) // 2 or (rest and not is_first_of_its_time(other, rest[0])):
        take(other, rest.pop(0))
    if not rest:
        pytest.skip("what was imported lies after all that came in live")
    start = rest[0].stamp
    other.tick(start - 1)
    before, contacts = other.decision_count, int(other._writer.fold.machine.state.scalars[at.NEXT_CONTACT])
    other.publish(changed)
    for batch in rest:
        take(other, without_receipts(batch, contacts))
    expected = outcomes.part(told(other), before, other.decision_count)
    expected.decisions[:, at.D_TIME] = expected.decisions[:, at.D_TIME].clip(start)
    found, first = rehearsed(engine, changed, tmp_path, start)
    assert first == before
    assert outcomes.is_same(found, expected), seed


def test_another_playbook_keeps_apart_who_was_split_within_the_window(tmp_path):
    """As if it had been published where the window begins: then Bob's slot is not taken by what Ada was sent."""
    changed = shop(("  gap: 1 day", "  gap: 2 days"))
    ada, bob = {"user_id": "ada"}, {"email": "bob@x.org"}

    def lived(published=None):
        engine = opened(shop())
        engine.ingest([{"type": "viewed", "identifiers": ada | bob, "fields": {"price": 1}}], time=START)
        engine.tick(START + HOUR - 1)
        if published:
            engine.publish(published)
        engine.ingest([event("bought", amount=1), event("viewed", "zoe", price=9)], time=START + HOUR)
        engine.split(ada, bob)
        engine.ingest([{"type": "viewed", "identifiers": bob, "fields": {"price": 9}}], time=START + 26 * HOUR)
        engine.tick(START + 9 * DAY)
        return engine

    found, _ = rehearsed(lived(), changed, tmp_path, START + HOUR)
    expected = told(lived(changed))
    assert [len(expected.decisions), int(expected.decisions[-1, at.D_TIME])] == [3, START + 26 * HOUR]
    assert outcomes.is_same(found, expected)


def without_receipts(batch, contacts):
    """Let no receipt name a contact with a number from `contacts` on: under other rules it would be another one."""
    lines = copy.deepcopy(batch.lines)
    for line in lines:
        if line and line["type"] in RECEIPTS and (line["fields"].get("contact") or 0) >= contacts:
            line["fields"]["contact"] = None
    return replace(batch, lines=lines)


def test_merges_and_asks_come_out_as_they_were(tmp_path):
    engine = opened(shop())
    engine.ingest([event("viewed", "x", price=9, also={"cookie": "c"}), event("viewed", price=9)], time=START)
    engine.ingest([event("bought", amount=1, also={"email": "ada@x.org"})], time=START + HOUR)
    engine.ingest([event("asked", placement="home")], time=START + 2 * HOUR)
    email = {"type": "viewed", "identifiers": {"email": "eve@x.org"}, "fields": {"price": 9}}
    engine.ingest([email], time=START + 3 * HOUR)
    both = {"type": "viewed", "identifiers": {"user_id": "ada", "email": "eve@x.org"}, "fields": {"price": 9}}
    engine.ingest([both], time=START + 4 * HOUR)
    engine.ingest([event("asked", placement="home")], time=START + 5 * HOUR)
    engine.tick(START + 9 * DAY)
    assert engine._writer.fold.machine.state.scalars[at.MERGES] > 0
    for start in (None, START + HOUR, START + 4 * HOUR, START + 5 * HOUR):
        found, _ = rehearsed(engine, engine.playbook, tmp_path, start)
        assert outcomes.is_same(found, within(told(engine), start, None))
        assert len(found.decisions)


def test_what_was_paused_and_stopped_comes_out_as_it_was(tmp_path):
    engine = opened(shop(("boots: {", "boots: {at_most: 1, ")))
    engine.ingest([event("viewed", price=9), event("viewed", "bob", price=9)], time=START)
    engine.ingest([control("resumed", campaign="boots")], time=START + HOUR)
    engine.ingest([control("paused", **{"class": "service"})], time=START + 2 * HOUR)
    engine.ingest([event("bought", "eve", amount=1), event("viewed", "eve", price=9)], time=START + 3 * HOUR)
    engine.ingest([control("stopped", campaign="thanks")], time=START + 4 * HOUR)
    engine.tick(START + 9 * DAY)
    expected = told(engine)
    kinds = expected.decisions[:, at.D_KIND].tolist()
    assert (kinds.count(STOP), kinds.count(END)) == (2, 2)
    for start in (None, *(START + hours * HOUR for hours in range(1, 5))):
        found, _ = rehearsed(engine, engine.playbook, tmp_path, start)
        assert outcomes.is_same(found, within(expected, start, None))
    assert engine.simulate(engine.playbook).differing == 0


def test_what_observed_observes_also_when_it_is_rehearsed():
    engine = opened(shop())
    engine.ingest([event("bought", amount=1)], time=START, decide=False)
    engine.ingest([event("bought", "bob", amount=1)], time=START + HOUR)
    changed = shop(("  gap: 1 day", "  gap: 2 days"))
    (contacts,) = [each for each in engine.simulate(changed).totals if each.name == "contacts"]
    assert (contacts.happened, contacts.rehearsed) == (1, 1)


def test_a_playbook_published_within_the_window_is_not_followed():
    engine = opened(shop())
    engine.ingest([event("bought", amount=1)], time=START)
    engine.publish(shop(("  thanks:", "  again: {class: sales, when: event bought, send: [post]}\n  thanks:")))
    engine.ingest([event("bought", "bob", amount=1)], time=START + DAY)
    engine.tick(START + 3 * DAY)
    found = {each.campaign: (each.sent_happened, each.sent_rehearsed) for each in engine.simulate(shop()).campaigns}
    assert found == {"thanks": (2, 2), "again": (1, 0), "boots": (0, 0), "banner": (0, 0)}


def test_customers_numbered_otherwise_are_the_same_people():
    """Under the other playbook `visited` founds Bob before Ada."""
    engine = opened(shop())
    engine.ingest([event("visited", "bob"), event("bought", amount=1)], time=START)
    engine.ingest([event("bought", "bob", amount=1)], time=START + DAY)
    changed = shop(("events: {", "events: {visited: {}, "))
    rehearsal = engine.simulate(changed)
    assert (rehearsal.differing, rehearsal.gaining, rehearsal.losing) == (0, 0, 0)
    more = shop(
        ("events: {", "events: {visited: {}, "),
        ("  thanks:", "  hello: {class: sales, when: event visited, send: [post]}\n  thanks:"),
    )
    (gained,) = engine.simulate(more).gained
    assert gained.customer == engine.state({"user_id": "bob"}).number


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (START + 9 * DAY, None, "nothing came in at this time or later"),
        (START, START, "it ends where it begins"),
        (datetime(2026, 1, 1), None, "not a time"),  # noqa: DTZ001 - that is what is wrong with it
    ],
)
def test_a_window_that_is_none_is_refused(start, end, said):
    engine = opened(shop())
    engine.ingest([event("bought", amount=1)], time=START)
    with pytest.raises(EventError, match=said):
        engine.simulate(shop(), start, end)


def test_conflicts_refuse_what_they_do_not_know():
    engine = opened(shop())
    with pytest.raises(EventError, match="did you mean `boots`"):
        engine.conflicts("boot")
    with pytest.raises(LimitError, match="no length of time"):
        engine.conflicts(within=7)
    assert engine.conflicts("boots").pairs == ()


def test_nothing_that_happened_is_an_empty_rehearsal():
    rehearsal = opened(shop()).simulate(shop(("  gap: 1 day", "  gap: 2 days")))
    assert (rehearsal.first, rehearsal.lines, rehearsal.decisions, rehearsal.differing) == (None, 0, 0, 0)
    assert {name: table.num_rows for name, table in rehearsal.tables().items() if table.num_rows} == {
        "totals": 8,
        "campaigns": 3,
    }


def test_progress_is_told_up_to_the_end():
    engine = opened(shop(), piece_lines=1)
    engine.ingest([event("bought", amount=1), event("bought", "bob", amount=1)], time=START)
    engine.ingest([event("bought", amount=1)], time=START + DAY)
    heard = []
    engine.simulate(shop(), START + DAY, on_progress=heard.append)
    assert heard == [1, 2, 3]
