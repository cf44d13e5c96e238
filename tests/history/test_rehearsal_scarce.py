"""Rehearsals and conflicts where there are resources, hours, holdouts and several offers of a campaign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import onevoice
from onevoice.playbook.load import load_files

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLAYBOOK = """
playbook: shop
identifiers: {email: {format: email}}
events: {visited: {}, called: {}}
products: {file: products.csv, fields: {category: choice}}
offers:
  boots: {product: boots, family: shoes, value: 9, parameters: {discount: {is: offer.value / 100}}}
  pans: {product: pans, family: kitchen, value: 5}
campaigns:
  upgrade: {class: sales, when: event visited, offer: [boots, pans], send: [mail], valid_for: 3 days}
  survey: {class: care, when: event called, send: [mail], valid_for: 3 days}
  banner: {class: sales, when: asked, placements: [home], offer: [boots, pans]}
placements: {home: {}}
resources: {printer: {capacity: 2 per day}}
channels: {mail: {uses: printer}}
policies:
  classes: {care: {strict: true}, sales: {}}
  rank: offer.value
"""
PRODUCTS = b"product,category\nboots,outdoor\npans,home\n"
PANS = ("family: kitchen, value: 5", "family: kitchen, value: 50")
PLENTY = ("2 per day", "9 per day")
ALL, NONE = "99.99999%", "0.00001%"  # of customers


def playbook(*changes):
    text = PLAYBOOK
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return load_files({"playbook.yaml": text.encode(), "products.csv": PRODUCTS})


def opened(*changes):
    return onevoice.open(playbook(*changes), clock=lambda: 0)


def comes(engine, kind, who, time, **fields):
    engine.ingest([{"type": kind, "identifiers": {"email": f"{who}@x.org"}, "fields": fields}], time=time)


def differences(rehearsal):
    return {each.difference: each.decisions for each in rehearsal.differences}


def total(rehearsal, name="contacts"):
    return next((each.happened, each.rehearsed) for each in rehearsal.totals if each.name == name)


def held_by(rehearsal):
    return {(each.reason, each.words): (each.wishes_happened, each.wishes_rehearsed) for each in rehearsal.reasons}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (PANS, {"goes out with another offer": 1, "is shown with another offer": 1}),
        (
            ("offer.value / 100", "offer.value / 50"),
            {"goes out with other parameters": 1, "is shown with other parameters": 1},
        ),
        (("kitchen, value: 5", "kitchen, value: 6"), {}),
        (("rank: offer.value", "rank: offer.value * 2"), {}),
    ],
)
def test_another_offer_of_the_same_campaign_is_a_difference(change, expected):
    with opened() as engine:
        comes(engine, "visited", "ann", MONDAY)
        comes(engine, "asked", "ann", MONDAY + HOUR, placement="home")
        found = engine.simulate(playbook(change))
    assert differences(found) == expected
    for example in found.examples:
        then, now = (side.decision.lines[0] for side in (example.happened, example.rehearsed))
        assert (then.offer, then.parameters) == ("boots", {"discount": 0.09})
        assert (now.offer, now.parameters) != (then.offer, then.parameters)


def test_a_line_that_lost_with_another_offer_is_a_difference_too():
    with opened(("2 per day", "1 per day")) as engine:
        for who in ("ann", "bob"):
            comes(engine, "visited", who, MONDAY)
        engine.tick(MONDAY + HOUR)
        found = engine.simulate(playbook(("2 per day", "1 per day"), PANS))
    assert differences(found) == {"goes out with another offer": 1, "held back for another reason": 1}


def test_what_was_used_of_a_resource_stays_used():
    """Two go out on Monday, before the other playbook; under it a third comes, who finds one place left of three."""
    with opened() as engine:
        for number in range(4):
            comes(engine, "visited", f"c{number}", MONDAY + number * HOUR)
        engine.tick(MONDAY + 12 * HOUR)
        rest = engine.simulate(playbook(("2 per day", "3 per day")), MONDAY + 2 * HOUR)
        assert (total(rest), held_by(rest)) == ((0, 1), {("no_capacity", "room in printer"): (2, 1)})
        assert differences(rest) == {"goes out": 1}
        whole = engine.simulate(playbook(PLENTY))
    assert (total(whole), held_by(whole)) == ((2, 4), {("no_capacity", "room in printer"): (2, 0)})
    example = next(each for each in whole.examples if each.difference == "goes out")
    assert (
        example.happened.told[0].sentence
        == "printer has no room: 2 of 2 a day are used; its turn is on Tue 03 Mar 2026 00:00 at the latest"
    )


def test_who_waits_for_a_turn_is_given_one_anew():
    """Two wait for Tuesday as the other playbook takes over, under which one a day goes out."""
    with opened() as engine:
        for number in range(4):
            comes(engine, "visited", f"c{number}", MONDAY)
        engine.tick(MONDAY + 2.5 * DAY)
        found = engine.simulate(playbook(("2 per day", "1 per day")), MONDAY + HOUR)
    assert {each.day: (each.happened, each.rehearsed) for each in found.days} == {
        (MONDAY + DAY).date(): (2, 1),
        (MONDAY + 2 * DAY).date(): (0, 1),
    }


def test_hours_are_told_of_each_channel_as_they_were_and_as_they_are_now():
    late, early = (
        (PLENTY, ("  rank:", f'  hours: {{mail: "{hours}"}}\n  rank:')) for hours in ("14:00-18:00", "12:00-18:00")
    )
    with opened(*late) as engine:
        comes(engine, "visited", "ann", MONDAY)
        engine.tick(MONDAY + DAY)
        found = engine.simulate(playbook(*early))
    assert held_by(found) == {("hours", "mail 14:00-18:00"): (1, 0), ("hours", "mail 12:00-18:00"): (0, 1)}
    assert differences(found) == {"goes out": 1, "does not go out": 1}


def held_out(share):
    return "  rank:", f"  holdout: {{share: {share}, classes: [sales]}}\n  rank:"


def test_who_was_held_out_stays_so_and_no_one_else_is():
    with opened(PLENTY, held_out(ALL)) as engine:
        comes(engine, "visited", "ann", MONDAY)
        comes(engine, "visited", "ann", MONDAY + DAY)
        comes(engine, "visited", "bob", MONDAY + DAY)
        engine.tick(MONDAY + 2 * DAY)
        few = playbook(PLENTY, held_out(NONE))
        rest = engine.simulate(few, MONDAY + HOUR)
        assert total(rest) == (0, 1)
        assert total(rest, "contacts held out, to compare") == (2, 1)
        assert differences(rest) == {"is no longer held out": 1}
        whole = engine.simulate(few)
        assert (total(whole), differences(whole)) == ((0, 3), {"is no longer held out": 3})
        (upgrade,) = (each for each in whole.campaigns if each.campaign == "upgrade")
        assert (upgrade.wishes_happened, upgrade.held_out_happened, upgrade.held_out_rehearsed) == (3, 3, 0)


def test_who_would_be_held_out_is_said():
    with opened(PLENTY) as engine:
        comes(engine, "visited", "ann", MONDAY)
        comes(engine, "asked", "ann", MONDAY + HOUR, placement="home")
        found = engine.simulate(playbook(PLENTY, held_out(ALL)))
    assert differences(found) == {"is held out": 2}
    assert all("held out, to be compared" in each.rehearsed.told[0].sentence for each in found.examples)


def test_a_wish_of_somebody_held_out_is_not_lost_to_another_campaign():
    """The survey goes out first; what would have gone out after the gap is no loss by it."""
    with opened(PLENTY, ("  rank:", "  gap: 1 day\n  rank:"), held_out(ALL)) as engine:
        comes(engine, "called", "ann", MONDAY)
        comes(engine, "visited", "ann", MONDAY)
        engine.tick(MONDAY + 2 * DAY)
        found = engine.conflicts("upgrade")
    (pair,) = found.pairs
    assert (pair.other, pair.one_held, pair.one_lost, pair.other_first) == ("survey", 1, 0, 1)
    assert (found.figures.sent, found.figures.held_out) == (0, 1)


@pytest.mark.parametrize(
    ("cap", "with_pans", "with_boots"),
    [
        ("family: each", 1, 0),
        ("family: shoes", 0, 0),
        ("family: kitchen", 1, 0),
        ("category: each", 1, 0),
        ("category: home", 1, 0),
        ("class: sales", 1, 1),
    ],
)
def test_a_cap_holds_back_by_the_offer_that_was_made(cap, with_pans, with_boots):
    """Pans have gone out by another campaign; the upgrade comes with pans, the greater value, or with boots."""
    before = "  before: {class: sales, when: event called, offer: [pans], send: [mail]}\n  banner:"
    capped = PLENTY, ("  banner:", before), ("  rank:", f"  caps: [{{max: 1, per: week, {cap}}}]\n  rank:")
    with opened() as engine:
        comes(engine, "called", "ann", MONDAY)
        comes(engine, "visited", "ann", MONDAY + HOUR)
        engine.tick(MONDAY + DAY)
        found = [engine.conflicts("upgrade", playbook(*capped, *dearer)).pairs for dearer in ([PANS], [])]
    held = [pair.one_held for pairs in found for pair in pairs if pair.other == "before"]
    assert held == [with_pans, with_boots]
