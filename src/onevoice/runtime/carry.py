"""What waits at a swap of playbooks: candidates of campaigns that the new one has too go on waiting under its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from onevoice.engine import candidates as wishes
from onevoice.engine import contacts, feeds, growth, ledger, timers
from onevoice.engine import holdouts as holding
from onevoice.engine import resources as scarce
from onevoice.engine import state as at
from onevoice.engine import switches as off
from onevoice.engine.contact_states import SHOWN
from onevoice.engine.store import COUNT, HIGH, KEY, OWNER, SLOT_BITS, SLOT_MASK, take
from onevoice.playbook.model import FieldType
from onevoice.playbook.resources import rates
from onevoice.playbook.scopes import trigger_event
from onevoice.program import (
    CAMPAIGN_PROPOSALS_FROM,
    CAMPAIGN_PROPOSALS_TO,
    CAMPAIGN_SENDS,
    CAMPAIGN_TO,
    FEED_SOURCE,
    P_SLOT_HOLDOUTS,
    PROPOSAL_OFFER,
    RESOURCE_IS_MONEY,
    RESOURCE_LENGTH_US,
    RESOURCE_PERIOD,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from onevoice.events.schema import Field
    from onevoice.playbook.model import Campaign, Playbook
    from onevoice.runtime.fold import Fold

_PROPOSALS: Final = (CAMPAIGN_PROPOSALS_FROM, CAMPAIGN_PROPOSALS_TO)

Waiting = tuple[int, int, int, int]  # new customer, new campaign, key, row of the old table


def survivor(state: at.State, customer: int) -> int:
    """Return who a customer is after all merges."""
    while int(state.customers[customer, at.ALIAS]) != customer:
        customer = int(state.customers[customer, at.ALIAS])
    return customer


class Became(NamedTuple):
    """What became of a contact: its state, and whether it was sent, be it that it failed then."""

    state: int
    was_sent: bool


def became(fold: Fold) -> dict[int, Became]:
    """Return what became of each contact that a state remembers, by its number."""
    columns = [at.K_NUMBER, at.K_STATE, at.K_COUNTED]
    contacts = fold.machine.state.contacts[: fold.machine.state.pools[at.CONTACTS, HIGH]]
    found: list[list[int]] = contacts[_is_made(contacts)][:, columns].tolist()
    return {number: Became(state, bool(counted)) for number, state, counted in found}


def states(new: Fold, known: Mapping[int, Became]) -> None:
    """Leave contacts what became of them: by another identity, who told it may be somebody else than who had them."""
    contacts = new.machine.state.contacts[: new.machine.state.pools[at.CONTACTS, HIGH]]
    for row in np.flatnonzero(_is_made(contacts)).tolist():
        if (found := known.get(int(contacts[row, at.K_NUMBER]))) is not None:
            contacts[row, [at.K_STATE, at.K_COUNTED]] = found


def unheard(new: Fold, known: Mapping[int, Became]) -> list[tuple[int, int]]:
    """Return the contacts that were sent and did not come out as sent again: customers and rows."""
    state, found = new.machine.state, list[tuple[int, int]]()
    contacts = state.contacts[: state.pools[at.CONTACTS, HIGH]]
    numbers = contacts[_is_made(contacts) & (contacts[:, at.K_COUNTED] == 0), at.K_NUMBER].tolist()
    if not any(number in known and known[number].was_sent for number in numbers):
        return found
    heads = state.customers[: state.pools[at.CUSTOMERS, COUNT], at.CONTACT_HEAD]
    for customer in np.flatnonzero(heads >= 0).tolist():
        row = int(heads[customer])
        while row >= 0:
            became = known.get(int(contacts[row, at.K_NUMBER]))
            if became is not None and became.was_sent and not contacts[row, at.K_COUNTED]:
                found.append((customer, row))
            row = int(contacts[row, at.K_NEXT])
    return found


def _is_made(contacts: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (contacts[:, at.K_NUMBER] >= 0) & (contacts[:, at.K_STATE] < SHOWN)


def switches(old: Fold, new: Fold) -> None:
    """Leave on what was on, and off what was off, of the campaigns and classes that both playbooks have, by name."""
    before, after = old.published.playbook, new.published.playbook
    theirs = _rows_of_switches(before)
    for name, row in _rows_of_switches(after).items():
        if name in theirs:
            new.machine.state.switches[row] = old.machine.state.switches[theirs[name]]


def resources(old: Fold, new: Fold) -> None:
    """Leave used what was used, of the resources that both playbooks have by name and count alike."""
    theirs, ours = old.machine.state, new.machine.state
    before, after = (_numbers(fold.published.playbook) for fold in (old, new))
    classes = [list(fold.published.playbook.policies.classes) for fold in (old, new)]
    kind = [RESOURCE_LENGTH_US, RESOURCE_PERIOD, RESOURCE_IS_MONEY]
    for name in before.keys() & after.keys():
        was, now = before[name], after[name]
        programs = old.compiled.program, new.compiled.program
        if (programs[0].resources[was, kind] == programs[1].resources[now, kind]).all():
            kept = [at.R_BUCKET, at.R_USED]  # turns are given anew
            ours.resources[now, kept] = theirs.resources[was, kept]
            for number, klass in enumerate(classes[1]):
                if klass in classes[0]:
                    share = scarce.share_of(programs[0], was, classes[0].index(klass))
                    target = scarce.share_of(programs[1], now, number)
                    ours.shares[target, at.S_USED] = theirs.shares[share, at.S_USED]


def sources(old: Fold, new: Fold) -> None:
    """Leave stale what was told to be stale, and fresh all else; what is otherwise is found at once, and told."""
    state, now = new.machine.state, int(new.machine.state.scalars[at.NOW])
    told = _told(old)
    _make_room(new, len(new.compiled.program.feeds))
    for name, feed in _feeds(new).items():
        row = new.machine.state.feeds[feed]
        is_stale, known, stale_from = told.get(name, (0, 0, 0))
        if is_stale != row[at.F_STALE] and state.scalars[at.STARTED]:
            feeds.look_at(new.machine.state, feed, now)
        row[[at.F_STALE, at.F_TOLD_KNOWN, at.F_TOLD_FROM]] = is_stale, known, stale_from


def _told(fold: Fold) -> dict[str, tuple[int, int, int]]:
    """Return by name whether a source is stale, up to when it was known and from when on, as it was told."""
    columns = [at.F_STALE, at.F_TOLD_KNOWN, at.F_TOLD_FROM]
    rows: list[list[int]] = fold.machine.state.feeds[:, columns].tolist()
    return {name: (rows[feed][0], rows[feed][1], rows[feed][2]) for name, feed in _feeds(fold).items()}


def _feeds(fold: Fold) -> dict[str, int]:
    """Return the place of each source that may be stale."""
    names = list(fold.published.playbook.sources)
    return {names[number]: feed for feed, number in enumerate(fold.compiled.program.feeds[:, FEED_SOURCE].tolist())}


def _numbers(playbook: Playbook) -> dict[tuple[str, str], int]:
    names = [("resource", name) for name in playbook.resources]
    names += [("rate", name) for name, _, _ in rates(playbook)]
    return {name: number for number, name in enumerate(names)}


def _rows_of_switches(playbook: Playbook) -> dict[tuple[str, str], int]:
    names = [("campaign", name) for name in playbook.campaigns]
    names += [("class", name) for name in playbook.policies.classes]
    return {name: row for row, name in enumerate([*names, ("all", "")])}


def candidates(old: Fold, new: Fold, numbers: NDArray[np.int64] | None, triggered: Mapping[int, int]) -> None:
    """Let the candidates of the old state wait in the new one, where their campaign still sends and is not stopped.

    Birth, trigger and expiry stay as they were (but no later than the campaign's new last day). What held one back is
    looked at again at once, under the new rules. `numbers`: the new number of each customer, where it differs;
    `triggered`: whose the lines at some positions are now, and with them what they triggered.
    """
    waiting = sorted(_waiting(old, new, numbers, triggered))
    _make_room(new, len(waiting))
    contexts = _Contexts(old, new)
    touched: dict[int, None] = {}
    known: set[tuple[int, int, int]] = set()
    for customer, campaign, key, row in waiting:
        full = int(new.machine.state.customers[customer, at.CANDIDATE_COUNT]) >= wishes.CANDIDATES_MAX
        if (customer, campaign, key) not in known and not full:
            known.add((customer, campaign, key))
            _enter(old, new, contexts, (customer, campaign, key, row))
            touched[customer] = None
    state = new.machine.state
    with np.errstate(over="ignore"):  # hashes wrap; only the interpreted engine would warn
        for customer in touched:
            wishes.end_by_until(new.compiled.program, state, customer)
    state.resources[:, at.R_GIVEN_BACK] = state.scalars[at.GIVEN_BACK] = 0  # all that wait are looked at in any case


def holdouts(old: Fold, new: Fold, numbers: NDArray[np.int64] | None) -> None:
    """Let customers stay held out, or not, as it was decided; where they have become one as was decided first."""
    state, slot = old.machine.state, int(old.compiled.program.limits[P_SLOT_HOLDOUTS])
    cells = state.cells[: state.pools[at.CELLS, HIGH]]
    found = cells[(cells[:, OWNER] >= 0) & (cells[:, OWNER] & SLOT_MASK == slot)]
    new.machine.state.need[:] = 0
    new.machine.state.need[at.CELLS] = len(found)
    if growth.is_short(new.machine.state, new.machine.state.need):
        new.machine.state = growth.grown(new.machine.state, new.machine.state.need)
    program, after = new.compiled.program, new.machine.state
    with np.errstate(over="ignore"):  # hashes wrap; only the interpreted engine would warn
        for cell in found[np.lexsort((found[:, KEY], found[:, OWNER]))].tolist():
            customer = cell[OWNER] >> SLOT_BITS
            number = customer if numbers is None else int(numbers[customer])
            if number >= 0:
                held, since = cell[holding.IS_HELD], cell[holding.SINCE]
                holding.keep(program, after, survivor(after, number), cell[KEY], held, since)


def _waiting(
    old: Fold, new: Fold, numbers: NDArray[np.int64] | None, triggered: Mapping[int, int]
) -> Iterator[Waiting]:
    state, names = old.machine.state, list(old.published.playbook.campaigns)
    places = {name: number for number, name in enumerate(new.published.playbook.campaigns)}
    for customer in range(int(state.pools[at.CUSTOMERS, COUNT])):
        row = int(state.customers[customer, at.CANDIDATE_HEAD])
        theirs = customer if numbers is None else int(numbers[customer])
        while row >= 0:
            name = names[int(state.candidates[row, at.C_CAMPAIGN])]
            number = triggered.get(int(state.candidates[row, at.C_TRIGGER_POSITION]), theirs)
            if number >= 0 and name in places and _sends(new, places[name]):
                yield survivor(new.machine.state, number), places[name], int(state.candidates[row, at.C_KEY]), row
            row = int(state.candidates[row, at.C_NEXT])


def _sends(new: Fold, campaign: int) -> bool:
    program, state = new.compiled.program, new.machine.state
    stopped = off.first_off(program, state, campaign, off.IS_STOPPED) >= 0
    return bool(program.campaigns[campaign, CAMPAIGN_SENDS]) and not stopped


def _make_room(new: Fold, count: int) -> None:
    state = new.machine.state
    state.need[:] = 0
    state.need[at.CANDIDATES] = count + 1
    state.need[at.TIMERS] = 4 * count + 4
    state.need[at.DECISIONS] = state.need[at.LINES] = count + 1
    if growth.is_short(state, state.need):
        new.machine.state = growth.grown(state, state.need)


def _enter(old: Fold, new: Fold, contexts: _Contexts, waiting: Waiting) -> None:
    """Put one candidate into the new state, with its timers."""
    customer, campaign, key, row = waiting
    values, product = contexts.of(row)
    state, before = new.machine.state, old.machine.state.candidates[row]
    now = int(state.scalars[at.NOW])
    place = int(take(state.candidates, state.pools, at.CANDIDATES, at.C_NEXT))
    candidate = state.candidates[place]
    candidate[:] = before
    candidate[at.C_CUSTOMER], candidate[at.C_CAMPAIGN], candidate[at.C_KEY] = customer, campaign, key
    candidate[at.C_PRODUCT] = product
    candidate[at.C_BLOCK] = candidate[at.C_LAST_REASON] = 0
    candidate[at.C_TURN_OF] = -1
    candidate[at.C_EXPIRY_TIMER] = at.INFINITE
    candidate[at.C_CLOSED] = _closed(old, new, before, campaign)
    candidate[at.C_PROPOSAL] = _proposal(old, new, before, campaign)
    state.contexts[place, :] = values
    _link(state, customer, place)
    if not before[at.C_BORN]:
        timers.push(state, int(before[at.C_BIRTH_AT]), timers.BIRTH, customer, campaign, key, place)
        return
    if before[at.C_BLOCK]:
        candidate[at.C_DUE_AT] = now
    end = int(new.compiled.program.campaigns[campaign, CAMPAIGN_TO])
    expires = max(now, min(int(before[at.C_EXPIRES_AT]), end))
    candidate[at.C_EXPIRES_AT] = expires
    wishes.time_expiry(state, place)
    _go_on(new, place)


def _closed(old: Fold, new: Fold, before: NDArray[np.int64], campaign: int) -> int:
    """Return the places of the channels in the new `send` that were closed in the old one."""
    theirs: list[int] = old.compiled.program.sends[before[at.C_CAMPAIGN]].tolist()
    names, closed = list(old.published.playbook.channels), int(before[at.C_CLOSED])
    lost = {names[channel] for place, channel in enumerate(theirs) if closed >> place & 1}
    channels = list(new.published.playbook.channels)
    ours = new.compiled.program.sends[campaign].tolist()
    return sum(1 << place for place, channel in enumerate(ours) if channel >= 0 and channels[channel] in lost)


def _proposal(old: Fold, new: Fold, before: NDArray[np.int64], campaign: int) -> int:
    """Return with which of the new offers a candidate came, -1 where the campaign has that offer no more."""
    if before[at.C_STAGE] == at.WAITING:
        return -1  # it is found in its next round
    theirs, ours = old.compiled.program.proposals, new.compiled.program.proposals
    offers = ["", *old.published.playbook.offers], ["", *new.published.playbook.offers]
    name = offers[0][int(theirs[before[at.C_PROPOSAL], PROPOSAL_OFFER]) + 1]
    start, stop = (int(new.compiled.program.campaigns[campaign, column]) for column in _PROPOSALS)
    return next((row for row in range(start, stop) if offers[1][int(ours[row, PROPOSAL_OFFER]) + 1] == name), -1)


def _go_on(new: Fold, row: int) -> None:
    """Let a candidate in flight whose contact is forgotten, and one that is watched, go on under the new rules."""
    program, state = new.compiled.program, new.machine.state
    customer, number = (int(state.candidates[row, column]) for column in (at.C_CUSTOMER, at.C_CONTACT))
    stage = int(state.candidates[row, at.C_STAGE])
    is_forgotten = stage == at.IN_FLIGHT and ledger.row_of(program, state, customer, number) < 0
    if is_forgotten or stage == at.WATCHED:
        contacts.settle(program, state, row)


def _link(state: at.State, customer: int, row: int) -> None:
    """Put a candidate at the end of its customer's chain: they come in order of campaign and key."""
    last, following = -1, int(state.customers[customer, at.CANDIDATE_HEAD])
    while following >= 0:
        last, following = following, int(state.candidates[following, at.C_NEXT])
    state.candidates[row, at.C_NEXT] = -1
    if last < 0:
        state.customers[customer, at.CANDIDATE_HEAD] = row
    else:
        state.candidates[last, at.C_NEXT] = row
    state.customers[customer, at.CANDIDATE_COUNT] += 1


class _Contexts:
    """The fields of the triggering events, from the columns and codes of the old schema to those of the new one."""

    def __init__(self, old: Fold, new: Fold) -> None:
        self.old = old
        self.new = new
        self._campaigns = list(old.published.playbook.campaigns)

    def of(self, row: int) -> tuple[NDArray[np.float64], int]:
        """Return the context of an old candidate in the new columns, and its product's new code."""
        state = self.old.machine.state
        name = self._campaigns[int(state.candidates[row, at.C_CAMPAIGN])]
        theirs = self._fields(self.old, self.old.published.playbook.campaigns[name])
        values = np.full(self.new.machine.state.contexts.shape[1], np.nan)
        for ours in self._fields(self.new, self.new.published.playbook.campaigns[name]).values():
            field = theirs.get(ours.name)
            if field is not None and field.type is ours.type and min(field.column, ours.column) >= 0:
                values[ours.column] = self._value(float(state.contexts[row, field.column]), ours.type)
        product = int(state.candidates[row, at.C_PRODUCT])
        return values, int(self._code(product)) if product >= 0 else -1

    @staticmethod
    def _fields(fold: Fold, campaign: Campaign) -> dict[str, Field]:
        event = trigger_event(fold.published.playbook, campaign)
        fields = fold.compiled.schema.layout(event).fields.values() if event else ()
        return {field.name: field for field in fields if field.type is not FieldType.KEY}

    def _value(self, value: float, kind: FieldType) -> float:
        coded = kind in {FieldType.CHOICE, FieldType.PRODUCT}
        return self._code(int(value)) if coded and not np.isnan(value) else value

    def _code(self, code: int) -> float:
        machine = self.new.machine
        machine.state, codes = machine.names.learn(machine.state, [self.old.machine.names.texts[code]])
        return float(codes[0])
