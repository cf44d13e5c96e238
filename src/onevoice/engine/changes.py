"""What an event changes of its customer: traits, facts, measures, moments; and the campaigns it triggers.

Semantics §5, §6 and §8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from onevoice.conditions.tree import OFFER_FAMILY, OFFER_PRODUCT
from onevoice.engine import (
    caps,
    conditions,
    contacts,
    facts,
    ledger,
    measures,
    moments,
    segments,
    shows,
)
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.events.batch import (
    TRAIT,
    TRAIT_VALUE,
    TRAITS_FROM,
    TRAITS_TO,
    TYPE,
)
from onevoice.program import (
    ADVANCE_FROM,
    ADVANCE_KEY,
    ADVANCE_MOMENT,
    ADVANCE_TO,
    BEGINS_WHERE,
    BY_MOMENT,
    CAMPAIGN_CLASS,
    CAMPAIGN_KEYED,
    CAMPAIGN_NAME,
    CAMPAIGN_PROPOSALS_FROM,
    CAMPAIGN_PROPOSALS_TO,
    CHANNEL_NAME,
    CLASS_NAME,
    E_BEGINS_FROM,
    E_BEGINS_TO,
    E_FACTS_FROM,
    E_FACTS_TO,
    E_FIFTH,
    E_FIRST,
    E_FOURTH,
    E_MEASURES_FROM,
    E_MEASURES_TO,
    E_MOMENTS_FROM,
    E_MOMENTS_TO,
    E_SECOND,
    E_SPECIAL,
    E_THIRD,
    E_TRIGGERS_FROM,
    E_TRIGGERS_TO,
    KEY_PART,
    MOMENT_CAMPAIGNS_FROM,
    MOMENT_CAMPAIGNS_TO,
    MU_COLUMN,
    MU_MEASURE,
    MU_PART,
    MU_WHERE,
    NO_PART,
    NONE,
    P_ZONE,
    P_ZONE_TRAIT,
    PROPOSAL_OFFER,
    ROLE_CAMPAIGN,
    ROLE_CHANNEL,
    ROLE_CLASS,
    ROLE_OFFER,
    SPECIAL_ASKED,
    SPECIAL_NONE,
    SPECIAL_REACTION,
    SPECIAL_RECEIPT,
    SPECIAL_REPORTED,
    T_CAMPAIGN,
    T_KEY,
    T_WHERE,
    USE_WHERE,
    USED_ROLE,
    USED_WHERE,
)
from onevoice.tables import Tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.engine.state import State
    from onevoice.program import Program


class Columns(Tables):
    """The arrays of a batch whose names are the state's (events/batch.py says what they hold)."""

    fields: ClassVar = {
        "rows": "i2",
        "values": "f2",
        "keys": "i2",
        "identifiers": "i2",
        "traits": "f2",
        "customers": "i1",  # of the event in the same row, written by the step; -1 where it is nobody's, or dropped
    }
    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    keys: NDArray[np.int64]
    identifiers: NDArray[np.int64]
    traits: NDArray[np.float64]
    customers: NDArray[np.int64]


@kernel
def _holds(program: Program, state: State, columns: Columns, row: int, customer: int, where: int) -> bool:
    """Whether a condition over the event alone is true; none is."""
    if where < 0:
        return True
    now = state.scalars[at.NOW]
    return conditions.evaluate(program, state, state.stack, where, customer, now, columns.values, row, -1, -1) == 1.0


@kernel
def set_traits(
    program: Program, state: State, columns: Columns, row: int, customer: int, time: int, position: int
) -> None:
    """Set the traits that an event carries, each if it is not older than what is known."""
    for i in range(columns.rows[row, TRAITS_FROM], columns.rows[row, TRAITS_TO]):
        trait = int(columns.traits[i, TRAIT])
        stamps = state.trait_stamps
        kept = stamps[customer, 2 * trait]
        if time > kept or (time == kept and position >= stamps[customer, 2 * trait + 1]):
            found = columns.traits[i, TRAIT_VALUE]
            state.traits[customer, trait] = found
            stamps[customer, 2 * trait] = time
            stamps[customer, 2 * trait + 1] = position
            if trait == program.limits[P_ZONE_TRAIT]:
                _set_zone(program, state, customer, found)


@kernel
def _set_zone(program: Program, state: State, customer: int, name: float) -> None:
    zone = -1
    if name == name:  # noqa: PLR0124 - NaN is NULL
        zone = state.names[int(name), at.N_ZONE]
    state.customers[customer, at.ZONE] = zone if zone >= 0 else program.limits[P_ZONE]


@kernel
def role_of(program: Program, columns: Columns, row: int, column: int, role: int) -> int:
    """Return what a name in an event stands for in the playbook, or -1."""
    name = columns.values[row, column]
    if name != name or name >= program.roles.shape[0]:  # noqa: PLR0124 - NaN is NULL
        return -1
    return program.roles[int(name), role]


