"""What conditions ask of facts by a key, of others in a group, and of times: told, and tried otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import onevoice
from onevoice.playbook.load import load_files

from .shop import ANN, MONDAY, goes_out

BOB = {"email": "bob@x.org"}
BOOK = """
playbook: insurer
time_zone: Europe/Vilnius
identifiers: {{email: {{}}}}
groups: {{household: {{by: home, leaves: moved_out}}}}
traits: {{ends: date, seen: time, favourite: choice}}
events:
  visit: {{fields: {{cover: choice, at: time, day: date}}}}
  moved_in: {{fields: {{home: choice}}}}
  moved_out: {{fields: {{home: choice}}}}
  cover_taken: {{fields: {{cover: choice, level: choice}}}}
  cover_left: {{fields: {{cover: choice, level: choice}}}}
facts:
  has: {{opens: cover_taken, closes: cover_left, per: cover}}
  at_level: {{opens: cover_taken, closes: cover_left, per: [cover, level]}}
measures: {{last_cover: latest cover_taken}}
campaigns:
  hello: {{class: sales, when: event visit, if: "{condition}", send: [mail]}}
policies: {{classes: {{sales: {{}}}}{policies}}}
channels: {{mail: {{}}}}
"""


def insurer(condition: str, *events: tuple[float, dict[str, str], str, dict[str, Any]], policies: str = "") -> Any:
    """Return an engine told of events, each (hours after Monday at nine, who, type, fields and `traits`)."""
    text = BOOK.format(condition=condition, policies=policies)
    engine = onevoice.open(load_files({"playbook.yaml": text.encode()}))
    for hours, who, kind, said in events:
        traits = said.pop("traits", {})
        event = {"type": kind, "identifiers": who, "fields": said, "traits": traits}
        engine.ingest([event], time=MONDAY + timedelta(hours=hours))
    return engine


def visit(hours: float, **said: Any) -> Any:
    return hours, ANN, "visit", said


def cover(hours: float, name: str, who: dict[str, str] = ANN, level: str = "low") -> Any:
    return hours, who, "cover_taken", {"cover": name, "level": level}


def asked(engine: Any) -> Any:
    return engine.why_not(ANN, "hello")


@pytest.mark.parametrize(
    ("condition", "known"),
    [
        ("has('home')", {"has('home')": "false"}),
        ("at_level('home', 'low')", {"at_level('home', 'low')": "false"}),
        ("has(favourite)", {"has(favourite)": "false", "favourite": "home"}),
        ("has(event.cover)", {"event.cover": "home"}),
    ],
)
def test_a_fact_that_would_have_to_be_open_for_a_key(condition, known):
    answer = asked(insurer(condition, cover(0, "car"), visit(2, cover="home", traits={"favourite": "home"})))
    assert answer.values == known
    assert [each.sentence for each in answer.changes] == [f"if {condition} were open"]
    assert goes_out(insurer(condition, cover(0, "home"), visit(2, cover="home", traits={"favourite": "home"})))


def test_a_fact_that_would_have_to_be_not_open_for_a_key():
    condition = "has('car') and not has('home')"
    answer = asked(insurer(condition, cover(0, "car"), cover(1, "home"), visit(2)))
    assert answer.values == {"has('car')": "true", "has('home')": "true"}
    assert [each.sentence for each in answer.changes] == ["if has('home') were not open"]
    assert goes_out(insurer(condition, cover(0, "car"), visit(2)))


def home(hours: float, who: dict[str, str]) -> Any:
    return hours, who, "moved_in", {"home": "oak"}


def test_what_is_asked_of_others_in_a_group():
    living = home(0, ANN), home(0, BOB)
    answer = asked(insurer("any household.has", *living, visit(2)))
    assert answer.values == {"any household.has": "false"}
    assert [each.sentence for each in answer.changes] == ["if any household.has were open"]
    assert goes_out(insurer("any household.has", *living, cover(1, "car", BOB), visit(2)))

    answer = asked(insurer("not any household.has('car')", *living, cover(1, "car", BOB), visit(2)))
    assert answer.values == {"any household.has('car')": "true"}
    assert [each.sentence for each in answer.changes] == ["if any household.has('car') were not open"]
    assert goes_out(insurer("not any household.has('car')", *living, visit(2)))


def test_that_it_is_not_open_for_oneself_does_not_change_what_others_have():
    living = home(0, ANN), home(0, BOB), cover(1, "car", ANN), cover(1, "car", BOB)
    answer = asked(insurer("not has and not any household.has", *living, visit(2)))
    assert answer.changes == ()


def test_a_suppression_over_a_group():
    living = home(0, ANN), home(0, BOB), cover(1, "car", BOB)
    stop = ", suppress: [{stop: [sales], while: any household.has}]"
    answer = asked(insurer("true", *living, visit(2), policies=stop))
    assert "if any household.has were not open" in [each.sentence for each in answer.changes]


# Times and days.


def test_a_day_that_would_have_to_be_nearer():
    condition = "ends < current_date + interval '30 days'"
    answer = asked(insurer(condition, visit(0, traits={"ends": "2026-06-01"})))
    assert answer.values == {"now()": "2026-03-02 11:00+02:00", "ends": "2026-06-01"}
    assert [(each.found, each.needed) for each in answer.changes] == [("2026-06-01", "2026-03-31")]
    assert answer.smallest.sentence == "if ends were 2026-03-31 instead of 2026-06-01"
    assert goes_out(insurer(condition, visit(0, traits={"ends": "2026-03-31"})))
    assert not goes_out(insurer(condition, visit(0, traits={"ends": "2026-04-01"})))


def test_a_time_that_would_have_to_be_longer_ago():
    condition = "last_cover <= now() - interval '7 days'"
    answer = asked(insurer(condition, cover(-24, "car"), visit(0)))
    assert answer.values["last_cover"] == "2026-03-01 11:00+02:00"
    assert answer.smallest.sentence == "if last_cover were Mon 23 Feb 2026 11:00 instead of Sun 01 Mar 2026 11:00"
    assert answer.smallest.needed == datetime(2026, 2, 23, 9, tzinfo=UTC).isoformat()
    assert goes_out(insurer(condition, cover(-7 * 24, "car"), visit(0)))
    assert not goes_out(insurer(condition, cover(-7 * 24 + 1 / 60, "car"), visit(0)))


def test_a_time_that_is_not_known():
    answer = asked(insurer("seen > timestamptz '2026-01-01 00:00+00:00'", visit(0)))
    assert answer.values == {"seen": "unknown"}
    assert answer.smallest.sentence == "if seen were Mon 02 Mar 2026 11:00, which is not known"


def test_a_time_of_the_event():
    condition = "event.at > now() + interval '1 day' and event.day < current_date"
    answer = asked(insurer(condition, visit(0, at="2026-03-03T08:30:00Z", day="2026-03-01")))
    assert answer.smallest.sentence == "if visit.at were Tue 03 Mar 2026 11:01 instead of Tue 03 Mar 2026 10:30"
    assert goes_out(insurer(condition, visit(0, at="2026-03-03T09:01:00Z", day="2026-03-01")))
    assert not goes_out(insurer(condition, visit(0, at="2026-03-03T09:00:00Z", day="2026-03-01")))


@pytest.mark.parametrize(
    ("condition", "found", "needed"),
    [
        ("month(ends) = 3", "1990-01-01", "1990-03-01"),
        ("month(ends) = 11", "1990-01-01", "1989-11-30"),
        ("year(ends) = 1985", "1990-01-01", "1985-12-31"),
        ("month(ends) = 2 and day(ends) = 29", "1990-01-01", "1988-02-29"),
        ("isodow(ends) = 6", "2026-03-03", "2026-02-28"),
        ("day(ends) = 1", "2026-03-17", "2026-04-01"),
    ],
)
def test_parts_of_a_day(condition, found, needed):
    answer = asked(insurer(condition, visit(0, traits={"ends": found})))
    assert answer.smallest.needed == needed
    assert goes_out(insurer(condition, visit(0, traits={"ends": needed})))


def test_an_hour_of_a_time():
    condition = "hour(seen) = 18"
    answer = asked(insurer(condition, visit(0, traits={"seen": "2026-03-01T07:10:00Z"})))  # 09:10 in Vilnius
    assert answer.smallest.needed == "2026-03-01T16:00:00+00:00"
