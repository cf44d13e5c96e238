"""The single changes after which a campaign would have won, each tried, and one unit less of it.

What is looked for is the least change of one thing, all else being as it was: of what is known of the customer, then of
what stands in the playbook. What waits may go out without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.history.why_not import Change
from onevoice.playbook.model import DAY
from onevoice.runtime.decisions import time_of, us_of
from onevoice.runtime.why_not.customer import customer_changes
from onevoice.runtime.why_not.event import event_changes, trigger_of
from onevoice.runtime.why_not.rules import priority_change, rule_changes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from onevoice.history.decision import Line
    from onevoice.runtime.why_not.trial import Trial


# With what a wish is removed; or is held until something else happens.
GONE: Final = {"won", "expired", "ended", "failed", "stopped", "not_eligible", "would_have_won", "stale"}
SOON_US: Final = 10 * DAY  # how far is looked at first
LATE_US: Final = 400 * DAY


def changes(trial: Trial, lost: Line | None) -> list[Change]:
    """Return the least changes that were found, the smallest first. `lost`: why the campaign lost, if it took part."""
    found = [*customer_changes(trial)]
    place = trigger_of(trial) if lost is None else None
    found += event_changes(trial, place) if place is not None else ()
    found += [*priority_change(trial, lost), *rule_changes(trial, lost)] if lost else ()
    return sorted(found, key=lambda change: change.kind == "playbook")


def wait_changes(trial: Trial, reason: str, until: datetime | None) -> Iterator[Change]:
    """Yield when a campaign wins if nothing else happens after a trial's time, at which it lost for a reason.

    If another reason holds when that is over, it is looked further. When a suppression is over is not recorded.
    """
    first = us_of(until, "until") if until else trial.time + SOON_US if reason == "suppressed" else 0
    horizons = first, first + SOON_US, first + (LATE_US if reason == "suppressed" else SOON_US)
    for last in dict.fromkeys(horizons if first > trial.time else ()):
        for time, line in trial.lines(until=last):
            if line.reason == "won":
                yield from waited(trial, time)
            if line.reason in GONE:
                return


def waited(trial: Trial, time: int) -> Iterator[Change]:
    """Yield that the campaign goes out at a time (µs UTC) if nothing else happens."""
    at = time_of(time)
    assert at, "what was decided has a time"
    when = trial.words.time(at, ZoneInfo(trial.playbook.time_zone))
    yield Change("wait", trial.words.say("change_wait", time=when), "time", "", at.isoformat(), at)
