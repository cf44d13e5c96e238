"""C6: Every campaign has a goal; results are measured against people held out, by campaign and department; outcomes
feed the next decisions.
"""

from dataclasses import replace

import pytest

from .stage import event

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
events:
  visited: {}
  order_placed: {fields: {amount: number}}
campaigns:
  comeback:
    owner: retention team
    class: sales
    priority: 2
    when: event visited
    send: [email]
    again_after: 10 days
    valid_for: 1 day
    goal: order_placed where amount > 5 within 3 days
    holdout: 40%
  news: {class: news, when: event visited, send: [email], valid_for: 1 day}
policies:
  classes: {sales: {}, news: {}}
  rank: priority
  caps: [{max: 1, per: day}]
"""
PEOPLE = 600


def person(number):
    return {"email": f"p{number}@example.lt"}


def held_out(company):
    """Numbers of the customers who would have heard from `comeback`."""
    return {
        made.customer
        for made in company.engine.decisions()
        for line in made.lines
        if (line.campaign, line.reason) == ("comeback", "would_have_won")
    }


def spring(company, *, bought_by):
    """Let everybody visit, those of whom `bought_by(place, held)` is true order, and time pass.

    `place`: the how manieth of their side they are. Who is held out is drawn anew for each company; what share of each
    side buys is not.
    """
    company.arrive("2026-03-02 10:00", [event("visited", person(number)) for number in range(PEOPLE)])
    company.reopen()
    out = held_out(company)
    sides = [[number for number in range(PEOPLE) if (number in out) is held] for held in (False, True)]
    buyers = [number for held, side in enumerate(sides) for place, number in enumerate(side) if bought_by(place, held)]
    company.arrive("2026-03-03 12:00", [event("order_placed", person(number), amount=20) for number in buyers])
    return out


def figures(company, by="campaign"):
    return {each.part: each for each in company.engine.results(by).figures}


def test_what_a_campaign_brings_is_measured_against_those_held_out(stage):
    company = stage(PLAYBOOK)
    out = spring(company, bought_by=lambda place, held: place % 10 < (1 if held else 4))
    found = figures(company)["comeback"]
    assert (found.contacts, found.would_have_won) == (PEOPLE - len(out), len(out))
    assert 0.3 < len(out) / PEOPLE < 0.5  # 0.4 by hashes that differ from company to company: five deviations
    assert (found.customers, found.held_out) == (found.contacts, found.would_have_won)
    assert found.rate == pytest.approx(0.4, abs=0.02)
    assert found.held_out_rate == pytest.approx(0.1, abs=0.02)
    assert found.low > 0.12
    assert "more come to the goal" in found.words
    assert list(figures(company, "owner")) == ["retention team"]
    assert list(figures(company, "class")) == ["sales"]
    assert list(figures(company, "week")) == ["2026-03-02"]
    results = company.engine.results()
    assert results.without_goal == ("news",)
    assert (results.contacted, results.held_out) == (PEOPLE - len(out), len(out))
    assert results.whole == replace(found, part="")


def test_where_it_makes_no_difference_none_is_shown(stage):
    company = stage(PLAYBOOK)
    spring(company, bought_by=lambda place, held: place % 5 == 0)
    found = figures(company)["comeback"]
    assert found.low < 0 < found.high
    assert "no difference is shown" in found.words


def test_of_few_nothing_is_said(stage):
    company = stage(PLAYBOOK)
    company.arrive("2026-03-02 10:00", [event("visited", person(number)) for number in range(40)])
    found = figures(company)["comeback"]
    assert found.uplift is None
    assert found.words.startswith("too few to tell")


def test_without_a_holdout_contacts_are_counted_and_nothing_is_compared(stage):
    company = stage(PLAYBOOK.replace("    holdout: 40%\n", ""))
    assert spring(company, bought_by=lambda place, held: place < 50) == set()
    found = figures(company)["comeback"]
    assert (found.contacts, found.conversions, found.customers) == (PEOPLE, 50, 0)
    assert found.words == "nobody was held out, so nothing can be compared"


def test_who_is_held_out_hears_of_what_comes_next_and_costs_no_cap(stage):
    company = stage(PLAYBOOK)
    out = spring(company, bought_by=lambda place, held: False)
    first = {}
    for made in company.engine.decisions():
        first.setdefault(made.customer, [line.campaign for line in made.won])
    assert {customer for customer, won in first.items() if won == ["news"]} == out
    assert {customer for customer, won in first.items() if won == ["comeback"]} == {*range(PEOPLE)} - out


def test_a_purchase_counts_in_time_for_the_latest_contact_and_once(stage):
    company = stage(PLAYBOOK.replace("    holdout: 40%\n", "").replace("again_after: 10 days", "again_after: 1 day"))
    ann, bob, eve, kim = (person(number) for number in range(4))
    company.arrive("2026-03-02 10:00", [event("visited", who) for who in (ann, bob, eve, kim)])
    company.happens("2026-03-05 09:59", "order_placed", ann, amount=6)
    company.happens("2026-03-05 09:59", "order_placed", ann, amount=6)  # the same contact
    company.happens("2026-03-05 10:00", "order_placed", bob, amount=6)  # too late
    company.happens("2026-03-03 10:00", "order_placed", eve, amount=5, occurred="2026-03-03 10:00")  # not the goal
    company.happens("2026-03-05 11:00", "visited", kim)
    company.happens("2026-03-05 12:00", "order_placed", kim, amount=6)  # of the second contact
    found = figures(company)["comeback"]
    assert (found.contacts, found.conversions) == (5, 2)
    weeks = figures(company, "week")
    assert [(each.contacts, each.conversions) for each in weeks.values()] == [(5, 2)]


def test_who_was_decided_stays_when_the_share_changes(stage):
    company = stage(PLAYBOOK)
    out = spring(company, bought_by=lambda place, held: False)
    company.engine.close()
    text = (company.playbook / "playbook.yaml").read_text()
    (company.playbook / "playbook.yaml").write_text(text.replace("holdout: 40%", "holdout: 90%"))
    company.engine = company.opened()
    later = [event("visited", person(number)) for number in range(PEOPLE + 200)]
    company.arrive("2026-03-20 10:00", later)
    again = held_out(company)
    assert {number for number in again if number < PEOPLE} == out
    assert len([number for number in again if number >= PEOPLE]) > 150


def test_a_goal_that_comes_late_holds_for_history(stage):
    company = stage(PLAYBOOK.replace("    goal: order_placed where amount > 5 within 3 days\n", ""))
    spring(company, bought_by=lambda place, held: place < 15)
    assert company.engine.results().figures == ()
    company.engine.close()
    (company.playbook / "playbook.yaml").write_text(PLAYBOOK)
    company.engine = company.opened()
    found = figures(company)["comeback"]
    assert found.conversions + found.held_out_conversions == 30
