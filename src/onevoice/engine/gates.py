"""Gates: what may stop a candidate on a channel, in order (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import (
    caps,
    conditions,
    facts,
    feeds,
    hearsay,
    holding,
    hours,
    ledger,
    resources,
    segments,
    switches,
    waiting,
)
from onevoice.engine import state as at
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import (
    AGAIN_AFTER,
    CAP,
    FAILED,
    GAP,
    HOURS,
    NO_ADDRESS,
    NO_CAPACITY,
    NO_CONSENT,
    PAUSED,
    STALE,
    SUPPRESSED,
    WON,
)
from onevoice.program import (
    CAMPAIGN_AGAIN_US,
    CAMPAIGN_CLASS,
    CAMPAIGN_IF,
    CAMPAIGN_IS_OFFER,
    CAMPAIGN_SENDS,
    CAP_INDEX,
    CHANNEL_KIND,
    CHANNEL_NAME,
    CHANNEL_WINDOWS_FROM,
    CHANNEL_WINDOWS_TO,
    CLASS_CONSENT_REQUIRED,
    CLASS_EXEMPT_CAPS,
    CLASS_EXEMPT_GAP,
    CLASS_PURPOSE,
    FEED_SOURCE,
    P_CAPS_SHOWN,
    P_CHANNEL_TRAIT,
    P_FACT_CONSENT,
    P_GAP_US,
    PROPOSAL_CAMPAIGN,
    PROPOSAL_FAMILY,
    PROPOSAL_IF,
    RESOURCE_LIMIT,
    SUPPRESSION_CLASSES,
    SUPPRESSION_CONDITION,
    SUPPRESSION_JUDGED,
    SUPPRESSION_OFFERS,
    SUPPRESSION_TIMED,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Floats


@kernel
def _has_consent(program: Program, state: State, customer: int, klass: int, channel: int) -> bool:
    """Whether the class's purpose may use a channel: consent given, or never withdrawn where silence will do."""
    fact = program.limits[P_FACT_CONSENT]
    on = state.names[program.channels[channel, CHANNEL_NAME], at.N_HASH]
    purpose = state.names[program.classes[klass, CLASS_PURPOSE], at.N_HASH]
    if facts.key_open(state, customer, fact, mix(on, purpose), 0):
        return True
    if program.classes[klass, CLASS_CONSENT_REQUIRED]:
        return False
    return not facts.was_closed(program, state, customer, fact, on, purpose)


@kernel
def _has_address(program: Program, state: State, customer: int, channel: int) -> bool:
    kind = program.channels[channel, CHANNEL_KIND]
    return kind < 0 or state.identifier_counts[customer, kind] > 0


@kernel
def _stops(program: Program, rule: int, campaign: int) -> bool:
    """Whether a suppression is about a campaign at all."""
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    if (program.suppressions[rule, SUPPRESSION_CLASSES] >> klass) & 1:
        return True
    return program.suppressions[rule, SUPPRESSION_OFFERS] == 1 and program.campaigns[campaign, CAMPAIGN_IS_OFFER] == 1


@kernel
def suppression(
    program: Program, state: State, customer: int, proposal: int, product: int, values: Floats, row: int
) -> int:
    """Return the first suppression that stops a campaign with one of its offers for a customer now, or -1."""
    now = state.scalars[at.NOW]
    campaign = program.proposals[proposal, PROPOSAL_CAMPAIGN]
    for rule in range(program.suppressions.shape[0]):
        if not _stops(program, rule, campaign):
            continue
        if program.suppressions[rule, SUPPRESSION_JUDGED]:
            holds = segments.judged_holds(program, state, customer, rule, now)
        else:
            condition = program.suppressions[rule, SUPPRESSION_CONDITION]
            stack = state.stack
            found = conditions.evaluate(program, state, stack, condition, customer, now, values, row, proposal, product)
            holds = found == 1.0
        if holds:
            return rule
    return -1


@kernel
def describe(program: Program, state: State, customer: int, proposal: int, channel: int, product: int) -> None:
    """Write into `state.scope` what a contact by a channel would be of a campaign with one of its offers."""
    campaign, family = program.proposals[proposal, PROPOSAL_CAMPAIGN], program.proposals[proposal, PROPOSAL_FAMILY]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    caps.describe(program, state, customer, campaign, klass, channel, family, product)


