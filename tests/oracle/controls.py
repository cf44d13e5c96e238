"""Switches: campaigns, classes and everything paused, resumed and stopped; and the limit of a run (§16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import candidates, look_ahead
from .state import Decision, Line, Reason

if TYPE_CHECKING:
    from onevoice.playbook.model import Campaign

    from .state import Row
    from .twin import Twin

TURNS = {"campaign_paused": "paused", "campaign_resumed": "on", "campaign_stopped": "stopped"}


@dataclass
class Switch:
    state: str = "on"
    contacts: int = 0  # of a campaign, in its present run


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
        known, place = True, ("all", "")
    if not known:
        return
    switch = twin.switches.setdefault(place, Switch())
    switch.state = TURNS[row.type]
    if switch.state == "on":
        switch.contacts = 0
        _wake(twin)
    elif switch.state == "stopped":
        _end(twin)
    else:
        look_ahead.free_of_paused(twin)


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


def reached(twin: Twin, campaign: Campaign, which: int) -> tuple[int, int]:
    """Return (contacts, limit) where the campaign's own switch is meant and its run has come to its limit."""
    own, limit = three(twin, campaign)[0], campaign.at_most_contacts
    return (own.contacts, limit) if which == 0 and limit and own.contacts >= limit else (0, 0)


def begin_run(twin: Twin, campaign: Campaign) -> None:
    three(twin, campaign)[0].contacts = 0


def count(twin: Twin, campaign: Campaign) -> None:
    """Count a contact that was made, its decision being recorded; at its limit the campaign pauses itself."""
    own = three(twin, campaign)[0]
    own.contacts += 1
    if campaign.at_most_contacts and own.contacts >= campaign.at_most_contacts and own.state == "on":
        own.state = "paused"
        nothing = (None,) * len(twin.book.computed_names)
        limit = campaign.at_most_contacts
        line = Line(campaign.name, 0, "paused", rule=0, value=own.contacts, limit=limit, computed=nothing)
        twin.decisions.append(Decision(len(twin.decisions), "stop", twin.now, twin.position, -1, "", (line,)))
