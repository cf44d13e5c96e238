"""The grocer's playbook over its year: each campaign has its say, and what is ignored falls silent."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import onevoice

README = Path(__file__).resolve().parents[2] / "examples" / "grocer" / "README.md"
ROW = re.compile(r"^\| `(\w+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)
ENDS = {"won", "expired", "ended", "not_eligible", "too_many"}  # of a wish that waits
TIMES, PAUSE = 5, timedelta(days=60)  # as the playbook says


@pytest.fixture(scope="module")
def replayed(prepared, tmp_path_factory):
    with onevoice.open(prepared.playbook, tmp_path_factory.mktemp("replay")) as engine:
        taken = engine.run([prepared.events])
        return engine.playbook, taken, list(engine.decisions()), rehearsals(engine, prepared.playbook)


def rehearsals(engine, playbook):
    """The year rehearsed under the playbook that decided it: as a whole, and from an afternoon in its middle on."""
    return engine.simulate(playbook), engine.simulate(playbook, datetime(2017, 7, 5, 15, 30, tzinfo=UTC))


def lines(replayed):
    return [(decision, line) for decision in replayed[2] for line in decision.lines]


def ignored_rule(playbook):
    conditions = [rule.condition for rule in playbook.policies.suppress]
    return f"policies.suppress[{conditions.index('ignored(offer.family)')}]"


def test_the_whole_year_is_taken_up(prepared, replayed):
    taken = replayed[1]
    assert (taken.accepted, taken.rejected_count) == (prepared.counts["events"], 0)
    assert (taken.unknown_names, taken.left_out) == (Counter(), Counter())


def test_the_year_rehearsed_is_the_year_that_was(prepared, replayed):
    whole, half = replayed[3]
    assert (whole.lines, whole.differing, half.differing) == (prepared.counts["events"], 0, 0)
    assert whole.decisions == sum(bool(decision.lines) for decision in replayed[2])
    assert 0 < half.decisions < whole.decisions
    for each in (whole, half):
        assert {(one.name, one.happened) for one in each.totals} == {(one.name, one.rehearsed) for one in each.totals}
        assert all(one.sent_happened == one.sent_rehearsed for one in each.campaigns)
        assert all(one.wishes_happened == one.wishes_rehearsed for one in each.reasons)


def test_every_campaign_wants_somebody_and_wins_sometimes(replayed):
    """But for reminders that come due after the data ends."""
    playbook, _, decisions, _ = replayed
    ends_us = max(decision.time for decision in decisions).timestamp() * 1e6
    won = Counter(line.campaign for _, line in lines(replayed) if line.reason == "won")
    assert {name for name, c in playbook.campaigns.items() if not won[name] and c.when.at_us < ends_us} == set()


def test_every_rule_holds_somebody_back_but_those_of_refusals(replayed):
    """Nobody in the data says no; all else that the policies forbid, somebody wished for."""
    policies = replayed[0].policies
    refusals = ("refused(offer.family)", "not_now(offer.family)")
    rules = {f"policies.caps[{i}]" for i in range(len(policies.caps))}
    rules |= {f"policies.suppress[{i}]" for i, rule in enumerate(policies.suppress) if rule.condition not in refusals}
    assert {line.rule for _, line in lines(replayed)} - {""} == rules


def test_an_offer_ignored_five_times_falls_silent(replayed):
    """Who is held back by it had five messages of the family, the last of them within the pause, and hears no more."""
    playbook, rule = replayed[0], ignored_rule(replayed[0])
    family = {name: playbook.offers[c.offers[0]].family for name, c in playbook.campaigns.items() if c.offers}
    messages, silent = defaultdict(list), 0
    for decision, line in lines(replayed):
        known = messages[decision.customer, family.get(line.campaign)]
        if line.rule == rule:
            silent += 1
            assert len(known) >= TIMES
            assert timedelta(0) <= decision.time - known[-1] < PAUSE
        elif line.reason == "won" and decision.kind == "round" and line.campaign in family:
            known.append(decision.time)
    assert silent > 1_000


def test_who_just_redeemed_hears_no_selling_but_thanks(replayed):
    (rule,) = (i for i, rule in enumerate(replayed[0].policies.suppress) if rule.then_us and rule.at_most_us)
    held = {line.campaign for _, line in lines(replayed) if line.rule == f"policies.suppress[{rule}]"}
    assert {replayed[0].campaigns[name].klass for name in held} == {"promotion", "loyalty"}
    said = {line.campaign for decision, line in lines(replayed) if decision.kind == "round" and line.reason == "won"}
    assert "thanks" in said - held


def test_nobody_is_contacted_at_night_or_on_holidays(replayed):
    """Whoever is held back is told of eight in the morning."""
    playbook, _, decisions, _ = replayed
    zone = ZoneInfo(playbook.time_zone)
    contacts = [each.time.astimezone(zone) for each in decisions if each.kind == "round" and each.won]
    assert {time.hour for time in contacts} == set(range(8, 21))
    assert not {(11, 23), (12, 25)} & {(time.month, time.day) for time in contacts}
    held = [(decision, line.until.astimezone(zone)) for decision, line in lines(replayed) if line.reason == "hours"]
    assert len(held) > 1_000
    for decision, until in held:
        assert (until.hour, until.minute, until.second) == (8, 0, 0)
        assert decision.time < until


def number(text):
    return int(text.replace(",", ""))


def test_the_page_tells_what_the_year_brings(replayed):
    """Nearly: wishes of equal rank are told apart by hashes under the journal's secret: each replay differs a bit."""
    told = {name: (number(wishes), number(won)) for name, wishes, won in ROW.findall(README.read_text("utf-8"))}
    wishes, won = Counter(), Counter()
    for decision, line in lines(replayed):
        wishes[line.campaign] += decision.kind == "ask" or line.reason in ENDS
        won[line.campaign] += line.reason == "won"
    mailed = re.compile(r"c\d+(_reminder)?")
    names = {name for name in replayed[0].campaigns if not mailed.fullmatch(name)}
    assert told == {name: pytest.approx((wishes[name], won[name]), rel=0.02, abs=5) for name in names}
