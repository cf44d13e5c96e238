"""Exploration draws as often as it says: the frequencies of what won agree with the recorded probabilities."""

from collections import Counter
from itertools import pairwise

import pytest

from onevoice.playbook.model import DAY, Exploration, Placement, Trigger, TriggerKind
from tests.oracle.desk import book, campaign, event, minutes, named, on, policies
from tests.oracle.draw_stream import Batch
from tests.oracle.engine import Engine

CUSTOMERS = 6_000
SHARE = 0.3
# The greatest value of chi-square with 2 degrees of freedom that comes by chance once in a thousand times. The secret
# of the engine under test is fixed, and with it every lot.
MOST = 13.82


def decided(kind, **parts):
    """The first decision about each customer, of three campaigns of which `best` has the greatest rank."""
    campaigns = [campaign(name, priority=n, **parts) for n, name in enumerate(("last", "middle", "best"))]
    rules = policies(exploration=Exploration(SHARE), gap_us=DAY)
    engine = Engine(book(campaigns=named(*campaigns), policies=rules, placements=named(Placement("wall"))))
    lines = [event(kind, 0, {"card": f"card{number}"}, placement="wall") for number in range(CUSTOMERS)]
    engine.row(Batch(tuple(lines), minutes(0)))
    return engine.decisions


def chi_square(counts, odds):
    total = sum(counts.values())
    return sum((counts[name] - share * total) ** 2 / (share * total) for name, share in odds.items())


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("x", {"when": on("x")}),
        ("asked", {"when": Trigger(TriggerKind.ASKED), "send": (), "placements": ("wall",)}),
    ],
    ids=["round", "ask"],
)
def test_what_wins_wins_as_often_as_was_recorded(kind, parts):
    decisions = decided(kind, **parts)
    assert len(decisions) == CUSTOMERS
    won = [line for made in decisions for line in made.lines if line.reason == "won"]
    odds = {line.campaign: line.probability for line in won}
    assert odds == pytest.approx({"best": 1 - SHARE + SHARE / 3, "middle": SHARE / 3, "last": SHARE / 3})
    assert {(line.campaign, line.probability) for line in won} == {*odds.items()}
    assert chi_square(Counter(line.campaign for line in won), odds) < MOST


def test_the_lots_of_neighbours_are_independent():
    """What one customer's lot says tells nothing about that of the next."""
    won = [line.campaign for made in decided("x", when=on("x")) for line in made.lines if line.reason == "won"]
    after = Counter(follower for name, follower in pairwise(won) if name != "best")
    assert chi_square(after, {"best": 1 - SHARE + SHARE / 3, "middle": SHARE / 3, "last": SHARE / 3}) < MOST
