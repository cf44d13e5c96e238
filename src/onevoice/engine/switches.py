"""Switches: a campaign, a class or everything paused or stopped, by an event or by a limit of its own (semantics §16).

`state.switches` has a row for each campaign, then for each class, and a last one for everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import record
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import PAUSED, STOP
from onevoice.program import (
    CAMPAIGN_AT_MOST,
    CAMPAIGN_CLASS,
    CAMPAIGN_FAILURES,
    CAMPAIGN_FAILURES_OF,
    FAILURE_PARTS,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program

# What a switch is set to.
ON: Final = 0
IS_PAUSED: Final = 1
IS_STOPPED: Final = 2

# Which of a campaign's three switches.
OF_CAMPAIGN: Final = 0
OF_CLASS: Final = 1
OF_ALL: Final = 2
FAILURES: Final = 3  # its own, which it turned off itself, for so many of its contacts failed


@kernel
def row_of(program: Program, state: State, campaign: int, which: int) -> int:
    """Return the row of one of a campaign's three switches."""
    if which == OF_CAMPAIGN:
        return campaign
    if which == OF_CLASS:
        return program.campaigns.shape[0] + program.campaigns[campaign, CAMPAIGN_CLASS]
    return state.switches.shape[0] - 1


@kernel
def first_off(program: Program, state: State, campaign: int, least: int) -> int:
    """Return which switch of a campaign is set to `least` or beyond, the first of the three; -1 where none is."""
    for which in range(3):
        if state.switches[row_of(program, state, campaign, which), at.W_STATE] >= least:
            return which
    return -1


@kernel
def reached(program: Program, state: State, campaign: int, which: int) -> tuple[int, int, int]:
    """Return (rule, count, limit) of a run that has come to a limit, where a campaign's own switch is off.

    Of others (which, 0, 0). The rule is FAILURES where so many contacts failed.
    """
    own, switch = program.campaigns[campaign], state.switches[campaign]
    contacts, failed = switch[at.W_CONTACTS], switch[at.W_FAILED]
    if which != OF_CAMPAIGN:
        return which, 0, 0
    if 0 < own[CAMPAIGN_AT_MOST] <= contacts:
        return which, contacts, own[CAMPAIGN_AT_MOST]
    limit = (own[CAMPAIGN_FAILURES] * contacts + FAILURE_PARTS - 1) // FAILURE_PARTS
    if 0 < limit <= failed and contacts >= own[CAMPAIGN_FAILURES_OF]:
        return FAILURES, failed, limit
    return which, 0, 0


@kernel
def begin_run(state: State, campaign: int) -> None:
    """Count a campaign's contacts anew."""
    switch = state.switches[campaign]
    switch[at.W_CONTACTS] = switch[at.W_FAILED] = 0
    switch[at.W_FIRST] = state.scalars[at.NEXT_CONTACT]


@kernel
def count_contact(program: Program, state: State, campaign: int) -> None:
    """Count a contact of a campaign's run."""
    state.switches[campaign, at.W_CONTACTS] += 1
    _look_at_limits(program, state, campaign)


@kernel
def count_failure(program: Program, state: State, campaign: int, number: int, by: int) -> None:
    """Count a contact that failed (`by` 1), or arrived after all (-1), if it is of the campaign's present run."""
    if campaign >= 0 and number >= state.switches[campaign, at.W_FIRST]:
        state.switches[campaign, at.W_FAILED] += by
        _look_at_limits(program, state, campaign)


@kernel
def _look_at_limits(program: Program, state: State, campaign: int) -> None:
    """Pause a campaign whose run has come to a limit, and tell so."""
    rule, count, limit = reached(program, state, campaign, OF_CAMPAIGN)
    if limit > 0 and state.switches[campaign, at.W_STATE] == ON:
        state.switches[campaign, at.W_STATE] = IS_PAUSED
        record.decision(state, STOP, -1, -1)
        line = record.line(state, campaign, 0, PAUSED)
        state.lines[line, at.L_RULE] = rule
        state.lines[line, at.L_VALUE] = count
        state.lines[line, at.L_LIMIT] = limit
