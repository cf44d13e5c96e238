"""How long the channels of a campaign stay closed, in a week without holidays in which no clock changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.playbook.hours import MINUTES, windows_of
from onevoice.playbook.model import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onevoice.playbook.model import Campaign, Playbook, Policies

_WEEK: Final = 7 * MINUTES

Stretch = tuple[int, int]  # minutes of the week from Monday's midnight; the last not included, it may lie in the next


def longest_closed_us(playbook: Playbook, campaign: Campaign) -> int:
    """Return for how long at most no channel of a campaign opens after one of its wishes is born.

    A wish that starts at a local time is born at known minutes; any other may be born when its channels have just
    closed. 0 where one of them is always open.
    """
    stretches = closed(playbook.policies, campaign.send)
    births = list(_births(playbook, campaign))
    if not births:
        return max((last - first for first, last in stretches), default=0) * MINUTE
    waits = [last - (birth - first) % _WEEK - first for birth in births for first, last in stretches]
    return max([0, *waits]) * MINUTE


def closed(policies: Policies, channels: Sequence[str]) -> list[Stretch]:
    """Return the stretches of the week in which all of these channels are closed."""
    windows = [windows_of(policies, channel) for channel in channels]
    if not all(windows):
        return []
    starts = sorted(
        (day * MINUTES + window.from_minute, day * MINUTES + window.to_minute)
        for each in windows
        for window in each
        for day in window.weekdays
    )
    found: list[Stretch] = []
    open_until = starts[0][1]
    for first, last in [*starts[1:], (starts[0][0] + _WEEK, 0)]:
        if first > open_until:
            found.append((open_until, first))
        open_until = max(open_until, last)
    return found


def _births(playbook: Playbook, campaign: Campaign) -> Iterator[int]:
    """Yield the minutes of the week at which a campaign that starts at a local time is born, in the playbook's zone."""
    after, every = campaign.after_us // MINUTE, campaign.when.every
    if every is not None:
        for day in range(7) if every.weekday < 0 else (every.weekday,):
            yield day * MINUTES + every.minute_of_day + after
    elif campaign.when.at_us:
        at = datetime.fromtimestamp(campaign.when.at_us // SECOND, UTC).astimezone(ZoneInfo(playbook.time_zone))
        yield at.weekday() * MINUTES + at.hour * 60 + at.minute + after
