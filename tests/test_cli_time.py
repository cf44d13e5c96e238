"""Verbs that act on a journal of history: no time passes that nobody asked to let pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import onevoice

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}}
events: {order: {}}
campaigns:
  tips: {class: sales, when: event order, after: 2 days, valid_for: 90 days, send: [mail]}
  news: {class: sales, when: event order, after: 30 days, valid_for: 90 days, send: [mail]}
  banner: {class: sales, when: asked, placements: [home]}
placements: {home: {}}
policies: {classes: {sales: {}}, caps: [{max: 2, per: day}]}
channels: {mail: {address: email}}
"""
ORDER = {"type": "order", "time": "2026-03-02T09:00:00Z", "identifiers": {"email": "ann@x.org"}}
CLOCK = "2026-03-02T11:00:00+02:00"
VERBS = ("pause", "resume", "stop", "decide")


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "playbook.yaml").write_text(PLAYBOOK, "utf-8")
    return tmp_path / "shop"


@pytest.fixture
def history(tmp_path, shop):
    """A journal of March 2026, imported today."""
    events = tmp_path / "events.ndjson"
    events.write_text(json.dumps(ORDER), "utf-8")
    with onevoice.open(shop, tmp_path / "data") as engine:
        engine.run([events])
    return tmp_path / "data"


def acting(verb, shop, data):
    """Return the command of a verb."""
    if verb == "decide":
        return (verb, shop, "--data", data, "--placement", "home", "-i", "email=ann@x.org")
    return (verb, "--all", "--data", data)


def decided(data):
    with onevoice.open(data_dir=data) as engine:
        return engine.now, [line.campaign for made in engine.decisions() for line in made.won if made.kind == "round"]


@pytest.mark.parametrize("verb", VERBS)
def test_on_a_journal_of_history_a_verb_asks_when(call, shop, history, verb):
    before = decided(history)
    (shop / "playbook.yaml").write_text(PLAYBOOK.replace("90 days", "80 days"), "utf-8")
    code, out, err = call(*acting(verb, shop, history))
    assert (code, out) == (1, "")
    days = (datetime.now(UTC) - datetime.fromisoformat(CLOCK)).days
    assert err.startswith(f"error: {verb}: the journal stands at 02 Mar 2026 11:00, {days} days ago; `--at {CLOCK}` to")
    assert f"`--at now` to let the {days} days pass first" in err
    assert decided(history) == before
    with onevoice.open(data_dir=history) as engine:
        assert engine.playbook.campaigns["news"].valid_for_us == 90 * 86_400_000_000


@pytest.mark.parametrize("verb", VERBS)
def test_at_the_journals_clock_no_time_passes(call, shop, history, verb):
    assert call(*acting(verb, shop, history), "--at", CLOCK)[0] == 0
    assert decided(history) == (datetime.fromisoformat(CLOCK), [])
    assert call(*acting("resume", shop, history))[0] == 1, "it is a journal of history still"


@pytest.mark.parametrize("verb", VERBS)
def test_at_an_instant_what_is_due_by_then_is_done_first(call, shop, history, verb):
    assert call(*acting(verb, shop, history), "--at", "2026-03-06T12:00")[0] == 0
    assert decided(history) == (datetime(2026, 3, 6, 10, tzinfo=UTC), ["tips"])


def test_what_waits_at_an_instant_is_counted_there(call, shop, history):
    _, out, _ = call("stop", "--all", "--data", history, "--at", "2026-03-06T12:00")
    assert out == "everything: stopped; 1 wish that waited ended\n"
    assert decided(history)[1] == ["tips"]


@pytest.mark.parametrize("verb", VERBS)
def test_at_now_all_that_is_due_by_now_is_done(call, shop, history, verb):
    assert call(*acting(verb, shop, history), "--at", "now")[0] == 0
    now, sent = decided(history)
    assert now > datetime.now(UTC) - timedelta(hours=1)
    assert sent == ["tips", "news"]


@pytest.mark.parametrize("given", ["2026-03-02T10:59", "2199-01-01", "yesterday"])
def test_a_time_at_which_nothing_can_be_done_is_refused(call, shop, history, given):
    before = decided(history)
    code, _, err = call("pause", "--all", "--data", history, "--at", given)
    assert code == 1
    assert err.startswith("error: --at: not a time")
    assert f"found '{given}'" in err
    assert decided(history) == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_journal_that_is_live_acts_now(call, shop, tmp_path, verb):
    with onevoice.open(shop, tmp_path / "data") as engine:
        engine.ingest([{"type": "order", "identifiers": {"email": "ann@x.org"}}])
    assert call(*acting(verb, shop, tmp_path / "data"))[0] == 0


RESUMED = {
    "what is on": ((), "tips: was neither paused nor stopped; a new run of it begins", "on", ""),
    "what was paused": ([("pause", "tips")], "tips: resumed; 0 held wishes looked at again", "paused", ""),
    "what was stopped": ([("stop", "tips")], "tips: resumed; 0 held wishes looked at again", "stopped", ""),
    "what its class holds": (
        [("stop", "--class", "sales")],
        "tips: was neither paused nor stopped; its class is paused or stopped still; a new run of it begins",
        "on",
        "class",
    ),
    "what all holds, too": (
        [("pause", "tips"), ("pause", "--all")],
        "tips: resumed; 0 held wishes looked at again; everything is paused or stopped still",
        "paused",
        "all",
    ),
}


