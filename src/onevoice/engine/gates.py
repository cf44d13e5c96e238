"""Gates: what may stop a candidate on a channel, in order (semantics §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import caps, conditions, facts, holding, hours, ledger, segments, switches
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
    NO_CONSENT,
    PAUSED,
    SUPPRESSED,
    WON,
)
from onevoice.program import (
    CAMPAIGN_AGAIN_US,
    CAMPAIGN_CLASS,
    CAMPAIGN_FAMILY,
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
    P_CHANNEL_TRAIT,
    P_FACT_CONSENT,
    P_GAP_US,
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
    if facts.key_open(state, customer, fact, mix(on, purpose)):
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
    program: Program, state: State, customer: int, campaign: int, product: int, values: Floats, row: int
) -> int:
    """Return the first suppression that stops a campaign for a customer now, or -1."""
    now = state.scalars[at.NOW]
    for rule in range(program.suppressions.shape[0]):
        if not _stops(program, rule, campaign):
            continue
        if program.suppressions[rule, SUPPRESSION_JUDGED]:
            holds = segments.judged_holds(program, state, customer, rule, now)
        else:
            condition = program.suppressions[rule, SUPPRESSION_CONDITION]
            stack = state.stack
            found = conditions.evaluate(program, state, stack, condition, customer, now, values, row, campaign, product)
            holds = found == 1.0
        if holds:
            return rule
    return -1


@kernel
def describe(program: Program, state: State, customer: int, campaign: int, channel: int, product: int) -> None:
    """Write into `state.scope` what a campaign's contact by a channel would be."""
    klass, family = program.campaigns[campaign, CAMPAIGN_CLASS], program.campaigns[campaign, CAMPAIGN_FAMILY]
    caps.describe(program, state, customer, campaign, klass, channel, family, product)


@kernel
def _opens_at(program: Program, state: State, customer: int, channel: int) -> int:
    """Return when a channel is open for a customer next; now, where it is."""
    first, last = program.channels[channel, CHANNEL_WINDOWS_FROM], program.channels[channel, CHANNEL_WINDOWS_TO]
    now = state.scalars[at.NOW]
    return hours.opens_at(program, state.customers[customer, at.ZONE], first, last, now) if first < last else now


@kernel
def _timed_gates(
    program: Program, state: State, customer: int, row: int, channel: int, product: int
) -> tuple[int, int, int, int, int]:
    """Return (reason, rule, value, limit, until) of again_after, hours, gap and caps; WON where all are open.

    What follows has a slot of its own: it keeps hours, and of the caps those that go by channel.
    """
    campaign, follows = state.candidates[row, at.C_CAMPAIGN], state.candidates[row, at.C_STAGE] == at.WATCHED
    now = state.scalars[at.NOW]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    again = program.campaigns[campaign, CAMPAIGN_AGAIN_US]
    if again > 0 and not follows:
        last = ledger.last_of(state, customer, campaign, state.candidates[row, at.C_KEY])
        if last + again > now:
            return AGAIN_AFTER, -1, last, 0, last + again
    opens_at = _opens_at(program, state, customer, channel)
    if opens_at > now:
        return HOURS, -1, 0, 0, opens_at
    gap = program.limits[P_GAP_US]
    if gap > 0 and not follows:
        if program.classes[klass, CLASS_EXEMPT_GAP]:
            last = ledger.last_of_campaign(program, state, customer, campaign)
        else:
            last = ledger.last_for_gap(program, state, customer)
        if last + gap > now:
            return GAP, -1, last, 0, last + gap
    if not program.classes[klass, CLASS_EXEMPT_CAPS] and program.caps.shape[0] > 0:
        describe(program, state, customer, campaign, channel, product)
        cap, count, most, room_at = caps.full_cap(program, state, customer, follows)
        if cap >= 0:
            return CAP, program.caps[cap, CAP_INDEX], count, most, room_at
    return WON, -1, 0, 0, 0


@kernel
def _pause(program: Program, state: State, row: int, which: int) -> None:
    """Note that a candidate's campaign is off by one of its switches, whatever the channel."""
    candidates = state.candidates
    value, limit = switches.reached(program, state, candidates[row, at.C_CAMPAIGN], which)
    candidates[row, at.C_REASON] = PAUSED
    candidates[row, at.C_CHANNEL] = -1
    candidates[row, at.C_RULE] = which
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
def pass_all(program: Program, state: State, customer: int, row: int) -> None:
    """Find the first channel on which a candidate could go out, or the reason of the one that got furthest."""
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    off = switches.first_off(program, state, campaign, switches.IS_PAUSED)
    if off >= 0:
        _pause(program, state, row, off)
        return
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    product = wishes.product_of(program, candidates, row)
    rule = suppression(program, state, customer, campaign, product, state.contexts, row)
    candidates[row, at.C_REASON] = candidates[row, at.C_HOURS_ZONE] = -1
    candidates[row, at.C_WAKES_AT] = at.INFINITE
    own = _own_channel(program, state, customer, row)
    for turn in range(-1, _channels(program, state, row)):
        place = own if turn < 0 else turn
        if place < 0 or turn == own:
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


@kernel
def _remember_wake(state: State, customer: int, row: int, reason: int, until: int) -> None:
    """Let a candidate wake when the first of its channels may be free, and know the zone its hours were read in."""
    candidates = state.candidates
    if until > 0:
        candidates[row, at.C_WAKES_AT] = min(candidates[row, at.C_WAKES_AT], until)
    if reason == HOURS:
        candidates[row, at.C_HOURS_ZONE] = state.customers[customer, at.ZONE]


@kernel
def is_free(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether a candidate passes consent, address and suppression on some channel that is not closed."""
    candidates = state.candidates
    campaign = candidates[row, at.C_CAMPAIGN]
    klass = program.campaigns[campaign, CAMPAIGN_CLASS]
    product = wishes.product_of(program, candidates, row)
    if suppression(program, state, customer, campaign, product, state.contexts, row) >= 0:
        return False
    for place in range(_channels(program, state, row)):
        channel = _channel(program, state, row, place)
        is_able = _has_address(program, state, customer, channel) and not _is_closed(state, row, place)
        if is_able and _has_consent(program, state, customer, klass, channel):
            return True
    return False


@kernel
def has_room_again(program: Program, state: State, customer: int, row: int) -> bool:
    """Whether the cap that blocks a candidate has lifted otherwise than by time."""
    candidates = state.candidates
    product = wishes.product_of(program, candidates, row)
    describe(program, state, customer, candidates[row, at.C_CAMPAIGN], candidates[row, at.C_LAST_CHANNEL], product)
    return caps.has_lifted(program, state, customer, candidates[row, at.C_LAST_RULE], candidates[row, at.C_DUE_AT])


@kernel
def free_again(program: Program, state: State, customer: int, row: int) -> int:
    """Return the next instant at which a suppression of this candidate may change by time alone."""
    candidates = state.candidates
    campaign, now = candidates[row, at.C_CAMPAIGN], state.scalars[at.NOW]
    product = wishes.product_of(program, candidates, row)
    due = at.INFINITE
    for rule in range(program.suppressions.shape[0]):
        timed = program.suppressions[rule, SUPPRESSION_TIMED] and not program.suppressions[rule, SUPPRESSION_JUDGED]
        if timed and _stops(program, rule, campaign):
            condition = program.suppressions[rule, SUPPRESSION_CONDITION]
            until = holding.holds_until(
                program, state, state.stack, condition, customer, now, state.contexts, row, campaign, product
            )
            due = min(due, until)
    return due
