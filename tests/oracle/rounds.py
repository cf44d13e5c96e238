"""A round: all born candidates of a customer meet, at most one is sent (§10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import candidates, contacts, flights, gates
from .clock import INFINITE
from .conditions import evaluate
from .gates import Stop
from .hashing import MASK, mix, name_hash
from .state import Line, Reason

if TYPE_CHECKING:
    from .state import Candidate, Contact, Customer
    from .twin import Twin

REASONS_THAT_TIME_LIFTS = (Reason.AGAIN_AFTER, Reason.GAP, Reason.CAP)


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
        if isinstance(stop, Stop):
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
    customer.look_anew(twin.now)


def _participants(twin: Twin, customer: Customer) -> list[tuple[tuple[int, int], Candidate]]:
    """Return who takes part: those that follow first, then those that wait."""
    born = [(place, candidate) for place, candidate in sorted(customer.candidates.items()) if candidate.born]
    watched = [each for each in born if each[1].stage == "watched"]
    unseen = [campaign.unseen_after_us for campaign in twin.book.campaigns]
    following = [each for each in watched if each[1].last_due + unseen[each[1].number] <= twin.now]
    return following + [each for each in born if each[1].stage == "waits"]


def verdict(twin: Twin, customer: Customer, candidate: Candidate) -> Stop | str:
    """Return the channel on which a candidate could win, else the stop of the channel that passed the most gates."""
    furthest: Stop | None = None
    for channel in gates.channels(twin, customer, candidate):
        stop = gates.first_stop(twin, customer, candidate, channel)
        if stop is None:
            return channel
        if furthest is None or stop.reason > furthest.reason:
            furthest = stop
    assert furthest, "a campaign sends by at least one channel"
    return furthest


def _block(candidate: Candidate, stop: Stop, lines: dict[tuple[int, int], Line]) -> None:
    candidate.reason = stop.reason
    candidate.due = stop.until if stop.reason in REASONS_THAT_TIME_LIFTS else INFINITE
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
    for candidate, preferred in able[1:]:
        exempt = twin.book.is_exempt(twin.book.campaigns[candidate.number], "gap")
        candidate.due = twin.now + (0 if exempt else twin.book.policies.gap_us)
        candidate.reason = Reason.OUTRANKED
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
    number = contacts.reserve(twin, customer, candidate, channel)
    won = Line(candidate.campaign, candidate.key, "won", channel, rule=follows, score=score, contact=number)
    lines[candidate.number, candidate.key] = won
    candidate.recorded = (int(Reason.WON), channel, follows, 0)
    return candidate, customer.contacts[-1]


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
