"""Timers are bounded by what waits, not by how often it was put off."""

from __future__ import annotations

import pytest

from onevoice.engine import state as at
from onevoice.engine.store import COUNT
from onevoice.playbook.model import (
    DAY,
    SECOND,
    Campaign,
    CampaignClass,
    Channel,
    EventMatch,
    EventType,
    Identifier,
    Moment,
    Playbook,
    Policies,
    Step,
    Trigger,
    TriggerKind,
)
from tests.oracle.clock import rfc3339
from tests.oracle.draw_stream import Batch
from tests.oracle.engine import Engine

START = 1_774_746_000_000_000
EVENTS = 300

BUY = EventMatch("buy")
LAPSED = Moment("lapsed", (Step((BUY,)), Step((BUY,), within_us=60 * DAY, absent=True)))
OFFER = Campaign(
    "offer", "sales", Trigger(TriggerKind.EVENT, "buy"), send=("push",), wait_us=30 * DAY, valid_for_us=60 * DAY
)
MISSED = Campaign("missed", "sales", Trigger(TriggerKind.MOMENT, "lapsed"), send=("push",))


def playbook(moments, campaign):
    return Playbook(
        "timers",
        identifiers={"card": Identifier("card")},
        events={"buy": EventType("buy")},
        moments=moments,
        channels={"push": Channel("push")},
        campaigns={campaign.name: campaign},
        policies=Policies(classes={"sales": CampaignClass("sales")}),
    )


@pytest.mark.parametrize(("moments", "campaign"), [({"lapsed": LAPSED}, MISSED), ({}, OFFER)])
def test_what_is_put_off_again_and_again_has_one_timer(moments, campaign):
    engine = Engine(playbook(moments, campaign))
    for number in range(EVENTS):
        stamp = START + number * SECOND
        line = {"type": "buy", "time": rfc3339(stamp), "identifiers": {"card": "ann"}, "fields": {}}
        engine.row(Batch((line,), stamp))
    assert engine.machine.state.pools[at.TIMERS, COUNT] <= 3
    engine.row(Batch((), START + 365 * DAY))
    assert [line.reason for decision in engine.decisions for line in decision.lines] == ["won"]
