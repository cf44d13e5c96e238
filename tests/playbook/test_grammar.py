"""The lines of a playbook: what each means, by law where there is one."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevoice.playbook import grammar
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    Aggregate,
    EventMatch,
    Every,
    Period,
    Step,
    Trigger,
    TriggerKind,
)

UTC_ZONE = ZoneInfo("UTC")
ZONES = ["UTC", "Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in {"no", "any"})
# A condition may quote the very words that end a line.
conditions = st.sampled_from(
    [
        "",
        "page = 'x'",
        "page = ' within 3 days'",
        "page in ('for 1 day', 'over 2 days')",
        "amount > 3 and page <> 'it''s over 2 days'",
    ]
)
lengths = st.tuples(st.integers(1, 50), st.sampled_from(sorted(grammar.UNITS.items())))


def line(event, condition):
    return f"{event} where {condition}" if condition else event


def written(length):
    number, (unit, _) = length
    return f"{number} {unit}{'' if number == 1 else 's'}"


def meant(length):
    return length[0] * length[1][1]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0s", 0),
        ("90s", 90 * SECOND),
        ("1 second", SECOND),
        ("30 minutes", 30 * MINUTE),
        ("4 hours", 4 * HOUR),
        ("2 days", 2 * DAY),
        ("1 week", WEEK),
        ("3660 days", 3660 * DAY),
    ],
)
def test_a_length_of_time(text, length):
    assert grammar.duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "5", "days", "5 month", "1 year", "1.5 hours", "-1 day", "5m", "3661 days", "1:30"]
)
def test_no_length_of_time(text):
    with pytest.raises(Slip):
        grammar.duration(text)


@pytest.mark.parametrize(
    ("text", "window"),
    [("day", (0, Period.DAY)), ("week", (0, Period.WEEK)), ("month", (0, Period.MONTH)), ("1 day", (DAY, None))],
)
def test_a_calendar_day_is_not_a_day_long(text, window):
    assert grammar.period(text) == window


@given(st.sampled_from(ZONES), st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2040-01-01")))
def test_a_local_time_is_the_first_instant_at_which_the_clocks_show_it_or_more(zone_name, local):
    zone, local = ZoneInfo(zone_name), local.replace(microsecond=0)
    found = grammar.EPOCH + timedelta(microseconds=grammar.utc(local, zone))
    assert found.astimezone(zone).replace(tzinfo=None) >= local
    before = found - timedelta(seconds=1)
    assert before.astimezone(zone).replace(tzinfo=None) < local


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/Vilnius", "2026-03-29 03:30", "2026-03-29 01:00"),  # skipped: 03:00 becomes 04:00
        ("Europe/Vilnius", "2026-10-25 03:30", "2026-10-25 00:30"),  # twice: the first
        ("America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00"),  # no midnight on this day
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00"),  # no such day
    ],
)
def test_clock_changes(zone, local, expected):
    found = grammar.EPOCH + timedelta(microseconds=grammar.instant(local, ZoneInfo(zone)))
    assert found == datetime.fromisoformat(f"{expected}+00:00")


def test_a_day_begins_where_its_first_instant_is():
    start = grammar.day_start(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
    assert start == grammar.instant("2018-11-04 03:00", UTC_ZONE)
    assert grammar.instant("2026-03-01T10:00:30", UTC_ZONE) % DAY == 10 * HOUR + 30 * SECOND


@given(names, conditions)
def test_an_event_and_its_condition(event, condition):
    assert grammar.event_match(line(event, condition)) == EventMatch(event, condition)


@given(names, conditions, lengths)
def test_a_condition_keeps_its_texts_whatever_they_contain(event, condition, length):
    text = line(event, condition)
    assert grammar.goal(f"{text} within {written(length)}") == (EventMatch(event, condition), meant(length))
    assert grammar.step(f"{text} within {written(length)}") == Step(
        (EventMatch(event, condition),), within_us=meant(length)
    )
    assert grammar.step(f"no {text} for {written(length)}") == Step(
        (EventMatch(event, condition),), within_us=meant(length), absent=True
    )
    assert grammar.measure(f"count of {text} over {written(length)}") == (
        Aggregate.COUNT,
        EventMatch(event, condition),
        meant(length),
    )


@given(st.lists(names, min_size=2, max_size=4, unique=True), conditions)
def test_any_of_several_events_shares_the_condition(events, condition):
    step = grammar.step(f"any of {line(', '.join(events), condition)}")
    assert step == Step(tuple(EventMatch(event, condition) for event in events))


@given(st.integers(1, grammar.COUNT_MAX), names)
def test_a_count_stands_first(count, event):
    assert grammar.step(f"{count} {event}") == Step((EventMatch(event),), count)


@pytest.mark.parametrize(
    ("text", "event", "field"),
    [
        ("latest order", "order", ""),
        ("latest of order", "order", ""),
        ("first order.amount", "order", "amount"),
        ("count of order.lines", "order.lines", ""),
        ("sum of order.lines.quantity where quantity > 1 over 2 days", "order.lines", "quantity"),
    ],
)
def test_a_measure_names_an_event_an_item_or_a_field(text, event, field):
    _, match, _ = grammar.measure(text)
    found, name = grammar.split_field(match, {"order.lines"}.__contains__)
    assert (found.event, name) == (event, field)


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("moment looked", Trigger(TriggerKind.MOMENT, "looked")),
        ("event visit", Trigger(TriggerKind.EVENT, "visit")),
        ("event visit where page = 'x'", Trigger(TriggerKind.EVENT, "visit", "page = 'x'")),
        ("segment entered keen", Trigger(TriggerKind.SEGMENT_ENTERED, "keen")),
        ("segment left keen", Trigger(TriggerKind.SEGMENT_LEFT, "keen")),
        ("once 1970-01-02 00:00", Trigger(TriggerKind.ONCE, at_us=DAY)),
        ("every day 10:05", Trigger(TriggerKind.EVERY, every=Every(605))),
        ("every sunday 00:00", Trigger(TriggerKind.EVERY, every=Every(0, weekday=6))),
        ("every month 28 23:59", Trigger(TriggerKind.EVERY, every=Every(1439, month_day=28))),
        ("product restocked for sought", Trigger(TriggerKind.PRODUCT, "restocked", fact="sought")),
        ("asked", Trigger(TriggerKind.ASKED)),
    ],
)
def test_a_trigger(text, trigger):
    assert grammar.trigger(text, UTC_ZONE) == trigger


@given(st.text(st.sampled_from("abno .,_'3 \n"), max_size=40))
def test_no_line_is_too_odd_to_answer(text):
    readers = [
        grammar.event_match,
        grammar.goal,
        grammar.measure,
        grammar.step,
        grammar.every,
        grammar.period,
        grammar.number,
        grammar.whole,
        grammar.local_date,
        lambda line: grammar.instant(line, UTC_ZONE),
        lambda line: grammar.trigger(line, UTC_ZONE),
    ]
    for prefix in ("", "no ", "any of ", "count of ", "event ", "every "):
        for reader in readers:
            try:
                reader(prefix + text)
            except Slip as slip:
                assert 0 <= slip.offset <= len(prefix + text)  # noqa: PT017 - a slip is one of two good answers
