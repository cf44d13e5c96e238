"""The single changes after which a campaign would have won, each tried, and one unit less of it.

What is looked for is the least change of one thing, all else being as it was: waiting, then what is known of the
customer, then what stands in the playbook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from onevoice.history.why_not import Change
from onevoice.runtime.decisions import time_of, us_of
from onevoice.runtime.why_not.customer import customer_changes
from onevoice.runtime.why_not.event import event_changes, trigger_of
from onevoice.runtime.why_not.rules import index_of, priority_change, rule_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.history.decision import Line
    from onevoice.runtime.why_not.trial import Trial


def changes(trial: Trial, lost: Line | None) -> list[Change]:
    """Return the least changes that were found, the smallest first. `lost`: why the campaign lost, if it took part."""
    found = [*_wait(trial, lost), *customer_changes(trial), *priority_change(trial)]
    place = trigger_of(trial) if lost is None else None
    found += event_changes(trial, place) if place is not None else ()
    found += rule_changes(trial, lost) if lost else ()
    return sorted(found, key=lambda change: change.kind == "playbook")


def _wait(trial: Trial, lost: Line | None) -> Iterator[Change]:
    """Yield when the campaign wins if nothing else happens."""
    until = _over(trial, lost) if lost else 0
    outcome = trial.outcome(until=until) if until > trial.time else None
    if outcome and outcome[1].reason == "won" and outcome[0] > trial.time:
        at = time_of(outcome[0])
        assert at, "what was decided has a time"
        when = trial.words.time(at, ZoneInfo(trial.playbook.time_zone))
        yield Change("wait", trial.words.say("change_wait", time=when), "time", "", at.isoformat(), at)


def _over(trial: Trial, lost: Line) -> int:
    """Return when a reason is over by itself, µs UTC; 0 where it is not. That of a suppression at the latest."""
    if lost.until is not None:
        return us_of(lost.until, "until")
    if lost.reason != "suppressed":
        return 0
    rule = trial.playbook.policies.suppress[index_of(lost.rule)]
    return trial.time + rule.then_us + rule.at_most_us
