"""What a reason came of is told: a strict class, exploration, what was short of a resource, the customer's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import onevoice
from onevoice.playbook.load import load_files

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
RANKS = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
events: {visit: {}}
campaigns:
  parcel: {class: KLASS, priority: 1, when: event visit, valid_for: 2 days, send: [mail]}
  sale: {class: sales, priority: 9, when: event visit, valid_for: 2 days, send: [mail]}
  small_banner: {class: KLASS, priority: 1, when: asked, placements: [home]}
  large_banner: {class: sales, priority: 9, when: asked, placements: [home]}
placements: {home: {slots: 1}}
policies: {classes: {service: {strict: true}, sales: {}}, gap: 4 hours, exploration: {share: SHARE}}
channels: {mail: {}}
"""


def opened(text, **names):
    for name, value in names.items():
        text = text.replace(name, value)
    return onevoice.open(load_files({"playbook.yaml": text.encode()}))


def event(kind, who="ann", **more):
    return {"type": kind, "identifiers": {"email": f"{who}@x.org"}, **more}


def told(engine, who, reason):
    """What was said with this reason, with its rules."""
    found = [each for why in engine.why({"email": f"{who}@x.org"}, last=99) for each in why.told]
    return [(each.sentence, each.rule) for each in found if each.reason == reason]


def test_who_gave_way_to_a_strict_class_is_told_so():
    with opened(RANKS, KLASS="service", SHARE="50%") as engine:
        engine.ingest([event("visit"), event("asked", fields={"placement": "home"})], time=MONDAY)
        rule = ", whose class service comes first, whatever the rank; its own rank is 9"
        assert told(engine, "ann", "outranked") == [
            (f"gave way to parcel{rule}; looked at again on Mon 02 Mar 2026 15:00", "policies.classes.service"),
            (f"gave way to small_banner{rule}", "policies.classes.service"),
        ]
        assert {line.because for each in engine.decisions() for line in each.lines} == {"", "class"}


def test_who_gave_way_to_one_that_exploration_drew_is_told_so():
    """Whoever has the lesser rank wins by exploration alone; who has the greater one never does."""
    drawn = ", which was drawn by lot (`exploration`), whatever the rank; its own rank is 9"
    better = [("gave way to sale; its own rank is 1", "policies.rank")]
    worse = [(f"gave way to parcel{drawn}", "policies.exploration")]
    seen: list[bool] = []
    with opened(RANKS, KLASS="sales", SHARE="50%") as engine:
        for n in range(40):
            engine.ingest([event("visit", f"c{n}")], time=MONDAY + timedelta(minutes=n))
            first, *_ = engine.decisions({"email": f"c{n}@x.org"})
            (winner,) = first.won
            seen.append(winner.campaign == "parcel")
            found = [
                (each.sentence.partition("; looked")[0], each.rule)
                for each in engine.why(first.customer, last=9)[0].told[1:]
            ]
            assert found == (worse if seen[-1] else better)
    assert set(seen) == {True, False}


def test_of_an_ask_too_it_is_told_who_was_drawn():
    said: set[str] = set()
    with opened(RANKS, KLASS="sales", SHARE="50%") as engine:
        for n in range(40):
            engine.ingest([event("asked", f"c{n}", fields={"placement": "home"})], time=MONDAY)
            said.update(sentence for sentence, _ in told(engine, f"c{n}", "outranked"))
    assert said == {
        "gave way to large_banner; its own rank is 1",
        "gave way to small_banner, which was drawn by lot (`exploration`), whatever the rank; its own rank is 9",
    }


