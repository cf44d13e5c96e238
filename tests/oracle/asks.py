"""An ask: a customer stands before us, and a placement has room for a few campaigns (§11)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.playbook.model import TriggerKind

from . import candidates, controls, exploring, gates, holdouts, rounds
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
        if not gates.pick_offer(twin, customer, candidate):
            continue
        off = controls.is_off(twin, twin.book.campaigns[candidate.number])
        rule = gates.suppressing(twin, customer, candidate, candidate.offer)
        if off is not None:
            lines[candidate.number] = Line(candidate.campaign, 0, "paused", rule=off, offer=_offer(candidate))
        elif rule is None:
            able.append(candidate)
        else:
            lines[candidate.number] = Line(candidate.campaign, 0, "suppressed", rule=rule, offer=_offer(candidate))
    _show(twin, customer, placement, able, lines)
    twin.decide("ask", customer, [lines[number] for number in sorted(lines)], placement.name)


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
    for each, rank in waiting:
        lines[each.number] = Line(each.campaign, 0, "outranked", value=last, score=rank, offer=_offer(each))


def _offer(candidate: Candidate) -> str:
    return candidate.offer.name if candidate.offer else ""