@pytest.mark.parametrize("what", RESUMED)
def test_a_resumption_says_what_was_off_before_and_what_still_is(call, history, what):
    before, said, was, off = RESUMED[what]
    for verb, *named in before:
        call(verb, *named, "--data", history, "--at", CLOCK)
    with onevoice.open(data_dir=history) as engine:
        done = engine.resume("tips", time=engine.now)
        assert (done.was, done.off) == (was, off)
    if before:
        call(*before[0], "--data", history, "--at", CLOCK)
    assert call("resume", "tips", "--data", history, "--at", CLOCK)[1] == f"{said}\n"


def test_of_a_class_and_of_everything_too_a_resumption_says_that_nothing_was_off(call, history):
    for named, said in ((("--class", "sales"), "class sales"), (("--all",), "everything")):
        out = call("resume", *named, "--data", history, "--at", CLOCK)[1]
        assert out == f"{said}: was neither paused nor stopped\n"


def test_in_python_a_time_is_the_calls_own(shop, history):
    with onevoice.open(shop, history) as engine:
        clock = engine.now
        assert engine.pause("tips", time=clock).waiting == 1
        assert engine.decide("home", {"email": "ann@x.org"}, time=clock).time == clock
        assert engine.resume("tips", time=clock - timedelta(days=1)).woken == 0  # time never falls
        assert engine.now == clock
        with pytest.raises(onevoice.EventError, match="time: not a time"):
            engine.pause("tips", time="now")
    with onevoice.open(shop, history) as engine:  # and is replayed so
        assert engine.now == clock
        replayed = engine.hash()
    for snapshot in (history / "snapshots").glob("*"):
        snapshot.unlink()
    with onevoice.open(shop, history) as engine:
        assert engine.hash() == replayed


@pytest.fixture
def live(tmp_path, shop):
    """A journal whose clock stands within a second, as a live one's does."""
    with onevoice.open(shop, tmp_path / "data") as engine:
        engine.ingest([ORDER | {"time": None}], time=datetime(2026, 3, 2, 9, 0, 0, 670_068, tzinfo=UTC))
    return tmp_path / "data"


def test_a_refusal_tells_times_to_the_second_and_what_it_tells_can_be_given(call, live):
    _, _, err = call("pause", "--all", "--data", live)
    assert f"`--at {CLOCK}` to pause there" in err
    _, _, err = call("pause", "--all", "--data", live, "--at", "2026-03-02T10:59")
    assert f"or a time from {CLOCK}, where the journal stands" in err
    assert call("pause", "--all", "--data", live, "--at", CLOCK)[0] == 0
    assert decided(live)[0].microsecond == 670_068


# Who did it, and why.


def test_a_pause_answers_who_and_why_and_a_report_keeps_it(call, history):
    given = ("--reason", "wrong [/price]", "--by", "ann", "--at", CLOCK)
    _, out, _ = call("pause", "tips", "--data", history, *given, "--json")
    assert (json.loads(out)["reason"], json.loads(out)["by"]) == ("wrong [/price]", "ann")
    _, out, _ = call("report", "--data", history)
    assert "nothing was decided yet" in out
    told = "tips paused 2026-03-02 11:00 ann wrong [/price] 1"
    assert told.split() in map(str.split, out.splitlines())
    _, out, _ = call("report", "--data", history, "--json")
    (off,) = json.loads(out)["off"]
    assert (off["name"], off["by"], off["reason"], off["waiting"]) == ("tips", "ann", "wrong [/price]", 1)
    call("report", "--data", history, "--html", history / "report.html")
    assert '"reason":"wrong [/price]"' in (history / "report.html").read_text("utf-8")


def test_a_report_says_how_many_of_the_lines_are_events(call, shop, tmp_path):
    lines = [ORDER, ORDER | {"time": "nonsense"}, ORDER | {"type": "unheard"}]
    (tmp_path / "three.ndjson").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    call("run", shop, tmp_path / "three.ndjson", "--data", tmp_path / "three")
    with onevoice.open(data_dir=tmp_path / "three") as engine:
        engine.tick(datetime(2026, 3, 5, tzinfo=UTC))
    assert "2 events of 3 lines, 1 customer, " in call("report", "--data", tmp_path / "three")[1]


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize("given", [(), ("tips", "--all"), ("tips", "--class", "sales")])
def test_not_one_thing_is_refused_in_the_words_of_the_command_line(call, history, verb, given):
    code, _, err = call(verb, *given, "--data", history, "--at", CLOCK)
    expected = f"a campaign, as `onevoice {verb} NAME`, or `--class NAME`, or `--all`"
    assert (code, err) == (1, f"error: {verb}: not one thing to {verb}; expected {expected}\n")


def test_a_field_that_is_no_pair_is_told_how_one_is_given(call, shop, history):
    _, _, err = call(*acting("decide", shop, history), "--field", "foo", "--at", CLOCK)
    assert err == "error: --field: not a pair; expected name=value, as in page=start; found 'foo'\n"
