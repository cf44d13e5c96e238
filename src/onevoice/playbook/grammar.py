"""The lines a playbook is written in: durations, times, measures, steps of moments, triggers.

Every function takes one text and returns its meaning, or raises `Slip` with the offset of what is wrong. Nothing is
looked up here except fields against items; whether an event exists is for `check`.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from onevoice.near import did_you_mean
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
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

DURATION_MAX: Final = 3660 * DAY
COUNT_MAX: Final = 16  # of one event in one step
TOO_LONG: Final = "too long a time"
UNITS: Final = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EXPECTED_DURATION: Final = "a whole number of seconds, minutes, hours, days or weeks, like `30 minutes`"
EXPECTED_EVENT: Final = "an event, optionally followed by `where` and a condition"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_NAME: Final = r"[a-z][a-z0-9_]*"
_EVENT: Final = re.compile(rf"\s*({_NAME}(?:\.{_NAME}){{0,2}})(?=\s|,|$)\s*")
_WHERE: Final = re.compile(r"where\b\s*", re.IGNORECASE)
# The last such word outside quotes: a condition keeps its own texts, whatever they contain.
_TAIL: Final = re.compile(r"^(.*)\s(within|for|over)\s+([^'\"]*)$", re.DOTALL)
_DURATION: Final = re.compile(r"(\d+)\s*([A-Za-z]+)")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Slip(ValueError):  # noqa: N818 - a slip of the pen inside one text; the reader makes the mistake of it
    """What is wrong with a text, and at which offset."""

    def __init__(self, what: str, expected: str, found: str = "", mend: str = "", offset: int = 0) -> None:
        self.what, self.expected, self.found, self.mend, self.offset = what, expected, found, mend, offset
        super().__init__(what)


def number(text: str) -> float:
    """Read a finite decimal number."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise Slip("not a number", "a number like `12.5`", quoted(text))
    return value


def share(text: str) -> float:
    """Read a share: a percentage above nought and below all."""
    value = number(text.removesuffix("%").strip()) / 100 if text.endswith("%") else math.nan
    if not 0 < value < 1:
        raise Slip("not a share", "a percentage above 0% and below 100%, such as `5%`", quoted(text))
    return value


def whole(text: str) -> int:
    """Read a whole number of at most nine digits."""
    if not re.fullmatch(r"[+-]?\d{1,9}", text):
        raise Slip("not a whole number", "a number like `3`", quoted(text))
    return int(text)


def count(text: str) -> int:
    """Read a whole number above nought, with or without commas between thousands."""
    plain = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", text) else text
    if not re.fullmatch(r"\d{1,9}", plain) or int(plain) == 0:
        raise Slip(
            "not a count", "a number above nought, like `50,000`", quoted(text), "for no limit leave the key out"
        )
    return int(plain)


def boolean(text: str) -> bool:
    """Read `true` or `false`; other spellings are texts in some places and truths in others, so none is taken."""
    if text not in {"true", "false"}:
        raise Slip("neither true nor false", "`true` or `false`", quoted(text))
    return text == "true"


def duration(text: str) -> int:
    """Read a fixed length of time, in microseconds."""
    match = _DURATION.fullmatch(text.strip())
    unit = match[2].lower().removesuffix("s") if match else ""
    if match is not None and match[2] == "s":
        unit = "second"
    if match is None or unit not in UNITS:
        raise Slip("not a length of time", EXPECTED_DURATION, quoted(text), _duration_hint(text, unit))
    value = int(match[1]) * UNITS[unit]
    if value > DURATION_MAX:
        raise Slip(TOO_LONG, f"at most {DURATION_MAX // DAY} days", quoted(text))
    return value


def length(text: str) -> int:
    """Read a duration above nought."""
    found = 0 if text.strip() == "0" else duration(text)
    if found == 0:
        raise Slip("an empty length of time", "more than nought", quoted(text), "for none leave the key out")
    return found


