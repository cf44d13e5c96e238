"""An ask: a customer stands before us, and a placement has room for a few campaigns (§11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.model import TriggerKind

from . import candidates, controls, gates, rounds
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
        off = controls.is_off(twin, twin.book.campaigns[candidate.number])
        rule = gates.suppressing(twin, customer, candidate)
        if off is not None:
            lines[candidate.number] = Line(candidate.campaign, 0, "paused", rule=off)
        elif rule is None:
            able.append(candidate)
        else:
            lines[candidate.number] = Line(candidate.campaign, 0, "suppressed", rule=rule)
    _show(twin, customer, placement, able, lines)
    twin.decide("ask", customer, [lines[number] for number in sorted(lines)], placement.name)


def _candidates(twin: Twin, customer: Customer, placement: Placement, row: Row) -> list[Candidate]:
    """Return the eligible campaigns that name the placement, as candidates of this moment."""
    found = [
        Candidate(campaign.name, number, 0, Trigger(row.at, row.fields), twin.now, expiry=campaign.to_us or INFINITE)
        for number, campaign in enumerate(twin.book.campaigns)
        if campaign.when.kind is TriggerKind.ASKED
        and placement.name in campaign.placements
        and candidates.is_in_force(campaign, twin.now)
        and controls.is_stopped(twin, campaign) is None
    ]
    return [each for each in found if candidates.is_eligible(twin, customer, each)]


def _show(twin: Twin, customer: Customer, placement: Placement, able: list[Candidate], lines: dict[int, Line]) -> None:
    scores = {each.number: rounds.score(twin, customer, each) for each in able}
    able = sorted(able, key=lambda each: rounds.precedence(twin, customer, each, scores[each.number]))
    shown, others = able[: placement.slots], able[placement.slots :]
    for each in shown:
        lines[each.number] = Line(each.campaign, 0, "won", score=scores[each.number])
    for each in others:
        last = shown[-1].number
        lines[each.number] = Line(each.campaign, 0, "outranked", value=last, score=scores[each.number])
