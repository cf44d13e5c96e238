"""A length of time is as long on odd days as on others: what has passed, whatever clocks do meanwhile."""

from __future__ import annotations

from functools import cache

import pytest

from .lived import Told, event, lived, since, told
from .nights import HOUR, MICROSECOND, NIGHTS, ZONES, local

NOW = 0 * HOUR
# By rule: what happens, so long after the night's beginning; and what is recorded, each time so long after it.
HAPPENS = {
    "gap": [(NOW, "began")],
    "again_after": [(NOW, "began"), (1 * HOUR, "began")],
    "after": [(NOW, "began")],
    "wait": [(NOW, "began")],
    "valid_for": [(NOW, "began")],
    "if_unseen": [(NOW, "began")],
    "receipts": [(NOW, "began")],
    "lasts": [(NOW, "began")],
    "then": [(NOW, "began"), (1 * HOUR, "ended")],
    "at_most": [(NOW, "began")],
    "refused": [(NOW, "offer_refused"), (1 * HOUR, "began")],
    "not_now": [(NOW, "offer_not_now"), (1 * HOUR, "began")],
    "ignored": [(NOW, "began"), (4 * HOUR, "began")],
    "interval": [(NOW, "began")],
    "in_steps": [(NOW, "began"), (3 * HOUR - MICROSECOND, "ended")],
    "in_steps.too_late": [(NOW, "began"), (3 * HOUR, "ended")],
    "window": [(NOW, "began"), (3 * HOUR - MICROSECOND, "ended")],
    "window.too_late": [(NOW, "began"), (3 * HOUR, "ended")],
    "many": [(NOW, "began"), (3 * HOUR - MICROSECOND, "began")],
    "many.too_late": [(NOW, "began"), (3 * HOUR, "began")],
    "silence": [(NOW, "began")],
    "silence.broken": [(NOW, "began"), (3 * HOUR - MICROSECOND, "ended")],
    "silence.unbroken": [(NOW, "began"), (3 * HOUR, "ended")],
    "lag": [(NOW, "began")],
    "panes": [(NOW, "began")],
    "goal": [(NOW, "began"), (3 * HOUR - MICROSECOND, "ended")],
    "goal.too_late": [(NOW, "began"), (3 * HOUR, "ended")],
    "look_ahead": [(NOW, "began")],
    "rest": [(NOW, "asked"), (6 * HOUR - MICROSECOND, "asked"), (6 * HOUR, "asked")],
    "shelf": [(NOW, "asked"), (4 * HOUR - MICROSECOND, "asked"), (4 * HOUR, "asked")],
    "door": [(NOW, "asked"), (5 * HOUR - MICROSECOND, "asked"), (5 * HOUR, "asked")],
}
TOLD = {
    "gap": [(NOW, "gap_1", "won"), (NOW, "gap_2", "outranked", 3 * HOUR), (3 * HOUR, "gap_2", "won")],
    "again_after": [
        (NOW, "again_after", "won"),
        (1 * HOUR, "again_after", "again_after", 24 * HOUR),
        (24 * HOUR, "again_after", "won"),
    ],
    "after": [(5 * HOUR, "after", "won")],
    "wait": [(2 * HOUR, "wait", "won")],
    "valid_for": [(NOW, "valid_for", "no_consent"), (6 * HOUR, "valid_for", "expired")],
    "if_unseen": [(NOW, "if_unseen", "won"), (4 * HOUR, "if_unseen", "won")],
    "receipts": [(NOW, "receipts", "won"), (4 * HOUR, "receipts", "won")],
    "lasts": [(NOW, "lasts", "suppressed"), (24 * HOUR, "lasts", "won")],
    "then": [(NOW, "then", "suppressed"), (6 * HOUR, "then", "won")],
    "at_most": [(NOW, "at_most", "suppressed"), (8 * HOUR, "at_most", "won")],
    "refused": [(1 * HOUR, "refused", "suppressed"), (26 * HOUR, "refused", "won")],
    "not_now": [(1 * HOUR, "not_now", "suppressed"), (5 * HOUR, "not_now", "won")],
    "ignored": [(NOW, "ignored", "won"), (4 * HOUR, "ignored", "suppressed"), (7 * HOUR, "ignored", "won")],
    "interval": [(24 * HOUR, "interval", "won")],
    "in_steps": [(3 * HOUR - MICROSECOND, "in_steps", "won")],
    "in_steps.too_late": [],
    "window": [(3 * HOUR - MICROSECOND, "window", "won")],
    "window.too_late": [],
    "many": [(3 * HOUR - MICROSECOND, "many", "won")],
    "many.too_late": [],
    "silence": [(3 * HOUR, "silence", "won")],
    "silence.broken": [],
    "silence.unbroken": [(3 * HOUR, "silence", "won")],
    "lag": [(5 * HOUR, "lag", "won")],
    "goal": [(NOW, "goal", "won")],
    "goal.too_late": [(NOW, "goal", "won")],
    "look_ahead": [
        (NOW, "hasty", "kept_for", 2 * HOUR),
        (2 * HOUR, "planned", "won"),
        (2 * HOUR, "hasty", "outranked", 5 * HOUR),
        (5 * HOUR, "hasty", "won"),
    ],
    "rest": [
        (NOW, "tired", "won"),
        (6 * HOUR - MICROSECOND, "tired", "fatigue", 6 * HOUR),
        (6 * HOUR, "tired", "won"),
    ],
    "shelf": [
        (NOW, "shown_again", "won"),
        (4 * HOUR - MICROSECOND, "shown_again", "again_after", 4 * HOUR),
        (4 * HOUR, "shown_again", "won"),
    ],
    "door": [
        (NOW, "shown_rolling", "won"),
        (5 * HOUR - MICROSECOND, "shown_rolling", "cap", 5 * HOUR),
        (5 * HOUR, "shown_rolling", "won"),
    ],
}
ON_EACH_NIGHT = pytest.mark.parametrize("night", NIGHTS, ids=str)
LAST = 70 * HOUR


