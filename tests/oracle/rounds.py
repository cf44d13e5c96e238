"""A round: all born candidates of a customer meet, at most one is sent (§10)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import contacts, controls, exploring, feeds, flights, gates, holdouts, look_ahead, resources
from .clock import INFINITE
from .conditions import zone_of
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
        if not gates.pick_offer(twin, customer, candidate):
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
    able = _step_back(twin, customer, able, lines)
    if able:
        sent += _send_the_best(twin, customer, able, lines)
    for candidate, _ in sent:
        place = (candidate.number, candidate.key)
        lines[place] = replace(lines[place], computed=gates.computed(twin, customer, candidate))
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
    before, candidate.turn = candidate.turn, None
    off = controls.is_off(twin, twin.book.campaigns[candidate.number])
    if off is not None:
        return [Stop(Reason.PAUSED, "", *controls.reached(twin, twin.book.campaigns[candidate.number], off))]
    feed = feeds.holding(twin, twin.book.campaigns[candidate.number])
    if feed is not None:
        return [Stop(Reason.STALE, "", feed.number, *feed.told)]
    stops: list[Stop] = []
    for channel in gates.channels(twin, customer, candidate):
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
    candidate.turn, candidate.turn_part = before, part
    return [replace(stop, until=before[1]) if stop is short else stop for stop in stops]


def _is_closed(stops: list[Stop]) -> bool:
    return any(stop.reason is Reason.HOURS for stop in stops)


def _block(
    candidate: Candidate, stops: list[Stop], lines: dict[tuple[int, int], Line], score: float | None = None
) -> None:
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
            score,
            contact=candidate.under_way,
            offer=candidate.offer.name if candidate.offer else "",
        )


def _step_back(
    twin: Twin, customer: Customer, able: list[tuple[Candidate, str]], lines: dict[tuple[int, int], Line]
) -> list[tuple[Candidate, str]]:
    """Block those that the look-ahead keeps back; return the others."""
    kept = look_ahead.kept_back(twin, customer, able)
    for candidate, channel in able:
        if id(candidate) in kept:
            candidate.kept_for, until, rank = kept[id(candidate)]
            candidate.hours_of = ""
            _block(candidate, [Stop(Reason.KEPT_FOR, channel, value=candidate.kept_for, until=until)], lines, rank)
    return [each for each in able if id(each[0]) not in kept]


def _send_the_best(
    twin: Twin, customer: Customer, able: list[tuple[Candidate, str]], lines: dict[tuple[int, int], Line]
) -> list[tuple[Candidate, Contact]]:
    """Reserve the contact of the best whose customer is not held out of it; return it with its candidate."""
    scores = {id(candidate): gates.score(twin, customer, candidate, candidate.offer) for candidate, _ in able}
    able = sorted(able, key=lambda each: precedence(twin, customer, each[0], scores[id(each[0])]))
    won: list[tuple[Candidate, str, float]] = []
    held: list[tuple[Candidate, str, float]] = []
    while able and not won:
        chosen, probability = exploring.chosen(twin, customer, able, len(held))
        able.remove(chosen)
        out = holdouts.is_held_out(twin, customer, chosen[0])
        (held if out else won).append((*chosen, probability))
    sent = [_send(twin, customer, candidate, channel, lines) for candidate, channel, _ in won]
    for candidate, channel, _ in held:
        del customer.candidates[candidate.number, candidate.key]
        contact = contacts.hold_back(twin, customer, candidate, channel)
        lines[candidate.number, candidate.key] = _line(twin, candidate, "would_have_won", channel, contact)
    for candidate, _, probability in [*won, *held]:
        place = (candidate.number, candidate.key)
        lines[place] = replace(lines[place], score=scores[id(candidate)], probability=probability)
    for candidate, channel in able:
        _outrank(twin, candidate, sent[0][0])
        candidate.recorded = (int(Reason.OUTRANKED), channel, -1, candidate.due)
        line = _line(twin, candidate, "outranked", channel)
        lines[candidate.number, candidate.key] = replace(
            line, value=sent[0][0].number, until=candidate.due, score=scores[id(candidate)]
        )
    return sent


def _outrank(twin: Twin, candidate: Candidate, winner: Candidate) -> None:
    exempt = twin.book.is_exempt(twin.book.campaigns[candidate.number], "gap")
    counts = twin.book.klass(twin.book.campaigns[winner.number]).counts
    candidate.due = twin.now + (twin.book.policies.gap_us if counts and not exempt else 0)
    candidate.reason = Reason.OUTRANKED
    candidate.hours_of = ""


def _send(
    twin: Twin, customer: Customer, candidate: Candidate, channel: str, lines: dict[tuple[int, int], Line]
) -> tuple[Candidate, Contact]:
    follows = candidate.last if candidate.stage == "watched" else -1
    contact = contacts.reserve(twin, customer, candidate, channel)
    line = _line(twin, candidate, "won", channel, contact)
    lines[candidate.number, candidate.key] = replace(line, rule=follows, contact=contact.number)
    candidate.recorded = (int(Reason.WON), channel, follows, 0)
    return candidate, contact


def _line(twin: Twin, candidate: Candidate, reason: str, channel: str, contact: Contact | None = None) -> Line:
    product = text_hash(contact.product, twin.secret) if contact and contact.product else 0
    offer = candidate.offer.name if candidate.offer else ""
    return Line(candidate.campaign, candidate.key, reason, channel, value=product, offer=offer)


def precedence(twin: Twin, customer: Customer, candidate: Candidate, rank: float | None) -> tuple[object, ...]:
    """Return what orders those that could win, the best first."""
    classes = list(twin.book.policies.classes.values())
    klass = twin.book.klass(twin.book.campaigns[candidate.number])
    tier = classes.index(klass) if klass.strict else len(classes)
    lot = mix(mix(*customer.founding), name_hash(candidate.campaign)) & MASK
    return (tier, rank is None, -(rank or 0.0), candidate.expiry, lot, candidate.key)
