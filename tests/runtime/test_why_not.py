"""What is named as a change makes the campaign win, and one unit less does not: tried by the oracle's twin.

The twin is given what everybody did up to the decision, then the changed rules, then the rest; or always the changed
ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import onevoice
from onevoice.conditions.opcodes import Op
from onevoice.errors import EventError
from onevoice.playbook.load import load_files
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.alone import Alone
from onevoice.runtime.decisions import us_of
from onevoice.runtime.why_not.searching import POWERS, least

from .again import Again, asked, decided, decided_apart, rules, without_rule

SEEDS = range(6)
SHARED = (35, 53, 65, 115, 128)  # in these others had a part in more than elsewhere


def told(line):
    return line.campaign, line.reason, line.channel, line.rule, line.value, line.limit, line.until, line.score, line.key


@pytest.mark.parametrize("seed", [*SEEDS, *SHARED])
def test_a_customer_alone_is_decided_the_same(seed):
    engine, _ = decided(seed)
    engine._writer.flush()
    fold = engine._writer.fold
    for number in np.unique(customers.survivors(fold.machine.state)).tolist():
        among = [(each.time, each.kind, list(map(told, each.lines))) for each in engine.decisions(number)]
        alone = Alone(engine._journal, fold, number).decisions()
        assert [(each.time, each.kind, list(map(told, each.lines))) for each in alone] == among, f"seed {seed}"


@pytest.mark.parametrize("seed", [*SEEDS, 12, 16, 21, 29, *SHARED])
def test_the_changes_of_the_playbook_are_the_least(seed):
    engine, batches = decided(seed)
    playbook = engine.playbook
    for why_not in asked(engine, 4):
        changes = [each for each in why_not.changes if each.kind != "customer" and not why_not.caution]
        changes = [
            each for each in changes if each.since or each.name not in {more.name for more in changes if more.since}
        ]
        for change in changes:
            again = Again(engine, batches, why_not)
            where = f"seed {seed}: {why_not.campaign} for {why_not.customer}, {change}"
            if change.kind == "wait":
                at = us_of(change.at, "at")
                assert again.goes_out(playbook, at), where
                assert not again.goes_out(playbook, at - 1), where
            elif change.kind == "resource":
                assert again.wins_with_room(playbook, change.name), where
                assert not again.wins(playbook, playbook), where
            elif not change.needed:
                assert again.wins(playbook, without_rule(playbook, change)), where
                assert not again.wins(playbook, playbook), where
            elif change.since or again.wins(playbook, rules(playbook, why_not.campaign, change, 0)):
                assert again.wins(playbook, rules(playbook, why_not.campaign, change, 0)), where
                assert not again.wins(playbook, rules(playbook, why_not.campaign, change, 1)), where
            else:  # less is enough where it was always so
                assert again.would_have_won(playbook, rules(playbook, why_not.campaign, change, 0)), where
                assert not again.would_have_won(playbook, rules(playbook, why_not.campaign, change, 1)), where


@pytest.mark.parametrize("seed", [*SEEDS, 12, 16, 21, 29, *SHARED])
def test_a_rule_that_was_always_another_one_is_the_least_there(seed):
    engine, batches = decided_apart(seed)
    playbook = engine.playbook
    for why_not in asked(engine, 4):
        for change in (each for each in why_not.changes if each.kind == "playbook"):
            where = f"seed {seed}: {why_not.campaign} for {why_not.customer}, {change}"
            always = Again(engine, batches, why_not).would_have_won
            if not change.needed:
                assert always(playbook, without_rule(playbook, change)) == (change.since is None), where
            elif change.since is None:
                assert always(playbook, rules(playbook, why_not.campaign, change, 0)), where
                assert not always(playbook, rules(playbook, why_not.campaign, change, 1)), where
            else:
                assert not always(playbook, rules(playbook, why_not.campaign, change, 0)), where


# One shop, by hand: what has to be different is brought about by an event of the customer's, or by a changed rule.

SHOP = b"""
playbook: shop
identifiers: {email: {}}
traits: {tier: choice, friends: number}
events:
  order: {fields: {amount: number}}
  visit: {}
  case_opened: {fields: {case_id: key}}
facts:
  open_case: {opens: case_opened, per: case_id}
measures:
  spend: sum of order.amount over 64 days
  orders: count of order
segments:
  regular: spend >= 100
campaigns:
  club: {class: sales, priority: 60, when: event visit, if: regular, send: [mail], valid_for: 7 days}
  gold: {class: sales, priority: 50, when: event visit, if: "tier = 'gold'", send: [mail], valid_for: 7 days}
  often: {class: sales, priority: 50, when: event visit, if: "orders > 3", send: [mail], valid_for: 7 days}
  party: {class: sales, priority: 50, when: event visit, if: "friends between 2 and 4", send: [mail]}
  both: {class: sales, priority: 50, when: event visit, if: "tier = 'gold' and orders > 3", send: [mail]}
  never: {class: sales, priority: 50, when: event case_opened, send: [mail]}
  gone: {class: sales, priority: 50, when: event visit, send: [mail], to: 2026-01-31}
