"""Room: how many rows of each table one row of an event, an event and a timer may take at the most.

Kernels allocate nothing and look for room before they change anything: a bound that is too low is a write beyond a
table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice import program as at
from onevoice.engine import state as pool
from onevoice.engine.candidates import CANDIDATES_MAX

if TYPE_CHECKING:
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Ints

_FACT_ROWS: Final = 3  # of one key: its own, its prefix's, the total's
_WISH_TIMERS: Final = 3  # birth, round, expiry
_RECEIPT_TIMERS: Final = 3  # a round, an expiry, a judgement
_OWN_TIMERS: Final = 8  # of the customer, whatever the event
_SPARE_TIMERS: Final = 2  # rows of the heap's table that are never part of it (engine/timers.py)
_OUTCOMES: Final = CANDIDATES_MAX + 1  # each candidate may end, and a round or an ask be decided


def room_for_row(event_types: Ints, moments: Ints, moment_uses: Grouped) -> Ints:
    """Return int64[event type, pool]: what a row of this type may take."""
    facts = event_types[:, at.E_FACTS_TO] - event_types[:, at.E_FACTS_FROM]
    measures = event_types[:, at.E_MEASURES_TO] - event_types[:, at.E_MEASURES_FROM]
    uses = moment_uses.spans[:, 1] - moment_uses.spans[:, 0]
    births = _births(event_types, moments, moment_uses)
    room = np.zeros((len(event_types), pool.POOLS), np.int64)
    room[:, pool.FACTS] = _FACT_ROWS * (facts + 1)
    room[:, pool.GROUPS] = room[:, pool.MEMBERS] = facts
    room[:, pool.CELLS] = measures + 1
    room[:, pool.PANES] = measures
    room[:, pool.PROGRESS] = uses
    room[:, pool.CONTACTS] = 1
    room[:, pool.QUEUE] = births
    room[:, pool.CANDIDATES] = births
    room[:, pool.TIMERS] = facts + uses + _WISH_TIMERS * births + _RECEIPT_TIMERS + 1
    room[:, pool.DECISIONS] = births
    room[:, pool.LINES] = births
    return room


def room_for_event(cells: int, flips: int, schedules: int, campaigns: int, shows: int, resources: int) -> Ints:
    """Return int64[pool]: what comes on top for each event.

    `cells`: how many segments and suppressions there are, and how many memberships in holdouts an ask may decide;
    `flips`: how many campaigns start when a segment is entered or left; `shows`: how many an ask may make;
    `resources`: of each of them a contact may give back its part, which wakes one.
    """
    room = np.zeros(pool.POOLS, np.int64)
    room[pool.CUSTOMERS] = 1
    room[pool.CELLS] = cells + shows
    room[pool.CONTACTS] = shows
    room[pool.QUEUE] = flips
    room[pool.CANDIDATES] = flips
    room[pool.TIMERS] = _SPARE_TIMERS + _OWN_TIMERS + _WISH_TIMERS * flips + schedules + resources
    room[pool.DECISIONS] = flips + _OUTCOMES
    room[pool.LINES] = flips + _OUTCOMES + campaigns
    room[pool.IDS] = 1
    return room


def room_for_timer(event: Ints, campaigns: int) -> Ints:
    """Return int64[pool]: what a timer may take. It may judge like an event, and wish for each campaign."""
    room = event.copy()
    room[pool.CUSTOMERS] = 0
    room[pool.IDS] = 0
    room[pool.FACTS] = _FACT_ROWS
    room[pool.PANES] = 1
    room[pool.CELLS] += 1
    room[pool.CONTACTS] = 1
    room[pool.CANDIDATES] += campaigns
    room[pool.TIMERS] += _WISH_TIMERS * campaigns + _OWN_TIMERS
    room[pool.DECISIONS] += campaigns
    room[pool.LINES] += campaigns
    return room


def _births(event_types: Ints, moments: Ints, moment_uses: Grouped) -> Ints:
    """Return int64[event type]: how many campaigns a row of this type may start, by itself or by completing moments."""
    births = event_types[:, at.E_TRIGGERS_TO] - event_types[:, at.E_TRIGGERS_FROM]
    started = moments[:, at.MOMENT_CAMPAIGNS_TO] - moments[:, at.MOMENT_CAMPAIGNS_FROM]
    for number in range(len(births)):
        births[number] += started[np.unique(moment_uses.of(number)[:, at.USED_BY])].sum()
    return births
