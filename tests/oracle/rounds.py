"""A round: all born candidates of a customer meet, at most one is sent (§10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import candidates, contacts, controls, flights, gates
from .clock import INFINITE
from .conditions import evaluate, zone_of
from .gates import Stop
from .hashing import MASK, mix, name_hash, text_hash
from .state import Line, Reason

if TYPE_CHECKING:
    from .state import Candidate, Contact, Customer
    from .twin import Twin


def hold(twin: Twin, customer: Customer) -> None:
    """Hold the customer's round: drop, stop, compare, send, record."""
    lines: dict[tuple[int, int], Line] = {}
    able: list[tuple[Candidate, str]] = []
    sent: list[tuple[Candidate, Contact]] = []
    for place, candidate in _participants(twin, customer):
        if not candidates.is_eligible(twin, customer, candidate):
            del customer.candidates[place]
            lines[place] = Line(candidate.campaign, candidate.key, "not_eligible", contact=candidate.under_way)
            continue
        stop = verdict(twin, customer, candidate)
        if isinstance(stop, list):
            candidate.hours_of = zone_of(twin.book, customer) if _is_closed(stop) else ""
            _block(candidate, stop, lines)
        elif candidate.stage == "watched":
            sent.append(_send(twin, customer, candidate, stop, lines))
        else:
            able.append((candidate, stop))
    if able:
        sent.append(_send_the_best(twin, customer, able, lines))
    if lines:
        twin.decide("round", customer, [lines[place] for place in sorted(lines)])
    for candidate, contact in sent:
        flights.leave(twin, customer, candidate, contact)
    for _, line in sorted(lines.items()):
        if line.reason == "won":
            controls.count(twin, twin.book.playbook.campaigns[line.campaign])
    customer.look_anew(twin.now)


def _participants(twin: Twin, customer: Customer) -> list[tuple[tuple[int, int], Candidate]]:
    """Return who takes part: those that follow first, then those that wait."""
    born = [(place, candidate) for place, candidate in sorted(customer.candidates.items()) if candidate.born]
    watched = [each for each in born if each[1].stage == "watched"]
    unseen = [campaign.unseen_after_us for campaign in twin.book.campaigns]
    following = [each for each in watched if each[1].last_due + unseen[each[1].number] <= twin.now]
    return following + [each for each in born if each[1].stage == "waits"]


def verdict(twin: Twin, customer: Customer, candidate: Candidate) -> list[Stop] | str:
    """Return the channel on which a candidate could win, else what stops it on each of its channels."""
    off = controls.is_off(twin, twin.book.campaigns[candidate.number])
    if off is not None:
        return [Stop(Reason.PAUSED, "", off, *controls.reached(twin, twin.book.campaigns[candidate.number], off))]
    stops: list[Stop] = []
    for channel in gates.channels(twin, customer, candidate):
        stop = gates.first_stop(twin, customer, candidate, channel)
        if stop is None:
            return channel
        stops.append(stop)
    return stops


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
            contact=candidate.under_way,
        )


def _send_the_best(
    twin: Twin, customer: Customer, able: list[tuple[Candidate, str]], lines: dict[tuple[int, int], Line]
) -> tuple[Candidate, Contact]:
    scores = {id(candidate): score(twin, customer, candidate) for candidate, _ in able}
    able = sorted(able, key=lambda each: precedence(twin, customer, each[0], scores[id(each[0])]))
    winner, channel = able[0]
    sent = _send(twin, customer, winner, channel, lines, scores[id(winner)])
    counts = contacts.has_part(twin.book, sent[1])
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
    return sent


def _send(
    twin: Twin,
    customer: Customer,
    candidate: Candidate,
    channel: str,
    lines: dict[tuple[int, int], Line],
    score: float | None = None,
) -> tuple[Candidate, Contact]:
    follows = candidate.last if candidate.stage == "watched" else -1
    contact = contacts.reserve(twin, customer, candidate, channel)
    product = text_hash(contact.product, twin.secret) if contact.product else 0
    lines[candidate.number, candidate.key] = Line(
        candidate.campaign,
        candidate.key,
        "won",
        channel,
        rule=follows,
        value=product,
        score=score,
        contact=contact.number,
    )
    candidate.recorded = (int(Reason.WON), channel, follows, 0)
    return candidate, contact


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
