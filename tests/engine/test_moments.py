"""Two million events through the step find exactly the firings that other engines and brute force find (anchors.md).

Each firing is counted by the one contact that a campaign without wait, gap or caps makes of it.
"""

from __future__ import annotations

import numba
import numpy as np
import pytest

from onevoice.compiler import compile_playbook
from onevoice.engine.machine import Machine
from onevoice.engine.reasons import Reason
from onevoice.engine.state import L_REASON
from onevoice.events.batch import IDENTIFIERS_FROM, IDENTIFIERS_TO, LINE, OCCURRED_AT, ROW_WIDTH, SOURCE, TYPE, Batch
from onevoice.events.siphash import NO_PREFIX, hash_texts_128
from onevoice.playbook.model import (
    DAY,
    Campaign,
    CampaignClass,
    Channel,
    EventMatch,
    EventType,
    FieldType,
    Identifier,
    Moment,
    Playbook,
    Policies,
    Step,
    Trigger,
    TriggerKind,
)

SECRET = (7, 9)
EVENTS = 2_000_000
CUSTOMERS = 100_000
ROWS = 131_072  # of one batch

interpreted = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="two million events take an hour interpreted")


def steps(within_us: int) -> tuple[Step, ...]:
    first, second, third = EventMatch("ev_1"), EventMatch("ev_3"), EventMatch("ev_5", "val > 50")
    return Step((first,)), Step((second,), within_us=within_us), Step((third,), within_us=within_us)


def playbook(moment: Moment) -> Playbook:
    names = [f"ev_{number}" for number in range(8)]
    campaign = Campaign("noticed", "service", Trigger(TriggerKind.MOMENT, moment.name), send=("task",))
    return Playbook(
        "stream",
        identifiers={"card": Identifier("card", unique=True)},
        events={name: EventType(name, {"val": FieldType.NUMBER}) for name in names},
        moments={moment.name: moment},
        campaigns={campaign.name: campaign},
        policies=Policies(classes={"service": CampaignClass("service")}),
        channels={"task": Channel("task")},
    )


def stream() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return customer, type, time in µs and value of each event: the stream of every figure in anchors.md."""
    draw = np.random.default_rng(7)
    customer = draw.zipf(1.3, EVENTS) % CUSTOMERS
    uniform = draw.random(EVENTS) < 0.8
    customer[uniform] = draw.integers(0, CUSTOMERS, uniform.sum())
    kind = draw.choice(8, EVENTS, p=[0.30, 0.20, 0.15, 0.10, 0.10, 0.08, 0.05, 0.02])
    time_ms = 1_700_000_000_000 + np.sort(draw.integers(0, 10 * 86_400 * 1000, EVENTS))
    value = np.round(draw.gamma(2, 30, EVENTS), 2)
    return customer, kind, time_ms * 1000, value


def card_hashes() -> np.ndarray:
    """Return int64[CUSTOMERS, 3]: the identifier of each customer."""
    texts = [f"{number}".encode() for number in range(CUSTOMERS)]
    edges = np.cumsum([0, *map(len, texts)])
    spans = np.column_stack([edges[:-1], edges[1:]])
    letters = np.frombuffer(b"".join(texts), np.uint8)
    kinds = np.zeros(CUSTOMERS, np.int64)
    return np.column_stack([kinds, hash_texts_128(letters, kinds, spans, NO_PREFIX, SECRET)])


def batches(machine: Machine):
    customer, kind, time, value = stream()
    numbers = np.array([machine.compiled.schema.layout(f"ev_{each}").number for each in range(8)])
    column = machine.compiled.schema.layout("ev_0").fields["val"].column
    identifiers = card_hashes()[customer]
    for start in range(0, EVENTS, ROWS):
        part = slice(start, start + ROWS)
        count = len(customer[part])
        rows = np.zeros((count, ROW_WIDTH), np.int64)
        rows[:, TYPE] = numbers[kind[part]]
        rows[:, OCCURRED_AT] = time[part]
        rows[:, LINE] = rows[:, IDENTIFIERS_FROM] = np.arange(count)
        rows[:, IDENTIFIERS_TO] = rows[:, LINE] + 1
        rows[:, SOURCE] = -1
        values = np.full((count, machine.compiled.schema.width_values), np.nan)
        values[:, column] = value[part]
        keys = np.zeros((count, machine.compiled.schema.width_keys), np.int64)
        yield Batch(rows, values, keys, identifiers[part], np.zeros((0, 2)), [], [], count, {}, {})


def firings(moment: Moment) -> int:
    machine = Machine(compile_playbook(playbook(moment)), SECRET)
    lines = [machine.row(batch, 0, imported=True).lines for batch in batches(machine)]
    assert machine.position == EVENTS
    reasons = np.concatenate(lines)[:, L_REASON]
    assert set(reasons.tolist()) == {Reason.WON}
    return len(reasons)


@interpreted
def test_one_window_of_a_day():
    assert firings(Moment("spent", steps(0), within_us=DAY)) == 9_902


@interpreted
def test_two_step_windows_of_a_day():
    assert firings(Moment("spent", steps(DAY))) == 11_123
