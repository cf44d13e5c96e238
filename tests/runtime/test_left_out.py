"""What of accepted lines was not taken up is told with the answer, by kind and by name."""

from __future__ import annotations

import pytest

from onevoice.engine import duplicates, groups, names
from onevoice.engine import state as at
from onevoice.events.batch import OTHER_NAMES, UNKNOWN_NAMES_MAX
from onevoice.playbook.model import (
    Aggregate,
    Cap,
    EventMatch,
    EventType,
    FieldType,
    Group,
    Identifier,
    Measure,
    Period,
    Playbook,
    Policies,
)

from .cases import opened

BOUGHT = EventType("bought", {"amount": FieldType.NUMBER, "shop": FieldType.CHOICE, "place": FieldType.KEY})
PLAYBOOK = Playbook(
    "shop",
    identifiers={
        "user_id": Identifier("user_id", unique=True),
        "email": Identifier("email", format="email", at_most=1),
    },
    events={"bought": BOUGHT},
    groups={"crowd": Group("crowd", "place")},
    policies=Policies(caps=(Cap(1, period=Period.DAY, group="crowd"),)),
    measures={
        name: Measure(name, aggregate, EventMatch("bought"), "amount")
        for name, aggregate in (("spent", Aggregate.SUM), ("most", Aggregate.MAX))
    },
)
ADA, BOB = {"user_id": "ada", "email": "ada@x.lt"}, {"user_id": "bob", "email": "bob@x.lt"}


def bought(who, **more):
    return {"type": "bought", "identifiers": who, **more}


def filled(engine):
    """Bring an engine that knows Ada and Bob to the limit of ids for the day, and of a crowd."""
    engine.ingest([bought(ADA, fields={"place": "square"}), bought(BOB, id="a")])
    state = engine._writer.fold.machine.state
    state.scalars[at.IDS_TODAY] = duplicates.IDS_A_DAY_MAX
    state.groups[0, at.G_COUNT] = groups.MEMBERS_MAX


CASES = {
    "refused joins": [bought({"user_id": "ada", "email": "bob@x.lt"})],
    "refused identifiers": [bought({"user_id": "ada", "email": "eve@x.lt"})],
    "ids not kept": [bought(ADA, id="b")],
    "names not kept": [bought(ADA, fields={"shop": "Vilnius"})],
    "values not summed": [bought(ADA, fields={"amount": -(2.0**39)})],
    "members not kept": [bought(BOB, fields={"place": "square"})],
    "unknown decisions": [{"type": "offer_clicked", "identifiers": ADA, "fields": {"decision": 5}}],
    "unknown contacts": [{"type": "contact_failed", "identifiers": ADA, "fields": {"contact": 5}}],
    "control events without effect": [{"type": "campaign_paused", "fields": {"everything": False}}],
    "invalid email": [bought({"user_id": "ada", "email": "nobody"})],
    "empty email": [bought({"user_id": "ada", "email": " "})],
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_left_out_is_told_once(kind, monkeypatch):
    assert set(at.LEFT_OUT) < set(CASES)
    with opened(PLAYBOOK) as engine:
        filled(engine)
        monkeypatch.setattr(names, "NAMES_MAX", len(engine._writer.fold.machine.names.texts))
        found = engine.ingest(CASES[kind])
        assert (found.accepted, found.left_out) == (1, {kind: 1})
        assert engine.ingest([bought(ADA)]).left_out == {}


@pytest.mark.parametrize(
    ("mistake", "count"),
    [
        ({"type": ""}, 0),
        ({"time": "yesterday"}, 0),
        ({"id": 1.5}, 0),
        ({"source": 1}, 0),
        ({"identifiers": {"email": "nobody", "fax": "1"}}, 0),
        ({"identifiers": {"email": "nobody"}}, 1),
        ({"fields": {"amount": "much"}}, 1),
    ],
)
def test_a_rejected_line_tells_of_identifiers_if_it_was_read_so_far(mistake, count):
    with opened(PLAYBOOK) as engine:
        found = engine.ingest([bought({"user_id": "ada", "email": "nobody"}) | mistake])
        assert (found.rejected_count, found.left_out.total()) == (1, count)


def test_what_is_left_out_adds_up_over_pieces():
    kinds = ("refused joins", "ids not kept", "values not summed")
    with opened(PLAYBOOK, piece_lines=2) as engine:
        filled(engine)
        found = engine.ingest([line for kind in kinds for line in CASES[kind]] * 3)
        assert (found.accepted, found.left_out) == (9, dict.fromkeys(kinds, 3))


def test_only_a_sum_leaves_out_a_value_that_is_too_great():
    with opened(PLAYBOOK) as engine:
        amounts = (2.0**39 - 1, 2.0**39, 1e300, 5)
        found = engine.ingest([bought(ADA, fields={"amount": amount}) for amount in amounts])
        assert found.left_out == {"values not summed": 2}
        assert engine.state(ADA).measures == {"spent": 2.0**39 + 4, "most": 1e300}


def test_names_that_the_playbook_does_not_declare_are_told():
    odd = {"fields": {"colour": "red"}, "traits": {"tier": 1}, "source": "till", "colour": 1}
    with opened(PLAYBOOK) as engine:
        found = engine.ingest([bought(ADA, **odd), bought(BOB, fields={"colour": 1}), bought({}, **odd)])
        assert (found.accepted, found.rejected_count, found.unknown_types) == (2, 1, {})
        assert found.unknown_names == {"bought.colour": 2, "traits.tier": 1, "source till": 1, "$.colour": 1}
        assert engine.ingest([{"type": "boght", "source": "till"}]).unknown_names == {"source till": 1}


def test_unknown_names_beyond_the_limit_are_counted_together():
    types = [{"type": f"x{i}"} for i in range(UNKNOWN_NAMES_MAX // 2 + 3)]
    fields = [bought(ADA, fields={f"y{i}": 1}) for i in range(UNKNOWN_NAMES_MAX)]
    with opened(PLAYBOOK) as engine:
        found = engine.ingest([*types, *fields, *types])
        assert found.unknown_names.total() == len(fields)
        assert found.unknown_types.total() == 2 * len(types)
        assert found.unknown_names[OTHER_NAMES] == len(types)
