"""The canonical form of a state: sorted tables of plain tuples, however the state came about (semantics §13)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from onevoice.engine import facts, measures, moments, resources
from onevoice.engine import shows as shown
from onevoice.engine import state as at
from onevoice.engine.hashing import mix
from onevoice.engine.holdouts import IS_HELD
from onevoice.engine.holdouts import SINCE as HELD_SINCE
from onevoice.engine.segments import IS_ON, LEFT_AT, SINCE
from onevoice.engine.store import COUNT, DATA, KEY, NEXT, OWNER, SLOT_MASK
from onevoice.playbook.builtin import all_events, all_facts
from onevoice.playbook.model import Aggregate, FieldType
from onevoice.playbook.scopes import measure_type
from onevoice.program import (
    CAMPAIGN_KEYED,
    CAMPAIGN_UNTIL,
    CAMPAIGN_UNTIL_KEYED,
    FACT_LASTS,
    FACT_PARTS,
    FEED_SOURCE,
    MEASURE_AGGREGATE,
    MEASURE_PANE_US,
    MOMENT_SUBSTEPS,
    NONE,
    P_HORIZON_US,
    P_SHOWN_US,
    P_SLOT_HOLDOUTS,
    P_SLOT_IGNORED,
    P_SLOT_SEGMENTS,
    P_SLOT_SUPPRESSIONS,
    P_SLOT_TIRED,
    SCOPES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.engine.machine import Machine

Row = tuple[Any, ...]


def digest(machine: Machine) -> str:
    """Return the SHA-256 of the canonical tables, in hexadecimal. Costs a Python tuple per row."""
    found = hashlib.sha256()
    for name, rows in tables(machine).items():
        found.update(name.encode())
        for row in rows:
            found.update(repr(row).encode())
    return found.hexdigest()


@np.errstate(over="ignore")  # hashes wrap; only the interpreted engine would warn
def tables(machine: Machine) -> dict[str, list[Row]]:
    """Return every table, in the order in which they are hashed."""
    view = _View(machine)
    return {
        "customers": _sorted(view.customers()),
        "identifiers": _sorted(view.identifiers()),
        "traits": _sorted(view.traits()),
        "facts": _sorted(view.facts()),
        "members": _sorted(view.members()),
        "measures": _sorted(view.measures()),
        "moments": _sorted(view.moments()),
        "memberships": _sorted(view.memberships()),
        "suppressions": _sorted(view.suppressions()),
        "candidates": _sorted(view.candidates()),
        "contacts": _sorted(view.contacts()),
        "shows": _sorted(view.shows()),
        "fatigue": _sorted(view.fatigue()),
        "unanswered": _sorted(view.unanswered()),
        "holdouts": _sorted(view.holdouts()),
        "endings": _sorted(view.endings()),
        "turns": _sorted(view.turns()),
        "resources": _sorted(view.resources()),
        "sources": _sorted(view.sources()),
        "switches": _sorted(view.switches()),
        "totals": [view.totals()],
    }


def _sorted(rows: Iterator[Row]) -> list[Row]:
    return sorted(rows, key=_order)


def _order(value: Any) -> Row:
    """Order any cells: NULL, then numbers, then texts, then tuples."""
    if value is None:
        return (0,)
    if isinstance(value, str):
        return (2, value)
    if isinstance(value, tuple):
        return (3, *map(_order, cast("Row", value)))
    return (1, value)


def _or_none(value: int, missing: int) -> int | None:
    return None if value == missing else value


class _View:
    """A state read as Python values; `roots` are the customers that were not merged into another."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.state = machine.state
        self.program = machine.compiled.program
        self.playbook = machine.compiled.playbook
        self.now = int(self.state.scalars[at.NOW])
        self.events = all_events(self.playbook)
        self.texts = machine.names.texts
        self.by_hash = {int(self.state.names[code, at.N_HASH]): text for code, text in enumerate(self.texts)}
        self.count = int(self.state.pools[at.CUSTOMERS, COUNT])
        self.roots = [customer for customer in range(self.count) if self.root(customer) == customer]

    def root(self, customer: int) -> int:
        """Return who a customer is after all merges."""
        while int(self.state.customers[customer, at.ALIAS]) != customer:
            customer = int(self.state.customers[customer, at.ALIAS])
        return customer

    def chain(self, table: Any, head: int, link: int = NEXT) -> Iterator[tuple[int, list[int]]]:
        """Give (customer, row as a list) of every row of every customer's chain."""
        for customer in self.roots:
            row = int(self.state.customers[customer, head])
            while row >= 0:
                yield customer, table[row].tolist()
                row = int(table[row, link])

    def plain(self, value: float, kind: FieldType) -> Any:
        """Return a value of a condition as a canonical one."""
        if value != value:  # noqa: PLR0124 - NaN is NULL
            return None
        if kind in {FieldType.CHOICE, FieldType.PRODUCT}:
            return self.texts[int(value)]
        return int(value) if kind in {FieldType.DATE, FieldType.TIME} else float(value)

    def customers(self) -> Iterator[Row]:
        """Give each customer ever founded, and whom a merged one belongs to."""
        for customer in range(self.count):
            row = self.state.customers[customer].tolist()
            root = self.root(customer)
            yield (customer, -1 if root == customer else root, row[at.FOUNDING_LOW], row[at.FOUNDING_HIGH])

    def identifiers(self) -> Iterator[Row]:
        """Give each identifier and whose it is."""
        for row in self.state.identifiers[: self.state.pools[at.IDENTIFIERS, COUNT]].tolist():
            yield (row[at.ID_KIND], row[at.ID_LOW], row[at.ID_HIGH], self.root(row[at.ID_CUSTOMER]))

    def traits(self) -> Iterator[Row]:
        """Give each trait that was ever set or cleared."""
        for customer in self.roots:
            stamps = self.state.trait_stamps[customer].tolist()
            for number, trait in enumerate(self.machine.compiled.schema.traits):
                if stamps[2 * number] != at.NEVER:
                    value = self.plain(float(self.state.traits[customer, number]), trait.type)
                    yield (customer, number, value, stamps[2 * number], stamps[2 * number + 1])

    def facts(self) -> Iterator[Row]:
        """Give each key with an opening or a closing that still counts, and the for-all closings."""
        declared = len(all_facts(self.playbook))
        for customer, row in self.chain(self.state.facts, at.FACT_HEAD):
            fact, kind = divmod(row[OWNER] & SLOT_MASK, facts.KINDS)
            if fact >= declared or kind not in {facts.ENTRY, facts.FOR_ALL}:
                continue
            sides = self._remembered(fact, row)
            if max(sides) == at.NEVER:
                continue
            mask, key = 0, row[KEY]
            if kind == facts.FOR_ALL:
                parts = int(self.program.facts[fact, FACT_PARTS])
                plain = int(facts.key_of(parts, row[at.FIRST], row[at.SECOND], row[at.THIRD]))
                mask = next(mask for mask in range(1, 8) if int(mix(mask, plain)) == key)
                key = plain
            yield (customer, fact, mask, key, *sides)

    def members(self) -> Iterator[Row]:
        """Give who is in each group that is asked or counted."""
        group = int(self.state.group_heads[0, 0])
        while group >= 0:
            row = self.state.groups[group].tolist()
            member = row[at.G_FIRST]
            while member >= 0:
                yield (row[OWNER] & SLOT_MASK, row[KEY], int(self.state.members[member, KEY]))
                member = int(self.state.members[member, NEXT])
            group = row[NEXT]

    def _remembered(self, fact: int, row: list[int]) -> list[int]:
        """Return opening and closing, never where `lasts` has passed since: it makes no difference any more."""
        lasts = int(self.program.facts[fact, FACT_LASTS])
        sides = row[at.OPEN_AT : at.CLOSE_POSITION + 1]
        for side in (0, 2):
            if lasts and sides[side] + lasts <= self.now:
                sides[side : side + 2] = [at.NEVER, at.NEVER]
        return sides

    def measures(self) -> Iterator[Row]:
        """Give what each measure holds: one row, or one per pane or distinct value."""
        scopes = list(self.playbook.measures.values())
        for customer, row in self.chain(self.state.cells, at.CELL_HEAD):
            number = row[OWNER] & SLOT_MASK
            if number < len(scopes):
                for held in self._measure(number, row):
                    yield (customer, number, *held)

    def _measure(self, number: int, row: list[int]) -> Iterator[Row]:
        measure = list(self.playbook.measures.values())[number]
        pane_us = int(self.program.measures[number, MEASURE_PANE_US])
        aggregate = int(self.program.measures[number, MEASURE_AGGREGATE])
        exact = measure.aggregate in {Aggregate.COUNT, Aggregate.SUM}
        if measure.aggregate in {Aggregate.LATEST, Aggregate.FIRST}:
            if measure.field:
                value = self.plain(float(measures.from_bits(row[DATA])), measure_type(measure, self.events))
                yield (-1, value, row[DATA + 1], row[DATA + 2])
            else:
                yield (-1, row[DATA + 1], 0, 0)
        elif pane_us == 0 and measure.aggregate is not Aggregate.DISTINCT:
            yield (-1, row[DATA] if exact else float(measures.from_bits(row[DATA])), 0, 0)
        else:
            oldest = self.now // pane_us - measures.PANES + 1 if pane_us else 0
            for pane, bits in self._panes(row[DATA + 1] - 1):
                if pane_us == 0 or pane >= oldest:
                    value = self._distinct(measure.field, bits) if aggregate == measures.DISTINCT else bits
                    if not exact and aggregate != measures.DISTINCT:
                        value = float(measures.from_bits(bits))
                    yield (pane if pane_us else -1, value, 0, 0)

    def _panes(self, node: int) -> Iterator[tuple[int, int]]:
        while node >= 0:
            pane = self.state.panes[node].tolist()
            yield pane[at.PANE], pane[at.PANE_VALUE]
            node = pane[at.PANE_NEXT]

    def _distinct(self, field: str, bits: int) -> Any:
        return self.by_hash.get(bits, bits) if field else bits

    def moments(self) -> Iterator[Row]:
        """Give the progress of each moment and key."""
        for customer, row in self.chain(self.state.progress, at.PROGRESS_HEAD):
            moment = row[OWNER] & SLOT_MASK
            substeps = int(self.program.moments[moment, MOMENT_SUBSTEPS])
            pairs = [tuple(row[at.SUBSTEPS + 2 * sub : at.SUBSTEPS + 2 * sub + 2]) for sub in range(substeps)]
            states = tuple(None if pair[0] == at.NEVER else pair for pair in pairs)
            if any(states):
                yield (customer, moment, row[KEY], states, _or_none(row[at.WAIT_AT], at.INFINITE))
        for customer in self.roots:
            for moment, time in moments.begun(self.program, self.state, customer):
                nothing = [None] * (int(self.program.moments[moment, MOMENT_SUBSTEPS]) - 1)
                yield (customer, moment, 0, ((time, time), *nothing), None)

    def memberships(self) -> Iterator[Row]:
        """Give the segments that customers are in, and since when."""
        first = int(self.program.limits[P_SLOT_SEGMENTS])
        for customer, row in self.chain(self.state.cells, at.CELL_HEAD):
            segment = (row[OWNER] & SLOT_MASK) - first
            if 0 <= segment < len(self.playbook.segments):
                yield (customer, segment, row[SINCE])

    def suppressions(self) -> Iterator[Row]:
        """Give the judged suppressions that hold or have held."""
        first = int(self.program.limits[P_SLOT_SUPPRESSIONS])
        for customer, row in self.chain(self.state.cells, at.CELL_HEAD):
            rule = (row[OWNER] & SLOT_MASK) - first
            if 0 <= rule < len(self.playbook.policies.suppress):
                since = row[SINCE] if row[IS_ON] else None
                yield (customer, rule, since, _or_none(row[LEFT_AT], at.NEVER))

    def candidates(self) -> Iterator[Row]:
        """Give the candidates that wait, born or not."""
        for customer, row in self.chain(self.state.candidates, at.CANDIDATE_HEAD, at.C_NEXT):
            born = row[at.C_BORN]
            recorded = tuple(row[at.C_LAST_REASON : at.C_LAST_UNTIL + 1]) if row[at.C_LAST_REASON] else None
            yield (
                customer,
                row[at.C_CAMPAIGN],
                row[at.C_KEY],
                born,
                row[at.C_BIRTH_AT],
                row[at.C_DUE_AT] if born else at.INFINITE,
                row[at.C_TRIGGER_AT],
                row[at.C_TRIGGER_POSITION],
                row[at.C_EXPIRES_AT] if born else at.INFINITE,
                row[at.C_BLOCK],
                recorded,
                row[at.C_STAGE],
                self._closed(row),
                *row[at.C_FIRST : at.C_CONTACT + 1],
                row[at.C_FOLLOWED],
            )

    def _closed(self, candidate: list[int]) -> Row:
        """Return the channels that are closed for a candidate."""
        sends = self.program.sends[candidate[at.C_CAMPAIGN]].tolist()
        return tuple(sorted(channel for place, channel in enumerate(sends) if candidate[at.C_CLOSED] >> place & 1))

    def contacts(self) -> Iterator[Row]:
        """Give the contacts that some window still reaches."""
        horizon = int(self.program.limits[P_HORIZON_US])
        for customer, row in self.chain(self.state.contacts, at.CONTACT_HEAD, at.K_NEXT):
            if row[at.K_DUE_AT] + horizon >= self.now:
                campaign, klass, channel, family, _, category, address, _ = row[at.K_SCOPE : at.K_SCOPE + SCOPES]
                said = (row[at.K_NUMBER], campaign, klass, channel, row[at.K_KEY], row[at.K_DUE_AT])
                about = (self._name(family), self._name(category), _or_none(address, NONE))
                told = (*row[at.K_STATE : at.K_FOLLOWS + 1], self._name(row[at.K_OFFER]), self._name(row[at.K_PRODUCT]))
                yield (customer, *said, *about, *told)

    def shows(self) -> Iterator[Row]:
        """Give what was shown, as far back as something looks."""
        horizon = int(self.program.limits[P_SHOWN_US])
        for customer, row in self.chain(self.state.contacts, at.SHOW_HEAD, at.K_NEXT):
            if row[at.K_DUE_AT] + horizon > self.now:
                campaign, klass, _, family, _, category, _, placement = row[at.K_SCOPE : at.K_SCOPE + SCOPES]
                said = (row[at.K_NUMBER], campaign, klass, placement, row[at.K_DUE_AT])
                yield (customer, *said, *map(self._name, (row[at.K_OFFER], family, category)))

    def fatigue(self) -> Iterator[Row]:
        """Give how often a campaign was shown at a placement without a reaction, and when last."""
        first = int(self.program.limits[P_SLOT_TIRED])
        for customer, row in self.chain(self.state.cells, at.CELL_HEAD):
            placement = (row[OWNER] & SLOT_MASK) - first
            if first and 0 <= placement < len(self.playbook.placements):
                yield (customer, placement, row[KEY], row[shown.COUNT], row[shown.LAST_AT])

    def _name(self, code: int) -> str | None:
        return self.texts[code] if code >= 0 else None

    def unanswered(self) -> Iterator[Row]:
        """Give how many contacts of an offer family went unanswered."""
        slot = int(self.program.limits[P_SLOT_IGNORED])
        for customer, row in self.chain(self.state.cells, at.CELL_HEAD):
            if row[OWNER] & SLOT_MASK == slot:
                yield (customer, row[KEY], row[DATA])

    def holdouts(self) -> Iterator[Row]:
        """Give who is held out of what, and who is not, since it was decided."""
        slot = int(self.program.limits[P_SLOT_HOLDOUTS])
        for customer, row in self.chain(self.state.cells, at.CELL_HEAD):
            if row[OWNER] & SLOT_MASK == slot:
                yield (customer, row[KEY], row[IS_HELD], row[HELD_SINCE])

    def endings(self) -> Iterator[Row]:
        """Give for each campaign what its `until` remembers; campaigns with the same `until` share the rows."""
        campaigns: dict[int, list[int]] = {}
        for campaign, fact in enumerate(self.program.campaigns[:, CAMPAIGN_UNTIL].tolist()):
            campaigns.setdefault(fact, []).append(campaign)
        for customer, row in self.chain(self.state.facts, at.FACT_HEAD):
            fact, kind = divmod(row[OWNER] & SLOT_MASK, facts.KINDS)
            for campaign in campaigns.get(fact, []) if kind == facts.ENTRY else []:
                keyed = bool(self.program.campaigns[campaign, CAMPAIGN_UNTIL_KEYED])
                every = bool(self.program.campaigns[campaign, CAMPAIGN_KEYED]) and not keyed
                yield (customer, campaign, int(every), row[KEY], row[at.OPEN_AT], row[at.OPEN_POSITION])

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.playbook.policies.classes)

    def turns(self) -> Iterator[Row]:
        """Give the candidates that wait for their turn at a resource."""
        for customer, row in self.chain(self.state.candidates, at.CANDIDATE_HEAD, at.C_NEXT):
            if row[at.C_TURN_OF] >= 0:
                yield (customer, row[at.C_CAMPAIGN], row[at.C_KEY], row[at.C_TURN_OF], row[at.C_TURN_AT])

    def resources(self) -> Iterator[Row]:
        """Give what is used of each resource now, in all and by class, and the turns that are to come."""
        for number in range(len(self.program.resources)):
            bucket, total, _, next_at, _ = self.state.resources[number].tolist()
            is_present = bucket == resources.bucket_of(self.program, number, self.now, 0)
            for klass in range(self.classes + 1):
                used, turn_at, given = self.state.shares[resources.share_of(self.program, number, klass)].tolist()
                is_common = klass == self.classes
                turn = (turn_at, given) if turn_at > self.now else (0, 0)
                row = ((total if is_common else used) if is_present else 0, *turn, next_at if is_common else 0)
                if any(row):
                    yield (number, -1 if is_common else klass, *row)

    def sources(self) -> Iterator[Row]:
        """Give how far each source that may stop is known, and whether it is stale."""
        for number, row in zip(self.program.feeds[:, FEED_SOURCE].tolist(), self.state.feeds.tolist(), strict=False):
            told = row[at.F_TOLD_KNOWN : at.F_TOLD_FROM + 1]
            yield (number, _or_none(row[at.F_KNOWN], at.NEVER), row[at.F_STALE], *told)

    def switches(self) -> Iterator[Row]:
        """Give each switch that is off, and each campaign with contacts in its run."""
        campaigns, classes = len(self.playbook.campaigns), len(self.playbook.policies.classes)
        for number, row in enumerate(self.state.switches[: campaigns + classes + 1].tolist()):
            if any(row):
                kind = (number >= campaigns) + (number == campaigns + classes)
                yield (kind, number - (0, campaigns, campaigns + classes)[kind], *row)

    def totals(self) -> Row:
        """Return how far the journal was read, and how much was decided."""
        scalars = self.state.scalars.tolist()
        return (scalars[at.END], scalars[at.NOW], scalars[at.NEXT_DECISION], scalars[at.NEXT_CONTACT])
