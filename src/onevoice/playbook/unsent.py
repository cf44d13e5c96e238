"""Campaigns that can never be sent: their times exclude each other, or a rule silences all for whom they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from onevoice.conditions.tree import Apply, Expression, Operator
from onevoice.playbook.check import OFFERS
from onevoice.playbook.grammar import spelled, utc
from onevoice.playbook.model import DAY, Campaign, Every, Playbook, TriggerKind
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEVER: Final = "a campaign that can never be sent"
# Not never: when another campaign's turn comes all that wait are compared, and a trigger that comes again keeps it.
TOO_SOON: Final = "a campaign that runs out before its turn"
_ONLY_SOONER: Final = "it goes out only where the turn of another campaign comes before"
_EVERY_DAYS_MAX: Final = 31  # each repeating time comes within so many days


class Reason(NamedTuple):
    """Why a campaign cannot be sent: the key that is the matter, why that is so, and how to mend it.

    `keys`: those of its times that exclude each other, if it is these.
    """

    key: str
    why: str
    mend: str
    what: str = NEVER
    keys: tuple[str, ...] = ()


def never_sent(playbook: Playbook, campaign: Campaign, expressions: Mapping[str, Expression]) -> Reason | None:
    """Return why a campaign can never be sent; None where the playbook does not prove it."""
    if campaign.when.kind is TriggerKind.ASKED:
        return _silenced(playbook, campaign, expressions)
    return (
        _runs_out(playbook, campaign)
        or _out_of_its_days(playbook, campaign)
        or _silenced(playbook, campaign, expressions)
    )


def wait_of(playbook: Playbook, campaign: Campaign) -> int:
    """Return how long candidates of a campaign are collected before they are compared, in microseconds."""
    if "wait" in playbook.policies.exempt.get(campaign.klass, frozenset()):
        return 0
    return playbook.policies.wait_us if campaign.wait_us < 0 else campaign.wait_us


def stopping_rules(playbook: Playbook, campaign: Campaign) -> Iterator[int]:
    """Give the numbers of the suppressions that can stop a campaign."""
    proposes = bool(campaign.offers) or campaign.when.kind is TriggerKind.PRODUCT
    for i, rule in enumerate(playbook.policies.suppress):
        if campaign.klass in rule.stop or (proposes and OFFERS in rule.stop):
            yield i


def _runs_out(playbook: Playbook, campaign: Campaign) -> Reason | None:
    wait_us = wait_of(playbook, campaign)
    if not campaign.valid_for_us or campaign.valid_for_us > wait_us:
        return None
    why = (
        f"it is valid for {spelled(campaign.valid_for_us)} and waits {spelled(wait_us)} for others to be compared with"
    )
    mend = "lengthen `valid_for`, or add `wait: 0s`"
    return Reason("valid_for", f"{why}: {_ONLY_SOONER}, or it begins anew meanwhile", mend, TOO_SOON)


def _out_of_its_days(playbook: Playbook, campaign: Campaign) -> Reason | None:
    when, first, end, after_us = campaign.when, campaign.from_us, campaign.to_us, campaign.after_us
    if when.kind is TriggerKind.ONCE:
        if when.at_us < first:
            return Reason("when", "that instant is before `from`", "move one of the two", keys=("when", "from"))
        if end and when.at_us >= end:
            return Reason("when", "that instant is after `to`", "move one of the two", keys=("when", "to"))
        first = when.at_us
    if not (first and end):
        return None
    begins = "when" if when.kind is TriggerKind.ONCE else "from"
    if after_us >= end - first:
        keys = (begins, "after", "to")
        return Reason("after", "`to` has passed by then", "shorten `after`, or move `to`", keys=keys)
    zone = ZoneInfo(playbook.time_zone)
    if when.every is not None and not _comes_between(when.every, first, end - after_us, zone):
        keys = ("when", *(["after"] if after_us else []), "from", "to")
        return Reason("when", "that time does not come between `from` and `to`", "move one of them", keys=keys)
    if after_us + (wait_us := wait_of(playbook, campaign)) >= end - first:
        why = f"it waits {spelled(wait_us)} for others to be compared with, and `to` has passed by then"
        return Reason("to", f"{why}: {_ONLY_SOONER}", "move `to`, or add `wait: 0s`", TOO_SOON)
    return None


def _comes_between(every: Every, first: int, end: int, zone: ZoneInfo) -> bool:
    """Tell whether a repeating local time comes at or after one instant and before another."""
    if end - first > (_EVERY_DAYS_MAX + 1) * DAY:
        return True
    day = (
        datetime.fromtimestamp(first // 1_000_000, UTC)
        .astimezone(zone)
        .replace(tzinfo=None, hour=0, minute=0, second=0)
    )
    for _ in range(_EVERY_DAYS_MAX + 2):
        on_day = every.weekday in {-1, day.weekday()} and every.month_day in {0, day.day}
        if on_day and first <= utc(day + timedelta(minutes=every.minute_of_day), zone) < end:
            return True
        day += timedelta(days=1)
    return False


def _silenced(playbook: Playbook, campaign: Campaign, expressions: Mapping[str, Expression]) -> Reason | None:
    """Tell whether a rule without an end stops the campaign under a condition that the campaign itself needs."""
    conditions = {"if": f"campaigns.{campaign.name}.if"}
    if len(campaign.offers) == 1:  # of several another may do
        conditions["offer"] = f"offers.{campaign.offers[0]}.if"
    needed = [
        (each, key)
        for key, path in conditions.items()
        if path in expressions
        for each in parts(expressions[path], Operator.AND)
    ]
    for i in stopping_rules(playbook, campaign):
        rule = expressions.get(f"policies.suppress[{i}].while")
        if rule is None or playbook.policies.suppress[i].at_most_us:
            continue
        silent = list(parts(rule, Operator.OR))
        for each, key in needed:
            if each in silent:
                why = f"{quoted(f'policies.suppress[{i}]')} stops it for just those whom its condition lets through"
                return Reason(key, why, "give it a class that the rule does not stop, or change one of the two")
    return None


def parts(expression: Expression, operator: Operator) -> Iterator[Expression]:
    """Give the expressions that AND or OR joins at the top; the expression itself where it joins none."""
    if isinstance(expression, Apply) and expression.operator is operator:
        for each in expression.arguments:
            yield from parts(each, operator)
    else:
        yield expression
