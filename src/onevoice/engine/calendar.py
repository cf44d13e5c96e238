"""Local time and calendar periods in a customer's zone.

A period is the half-open range of UTC instants [start, next start). A local midnight that does not exist begins at the
first instant after the gap; one that comes twice, at its first. Once a day has begun it does not go back to the one
before, although the clock may. Weeks begin on Monday. Times are int64 µs UTC; `zones` is `onevoice.zones.Zones`.
"""

from __future__ import annotations

from typing import Any, Final

from onevoice.engine.kernel import kernel
from onevoice.engine.state import INFINITE
from onevoice.program import PERIOD_DAY, PERIOD_MONTH, PERIOD_WEEK

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
MINUTE_US: Final = 60_000_000


@kernel
def zone_row(zones: Any, zone: int, t: int) -> int:
    """Return the row of the zone's tables that is in force at an instant."""
    low = zones.starts[zone, 0]
    high = zones.starts[zone, 1]
    while high - low > 1:
        middle = (low + high) >> 1
        if zones.transitions[middle] <= t:
            low = middle
        else:
            high = middle
    return low


@kernel
def offset_at(zones: Any, zone: int, t: int) -> int:
    """Return how many µs the local clock is ahead of UTC at an instant."""
    return zones.offsets[zone_row(zones, zone, t)]


@kernel
def next_transition(zones: Any, zone: int, t: int) -> int:
    """Return the first instant after `t` at which the zone's offset changes, or INFINITE."""
    row = zone_row(zones, zone, t) + 1
    if row < zones.starts[zone, 1]:
        return zones.transitions[row]
    return INFINITE


@kernel
def local(zones: Any, zone: int, t: int) -> int:
    """Return what the local clock shows at an instant, as µs since 1970-01-01 00:00 of that clock."""
    return t + offset_at(zones, zone, t)


@kernel
def instant_of(zones: Any, zone: int, shown: int) -> int:
    """Return the first instant at which the local clock shows `shown`, or the first after the gap that skips it."""
    row = zone_row(
        zones, zone, shown - DAY_US
    )  # offsets are less than a day: the instant is in this row or a later one
    last = zones.starts[zone, 1] - 1
    while row < last and shown - zones.offsets[row] >= zones.transitions[row + 1]:
        row += 1
    return max(shown - zones.offsets[row], zones.transitions[row])


@kernel
def civil(day: int) -> tuple[int, int, int]:
    """Return year, month and day of month of a day number, 0 being 1970-01-01 (Gregorian, any sign)."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, of_year - (153 * from_march + 2) // 5 + 1


@kernel
def day_number(year: int, month: int, day: int) -> int:
    """Return the day number of a civil date; the inverse of `civil`."""
    from_march = month - 3 if month > 2 else month + 9
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    year_of_era = shifted - era * 400
    of_year = (153 * from_march + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year - 719_468


@kernel
def month_number(day: int) -> int:
    """Return the number of months from January of year 0 to the month of a day number."""
    year, month, _ = civil(day)
    return year * 12 + month - 1


@kernel
def first_of_month(month: int) -> int:
    """Return the day number on which a month (see `month_number`) begins."""
    return day_number(month // 12, month % 12 + 1, 1)


@kernel
def local_day(zones: Any, zone: int, t: int) -> int:
    """Return the number of the local day that contains an instant."""
    day = local(zones, zone, t) // DAY_US
    if instant_of(zones, zone, (day + 1) * DAY_US) <= t:
        day += 1
    return day


@kernel
def period_start(zones: Any, zone: int, period: int, t: int, ahead: int) -> int:
    """Return the instant at which the local day, week or month begins that is `ahead` after the one of `t`."""
    day = local_day(zones, zone, t)
    if period == PERIOD_DAY:
        day += ahead
    elif period == PERIOD_WEEK:
        day += 7 * ahead - (day + 3) % 7
    else:
        assert period == PERIOD_MONTH
        day = first_of_month(month_number(day) + ahead)
    return instant_of(zones, zone, day * DAY_US)