def fields_of(rule, kind):
    what = rule.partition(".")[0]
    match kind:
        case "asked":
            return {"placement": what}
        case "offer_refused" | "offer_not_now":
            return {"offer": what}
        case "ended":
            return {}
        case _:
            return {"what": what}


@cache
def engine_of(night):
    """Return the engine after a night in which each rule has a customer of its own."""
    home = {"zone": night.zone}
    events = [
        event(night.start + after, rule, kind, home, **fields_of(rule, kind))
        for rule, happens in HAPPENS.items()
        for after, kind in happens
    ]
    return lived("durations", events, night.start - HOUR, night.start + LAST)


def test_the_nights_are_those_that_clocks_move_in():
    """No other test could fail if they were not: so long after the beginning clocks show another time."""
    moved = [night for night in NIGHTS if local(night.zone, night.turn) - local(night.zone, night.turn - HOUR) != HOUR]
    assert [night.zone for night in moved] == [zone for zone in ZONES for _ in range(2)]
    assert {f"{night.day:%m-%d}" for night in moved} == {"03-29", "10-25", "03-08", "11-01", "04-05", "10-04"}
    assert {night.day.day for night in NIGHTS if night not in moved} == {1, 29}


@ON_EACH_NIGHT
@pytest.mark.parametrize("rule", TOLD)
def test_a_length_of_time_is_what_has_passed(night, rule):
    expected = [(*line, None)[:4] for line in TOLD[rule]]
    found = since(night.start, told(engine_of(night), rule))
    assert sorted(found, key=str) == sorted(expected, key=str)


@ON_EACH_NIGHT
def test_a_measure_loses_its_panes_as_the_epoch_cuts_them(night):
    """Of 64 hours a pane has one, of UTC whatever the clocks do; it is gone with the 64th after it."""
    hour = night.start.replace(minute=0, second=0, microsecond=0)
    assert told(engine_of(night), "panes") == [Told(hour + 64 * HOUR, "panes", "won")]


@ON_EACH_NIGHT
def test_a_goal_is_come_to_within_the_time_that_has_passed(night):
    (figures,) = engine_of(night).results().figures
    assert (figures.contacts, figures.conversions) == (2, 1)


@ON_EACH_NIGHT
def test_the_age_of_a_wish_is_the_time_that_has_passed(night):
    engine = engine_of(night)
    (decision,) = engine.decisions(engine.state({"email": "wait@example.com"}).number)
    assert decision.lines[0].score == 2 / 24