@kernel
def is_way(program: Program, state: State, customer: int, row: int, place: int) -> bool:
    """Whether consent and address let a candidate use its channel at a place, and that is not closed for it."""
    channel = _channel(program, state, row, place)
    if _is_closed(state, row, place) or not _has_address(program, state, customer, channel):
        return False
    klass = program.campaigns[state.candidates[row, at.C_CAMPAIGN], CAMPAIGN_CLASS]
    return _has_consent(program, state, customer, klass, channel)


@kernel
def opens_at(program: Program, state: State, customer: int, channel: int, t: int) -> int:
    """Return the least instant from `t` on at which a channel is open for a customer, INFINITE where none is known."""
    first, last = program.channels[channel, CHANNEL_WINDOWS_FROM], program.channels[channel, CHANNEL_WINDOWS_TO]
    return hours.opens_at(program, state.customers[customer, at.ZONE], first, last, t) if first < last else t


@kernel
def gap_start(program: Program, state: State, customer: int, campaign: int) -> int:
    """Return when the last contact was made from which the gap before a campaign's next counts; NEVER for none."""
    if program.limits[P_GAP_US] == 0:
        return at.NEVER
    if program.classes[program.campaigns[campaign, CAMPAIGN_CLASS], CLASS_EXEMPT_GAP]:
        return ledger.last_of_campaign(program, state, customer, campaign)
    return ledger.last_for_gap(program, state, customer)


@kernel
def _shortage(program: Program, state: State, row: int, channel: int, product: int) -> tuple[int, int]:
    """Return the first resource of which a candidate would not get its part, and what is used of it; -1 for none."""
    if state.scalars[at.TOLD] > 0:
        return hearsay.shortage(program, state, row, channel, product)
    campaign = state.candidates[row, at.C_CAMPAIGN]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    short, _ = resources.first_short(program, state, klass, campaign, channel, product)
    return short, state.resources[short, at.R_USED] if short >= 0 else 0


@kernel
def _timed_gates(
    program: Program, state: State, customer: int, row: int, channel: int, product: int
) -> tuple[int, int, int, int, int]:
    """Return (reason, rule, value, limit, until) of the gates from again_after on; reason is WON where all are open.

    One whom a resource stops has no turn yet: until is INFINITE. What follows another contact has a slot of its own:
    it needs what it uses, keeps hours, and of the caps those that go by channel.
    """
    now, candidate = state.scalars[at.NOW], state.candidates[row]
    campaign, proposal = candidate[at.C_CAMPAIGN], candidate[at.C_PROPOSAL]
    follows = candidate[at.C_STAGE] == at.WATCHED
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    again = program.campaigns[campaign, CAMPAIGN_AGAIN_US]
    if again > 0 and not follows:
        last = ledger.last_of(state, customer, campaign, candidate[at.C_KEY])
        if last + again > now:
            return AGAIN_AFTER, -1, last, 0, last + again
    if program.resources.shape[0] > 0:
        short, used = _shortage(program, state, row, channel, product)
        if short >= 0:
            return NO_CAPACITY, short, used, program.resources[short, RESOURCE_LIMIT], at.INFINITE
    opening = opens_at(program, state, customer, channel, now)
    if opening > now:
        return HOURS, -1, 0, 0, opening
    if not follows:
        gap, last = program.limits[P_GAP_US], gap_start(program, state, customer, campaign)
        if last + gap > now:
            return GAP, -1, last, 0, last + gap
    if not program.classes[klass, CLASS_EXEMPT_CAPS] and program.limits[P_CAPS_SHOWN] > 0:
        describe(program, state, customer, proposal, channel, product)
        cap, count, most, room_at = caps.full_cap(program, state, customer, follows, now, False)
        if cap >= 0:
            return CAP, program.caps[cap, CAP_INDEX], count, most, room_at
    return WON, -1, 0, 0, 0


@kernel
def _off(program: Program, state: State, row: int) -> tuple[int, int, int]:
    """Return (rule, value, limit) of the switch by which a candidate's campaign is off, whatever the channel; or -1."""
    campaign = state.candidates[row, at.C_CAMPAIGN]
    off = switches.first_off(program, state, campaign, switches.IS_PAUSED)
    if state.scalars[at.TOLD] > 0:
        return hearsay.off(program, state, row, off)
    if off < 0:
        return -1, 0, 0
    return switches.reached(program, state, campaign, off)


