"""Reading when channels are open: windows of the local day, and the dates on which they are closed."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from onevoice.near import did_you_mean
from onevoice.playbook.grammar import Slip, local_date
from onevoice.playbook.model import Holiday, Window
from onevoice.playbook.record import opened
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from datetime import datetime

    from onevoice.playbook.model import Policies
    from onevoice.playbook.record import Record

ALL: Final = "all"  # stands for every channel that is not named
ALWAYS: Final = "always"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WINDOWS_MAX: Final = 100  # of one channel
HOLIDAYS_MAX: Final = 1_000
MINUTES: Final = 24 * 60  # of a day

_EXPECTED: Final = "hours like `09:00-18:00`, `09:00-18:00 mon-fri` or `10:00-14:00 sat,sun`"
_WINDOW: Final = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)(?:\s+(\S.*))?")
_LEAP_YEAR: Final = 2000  # has every day that any year has


def hours(record: Record) -> dict[str, tuple[Window, ...]]:
    """Read `hours`: by channel its windows, none of one that is always open."""
    node = record.node("hours")
    if node is None or node.empty:
        return {}
    with opened(record.report, node) as channels:
        return {name: _windows(channels, name) for name in channels.nodes}


def windows_of(policies: Policies, channel: str) -> tuple[Window, ...]:
    """Return the windows in which a channel is open; none where it always is."""
    return policies.hours.get(channel, policies.hours.get(ALL, ()))


def is_open(windows: tuple[Window, ...], holidays: tuple[Holiday, ...], local: datetime) -> bool:
    """Tell whether what has such hours is open at a time of the local clock; without windows it always is."""
    if any((day.month, day.day) == (local.month, local.day) and day.year in {0, local.year} for day in holidays):
        return not windows
    minute, weekday = local.hour * 60 + local.minute, local.weekday()
    at = [each for each in windows if weekday in each.weekdays]
    return not windows or any(each.from_minute <= minute < each.to_minute for each in at)


def opens_at(windows: tuple[Window, ...], local: datetime) -> bool:
    """Tell whether one of the windows begins at a time of the local clock."""
    minute, weekday = local.hour * 60 + local.minute, local.weekday()
    return any(each.from_minute == minute and weekday in each.weekdays for each in windows)


def _windows(channels: Record, name: str) -> tuple[Window, ...]:
    if channels.nodes[name].value == ALWAYS:
        channels.node(name)
        return ()
    found = channels.many(name, window, Window(0, MINUTES))
    if channels.nodes[name].value == []:
        mend = f"write `{name}: {ALWAYS}`, or leave the channel out"
        channels.refuse(name, "a channel without hours", expected=_EXPECTED, found="an empty list", mend=mend)
    if len(found) > WINDOWS_MAX:
        channels.refuse(name, "too many windows", expected=f"at most {WINDOWS_MAX}", found=f"{len(found):,}")
    return found


def window(text: str) -> Window:
    """Read `HH:MM-HH:MM [DAYS]`."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        mend = f"of a channel that is always open write only `{ALWAYS}`" if text.strip() == ALWAYS else ""
        raise Slip("not hours", _EXPECTED, quoted(text), mend)
    first, last = (_minute(match[i], match[i + 1]) for i in (1, 3))
    if first >= last:
        raise _backwards(text, match[5] or "")
    return Window(first, last, _weekdays(match[5], text.find(match[5])) if match[5] else tuple(range(7)))


def _minute(hour: str, minute: str) -> int:
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > MINUTES:
        raise Slip("not a time of day", "`00:00` to `24:00`", quoted(f"{hour}:{minute}"))
    return found


def _backwards(text: str, days: str) -> Slip:
    """Say how hours over midnight are written: those after it belong to the next day."""
    first, last = re.findall(r"\d\d:\d\d", text)[:2]
    if last in {first, "00:00"}:
        mend = f"the end of the day is `24:00`: `{first}-24:00`"
    else:
        mend = (
            f"hours over midnight are two, each of its own day: `{first}-24:00{days and f' {days}'}` and `00:00-{last}`"
        )
    return Slip("hours that end before they begin", "an end after the start", quoted(text), mend)


def _weekdays(text: str, offset: int) -> tuple[int, ...]:
    """Read `mon-fri`, `sat` or `mon,wed,fri`; a range may go over the end of the week."""
    found: list[int] = []
    for part in re.finditer(r"[^,]+|(?<=,)$", text):
        start = offset + part.start() + len(part[0]) - len(part[0].lstrip())
        ends = [_weekday(name.strip(), start) for name in part[0].split("-", 1)]
        days = [(ends[0] + ahead) % 7 for ahead in range((ends[-1] - ends[0]) % 7 + 1)]
        if twice := next((day for day in days if day in found), None):
            raise Slip("a day given twice", "each day once", quoted(DAYS[twice]), "", start)
        found += days
    return tuple(sorted(found))


def _weekday(name: str, offset: int) -> int:
    if name in DAYS:
        return DAYS.index(name)
    short = name.lower()[:3]
    mend = f"write `{short}`" if short in DAYS else did_you_mean(name, DAYS)
    raise Slip("not a day of the week", "`mon-fri`, `sat`, `mon,wed,fri`", quoted(name), mend, offset)


def window_text(window: Window) -> str:
    """Return a window as it is written: `09:00-18:00 mon-fri`."""
    first, last = (f"{minute // 60:02}:{minute % 60:02}" for minute in (window.from_minute, window.to_minute))
    return f"{first}-{last} {_days_text(window.weekdays)}".rstrip()


def _days_text(weekdays: tuple[int, ...]) -> str:
    """Write days as a range where they are one, else one by one; nothing where they are all."""
    if len(weekdays) == len(DAYS):
        return ""
    if len(weekdays) > 1 and weekdays[-1] - weekdays[0] == len(weekdays) - 1:
        return f"{DAYS[weekdays[0]]}-{DAYS[weekdays[-1]]}"
    return ",".join(DAYS[day] for day in weekdays)


def holidays(record: Record) -> tuple[Holiday, ...]:
    """Read `holidays`."""
    found = record.many("holidays", holiday, Holiday(1, 1))
    if len(found) > HOLIDAYS_MAX:
        expected = f"at most {HOLIDAYS_MAX:,}; those of each year can be written once, as `12-25`"
        record.refuse("holidays", "too many holidays", expected=expected, found=f"{len(found):,}")
    return found


def holiday(text: str) -> Holiday:
    """Read `2026-12-25`, or `12-25` for each year."""
    try:
        if re.fullmatch(r"\d\d-\d\d", text):
            each = date(_LEAP_YEAR, int(text[:2]), int(text[3:]))
            return Holiday(each.month, each.day)
        found = local_date(text)
    except (ValueError, Slip):
        raise Slip("not a date", "a date like `2026-12-25`, or `12-25` for each year", quoted(text)) from None
    return Holiday(found.month, found.day, found.year)
