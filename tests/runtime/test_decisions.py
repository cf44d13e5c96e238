"""How each reason is told, in one table; and how outcomes travel through the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from onevoice.engine import state as at
from onevoice.engine.machine import Outcome
from onevoice.engine.reasons import DecisionKind, Reason
from onevoice.history import tables
from onevoice.playbook.model import (
    Bucket,
    Campaign,
    Cap,
    Channel,
    Offer,
    Placement,
    Playbook,
    Policies,
    Resource,
    Source,
    Suppression,
    Trigger,
    TriggerKind,
)
from onevoice.runtime import outcomes
from onevoice.runtime.decisions import Reading, time_of, us_of

ONCE = Trigger(TriggerKind.ONCE)
PLAYBOOK = Playbook(
    "shop",
    campaigns={name: Campaign(name, "sales", ONCE) for name in ("spring", "summer")},
    channels={"mail": Channel("mail"), "sms": Channel("sms", rate=1, rate_per=Bucket.HOUR)},
    sources={name: Source(name, stale_after_us=60_000_000) for name in ("tills", "agency")},
    resources={"desk": Resource("desk", 3, per=Bucket.HOUR)},
    placements={"till": Placement("till", fatigue_times=3, fatigue_us=60_000_000)},
    policies=Policies(
        caps=tuple(Cap(count, rolling_us=60_000_000) for count in (2, 3, 4)),
        suppress=(Suppression(("sales",), "true"),) * 4,
    ),
)
NOON = 1_767_268_800_000_000  # 2026-01-01T12:00Z
NULL = float("nan")
SPRING, SUMMER = 0, 1

# campaign, key, reason, channel, rule, value, limit, until, contact; score; what is told of it
TOLD = [
    ((SPRING, 0, Reason.WON, 1, -1, 0, 0, 0, 7), 2.5, "<spring: won by sms score 2.5>"),
    ((SPRING, 0, Reason.WON, -1, -1, 0, 0, 0, -1), NULL, "<spring: won>"),
    ((SPRING, 0, Reason.WON, 1, 7, 0, 0, 0, 8), NULL, "<spring: won by sms>"),
    ((SPRING, 0, Reason.FAILED, 1, -1, 0, 0, 0, -1), NULL, "<spring: failed by sms>"),
    ((SPRING, 0, Reason.FAILED, 0, -1, 0, 0, 0, 7), NULL, "<spring: failed by mail>"),
    ((SPRING, 5, Reason.EXPIRED, -1, -1, 0, 0, 0, -1), NULL, "<spring: expired>"),
    ((SPRING, 0, Reason.ENDED, -1, -1, 0, 0, 0, -1), NULL, "<spring: ended>"),
    ((SPRING, 0, Reason.NOT_ELIGIBLE, -1, -1, 0, 0, 0, -1), NULL, "<spring: not_eligible>"),
    ((SPRING, 0, Reason.TOO_MANY, -1, -1, 0, 0, 0, -1), NULL, "<spring: too_many>"),
    ((SPRING, 0, Reason.STOPPED, -1, 2, 0, 0, 0, -1), NULL, "<spring: stopped all>"),
    ((SPRING, 0, Reason.PAUSED, -1, 1, 0, 0, 0, -1), NULL, "<spring: paused class>"),
    ((SPRING, 0, Reason.PAUSED, -1, 0, 50, 50, 0, -1), NULL, "<spring: paused campaign value 50 of 50>"),
    (
        (SPRING, 0, Reason.STALE, -1, 1, NOON, NOON + 60_000_000, 0, -1),
        NULL,
        "<spring: stale sources.agency value 2026-01-01T12:00:00+00:00>",
    ),
    ((SPRING, 0, Reason.STALE, -1, 0, 0, 0, 0, -1), NULL, "<spring: stale sources.tills>"),
    ((SPRING, 0, Reason.NO_CONSENT, 0, -1, 0, 0, 0, -1), NULL, "<spring: no_consent by mail>"),
    ((SPRING, 0, Reason.NO_ADDRESS, 1, -1, 0, 0, 0, -1), NULL, "<spring: no_address by sms>"),
    ((SPRING, 0, Reason.SUPPRESSED, 0, 3, 0, 0, 0, -1), NULL, "<spring: suppressed by mail policies.suppress[3]>"),
    (
        (SUMMER, 0, Reason.AGAIN_AFTER, 0, -1, NOON, 0, NOON + 60_000_000, -1),
        NULL,
        "<summer: again_after by mail value 2026-01-01T12:00:00+00:00 until 2026-01-01T12:01:00+00:00>",
    ),
    (
        (SUMMER, 0, Reason.FATIGUE, -1, 0, 3, 3, NOON, -1),
        NULL,
        "<summer: fatigue placements.till.fatigue value 3 of 3 until 2026-01-01T12:00:00+00:00>",
    ),
    (
        (SUMMER, 0, Reason.NO_CAPACITY, 0, 0, 3, 3, NOON, -1),
        NULL,
        "<summer: no_capacity by mail resources.desk value 3 of 3 until 2026-01-01T12:00:00+00:00>",
    ),
    (
        (SUMMER, 0, Reason.NO_CAPACITY, 1, 1, 0, 0, at.INFINITE, -1),
        NULL,
        "<summer: no_capacity by sms channels.sms.rate value 0 of 0>",
    ),
    (
        (SUMMER, 0, Reason.HOURS, 0, -1, 0, 0, NOON, -1),
        NULL,
        "<summer: hours by mail until 2026-01-01T12:00:00+00:00>",
    ),
    ((SUMMER, 0, Reason.HOURS, 0, -1, 0, 0, at.INFINITE, -1), NULL, "<summer: hours by mail>"),
    (
        (SUMMER, 0, Reason.GAP, 0, -1, NOON, 0, NOON + 60_000_000, -1),
        NULL,
        "<summer: gap by mail value 2026-01-01T12:00:00+00:00 until 2026-01-01T12:01:00+00:00>",
    ),
    (
        (SUMMER, 0, Reason.CAP, 0, 2, 4, 4, NOON, -1),
        NULL,
        "<summer: cap by mail policies.caps[2] value 4 of 4 until 2026-01-01T12:00:00+00:00>",
    ),
    (
        (SPRING, 0, Reason.KEPT_FOR, 1, -1, SUMMER, 0, NOON, -1),
        0.5,
        "<spring: kept_for by sms value summer until 2026-01-01T12:00:00+00:00 score 0.5>",
    ),
    (
        (SPRING, 0, Reason.OUTRANKED, 1, -1, SUMMER, 0, NOON, -1),
        0.5,
        "<spring: outranked by sms value summer until 2026-01-01T12:00:00+00:00 score 0.5>",
    ),
    ((SPRING, 0, Reason.OUTRANKED, -1, -1, SUMMER, 0, 0, -1), NULL, "<spring: outranked value summer>"),
    ((SPRING, 0, Reason.WOULD_HAVE_WON, 1, -1, 9, 0, 0, -1), 2.5, "<spring: would_have_won by sms score 2.5>"),
]


def outcome_of(rows, *, kind=DecisionKind.ROUND, placement=-1):
    decisions = np.zeros((2, at.DECISION_WIDTH), np.int64)
    decisions[:, at.D_NUMBER] = [40, 41]
    decisions[:, at.D_KIND] = kind
    decisions[:, at.D_TIME] = NOON
    decisions[:, at.D_POSITION] = 9
    decisions[:, at.D_CUSTOMER] = 3
    decisions[:, at.D_PLACEMENT] = placement
    columns = [at.L_CAMPAIGN, at.L_KEY, at.L_REASON, at.L_CHANNEL, at.L_RULE, at.L_VALUE, at.L_LIMIT, at.L_UNTIL]
    lines = np.zeros((len(rows), at.LINE_WIDTH), np.int64)
    lines[:, at.L_DECISION] = 41
    for row, (numbers, _, _) in enumerate(rows):
        lines[row, [*columns, at.L_CONTACT]] = numbers
    lines[:, at.L_OFFER] = -1
    figures = np.full((len(rows), at.F_COMPUTED + 2), NULL)
    figures[:, at.F_SCORE] = [score for _, score, _ in rows]
    return Outcome(decisions, lines, figures)


def test_every_reason_is_in_the_table():
    assert {numbers[2] for numbers, _, _ in TOLD} == set(Reason)


def test_each_reason_is_told_with_what_it_used():
    empty, full = Reading(PLAYBOOK).decisions(outcome_of(TOLD))
    assert (empty.number, empty.lines) == (40, ())
    assert (full.number, full.kind, full.position, full.customer, full.placement) == (41, "round", 9, 3, "")
    assert full.time == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert [repr(line) for line in full.lines] == [told for _, _, told in TOLD]
    assert [line.contact for line in full.lines][:2] == [7, None]
    assert [(line.contact, line.follows) for line in full.lines][2:5] == [(8, 7), (None, None), (7, None)]
    assert [line.key for line in full.lines][4:6] == [0, 5]


def test_the_table_says_the_same():
    reading, outcome = Reading(PLAYBOOK), outcome_of(TOLD)
    table = reading.table(outcome)
    assert table.schema == tables.LINES
    assert table.to_pylist() == tables.lines_table(reading.decisions(outcome)).to_pylist()
    assert {(row["decision"], row["kind"], row["customer"], row["placement"]) for row in table.to_pylist()} == {
        (41, "round", 3, None)
    }


def test_what_was_compared_is_read_without_the_playbook():
    """What a line compared: count and most of a cap or a run, the contact before, the winner; else nothing."""
    rows = Reading(PLAYBOOK).table(outcome_of(TOLD)).to_pylist()
    told = {row["reason"]: (row["value"], row["limit"], row["last_contact"], row["winner"]) for row in rows}
    assert {reason: each for reason, each in told.items() if any(part is not None for part in each)} == {
        "again_after": (None, None, time_of(NOON), None),
        "gap": (None, None, time_of(NOON), None),
        "cap": (4, 4, None, None),
        "paused": (50, 50, None, None),
        "fatigue": (3, 3, None, None),
        "no_capacity": (0, 0, None, None),
        "kept_for": (None, None, None, "summer"),
        "outranked": (None, None, None, "summer"),
    }


def test_an_offer_is_told_with_what_was_computed_for_it():
    """Of the parameters that offers compute each line has a place for all; those of its own offer are told."""
    offers = {
        "bare": Offer("bare"),
        "cut": Offer("cut", computed={"off": "1"}),
        "both": Offer("both", computed={"price": "1", "off": "1"}),
    }
    reading, outcome = Reading(replace(PLAYBOOK, offers=offers)), outcome_of([*TOLD[:1] * 3, *TOLD[-1:]])
    outcome.lines[:, at.L_OFFER] = [0, 1, 2, 2]
    outcome.figures[:, at.F_PROBABILITY] = [1.0, 0.25, 1.0, NULL]
    outcome.figures[:, at.F_COMPUTED :] = [[NULL, NULL], [0.5, NULL], [NULL, 9.0], [NULL, NULL]]
    _, decision = reading.decisions(outcome)
    assert [line.parameters for line in decision.lines] == [{}, {"off": 0.5}, {"price": 9.0, "off": None}, {}]
    assert [line.offer for line in decision.lines] == ["bare", "cut", "both", "both"]
    assert [line.probability for line in decision.lines] == [1.0, 0.25, 1.0, None]
    assert repr(decision.lines[1]) == "<spring: won by sms with cut off 0.5 score 2.5 probability 0.25>"
    assert reading.table(outcome).to_pylist() == tables.lines_table([decision]).to_pylist()


def test_a_time_that_no_calendar_reaches_is_null():
    far = [((SUMMER, 0, Reason.CAP, 0, 2, 4, 4, at.INFINITE, -1), NULL, "")]
    assert Reading(PLAYBOOK).table(outcome_of(far))["until"].to_pylist() == [None]


def test_an_outcome_comes_back_as_it_was_written():
    for outcome in (outcome_of(TOLD), outcome_of(TOLD[:1]), outcome_of([])):
        back = outcomes.decode(outcomes.encode(outcome))
        assert outcomes.is_same(back, outcome)
        assert outcomes.encode(back) == outcomes.encode(outcome)
    assert not outcomes.is_same(outcome_of(TOLD), outcome_of(TOLD[:1]))


def test_scores_that_are_not_numbers_are_written_alike():
    plus, minus = outcome_of(TOLD), outcome_of(TOLD)
    minus.figures[1] = -plus.figures[1]
    assert plus.figures.tobytes() != minus.figures.tobytes()
    assert outcomes.encode(plus) == outcomes.encode(minus)


def test_asks_are_told_apart():
    both = outcome_of(TOLD)
    both.decisions[1, at.D_KIND] = DecisionKind.ASK
    both.decisions[1, at.D_PLACEMENT] = 0
    (ask,) = Reading(PLAYBOOK).decisions(outcomes.answer_of(both))
    assert (ask.kind, ask.placement, len(ask.lines)) == ("ask", "till", len(TOLD))
    assert repr(ask).startswith("<Decision 41 (ask at till) for customer 3 at 2026-01-01T12:00:00+00:00: <spring: won")


def test_a_decision_without_candidates_says_so():
    empty, _ = Reading(PLAYBOOK).decisions(outcome_of([]))
    assert repr(empty).endswith(": no candidate>")


@pytest.mark.parametrize("us", [0, NOON, 253_402_300_799_999_999])
def test_times_are_those_of_the_calendar(us):
    time = time_of(us)
    assert time is not None
    assert us_of(time, "") == us_of(us, "") == us
    assert time == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def test_times_beyond_the_calendar_are_none():
    assert [time_of(us) for us in (at.INFINITE, at.NEVER, 253_402_300_800_000_000)] == [None, None, None]
