"""Switches: a campaign, a class or everything paused or stopped, by an event or by a limit of its own (semantics §16).

`state.switches` has a row for each campaign, then for each class, and a last one for everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import record
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.reasons import PAUSED, STOP
from onevoice.program import CAMPAIGN_AT_MOST, CAMPAIGN_CLASS

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
def reached(program: Program, state: State, campaign: int, which: int) -> tuple[int, int]:
    """Return (contacts, limit) of a run that has come to its limit, where a campaign's own switch is off; else 0, 0."""
    limit, contacts = program.campaigns[campaign, CAMPAIGN_AT_MOST], state.switches[campaign, at.W_CONTACTS]
    if which == OF_CAMPAIGN and 0 < limit <= contacts:
        return contacts, limit
    return 0, 0


@kernel
def begin_run(state: State, campaign: int) -> None:
    """Count a campaign's contacts anew."""
    state.switches[campaign, at.W_CONTACTS] = 0


@kernel
def count_contact(program: Program, state: State, campaign: int) -> None:
    """Count a contact of a campaign's run; the one that reaches its limit pauses the campaign, and is told so."""
    switch = state.switches[campaign]
    switch[at.W_CONTACTS] += 1
    limit = program.campaigns[campaign, CAMPAIGN_AT_MOST]
    if limit > 0 and switch[at.W_CONTACTS] >= limit and switch[at.W_STATE] == ON:
        switch[at.W_STATE] = IS_PAUSED
        record.decision(state, STOP, -1, -1)
        line = record.line(state, campaign, 0, PAUSED)
        state.lines[line, at.L_RULE] = OF_CAMPAIGN
        state.lines[line, at.L_VALUE] = switch[at.W_CONTACTS]
        state.lines[line, at.L_LIMIT] = limit
