"""Customers are numbered in order of founding. Under another playbook that order may differ; here is who is who."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from onevoice.engine import state as at
from onevoice.engine.store import COUNT, HIGH
from onevoice.events.batch import IDENTIFIERS_FROM, IDENTIFIERS_TO, LINE
from onevoice.journal.port import Kind
from onevoice.program import KIND_ANONYMOUS
from onevoice.runtime.customer import survivors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.journal.port import Readable
    from onevoice.runtime.fold import Fold


def translated(fold: Fold, customer: int, row: int) -> int:
    """Return what a state calls the customer who had a number at a journal row; -1 where nobody took their place."""
    for swapped_at, numbers in fold.renumbered:
        if row < swapped_at and customer >= 0:
            customer = int(numbers[customer])
    return customer


def renumber(fold: Fold, customers: NDArray[np.int64], row: int) -> None:
    """Replace, in place, the numbers that customers had at a journal row by those that the state has now."""
    for swapped_at, numbers in fold.renumbered:
        if row < swapped_at:
            customers[:] = np.where(customers >= 0, numbers[customers], -1)


def numbers_before(fold: Fold, customers: frozenset[int]) -> frozenset[int]:
    """Return these numbers of customers, and all by which the same ones went before they were numbered anew."""
    found = set(customers)
    now = np.array(sorted(customers), np.int64)
    for _, numbers in reversed(fold.renumbered):
        now = np.flatnonzero(np.isin(numbers, now))
        found.update(now.tolist())
    return frozenset(found)


def renumbering(old: Fold, new: Fold) -> NDArray[np.int64] | None:
    """Return the new number of each customer of an old state, -1 where there is none; None where all stay the same.

    Who is who is told by identifiers: the first that the new state knows, known ones before devices, the one that they
    were founded by before others, then in the old playbook's order of trust; a customer without any of their own goes
    with the one they were merged into.
    """
    if _founded_alike(old, new):
        return None
    before, after = old.machine.state, new.machine.state
    holders = _holders(after)
    anonymous = old.compiled.program.kinds[:, KIND_ANONYMOUS]
    numbers = np.full(int(before.pools[at.CUSTOMERS, COUNT]), -1, np.int64)
    rows = before.identifiers[: before.pools[at.IDENTIFIERS, COUNT]]
    kinds = rows[:, at.ID_KIND]
    founders = before.customers[rows[:, at.ID_CUSTOMER], at.FOUNDING_LOW : at.FOUNDING_HIGH + 1]
    is_founder = (rows[:, at.ID_LOW : at.ID_HIGH + 1] == founders).all(axis=1)
    for row in rows[np.lexsort((kinds, ~is_founder, anonymous[kinds]))].tolist():
        customer = row[at.ID_CUSTOMER]
        if numbers[customer] < 0:
            numbers[customer] = holders.get((row[at.ID_LOW], row[at.ID_HIGH]), -1)
    for customer in range(len(numbers)):
        alias = customer
        while numbers[alias] < 0 and int(before.customers[alias, at.ALIAS]) != alias:
            alias = int(before.customers[alias, at.ALIAS])
        numbers[customer] = numbers[alias]
    return numbers


def triggered(journal: Readable, old: Fold, new: Fold, rows: int) -> dict[int, int]:
    """Return whose each line is now that triggered a candidate of somebody who is several people now, by position."""
    positions = _of_the_torn(old, new)
    found: dict[int, int] = {}
    if not len(positions):
        return found
    holders = _holders(new.machine.state)
    for row in islice(journal.read(0), rows):
        wanted = positions[(positions >= row.position) & (positions < row.position + row.count)] - row.position
        if row.kind is Kind.EVENTS and len(wanted):
            batch = new.decoded(row)
            for event in batch.rows[np.isin(batch.rows[:, LINE], wanted)].tolist():
                named = batch.identifiers[event[IDENTIFIERS_FROM] : event[IDENTIFIERS_TO]].tolist()
                held = [holders[low, high] for _, low, high in named if (low, high) in holders]
                if held:
                    found[row.position + event[LINE]] = held[0]
    return found


def _of_the_torn(old: Fold, new: Fold) -> NDArray[np.int64]:
    """Return which lines triggered what waits for those whose identifiers are several people's now, by position."""
    before, after = old.machine.state, new.machine.state
    theirs, ours = (state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]] for state in (before, after))
    if not len(ours):
        return np.empty(0, np.int64)
    order = np.argsort(ours[:, at.ID_LOW])
    places = np.searchsorted(ours[order, at.ID_LOW], theirs[:, at.ID_LOW])
    same = ours[order[np.minimum(places, len(order) - 1)]]
    is_known = (same[:, at.ID_LOW : at.ID_HIGH + 1] == theirs[:, at.ID_LOW : at.ID_HIGH + 1]).all(axis=1)
    owners = survivors(before)[theirs[is_known, at.ID_CUSTOMER]], survivors(after)[same[is_known, at.ID_CUSTOMER]]
    people, count = np.unique(np.unique(np.stack(owners), axis=1)[0], return_counts=True)
    waiting = before.candidates[: before.pools[at.CANDIDATES, HIGH]]
    is_torn = np.isin(waiting[:, at.C_CUSTOMER], people[count > 1])
    return np.unique(waiting[is_torn, at.C_TRIGGER_POSITION])


def _founded_alike(old: Fold, new: Fold) -> bool:
    """Tell whether the new state founded the same customers in the same order, and perhaps more after them."""
    count = int(old.machine.state.pools[at.CUSTOMERS, COUNT])
    if int(new.machine.state.pools[at.CUSTOMERS, COUNT]) < count:
        return False
    before, after = (
        fold.machine.state.customers[:count, at.FOUNDING_LOW : at.FOUNDING_HIGH + 1] for fold in (old, new)
    )
    return np.array_equal(before, after)


def _holders(state: at.State) -> dict[tuple[int, int], int]:
    rows: list[list[int]] = state.identifiers[: state.pools[at.IDENTIFIERS, COUNT]].tolist()
    return {(row[at.ID_LOW], row[at.ID_HIGH]): row[at.ID_CUSTOMER] for row in rows}
