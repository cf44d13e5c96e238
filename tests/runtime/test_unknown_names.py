"""What names nothing that the playbook has does nothing, stays in the journal, and is told with the answer."""

from __future__ import annotations

import pyarrow as pa
import pytest

from onevoice.playbook.model import (
    Campaign,
    CampaignClass,
    Channel,
    EventType,
    FieldType,
    Identifier,
    Offer,
    Placement,
    Playbook,
    Policies,
    Resource,
    Trait,
    Trigger,
    TriggerKind,
)

from .cases import opened, outcome

ADA = {"user_id": "ada"}
START = 1_772_000_000_000_000  # in February 2026
VERBS = ("paused", "stopped", "resumed")
PLAYBOOK = Playbook(
    "shop",
    identifiers={"user_id": Identifier("user_id", unique=True)},
    traits={
        "tier": Trait("tier", FieldType.CHOICE),
        "zone": Trait("zone", FieldType.CHOICE, "time_zone"),
        "way": Trait("way", FieldType.CHOICE, "channel"),
    },
    events={"visit": EventType("visit")},
    offers={"case": Offer("case")},
    campaigns={
        "tips": Campaign("tips", "sales", Trigger(TriggerKind.EVENT, "visit"), send=("mail",), offers=("case",)),
        "banner": Campaign("banner", "sales", Trigger(TriggerKind.ASKED), placements=("home",)),
    },
    policies=Policies(classes={"sales": CampaignClass("sales")}),
    placements={"home": Placement("home")},
    channels={"mail": Channel("mail")},
    resources={"crates": Resource("crates", stock=5)},
    time_zone="Europe/Vilnius",
)
# Fields of a control event that says nothing known, and the names that are told of it.
NOTHING = [
    ({}, {}),
    ({"everything": False}, {}),
    ({"reason": "the price is wrong"}, {}),
    ({"campain": "tips"}, {".campain": 1}),
    ({"campaign": "tpis"}, {"campaign tpis": 1}),
    ({"class": "saels"}, {"class saels": 1}),
    ({"campaign": "tpis", "class": "sales"}, {"campaign tpis": 1}),
    ({"campaign": "tpis", "everything": True}, {"campaign tpis": 1}),
]
# Events of Ada in which something is looked up that is not there.
STRANGE = [
    ("contact_reported", {"campaign": "tpis"}, {"campaign tpis": 1}),
    ("contact_reported", {"class": "saels"}, {"class saels": 1}),
    ("contact_reported", {"channel": "mial"}, {"channel mial": 1}),
    ("contact_reported", {"offer": "caes"}, {"offer caes": 1}),
    ("contact_reported", {"campaign": "tips", "class": "sales", "channel": "mail", "offer": "case"}, {}),
    ("asked", {"placement": "hoem"}, {"placement hoem": 1}),
    ("offer_accepted", {"offer": "caes", "campaign": "baner"}, {"offer caes": 1, "campaign baner": 1}),
    ("consent_given", {"channel": "mial"}, {"channel mial": 1}),
    ("consent_withdrawn", {"channel": "mail", "purpose": "anything"}, {}),
]


def turned(verb, fields):
    return {"type": f"campaign_{verb}", "fields": fields}


def table(*events):
    return pa.Table.from_pylist(events)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("fields", "names"), NOTHING)
def test_a_control_event_that_says_nothing_known_turns_nothing_and_is_told(verb, fields, names, tmp_path):
    with opened(PLAYBOOK, tmp_path / "data") as engine:
        engine.ingest([turned("paused", {"campaign": "banner"})], time=START)
        found = engine.ingest([turned(verb, fields)], time=START)
        assert (found.accepted, found.left_out) == (1, {"control events without effect": 1})
        assert found.unknown_names == {
            f"campaign_{verb}{name}" if name[0] == "." else name: count for name, count in names.items()
        }
        went = engine.ingest([{"type": "visit", "identifiers": ADA}], time=START)
        assert [line.campaign for decision in went.decisions for line in decision.won] == ["tips"]
        assert engine.decide("home", ADA).won == ()  # it is paused still
        assert engine.position == 4  # nothing is lost of the journal
        before = outcome(engine)
    with opened(PLAYBOOK, tmp_path / "data") as engine:
        assert outcome(engine) == before


