"""A round: all born candidates of a customer meet, at most one is sent (§10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import candidates, contacts, controls, gates, resources
from .clock import INFINITE
from .conditions import evaluate, zone_of
from .gates import Stop
from .hashing import MASK, mix, name_hash, text_hash
from .state import Line, Reason

if TYPE_CHECKING:
    from .state import Candidate, Customer
    from .twin import Twin


def hold(twin: Twin, customer: Customer) -> None:
    """Hold the customer's round: drop, stop, compare, send, record."""
    lines: dict[tuple[int, int], Line] = {}
    able: list[tuple[Candidate, str]] = []
    for place, candidate in _participants(customer):
        if not candidates.is_eligible(twin, customer, candidate):
            del customer.candidates[place]
            lines[place] = Line(candidate.campaign, candidate.key, "not_eligible")
            continue
        stop = verdict(twin, customer, candidate)
        if isinstance(stop, list):
            candidate.hours_of = zone_of(twin.book, customer) if _is_closed(stop) else ""
            _block(candidate, stop, lines)
        else:
            able.append((candidate, stop))
    if able:
        _send_the_best(twin, customer, able, lines)
    if lines:
        twin.decide("round", customer, [lines[place] for place in sorted(lines)])
    for line in lines.values():
        if line.reason == "won":
            controls.count(twin, twin.book.playbook.campaigns[line.campaign])
    customer.look_anew(twin.now)


def _participants(customer: Customer) -> list[tuple[tuple[int, int], Candidate]]:
    return [(place, candidate) for place, candidate in sorted(customer.candidates.items()) if candidate.born]


def verdict(twin: Twin, customer: Customer, candidate: Candidate) -> list[Stop] | str:
    """Return the channel on which a candidate could win, else what stops it on each of its channels."""
    before, candidate.turn = candidate.turn, None
    off = controls.is_off(twin, twin.book.campaigns[candidate.number])
    if off is not None:
        return [Stop(Reason.PAUSED, "", off, *controls.reached(twin, twin.book.campaigns[candidate.number], off))]
    stops: list[Stop] = []
    for channel in twin.book.campaigns[candidate.number].send:
        stop = gates.first_stop(twin, customer, candidate, channel)
        if stop is None:
            return channel
        stops.append(stop)
    return _with_turn(twin, candidate, before, stops)


def _with_turn(twin: Twin, candidate: Candidate, before: tuple[str, int] | None, stops: list[Stop]) -> list[Stop]:
    """Give a candidate its turn at what the first of its channels that is short is short of, or let it keep it."""
    short = next((stop for stop in stops if stop.reason is Reason.NO_CAPACITY), None)
    if short is None:
        return stops
    campaign = twin.book.campaigns[candidate.number]
    found = resources.first_short(twin, campaign, short.channel, gates.product_of(twin, candidate))
    assert found, "nothing was taken meanwhile"
    name, part = found
    if before is None or before[0] != name or not twin.now < before[1] < INFINITE:
        before = (name, resources.turn(twin, name, campaign.klass, part))
    candidate.turn = before
    return [replace(stop, until=before[1]) if stop is short else stop for stop in stops]


def _is_closed(stops: list[Stop]) -> bool:
    return any(stop.reason is Reason.HOURS for stop in stops)


def _block(candidate: Candidate, stops: list[Stop], lines: dict[tuple[int, int], Line]) -> None:
    """Give a candidate the reason of the channel that came furthest; it wakes when the first of all may be free."""
    stop = min(stops, key=lambda each: (-each.reason, each.until))  # of equals the first: the preferred one
    candidate.reason = stop.reason
    candidate.due = min((each.until for each in stops if each.until), default=INFINITE)
    told = (int(stop.reason), stop.channel, stop.rule, stop.until)
    if told != candidate.recorded:
        candidate.recorded = told
        lines[candidate.number, candidate.key] = Line(
            candidate.campaign,
            candidate.key,
            stop.reason.name.lower(),
            stop.channel,
            stop.rule,
            stop.value,
            stop.limit,
            stop.until,
        )


def _send_the_best(
    twin: Twin, customer: Customer, able: list[tuple[Candidate, str]], lines: dict[tuple[int, int], Line]
) -> None:
    scores = {id(candidate): score(twin, customer, candidate) for candidate, _ in able}
    able = sorted(able, key=lambda each: precedence(twin, customer, each[0], scores[id(each[0])]))
    winner, channel = able[0]
    del customer.candidates[winner.number, winner.key]
    contact = contacts.commit(twin, customer, winner, channel)
    resources.take(twin, twin.book.campaigns[winner.number], channel, gates.product_of(twin, winner))
    product = text_hash(contact.product, twin.secret) if contact.product else 0
    best = scores[id(winner)]
    won = Line(winner.campaign, winner.key, "won", channel, value=product, score=best, contact=contact.number)
    lines[winner.number, winner.key] = won
    counts = contacts.counts(twin.book, contact)
    for candidate, preferred in able[1:]:
        exempt = twin.book.is_exempt(twin.book.campaigns[candidate.number], "gap")
        candidate.due = twin.now + (twin.book.policies.gap_us if counts and not exempt else 0)
        candidate.reason = Reason.OUTRANKED
        candidate.hours_of = ""
        candidate.recorded = (int(Reason.OUTRANKED), preferred, -1, candidate.due)
        lines[candidate.number, candidate.key] = Line(
            candidate.campaign,
            candidate.key,
            "outranked",
            preferred,
            value=winner.number,
            until=candidate.due,
            score=scores[id(candidate)],
        )


def score(twin: Twin, customer: Customer, candidate: Candidate) -> float | None:
    """Return the rank of a candidate by the policy's expression."""
    campaign = twin.book.campaigns[candidate.number]
    view = gates.view(twin, customer, candidate)
    propensity = twin.book.propensity(campaign)
    if propensity:
        view = replace(view, propensity=evaluate(propensity, view))
    return evaluate(twin.book.rank, view)


def precedence(twin: Twin, customer: Customer, candidate: Candidate, rank: float | None) -> tuple[object, ...]:
    """Return what orders those that could win, the best first."""
    classes = list(twin.book.policies.classes.values())
    klass = twin.book.klass(twin.book.campaigns[candidate.number])
    tier = classes.index(klass) if klass.strict else len(classes)
    lot = mix(mix(*customer.founding), name_hash(candidate.campaign)) & MASK
    return (tier, rank is None, -(rank or 0.0), candidate.expiry, lot, candidate.key)
