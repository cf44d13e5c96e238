"""Segments, moments and offers that are dead, whoever uses them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.playbook.deep.constants import replaced
from onevoice.playbook.deep.finding import Claim, Finding, found
from onevoice.playbook.deep.formula import ALWAYS, NOT_TRUE, TRUE, either, wanted
from onevoice.playbook.deep.given import Given, meanings, of_condition
from onevoice.playbook.deep.heeded import all_heeded, heeded
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onevoice.conditions.tree import Read
    from onevoice.playbook.deep.book import Book, Proof
    from onevoice.playbook.model import EventMatch, Moment, Offer, Step

_CHANGE = "change one of these, or take it out"


def dead_parts(book: Book) -> Iterator[Finding]:
    """Give every segment, moment and offer that is proved to be dead."""
    playbook = book.playbook
    for segment in playbook.segments.values():
        if heeded(segment) and (proof := never_in(book, segment.name)) is not None:
            what = f"nobody can ever be in the segment {quoted(segment.name)}"
            yield found(book, Claim.NEVER_ENTERED, f"segments.{segment.name}", what, because=proof, mend=_CHANGE)
    for moment in playbook.moments.values():
        if (proof := never_comes(book, moment)) is not None:
            what = f"the moment {quoted(moment.name)} can never come"
            yield found(book, Claim.NEVER_COMES, f"moments.{moment.name}", what, because=proof, mend=_CHANGE)
    for offer in playbook.offers.values():
        if heeded(offer) and (proof := _never_made(book, offer)) is not None:
            what = f"the offer {quoted(offer.name)} can never be made"
            yield found(book, Claim.NEVER_MADE, f"offers.{offer.name}", what, because=proof, mend=_CHANGE)


# Segments


def never_in(book: Book, name: str) -> Proof | None:
    """Return why nobody can be in a segment: its condition can never be true."""
    path = f"segments.{name}"
    return book.proof(of_condition(book.expressions[path], path, f"what {quoted(name)} means"))


def never_out(book: Book, name: str) -> Proof | None:
    """Return why nobody can be outside a segment: its condition is true for everybody at any time."""
    condition = book.expressions[f"segments.{name}"]
    given = Given(
        wanted(condition, NOT_TRUE), f"segments.{name}", f"everybody is in {quoted(name)}", reads=(condition,)
    )
    return book.proof([given])


# Offers


def _never_made(book: Book, offer: Offer) -> Proof | None:
    """Return why an offer is made to nobody: its `if` can never be true."""
    path = f"offers.{offer.name}.if"
    return book.proof(of_condition(book.expressions[path], path, "its `if`")) if path in book.expressions else None


# Moments


def never_comes(book: Book, moment: Moment) -> Proof | None:
    """Return why a moment can never fire; None where it is not proved."""
    if not heeded(moment) or not all_heeded(moment.steps):
        return None
    return _never_stepped(book, moment) or _always_killed(book, moment) or _other_keys(book, moment)


def _never_stepped(book: Book, moment: Moment) -> Proof | None:
    """§6: each step has to be completed by an event that meets its `where`; one that none can meet is the end."""
    for number, step in enumerate(moment.steps):
        if step.absent:
            continue
        path = f"moments.{moment.name}.steps[{number}]"
        if len(step.matches) == 1:
            proof = book.proof(book.matching(path, step.matches[0], "the event of this step"))
        else:
            given = _any_of(book, path, step, "one of the events of this step")
            proof = book.proof([given]) if given is not None else None
        if proof is not None:
            return proof
    return None


def _any_of(book: Book, path: str, step: Step, says: str) -> Given | None:
    """Return that one of the events of a step comes, where each has a condition."""
    told = [each for match in step.matches if (each := book.where(path, match)) is not None]
    if len(told) < len(step.matches):
        return None
    return Given(either(wanted(each, TRUE) for each in told), path, says, reads=tuple(told))


def _always_killed(book: Book, moment: Moment) -> Proof | None:
    """§6: kills act before updates, so an event that `no E` matches finds the step before cleared.

    Where every event that could complete a step is one that must not come before it, nothing ever does.
    """
    before: list[int] = []
    for number, step in enumerate(moment.steps):
        if step.absent and number:
            before.append(number)
            continue
        absent = [match for each in before for match in moment.steps[each].matches]
        path = f"moments.{moment.name}.steps[{number}]"
        if absent and all(_is_covered(book, path, match, absent) for match in step.matches):
            killers = [
                Given(ALWAYS, f"moments.{moment.name}.steps[{each}]", "such an event must not come before")
                for each in before
            ]
            return (Given(ALWAYS, path, "each event that could be this step"), *killers)
        before = []
    return None


def _is_covered(book: Book, path: str, match: EventMatch, absent: Sequence[EventMatch]) -> bool:
    """Tell whether each event that matches is one of some others."""
    same = [each for each in absent if each.event == match.event]
    if any(not each.where for each in same):
        return True
    conditions = [condition for each in same if (condition := book.where(path, each)) is not None]
    others = [Given(wanted(each, NOT_TRUE), path, "", reads=(each,)) for each in conditions]
    givens = [*book.matching(path, match, ""), *others]
    return bool(others) and book.excluded([*givens, *meanings(book, givens)])


def _other_keys(book: Book, moment: Moment) -> Proof | None:
    """§6: progress is kept per key, so all steps have one value of `per`; steps that ask for two are never one."""
    if not moment.per:
        return None
    givens: list[Given] = []
    for number, step in enumerate(moment.steps):
        path = f"moments.{moment.name}.steps[{number}]"
        if not step.absent:
            given = _any_of(book, path, step, f"all steps have the same {quoted(moment.per)}")
            givens += [] if given is None else [_of_step(given, number, moment.per)]
    return book.proof(givens)


def _of_step(given: Given, number: int, per: str) -> Given:
    """Let the fields of a step's event be its own, all but the key, which is that of every step."""
    key = f"event.{per}"

    def own(read: Read) -> Read:
        if read.name == key or read.name.startswith(f"{key}."):
            return replace(read, symbol=replace(read.symbol, index=0))
        return replace(read, name=read.name.replace("event.", f"event of step {number}.", 1))

    told = tuple(replaced(each, own) for each in given.reads)
    return Given(either(wanted(each, TRUE) for each in told), given.path, given.says, reads=told)