policies:
  classes: {sales: {}}
  suppress: [{stop: [sales], while: open_case}]
channels: {mail: {}}
"""
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN = {"email": "ann@x.org"}


def shop(*events, playbook=SHOP):
    engine = onevoice.open(load_files({"playbook.yaml": playbook}))
    for hour, (kind, fields, traits) in enumerate(events):
        event = {"type": kind, "identifiers": ANN, "fields": fields, "traits": traits}
        engine.ingest([event], time=MONDAY + timedelta(hours=hour))
    return engine


def order(amount):
    return "order", {"amount": amount}, {}


def known(**traits):
    return "profile_updated", {}, traits


VISIT = ("visit", {}, {})


def goes_out(engine, campaign):
    return any(line.campaign == campaign for decision in engine.decisions() for line in decision.won)


@pytest.mark.parametrize(
    ("campaign", "before", "enough", "one_less", "sentence"),
    [
        ("club", [order(56.8)], order(43.2), order(43.19), "with 43.20 more of spend: 100.00 instead of 56.80"),
        ("often", [order(1)], [order(1)] * 3, [order(1)] * 2, "with 3 more of orders: 4 instead of 1"),
        (
            "gold",
            [known(tier="silver")],
            known(tier="gold"),
            known(tier="brass"),
            "if tier were gold instead of silver",
        ),
        ("gold", [], known(tier="gold"), known(tier="brass"), "if tier were gold instead of unknown"),
        (
            "party",
            [known(friends=7.5)],
            known(friends=4),
            known(friends=4.01),
            "with 3.50 less of friends: 4.00 instead of 7.50",
        ),
        (
            "party",
            [known(friends=1)],
            known(friends=2),
            known(friends=1.99),
            "with 1.00 more of friends: 2.00 instead of 1.00",
        ),
    ],
)
def test_what_a_customer_lacked(campaign, before, enough, one_less, sentence):
    engine = shop(*before, VISIT)
    assert not goes_out(engine, campaign)
    answer = engine.why_not(ANN, campaign)
    assert answer.smallest.sentence == sentence
    assert answer.obstacles[0].reason == "not_eligible"
    many = lambda events: events if isinstance(events, list) else [events]  # noqa: E731 - one event or several
    assert goes_out(shop(*before, *many(enough), VISIT), campaign)
    assert not goes_out(shop(*before, *many(one_less), VISIT), campaign)


def test_two_obstacles_are_both_told_and_no_single_change_is_enough():
    answer = shop(order(1), VISIT).why_not(ANN, "both")
    assert answer.changes == ()
    assert answer.smallest is None
    assert answer.values["orders"] == "1"
    assert answer.values["tier"] == "unknown"


def test_a_suppression_is_lifted_by_the_end_of_its_fact():
    engine = shop(order(100), ("case_opened", {"case_id": "1"}, {}), VISIT)
    answer = engine.why_not(ANN, "club")
    assert [each.reason for each in answer.obstacles] == ["suppressed"]
    assert [each.sentence for each in answer.changes] == ["if open_case were not open", "without policies.suppress[0]"]


@pytest.mark.parametrize(
    ("traits", "change"),
    [({"friends": 1}, "if friends were 2 instead of 1"), ({}, "with at most 2 instead of 1 in policies.caps[0]")],
)
def test_a_full_cap_is_the_customers_own_choice_where_they_made_one(traits, change):
    own = SHOP.replace(b"policies:", b"policies:\n  caps: [{max: 1, per: week, own_max: friends}]")
    answer = shop(known(**traits), order(100), VISIT, VISIT, playbook=own).why_not(ANN, "club")
    assert [each.reason for each in answer.obstacles] == ["cap"]
    assert change in [each.sentence for each in answer.changes]


@pytest.mark.parametrize("holidays", [b"", b"\n  holidays: [2026-03-02]"])
def test_a_closed_channel_is_opened_by_time_or_by_the_playbook(holidays):
    hours = b"\n  hours: {all: 12:00-21:00}" + holidays
    engine = shop(order(100), VISIT, playbook=SHOP.replace(b"\n  suppress", hours + b"\n  suppress"))
    answer = engine.why_not(ANN, "club")
    assert [(each.reason, each.rule) for each in answer.obstacles] == [("hours", "policies.hours.all")]
    assert [each.kind for each in answer.changes] == ["wait", "playbook"]
    assert answer.changes[0].at == MONDAY + timedelta(hours=27 if holidays else 3)
    assert (answer.changes[1].sentence, answer.changes[1].name) == ("with mail always open", "policies.hours.mail")


def test_a_campaign_that_was_never_triggered():
    answer = shop(VISIT).why_not(ANN, "never")
    assert answer.headline == "never was never triggered"
    assert (answer.obstacles[0].sentence, answer.obstacles[0].rule) == (
        "waits for event case_opened",
        "campaigns.never.when",
    )


MOMENT = b"""
playbook: line
identifiers: {email: {format: email}}
events: {phone_changed: {}, failed: {}, asked_help: {}, visit: {}, solved: {}}
moments:
  stuck: [phone_changed, 3 failed within 1 day, "any of asked_help, visit", no solved for 1 hour]
