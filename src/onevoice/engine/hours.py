"""Hours: when a channel is open on a customer's local clock (semantics §10).

One reading of the local clock gives date, weekday and time of day, so that they cannot disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine.calendar import DAY_US, civil, next_transition, offset_at
from onevoice.engine.kernel import kernel
from onevoice.engine.state import INFINITE
from onevoice.program import WINDOW_FROM_US, WINDOW_TO_US, WINDOW_WEEKDAYS, YEAR

if TYPE_CHECKING:
    from onevoice.program import Program
    from onevoice.tables import Ints

AHEAD_US: Final = 400 * DAY_US  # an opening that is not before this is none


@kernel
def _is_listed(dates: Ints, wanted: int) -> bool:
    """Whether a number is in a sorted list."""
    low, high = 0, dates.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if dates[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < dates.shape[0] and dates[low] == wanted


@kernel
def _is_holiday(dates: Ints, day: int) -> bool:
    if dates.shape[0] == 0:
        return False
    year, month, of_month = civil(day)
    of_year = month * 100 + of_month
    return _is_listed(dates, of_year) or _is_listed(dates, year * YEAR + of_year)


@kernel
def _opens_on(program: Program, first: int, last: int, day: int, shown: int) -> int:
    """Return the least time, from `shown` on, at which windows are open on a local day; INFINITE where they are not.

    `shown` and what is returned are µs of the local clock, as `calendar.local` gives them.
    """
    if _is_holiday(program.holidays, day):
        return INFINITE
    midnight, weekday = day * DAY_US, (day + 3) % 7  # day 0 was a Thursday
    found = INFINITE
    for row in range(first, last):
        window = program.windows[row]
        if (window[WINDOW_WEEKDAYS] >> weekday) & 1 and shown < midnight + window[WINDOW_TO_US]:
            found = min(found, max(shown, midnight + window[WINDOW_FROM_US]))
    return found


@kernel
def opens_at(program: Program, zone: int, first: int, last: int, t: int) -> int:
    """Return the least instant from `t` on at which one of the windows `[first, last)` is open, `t` where one is now.

    INFINITE where none is open before `t` + AHEAD_US. Between two changes of the zone's clock local time runs evenly,
    so each stretch is looked through by itself, day by day.
    """
    end = t + AHEAD_US
    while t < end:
        offset = offset_at(program.zones, zone, t)
        until = min(end, next_transition(program.zones, zone, t))
        shown, last_shown = t + offset, until + offset
        day = shown // DAY_US
        while day * DAY_US < last_shown:
            found = _opens_on(program, first, last, day, shown)
            if found < last_shown:
                return found - offset
            day += 1
        t = until
    return INFINITE
