"""A playbook as proofs look at it: its conditions as trees, and what is proved of its parts, once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from onevoice.conditions.tree import Expression, Type
from onevoice.conditions.types import check as check_condition
from onevoice.playbook.builtin import row_fields
from onevoice.playbook.deep.given import Given, meanings, of_condition
from onevoice.playbook.deep.heeded import heeded
from onevoice.playbook.deep.search import Search
from onevoice.playbook.deep.theory import Theory
from onevoice.playbook.scopes import Scopes, conditions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from onevoice.playbook.model import EventMatch, Fact, Playbook
    from onevoice.playbook.record import Report

Proof = tuple[Given, ...]


class Book:
    """One playbook without mistakes, its conditions, and the search that answers questions about it."""

    def __init__(self, playbook: Playbook, report: Report) -> None:
        self.playbook = playbook
        self.report = report
        self.expressions = report.expressions
        self.scopes = Scopes(playbook)
        self.facts = self.scopes.facts
        self.texts = {written.path: written.text for written in conditions_of(playbook, self.scopes)}
        self.search = Search(Theory(playbook.products))
        self.never_matches = cache(self._never_matches)
        self._wheres: dict[tuple[str, str], Expression] = {}
        self._opens: dict[str, bool] = {}

    def proof(self, givens: Sequence[Given]) -> Proof | None:
        """Return the least of some statements, with what their names mean, that exclude each other; None: they do not.

        Each one of these is needed: without it the others could be so.
        """
        meant = meanings(self, givens)
        if not self.excluded([*givens, *meant]):
            return None
        kept = [*givens, *meant]
        for each in [*reversed(meant), *reversed(givens)]:
            others = [given for given in kept if given is not each]
            if self.excluded(others):
                kept = others
        return tuple(kept)

    def excluded(self, givens: Iterable[Given]) -> bool:
        """Tell whether statements exclude each other, as they stand."""
        return self.search.excluded(given.formula for given in givens)

    def where(self, path: str, match: EventMatch) -> Expression | None:
        """Return the condition on an event; each of several `any of` reads its own fields."""
        if not match.where or row_fields(self.scopes.events, match.event) is None:
            return None
        key = (match.event, match.where)
        if key not in self._wheres:
            self._wheres[key] = check_condition(match.where, self.scopes.event(match.event), Type.BOOLEAN, path)
        return self._wheres[key]

    def matching(self, path: str, match: EventMatch, says: str) -> list[Given]:
        """Return what is so of an event that matches."""
        condition = self.where(path, match)
        return [] if condition is None else of_condition(condition, path, says)

    def _never_matches(self, path: str, match: EventMatch) -> bool:
        givens = self.matching(path, match, "")
        return bool(givens) and self.excluded([*givens, *meanings(self, givens)])

    def never_opens(self, fact: Fact) -> bool:
        """Tell whether no event can open a declared fact."""
        if fact.name not in self.playbook.facts or not heeded(fact):
            return False
        if fact.name not in self._opens:
            opens = [self.never_matches(f"facts.{fact.name}.opens[{i}]", each) for i, each in enumerate(fact.opens)]
            self._opens[fact.name] = all(opens)
        return self._opens[fact.name]
