"""D4: Sequences with order, counts, time windows and absence ("and then did not") are detected over hundreds of
thousands of events per second.

One story is told, and told again with one thing otherwise. Small random streams are held to a search of all
subsequences; two million events to a count that others found too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import combinations, pairwise
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from .stage import ANN, Stage, at, shown

HESITATES = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  view: {}
  cart: {}
  help: {}
  pay: {}
moments:
  hesitates: [3 view within 1 day, no help, cart within 1 hour, no pay for 30 minutes]
campaigns:
  may_we_help: {class: notice, when: moment hesitates, wait: 0s, send: [push]}
policies:
  classes: {notice: {}}
"""
VIEWS = {"02 10:00": "view", "02 10:20": "view", "02 10:40": "view"}
STORY = VIEWS | {"02 11:00": "cart"}


@pytest.fixture
def shop(stage):
    return stage(HESITATES)


def told(shop, story):
    """Return when we spoke, of a story of kinds by day and time."""
    for time, kind in sorted(story.items()):
        shop.happens(f"2026-03-{time}", kind, ANN)
    shop.until("2026-03-09 00:00")
    assert {(campaign, channel) for _, campaign, channel in shop.said()} <= {("may_we_help", "push")}
    return [time for time, _, _ in shop.said()]


def without(time):
    return {each: kind for each, kind in STORY.items() if each != time}


OTHERWISE = {
    "two views": without("02 10:20"),
    "no cart": VIEWS,
    "cart before the last view": VIEWS | {"02 10:30": "cart"},
    "first view a day before the last": without("02 10:00") | {"01 10:40": "view"},
    "cart an hour after the views": VIEWS | {"02 11:40": "cart"},
    "helped in between": STORY | {"02 10:50": "help"},
    "paid in time": STORY | {"02 11:29": "pay"},
}
ALMOST_OTHERWISE = {
    "first view within the day": (without("02 10:00") | {"01 10:41": "view"}, "11:30"),
    "cart within the hour": (VIEWS | {"02 11:39": "cart"}, "12:09"),
    "helped before the last view": (STORY | {"02 10:30": "help"}, "11:30"),
    "helped after the cart": (STORY | {"02 11:01": "help"}, "11:30"),
    "paid too late": (STORY | {"02 11:30": "pay"}, "11:30"),
}


def test_who_hesitates_hears_from_us_once(shop):
    assert told(shop, STORY) == ["2026-03-02 11:30"]


@pytest.mark.parametrize("name", OTHERWISE)
def test_who_does_one_thing_otherwise_hears_nothing(shop, name):
    assert told(shop, OTHERWISE[name]) == []


@pytest.mark.parametrize("name", ALMOST_OTHERWISE)
def test_who_does_it_almost_otherwise_hears_from_us(shop, name):
    story, time = ALMOST_OTHERWISE[name]
    assert told(shop, story) == [f"2026-03-02 {time}"]


# Drawn streams

PLAYBOOK = """
playbook: sequences
identifiers:
  user_id: {unique: true}
events:
  view: {fields: {value: number}}
  cart: {}
  help: {}
  pay: {}
moments:
  found:
MOMENT
campaigns:
  noted: {class: notice, when: moment found, wait: 0s, send: [push]}
policies:
  classes: {notice: {}}
"""


@dataclass(frozen=True)
class Sequence:
    """A moment, in the playbook's words and in those of the search; windows in minutes."""

    text: str
    kinds: tuple[str, ...]
    within: int = 0  # over the whole chain
    step: int = 0  # from each event of the chain to the next
    never: tuple[int, str] = (0, "")  # between these two of the chain, counted from 1, not this event
    then_no: tuple[str, int] = ("", 0)  # and after it not this event for so long
    value_above: float = -1.0

    @property
    def playbook(self) -> str:
        return PLAYBOOK.replace("MOMENT", self.text)

    def is_chain(self, chain: tuple[Happening, ...], stream: list[Happening]) -> bool:
        if any(one.kind != kind for one, kind in zip(chain, self.kinds, strict=True)):
            return False
        minutes = [one.minute for one in chain]
        if self.within and minutes[-1] - minutes[0] >= self.within:
            return False
        if self.step and any(b - a >= self.step for a, b in pairwise(minutes)):
            return False
        after, kind = self.never
        if kind and any(one.kind == kind for one in stream[chain[after - 1].place + 1 : chain[after].place]):
            return False
        return chain[-1].value > self.value_above


@dataclass(frozen=True)
class Happening:
    place: int
    minute: int
    kind: str
    value: float


SEQUENCES = {
    "order": Sequence("    steps: [view, cart, pay]", ("view", "cart", "pay")),
    "one window": Sequence("    within: 40 minutes\n    steps: [view, cart, pay]", ("view", "cart", "pay"), within=40),
    "step windows": Sequence(
        "    steps: [view, cart within 15 minutes, pay within 15 minutes]", ("view", "cart", "pay"), step=15
    ),
    "count": Sequence("    within: 1 hour\n    steps: [3 view, pay]", ("view", "view", "view", "pay"), within=60),
    "absence between": Sequence("    steps: [view, no help, cart]", ("view", "cart"), never=(1, "help")),
    "and then did not": Sequence(
        "    steps: [view, cart, no pay for 20 minutes]", ("view", "cart"), then_no=("pay", 20)
    ),
    "condition": Sequence("    steps: [cart, view where event.value > 50]", ("cart", "view"), value_above=50),
}


