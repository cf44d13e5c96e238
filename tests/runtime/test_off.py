"""What is off now: since when, by whom and why, as the journal has it, against every control event read in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import onevoice
from onevoice.playbook.load import load_files

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAYBOOK = """
playbook: shop
identifiers: {email: {format: email}}
events: {seen: {}, restocked: {about: product}}
campaigns:
  tips: {class: sales, when: event seen, after: 2 days, at_most: 1, send: [mail]}
  news: {class: service, when: event seen, after: 2 days, send: [mail]}
policies: {classes: {sales: {}, service: {}}}
"""


def opened(data=None, text=PLAYBOOK):
    return onevoice.open(load_files({"playbook.yaml": text.encode()}), data)


def seen(*names):
    return [{"type": "seen", "identifiers": {"email": f"{name}@example.org"}} for name in names]


def off(engine):
    return [
        (each.what, each.name, each.state, each.since, each.by, each.reason, each.limit, each.waiting)
        for each in engine.report().off
    ]


@pytest.fixture
def engine():
    with opened() as found:
        found.ingest(seen("ann", "bob"), time=START)
        yield found


def test_where_nothing_is_off_nothing_is_told_or_read(engine, monkeypatch):
    engine.pause("news", time=START + HOUR)
    engine.resume("news", time=START + HOUR)
    monkeypatch.setattr("onevoice.runtime.off.switching", None)
    assert off(engine) == []


def test_each_switch_that_is_off_is_told_with_who_did_it_and_why(engine):
    engine.pause("tips", reason="wrong price", by="ann", time=START + HOUR)
    engine.pause(klass="service", by="bob", time=START + 2 * HOUR)
    engine.stop(everything=True, reason="the recall", time=START + 3 * HOUR)
    assert off(engine) == [
        ("campaign", "tips", "paused", START + HOUR, "ann", "wrong price", "", 0),
        ("class", "service", "paused", START + 2 * HOUR, "bob", "", "", 0),
        ("all", "", "stopped", START + 3 * HOUR, "", "the recall", "", 0),
    ]


def test_what_waits_is_counted_with_it(engine):
    engine.pause("tips", time=START + HOUR)
    engine.pause(klass="service", time=START + HOUR)
    assert [each.waiting for each in engine.report().off] == [2, 2]


def test_the_last_that_was_said_counts(engine):
    for by, verb in (("ann", engine.pause), ("bob", engine.resume), ("eve", engine.pause), ("joe", engine.stop)):
        verb("tips", by=by, time=engine.now + HOUR)
    assert off(engine) == [("campaign", "tips", "stopped", START + 4 * HOUR, "joe", "", "", 0)]


def test_a_campaign_that_paused_itself_has_its_limit_for_a_reason(engine):
    engine.pause("tips", by="ann", time=START + HOUR)
    engine.resume("tips", by="bob", time=START + 2 * HOUR)
    engine.tick(START + timedelta(days=3))
    assert off(engine) == [("campaign", "tips", "paused", START + timedelta(days=2), "", "", "at_most", 1)]
    engine.pause("tips", by="ann", time=START + timedelta(days=4))
    assert off(engine) == [("campaign", "tips", "paused", START + timedelta(days=4), "ann", "", "", 1)]


def test_a_control_event_that_came_twice_did_nothing_and_is_not_the_last_word(engine):
    twice = {"type": "campaign_paused", "id": "p-1", "fields": {"campaign": "tips", "by": "ann"}}
    engine.ingest([twice], time=START + HOUR)
    engine.resume("tips", time=START + 2 * HOUR)
    engine.stop("tips", by="bob", time=START + 3 * HOUR)
    assert engine.ingest([twice], time=START + 4 * HOUR).duplicates == 1
    assert off(engine) == [("campaign", "tips", "stopped", START + 3 * HOUR, "bob", "", "", 0)]


def test_it_is_found_behind_many_lines_of_nobody_and_after_a_restart(tmp_path):
    with opened(tmp_path) as engine:
        engine.ingest(seen("ann"), time=START)
        engine.pause("news", reason="wrong link", by="ann", time=START + HOUR)
        engine.ingest([{"type": "restocked", "fields": {"product": f"p-{n}"}} for n in range(300)], time=START + HOUR)
        expected = [("campaign", "news", "paused", START + HOUR, "ann", "wrong link", "", 1)]
        assert off(engine) == expected
    with onevoice.open(data_dir=tmp_path) as engine:
        assert off(engine) == expected


def test_a_campaign_that_comes_back_is_off_as_it_was_said(engine):
    engine.pause("news", by="ann", time=START + HOUR)
    without = PLAYBOOK.replace("news: {class", "other: {class")
    engine.publish(load_files({"playbook.yaml": without.encode()}))
    assert off(engine) == []
    engine.publish(load_files({"playbook.yaml": PLAYBOOK.encode()}))
    assert [each[1:5] for each in off(engine)] == [("news", "paused", START + HOUR, "ann")]


def test_events_are_the_lines_that_could_be_read(engine):
    broken = {"type": "seen", "identifiers": {"email": "ann@example.org"}, "time": "nonsense"}
    stranger = {"type": "no_such_type", "identifiers": {"email": "ann@example.org"}}
    taken = engine.ingest([broken, stranger, *seen("ann")], time=START + HOUR)
    assert (taken.lines, taken.rejected_count) == (3, 1)
    engine.pause("news", time=START + HOUR)
    report = engine.report()
    assert (report.lines, report.events) == (6, 5)


def test_what_is_stopped_is_not_paused_for_that_would_weaken_it(engine):
    engine.stop("news", by="ann", time=START + HOUR)
    lines = engine.position
    with pytest.raises(onevoice.EventError, match=r"pause: news is stopped, which a pause would weaken; .* resume it"):
        engine.pause("news", time=START + HOUR)
    assert engine.position == lines
    engine.ingest(seen("eve"), time=START + HOUR)
    assert [each.waiting for each in engine.report().off] == [0]
    engine.resume("news", time=START + HOUR)
    engine.pause("news", time=START + HOUR)
    engine.ingest(seen("joe"), time=START + HOUR)
    assert [each.waiting for each in engine.report().off] == [1]


def test_another_switch_that_is_stopped_hinders_no_pause(engine):
    engine.stop(klass="service", time=START + HOUR)
    assert engine.pause("news", time=START + HOUR).was == "on"
    assert engine.pause(everything=True, time=START + HOUR).was == "on"


def test_a_pause_answers_who_did_it_and_why(engine):
    done = engine.pause("news", reason="wrong link", by="ann", time=START + HOUR)
    assert (done.reason, done.by) == ("wrong link", "ann")


@pytest.mark.parametrize("said", [{}, {"everything": False, "by": "bob"}, {"campaign": "nobody", "by": "bob"}])
def test_what_named_nothing_did_nothing(engine, said):
    engine.stop(everything=True, reason="the recall", by="ann", time=START + HOUR)
    for kind in ("campaign_paused", "campaign_resumed"):
        engine.ingest([{"type": kind, "fields": said}], time=START + 2 * HOUR)
    assert off(engine)[-1] == ("all", "", "stopped", START + HOUR, "ann", "the recall", "", 0)
