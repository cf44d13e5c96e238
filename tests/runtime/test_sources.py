"""Sources that stop, in the runtime: told alone, under another playbook, and after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import onevoice
from onevoice.playbook.load import load_files
from onevoice.runtime import customer as customers
from onevoice.runtime.alone import Alone

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAYBOOK = """
playbook: shop
identifiers: {card: {}}
events: {came: {}, sold: {}, left: {}}
sources: {tills: {events: [sold], stale_after: 6 hours}, web: {events: [left], stale_after: 3 hours}}
campaigns:
  cart: {class: sales, priority: 1, when: event came, until: sold, valid_for: 2 days, send: [mail]}
  note: {class: sales, priority: 2, when: event came, after: 1 hour, until: left, valid_for: 2 days, send: [mail]}
  show: {class: sales, when: asked, placements: [home], if: sales < 9}
measures: {sales: count of sold}
placements: {home: {}}
policies: {classes: {sales: {}}, gap: 2 hours, look_ahead: 4 hours}
"""


def playbook(text=PLAYBOOK):
    return load_files({"playbook.yaml": text.encode()})


def lines(seed, hour):
    """What comes in at an hour: a few customers come, now and then something is sold, or one of them leaves."""
    dice = np.random.default_rng((seed, hour))
    found = []
    for kind, chance in (("came", 0.7), ("sold", 0.12), ("left", 0.2), ("asked", 0.3)):
        if dice.random() < chance:
            late = 0 if kind == "asked" else int(dice.integers(0, 3))
            who = {"card": f"c{dice.integers(0, 5)}"}
            fields = {"placement": "home"} if kind == "asked" else {}
            time = (MONDAY + (hour - late) * HOUR).isoformat()
            found.append({"type": kind, "identifiers": who, "time": time, "fields": fields})
    return found


def told(decisions):
    """Return what decisions say, but for the numbers that others have a part in."""
    return [
        (
            each.time,
            each.kind,
            [(line.campaign, line.reason, line.rule, line.value, line.until, line.score) for line in each.lines],
        )
        for each in decisions
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("swaps", [{}, {30: ("6 hours", "9 hours")}, {30: ("stale_after: 6 hours", "lag: 1 hour")}])
def test_a_customer_alone_is_held_when_all_are(seed, swaps):
    """Others tell of a source, so what was told is taken; also where another playbook takes over while it is stale."""
    with onevoice.open(playbook()) as engine:
        for hour in range(60):
            engine.ingest(lines(seed, hour), time=MONDAY + hour * HOUR)
            if hour in swaps:
                engine.publish(playbook(PLAYBOOK.replace(*swaps[hour])))
        engine.tick(MONDAY + 70 * HOUR)
        engine._writer.flush()
        fold = engine._writer.fold
        reasons = set()
        for number in np.unique(customers.survivors(fold.machine.state)).tolist():
            among = told(engine.decisions(number))
            assert told(Alone(engine._journal, fold, number).decisions()) == among, f"seed {seed}, customer {number}"
            reasons |= {line[1] for _, _, said in among for line in said}
        assert {"stale", "won"} <= reasons


def came_late(late):
    """A shop in which somebody came six hours after a sale; before that `late` came of the tills."""
    engine = onevoice.open(playbook(PLAYBOOK.replace(", look_ahead: 4 hours", "")))
    engine.ingest([event("sold", "x")], time=MONDAY)
    engine.ingest(late, time=MONDAY + 5 * HOUR)
    engine.ingest([event("came", "a")], time=MONDAY + 6 * HOUR)
    return engine


def event(kind, card, time=None):
    return {"type": kind, "identifiers": {"card": card}} | ({"time": time.isoformat()} if time else {})


def test_what_would_have_let_it_go_is_told_to_the_microsecond():
    with came_late([]) as engine:
        smallest = engine.why_not({"card": "a"}, "cart").smallest
        needed = datetime.fromisoformat(smallest.needed)
        assert (smallest.kind, smallest.name, needed) == ("source", "sources.tills", MONDAY)
    for more, reason in ((timedelta(0), "stale"), (timedelta(microseconds=1), "won")):
        with came_late([event("sold", "x", needed + more)]) as engine:
            made = [line for each in engine.decisions({"card": "a"}) for line in each.lines if line.campaign == "cart"]
            assert [line.reason for line in made] == [reason]


def test_the_same_rules_published_again_leave_everything_as_it_is():
    with onevoice.open(playbook()) as engine:
        for hour in range(40):
            engine.ingest(lines(3, hour), time=MONDAY + hour * HOUR)
        before = [each for each in engine.decisions() if each.kind.startswith("source")]
        state = engine._writer.fold.machine.state.feeds.copy()
        engine.publish(playbook(PLAYBOOK.replace("priority: 1", "priority: 1.5")))
        assert (engine._writer.fold.machine.state.feeds == state).all()
        engine.tick(MONDAY + 39 * HOUR)
        assert [each for each in engine.decisions() if each.kind.startswith("source")] == before
