"""Switches: campaigns, classes and everything paused, resumed and stopped; and the limit of a run (§16)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from . import candidates, look_ahead
from .state import Decision, Line, Reason

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign

    from .state import Contact, Row
    from .twin import Twin

FAILURES = 3  # the rule of a line: its own switch, which it turned off for so many failures
TURNS = {"campaign_paused": "paused", "campaign_resumed": "on", "campaign_stopped": "stopped"}


@dataclass
class Switch:
    state: str = "on"
    contacts: int = 0  # of a campaign, in its present run
    failed: int = 0  # of those
    first: int = 0  # the number from which on contacts are of that run


def three(twin: Twin, campaign: Campaign) -> list[Switch]:
    """Return the switches that a campaign hangs on: its own, its class's, that of everything."""
    places = (("campaign", campaign.name), ("class", campaign.klass), ("all", ""))
    return [twin.switches.setdefault(place, Switch()) for place in places]


def first(twin: Twin, campaign: Campaign, states: tuple[str, ...]) -> int | None:
    """Return the place of the first of a campaign's switches that is in one of these states."""
    return next((place for place, each in enumerate(three(twin, campaign)) if each.state in states), None)


def is_stopped(twin: Twin, campaign: Campaign) -> int | None:
    return first(twin, campaign, ("stopped",))


def is_off(twin: Twin, campaign: Campaign) -> int | None:
    return first(twin, campaign, ("paused", "stopped"))


def take_up(twin: Twin, row: Row) -> None:
    """Turn the switch that an event names, and look at all who wait."""
    campaign, klass = row.fields["campaign"], row.fields["class"]
    if campaign is not None:
        known, place = campaign in twin.book.playbook.campaigns, ("campaign", str(campaign))
    elif klass is not None:
        known, place = klass in twin.book.policies.classes, ("class", str(klass))
    else:
        known, place = row.fields["everything"] is True, ("all", "")
    if not known:
        twin.without_effect += 1
        return
    switch = twin.switches.setdefault(place, Switch())
    switch.state = TURNS[row.type]
    if switch.state == "on":
        if place[0] == "campaign":
            begin_run(twin, twin.book.playbook.campaigns[place[1]])
        _wake(twin)
    elif switch.state == "stopped":
        _end(twin)
    else:
        look_ahead.free_of_held(twin)


def _wake(twin: Twin) -> None:
    for customer in twin.roots():
        for candidate in customer.candidates.values():
            campaign = twin.book.campaigns[candidate.number]
            if candidate.reason == Reason.PAUSED and is_off(twin, campaign) is None:
                candidate.reason, candidate.due = 0, twin.now


def _end(twin: Twin) -> None:
    for customer in twin.roots():
        for _, candidate in sorted(customer.candidates.items()):
            which = is_stopped(twin, twin.book.campaigns[candidate.number])
            if which is not None and candidate.born:
                candidates.close(twin, customer, candidate, "stopped", which)
            elif which is not None:
                candidates.let_go(twin, customer, candidate)


def reached(twin: Twin, campaign: Campaign, which: int) -> tuple[int, int, int]:
    """Return (rule, count, limit) where the campaign's own switch is meant and its run has come to a limit."""
    own = three(twin, campaign)[0]
    if which:
        return which, 0, 0
    if campaign.at_most_contacts and own.contacts >= campaign.at_most_contacts:
        return 0, own.contacts, campaign.at_most_contacts
    share = Fraction(f"{campaign.failures_share:.6f}")
    if share and own.contacts >= campaign.failures_of_at_least and own.failed >= share * own.contacts:
        return FAILURES, own.failed, ceil(share * own.contacts)
    return 0, 0, 0


def begin_run(twin: Twin, campaign: Campaign) -> None:
    own = three(twin, campaign)[0]
    own.contacts, own.failed, own.first = 0, 0, twin.contacts_made


def count(twin: Twin, campaign: Campaign) -> None:
    """Count a contact that was made, its decision being recorded."""
    three(twin, campaign)[0].contacts += 1
    _pause_at_limit(twin, campaign)


def count_failure(twin: Twin, contact: Contact, by: int) -> None:
    """Count a contact that has failed, or has arrived after all, in its run if that is the present one."""
    campaign = twin.book.playbook.campaigns[contact.campaign]
    own = three(twin, campaign)[0]
    if contact.number >= own.first:
        own.failed += by
        _pause_at_limit(twin, campaign)


def _pause_at_limit(twin: Twin, campaign: Campaign) -> None:
    own = three(twin, campaign)[0]
    rule, value, limit = reached(twin, campaign, 0)
    if limit and own.state == "on":
        own.state = "paused"
        nothing = (None,) * len(twin.book.computed_names)
        line = Line(campaign.name, 0, "paused", rule=rule, value=value, limit=limit, computed=nothing)
        twin.decisions.append(Decision(len(twin.decisions), "stop", twin.now, twin.position, -1, "", (line,)))