def spelled(length_us: int) -> str:
    """Return a length of time in words: `1 day`, `1 hour 30 minutes`; weeks are days."""
    words: list[str] = []
    for unit in ("day", "hour", "minute", "second"):
        count, length_us = divmod(length_us, UNITS[unit])
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(words) or "0 seconds"


def _duration_hint(text: str, unit: str) -> str:
    if text.strip().isdecimal():
        return "a number needs its unit"
    if unit in {"month", "year"}:
        return f"a {unit} has no fixed length: write it in days"
    if unit in {"m", "min", "h", "d"}:
        return "write the unit out"
    return did_you_mean(unit, UNITS) if unit else ""


def local_date(text: str) -> date:
    """Read a date such as `2026-03-01`."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Slip("not a date", "a date like `2026-03-01`", quoted(text))


def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a local day, in microseconds UTC."""
    return utc(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - it is a local time


def instant(text: str, zone: ZoneInfo) -> int:
    """Read a local time such as `2026-03-01 10:00` as microseconds UTC."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(:\d\d)?)", text)
    try:
        if match is not None:
            return utc(datetime.fromisoformat(f"{match[1]} {match[2]}"), zone)
    except ValueError:
        pass
    raise Slip("not a time", "a date and a time like `2026-03-01 10:00`", quoted(text))


def utc(local: datetime, zone: ZoneInfo) -> int:
    """Return the instant, in microseconds UTC, at which the clocks of a zone show a local time.

    A time that happens twice is the first of the two; one that does not exist is the first instant after the gap.
    """
    early, late = sorted(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))

    def reached(at: datetime) -> bool:
        return at.astimezone(zone).replace(tzinfo=None) >= local

    if reached(early):
        return _microseconds(early)
    # A gap: the two readings lie on its two sides, and the clocks change on a whole second between them.
    below, above = 0, int((late - early).total_seconds())
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if reached(early + timedelta(seconds=middle)) else (middle, above)
    return _microseconds(early + timedelta(seconds=above))


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def period(text: str) -> tuple[int, Period | None]:
    """Read the window of a cap: `day`, `week` or `month` of the calendar, or a rolling length."""
    if text in set(Period):
        return 0, Period(text)
    try:
        length = duration(text)
    except Slip as slip:
        if slip.what == TOO_LONG:
            raise
        raise Slip("not a window", "`day`, `week`, `month`, or a length like `7 days`", slip.found, slip.mend) from slip
    if length == 0:
        raise Slip("an empty window", "`day`, `week`, `month`, or a length like `7 days`", quoted(text))
    return length, None


def event_match(text: str) -> EventMatch:
    """Read `EVENT [where COND]`."""
    event, rest, offset = _head(text, 0)
    return EventMatch(event, _where(rest, offset))


def _head(text: str, offset: int) -> tuple[str, str, int]:
    """Return the event at `offset`, what follows it, and where that begins."""
    match = _EVENT.match(text, offset)
    if match is None:
        raise Slip("no event", EXPECTED_EVENT, quoted(text[offset:].strip() or text), "", offset)
    return match[1], text[match.end() :], match.end()


def _where(rest: str, offset: int) -> str:
    if not rest.strip():
        return ""
    match = _WHERE.match(rest)
    if match is None:
        word = rest.split(maxsplit=1)[0]
        mend = did_you_mean(word, ["where"])
        raise Slip(f"{quoted(word)} after an event", "`where` and a condition", "", mend, offset)
    if not rest[match.end() :].strip():
        raise Slip("`where` without a condition", "a condition", "", "", offset)
    return rest[match.end() :].strip()


def _tail(text: str) -> tuple[str, str, str, int]:
    """Split off a last `within D`, `for D` or `over D`: the text before, the word, D, and where D begins."""
    match = _TAIL.match(text)
    return (match[1], match[2], match[3].strip(), match.start(3)) if match else (text, "", "", 0)


def _duration_at(text: str, offset: int) -> int:
    try:
        return duration(text)
    except Slip as slip:
        slip.offset += offset
        raise


def goal(text: str) -> tuple[EventMatch, int]:
    """Read `EVENT [where COND] within D`."""
    body, word, length, offset = _tail(text)
    if word != "within":
        raise Slip("a goal without a window", "`EVENT [where COND] within D`", quoted(text), "add `within 14 days`")
    return event_match(body), _duration_at(length, offset)


def measure(text: str) -> tuple[Aggregate, EventMatch, int]:
    """Read `AGG of EVENT[.field] [where COND] [over D]`; the event still carries its field."""
    word, _, rest = text.strip().partition(" ")
    if word not in set(Aggregate):
        known = ", ".join(f"`{aggregate}`" for aggregate in Aggregate)
        raise Slip("an unknown aggregate", f"one of {known}", quoted(word), did_you_mean(word, Aggregate))
    aggregate = Aggregate(word)
    body, tail, length, offset = _tail(text)
    if tail and tail != "over":
        raise Slip(f"`{tail}` in a measure", "`over` and a length of time", quoted(f"{tail} {length}"), "", offset)
    head = re.match(r"\s*\w+\s+(of\s+)?", body)
    if head is None or (head[1] is None and aggregate not in {Aggregate.LATEST, Aggregate.FIRST}):
        raise Slip("no `of`", f"`{word} of EVENT[.field]`", quoted(rest), "", len(word))
    if tail and aggregate in {Aggregate.LATEST, Aggregate.FIRST}:
        mend = f"the {word} of all time is exact: compare its time in the condition that uses it"
        raise Slip(f"`over` with `{word}`", "no window", quoted(f"over {length}"), mend, offset)
    event, rest, after = _head(body, head.end())
    over_us = _duration_at(length, offset) if tail else 0
    if tail and over_us == 0:
        raise Slip("an empty window", EXPECTED_DURATION, quoted(length), "", offset)
    return aggregate, EventMatch(event, _where(rest, after)), over_us


def split_field(match: EventMatch, items: Callable[[str], bool]) -> tuple[EventMatch, str]:
    """Split `event.field`, `event.list` or `event.list.field` given which `event.list` are items."""
    event, _, last = match.event.rpartition(".")
    if not event or items(match.event):
        return match, ""
    return EventMatch(event, match.where), last


def step(text: str) -> Step:
    """Read one line of a moment."""
    body, word, length, offset = _tail(text)
    absent = re.match(r"\s*no\s+", body)
    if absent:
        return _absence(body, absent.end(), (word, length, offset))
    if word and word != "within":
        mend = "`within` limits a step, `for` follows `no EVENT`"
        raise Slip(f"`{word}` in a step", "`within` and a length of time", quoted(f"{word} {length}"), mend, offset)
    within_us = _positive_duration(length, offset) if word else 0
    if any_of := re.match(r"\s*any\s+of\s+", body):
        return Step(_any_of(body, any_of.end()), within_us=within_us)
    counted = re.match(r"\s*(\d{1,9})\s+", body)
    count = int(counted[1]) if counted else 1
    if not 1 <= count <= COUNT_MAX:
        raise Slip("a count out of range", f"1 to {COUNT_MAX}", quoted(str(count)))
    event, rest, after = _head(body, counted.end() if counted else 0)
    return Step((EventMatch(event, _where(rest, after)),), count, within_us)


def _absence(body: str, start: int, tail: tuple[str, str, int]) -> Step:
    word, length, offset = tail
    if word and word != "for":
        mend = "write `for`: what must not happen, and how long"
        raise Slip(f"`{word}` after `no`", "`no EVENT [where COND] for D`", quoted(f"{word} {length}"), mend, offset)
    event, rest, after = _head(body, start)
    match = EventMatch(event, _where(rest, after))
    return Step((match,), within_us=_positive_duration(length, offset) if word else 0, absent=True)


def _any_of(body: str, offset: int) -> tuple[EventMatch, ...]:
    events: list[str] = []
    while True:
        event, rest, offset = _head(body, offset)
        events.append(event)
        if not rest.startswith(","):
            break
        offset += 1
    if len(events) == 1:
        raise Slip("`any of` one event", "at least two, separated by commas", quoted(body.strip()))
    if twice := next((event for event in events if events.count(event) > 1), ""):
        raise Slip("an event given twice", "each event once", quoted(twice))
    where = _where(rest, offset)
    return tuple(EventMatch(event, where) for event in events)


def _positive_duration(text: str, offset: int) -> int:
    length = _duration_at(text, offset)
    if length == 0:
        raise Slip("an empty window", EXPECTED_DURATION, quoted(text), "", offset)
    return length


def trigger(text: str, zone: ZoneInfo) -> Trigger:
    """Read `when`."""
    text = text.strip()
    word, _, rest = text.partition(" ")
    readers: dict[str, Callable[[str], Trigger]] = {
        "moment": lambda rest: Trigger(TriggerKind.MOMENT, _name(rest, "the name of a moment")),
        "event": _event_trigger,
        "segment": _segment_trigger,
        "once": lambda rest: Trigger(TriggerKind.ONCE, at_us=instant(rest, zone)),
        "every": lambda rest: Trigger(TriggerKind.EVERY, every=every(rest)),
        "product": _product_trigger,
        "asked": _asked_trigger,
    }
    if word not in readers:
        known = ", ".join(f"`{name}`" for name in readers)
        raise Slip("an unknown trigger", f"one of {known}", quoted(text), did_you_mean(word, readers))
    try:
        return readers[word](rest.strip())
    except Slip as slip:
        slip.offset += len(text) - len(rest.strip())
        raise


def _name(text: str, expected: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise Slip("not a name", expected, quoted(text) if text else "nothing")
    return text


def _event_trigger(rest: str) -> Trigger:
    match = event_match(rest)
    return Trigger(TriggerKind.EVENT, match.event, match.where)


def _segment_trigger(rest: str) -> Trigger:
    side, _, name = rest.partition(" ")
    if side not in {"entered", "left"}:
        expected = "`segment entered NAME` or `segment left NAME`"
        raise Slip("an unknown trigger", expected, quoted(f"segment {rest}".strip()))
    kind = TriggerKind.SEGMENT_ENTERED if side == "entered" else TriggerKind.SEGMENT_LEFT
    return Trigger(kind, _name(name.strip(), "the name of a segment"))


def _product_trigger(rest: str) -> Trigger:
    match = re.fullmatch(rf"({_NAME})\s+for\s+({_NAME})", rest)
    if match is None:
        raise Slip("an unknown trigger", "`product EVENT for FACT`", quoted(f"product {rest}".strip()))
    return Trigger(TriggerKind.PRODUCT, match[1], fact=match[2])


def _asked_trigger(rest: str) -> Trigger:
    if rest:
        raise Slip("`asked` stands alone", "`asked`", quoted(f"asked {rest}"), "name the places under `placements`")
    return Trigger(TriggerKind.ASKED)


def every(text: str) -> Every:
    """Read `day 10:00`, `monday 10:00` or `month 1 10:00`."""
    match = re.fullmatch(r"([a-z]+)(?:\s+(\d{1,2}))?\s+(\d\d):(\d\d)", text)
    expected = "`every day 10:00`, `every monday 10:00` or `every month 1 10:00`"
    if match is None or int(match[3]) > 23 or int(match[4]) > 59:
        raise Slip("not a repeating time", expected, quoted(f"every {text}".strip()))
    minute = int(match[3]) * 60 + int(match[4])
    if match[1] == "month" and match[2]:
        if not 1 <= int(match[2]) <= 28:
            raise Slip("a day that not every month has", "1 to 28", quoted(match[2]))
        return Every(minute, month_day=int(match[2]))
    if match[1] == "day" and not match[2]:
        return Every(minute)
    if match[1] in WEEKDAYS and not match[2]:
        return Every(minute, weekday=WEEKDAYS.index(match[1]))
    hint = did_you_mean(match[1], [*WEEKDAYS, "day", "month"])
    raise Slip("not a repeating time", expected, quoted(f"every {text}"), hint)
