"""An ask: a customer stands before us, and a placement has room for a few campaigns (§11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.playbook.model import TriggerKind

from . import candidates, contacts, controls, exploring, feeds, gates, holdouts, rounds, shows
from .clock import INFINITE
from .state import Candidate, Line, Trigger

if TYPE_CHECKING:
    from onevoice.playbook.model import Placement

    from .state import Customer, Row
    from .twin import Twin


def answer(twin: Twin, customer: Customer, row: Row) -> None:
    """Answer an ask at once; one for a placement that the playbook does not know is not answered."""
    placement = twin.book.playbook.placements.get(str(row.fields["placement"]))
    if placement is None or twin.observing:
        return
    lines: dict[int, Line] = {}
    able: list[Candidate] = []
    for candidate in _candidates(twin, customer, placement, row):
        if gates.pick_offer(twin, customer, candidate):
            stop = _first_stop(twin, customer, candidate, placement)
            if stop:
                lines[candidate.number] = stop
            else:
                able.append(candidate)
    _show(twin, customer, placement, able, lines)
    twin.decide("ask", customer, [lines[number] for number in sorted(lines)], placement.name)


def _first_stop(twin: Twin, customer: Customer, candidate: Candidate, placement: Placement) -> Line | None:
    """Return the line of a candidate that may not be shown, by the first gate that stops it."""
    campaign, line = twin.book.campaigns[candidate.number], Line(candidate.campaign, 0, "", offer=_offer(candidate))
    off = controls.is_off(twin, campaign)
    if off is not None:
        return replace(line, reason="paused", rule=off)
    feed = feeds.holding(twin, campaign)
    if feed is not None:
        return replace(line, reason="stale", rule=feed.number, value=feed.told[0], limit=feed.told[1])
    rule = gates.suppressing(twin, customer, candidate, candidate.offer)
    if rule is not None:
        return replace(line, reason="suppressed", rule=rule)
    last = max((show.due for show in customer.shows if show.campaign == campaign.name), default=None)
    if last is not None and campaign.again_after_us and last + campaign.again_after_us > twin.now:
        return replace(line, reason="again_after", value=last, until=last + campaign.again_after_us)
    rest = shows.rest(twin, customer, placement, campaign.name)
    if rest is not None:
        where = list(twin.book.playbook.placements).index(placement.name)
        return replace(line, reason="fatigue", rule=where, value=rest[0], limit=placement.fatigue_times, until=rest[1])
    return _full_cap(twin, customer, candidate, placement)


def _full_cap(twin: Twin, customer: Customer, candidate: Candidate, placement: Placement) -> Line | None:
    if twin.book.is_exempt(twin.book.campaigns[candidate.number], "caps"):
        return None
    load = contacts.full_cap(twin, customer, shows.prospect(twin, candidate, placement), twin.now, follows=False)
    if load is None:
        return None
    told = {"rule": load.rule, "value": load.count, "limit": load.limit, "until": load.until}
    return Line(candidate.campaign, 0, "cap", offer=_offer(candidate), **told)


def _candidates(twin: Twin, customer: Customer, placement: Placement, row: Row) -> list[Candidate]:
    """Return the campaigns in force that name the placement, as candidates of this moment."""
    return [
        Candidate(campaign.name, number, 0, Trigger(row.at, row.fields), twin.now, expiry=campaign.to_us or INFINITE)
        for number, campaign in enumerate(twin.book.campaigns)
        if campaign.when.kind is TriggerKind.ASKED
        and placement.name in campaign.placements
        and candidates.is_in_force(campaign, twin.now)
        and controls.is_stopped(twin, campaign) is None
    ]


def _show(twin: Twin, customer: Customer, placement: Placement, able: list[Candidate], lines: dict[int, Line]) -> None:
    scores = {each.number: gates.score(twin, customer, each, each.offer) for each in able}
    able = sorted(able, key=lambda each: rounds.precedence(twin, customer, each, scores[each.number]))
    waiting = [(each, scores[each.number]) for each in able]
    number = list(twin.book.playbook.placements).index(placement.name)
    last, left, turn = -1, placement.slots, 0
    while left and waiting:
        (chosen, rank), probability = exploring.chosen(twin, customer, waiting, turn, number)
        turn += 1
        waiting = [each for each in waiting if each[0] is not chosen]
        line = Line(chosen.campaign, 0, "won", score=rank, offer=_offer(chosen), probability=probability)
        if holdouts.is_held_out(twin, customer, chosen):
            lines[chosen.number] = replace(line, reason="would_have_won")
            continue
        last, left = chosen.number, left - 1
        lines[last] = replace(line, computed=gates.computed(twin, customer, chosen))
        shows.enter(twin, customer, chosen, placement)
        for each, rank in list(waiting) if left else ():
            stop = _full_cap(twin, customer, each, placement)
            if stop:
                lines[each.number] = stop
                waiting.remove((each, rank))
    if last >= 0:
        shows.forget(twin, customer)
    for each, rank in waiting:
        lines[each.number] = Line(each.campaign, 0, "outranked", value=last, score=rank, offer=_offer(each))


def _offer(candidate: Candidate) -> str:
    return candidate.offer.name if candidate.offer else ""