HOURS = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
traits: {time_zone: {choice: true, is: time_zone}}
events: {visit: {}}
campaigns: {news: {class: sales, when: event visit, send: [mail]}}
policies: {classes: {sales: {}}, hours: {mail: "09:00-18:00 mon-fri"}}
channels: {mail: {}}
"""
OPEN = "mail is open 09:00-18:00 mon-fri on the customer's clock, and opens next on"


@pytest.mark.parametrize(
    ("zone", "opening"),
    [
        ("", "Tue 03 Mar 2026 09:00"),
        ("Europe/Helsinki", "Tue 03 Mar 2026 09:00"),  # on both clocks alike
        ("America/New_York", "Mon 02 Mar 2026 09:00 (America/New_York)"),
        ("Asia/Tokyo", "Tue 03 Mar 2026 09:00 (Asia/Tokyo)"),
    ],
)
def test_hours_on_another_clock_are_told_with_its_zone(zone, opening):
    late = MONDAY.replace(hour=4) if zone == "America/New_York" else MONDAY.replace(hour=17)
    with opened(HOURS) as engine:
        traits = {"traits": {"time_zone": zone}} if zone else {}
        engine.ingest([event("visit", **traits)], time=late)
        assert told(engine, "ann", "hours") == [(f"{OPEN} {opening}", "policies.hours.mail")]
        (obstacle,) = engine.why_not({"email": "ann@x.org"}, "news").obstacles
        assert obstacle.sentence == f"{OPEN} {opening}"


def test_the_customers_clock_is_named_though_the_playbooks_shows_an_opening_too():
    """Nine in London is eleven in Vilnius, when the second window opens there."""
    text = HOURS.replace('"09:00-18:00 mon-fri"', "[09:00-10:00, 11:00-12:00]")
    with opened(text) as engine:
        engine.ingest([event("visit", traits={"time_zone": "Europe/London"})], time=MONDAY.replace(hour=7))
        ((said, _),) = told(engine, "ann", "hours")
        assert said.endswith("opens next on Mon 02 Mar 2026 09:00 (Europe/London)")


def test_hours_on_a_clock_that_is_no_longer_the_customers_are_told_by_the_playbooks():
    with opened(HOURS) as engine:
        engine.ingest([event("visit", traits={"time_zone": "Asia/Tokyo"})], time=MONDAY.replace(hour=17))
        engine.ingest([event("profile_updated", traits={"time_zone": "Asia/Kolkata"})], time=MONDAY.replace(hour=17))
        (first, *_), _ = told(engine, "ann", "hours")
        assert first == f"{OPEN} Tue 03 Mar 2026 02:00 (Europe/Vilnius)"


ROOM = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
events: {visit: {}, bill: {}}
resources: {desk: RESOURCE}
campaigns:
  news: {class: sales, when: event visit, send: [letter]}
  bill: {class: service, when: event bill, send: [letter]}
policies: {classes: {service: {}, sales: {}}}
channels: {letter: {cost: 2.5, uses: [desk]}}
"""
MIDNIGHT, NINE = (f"its turn is on Tue 03 Mar 2026 {time} at the latest" for time in ("00:00", "09:00"))


@pytest.mark.parametrize(
    ("resource", "visits", "said", "change"),
    [
        (
            "{budget: 1 per day}",
            1,
            "desk is too small for one contact, which takes 2.5: 0 of 1 a day are used; no turn is known",
            "if resources.desk.budget were 2.5 instead of 1",
        ),
        (
            "{budget: 4 per day}",
            2,
            f"desk has too little left for one contact, which takes 2.5: 2.5 of 4 a day are used; {MIDNIGHT}",
            "if desk had had room for one more: 2.5 of 4 were used",
        ),
        (
            "{budget: 5 per day}",
            3,
            f"desk has no room: 5 of 5 a day are used; {MIDNIGHT}",
            "if desk had had room for one more: 5 of 5 were used",
        ),
        (
            '{capacity: 4 per day, hours: "09:00-10:00"}',
            1,
            f"desk is closed: 0 of 4 a day are used; {NINE}",
            None,
        ),
        (
            '{capacity: 4 per day, hours: "09:00-18:00", reserve: {service: 50%}}',
            3,
            f"what is left of desk is reserved for other classes: 2 of 4 a day are used; {NINE}",
            "if nothing of desk were reserved for other classes",
        ),
    ],
)
def test_what_was_short_of_a_resource_is_told(resource, visits, said, change):
    with opened(ROOM, RESOURCE=resource) as engine:
        for n in range(visits):
            engine.ingest([event("visit", f"c{n}")], time=MONDAY)
        assert told(engine, f"c{visits - 1}", "no_capacity") == [(said, "resources.desk")]
        why_not = engine.why_not({"email": f"c{visits - 1}@x.org"}, "news")
        assert [each.sentence for each in why_not.obstacles] == [said]
        changes = [each for each in why_not.changes if each.kind != "wait"]
        assert [each.sentence for each in changes] == ([change] if change else [])


def test_what_is_reserved_would_have_been_free_without_the_reserve():
    text = ROOM.replace("RESOURCE", "{capacity: 4 per day}")
    with opened(text) as engine:
        for n in range(3):
            engine.ingest([event("visit", f"c{n}")], time=MONDAY)
        assert told(engine, "c2", "no_capacity") == []


def test_a_budget_as_small_as_it_is_told_to_be_is_enough_and_less_is_not():
    for budget, expected in (("2.5", 0), ("2.49", 1)):
        with opened(ROOM, RESOURCE=f"{{budget: {budget} per day}}") as engine:
            engine.ingest([event("visit")], time=MONDAY)
            assert len(told(engine, "ann", "no_capacity")) == expected
