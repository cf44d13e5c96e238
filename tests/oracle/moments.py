"""Moments: a dynamic programme over sub-steps (§6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import conditions
from .hashing import text_hash
from .state import Progress

if TYPE_CHECKING:
    from onevoice.playbook.model import Moment, Step

    from .book import Book
    from .state import Customer, Row
    from .twin import Twin


@dataclass(frozen=True)
class SubStep:
    """One event of a step: its place in the chain and whether it completes the step."""

    step: Step
    index: int
    completes: bool


@dataclass(frozen=True)
class Forbidden:
    """`no E` between two steps: the sub-steps whose states it clears."""

    step: Step
    clears: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A moment as sub-steps, what is forbidden between them, and the final absence."""

    moment: Moment
    chain: tuple[SubStep, ...]
    forbidden: tuple[Forbidden, ...]
    final: Step | None


def plan(moment: Moment) -> Plan:
    chain: list[SubStep] = []
    waiting: list[Step] = []
    forbidden: list[Forbidden] = []
    for step in moment.steps:
        if step.absent:
            waiting.append(step)
            continue
        before = len(chain) - 1
        chain += [SubStep(step, len(chain) + turn, turn == step.count - 1) for turn in range(step.count)]
        partial = tuple(range(before + 1, len(chain) - 1))
        forbidden += [Forbidden(each, (before, *partial)) for each in waiting]
        waiting = []
    final = next((each for each in waiting if each.within_us), None)
    return Plan(moment, tuple(chain), tuple(forbidden), final)


def update(twin: Twin, customer: Customer, row: Row) -> list[tuple[Moment, int]]:
    """Apply a row to every moment, in playbook order; return the moments that fire, with their keys."""
    fired: list[tuple[Moment, int]] = []
    for moment in twin.book.playbook.moments.values():
        key = _key(twin, moment, row)
        if key is None:
            continue
        planned = plan(moment)
        progress = customer.progress.get((moment.name, key)) or Progress([None] * len(planned.chain))
        if advance(twin.book, planned, progress, row, twin.now):
            fired.append((moment, key))
            progress.states = [None] * len(planned.chain)
        _keep(customer, (moment.name, key), progress)
    return fired


def _key(twin: Twin, moment: Moment, row: Row) -> int | None:
    """Return the key of the progress; None where the row says nothing to the moment."""
    if not moment.per:
        return 0
    value = row.fields.get(moment.per)
    return None if value is None else text_hash(str(value), twin.secret)


def _keep(customer: Customer, key: tuple[str, int], progress: Progress) -> None:
    if any(progress.states):
        customer.progress[key] = progress
    else:
        customer.progress.pop(key, None)


def advance(book: Book, planned: Plan, progress: Progress, row: Row, now: int) -> bool:
    """Apply one row to one progress: kills, then updates from the last sub-step to the first. True: it fires."""
    t = row.at[0]
    _kill(book, planned, progress, row)
    completed = False
    for sub in reversed(planned.chain):
        if _is_matched(book, sub.step, row):
            completed |= _update(planned, progress, sub, t)
    if not completed:
        return False
    if planned.final is None:
        return True
    time = progress.states[-1][1]
    progress.due = max(time + planned.final.within_us + book.lag(planned.final.matches), now)
    return False


def _is_matched(book: Book, step: Step, row: Row) -> bool:
    return any(conditions.matches(book, match, row) for match in step.matches)


def _kill(book: Book, planned: Plan, progress: Progress, row: Row) -> None:
    t = row.at[0]
    for each in planned.forbidden:
        if _is_matched(book, each.step, row):
            for index in each.clears:
                state = progress.states[index]
                if state and state[1] <= t:
                    progress.states[index] = None
    last = progress.states[-1]
    if not planned.final or not last or not _is_matched(book, planned.final, row):
        return
    if last[1] <= t < last[1] + planned.final.within_us:
        progress.states[-1] = None
        progress.due = None


def _update(planned: Plan, progress: Progress, sub: SubStep, t: int) -> bool:
    """Complete a sub-step at t if its predecessor allows it; True when the last one got a new state."""
    anchor = _anchor(planned, progress, sub, t)
    if anchor is None:
        return False
    if sub.completes and not planned.moment.within_us:
        anchor = t
    held = progress.states[sub.index]
    if held and (-held[0], held[1]) <= (-anchor, t):
        return False
    progress.states[sub.index] = (anchor, t)
    return sub is planned.chain[-1]


def _anchor(planned: Plan, progress: Progress, sub: SubStep, t: int) -> int | None:
    """Return the anchor with which an event at t completes a sub-step; None where it does not."""
    if sub.index == 0:
        return t
    before = progress.states[sub.index - 1]
    if before is None or before[1] > t:
        return None
    within = planned.moment.within_us or (sub.step.within_us if sub.completes else 0)
    return None if within and t - before[0] >= within else before[0]


def fire_absence(twin: Twin, customer: Customer, name: str, key: int) -> int:
    """Clear the progress of a moment whose wait is due; return when its chain was completed."""
    progress = customer.progress.pop((name, key))
    return progress.states[-1][1]


def merge(into: Customer, other: Customer) -> None:
    """Keep the better progress of either, sub-step by sub-step."""
    for key, theirs in other.progress.items():
        ours = into.progress.get(key)
        if ours is None:
            into.progress[key] = theirs
            continue
        ours.due = _better_due(ours, theirs)
        ours.states = [_better(a, b) for a, b in zip(ours.states, theirs.states, strict=True)]


def _better(a: tuple[int, int] | None, b: tuple[int, int] | None) -> tuple[int, int] | None:
    if a is None or b is None:
        return a or b
    return min(a, b, key=lambda state: (-state[0], state[1]))


def _better_due(ours: Progress, theirs: Progress) -> int | None:
    if ours.states[-1] == theirs.states[-1]:
        return max((each for each in (ours.due, theirs.due) if each is not None), default=None)
    return ours.due if _better(ours.states[-1], theirs.states[-1]) == ours.states[-1] else theirs.due