@kernel
def take_special(program: Program, state: State, columns: Columns, row: int, customer: int, time: int) -> None:
    """Take up what the engine itself reads in the built-in events."""
    event = program.event_types[columns.rows[row, TYPE]]
    special = event[E_SPECIAL]
    if special == SPECIAL_NONE or special == SPECIAL_ASKED:
        return
    if special == SPECIAL_REPORTED:
        _take_report(program, state, columns, row, customer, time)
        return
    if special >= SPECIAL_RECEIPT:
        _take_receipt(program, state, columns, row, customer, special - SPECIAL_RECEIPT)
        return
    show = _respond(program, state, columns, row, customer)
    offer = role_of(program, columns, row, event[E_FIRST], ROLE_OFFER)
    if offer >= 0:
        _fill_in(columns, row, event[E_SECOND], program.offers[offer, OFFER_FAMILY])
        _fill_in(columns, row, event[E_THIRD], program.offers[offer, OFFER_PRODUCT])
    if show >= 0 and state.contacts[show, at.K_FAMILY] >= 0:
        _fill_in(columns, row, event[E_SECOND], state.contacts[show, at.K_FAMILY])
    if special == SPECIAL_REACTION:
        family = facts.part_hash(state, columns, row, event[E_SECOND])
        contacts.reacted(program, state, customer, family)
        campaign = role_of(program, columns, row, event[E_FIFTH], ROLE_CAMPAIGN)
        shows.reacted(program, state, customer, family, campaign)


@kernel
def _respond(program: Program, state: State, columns: Columns, row: int, customer: int) -> int:
    """Fill in the campaign and the offer of the show that an event is the response to; returns its row, or -1."""
    event = program.event_types[columns.rows[row, TYPE]]
    if _is_null(columns, row, event[E_FOURTH]):
        return -1
    decision, campaign = columns.values[row, event[E_FOURTH]], columns.values[row, event[E_FIFTH]]
    show = shows.find_shown(program, state, customer, decision, campaign, columns.values[row, event[E_FIRST]])
    if show < 0:
        state.scalars[at.UNKNOWN_DECISIONS] += 1
        return -1
    shown = state.contacts[show, at.K_CAMPAIGN]
    if shown >= 0:
        _fill_in(columns, row, event[E_FIFTH], program.campaigns[shown, CAMPAIGN_NAME])
    if state.contacts[show, at.K_OFFER] >= 0:
        _fill_in(columns, row, event[E_FIRST], state.contacts[show, at.K_OFFER])
    return show


@kernel
def _take_receipt(program: Program, state: State, columns: Columns, row: int, customer: int, reached: int) -> None:
    """Let a contact of the customer reach a state, and fill in what the event leaves unsaid of it."""
    event = program.event_types[columns.rows[row, TYPE]]
    number = columns.values[row, event[E_FIRST]]
    contact = -1
    if 0 <= number < at.INFINITE and number == np.floor(number):
        contact = ledger.row_of(program, state, customer, int(number))
    if contact < 0:
        state.scalars[at.UNKNOWN_CONTACTS] += 1
        return
    told = state.contacts[contact]
    if told[at.K_CAMPAIGN] >= 0:
        _fill_in(columns, row, event[E_SECOND], program.campaigns[told[at.K_CAMPAIGN], CAMPAIGN_NAME])
    if told[at.K_OFFER] >= 0:
        _fill_in(columns, row, event[E_FIFTH], told[at.K_OFFER])
    if told[at.K_CLASS] >= 0:
        _fill_in(columns, row, event[E_THIRD], program.classes[told[at.K_CLASS], CLASS_NAME])
    if told[at.K_CHANNEL] >= 0:
        _fill_in(columns, row, event[E_FOURTH], program.channels[told[at.K_CHANNEL], CHANNEL_NAME])
    contacts.go_up(program, state, customer, contact, reached)


@kernel
def _take_report(program: Program, state: State, columns: Columns, row: int, customer: int, time: int) -> None:
    """Enter a contact that somebody else sent into the ledger; class and offer are the campaign's, unless said."""
    event = program.event_types[columns.rows[row, TYPE]]
    campaign = role_of(program, columns, row, event[E_FIRST], ROLE_CAMPAIGN)
    klass = role_of(program, columns, row, event[E_SECOND], ROLE_CLASS)
    channel = role_of(program, columns, row, event[E_THIRD], ROLE_CHANNEL)
    offer = role_of(program, columns, row, event[E_FOURTH], ROLE_OFFER)
    if campaign >= 0:
        if _is_null(columns, row, event[E_SECOND]):
            klass = program.campaigns[campaign, CAMPAIGN_CLASS]
        if _is_null(columns, row, event[E_FOURTH]):
            first = program.campaigns[campaign, CAMPAIGN_PROPOSALS_FROM]
            is_only = program.campaigns[campaign, CAMPAIGN_PROPOSALS_TO] - first == 1
            offer = program.proposals[first, PROPOSAL_OFFER] if is_only else NONE
    family, product = NONE, NONE
    if offer >= 0:
        family = int(program.offers[offer, OFFER_FAMILY])
        named = program.offers[offer, OFFER_PRODUCT]
        product = int(named) if named == named else NONE  # noqa: PLR0124 - NaN is NULL
    caps.describe(program, state, customer, campaign, klass, channel, family, product)
    ledger.enter(program, state, customer, -1, 0, time)