def test_everything_is_turned_where_it_is_said():
    with opened(PLAYBOOK) as engine:
        found = engine.ingest([turned("paused", {"everything": True})], time=START)
        assert (found.left_out, found.unknown_names) == ({}, {})
        assert not engine.ingest([{"type": "visit", "identifiers": ADA}], time=START).decisions[0].won
        assert engine.resume(everything=True).woken == 1


def test_pausing_everything_by_a_call_says_so_in_the_journal():
    with opened(PLAYBOOK) as engine:
        engine.pause(everything=True, by="ann")
        (written,) = [row.payload for row in engine._journal.read() if b"campaign_paused" in row.payload]
        assert written == b'{"type":"campaign_paused","fields":{"everything":true,"by":"ann"}}\n'


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"resource": "crates"}, {}),
        ({"resource": "crates", "left": 2.0**39}, {}),
        ({"left": 3}, {}),
        ({"resource": "craets", "left": 3}, {"resource craets": 1}),
        ({"resuorce": "crates", "left": 3}, {"resource_set.resuorce": 1}),
    ],
)
def test_a_resource_that_is_not_known_or_of_which_nothing_is_said_is_told(fields, names):
    with opened(PLAYBOOK) as engine:
        found = engine.ingest([{"type": "resource_set", "fields": fields}])
        assert (found.left_out, found.unknown_names) == ({"control events without effect": 1}, names)
        assert not engine.ingest([{"type": "resource_set", "fields": {"resource": "crates", "left": 3}}]).left_out


@pytest.mark.parametrize("form", [list, table], ids=["lines", "table"])
@pytest.mark.parametrize(("kind", "fields", "names"), STRANGE)
def test_names_that_are_looked_up_and_not_there_are_told(kind, fields, names, form):
    event = {"type": kind, "identifiers": ADA, "fields": fields}
    with opened(PLAYBOOK) as engine:
        found = engine.ingest([event] if form is list else form(event))
        assert (found.accepted, found.unknown_names, found.left_out) == (1, names, {})


@pytest.mark.parametrize("kind", ["contact_sent", "contact_failed", "contact_seen"])
@pytest.mark.parametrize("number", [None, 0.5, -1, 1, 7])
def test_a_receipt_for_no_contact_of_the_customer_is_told(kind, number):
    fields = {} if number is None else {"contact": number}
    with opened(PLAYBOOK) as engine:
        engine.ingest([{"type": "visit", "identifiers": who} for who in (ADA, {"user_id": "bob"})], time=START)
        found = engine.ingest([{"type": kind, "identifiers": ADA, "fields": fields}], time=START)
        assert (found.accepted, found.left_out) == (1, {"unknown contacts": 1})
        own = [{"type": kind, "identifiers": ADA, "fields": {"contact": 0}}] * 2
        assert engine.ingest(own, time=START).left_out == {}


@pytest.mark.parametrize("form", [list, table], ids=["lines", "table"])
def test_a_trait_that_names_no_time_zone_or_channel_is_told_and_kept_as_a_value(form):
    event = {"type": "visit", "identifiers": ADA}
    good = event | {"traits": {"zone": "Asia/Tokyo", "way": "mail", "tier": "gold"}}
    bad = event | {"traits": {"zone": "Europe/Vilnus", "way": "mial", "tier": "glod"}}
    with opened(PLAYBOOK) as engine:
        assert engine.ingest([good] if form is list else form(good)).unknown_names == {}
        assert engine.customers_table()["time_zone"].to_pylist() == ["Asia/Tokyo"]
        found = engine.ingest([bad] if form is list else form(bad))
        assert found.unknown_names == {"time zone Europe/Vilnus": 1, "channel mial": 1}
        assert engine.customers_table()["time_zone"].to_pylist() == ["Europe/Vilnius"]  # the company's
        assert engine.state(ADA).traits["zone"] == "Europe/Vilnus"


def test_what_names_nothing_is_told_alike_live_and_imported():
    events = [turned("paused", fields) for fields, _ in NOTHING]
    events += [{"type": kind, "identifiers": ADA, "fields": fields} for kind, fields, _ in STRANGE]
    events = [event | {"time": "2026-02-25T06:00:00Z"} for event in events]
    with opened(PLAYBOOK) as live, opened(PLAYBOOK, piece_lines=3) as imported:
        one, other = live.ingest(events, time=START), imported.ingest(events, time=START, imported=True)
        assert (one.unknown_names, one.left_out) == (other.unknown_names, other.left_out)
        assert one.left_out == {"control events without effect": len(NOTHING)}
        assert one.unknown_names["campaign tpis"] == 4
