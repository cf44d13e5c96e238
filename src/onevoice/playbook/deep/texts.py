"""What statements about texts leave of their values: which texts a term may be, and which terms are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from onevoice.conditions.tree import Constant, Expression, Operator, Type
from onevoice.playbook.deep.constants import fits
from onevoice.playbook.deep.formula import Among, Compared, Fits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.playbook.deep.formula import Literal


class Texts:
    """The texts that the terms of some statements may be; `agree` is false where one can be none."""

    def __init__(self, literals: Iterable[Literal]) -> None:
        self._parents: dict[Expression, Expression] = {}
        self._allowed: dict[Expression, frozenset[str]] = {}
        self._excluded: dict[Expression, set[str]] = {}
        self._fits: dict[Expression, set[tuple[str, bool]]] = {}
        self._unlike: list[tuple[Expression, Expression]] = []
        about = [each for each in literals if _is_about_texts(each)]
        for each in about:
            if isinstance(each, Compared) and each.operator is Operator.EQUAL and not _constant_in(each):
                self._join(each.left, each.right)
        for each in about:
            self._take(each)
        self.agree = self._agree()

    def only(self, term: Expression) -> str | None:
        """Return the one text that a term can be; None where there may be others."""
        if isinstance(term, Constant):
            return cast("str | None", term.value)
        known = self.possible(term)
        return next(iter(known)) if known is not None and len(known) == 1 else None

    def possible(self, term: Expression) -> frozenset[str] | None:
        """Return the texts that a term may be; None where they cannot be told."""
        top = self._top(term)
        allowed = self._allowed.get(top)
        return None if allowed is None else frozenset(each for each in allowed if self._passes(top, each))

    def admits(self, term: Expression, text: str) -> bool:
        """Tell whether a term may be this text."""
        top = self._top(term)
        return (top not in self._allowed or text in self._allowed[top]) and self._passes(top, text)

    def _top(self, term: Expression) -> Expression:
        while term in self._parents:
            term = self._parents[term]
        return term

    def _join(self, one: Expression, other: Expression) -> None:
        first, second = self._top(one), self._top(other)
        if first != second:
            self._parents[second] = first

    def _take(self, literal: Literal) -> None:
        match literal:
            case Compared() if (constant := _constant_in(literal)) is not None:
                term = literal.right if constant is literal.left else literal.left
                self._limit(term, frozenset({str(constant.value)}), inside=literal.operator is Operator.EQUAL)
            case Compared(operator=Operator.UNEQUAL):
                self._unlike.append((literal.left, literal.right))
            case Among():
                self._limit(literal.term, frozenset(map(str, literal.choices)), inside=literal.inside)
            case Fits():
                self._fits.setdefault(self._top(literal.term), set()).add((literal.pattern, literal.matches))
            case _:
                pass

    def _limit(self, term: Expression, choices: frozenset[str], *, inside: bool) -> None:
        top = self._top(term)
        if inside:
            self._allowed[top] = self._allowed.get(top, choices) & choices
        else:
            self._excluded.setdefault(top, set()).update(choices)

    def _passes(self, top: Expression, text: str) -> bool:
        patterns = self._fits.get(top, ())
        return text not in self._excluded.get(top, ()) and all(fits(text, like) is so for like, so in patterns)

    def _agree(self) -> bool:
        if any(not self.possible(top) for top in self._allowed):
            return False
        if any((pattern, not so) in found for found in self._fits.values() for pattern, so in found):
            return False
        return not any(self._same(one, other) for one, other in self._unlike)

    def _same(self, one: Expression, other: Expression) -> bool:
        if self._top(one) == self._top(other):
            return True
        only = self.only(one)
        return only is not None and only == self.only(other)


def _is_about_texts(literal: Literal) -> bool:
    match literal:
        case Compared():
            return literal.left.type is Type.TEXT
        case Among() | Fits():
            return literal.term.type is Type.TEXT
        case _:
            return False


def _constant_in(literal: Compared) -> Constant | None:
    return next((each for each in (literal.left, literal.right) if isinstance(each, Constant)), None)
