"""Results by each kind of parts: the same contacts, counted in other ways; and what may be said of them."""

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from onevoice.history.results import PARTS, cells, results, said, titles
from onevoice.playbook.load import load_files
from tests.history import given

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAMPAIGNS = ("ada", "bee", "cox", "dot")
PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
events: {visited: {}, bought: {}}
campaigns:
  ada: {class: sales, owner: one, when: event visited, send: [email], goal: bought within 3 days}
  bee: {class: sales, owner: two, when: event visited, send: [email], goal: bought within 1 day}
  cox: {class: news, owner: two, when: event visited, send: [email], goal: bought within 9 days}
  dot: {class: news, when: event visited, send: [email]}
policies: {classes: {sales: {}, news: {}}}
"""


def tables(dice, share, count=400):
    """Decisions of which a share is held out, and goals, as the engine gives them."""
    times = sorted(MONDAY + timedelta(minutes=dice.randrange(30_000)) for _ in range(count))
    decided = {
        "decision": range(count),
        "time": times,
        "customer": [dice.randrange(-1, 60) for _ in times],
        "campaign": [dice.choice(CAMPAIGNS) for _ in times],
        "key": [-1] * count,
        "reason": ["would_have_won" if dice.random() < share else dice.choice(("won", "gap")) for _ in times],
    }
    goals = {
        "customer": [dice.randrange(60) for _ in times],
        "campaign": [dice.choice(CAMPAIGNS[:3]) for _ in times],
        "time": [each + timedelta(minutes=dice.randrange(9000)) for each in times],
    }
    return pa.table(decided), pa.table(goals)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_each_kind_of_parts_counts_the_same_contacts(seed, share):
    decided, goals = tables(random.Random(seed), share)
    found = results(decided, goals, load_files({"playbook.yaml": PLAYBOOK.encode()}))
    assert tuple(found) == PARTS
    rows = [row for row in decided.to_pylist() if row["customer"] >= 0 and row["campaign"] != "dot"]
    held = {row["customer"] for row in rows if row["reason"] == "would_have_won"}
    won = [row["customer"] for row in rows if row["reason"] == "won"]
    for each in found.values():
        assert (each.contacted, each.held_out, each.whole.contacts) == (len({*won}), len(held), len(won))
        for name in ("contacts", "conversions", "would_have_won", "held_out_conversions"):
            assert sum(getattr(figures, name) for figures in each.figures) == getattr(each.whole, name), (seed, name)
    assert (found["campaign"].whole.conversions > 0) is (share < 1)


def test_those_with_the_most_contacts_come_first_and_weeks_in_their_order():
    decided, goals = tables(random.Random(7), 0.1)
    found = results(decided, goals, load_files({"playbook.yaml": PLAYBOOK.encode()}))
    for by in ("campaign", "class", "owner"):
        contacts = [each.contacts for each in found[by].figures]
        assert contacts == sorted(contacts, reverse=True)
    weeks = [each.part for each in found["week"].figures]
    assert weeks == ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"]
    assert len({each.contacts for each in found["campaign"].figures}) > 1


def test_where_nobody_was_held_out_nothing_is_compared():
    alone, compared = (given.results(held_out=held_out)["campaign"] for held_out in (False, True))
    assert titles(alone) == ("contacts", "came", "share")
    assert cells(alone, alone.figures[0]) == ("4,000", "1,200", "30.0%")
    assert said(alone) == []
    assert titles(compared)[3:] == ("held out", "rate", "rate of held out", "uplift")
    assert cells(compared, compared.figures[0])[3] == "500"


def test_the_same_is_said_once_of_all_of_whom_it_may_be_said():
    told = said(given.results("more", many=90)["campaign"])
    assert [name for name, words in told if "more come" in words] == ["more", "all together"]
    (names,) = [name for name, words in told if words == "nobody was held out, so nothing can be compared"]
    assert names.startswith("nobody, more_0, more_1,")
    assert names.endswith("and 79 more")
    assert len(told) == 7
