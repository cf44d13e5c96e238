"""Hours that a proof calls closed are closed: each minute of the lives of drawn wishes, by the twin's clock.

Seeds rotate and are printed; DEEP_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from onevoice.playbook.deep.gates import WEEK_MINUTES, _dated, _is_closed, _weekly
from onevoice.playbook.grammar import utc
from onevoice.playbook.model import DAY, HOUR, MINUTE, Campaign, Every, Holiday, Playbook, Policies, Trigger, Window
from onevoice.playbook.model import TriggerKind as Kind

from .clock import local
from .draw import Dice
from .hours import opens

SEED = int(os.environ.get("DEEP_SEED") or random.SystemRandom().randrange(2**31))
ZONES = ("Europe/Vilnius", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns", "Pacific/Apia", "UTC")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def minute_of(zone: str, at_us: int) -> int:
    shown = local(zone, at_us)
    return shown.weekday() * 1_440 + shown.hour * 60 + shown.minute


@pytest.mark.parametrize("zone", ZONES)
def test_a_wish_that_begins_at_a_local_time_lives_within_the_minutes_that_are_told(zone):
    print(f"DEEP_SEED={SEED}")
    dice = Dice.seeded(SEED)
    for _ in range(20):
        every = Every(dice.choice((0, 90, 120, 150, 180, 1_439, dice.below(1_440))), weekday=dice.choice((-1, 0, 5, 6)))
        after_us, valid_us = dice.choice((0, HOUR, 9 * DAY)), dice.choice((MINUTE, 5 * HOUR, 2 * DAY))
        when = Trigger(Kind.EVERY, every=every)
        campaign = Campaign("c", "sales", when, after_us=after_us, valid_for_us=valid_us)
        minutes = _weekly(campaign, zone)
        assert minutes is not None
        year = dice.choice((1998, 2011, 2025, 2026))
        for day in range(0, 365, dice.choice((1, 2, 3))):
            shown = FIRST.replace(tzinfo=None, year=year) + timedelta(days=day)
            if every.weekday in {-1, shown.weekday()}:
                birth = utc(shown + timedelta(minutes=every.minute_of_day), ZoneInfo(zone)) + after_us
                for at in (birth, birth + dice.below(valid_us), birth + valid_us - 1):
                    assert minutes >> minute_of(zone, at) & 1, (every, after_us, valid_us, shown)
    assert 0 < minutes.bit_count() <= WEEK_MINUTES


def drawn_policies(dice: Dice, day: datetime) -> Policies:
    def window() -> Window:
        start = dice.choice((0, 120, 480, 1_260))
        weekdays = tuple(dice.some(range(7), 1, 7))
        return Window(start, min(1_440, start + dice.choice((15, 60, 600))), weekdays)

    days = [day + timedelta(days=ahead) for ahead in range(-1, 4)]
    holidays = tuple(Holiday(each.month, each.day, dice.choice((0, each.year))) for each in dice.some(days, 0, 3))
    return Policies(hours={"mail": tuple(window() for _ in dice.times(1, 3))}, holidays=holidays)


@pytest.mark.parametrize("zone", ZONES)
def test_what_is_closed_for_a_life_is_closed_by_the_twins_clock_and_nothing_else_is(zone):
    print(f"DEEP_SEED={SEED}")
    dice, closed = Dice.seeded(SEED), 0
    for _ in range(60):
        day = FIRST + timedelta(days=dice.below(365))
        start = int(day.timestamp()) * 1_000_000 + dice.choice((0, 5 * HOUR, dice.below(DAY)))
        end = start + dice.choice((MINUTE, HOUR, 14 * HOUR, 3 * DAY))
        policies = drawn_policies(dice, day)
        life = _dated(start, end, ())
        assert life is not None
        playbook = replace(Playbook("drawn"), time_zone=zone, policies=policies)
        found = _is_closed(playbook, life, [policies.hours["mail"]])
        assert found == (opens(policies.hours["mail"], policies.holidays, zone, start) >= end), (policies, start, end)
        closed += found
    assert 0 < closed < 60
