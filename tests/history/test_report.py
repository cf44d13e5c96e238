"""The figures of a report, against the same figures counted decision by decision."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import onevoice
from onevoice.cli.pages import page_of
from onevoice.playbook.load import load_files
from tests.runtime.cases import drawn, opened, take

ENDS = ("won", "expired", "ended", "not_eligible", "too_many", "stopped", "would_have_won")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "examples" / "telecom"


class Wish:
    """One campaign that wanted one customer, as the decisions tell of it."""

    def __init__(self, decision, line):
        self.customer, self.campaign = decision.customer, line.campaign
        self.first = self.last = decision.time
        self.reasons = []
        self.outcome = "waiting"

    def add(self, decision, line):
        self.last = decision.time
        if line.reason in ENDS:
            self.outcome = line.reason
        else:
            self.reasons.append((line.reason, line.rule))

    def meets(self, other):
        ends = [each.last if each.outcome != "waiting" else datetime.max.replace(tzinfo=UTC) for each in (self, other)]
        return self.customer == other.customer and self.first <= ends[1] and other.first <= ends[0]


def wishes_of(decisions):
    found, open_ = [], {}
    for decision in decisions:
        for line in decision.lines:
            key = decision.customer, line.campaign, line.key
            is_after = line.follows is not None or (line.contact is not None and line.reason != "won")
            if decision.kind not in {"ask", "stop", "source_stale", "source_fresh"} and not is_after:
                if key not in open_:
                    open_[key] = Wish(decision, line)
                    found.append(open_[key])
                open_[key].add(decision, line)
                if line.reason in ENDS:
                    del open_[key]
    return found


@pytest.fixture(scope="module", params=[80, 187, 202])
def case(request):
    playbook, batches = drawn(request.param)
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    alias = {-1: -1} | {
        number: min(engine._numbers(number))
        for number in range(engine.report().customers + 50)
        if engine._numbers(number)
    }
    decisions = list(engine.decisions())
    decisions = [
        onevoice.Decision(**{**{f: getattr(each, f) for f in each.__slots__}, "customer": alias[each.customer]})
        for each in decisions
    ]
    return engine, engine.report(), decisions, wishes_of(decisions)


def test_totals(case):
    engine, report, decisions, wishes = case
    asks = [each for each in decisions if each.kind == "ask"]
    assert report.decisions == len(decisions) == engine.decision_count
    assert report.wishes == len(wishes)
    assert report.sent == sum(wish.outcome == "won" for wish in wishes)
    assert report.held == sum(bool(wish.reasons) for wish in wishes)
    assert report.shown == sum(len(each.won) for each in asks)
    assert report.asks == sum(bool(each.lines) for each in asks)
    assert (report.first, report.last) == (
        min((d.time for d in decisions if d.lines), default=None),
        max((d.time for d in decisions if d.lines), default=None),
    )


def test_campaigns(case):
    _, report, decisions, wishes = case
    for found in report.campaigns:
        own = [wish for wish in wishes if wish.campaign == found.campaign]
        outcomes = Counter(wish.outcome for wish in own)
        lines = [
            line for each in decisions if each.kind == "ask" for line in each.lines if line.campaign == found.campaign
        ]
        assert found.wishes == len(own)
        assert (found.sent, found.waiting) == (outcomes["won"], outcomes["waiting"])
        assert (found.expired, found.ended, found.not_eligible) == tuple(outcomes[each] for each in ENDS[1:4])
        assert (found.asks, found.shown) == (len(lines), sum(line.reason == "won" for line in lines))


def test_reasons(case):
    _, report, decisions, wishes = case
    expected = defaultdict(list)
    for wish in wishes:
        for reason in set(wish.reasons):
            expected[*reason, ""].append((wish.customer, wish.outcome == "won"))
    for each in decisions:
        for line in each.lines:
            if each.kind == "ask" and line.reason != "won":
                expected[line.reason, line.rule, each.placement].append((each.customer, False))
    assert {
        (each.reason, each.rule, each.placement): (each.wishes, each.customers, each.sent_later)
        for each in report.reasons
    } == {
        key: (len(found), len({customer for customer, _ in found}), sum(sent for _, sent in found))
        for key, found in expected.items()
    }


def test_weeks(case):
    engine, report, decisions, _ = case
    zone = ZoneInfo(engine.playbook.time_zone)
    expected = Counter()
    for each in decisions:
        local = each.time.astimezone(zone).date()
        for line in each.won if each.kind != "ask" else ():
            expected[local - timedelta(days=local.weekday()), line.campaign, line.channel] += 1
    assert {(each.week, each.campaign, each.channel): each.contacts for each in report.weeks} == expected


def test_collisions(case):
    _, report, _, wishes = case
    expected = defaultdict(list)
    for one, other in combinations(sorted(wishes, key=lambda wish: wish.campaign), 2):
        if one.campaign < other.campaign and one.meets(other):
            expected[one.campaign, other.campaign].append((one, other))
    found = {(each.one, each.other): each for each in report.collisions if not each.placement}
    assert found.keys() == expected.keys()
    for pair, met in expected.items():
        figures = found[pair]
        assert figures.times == len(met)
        assert figures.customers == len({one.customer for one, _ in met})
        assert figures.one_lost == sum(one.outcome != "won" for one, _ in met)
        assert figures.other_lost == sum(other.outcome != "won" for _, other in met)
        assert figures.one_first + figures.other_first == sum(
            "won" in (one.outcome, other.outcome) for one, other in met
        )


def test_crowds(case):
    _, report, _, wishes = case
    for found in report.crowded:
        own = [wish for wish in wishes if wish.customer == found.customer]
        assert (found.wishes, found.sent) == (len(own), sum(wish.outcome == "won" for wish in own))
        assert found.campaigns == len({wish.campaign for wish in own})
        assert found.at_once <= len(own)


def test_nothing_decided_is_a_report_too():
    with onevoice.open(load_files({"playbook.yaml": b"playbook: shop\nidentifiers: {email: {}}\n"})) as engine:
        report = engine.report()
    assert (report.first, report.decisions, report.wishes, report.campaigns, report.example) == (None, 0, 0, (), None)


def test_the_example_is_a_decision_with_a_winner_and_losers():
    playbook = load_files(
        {
            "playbook.yaml": b"""
