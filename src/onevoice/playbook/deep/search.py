"""Whether formulas exclude each other: every way in which they could hold is tried, within a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.playbook.deep.formula import All, Any, Formula, Holds, Known, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from onevoice.playbook.deep.theory import Theory

STEPS_MAX: Final = 10_000  # sets of statements that one question may look at, large ones counted as several
STEPS_IN_ALL_MAX: Final = 50_000  # and all questions about one playbook
LITERALS_A_STEP: Final = 4
LITERALS_MAX: Final = 200  # statements at once
PARTS_MAX: Final = 20_000  # parts of formulas taken apart at once
PARTS_A_STEP: Final = 50


class _Undecided(Exception):  # noqa: N818 - not an error: the question is too large for an answer
    pass


class Search:
    """Answers questions about one playbook, and counts what they cost."""

    def __init__(self, theory: Theory) -> None:
        self._theory = theory
        self._left = STEPS_IN_ALL_MAX
        self._question = 0
        self.undecided = 0

    def excluded(self, formulas: Iterable[Formula]) -> bool:
        """Tell whether formulas cannot all hold. False where they can, and where the bounds are reached first."""
        self._question = min(STEPS_MAX, self._left)
        before = self._question
        try:
            return not self._possible(list(formulas), frozenset())
        except (_Undecided, RecursionError):
            self.undecided += 1
            return False
        finally:
            self._left -= before - self._question

    def _possible(self, waiting: list[Formula], held: frozenset[Literal]) -> bool:
        gathered = self._gather(waiting, set(held))
        if gathered is None:
            return False
        literals, choices = gathered
        if not self._consistent(frozenset(literals)):
            return False
        narrowed = self._narrow(choices, frozenset(literals))
        if narrowed is None:
            return False
        certain, open_ = narrowed
        if certain:
            return self._possible([*certain, *(Any(tuple(each)) for each in open_)], frozenset(literals))
        if not open_:
            return True
        first = min(open_, key=len)
        others: list[Formula] = [Any(tuple(each)) for each in open_ if each is not first]
        return any(self._possible([option, *others], frozenset(literals)) for option in first)

    def _narrow(
        self, choices: Sequence[Any], held: frozenset[Literal]
    ) -> tuple[list[Formula], list[list[Formula]]] | None:
        """Return what is left to choose: the options that must be, and those of each choice still open.

        None where a choice has no option left.
        """
        certain: list[Formula] = []
        open_: list[list[Formula]] = []
        for choice in choices:
            if any(_is_held(option, held) for option in choice.parts):
                continue
            options = [option for option in choice.parts if self._may_be(option, held)]
            if not options:
                return None
            if len(options) == 1:
                certain += options
            else:
                open_.append(options)
        return certain, open_

    def _may_be(self, option: Formula, held: frozenset[Literal]) -> bool:
        gathered = self._gather([option], set(held))
        return gathered is not None and self._consistent(frozenset(gathered[0]))

    def _gather(self, waiting: Sequence[Formula], literals: set[Literal]) -> tuple[set[Literal], list[Any]] | None:
        """Return the statements that formulas hold for certain, and the choices that they leave; None: they cannot."""
        choices: list[Any] = []
        waiting, seen = list(waiting), 0
        while waiting:
            part = waiting.pop()
            seen += 1
            if seen > PARTS_MAX:
                raise _Undecided
            if isinstance(part, All):
                waiting += part.parts
            elif isinstance(part, Any):
                if not part.parts:
                    return None
                choices.append(part)
            elif _opposite(part) in literals:
                return None
            else:
                literals.add(part)
        self._question -= seen // PARTS_A_STEP
        return literals, choices

    def _consistent(self, literals: frozenset[Literal]) -> bool:
        self._question -= 1 + len(literals) // LITERALS_A_STEP
        if self._question < 0 or len(literals) > LITERALS_MAX:
            raise _Undecided
        return self._theory.consistent(literals)


def _opposite(literal: Literal) -> Literal | None:
    if isinstance(literal, Holds):
        return Holds(literal.term, not literal.truth)
    if isinstance(literal, Known):
        return Known(literal.term, not literal.known)
    return None


def _is_held(option: Formula, held: frozenset[Literal]) -> bool:
    """Tell whether an option is so already; of one with choices inside nobody asks."""
    if isinstance(option, All):
        return all(not isinstance(part, All | Any) and part in held for part in option.parts)
    return not isinstance(option, Any) and option in held
