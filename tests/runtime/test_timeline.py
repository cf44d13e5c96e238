"""A customer folded alone is the customer folded among all; and what was true is told from when until when."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

import onevoice
from onevoice.cli.shown import timeline_text, why_text
from onevoice.playbook.load import load_files
from onevoice.runtime import customer as customers
from onevoice.runtime.explain import watched

from .cases import drawn, opened, take

SEEDS = range(12)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLAYBOOK = b"""
playbook: shop
identifiers: {email: {}, phone: {}, cookie: {anonymous: true}}
events:
  order: {fields: {order_id: key, amount: number, product: choice}}
  case_opened: {fields: {case_id: key}}
  case_resolved: {fields: {case_id: key}}
facts:
  open_case: {opens: case_opened, closes: case_resolved, per: case_id}
  bought: {opens: order, per: product, lasts: 14 days}
measures:
  spend: sum of order.amount over 64 days
segments:
  regular: spend > 100
campaigns:
  thanks: {class: service, priority: 1, when: event order, send: [mail]}
policies: {classes: {service: {}}}
channels: {mail: {}}
"""


def known(fold, number):
    """What is known of a customer, but for their number, what waits, and the texts of keys."""
    view = customers.view(fold, number)
    facts = {name: [(each.since, each.until) for each in found] for name, found in view.facts.items()}
    moments = {name: sorted((each.done, each.due) for each in found) for name, found in view.moments.items()}
    contacts = sorted((each.time, each.campaign, each.channel) for each in view.contacts)
    facts = {name: sorted(found, key=repr) for name, found in facts.items()}
    return view.time, view.identifiers, view.traits, facts, view.measures, view.segments, moments, contacts


def decided(engine, among):
    return engine._recorded.decisions(among, engine._recorded.start())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_customer_folded_alone_is_the_same(seed):
    playbook, batches = drawn(seed)
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    fold = engine._writer.fold
    for number in np.unique(customers.survivors(fold.machine.state)).tolist():
        seen = watched(engine._journal, fold, number, lambda among: decided(engine, among))
        assert known(seen.watch.fold, seen.customer) == known(fold, number), f"seed {seed}, customer {number}"


@pytest.fixture
def engine():
    with onevoice.open(load_files({"playbook.yaml": PLAYBOOK})) as engine:
        yield engine


def event(kind, email="ann@x.org", **fields):
    return {"type": kind, "identifiers": {"email": email}, "fields": fields}


def bands(engine, name, email="ann@x.org"):
    """Since and until of what has this name, in days after Monday."""
    found = [band for band in engine.timeline({"email": email}).bands if band.name == name]
    return [(days(band.since), days(band.until)) for band in found]


def days(time):
    return None if time is None else (time - MONDAY) / timedelta(days=1)


def ingest(engine, day, *events):
    engine.ingest(list(events), time=MONDAY + timedelta(days=day))


def test_a_fact_holds_from_its_opening_to_its_closing(engine):
    ingest(engine, 0, event("case_opened", case_id="c1"))
    ingest(engine, 1, event("case_opened", case_id="c2"))
    ingest(engine, 3, event("case_resolved", case_id="c1"))
    engine.tick(MONDAY + timedelta(days=5))
    assert bands(engine, "open_case") == [(0, 3), (1, None)]


def test_a_fact_is_told_by_its_key_as_it_was_sent(engine):
    ingest(engine, 0, event("case_opened", case_id="c1"))
    ingest(engine, 1, event("case_opened", case_id="c2"))
    ingest(engine, 2, event("case_resolved", case_id="c1"))
    found = engine.timeline({"email": "ann@x.org"}).bands
    assert [band.key for band in found if band.name == "open_case"] == ["c1", "c2"]


def test_data_of_another_playbook_is_told_of(tmp_path, caplog):
    for name in ("shop", "shop", "bank"):
        text = PLAYBOOK.replace(b"playbook: shop", b"playbook: " + name.encode())
        onevoice.open(load_files({"playbook.yaml": text}), tmp_path).close()
    told = [each.getMessage() for each in caplog.records if "of playbook" in each.getMessage()]
    assert told == ["the data was that of playbook shop; from here on bank decides over all of it"]


def test_data_of_another_version_of_a_playbook_is_told_of_with_the_files_that_differ(tmp_path, caplog):
    folder = tmp_path / "shop"
    folder.mkdir()
    for file, text in (("playbook.yaml", PLAYBOOK), ("playbook.yaml", PLAYBOOK), ("more.yaml", b"sources: {till: {}}")):
        (folder / file).write_bytes(text)
        onevoice.open(folder, tmp_path / "data").close()
    with onevoice.open(data_dir=tmp_path / "data") as engine:
        engine.publish(load_files({"playbook.yaml": PLAYBOOK}))  # by a call it is no surprise
    onevoice.open(folder, tmp_path / "data").close()
    told = [each.getMessage() for each in caplog.records if "playbook" in each.getMessage()]
    tail = "from here on it decides over all of the data as it is now"
    assert told == [f"playbook shop has changed (more.yaml); {tail}", f"playbook shop has changed; {tail}"]


def test_a_fact_that_lasts_ends_by_itself_and_is_prolonged_while_it_holds(engine):
    ingest(engine, 0, event("order", product="tea"))
    ingest(engine, 7, event("order", product="tea"))
    ingest(engine, 40, event("order", product="tea"))
    assert bands(engine, "bought") == [(0, 21), (40, 54)]


def test_a_segment_is_left_at_the_instant_at_which_time_ends_it(engine):
    ingest(engine, 0, event("order", amount=150))
    engine.tick(MONDAY + timedelta(days=100))
    ((since, until),) = bands(engine, "regular")
    assert since == 0
    assert 62 < until <= 64  # a pane is a 64th of the window


def test_a_late_event_is_told_from_when_it_occurred(engine):
    opening = event("case_opened", case_id="c1") | {"time": MONDAY.isoformat()}
    ingest(engine, 2, opening)
    assert bands(engine, "open_case") == [(0, None)]


def test_two_profiles_that_turn_out_to_be_one_have_one_history(engine):
    ingest(engine, 0, event("case_opened", case_id="c1"))
    ingest(engine, 1, event("case_opened", email="ann@work.org", case_id="c2"))
    ingest(engine, 2, event("case_opened", email="bob@x.org", case_id="c3"))
    both = {"type": "order", "identifiers": {"email": "ann@x.org", "phone": "1"}, "fields": {"amount": 1}}
    other = {"type": "order", "identifiers": {"email": "ann@work.org", "phone": "1"}, "fields": {"amount": 2}}
    ingest(engine, 3, both, other)
    assert bands(engine, "open_case") == [(0, None), (1, None)]
    timeline = engine.timeline({"email": "ann@work.org"})
    assert [each.fields for each in timeline.events] == [
        {"case_id": "c1"},
        {"case_id": "c2"},
        {"amount": 1},
        {"amount": 2},
    ]
    assert [line.campaign for decision in timeline.decisions for line in decision.won] == ["thanks", "thanks"]


def test_what_a_visitor_did_before_the_login_is_theirs_after_it(engine):
    ingest(engine, 0, {"type": "order", "identifiers": {"cookie": "k"}, "fields": {"amount": 150}})
    ingest(engine, 1, {"type": "order", "identifiers": {"cookie": "k", "email": "ann@x.org"}, "fields": {"amount": 1}})
    ingest(engine, 2, {"type": "order", "identifiers": {"cookie": "k", "email": "bob@x.org"}, "fields": {"amount": 2}})
    assert [each.fields["amount"] for each in engine.timeline({"email": "ann@x.org"}).events] == [150, 1]
    assert [each.fields["amount"] for each in engine.timeline({"email": "bob@x.org"}).events] == [2]


def test_an_event_from_a_table_looks_as_it_would_in_json(engine):
    table = pa.Table.from_pylist([event("order", amount=1.5, order_id="o", product=None)])
    engine.ingest(table, time=MONDAY)
    (found,) = engine.timeline({"email": "ann@x.org"}).events
    assert found.fields == {"amount": 1.5, "order_id": "o"}


def test_nobody_has_no_timeline(engine):
    ingest(engine, 0, event("order", amount=1))
    assert engine.timeline({"email": "none@x.org"}) is None
    assert engine.timeline(7) is None


def test_contacts_made_under_another_playbook_count_in_the_history(engine):
    ingest(engine, 0, event("order", amount=1))
    engine.publish(load_files({"playbook.yaml": PLAYBOOK.replace(b"  thanks:", b"  thank_you:")}))
    ingest(engine, 1, event("order", amount=2))
    decisions = engine.timeline({"email": "ann@x.org"}).decisions
    assert [line.campaign for decision in decisions for line in decision.won] == ["thanks", "thank_you"]


CAPPED = """
playbook: shop
identifiers: {email: {format: email}}
events: {seen: {}}
campaigns:
  tips: {class: sales, when: event seen, send: [mail], valid_for: 9 days}
  news: {class: sales, priority: 9, when: event seen, send: [mail]}
