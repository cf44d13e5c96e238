"""Sources that may stop: how far each is known, and who is held while one is stale (semantics §19).

`state.feeds` has a row for each source with `stale_after` on which campaigns depend. It is looked at when a timer says
so: then it becomes stale, or fresh again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates as wishes
from onevoice.engine import record, switches, timers
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import SOURCE_FRESH, SOURCE_STALE, STALE
from onevoice.engine.store import COUNT
from onevoice.program import (
    CAMPAIGN_FEEDS_FROM,
    CAMPAIGN_FEEDS_TO,
    E_FEEDS_FROM,
    E_FEEDS_TO,
    FEED_SOURCE,
    FEED_STALE_US,
    P_LOOK_AHEAD_US,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


# How far they are known


@kernel
def begin(program: Program, state: State) -> None:
    """Let each source be looked at once the instant of the first line is over."""
    for feed in range(program.feeds.shape[0]):
        if program.feeds[feed, FEED_STALE_US] > 0:
            look_at(state, feed, state.scalars[at.NOW] + 1)


@kernel
def look_at(state: State, feed: int, due: int) -> None:
    """Set when a source is looked at next."""
    state.feeds[feed, at.F_LOOK_AT] = due
    timers.push(state, due, timers.FEED, 0, feed, 0, 0)


@kernel
def hear(program: Program, state: State, kind: int, source: int, time: int) -> None:
    """Let the sources of an event of a type be known up to when it occurred. `source`: of the line, or -1.

    One that is stale and is known far enough by it is fresh when all lines of this instant are read.
    """
    now = state.scalars[at.NOW]
    for use in range(program.event_types[kind, E_FEEDS_FROM], program.event_types[kind, E_FEEDS_TO]):
        feed = program.feed_uses[use, 0]
        row, stale_us = state.feeds[feed], program.feeds[feed, FEED_STALE_US]
        is_theirs = source < 0 or source == program.feeds[feed, FEED_SOURCE]
        if stale_us > 0 and is_theirs and time > row[at.F_KNOWN]:
            row[at.F_KNOWN] = time
            if row[at.F_STALE] == 1 and row[at.F_LOOK_AT] == at.INFINITE and now < time + stale_us:
                look_at(state, feed, now + 1)


@kernel
def look(program: Program, state: State, timer: int) -> None:
    """Take up a timer of a source, if it still holds: find it stale or fresh."""
    feed, now = state.timers[timer, timers.SLOT], state.scalars[at.NOW]
    row, stale_us = state.feeds[feed], program.feeds[feed, FEED_STALE_US]
    if row[at.F_LOOK_AT] != state.timers[timer, timers.DUE] or stale_us == 0:
        return
    row[at.F_LOOK_AT] = at.INFINITE
    stale_from = row[at.F_KNOWN] + stale_us
    is_stale = int(stale_from <= now)
    if row[at.F_STALE] != is_stale:
        is_known = row[at.F_KNOWN] != at.NEVER
        turn(program, state, feed, is_stale, row[at.F_KNOWN] if is_known else 0, stale_from if is_known else 0)
        _tell(program, state, feed)
    if not is_stale:
        look_at(state, feed, stale_from)


@kernel
def turn(program: Program, state: State, feed: int, is_stale: int, known: int, stale_from: int) -> None:
    """Let a source be stale or fresh, and unblock who is free by it."""
    row = state.feeds[feed]
    row[at.F_STALE] = is_stale
    row[at.F_TOLD_KNOWN] = known
    row[at.F_TOLD_FROM] = stale_from
    if is_stale and program.limits[P_LOOK_AHEAD_US] == 0:
        return
    for customer in range(state.pools[at.CUSTOMERS, COUNT]):
        if state.customers[customer, at.CANDIDATE_COUNT] > 0:
            if is_stale:
                free_of_held(program, state, customer)
            else:
                _wake(program, state, customer)


@kernel
def _tell(program: Program, state: State, feed: int) -> None:
    """Record that a source has become stale, or is fresh again, with each campaign that depends on it."""
    row = state.feeds[feed]
    record.decision(state, SOURCE_STALE if row[at.F_STALE] == 1 else SOURCE_FRESH, -1, -1)
    for campaign in range(program.campaigns.shape[0]):
        if _depends(program, campaign, feed):
            line = record.line(state, campaign, 0, STALE)
            state.lines[line, at.L_RULE] = program.feeds[feed, FEED_SOURCE]
            state.lines[line, at.L_VALUE] = row[at.F_TOLD_KNOWN]
            state.lines[line, at.L_LIMIT] = row[at.F_TOLD_FROM]


# Who is held


@kernel
def _depends(program: Program, campaign: int, feed: int) -> bool:
    own = program.campaigns[campaign]
    for use in range(own[CAMPAIGN_FEEDS_FROM], own[CAMPAIGN_FEEDS_TO]):
        if program.campaign_feeds[use, 0] == feed:
            return True
    return False


@kernel
def holding(program: Program, state: State, campaign: int) -> int:
    """Return the first stale source on which a campaign depends; -1 where there is none."""
    own = program.campaigns[campaign]
    for use in range(own[CAMPAIGN_FEEDS_FROM], own[CAMPAIGN_FEEDS_TO]):
        feed = program.campaign_feeds[use, 0]
        if state.feeds[feed, at.F_STALE] == 1:
            return feed
    return -1


@kernel
def is_held(program: Program, state: State, campaign: int) -> bool:
    """Whether nothing may go out of a campaign: it is off, or a source on which it depends is stale."""
    if switches.first_off(program, state, campaign, switches.IS_PAUSED) >= 0:
        return True
    return holding(program, state, campaign) >= 0


@kernel
def free_of_held(program: Program, state: State, customer: int) -> None:
    """Unblock a customer's candidates that were kept back for a campaign that is held now."""
    freed = False
    for campaign in range(program.campaigns.shape[0]):
        if is_held(program, state, campaign):
            freed = wishes.free_kept(state, customer, campaign) or freed
    if freed:
        wishes.set_round(state, customer)


@kernel
def _wake(program: Program, state: State, customer: int) -> None:
    """Unblock a customer's candidates whose campaigns no source holds any more."""
    candidates = state.candidates
    woken = False
    row = state.customers[customer, at.CANDIDATE_HEAD]
    while row >= 0:
        if candidates[row, at.C_BLOCK] == STALE and holding(program, state, candidates[row, at.C_CAMPAIGN]) < 0:
            candidates[row, at.C_BLOCK] = 0
            candidates[row, at.C_DUE_AT] = state.scalars[at.NOW]
            woken = True
        row = candidates[row, at.C_NEXT]
    if woken:
        wishes.set_round(state, customer)
