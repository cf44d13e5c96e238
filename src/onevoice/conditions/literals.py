"""Intervals, dates, times and patterns as they are written in a condition."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Final

EXACT_US: Final = 2**53  # 285 years: beyond it a float64 no longer holds every whole microsecond
LIMIT_US: Final = 2**61  # 73,000 years: a time, date or interval that far out is NULL

_UNITS_US: Final = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
CALENDAR_UNITS: Final = frozenset({"month", "quarter", "year", "decade", "century", "millennium"})
_TERM: Final = re.compile(r"\s*([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*([a-z]+)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def unit_of(word: str) -> str:
    """Return the unit a word names, in the singular and lower case."""
    return word.lower().removesuffix("s")


def interval_us(text: str) -> int | None:
    """Return the microseconds of `14 days` or `1 day 2 hours`; None when they are not a whole, representable number.

    Months and years have no fixed length and give None; `unit_of` and `CALENDAR_UNITS` tell them from nonsense.
    """
    total, position = Fraction(0), 0
    text = text.strip().lower()
    while position < len(text):
        term = _TERM.match(text, position)
        unit = _UNITS_US.get(unit_of(term[2])) if term else None
        if term is None or unit is None:
            return None
        total += Fraction(term[1]) * unit
        position = term.end()
    usable = text != "" and total.denominator == 1 and abs(total) < EXACT_US
    return int(total) if usable else None


def date_us(text: str) -> int | None:
    """Return the microseconds of a date's midnight in UTC; None when it is not `YYYY-MM-DD`."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
    return None if day is None else (day - _EPOCH.date()) // timedelta(microseconds=1)


def time_us(text: str) -> int | None:
    """Return the microseconds of an instant written with its offset from UTC; None when it is not one."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if instant.tzinfo is None else (instant - _EPOCH) // timedelta(microseconds=1)


def like_pattern(pattern: str) -> re.Pattern[str]:
    """Return a pattern of `like` to be matched in full: `%` is any characters, `_` one; case counts.

    Atomic groups take the first fit and never come back, so that no text makes it slow.
    """
    first, *others = ("".join("." if each == "_" else re.escape(each) for each in run) for run in pattern.split("%"))
    if others:
        first += "".join(f"(?>.*?{run})" for run in others[:-1] if run) + ".*" + others[-1]
    return re.compile(first, re.DOTALL)