policies: {classes: {sales: {}}, caps: [{max: 1, per: day}]}
"""


def test_between_two_decisions_stands_that_the_playbook_changed():
    ann, other = {"email": "ann@example.org"}, {"email": "bob@example.org"}
    with onevoice.open(load_files({"playbook.yaml": CAPPED.encode()})) as engine:
        engine.ingest([{"type": "seen", "identifiers": each} for each in (ann, other)], time=MONDAY)
        engine.split(ann, other)  # which publishes the same playbook
        engine.publish(load_files({"playbook.yaml": CAPPED.replace("max: 1", "max: 2").encode()}))
        engine.tick(MONDAY)
        timeline = engine.timeline(ann)
        _, capped, goes_out = timeline.decisions
        assert [[line.reason for line in each.lines] for each in (capped, goes_out)] == [["cap"], ["won"]]
        assert [(each.time, each.decision) for each in timeline.changes] == [(goes_out.time, goes_out.number)]
        assert [each.changed for each in engine.why(ann, last=2)] == [False, True]
        assert [each.changed for each in engine.why(ann)] == [False]
        shown = io.StringIO()
        Console(file=shown, width=120).print(*timeline_text(timeline, 0))
        told = " | ".join(line.strip() for line in shown.getvalue().splitlines())
        assert told.index("tips: cap") < told.index("◆  playbook changed") < told.rindex("●  tips")
        assert "playbook changed\n" in "\n".join(map(str, why_text(engine.why(ann, last=2)[1])))