def firings(sequence: Sequence, stream: list[Happening]) -> list[int]:
    """Return the minutes of firing: where a chain is completed by events that all came after the last firing."""
    found: list[int] = []
    begun, due = 0, -1
    for one in stream:
        if 0 <= due <= one.minute:
            found.append(due)
            begun, due = one.place, -1
        if due >= 0 and one.kind == sequence.then_no[0]:
            begun_waits = [earlier for earlier in stream[begun : one.place] if earlier.kind == sequence.kinds[-1]]
            assert begun_waits
            due = -1
        chosen = combinations(stream[begun : one.place], len(sequence.kinds) - 1)
        if one.kind == sequence.kinds[-1] and any(sequence.is_chain((*rest, one), stream) for rest in chosen):
            if sequence.then_no[0]:
                due = one.minute + sequence.then_no[1]
            else:
                found.append(one.minute)
                begun = one.place + 1
    return [*found, due] if due >= 0 else found


START = at("2026-03-02 00:00").astimezone(UTC)


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_is_what_a_search_of_all_subsequences_finds(stage, name, seed):
    print(f"seed {seed}")
    dice, sequence = Random(seed), SEQUENCES[name]
    company = stage(sequence.playbook)
    streams: dict[str, list[Happening]] = {user: [] for user in ("u1", "u2", "u3")}
    minute = 0
    events = []
    for _ in range(90):
        minute += dice.choice((0, 1, 3, 7, 12))
        user, kind = dice.choice(list(streams)), dice.choice(("view", "view", "cart", "help", "pay"))
        value = dice.choice((10.0, 50.0, 90.0)) if kind == "view" else 0.0
        streams[user].append(Happening(len(streams[user]), minute, kind, value))
        fields = {"value": value} if kind == "view" else {}
        time = (START + timedelta(minutes=minute)).isoformat()
        events.append({"type": kind, "time": time, "identifiers": {"user_id": user}, "fields": fields})
    half = dice.randint(20, 70)
    company.now = START + timedelta(minutes=minute)
    company.engine.ingest(events[:half], imported=True)
    company.reopen()
    company.engine.ingest(events[half:], imported=True)
    company.engine.tick(time=START + timedelta(days=30))
    expected = sorted(minute for stream in streams.values() for minute in firings(sequence, stream))
    assert [time for time, _, _ in company.said()] == [shown(START + timedelta(minutes=each)) for each in expected]


def test_the_streams_hold_something_to_find():
    """The search itself, by hand."""
    stream = [Happening(i, 10 * i, kind, 0) for i, kind in enumerate(("view", "cart", "cart", "pay", "pay"))]
    assert firings(SEQUENCES["order"], stream) == [30]
    assert firings(SEQUENCES["one window"], stream) == [30]
    assert firings(SEQUENCES["step windows"], stream) == []  # the second cart is too late, the first too early
    assert firings(SEQUENCES["and then did not"], stream) == []
    assert firings(SEQUENCES["and then did not"], stream[:3]) == [40]


# Two million events

A_DAY = """
playbook: stream
identifiers:
  user_id: {unique: true}
events:
KINDS
moments:
  found:
WINDOWS
campaigns:
  noted: {class: notice, when: moment found, wait: 0s, send: [push]}
policies:
  classes: {notice: {}}
""".replace("KINDS", "\n".join(f"  e{kind}: {{fields: {{val: number}}}}" for kind in range(8)))
ONE_WINDOW = "    within: 1 day\n    steps: [e1, e3, e5 where event.val > 50]"
STEP_WINDOWS = "    steps: [e1, e3 within 1 day, e5 where event.val > 50 within 1 day]"


def two_million() -> pa.Table:
    """Return the stream on which other engines were run; the order of the draws is part of it."""
    draw, n, customers = np.random.default_rng(7), 2_000_000, 100_000
    user = draw.zipf(1.3, n) % customers
    uniform = draw.random(n) < 0.8
    user[uniform] = draw.integers(0, customers, uniform.sum())
    kind = draw.choice(8, n, p=[0.30, 0.20, 0.15, 0.10, 0.10, 0.08, 0.05, 0.02])
    time = 1_700_000_000_000 + np.sort(draw.integers(0, 10 * 86400 * 1000, n))
    value = np.round(draw.gamma(2, 30, n), 2)
    types = pa.DictionaryArray.from_arrays(pa.array(kind.astype(np.int32)), [f"e{each}" for each in range(8)])
    columns = {
        "type": types,
        "time": pa.array(time, pa.timestamp("ms", "UTC")),
        "identifiers.user_id": pa.array(user).cast(pa.string()),
        "fields.val": pa.array(value),
    }
    return pa.table(columns)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="an hour without the compiler")
@pytest.mark.parametrize(
    ("windows", "count"), [(ONE_WINDOW, 9_902), (STEP_WINDOWS, 11_123)], ids=["one window", "step windows"]
)
def test_two_million_events_hold_as_many_as_others_found(tmp_path, windows, count):
    """Without the fixture: a hash over a hundred thousand customers takes longer than the story."""
    company = Stage(tmp_path, A_DAY.replace("WINDOWS", windows))
    taken = company.engine.ingest(two_million(), imported=True)
    table = company.engine.decisions_table()
    company.engine.close()
    assert (taken.accepted, taken.rejected_count) == (2_000_000, 0)
    assert set(table.column("reason").to_pylist()) == {"won"}
    assert table.num_rows == count
