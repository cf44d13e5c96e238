"""What stands beside each other in a rehearsal: figures, reasons in words, customers, and differing decisions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

import onevoice
from onevoice.errors import OnevoiceError
from onevoice.history.comparing import strictest
from onevoice.playbook.load import load_files
from onevoice.playbook.model import Cap, Period

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
PLAYBOOK = """
playbook: shop
identifiers: {email: {format: email}}
events: {visited: {}, ordered: {}, complained: {}, soothed: {}}
facts: {trouble: {opens: complained, closes: soothed}}
campaigns:
  thanks: {class: service, owner: care, priority: 9, when: event ordered, send: [post]}
  offer: {class: sales, owner: shop, priority: 5, when: event visited, valid_for: 1 day, send: [mail, post]}
  banner: {class: sales, owner: shop, when: asked, placements: [home]}
placements: {home: {}}
channels: {mail: {}, post: {}}
policies:
  classes: {service: {}, sales: {}}
  caps: [{max: 2, per: day}]
  suppress: [{stop: [sales], while: trouble}]
"""


STOPPED = "sources: {desk: {events: [complained], stale_after: 1 hour}}\nfacts:"  # whom the rule for trouble depends on


def playbook(*changes):
    text = PLAYBOOK
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return load_files({"playbook.yaml": text.encode()})


def comes(engine, kind, who, time, **fields):
    engine.ingest([{"type": kind, "identifiers": {"email": f"{who}@x.org"}, "fields": fields}], time=time)


@pytest.fixture
def engine():
    """Three days: Ann visits each day, Bob orders once and complains, Eve only asks for a place."""
    with onevoice.open(playbook(), clock=lambda: 0) as opened:
        for day in range(3):
            comes(opened, "visited", "ann", MONDAY + day * DAY)
        comes(opened, "ordered", "bob", MONDAY + 3 * DAY)
        comes(opened, "visited", "bob", MONDAY + 3 * DAY)
        comes(opened, "complained", "bob", MONDAY + 4 * DAY)
        comes(opened, "visited", "bob", MONDAY + 4 * DAY)
        comes(opened, "asked", "eve", MONDAY + 8 * DAY, placement="home")
        yield opened


def beside(records, *key):
    return {
        tuple(getattr(each, name) for name in key) if len(key) > 1 else getattr(each, key[0]): (
            each.happened,
            each.rehearsed,
        )
        for each in records
    }


NOTHING_OPEN = ("while: trouble", "while: trouble and 1 = 0")
ONE_A_WEEK = ("{max: 2, per: day}", "{max: 1, per: week}")


def test_a_narrower_cap_is_felt_by_those_who_heard_much(engine):
    found = engine.simulate(playbook(ONE_A_WEEK))
    assert beside(found.totals, "name") == {
        "wishes": (6, 6),
        "contacts": (5, 2),
        "contacts held out, to compare": (0, 0),
        "shown at placements": (1, 1),
        "customers contacted": (2, 2),
        "customers not contacted": (1, 1),
        "customers over the limit": (2, 0),
        "contacts over the limit": (3, 0),
    }
    assert found.too_much == "at most 1 a week"
    assert (found.gaining, found.losing) == (0, 2)
    assert [(each.change, each.customers) for each in found.spread] == [(-2, 1), (-1, 1), (0, 1)]
    ann, bob = (engine.state({"email": f"{who}@x.org"}).number for who in ("ann", "bob"))
    assert [(each.customer, each.happened, each.rehearsed) for each in found.lost] == [(ann, 3, 1), (bob, 2, 1)]
    assert found.gained == ()


def test_contacts_are_counted_by_campaign_class_owner_channel_week_and_day(engine):
    found = engine.simulate(playbook(ONE_A_WEEK))
    assert {each.campaign: (each.sent_happened, each.sent_rehearsed) for each in found.campaigns} == {
        "thanks": (1, 1),
        "offer": (4, 1),
        "banner": (0, 0),
    }
    assert beside(found.groups, "by", "name") == {
        ("class", "service"): (1, 1),
        ("class", "sales"): (4, 1),
        ("owner", "care"): (1, 1),
        ("owner", "shop"): (4, 1),
        ("channel", "mail"): (4, 1),
        ("channel", "post"): (1, 1),
    }
    assert beside(found.weeks, "week", "campaign", "channel") == {
        (date(2026, 3, 2), "offer", "mail"): (4, 1),
        (date(2026, 3, 2), "thanks", "post"): (1, 1),
    }
    assert beside(found.days, "day", "klass")[date(2026, 3, 3), "sales"] == (1, 0)
    assert sum(each.happened for each in found.days) == sum(each.happened for each in found.weeks) == 5


def test_reasons_are_told_in_the_words_of_their_own_playbook(engine):
    found = engine.simulate(playbook(ONE_A_WEEK))
    told = {(each.reason, each.words): (each.wishes_happened, each.wishes_rehearsed) for each in found.reasons}
    assert told == {("suppressed", "no sales while trouble"): (1, 1), ("cap", "at most 1 a week"): (0, 3)}


def test_who_gains_is_told_too_and_a_week_before_an_open_end(engine):
    found = engine.simulate(playbook(NOTHING_OPEN), MONDAY + 4 * DAY, MONDAY + 6 * DAY)
    (gained,) = found.gained
    assert (gained.happened, gained.rehearsed) == (0, 1)
    assert (found.gaining, found.losing, found.lines) == (1, 0, 2)
    assert [(each.difference, each.decisions) for each in found.differences] == [
        ("goes out", 1),
        ("no longer ends without going out", 1),
    ]


def test_an_example_is_explained_from_both_sides(engine):
    found = engine.simulate(playbook(ONE_A_WEEK))
    assert sum(each.decisions for each in found.differences) == found.differing
    by_kind = {each.difference: each for each in found.examples}
    gone = by_kind["does not go out"]
    assert gone.is_happened
    assert gone.is_rehearsed
    (then,), (now,) = gone.happened.told, gone.rehearsed.told
    assert then.sentence == "goes out by mail with a rank of 5"
    assert now.sentence.startswith("at most 1 a week: 1 of 1 are used; room again on Mon 09 Mar")
    ended = by_kind["ends without going out"]
    assert not ended.is_happened
    assert ended.happened.told[0].reason == "won", "what was decided about it instead"
    assert ended.rehearsed.told[0].reason == "expired"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("  banner:", "  louder: {class: sales, priority: 9, when: asked, placements: [home]}\n  banner:"),
            {"another is shown"},
        ),
        (("placements: [home]}", "placements: [home], from: 2027-01-01}"), {"is no longer shown"}),
        (("send: [mail, post]", "send: [post, mail]"), {"goes out by another channel", "held back for another reason"}),
        (("priority: 5", "priority: 6"), set()),
        (("offer: {", "offer: {at_most: 4, "), {"is paused at its limit", "held back for another reason"}),
        (
            ("facts:", STOPPED),
            {
                "a source stops",
                "a source is heard again",
                "does not go out",
                "held back for another reason",
                "is no longer shown",
                "ends without going out",
            },
        ),
    ],
)
def test_what_differs_has_a_name(engine, change, expected):
    found = {each.difference for each in engine.simulate(playbook(change)).differences}
    assert found == expected


def test_examples_are_few_and_of_every_kind():
    with onevoice.open(playbook(), clock=lambda: 0) as engine:
        for number in range(60):
            comes(engine, "visited", f"c{number}", MONDAY + number * timedelta(minutes=1))
            comes(engine, "ordered", f"c{number % 30}", MONDAY + DAY + number * timedelta(minutes=1))
        found = engine.simulate(playbook(("send: [post]", "send: [mail]"), ("max: 2, per: day", "max: 1, per: week")))
    assert found.differing > len(found.examples) == 20
    assert {each.difference for each in found.examples} == {each.difference for each in found.differences}


def test_the_strictest_cap_is_the_one_over_all_that_lets_the_fewest_out():
    caps = [Cap(1, period=Period.DAY), Cap(3, period=Period.WEEK), Cap(1, rolling_us=86_400_000_000, channel="post")]
    found = playbook(
        ("[{max: 2, per: day}]", "[{max: 1, per: day}, {max: 3, per: week}, {max: 1, per: 30 days, channel: post}]")
    )
    assert strictest(found) == caps[1]
    assert strictest(playbook(("caps: [{max: 2, per: day}]", "caps: [{max: 1, per: day, class: sales}]"))) is None


def test_without_a_cap_over_all_too_much_is_more_than_three_a_week(engine):
    found = engine.simulate(playbook(("  caps: [{max: 2, per: day}]\n", "")))
    assert found.too_much == "at most 3 a week, for no cap is over all contacts"
    assert beside(found.totals, "name")["customers over the limit"] == (0, 0)


def test_a_rolling_cap_counts_any_stretch_of_its_length(engine):
    found = engine.simulate(playbook(("{max: 2, per: day}", "{max: 2, per: 2 days}")))
    assert beside(found.totals, "name")["contacts over the limit"] == (0, 0)
    found = engine.simulate(playbook(("{max: 2, per: day}", "{max: 2, per: 49 hours}")))
    assert beside(found.totals, "name")["contacts over the limit"] == (1, 0)


def test_a_rehearsal_is_tables_json_and_shows_itself(engine):
    found = engine.simulate(playbook(ONE_A_WEEK))
    tables = found.tables()
    assert tables["groups"].to_pylist()[0] == {"by": "channel", "name": "mail", "happened": 4, "rehearsed": 1}
    assert msgspec.json.decode(msgspec.json.encode(found))["differing"] == found.differing
    assert "does not go out" in found._repr_html_()
    with pytest.raises(OnevoiceError, match="no such table"):
        found.table("example")


def test_a_campaign_paused_at_its_limit_is_an_example_about_nobody(engine):
    found = engine.simulate(playbook(("offer: {", "offer: {at_most: 4, ")))
    (example,) = (each for each in found.examples if each.difference == "is paused at its limit")
    assert (example.customer, example.is_happened, example.happened) == (-1, False, None)
    assert example.rehearsed.headline == "offer is paused: nothing of it goes out until it is resumed"


def test_a_source_that_stops_is_an_example_about_nobody(engine):
    found = engine.simulate(playbook(("facts:", STOPPED)))
    examples = [each for each in found.examples if each.customer < 0]
    assert {each.is_happened for each in examples} == {False}
    assert {each.rehearsed.headline for each in examples} == {
        "desk has stopped: held until it is heard again: offer, banner",
        "desk is heard again, and what it held goes on: offer, banner",
    }
    silent = engine.simulate(playbook(("facts:", STOPPED.replace("complained", "ordered"))))
    assert silent.differing == 0, "no campaign depends on it"


def test_a_cap_of_each_class_or_channel_attributes_to_its_own_only():
    """Bob's thanks goes out by post, then his offer by mail; `again` is held back by one or both, as the cap goes."""
    again = "  again: {class: sales, priority: 1, when: event soothed, send: [post], valid_for: 1 day}\n  offer:"
    with onevoice.open(playbook(), clock=lambda: 0) as engine:
        for hour, kind in enumerate(("ordered", "visited", "soothed")):
            comes(engine, kind, "bob", MONDAY + timedelta(hours=hour))
        engine.tick(MONDAY + 2 * DAY)
        for cap, holders in (
            ("{max: 1, per: week, class: each}", {"offer"}),
            ("{max: 1, per: week, channel: each}", {"thanks"}),
            ("{max: 2, per: week}", {"offer", "thanks"}),
            ("{max: 1, per: week, owner: each}", set()),
        ):
            found = engine.conflicts("again", playbook(("{max: 2, per: day}", cap), ("  offer:", again)))
            assert {pair.other for pair in found.pairs if pair.one_lost} == holders, cap


def test_contacts_that_do_not_count_hold_nothing_back_and_are_not_too_many(engine):
    silent = playbook(ONE_A_WEEK, ("service: {}", "service: {counts: false}"))
    assert all(pair.one_held == 0 for pair in engine.conflicts("offer", silent).pairs)
    assert beside(engine.simulate(silent).totals, "name")["contacts over the limit"] == (3, 0)


def test_conflicts_attribute_what_was_held_back(engine):
    """Bob's thanks outranks his offer, or the offer finds the cap full: it is the other's contact that costs it."""
    outranked = engine.conflicts("offer", playbook(("caps: [{max: 2, per: day}]", "gap: 1 hour")))
    (pair,) = outranked.pairs
    assert (pair.one, pair.other, pair.customers, pair.one_held, pair.one_lost) == ("offer", "thanks", 1, 1, 0)
    capped = engine.conflicts("offer", playbook(ONE_A_WEEK))
    (pair,) = capped.pairs
    assert (pair.one_held, pair.one_lost, pair.other_held) == (1, 1, 0), "Ann's were held back by its own"
    assert capped.table().column_names[0] == "one"
    assert "offer" in capped._repr_html_()
    assert engine.conflicts("banner").pairs == ()
