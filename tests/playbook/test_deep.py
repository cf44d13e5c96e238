"""A golden table: what is dead in a playbook, word for word, each beside a neighbour of which nothing is said.

`UPDATE_GOLDEN=1 python -m pytest tests/playbook/test_deep.py` writes what is found anew; read the difference before you
commit it. That the neighbours are alive is shown in `tests/oracle/test_deep.py`.
"""

import os
import re
from dataclasses import replace

import pytest

import onevoice
from onevoice.playbook.deep import search
from onevoice.playbook.deep.check import check_deep, prove
from onevoice.playbook.load import load_files, load_with_report
from onevoice.playbook.model import Campaign, Segment, Trigger, TriggerKind
from onevoice.playbook.unsent import NEVER
from onevoice.playbook.unwise import unwise
from tests.playbook.deep_cases import FOLDER, cases

CASES = {case.name: case for case in cases()}
GOLDEN = FOLDER / "found.txt"


def found_in(files):
    return check_deep(*load_with_report(files))


def claimed(finding):
    return finding.claim, finding.path, finding.what


def told(case):
    return f"# {case.name}\n" + "".join(f"{finding}\n" for finding in found_in(case.dead).findings)


def test_what_is_dead_is_told():
    found = "\n".join(told(case) for case in CASES.values())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_of_each_case_the_dead_campaign_is_found_and_nothing_of_its_neighbour(name):
    found = found_in(CASES[name].dead)
    assert "campaigns.dead" in {finding.path for finding in found.findings}
    assert {finding.path for finding in found.findings if finding.path.startswith("campaigns.")} == {"campaigns.dead"}
    assert found.undecided == 0
    assert found_in(CASES[name].alive).findings == ()


@pytest.mark.parametrize("name", CASES)
def test_a_finding_says_where_why_and_how_to_mend(name):
    for finding in found_in(CASES[name].dead).findings:
        assert re.match(r"case\.yaml:\d+:\d+ ", finding.where)
        assert finding.mend
        assert finding.because
        for because in finding.because:
            assert because.says
            assert not because.quote or re.match(r"(case|common)\.yaml:\d+:\d+ ", because.where), because


@pytest.mark.parametrize("name", CASES)
def test_without_places_the_same_is_found(name):
    placed, by_path = found_in(CASES[name].dead).findings, check_deep(load_files(CASES[name].dead)).findings
    assert {claimed(each) for each in placed} == {claimed(each) for each in by_path}


TWINS = """
resources:
  centre: {capacity: 9 per hour}
offers:
  loan: {}
channels:
  text: {receipts: 1 hour}
campaigns:
  dead: {class: sales, when: event visited, priority: 3, valid_for: 1 day, send: [app]}
  twin: {class: sales, when: event visited, priority: 4, send: [app]}
policies:
  gap: 2 days
"""


@pytest.mark.parametrize(
    "change",
    [
        ("send: [app]}\npol", "send: [app], holdout: 5%}\npol"),
        ("send: [app]}\npol", "send: [app], at_most: 5}\npol"),
        ("send: [app]}\npol", "send: [app], failures: {share: 20%}}\npol"),
        ("send: [app]}\npol", "send: [app], uses: [centre]}\npol"),
        ("send: [app]}\npol", "send: [app], if_unseen: {after: 1 day, next: [mail]}}\npol"),
        ("send: [app]}\npol", "send: [app, text]}\npol"),
        ("gap: 2 days", "gap: 2 days\n  exploration: {share: 10%}"),
        ("gap: 2 days", "gap: 2 days\n  holdout: {share: 10%}"),
        ("gap: 2 days", "gap: 2 days\n  look_ahead: 1 day"),
        ("gap: 2 days", "gap: 2 days\n  caps: [{max: 1, per: week, family: each}]"),
        ("gap: 2 days", "gap: 2 days\n  caps: [{max: 1, per: week, campaign: each}]"),
        ("gap: 2 days", "gap: 2 days\n  caps: [{max: 1, per: week, campaign: twin}]"),
    ],
)
def test_nothing_is_said_where_the_better_one_may_be_held_back_alone(change):
    """Each of these may keep the better campaign from being sent, and let the lower one go."""
    files, text = CASES["contradiction"].dead, TWINS
    if "family" in change[1]:
        text = text.replace("priority: 4, ", "priority: 4, offer: loan, ")
    assert [each.path for each in found_in({**files, "case.yaml": text.encode()}).findings] == ["campaigns.dead"]
    assert text.count(change[0]) == 1
    assert found_in({**files, "case.yaml": text.replace(*change).encode()}).findings == ()


TOLD_ONCE = {
    "always_suppressed": ("count(unhappy) >= 1 and (vip or vip is not true)", "unhappy('bill')"),
    "once_before_its_first_day": ("", ""),
    "weekly_between_its_days": ("", ""),
}


@pytest.mark.parametrize("name", TOLD_ONCE)
def test_what_is_warned_of_is_not_told_twice(name):
    """What is proved is no warning beside that; where nobody asks for proofs it is one."""
    text = CASES[name].dead["case.yaml"].decode().replace(*TOLD_ONCE[name])
    playbook, report = load_with_report({**CASES[name].dead, "case.yaml": text.encode()})
    dead = {each.path for each in check_deep(playbook, report).findings}
    assert "campaigns.dead" in dead
    alone, beside = unwise(playbook, report), unwise(playbook, report, dead)
    assert [each.where.partition(".dead")[1] for each in alone if each not in beside] == [".dead"]
    assert not [each for each in beside if each.what.startswith(NEVER)]


def test_a_question_too_large_is_not_answered(monkeypatch):
    monkeypatch.setattr(search, "STEPS_MAX", 1)
    found = found_in(CASES["two_segments"].dead)
    assert found.findings == ()
    assert found.undecided > 0


def test_any_playbook_is_looked_at_in_bounded_time():
    """Conditions that could be true in a million ways, and in none: the search ends at its bounds."""
    base = load_files(CASES["contradiction"].alive)
    odd = " and ".join(f"(spent <> {n} or orders = {n} or largest = {n} or age = {n})" for n in range(60))
    segments = {f"s{n}": Segment(f"s{n}", f"{odd} and age <> orders and orders_30d > {n}") for n in range(40)}
    found = check_deep(replace(base, segments=segments))
    assert not [each for each in found.findings if each.path.startswith("campaigns.")]


def test_nested_conditions_are_taken_apart_within_bounds():
    text = "vip"
    for _ in range(20):
        text = f"(({text}) = (case when vip then age > 3 else vip end))"
    book = load_files(CASES["contradiction"].alive)
    campaign = Campaign("odd", "sales", Trigger(TriggerKind.EVENT, "visited"), condition=text, send=("app",))
    assert prove(replace(book, campaigns={"odd": campaign})) == ()


def test_a_setting_that_the_proofs_do_not_know_silences_them(monkeypatch):
    """A campaign that uses what nobody has thought through is left alone."""
    from onevoice.playbook.deep import heeded

    known = heeded._HEEDED[Campaign] - {"condition"}
    monkeypatch.setitem(heeded._HEEDED, Campaign, known)
    assert found_in(CASES["contradiction"].dead).findings == ()


def test_the_examples_are_alive():
    assert onevoice.check_deep("examples/telecom") == ()


def test_a_playbook_with_mistakes_is_refused():
    book = load_files(CASES["contradiction"].dead)
    with pytest.raises(onevoice.PlaybookError):
        onevoice.check_deep(replace(book, segments={"s": Segment("s", "nothing > 1")}))