@kernel
def _hold(state: State, row: int, reason: int, rule: int, value: int, limit: int) -> None:
    """Note that a candidate is held, whatever the channel, until something else than its time lifts it."""
    candidates = state.candidates
    candidates[row, at.C_REASON] = reason
    candidates[row, at.C_CHANNEL] = -1
    candidates[row, at.C_RULE] = rule
    candidates[row, at.C_VALUE] = value
    candidates[row, at.C_LIMIT] = limit
    candidates[row, at.C_UNTIL] = 0
    candidates[row, at.C_WAKES_AT] = at.INFINITE
    candidates[row, at.C_HOURS_ZONE] = -1


@kernel
def _channels(program: Program, state: State, row: int) -> int:
    """Return how many channels a candidate may go by: all of `send`, or the next by which it follows."""
    if state.candidates[row, at.C_STAGE] == at.WATCHED:
        return 1
    return program.campaigns[state.candidates[row, at.C_CAMPAIGN], CAMPAIGN_SENDS]


@kernel
def _channel(program: Program, state: State, row: int, place: int) -> int:
    campaign = state.candidates[row, at.C_CAMPAIGN]
    if state.candidates[row, at.C_STAGE] == at.WATCHED:
        return int(program.follows[campaign, state.candidates[row, at.C_FOLLOWED]])
    return program.sends[campaign, place]


@kernel
def _is_closed(state: State, row: int, place: int) -> bool:
    """Whether a contact of this candidate has failed by the channel at a place."""
    candidates = state.candidates
    return candidates[row, at.C_STAGE] == at.WAITING and (candidates[row, at.C_CLOSED] >> place) & 1 == 1


@kernel
def _own_channel(program: Program, state: State, customer: int, row: int) -> int:
    """Return the place of the channel that the customer prefers, -1 where that is none of the candidate's."""
    trait = program.limits[P_CHANNEL_TRAIT]
    if trait < 0:
        return -1
    name = state.traits[customer, trait]
    if np.isnan(name):
        return -1
    for place in range(_channels(program, state, row)):
        if program.channels[_channel(program, state, row, place), CHANNEL_NAME] == int(name):
            return place
    return -1


@kernel
def pass_all(program: Program, state: State, customer: int, row: int, rule: int) -> None:
    """Find the first channel on which a candidate could go out, or the reason of the one that got furthest.

    `rule`: the suppression that stops it, or -1.
    """
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    candidates[row, at.C_REASON] = candidates[row, at.C_HOURS_ZONE] = -1
    candidates[row, at.C_WAKES_AT] = at.INFINITE
    turn_of, turn_at = candidates[row, at.C_TURN_OF], candidates[row, at.C_TURN_AT]
    candidates[row, at.C_TURN_OF] = -1
    if turn_of >= 0:
        waiting.leave(state, row)
    off, count, most = _off(program, state, row)
    if off >= 0:
        _hold(state, row, PAUSED, off, count, most)
        return
    feed = feeds.holding(program, state, campaign)
    if feed >= 0:
        source, told = program.feeds[feed, FEED_SOURCE], state.feeds[feed]
        _hold(state, row, STALE, source, told[at.F_TOLD_KNOWN], told[at.F_TOLD_FROM])
        return
    klass, proposal = program.campaigns[campaign, CAMPAIGN_CLASS], candidates[row, at.C_PROPOSAL]
    product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
    short_by, own = -1, _own_channel(program, state, customer, row)
    for order in range(-1, _channels(program, state, row)):
        place = own if order < 0 else order
        if place < 0 or order == own:
            continue
        channel = _channel(program, state, row, place)
        which, value, limit, until = -1, 0, 0, 0
        if not _has_consent(program, state, customer, klass, channel):
            reason = NO_CONSENT
        elif not _has_address(program, state, customer, channel):
            reason = NO_ADDRESS
        elif _is_closed(state, row, place):
            reason = FAILED
        elif rule >= 0:
            reason, which = SUPPRESSED, rule
        else:
            reason, which, value, limit, until = _timed_gates(program, state, customer, row, channel, product)
        best, lifts_at = candidates[row, at.C_REASON], candidates[row, at.C_UNTIL]
        if reason == WON or reason > best or (reason == best and until < lifts_at):
            candidates[row, at.C_REASON] = reason
            candidates[row, at.C_CHANNEL] = channel
            candidates[row, at.C_RULE] = which
            candidates[row, at.C_VALUE] = value
            candidates[row, at.C_LIMIT] = limit
            candidates[row, at.C_UNTIL] = until
        if reason == WON:
            return
        _remember_wake(state, customer, row, reason, until)
        if reason == NO_CAPACITY and short_by < 0:
            short_by = channel
    if short_by >= 0 and state.scalars[at.TOLD] > 0:
        hearsay.wait_for_turn(program, state, row, short_by, product)
    elif short_by >= 0:
        _wait_for_turn(program, state, row, short_by, product, turn_of, turn_at)


