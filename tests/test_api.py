"""The public interface: what its names are, and what each call promises."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import onevoice
from onevoice.events.built import encode_ndjson

TELECOM = Path(__file__).resolve().parents[1] / "examples" / "telecom"
NOW = datetime(2026, 2, 2, 10, tzinfo=UTC)
ADA = {"user_id": "ada"}


def event(kind, minutes=0, user="ada", **fields):
    time = NOW + timedelta(minutes=minutes)
    return {"type": kind, "time": time, "identifiers": {"user_id": user}, "fields": fields}


def us(time):
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.fixture
def clock():
    class Clock:
        now = us(NOW)

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def engine(clock):
    with onevoice.open(TELECOM, clock=clock) as opened:
        yield opened


def test_the_public_names_are_there_sorted_and_described():
    assert onevoice.__all__ == sorted(onevoice.__all__)
    for name in onevoice.__all__:
        assert inspect.getdoc(getattr(onevoice, name)), name
    with pytest.raises(AttributeError, match="no attribute 'Journal'"):
        _ = onevoice.Journal


def test_every_public_call_says_what_it_does():
    for name, member in inspect.getmembers(onevoice.Onevoice):
        if not name.startswith("_"):
            assert inspect.getdoc(member), name


def test_load_gives_the_playbook():
    assert onevoice.load(TELECOM).name == "telecom"


@pytest.mark.parametrize("given", [onevoice.load, onevoice.open])
def test_a_file_of_a_playbook_is_not_its_folder(given):
    with pytest.raises(onevoice.PlaybookError) as caught:
        given(TELECOM / "actions.yaml")
    (mistake,) = caught.value.mistakes
    assert (mistake.what, mistake.found) == ("not a folder", "a file")
    assert mistake.mend.endswith(f"`{TELECOM}`")


EVENTS = [
    event("store_visited"),
    event("order_placed", 1, order_id="o1", amount=12.5),
    event("store_visited", 2, "bob"),
]


@pytest.mark.parametrize("form", ["mappings", "bytes", "path", "text", "table", "batch", "parquet", "arrow", "gz"])
def test_events_come_in_any_form(engine, tmp_path, form):
    lines = encode_ndjson(EVENTS)
    table = pa.Table.from_pylist(EVENTS)
    forms = {
        "mappings": lambda: iter(EVENTS),
        "bytes": lambda: lines,
        "path": lambda: _written(tmp_path / "events.ndjson", lines),
        "text": lambda: str(_written(tmp_path / "events.ndjson", lines)),
        "table": lambda: table,
        "batch": lambda: table.to_batches()[0],
        "parquet": lambda: (pq.write_table(table, tmp_path / "events.parquet"), tmp_path / "events.parquet")[1],
        "arrow": lambda: (pyarrow.feather.write_feather(table, tmp_path / "e.arrow"), tmp_path / "e.arrow")[1],
        "gz": lambda: _zipped(tmp_path / "events.ndjson.gz", lines),
    }
    found = engine.ingest(forms[form](), imported=True)
    assert (found.position, found.accepted, found.rejected_count) == (3, 3, 0)
    ada = engine.state(ADA)
    assert ada.measures["spend_365d"] == 12.5
    assert ada.time == NOW + timedelta(minutes=2)


def _written(path, content):
    path.write_bytes(content)
    return path


def _zipped(path, content):
    import gzip

    with gzip.open(path, "wb") as file:
        file.write(content)
    return path


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_lines(engine, kind):
    taken = engine.ingest(kind(encode_ndjson([event("store_visited")]) + b"\n\n{"))
    assert (taken.lines, taken.accepted) == (2, 1)
    assert [str(mistake).partition(":")[0] for mistake in taken.rejected] == ["line 2"]  # among those not blank


def test_rejected_lines_cost_their_neighbours_nothing_and_are_told(engine, tmp_path):
    lines = encode_ndjson(EVENTS[:1]) + b'{"type":1}\n' + encode_ndjson(EVENTS[1:])
    found = engine.ingest(_written(tmp_path / "events.ndjson", lines), imported=True)
    assert (found.position, found.accepted, found.rejected_count) == (4, 3, 1)
    assert [mistake.where for mistake in found.rejected] == [f"{tmp_path / 'events.ndjson'} line 2: $.type"]


def test_at_most_a_thousand_refusals_are_told_and_all_are_counted(engine):
    found = engine.ingest(b"{\n" * 1_200)
    assert (found.accepted, found.rejected_count, len(found.rejected)) == (0, 1_200, 1_000)


def test_a_line_without_a_time_has_no_place_in_an_import(engine):
    found = engine.ingest([event("store_visited"), {"type": "store_visited", "identifiers": ADA}], imported=True)
    (mistake,) = found.rejected
    assert (mistake.what, mistake.where) == ("the event has no time", "line 2: $.time")
    assert mistake.mend == "an import takes its time from the events"


DEEP: dict[str, object] = {}
for _ in range(5_000):
    DEEP = {"fields": DEEP}


@pytest.mark.parametrize(
    "events", [{"type": "store_visited"}, 5, [{"type": object()}], [{"type": "x", "time": 1j}], [DEEP]]
)
def test_what_is_no_form_of_events_is_refused(engine, events):
    with pytest.raises(onevoice.EventError, match="expected mappings"):
        engine.ingest(events)
    assert engine.position == 0


def test_unknown_files_are_refused(engine, tmp_path):
    with pytest.raises(onevoice.EventError, match="cannot be read"):
        engine.ingest(tmp_path / "none.ndjson")
    with pytest.raises(onevoice.EventError, match="unknown form of file"):
        engine.ingest(_written(tmp_path / "events.csv", b"a"))


def test_live_events_happen_when_the_clock_says(engine, clock):
    engine.ingest([{"type": "store_visited", "identifiers": ADA}])
    assert engine.state(ADA).time == NOW
    clock.now += 60_000_000
    engine.ingest([{"type": "store_visited", "identifiers": ADA}])
    assert engine.state(ADA).time == NOW + timedelta(minutes=1)


def test_journal_time_never_falls(engine, clock):
    engine.ingest([{"type": "store_visited", "identifiers": ADA}])
    clock.now -= 10**12
    engine.ingest([{"type": "store_visited", "identifiers": ADA}], time=NOW - timedelta(days=3))
    engine.tick()
    assert engine.state(ADA).time == NOW


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (NAIVE, "give it a zone, as in datetime"),
        (datetime(1969, 12, 31, tzinfo=UTC), "from 1970 to 9999"),
        ("2026", "found '2026'"),
        (2**63, "found 9223372036854775808"),
        (-1, "found -1"),
        (1.5, "found 1.5"),
        (True, "found True"),
    ],
)
def test_what_is_no_time_is_refused(engine, time, said):
    for call in (engine.tick, lambda time: engine.ingest([event("store_visited")], time=time)):
        with pytest.raises(onevoice.EventError, match="time: not a time; expected a datetime with a zone") as raised:
            call(time)
        assert said in str(raised.value)
    assert engine.position == 0


def test_a_clock_that_shows_no_time_is_told(engine, clock):
    clock.now = 1.5
    with pytest.raises(onevoice.EventError, match="clock: not a time"):
        engine.tick()


@pytest.mark.parametrize("imported", [False, True])
def test_a_time_that_cannot_be_believed_costs_its_line_only(engine, imported):
    day = 24 * 60
    lines = [event("store_visited"), event("store_visited", day + 1), event("store_visited", day)]
    lines.append({**event("store_visited"), "time": datetime(1, 1, 1, tzinfo=UTC)})
    table = pa.Table.from_pylist(lines)
    found = [engine.ingest(given, imported=imported) for given in (lines, table)]
    for each in found:
        assert (each.accepted, each.reasons) == (2, {"bad_time": 2})
        assert [mistake.where for mistake in each.rejected] == ["line 2: $.time", "line 4: $.time"]
        assert [mistake.what for mistake in each.rejected] == ["a time that has not come", "a time too long ago"]
    assert engine.state(ADA).time == (NOW + timedelta(days=1) if imported else NOW)


def test_a_time_ahead_of_the_clock_does_not_carry_it_away(engine, clock):
    """What came in a day early is no reason to believe what lies a day after that."""
    ahead = {**event("store_visited"), "time": NOW + timedelta(days=1)}
    for _ in range(3):
        assert engine.ingest([ahead], imported=True).accepted == 1
        assert engine.decide("home_banner", ADA).time == NOW + timedelta(days=1)
        later = {**ahead, "time": NOW + timedelta(days=1, minutes=1)}
        assert engine.ingest([later], imported=True).rejected_count == 1
        assert engine.ingest([later]).rejected_count == 1
    clock.now = us(NOW + timedelta(days=2))
    assert engine.decide("home_banner", ADA).time == NOW + timedelta(days=2)


def test_invented_events_of_the_future_come_in_with_a_time_or_a_clock_of_their_own(engine, clock):
    later = {**event("store_visited"), "time": NOW + timedelta(days=400)}
    assert engine.ingest([later], imported=True, time=NOW + timedelta(days=400)).accepted == 1
    clock.now = us(NOW + timedelta(days=500))
    assert engine.ingest([{**later, "time": NOW + timedelta(days=500)}], imported=True).accepted == 1


def test_each_line_is_one_of_four(engine):
    lines = [
        {**event("store_visited"), "id": "a"},
        {**event("store_visited"), "id": "a"},
        {"type": "store_visitd", "id": "a"},
        {"type": "store_visitd"},
        {"type": "other"},
        {"type": "store_visited"},
        {"type": 5},
    ]
    for known in (0, 1):
        found = engine.ingest([*lines, event("store_visited")])
        assert found.unknown_types == {"store_visitd": 2, "other": 1}
        assert (found.rejected_count, found.reasons) == (2, {"no_identifier": 1, "no_type": 1})
        assert (found.duplicates, found.accepted, found.lines) == (1 + known, 2 - known, 8)


def test_names_of_types_beyond_the_limit_are_counted_together(engine):
    found = engine.ingest(b"".join(b'{"type":"x%d"}\n' % i for i in range(1_500)))
    assert (len(found.unknown_types), found.unknown_types["…"], found.unknown_types["x0"]) == (1_001, 500, 1)


def test_what_is_due_happens_when_time_passes(engine):
    engine.ingest([event("phone_changed"), *[event("connection_failed", minute) for minute in range(1, 4)]])
    assert engine.next_due == NOW + timedelta(days=1)
    (decision,) = engine.tick(NOW + timedelta(days=1)).decisions
    assert (decision.kind, decision.customer, decision.position) == ("end", 0, 4)
    assert [(line.campaign, line.reason) for line in decision.lines] == [("help_to_connect", "expired")]


def test_events_that_only_build_state_start_nothing(engine):
    failed = [event("connection_failed", minute) for minute in range(1, 4)]
    assert engine.ingest([event("phone_changed"), *failed], decide=False).decisions == []
    assert engine.tick(NOW + timedelta(days=1)).decisions == []


def test_an_ask_is_answered_with_a_decision(engine):
    decision = engine.decide("home_banner", ADA)
    assert (decision.kind, decision.placement, decision.time) == ("ask", "home_banner", NOW)
    assert [line.campaign for line in decision.won] == ["banner_upgrade"]
    assert list(engine.decisions()) == [decision]
    assert engine.position == 1


def test_an_ask_that_cannot_be_answered_is_not_journaled(engine):
    nowhere = "decide: an unknown placement; expected home_banner, call_screen; found"
    for placement, identifiers, fields, said in (
        ("home", ADA, {}, f"{nowhere} 'home'"),
        (5, ADA, {}, f"{nowhere} 5"),
        (["home_banner"], ADA, {}, nowhere),
        ("home_banner", {"email": "x"}, {}, "found only invalid email"),
        ("home_banner", {}, {}, "the event belongs to nobody"),
        ("home_banner", "ada", {}, "decide(identifiers=…): not a mapping; expected a mapping of names to values"),
        ("home_banner", {"user_id": object()}, {}, "event 1: an event that JSON cannot hold"),
        ("home_banner", ADA, [1], "decide(fields=…): not a mapping"),
        ("home_banner", ADA, {"page": DEEP}, "event 1: an event that JSON cannot hold"),
        ("home_banner", ADA, {"page": "x"}, "decide: an unknown field of an ask; expected no field; found 'page'"),
    ):
        with pytest.raises(onevoice.EventError) as raised:
            engine.decide(placement, identifiers, fields)
        assert said in str(raised.value)
    assert engine.position == 0


def test_numbers_beyond_all_numbers_are_told(engine):
    amounts = [float("inf"), 10**400, float("nan"), 1.5]
    found = engine.ingest([event("order_placed", order_id=f"o{i}", amount=each) for i, each in enumerate(amounts)])
    assert [mistake.where for mistake in found.rejected] == ["line 1: $.fields.amount", "line 2: $.fields.amount"]
    assert engine.state(ADA).measures["spend_365d"] == 1.5
    found = engine.ingest([{"type": "store_visited", "identifiers": ADA, "time": float("inf")}])
    assert found.reasons == {"bad_time": 1}


def test_decisions_are_found_by_customer_and_position(engine):
    first = engine.decide("home_banner", ADA)
    second = engine.decide("home_banner", {"user_id": "bob"})
    assert list(engine.decisions(ADA)) == list(engine.decisions(0)) == [first]
    assert list(engine.decisions(since=1)) == list(engine.decisions(1)) == [second]
    assert list(engine.decisions({"user_id": "eve"})) == list(engine.decisions(7)) == []
    with pytest.raises(onevoice.EventError):
        engine.decisions({"user": "ada"})


@pytest.mark.parametrize("since", [2**63, 2**70, -(2**70)])
def test_a_position_beyond_all_others_is_one_like_others(engine, since):
    engine.decide("home_banner", ADA)
    count = 1 if since < 0 else 0
    assert len(list(engine.decisions(since=since))) == count
    assert (engine.decisions_table(since=since).num_rows > 0) == bool(count)


def test_a_customer_is_known_by_number_as_by_identifiers(engine):
    engine.ingest([{"type": "store_visited", "identifiers": {"user_id": "ada"}}])
    customer = engine.state({"user_id": "ada"})
    assert engine.state(customer.number) == customer
    assert engine.state(customer.number + 1) is None


def test_nobody_is_found_by_what_is_no_identifier(engine):
    for identifiers in (5.5, {"user_id": object()}, {"user_id": DEEP}, {"user": "ada"}):
        with pytest.raises(onevoice.EventError):
            engine.state(identifiers)


def test_decisions_before_a_merge_are_those_of_the_customer(engine):
    first = engine.decide("home_banner", {"email": "ada@x.lt"})
    second = engine.decide("home_banner", ADA)
    engine.ingest([{"type": "store_visited", "identifiers": {**ADA, "email": "ada@x.lt"}}])
    assert list(engine.decisions(ADA)) == [first, second]


def test_the_table_has_a_row_for_each_line(engine):
    assert engine.decisions_table().num_rows == 0
    engine.ingest([event("order_placed", order_id="o", amount=1, items=[{"product": "case_red", "quantity": 1}])])
    engine.decide("home_banner", ADA)
    engine.decide("home_banner", {"user_id": "bob"})
    table = engine.decisions_table()
    assert table.select(["customer", "placement", "campaign", "reason", "channel", "rule", "score"]).to_pylist() == [
        {
            "customer": 0,
            "placement": "home_banner",
            "campaign": "banner_upgrade",
            "reason": "suppressed",
            "channel": None,
            "rule": "policies.suppress[1]",
            "score": None,
        },
        {
            "customer": 1,
            "placement": "home_banner",
            "campaign": "banner_upgrade",
            "reason": "won",
            "channel": None,
            "rule": None,
            "score": 0.0,
        },
    ]
    assert table["time"].type == pa.timestamp("us", "UTC")
    assert engine.decisions_table(since=2).num_rows == 1


def test_the_state_of_a_customer_in_words(engine):
    engine.ingest(
        [
            event("page_viewed", page="retention-offers", product="phone_x"),
            event("order_placed", 5, order_id="o1", amount=2_000, items=[{"product": "case_red", "quantity": 1}]),
            event("store_visited", 6),
            {**event("profile_updated", 7), "traits": {"tier": "gold", "churn_risk": 0.5, "birthday": "1990-05-06"}},
        ],
        imported=True,
    )
    ada = engine.state(ADA)
    assert (ada.number, ada.identifiers) == (0, {"user_id": 1})
    assert ada["traits"] == {"tier": "gold", "churn_risk": 0.5, "birthday": datetime(1990, 5, 6, tzinfo=UTC).date()}
    assert ada.measures == {"spend_365d": 2_000.0, "orders_30d": 1.0, "last_order": NOW + timedelta(minutes=5)}
    assert ada.segments == {"premium": NOW + timedelta(minutes=5)}
    assert set(ada.facts) == {"owns", "pending", "sought"}
    (sought,) = ada.facts["sought"]
    assert (sought.key, sought.since, sought.until) == (("phone_x",), NOW, NOW + timedelta(days=60))
    (risk,) = ada.moments["retention_risk"]
    assert (risk.done, risk.of, risk.due) == (2, 2, NOW + timedelta(minutes=36))
    assert engine.state({"user_id": "eve"}) is None


def test_an_engine_in_memory_has_no_snapshots(engine):
    assert engine.snapshot() is None


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"piece_lines": 0}, "open: piece_lines: a setting out of its bounds; expected at least 1; found 0"),
        ({"piece_lines": -1}, "expected at least 1; found -1"),
        ({"piece_lines": 1_000_001}, "expected at most 1,000,000; found 1,000,001"),
        ({"snapshot_every": -1}, "open: snapshot_every: a setting out of its bounds; expected at least 0; found -1"),
    ],
)
def test_settings_out_of_their_bounds_are_refused_before_anything_is_made(setting, said, tmp_path):
    with pytest.raises(onevoice.LimitError, match=said):
        onevoice.open(TELECOM, tmp_path / "data", **setting)
    assert not (tmp_path / "data").exists()


def test_settings_within_their_bounds_are_taken(tmp_path):
    with onevoice.open(TELECOM, tmp_path / "data", piece_lines=1, snapshot_every=0) as engine:
        assert engine.ingest(EVENTS).position == 3
    with onevoice.open(TELECOM, piece_lines=1_000_000) as engine:
        assert engine.ingest(EVENTS).position == 3


def test_a_closed_engine_takes_nothing(clock, tmp_path):
    engine = onevoice.open(TELECOM, tmp_path / "data", clock=clock)
    engine.close()
    engine.close()
    with pytest.raises(onevoice.JournalError, match="the journal is closed"):
        engine.tick()


def test_data_in_use_is_refused(tmp_path):
    with (
        onevoice.open(TELECOM, tmp_path / "data"),
        pytest.raises(onevoice.JournalError, match="the journal is in use"),
    ):
        onevoice.open(TELECOM, tmp_path / "data")


def test_a_broken_playbook_leaves_no_data_behind(tmp_path):
    (tmp_path / "playbook.yaml").write_text("campaigns: 3\n", encoding="utf-8")
    with pytest.raises(onevoice.PlaybookError):
        onevoice.open(tmp_path, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_decision_shows_itself_on_one_line(engine):
    assert repr(engine.decide("home_banner", ADA)) == (
        "<Decision 0 (ask at home_banner) for customer 0 at 2026-02-02T10:00:00+00:00: "
        "<banner_upgrade: won with red_case score 0>>"
    )


@pytest.mark.parametrize("folder", [None, "", "none"])
def test_without_a_playbook_nothing_is_made(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(onevoice.JournalError, match="no journal here whose playbook could be taken"):
        onevoice.open(data_dir=folder)
    assert list(tmp_path.iterdir()) == []
