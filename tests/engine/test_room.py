"""Tables never run over: a merged customer with many candidates, when the tables of decisions are nearly full."""

from __future__ import annotations

import pytest

from onevoice.engine import state as at
from onevoice.playbook.model import (
    DAY,
    SECOND,
    Campaign,
    CampaignClass,
    Channel,
    EventMatch,
    EventType,
    FieldType,
    Identifier,
    Placement,
    Playbook,
    Policies,
    Trigger,
    TriggerKind,
)
from tests.oracle.clock import instant, rfc3339
from tests.oracle.draw_stream import Batch
from tests.oracle.engine import Engine

START = instant("2026-03-02T00:00:00Z")
PEOPLE = ("card", "phone", "login")
WISHES = 64


def playbook():
    follow_up = Campaign(
        "follow_up",
        "sales",
        Trigger(TriggerKind.EVENT, "order"),
        per="order_id",
        send=("push",),
        wait_us=DAY,
        until=EventMatch("closed"),
    )
    welcome = Campaign("welcome", "sales", Trigger(TriggerKind.ASKED), placements=("till",))
    return Playbook(
        "room",
        identifiers={kind: Identifier(kind) for kind in PEOPLE},
        events={"order": EventType("order", {"order_id": FieldType.KEY}), "closed": EventType("closed")},
        channels={"push": Channel("push")},
        campaigns={"follow_up": follow_up, "welcome": welcome},
        placements={"till": Placement("till")},
        policies=Policies(classes={"sales": CampaignClass("sales")}, gap_us=DAY),
    )


def line(kind, second, who, **fields):
    time = rfc3339(START + second * SECOND)
    return {"type": kind, "time": time, "identifiers": who, "fields": fields}


def merged_with_many_wishes(engine):
    for kind in PEOPLE:
        orders = [line("order", 0, {kind: "ann"}, order_id=f"{kind} {number}") for number in range(WISHES)]
        engine.row(Batch(tuple(orders), START))
    engine.row(Batch((line("profile_updated", 1, dict.fromkeys(PEOPLE, "ann")),), START + SECOND))


@pytest.mark.parametrize(("last", "hour", "kind"), [("profile_updated", 48, "round"), ("closed", 1, "end")])
def test_a_merged_customer_has_room_for_all_candidates(last, hour, kind):
    """The asks fill the table of lines but for a hundred rows; then 192 candidates want a line each."""
    engine = Engine(playbook())
    merged_with_many_wishes(engine)
    asks = [line("asked", 2, {"card": "bob"}, placement="till")] * (at.DECISIONS_ROWS - 100)
    stamp = START + hour * 3_600 * SECOND
    engine.row(Batch((*asks, line(last, hour * 3_600, {"card": "ann"})), stamp, imported=True))
    told = [decision for decision in engine.decisions if decision.kind == kind]
    assert sum(len(decision.lines) for decision in told if decision.customer == 0) >= len(PEOPLE) * WISHES