campaigns: {help: {class: service, when: moment stuck, send: [mail]}}
policies: {classes: {service: {}}}
channels: {mail: {}}
"""


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (
            "visit",
            ", which has not begun; still missing: phone_changed, 3 failed within 1 day, {help}",
        ),
        (
            "phone_changed",
            ", of whose 5 events 1 has come; still missing: 3 failed within 1 day, {help}",
        ),
        (
            "phone_changed failed failed",
            ", of whose 5 events 3 have come; still missing: failed within 1 day, {help}",
        ),
        (
            "phone_changed failed failed failed visit",
            ", of whose 5 events 5 have come; still missing: {end}",
        ),
    ],
)
def test_a_campaign_that_waits_for_a_moment_says_which_steps_are_missing(events, said):
    rows = [(event, {}, {}) for event in events.split()]
    answer = shop(*rows, playbook=MOMENT).why_not(ANN, "help")
    end = "no solved for 1 hour"
    assert [each.sentence for each in answer.obstacles] == [
        "waits for moment stuck" + said.format(help=f"any of asked_help, visit, {end}", end=end)
    ]


@pytest.mark.parametrize(
    ("hours", "said"),
    [(1.9, "of whose 3 events 1 has come; still missing: visit, asked_help"), (2, "which has not begun; still")],
)
@pytest.mark.parametrize("within", ["[phone_changed, visit within 2 hours, asked_help]", None])
def test_a_moment_whose_window_is_over_has_not_begun(hours, said, within):
    steps = within or "{within: 2 hours, steps: [phone_changed, visit, asked_help]}"
    written = MOMENT[MOMENT.index(b"stuck: ") + 7 : MOMENT.index(b"\ncampaigns")]
    engine = shop(("phone_changed", {}, {}), playbook=MOMENT.replace(written, steps.encode()))
    engine.tick(MONDAY + timedelta(hours=hours))
    assert said in engine.why_not(ANN, "help").obstacles[0].sentence.replace(" within 2 hours", "")


def test_a_campaign_whose_days_are_over():
    answer = shop(VISIT).why_not(ANN, "gone")
    assert answer.headline == "gone was triggered outside of its days"


def test_a_campaign_that_went_out_has_no_obstacles():
    answer = shop(order(100), VISIT).why_not(ANN, "club")
    assert answer.headline == "club: goes out by mail with a rank of 60"
    assert (answer.obstacles, answer.changes) == ((), ())


def test_nobody_and_no_campaign_are_told():
    engine = shop(VISIT)
    assert engine.why_not({"email": "eve@x.org"}, "club") is None
    with pytest.raises(EventError, match="did you mean `club`"):
        engine.why_not(ANN, "clubb")
    with pytest.raises(EventError, match=r"customer: not a customer; .* found 'club'"):
        engine.why_not("club", ANN)


@pytest.mark.parametrize(
    ("winner", "guesses", "found"),
    [
        (lambda count: count >= 7, [], 7),
        (lambda count: count <= -1000, [], -1000),
        (lambda count: count == 43, [42, 43, 44], 43),
        (lambda count: 3 <= count <= 5, [9], 3),
        (lambda _: False, [1, 2], None),
    ],
)
def test_the_least_number_that_wins_is_found(winner, guesses, found):
    assert least(winner, [*guesses, *POWERS]) == found


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("friends > 3", {3}),
        ("3 > friends or friends is null", {3}),
        ("coalesce(friends, 7) <= 4", {4}),
        ("friends between 2 and 4 and not friends = 3", {2, 3, 4}),
        ("friends in (1, 5, 9)", {1, 5, 9}),
        ("case when tier = 'gold' then friends else 1 end < 5", None),
        ("case when tier = 'gold' then 1 else 5 end < friends", None),
        ("coalesce(orders, 7) < friends", None),
        ("friends * 2 > 5", None),
        ("friends > 3 and friends < orders", None),
        ("tier = 'gold'", set()),
    ],
)
def test_the_numbers_with_which_a_value_is_compared_are_known(condition, numbers):
    text = SHOP.replace(b"friends between 2 and 4", condition.encode())
    program = shop(playbook=text)._writer.fold.compiled.program
    found = what_if.compared_with(program, Op.TRAIT, 1)
    assert (found if found is None else {*found}) == numbers


@pytest.mark.parametrize("condition", ["friends between 20 and 25 and friends <> 22", "friends < -7", "friends = 0.5"])
@pytest.mark.parametrize("start", [0, 3, 22, 40])
def test_where_a_value_is_compared_alone_the_nearest_that_wins_is_found_without_a_search(condition, start, monkeypatch):
    text = SHOP.replace(b"friends between 2 and 4", condition.encode())
    answers = []
    for compared in (what_if.compared_with, lambda *_: None):
        monkeypatch.setattr(what_if, "compared_with", compared)
        answers.append(shop(known(friends=start), VISIT, playbook=text).why_not(ANN, "party"))
    assert answers[0] == answers[1]
    assert any(each.name == "friends" for each in answers[0].changes)
