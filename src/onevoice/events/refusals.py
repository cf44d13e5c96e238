"""Why a line cannot be used, said so that a person can mend it: what, where, expected, found, how."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from onevoice.errors import Mistake
from onevoice.events.batch import EARLIEST_US, NAME_CHARACTERS_MAX, Reason
from onevoice.events.values import time_us
from onevoice.playbook.model import SECOND, FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.events.batch import Times

FOUND_CHARACTERS_MAX: Final = 60

EXPECTED: Final = {
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.CHOICE: "a text",
    FieldType.KEY: "a text or a whole number",
    FieldType.PRODUCT: "a text or a whole number",
    FieldType.DATE: 'a date such as "2026-03-01"',
    FieldType.TIME: 'a time with an offset such as "2026-03-01T10:00:00Z"',
}


class Refused(Exception):  # noqa: N818 - it ends the reading of one line and never leaves this room
    """A line cannot be used."""

    def __init__(self, reason: Reason, mistake: Mistake) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mistake = mistake


def refuse(
    reason: Reason, where: str, what: str, expected: str = "", found: Any = None, mend: str = "", found_words: str = ""
) -> NoReturn:
    """Raise Refused. `found` is shown as JSON, cut to a readable length; `found_words` as it is."""
    shown = found_words or clipped(json.dumps(found, ensure_ascii=False, default=str))
    raise Refused(reason, Mistake(what, where, expected, shown if expected or found_words else "", mend))


def not_utf8(where: str = "", found: str = "") -> Refused:
    """Return the refusal of a text that is not UTF-8."""
    mend = "save or send the text as UTF-8"
    return Refused(Reason.NOT_UTF8, Mistake("not UTF-8", where, found=found, mend=mend))


def refuse_time(value: Any) -> NoReturn:
    """Raise Refused for the time of an event, saying what about it is not clear."""
    mend = ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        mend = "a number does not say its unit: write the time as text"
    elif isinstance(value, str) and time_us(f"{value}Z") is not None:
        mend = f'add the offset from UTC, for example "{value}Z" or "{value}+02:00"'
    refuse(Reason.BAD_TIME, "$.time", "not a time", EXPECTED[FieldType.TIME], value, mend)


def check_time(moment: int, times: Times) -> None:
    """Raise Refused for a time (µs UTC) at which the event cannot have occurred."""
    if EARLIEST_US <= moment <= times.latest:
        return
    what, expected = "a time too long ago", "1970 or later"
    mend = "correct it where the event is made"
    if moment > times.latest:
        what = "a time that has not come"
        expected = f"at most 1 day after {np.datetime64(times.stamp // SECOND, 's')}Z, when it came in"
        mend += "; invented events of the future need an engine with a clock of its own: onevoice.open(…, clock=…)"
    refuse(Reason.BAD_TIME, "$.time", what, expected, mend=mend, found_words=f"{np.datetime64(moment, 'us')}Z")


def refuse_no_time() -> NoReturn:
    """Raise Refused for an event without a time where it has to have one."""
    mend = "an import takes its time from the events"
    expected = "a time such as 2026-03-01T10:00:00Z"
    refuse(Reason.BAD_TIME, "$.time", "the event has no time", expected, mend=mend, found_words="none")


def refuse_type(kind: FieldType, where: str, value: Any) -> NoReturn:
    """Raise Refused for a value that is not of a field's type."""
    mend = ""
    if kind is FieldType.NUMBER and isinstance(value, str):
        mend = "write the number without quotes"
    elif kind is FieldType.TIME and isinstance(value, str) and time_us(f"{value}Z") is not None:
        mend = "add the offset from UTC"
    refuse(Reason.WRONG_TYPE, where, "wrong type", EXPECTED[kind], value, mend)


def refuse_number(where: str, value: float) -> NoReturn:
    """Raise Refused for a number beyond all numbers."""
    found = f"{value:g}" if isinstance(value, float) else f"a number of {len(str(abs(value))):,} digits"
    refuse(Reason.WRONG_TYPE, where, "the number is too great", "at most 1.8e308", found_words=found)


def check_name(text: str, where: str) -> None:
    """Raise Refused when a choice or product is too long to be a name."""
    if len(text) > NAME_CHARACTERS_MAX:
        refuse(
            Reason.NAME_TOO_LONG,
            where,
            "the text is too long for a name",
            f"at most {NAME_CHARACTERS_MAX} characters",
            mend="declare the field as text when it is not compared",
            found_words=f"{len(text):,}",
        )


def refuse_kind(name: str, kinds: Iterable[str]) -> NoReturn:
    """Raise Refused for a kind of identifier that the playbook does not declare."""
    close = get_close_matches(name, kinds, 1)
    refuse(
        Reason.UNKNOWN_IDENTIFIER,
        f"$.identifiers.{clipped(name)}",
        "unknown kind of identifier",
        ", ".join(kinds) or "none is declared",
        mend=f"did you mean {close[0]}?" if close else "declare it in the playbook under `identifiers`",
        found_words=clipped(name),
    )


def clipped(text: str) -> str:
    """Return a text cut to a length that a sentence can carry."""
    return text if len(text) <= FOUND_CHARACTERS_MAX else text[: FOUND_CHARACTERS_MAX - 1] + "…"


def dropped_name(kind: str, text: str) -> str:
    """Return the words under which a left out identifier is counted."""
    return f"invalid {kind}" if text.strip() else f"empty {kind}"