playbook: shop
identifiers: {email: {}}
events: {order: {}, visit: {}}
campaigns:
  a: {class: sales, priority: 1, when: event order, send: [mail]}
  b: {class: sales, priority: 2, when: event order, send: [mail]}
  c: {class: sales, priority: 2, when: event visit, send: [mail]}
policies: {classes: {sales: {}}, gap: 1 hour, caps: [{max: 1, per: day}]}
channels: {mail: {}}
"""
        }
    )
    with onevoice.open(playbook) as engine:
        for kind, email in (("visit", "ann@x.org"), ("order", "bob@x.org")):
            engine.ingest([{"type": kind, "identifiers": {"email": email}}], time=MONDAY)
        report = engine.report()
        assert report.example is not None
        (why,) = engine.why(report.example.customer)
    assert [(told.campaign, told.reason) for told in why.told] == [("b", "won"), ("a", "outranked")]


BOOK = """
playbook: shop
identifiers: {{email: {{}}}}
events: {{visited: {{}}}}
campaigns:
  {name}: {{class: sales, owner: {name} team, when: event visited, send: [app]}}
  banner: {{class: sales, when: asked, placements: [till]}}
policies: {{classes: {{sales: {{}}}}, caps: [{cap}]}}
channels: {{app: {{}}}}
placements: {{till: {{}}}}
"""


def test_what_other_playbooks_decided_is_told_by_their_names_and_rules():
    old = load_files({"playbook.yaml": BOOK.format(name="old", cap="{max: 1, per: day}").encode()})
    new = load_files({"playbook.yaml": BOOK.format(name="new", cap="{max: 1, per: 30 days}").encode()})
    visit = {"type": "visited", "identifiers": {"email": "ann"}}
    with onevoice.open(old) as engine:
        for hour in range(3):
            engine.ingest([visit], time=MONDAY + timedelta(hours=hour))
        engine.publish(new)
        for hour in range(3):
            engine.ingest([visit], time=MONDAY + timedelta(days=40, hours=hour))
        engine.tick(time=MONDAY + timedelta(days=41))
        report = engine.report()
        page = page_of(engine, report)
    assert [(each.campaign, each.owner, each.wishes, each.sent, each.waiting) for each in report.campaigns] == [
        ("new", "new team", 2, 1, 1),
        ("old", "old team", 2, 1, 0),
        ("banner", "", 0, 0, 0),
    ]
    assert {(each.rule, each.words, each.wishes) for each in report.reasons} == {
        ("policies.caps[0]", "at most 1 a day", 1),
        ("policies.caps[0]", "at most 1 in 30 days", 1),
    }
    assert {each.klass for each in report.weeks} == {"sales"}
    assert [each.at_once for each in report.crowded] == [1]
    assert report.collisions == ()
    assert '"headline":"old goes out by app' in page


def test_customers_who_are_gone_are_nobody_else():
    text = BOOK.format(name="news", cap="{max: 1, per: day}")
    old = load_files({"playbook.yaml": text.replace("{email: {}}", "{cookie: {}, email: {}}").encode()})
    new = load_files({"playbook.yaml": text.encode()})
    with onevoice.open(old) as engine:
        for who in ({"email": "ann"}, {"cookie": "a"}, {"cookie": "b"}):
            engine.ingest([{"type": "visited", "identifiers": who}], time=MONDAY)
        engine.publish(new)
        report = engine.report()
        assert (report.customers, report.wishes, report.sent) == (1, 3, 3)
        assert {each.contacts: each.customer_weeks for each in report.load} == {0: 0, 1: 1}
        assert [(each.customer, each.at_once, each.wishes) for each in report.crowded] == [(0, 1, 1)]
        assert (report.collisions, report.example.customer) == ((), 0)
        assert page_of(engine, report)