@kernel
def _wait_for_turn(
    program: Program, state: State, row: int, channel: int, product: int, turn_of: int, turn_at: int
) -> None:
    """Let a candidate wait for its turn at what its channel is short of: the turn it had, if that is to come still."""
    candidates = state.candidates
    campaign, now = candidates[row, at.C_CAMPAIGN], state.scalars[at.NOW]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    resource, amount = resources.first_short(program, state, klass, campaign, channel, product)
    if turn_of != resource or not now < turn_at < at.INFINITE:
        turn_at = resources.turn(program, state, resource, klass, amount)
    candidates[row, at.C_TURN_OF] = resource
    candidates[row, at.C_TURN_AT] = turn_at
    waiting.join(state, row, waiting.line_of(program, resource, klass, channel), amount)
    candidates[row, at.C_WAKES_AT] = min(candidates[row, at.C_WAKES_AT], turn_at)
    if candidates[row, at.C_REASON] == NO_CAPACITY:
        candidates[row, at.C_UNTIL] = turn_at


@kernel
def _remember_wake(state: State, customer: int, row: int, reason: int, until: int) -> None:
    """Let a candidate wake when the first of its channels may be free, and know the zone its hours were read in."""
    candidates = state.candidates
    if until > 0:
        candidates[row, at.C_WAKES_AT] = min(candidates[row, at.C_WAKES_AT], until)
    if reason == HOURS:
        candidates[row, at.C_HOURS_ZONE] = state.customers[customer, at.ZONE]


@kernel
def _is_suppressed(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether a candidate is stopped with its offer; of several, with each whose condition is true."""
    candidates = state.candidates
    start, stop = wishes.proposals_of(program, candidates, row)
    for proposal in range(start, stop):
        product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
        if suppression(program, state, customer, proposal, product, state.contexts, row) >= 0:
            continue
        if stop - start == 1 or wishes.is_eligible(program, state, customer, proposal, product, state.contexts, row):
            return False
    return True


@kernel
def is_free(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether a candidate passes consent, address and suppression on some channel that is not closed."""
    if _is_suppressed(program, state, customer, row):
        return False
    for place in range(_channels(program, state, row)):
        if is_way(program, state, customer, row, place):
            return True
    return False


@kernel
def has_room_again(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether the cap that blocks a candidate has lifted otherwise than by time, for the offer that it stopped."""
    candidates = state.candidates
    proposal = candidates[row, at.C_PROPOSAL]
    product = wishes.product_of(program, proposal, candidates[row, at.C_PRODUCT])
    describe(program, state, customer, proposal, candidates[row, at.C_LAST_CHANNEL], product)
    return caps.has_lifted(program, state, customer, candidates[row, at.C_LAST_RULE], candidates[row, at.C_DUE_AT])


@kernel
def free_again(program: Program, state: State, customer: int, row: int) -> int:
    """Return the next instant at which a suppression of this candidate may change by time alone.

    Where it has several offers, also that at which their conditions may.
    """
    campaign = state.candidates[row, at.C_CAMPAIGN]
    start, stop = wishes.proposals_of(program, state.candidates, row)
    due = at.INFINITE
    for rule in range(program.suppressions.shape[0]):
        timed = program.suppressions[rule, SUPPRESSION_TIMED] and not program.suppressions[rule, SUPPRESSION_JUDGED]
        if timed and _stops(program, rule, campaign):
            condition = program.suppressions[rule, SUPPRESSION_CONDITION]
            for proposal in range(start, stop):
                due = min(due, _changes_at(program, state, customer, row, proposal, condition))
    if stop - start > 1:
        for proposal in range(start, stop):
            for condition in (program.campaigns[campaign, CAMPAIGN_IF], program.proposals[proposal, PROPOSAL_IF]):
                due = min(due, _changes_at(program, state, customer, row, proposal, condition))
    return due


@kernel
def _changes_at(program: Program, state: State, customer: int, row: int, proposal: int, condition: int) -> int:
    """Return the next instant at which a condition about a candidate may change by time alone."""
    if condition < 0:
        return at.INFINITE
    now, stack = state.scalars[at.NOW], state.stack
    product = wishes.product_of(program, proposal, state.candidates[row, at.C_PRODUCT])
    return holding.holds_until(program, state, stack, condition, customer, now, state.contexts, row, proposal, product)