@kernel
def _is_null(columns: Columns, row: int, column: int) -> bool:
    return columns.values[row, column] != columns.values[row, column]


@kernel
def _fill_in(columns: Columns, row: int, column: int, found: float) -> None:
    if _is_null(columns, row, column):
        columns.values[row, column] = found


@kernel
def record_facts(
    program: Program, state: State, columns: Columns, row: int, customer: int, time: int, position: int
) -> None:
    """Let an event row open and close facts."""
    event = program.event_types[columns.rows[row, TYPE]]
    for use in range(event[E_FACTS_FROM], event[E_FACTS_TO]):
        if _holds(program, state, columns, row, customer, program.fact_uses[use, USE_WHERE]):
            facts.record(program, state, customer, use, columns, row, time, position)


@kernel
def record_measures(
    program: Program, state: State, columns: Columns, row: int, customer: int, time: int, position: int
) -> None:
    """Let an event row be counted."""
    event = program.event_types[columns.rows[row, TYPE]]
    uses = program.measure_uses
    for use in range(event[E_MEASURES_FROM], event[E_MEASURES_TO]):
        column, part = uses[use, MU_COLUMN], uses[use, MU_PART]
        value = columns.values[row, column] if column >= 0 else 0.0
        hashed = facts.part_hash(state, columns, row, part)
        if value != value or (part >= KEY_PART and hashed == 0):  # noqa: PLR0124 - NaN is NULL
            continue
        if _holds(program, state, columns, row, customer, uses[use, MU_WHERE]):
            measures.record(program, state, customer, uses[use, MU_MEASURE], value, hashed, time, position)


@kernel
def trigger(program: Program, state: State, columns: Columns, row: int, customer: int) -> None:
    """Queue the campaigns that wait for this event."""
    event = program.event_types[columns.rows[row, TYPE]]
    for use in range(event[E_TRIGGERS_FROM], event[E_TRIGGERS_TO]):
        if _holds(program, state, columns, row, customer, program.triggers[use, T_WHERE]):
            key = facts.part_hash(state, columns, row, program.triggers[use, T_KEY])
            segments.queue(state, program.triggers[use, T_CAMPAIGN], row, key)


@kernel
def advance_moments(program: Program, state: State, columns: Columns, row: int, customer: int, time: int) -> None:
    """Let an event row advance, or undo, the moments that its type concerns."""
    event = program.event_types[columns.rows[row, TYPE]]
    start, stop = event[E_MOMENTS_FROM], event[E_MOMENTS_TO]
    if moments.concerns_any(program, state, customer, start, stop, time):
        for advance in range(start, stop):
            if moments.concerns(program, state, customer, advance, time):
                part = program.advances[advance, ADVANCE_KEY]
                key = facts.part_hash(state, columns, row, part)
                if part == NO_PART or key != 0:
                    _advance_moment(program, state, columns, row, customer, advance, key, time)
    for begun in range(event[E_BEGINS_FROM], event[E_BEGINS_TO]):
        if _holds(program, state, columns, row, customer, program.begins[begun, BEGINS_WHERE]):
            moments.begin(program, state, customer, begun, time)


@kernel
def _advance_moment(
    program: Program, state: State, columns: Columns, row: int, customer: int, advance: int, key: int, time: int
) -> None:
    """Apply an event to one moment: kills, then steps from the last to the first."""
    uses = program.moment_uses
    moment = program.advances[advance, ADVANCE_MOMENT]
    progress = moments.find_progress(state, customer, moment, key)
    for use in range(program.advances[advance, ADVANCE_FROM], program.advances[advance, ADVANCE_TO]):
        if not moments.may_act(program, state, use, progress):
            continue
        if not _holds(program, state, columns, row, customer, uses[use, USED_WHERE]):
            continue
        if uses[use, USED_ROLE] != moments.STEP:
            progress = moments.undo(program, state, customer, use, progress, time)
            continue
        found = moments.advance(program, state, customer, use, progress, key, time)
        if found == moments.FIRES:
            progress = moments.find_progress(state, customer, moment, key)
            if progress >= 0:
                moments.clear(program, state, customer, moment, progress)
            _queue_moment(program, state, columns, moment, row, key)
            return
        progress = found
    if progress >= 0:
        moments.tidy(program, state, customer, moment, progress)


@kernel
def _queue_moment(program: Program, state: State, columns: Columns, moment: int, row: int, key: int) -> None:
    kind = columns.rows[row, TYPE]
    start, stop = program.moments[moment, MOMENT_CAMPAIGNS_FROM], program.moments[moment, MOMENT_CAMPAIGNS_TO]
    for i in range(start, stop):
        campaign = program.moment_campaigns[i, 0]
        part = int(program.parts[kind, campaign])
        if part == NO_PART:
            wish_key = key if program.campaigns[campaign, CAMPAIGN_KEYED] == BY_MOMENT else 0
        else:
            wish_key = facts.part_hash(state, columns, row, part)
        segments.queue(state, campaign, row, wish_key)
