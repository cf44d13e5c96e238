"""What is named as a change makes the campaign win, and one unit less does not: tried by the oracle's twin.

The twin is given what everybody did up to the decision, then the changed rules, then the rest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import onevoice
from onevoice.conditions.opcodes import Op
from onevoice.errors import EventError
from onevoice.playbook.load import load_files
from onevoice.playbook.model import DAY, MINUTE, SECOND
from onevoice.runtime import customer as customers
from onevoice.runtime import what_if
from onevoice.runtime.alone import Alone
from onevoice.runtime.decisions import us_of
from onevoice.runtime.related import related
from onevoice.runtime.why_not.rules import index_of
from onevoice.runtime.why_not.searching import least
from tests.oracle import rounds
from tests.oracle.book import Book
from tests.oracle.clock import instant
from tests.oracle.twin import Twin

from .cases import META, drawn, opened, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.history.why_not import Change, WhyNot
    from onevoice.playbook.model import Playbook
    from tests.oracle.draw_stream import Batch

SEEDS = range(6)
SHARED = (35, 53, 65, 115, 128)  # in these others had a part in more than elsewhere
MANY = 2**40
LIFTED = {
    *("suppressed", "again_after", "fatigue", "no_capacity", "hours", "gap", "cap", "kept_for", "outranked"),
    "would_have_won",
}


def decided(seed: int) -> tuple[Any, list[Batch]]:
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    return engine, batches


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


def rules(playbook: Playbook, campaign: str, change: Change, less: int) -> Playbook:
    """Return the playbook with a change made, `less` units less of it."""
    policies = playbook.policies
    own = playbook.campaigns[campaign]
    unit = SECOND if change.needed.endswith(" seconds") else MINUTE
    needed = float(change.needed.split()[0])
    if change.name.endswith(".priority"):
        needed -= less if needed > own.priority else -less
        return replace(playbook, campaigns=playbook.campaigns | {campaign: replace(own, priority=needed)})
    if change.name.endswith(".again_after"):
        again = round(needed + less) * unit
        return replace(playbook, campaigns=playbook.campaigns | {campaign: replace(own, again_after_us=again)})
    if change.name == "policies.gap":
        return replace(playbook, policies=replace(policies, gap_us=round(needed + less) * unit))
    if change.name == "policies.look_ahead":
        return replace(playbook, policies=replace(policies, look_ahead_us=round(needed + less) * unit))
    if change.name.endswith(".fatigue.times"):
        place = playbook.placements[change.name.split(".")[1]]
        times = round(needed) - less
        return replace(playbook, placements=playbook.placements | {place.name: replace(place, fatigue_times=times)})
    if change.name.endswith((".then", ".at_most")):
        path, _, key = change.name.rpartition(".")
        suppress = list(policies.suppress)
        span = {f"{key}_us": round(needed + less) * unit}
        suppress[index_of(path)] = replace(suppress[index_of(path)], **span)
        return replace(playbook, policies=replace(policies, suppress=tuple(suppress)))
    path = change.name.removesuffix(".max")
    rule, most = index_of(path), round(needed) - less
    if path.startswith("placements."):
        place = playbook.placements[path.split(".")[1]]
        caps = tuple(replace(cap, max=most) if number == rule else cap for number, cap in enumerate(place.caps))
        return replace(playbook, placements=playbook.placements | {place.name: replace(place, caps=caps)})
    caps = tuple(replace(cap, max=most) if number == rule else cap for number, cap in enumerate(policies.caps))
    return replace(playbook, policies=replace(policies, caps=caps))


def without_rule(playbook: Playbook, change: Change) -> Playbook:
    if change.name.startswith("policies.hours."):
        hours = playbook.policies.hours | {change.name.rpartition(".")[2]: ()}
        return replace(playbook, policies=replace(playbook.policies, hours=hours))
    if change.name == "policies.holdout":
        nobody = replace(playbook.policies.holdout, share=0.0)
        return replace(playbook, policies=replace(playbook.policies, holdout=nobody))
    if change.name.endswith(".holdout"):
        own = replace(playbook.campaigns[change.name.split(".")[1]], holdout=0.0)
        return replace(playbook, campaigns=playbook.campaigns | {own.name: own})
    suppress = list(playbook.policies.suppress)
    suppress[index_of(change.name)] = replace(suppress[index_of(change.name)], stop=())
    return replace(playbook, policies=replace(playbook.policies, suppress=tuple(suppress)))


class Again:
    """One decision, made again by the twin of the engine, which is given what everybody did.

    At the decision's instant only the last line about the customer, and what came after it, is by the changed rules.
    """

    def __init__(self, engine: Any, batches: list[Batch], why_not: WhyNot) -> None:
        self.batches = batches
        self.time = us_of(why_not.time, "time")
        self.campaign = why_not.campaign
        self.decision, lost = next(
            (each, line)
            for each in reversed([*engine.decisions(why_not.customer)])
            for line in each.lines
            if each.time == why_not.time and line.campaign == self.campaign and line.reason in LIFTED
        )
        self.key = lost.key
        self.last = self.decision.position + (self.decision.kind == "ask")
        lines = related(engine._journal, engine._writer.fold, why_not.customer).lines
        own = [each.row.position for each in lines if each.now == self.time and each.row.position < self.last]
        self.first = max(own, default=0)

    def goes_out(self, playbook: Playbook, until: int) -> bool:
        """Tell whether the wish goes out by a time if nothing happens after the instant."""
        twin = self.twin(playbook)
        self.last = sum(len(batch.lines) for batch in self.batches)
        self.take(twin, lambda now, _: now <= self.time)
        count = len(twin.decisions)
        twin.row([], until)
        return self.has_won(twin, count)

    def twin(self, playbook: Playbook) -> Twin:
        secret = META.secret
        halves = [int.from_bytes(secret[start : start + 8], "little", signed=True) for start in (0, 8)]
        return Twin(playbook, (halves[0], halves[1]))

    def wins(self, playbook: Playbook, changed: Playbook) -> bool:
        """Tell whether the campaign wins by the changed rules."""
        twin = self.twin(playbook)
        self.take(twin, lambda now, _: now < self.time)
        twin.row([], self.time - 1)
        self.take(twin, lambda now, place: now == self.time and place < self.first)
        twin.use(Book(changed))
        count = len(twin.decisions)
        self.take(twin, lambda now, place: now == self.time and place >= self.first)
        twin.row([], self.time)
        return self.has_won(twin, count)

    def has_won(self, twin: Twin, count: int) -> bool:
        """Tell whether the wish has won since the twin had made so many decisions."""
        mine = [each for each in twin.decisions[count:] if each.customer == self.decision.customer]
        lines = [line for each in mine for line in each.lines]
        return any((line.campaign, line.key, line.reason) == (self.campaign, self.key, "won") for line in lines)

    def wins_with_room(self, playbook: Playbook, rule: str) -> bool:
        """Tell whether the campaign wins where a resource has room for this customer, and for nobody else."""
        name = rule.removeprefix("resources.").replace("channels.", "rate of ").removesuffix(".rate")
        verdict = rounds.verdict

        def roomy(twin: Twin, customer: Any, candidate: Any) -> Any:
            pool, limit = twin.pools[name], twin.pools[name].limit
            pool.limit += MANY * (twin.now >= self.time and customer.number == self.decision.customer)
            found = verdict(twin, customer, candidate)
            pool.limit = limit
            return found

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rounds, "verdict", roomy)
            return self.wins(playbook, playbook)

    def take(self, twin: Twin, is_wanted: Callable[[int, int], bool]) -> None:
        """Let the twin take in lines that came before the decision, wanted by their journal time and their place."""
        place = now = 0
        for batch in self.batches:
            if not batch.lines and is_wanted(max(now, batch.stamp), place) and batch.stamp < self.time:
                twin.row([], batch.stamp, observing=batch.observing)
            for line in batch.lines:
                occurred = instant(line["time"]) if line and line.get("time") else -1  # as in an import: rejected
                is_taken = not batch.imported or 0 <= occurred <= batch.stamp + DAY
                if is_taken:
                    now = max(now, occurred if batch.imported else batch.stamp)
                if place < self.last and is_wanted(now, place):
                    given = [line if is_taken else None]
                    twin.row(given, batch.stamp, imported=batch.imported, observing=batch.observing)
                place += 1


def asked(engine: Any, most: int) -> Any:
    """Ask about so many of the lines by which a campaign lost, spread over all of them."""
    lost = [
        (line.campaign, d.customer, d.time) for d in engine.decisions() for line in d.lines if line.reason in LIFTED
    ]
    for campaign, customer, time in lost[:: max(1, len(lost) // most)]:
        yield engine.why_not(customer, campaign, time)


@pytest.mark.parametrize("seed", [*SEEDS, 12, 16, 21, 29, *SHARED])
def test_the_changes_of_the_playbook_are_the_least(seed):
    engine, batches = decided(seed)
    playbook = engine.playbook
    for why_not in asked(engine, 4):
        changes = [each for each in why_not.changes if each.kind != "customer" and not why_not.caution]
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
            else:
                assert again.wins(playbook, rules(playbook, why_not.campaign, change, 0)), where
                assert not again.wins(playbook, rules(playbook, why_not.campaign, change, 1)), where


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
    assert least(winner, guesses) == found


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
