"""Every sentence in every language: the catalogues say the same, and each message is in a golden table.

`UPDATE_GOLDEN=1` writes the tables anew; read the difference.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

import onevoice
from onevoice.errors import EventError
from onevoice.history.language import LANGUAGES, Span, chosen, language
from onevoice.history.why_not import Change
from onevoice.playbook.load import load_files
from onevoice.playbook.model import DAY, HOUR, MINUTE, SECOND, WEEK, Bucket, Period
from tests.history.test_why import ANN, CASES, MONDAY, PLAYBOOK
from tests.history.test_why import HOUR as LATER
from tests.project.sources import ROOT

HERE = Path(__file__).parent / "told"
SETTINGS = {"plurals", "decimal", "thousands", "days", "months", "weekdays", "time", "units"}
ENGLISH = language("en").catalogue
KEYS = [key for key in ENGLISH if key not in SETTINGS]
COUNTS = (1, 2, 5, 10, 11, 12, 21, 22, 111, 1_000)
# What the plural of each of COUNTS is, and of 1.5, as CLDR has it.
PLURALS = {
    "en": "one other other other other other other other other other other",
    "fi": "one other other other other other other other other other other",
    "lt": "one few few other other other one few other other many",
    "pl": "one few many many many many many few many many other",
    "ru": "one few many many many many one few many many other",
}


def placeholders(message):
    texts = [message] if isinstance(message, str) else list(message.values())
    return [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]


def spans(message):
    texts = [message] if isinstance(message, str) else list(message.values())
    return {(name, case) for text in texts for _, name, case, _ in Formatter().parse(text) if case}


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_every_message(code):
    """A message that is missing is named here; so is one that nobody says."""
    assert list(language(code).catalogue) == list(ENGLISH)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_message_tells_the_same_in_every_language(code):
    catalogue = language(code).catalogue
    for key in KEYS:
        expected = placeholders(ENGLISH[key])[0]
        assert all(found == expected for found in placeholders(catalogue[key])), f"{code}: {key}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_cases_and_plurals_are_whole(code):
    catalogue = language(code).catalogue
    cases = {frozenset(forms) for forms in catalogue["units"].values()}
    assert len(cases) == 1
    assert list(catalogue["units"]) == ["week", "day", "hour", "minute", "second"]
    assert all(
        len(forms) == len(catalogue["plurals"]) for unit in catalogue["units"].values() for forms in unit.values()
    )
    for key in KEYS:
        assert {case for _, case in spans(catalogue[key])} <= next(iter(cases)), f"{code}: {key}"
        if not isinstance(catalogue[key], str):
            counted = [*catalogue["plurals"]]
            assert [*catalogue[key]] == counted[: len(catalogue[key])], f"{code}: {key}"
            assert len(catalogue[key]) == min(len(counted), 3), f"{code}: {key}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_plural_of_a_number(code):
    own = language(code)
    found = [own.catalogue["plurals"][own.plural(count)] for count in (*COUNTS, 1.5)]
    assert " ".join(found) == PLURALS[code]


def test_every_message_is_said_by_somebody():
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    families = ("stopped_", "paused_", "room_", "outranked_", "per_", "of_", "waits_", "rule_switch_")
    unsaid = [key for key in KEYS if f'"{key}"' not in code and not key.startswith(families)]
    assert unsaid == []
    assert all(f'f"{family}' in code for family in families)


def test_every_period_has_its_words():
    assert {f"per_{each.value}" for each in (*Period, *Bucket)} <= set(KEYS)


def examples(own):
    """Each message with something to tell, and each count of each unit in each case."""
    time = own.time(datetime(2026, 2, 3, 7, 5, tzinfo=UTC), ZoneInfo("Europe/Vilnius"))
    told = {
        "span": Span(own, 2, "day"),
        "needed": own.figure(71.5),
        "found": own.number(20),
        "more": own.figure(43.2),
        "names": "news, tips",
        "name": "weekly",
        "campaign": "news",
        "channel": "email",
        "placement": "home",
        "default": "banner",
        "sentence": own.say("won_shown"),
        "rank": own.figure(2.5),
        "offer": "case",
        "computed": f"price {own.figure(9.9)}",
        "probability": own.figure(0.25),
        "event": "order",
        "kind": "phone",
        "contact": 7,
        "condition": "tier = 'gold'",
        "klass": "sales",
        "what": own.say("stopped_all"),
        "but": "gold",
        "fact": "seeks",
        "purpose": "marketing",
        "rule": "policies.caps[0]",
        "change": own.say("change_without", rule="policies.caps[0]"),
        "used": own.number(1_200),
        "limit": own.number(1_200),
        "per": own.say("per_day"),
        "hours": "09:00-18:00",
        "winner": "tips",
        "room": own.say("room_too_little", name="desk", needed=own.figure(2.5)),
        "windows": own.days("09:00-18:00 mon-fri"),
        "classes": own.say("or").join(("a", "b")),
        "of": 3,
        "steps": "order, visit",
        "source": "tills",
        "values": f"tier {own.say('unknown')}",
    } | dict.fromkeys(("until", "value", "time"), time)
    pauses = {"needed": Span(own, 15, "minute"), "found": Span(own, 21, "minute")}
    for key in KEYS:
        counts = [None] if isinstance(ENGLISH[key], str) else COUNTS
        for count in counts:
            more = told | (pauses if key == "change_span" else {})
            yield f"{key}{'' if count is None else f' {count}'}: {own.say(key, count, **more)}"
    for unit, cases in own.catalogue["units"].items():
        for case in cases:
            yield f"{unit} {case}: " + ", ".join(format(Span(own, count, unit), case) for count in (*COUNTS, 1.5))


def reasons(code):
    """What is said of each reason."""
    for reason, (rows, _) in CASES.items():
        with onevoice.open(load_files({"playbook.yaml": PLAYBOOK.encode()})) as engine:
            for hour, what in rows:
                time = MONDAY + hour * LATER
                engine.tick(time) if what is None else engine.ingest(
                    what if isinstance(what, list) else [what], time=time
                )
            who = {"card": "c1"} if reason == "no_address" else ANN
            found = [each for why in engine.why(who, last=100, language=code) for each in why.told]
        yield f"{reason}: {next(each.sentence for each in reversed(found) if each.reason == reason)}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_sentence_is_as_it_was_read(code):
    path = HERE / f"{code}.txt"
    found = "\n".join(
        ["What is said of each reason", "", *reasons(code), "", "Each message", "", *examples(language(code))]
    )
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found + "\n", "utf-8")
    assert path.read_text("utf-8") == found + "\n"


@pytest.mark.parametrize(
    ("us", "expected"),
    [
        (2 * WEEK, {"en": "2 weeks", "lt": "2 savaitės", "pl": "2 tygodnie", "fi": "2 viikkoa", "ru": "2 недели"}),
        (DAY, {"en": "1 day", "lt": "1 diena", "pl": "1 dzień", "fi": "1 päivä", "ru": "1 день"}),
        (36 * HOUR, {"en": "36 hours", "lt": "36 valandos", "pl": "36 godzin", "fi": "36 tuntia", "ru": "36 часов"}),
        (MINUTE, {"en": "1 minute", "lt": "1 minutė", "pl": "1 minutę", "fi": "1 minuutti", "ru": "1 минуту"}),
        (SECOND * 3 // 2, {"en": "1.5 seconds", "lt": "1,5 sekundės", "pl": "1,5 sekundy", "fi": "1,5 sekuntia"}),
        (0, {"en": "0 seconds", "lt": "0 sekundžių", "pl": "0 sekund", "fi": "0 sekuntia", "ru": "0 секунд"}),
    ],
)
def test_a_duration_is_told_in_the_greatest_unit_that_divides_it(us, expected):
    assert {code: str(language(code).span(us)) for code in expected} == expected


def test_the_language_is_what_is_asked_for_else_the_playbooks_first_that_there_is():
    assert [chosen(*each).code for each in (("pl", ("lt",)), ("", ("no", "lt", "en")), ("", ("no",)), ("", ()))] == [
        "pl",
        "lt",
        "en",
        "en",
    ]
    with pytest.raises(EventError, match="no such language"):
        chosen("no")


def test_what_is_not_a_sentence_is_the_same_in_every_language():
    with onevoice.open(load_files({"playbook.yaml": (PLAYBOOK + "languages: [ru, en]\n").encode()})) as engine:
        engine.ingest([{"type": "visit", "identifiers": ANN}], time=MONDAY)
        found = [engine.why(ANN, language=code)[0] for code in LANGUAGES]
        asked = [engine.why_not(ANN, "news", language=code) for code in LANGUAGES]
        assert engine.why(ANN)[0].language == engine.why_not(ANN, "news").language == "ru"
    coded = [[(each.campaign, each.reason, each.channel, each.score, each.rule) for each in why.told] for why in found]
    assert coded.count(coded[0]) == len(LANGUAGES)
    assert len({why.headline for why in found}) == len({why_not.headline for why_not in asked}) == len(LANGUAGES)
    plain = [
        (
            each.time,
            [(one.reason, one.rule, one.place) for one in each.obstacles],
            [(one.kind, one.name, one.found, one.needed, one.at) for one in each.changes],
            each.values,
        )
        for each in asked
    ]
    assert plain.count(plain[0]) == len(LANGUAGES)
    assert isinstance(asked[0].smallest, Change)
