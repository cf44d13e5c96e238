"""The languages in which decisions are told: a catalogue of messages for each, with its plurals, cases and dates.

Every language is a file under `languages/`, with the keys of English. What is told of is given by name; a duration is
said in the case that the message asks for, and a message that counts is chosen by the plural of its number (CLDR).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from onevoice.errors import EventError, Mistake
from onevoice.near import did_you_mean
from onevoice.playbook.hours import DAYS
from onevoice.playbook.model import DAY, HOUR, MINUTE, SECOND, WEEK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from decimal import Decimal
    from zoneinfo import ZoneInfo

LANGUAGES: Final = ("en", "fi", "lt", "pl", "ru")
_UNITS: Final = ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))
_LARGE: Final = 10**15
_FEW: Final = range(2, 5)  # 2 to 4
_TEENS: Final = range(11, 20)
_SLAVIC_TEENS: Final = range(12, 15)

_Catalogue: TypeAlias = dict[str, Any]


def chosen(asked: str, languages: Iterable[str] = ()) -> Language:
    """Return the language that is asked for, else the first of a playbook's that there is, else English.

    Raises EventError for one that there is not.
    """
    if asked and asked not in LANGUAGES:
        mend = did_you_mean(asked, LANGUAGES)
        raise EventError(Mistake("no such language", "language", ", ".join(LANGUAGES), repr(asked), mend))
    return language(asked or next((each for each in languages if each in LANGUAGES), "en"))


@cache
def language(code: str) -> Language:
    """Return one of LANGUAGES."""
    text = files("onevoice.history").joinpath("languages", f"{code}.yaml").read_text("utf-8")
    return Language(code, yaml.load(text, yaml.CSafeLoader))


@dataclass(frozen=True, eq=False)
class Span:
    """A count of a unit of time; formatted in the case that is given as its format, else in the language's first."""

    language: Language
    count: float
    unit: str

    def __format__(self, case: str) -> str:
        """Return the count with the unit in a case."""
        cases: dict[str, list[str]] = self.language.catalogue["units"][self.unit]
        forms = cases[case] if case else next(iter(cases.values()))
        return f"{self.language.number(self.count)} {forms[self.language.plural(self.count)]}"

    def __str__(self) -> str:
        """Return the count with its unit."""
        return format(self)


class Language:
    """Says messages of its catalogue."""

    def __init__(self, code: str, catalogue: _Catalogue) -> None:
        self.code = code
        self.catalogue = catalogue
        self._plural = _PLURALS[code]

    def say(self, key: str, n: float | None = None, /, **told: object) -> str:
        """Return a message with what it tells of; of one that counts `n`, the form for that."""
        message: str | dict[str, str] = self.catalogue[key]
        if n is not None:
            told["n"] = self.number(n)
        if isinstance(message, str):
            return message.format(**told)
        assert n is not None, "a message with plurals counts something"
        names: list[str] = self.catalogue["plurals"]
        return message.get(names[self.plural(n)], message[[*message][-1]]).format(**told)

    def plural(self, count: float) -> int:
        """Return which of the language's plurals a number takes."""
        return self._plural(count)

    def number(self, value: float) -> str:
        """Return a number with the language's signs; a fraction with six digits at the most."""
        signs = {",": self.catalogue["thousands"], ".": self.catalogue["decimal"]}
        plain = f"{int(value):,}" if value == int(value) else f"{value:,g}"
        return "".join(signs.get(letter, letter) for letter in plain)

    def figure(self, value: float, form: str = "g") -> str:
        """Return a number in a form, with the language's sign for the decimals."""
        return format(value, form).replace(".", self.catalogue["decimal"])

    def decimals(self, value: Decimal) -> str:
        """Return a decimal number as it is, a large one by its first digits, with the language's sign for decimals."""
        return (f"{value:f}" if abs(value) < _LARGE else f"{float(value):g}").replace(".", self.catalogue["decimal"])

    def span(self, us: int) -> Span:
        """Return a duration in µs in the greatest unit that divides it."""
        for unit, name in _UNITS:
            if us and us % unit == 0:
                return Span(self, us // unit, name)
        return Span(self, us / SECOND, "second")

    def time(self, time: datetime, zone: ZoneInfo) -> str:
        """Return an instant as the clocks of a zone show it."""
        there = time.astimezone(zone)
        months: list[str] = self.catalogue["months"]
        return self.catalogue["time"].format(
            weekday=self.catalogue["weekdays"][there.weekday()],
            day=there.day,
            month=months[there.month - 1] if months else "",
            month_number=there.month,
            year=there.year,
            hour=there.hour,
            minute=there.minute,
        )

    def days(self, windows: str) -> str:
        """Return windows of hours as they are written, with the language's names of the days."""
        for name, own in zip(DAYS, self.catalogue["days"], strict=True):
            windows = windows.replace(name, own)
        return windows


# Which plural a number takes, in the order of each catalogue's `plurals`: CLDR's rules, for counts and fractions.


def _one_other(count: float) -> int:
    return 0 if count == 1 else 1


def _lithuanian(count: float) -> int:
    """One, few, other, many."""
    if count != int(count):
        return 3
    if count % 100 in _TEENS or count % 10 == 0:
        return 2
    return 0 if count % 10 == 1 else 1


def _polish(count: float) -> int:
    """One, few, many, other."""
    if count != int(count):
        return 3
    if count == 1:
        return 0
    return 1 if count % 10 in _FEW and count % 100 not in _SLAVIC_TEENS else 2


def _russian(count: float) -> int:
    """One, few, many, other."""
    if count != int(count):
        return 3
    if count % 10 == 1 and count % 100 != _TEENS[0]:
        return 0
    return 1 if count % 10 in _FEW and count % 100 not in _SLAVIC_TEENS else 2


_PLURALS: Final[dict[str, Callable[[float], int]]] = {
    "en": _one_other,
    "fi": _one_other,
    "lt": _lithuanian,
    "pl": _polish,
    "ru": _russian,
}
