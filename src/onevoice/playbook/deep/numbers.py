"""What statements about numbers, times and lengths of time leave of their values.

Statements are edges `a - b <= bound` between terms, and nought, which stands for literals. A circle of edges whose
bounds sum up to less than nought cannot be. Comparisons are exact. Sums of times are exact below 2**53 only, so
what is concluded of them has a margin.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice.conditions.tree import TEMPORAL, Apply, Constant, Expression, Operator, Type
from onevoice.playbook.deep.formula import Among, Between, Compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onevoice.playbook.deep.formula import Literal

MARGIN_US: Final = 1_000  # a sum of times below 2**61 is off by 512 µs at the most, and cut down to whole ones
WHOLE_MAX: Final = 400  # whole numbers that are tried one by one
NOUGHT: Final = None
_SIGNED: Final = {Operator.ADD: 1, Operator.SUBTRACT: -1}

Node = Expression | None


class Bound(NamedTuple):
    """At most `value`; with `strictly` -1 less than that. Bounds add up, and the lesser one says more."""

    value: Fraction | int
    strictly: int = 0

    def plus(self, other: Bound) -> Bound:
        """Return the bound of two edges one after the other."""
        return Bound(self.value + other.value, self.strictly + other.strictly)


class Linear(NamedTuple):
    """A term as a sum of other terms, each with its sign, and a number; `sums`: how many sums of times are in it."""

    signs: Mapping[Expression, int]
    constant: Fraction | int
    sums: int


class Numbers:
    """The numbers that the terms of some statements may be; `agree` is false where one can be none.

    `known`: the terms that are not NULL; `bounds` hold for those alone.
    """

    def __init__(self, literals: Iterable[Literal], known: frozenset[Expression], bounds: Iterable[Between]) -> None:
        self._edges: dict[tuple[Node, Node], Bound] = {}
        self._allowed: dict[Node, frozenset[Fraction | int]] = {}
        self._excluded: dict[Node, set[Fraction | int]] = {}
        self._unlike: list[tuple[Expression, Expression]] = []
        self._high: dict[Node, Bound] = {}
        self._low: dict[Node, Bound] = {}
        literals = list(literals)
        limits = [each for each in (*literals, *bounds) if isinstance(each, Between) and each.term in known]
        self._whole: set[Node] = {each.term for each in limits if each.whole}
        for each in limits:
            self._limit(each)
        for each in literals:
            if isinstance(each, Compared) and each.left.type is not Type.TEXT:
                self._compare(each)
            elif isinstance(each, Among) and each.term.type is not Type.TEXT:
                self._choose(each)
        self.agree = self._agree()

    def admits(self, term: Expression, value: float) -> bool:
        """Tell whether a term may be this number, as far as literals say."""
        number = _number(term.type, value)
        high, low = self._high.get(term), self._low.get(term)
        if high is not None and Bound(number) > high:
            return False
        if low is not None and Bound(-number) > low:
            return False
        return self._passes(term, number)

    # Taking statements up

    def _limit(self, limit: Between) -> None:
        if limit.high is not None:
            high = Bound(_number(limit.term.type, limit.high), -1 if limit.below else 0)
            self._edge(limit.term, NOUGHT, high)
        if limit.low is not None:
            self._edge(NOUGHT, limit.term, Bound(-_number(limit.term.type, limit.low)))

    def _compare(self, literal: Compared) -> None:
        left, right = literal.left, literal.right
        if literal.operator is Operator.UNEQUAL:
            self._differ(left, right)
            return
        if literal.operator in {Operator.GREATER, Operator.AT_LEAST}:
            left, right = right, left
        strictly = -1 if literal.operator in {Operator.LESS, Operator.GREATER} else 0
        self._below(left, right, strictly)
        if literal.operator is Operator.EQUAL:
            self._below(right, left, 0)

    def _below(self, left: Expression, right: Expression, strictly: int) -> None:
        """Take up that a term is at most another, or less: as they are, and as the sums they are."""
        (one, before), (other, after) = _node(left), _node(right)
        self._edge(one, other, Bound(after - before, strictly))
        difference = _difference(_linear(left), _linear(right))
        ends = _ends(difference.signs)
        if ends is None:
            return
        margin = MARGIN_US * difference.sums
        self._edge(*ends, Bound(margin - difference.constant, 0 if margin else strictly))

    def _differ(self, left: Expression, right: Expression) -> None:
        for one, other in ((left, right), (right, left)):
            if isinstance(other, Constant) and other.value is not None:
                self._excluded.setdefault(one, set()).add(_number(one.type, other.value))
        self._unlike.append((left, right))

    def _choose(self, literal: Among) -> None:
        choices = frozenset(_number(literal.term.type, each) for each in literal.choices)
        if literal.inside:
            self._allowed[literal.term] = self._allowed.get(literal.term, choices) & choices
            if choices:
                self._edge(literal.term, NOUGHT, Bound(max(choices)))
                self._edge(NOUGHT, literal.term, Bound(-min(choices)))
        else:
            self._excluded.setdefault(literal.term, set()).update(choices)

    def _edge(self, one: Node, other: Node, bound: Bound) -> None:
        if (one in self._whole and other is NOUGHT) or (other in self._whole and one is NOUGHT):
            below = bound.strictly and bound.value == math.floor(bound.value)
            bound = Bound(math.floor(bound.value) - (1 if below else 0))
        held = self._edges.get((one, other))
        if held is None or bound < held:
            self._edges[one, other] = bound

    # Whether they agree

    def _agree(self) -> bool:
        nodes = {node for pair in self._edges for node in pair} | {NOUGHT} | set(self._allowed) | set(self._excluded)
        if _shortest(dict.fromkeys(nodes, Bound(0)), self._edges) is None:
            return False
        turned = {(other, one): bound for (one, other), bound in self._edges.items()}
        self._high = _shortest({NOUGHT: Bound(0)}, self._edges) or {}
        self._low = _shortest({NOUGHT: Bound(0)}, turned) or {}
        return all(self._has_value(node) for node in nodes if node is not NOUGHT) and not self._same()

    def _has_value(self, node: Node) -> bool:
        high, low = self._high.get(node), self._low.get(node)
        if node in self._allowed:
            return any(isinstance(node, Expression) and self._fits(node, each) for each in self._allowed[node])
        if high is None or low is None:
            return True
        if node in self._whole:
            first, last = -math.floor(low.value), math.floor(high.value)
            return last - first > WHOLE_MAX or any(self._passes(node, each) for each in range(first, last + 1))
        return high.value != -low.value or self._passes(node, high.value)

    def _fits(self, node: Node, number: Fraction | int) -> bool:
        high, low = self._high.get(node), self._low.get(node)
        within = (high is None or Bound(number) <= high) and (low is None or Bound(-number) <= low)
        return within and self._passes(node, number)

    def _passes(self, node: Node, number: Fraction | int) -> bool:
        if number in self._excluded.get(node, ()) or (node in self._whole and number != math.floor(number)):
            return False
        return node not in self._allowed or number in self._allowed[node]

    def _same(self) -> bool:
        """Tell whether two terms that differ can only be one number."""
        return any(self._is_equal(one, other) for one, other in self._unlike)

    def _is_equal(self, left: Expression, right: Expression) -> bool:
        edges = self._edges
        if left == right:
            return True
        return all(edges.get(pair, Bound(1)) <= Bound(0) for pair in ((left, right), (right, left)))


def _shortest(start: Mapping[Node, Bound], edges: Mapping[tuple[Node, Node], Bound]) -> dict[Node, Bound] | None:
    """Return how far each term lies above nought at the most; None where the bounds go round below nought."""
    found = dict(start)
    for _ in range(len(edges) + 2):
        changed = False
        for (one, other), bound in edges.items():
            if other not in found:
                continue
            reached = found[other].plus(bound)
            if one not in found or reached < found[one]:
                found[one] = reached
                changed = True
        if not changed:
            return found
    return None


def _number(kind: Type, value: str | float) -> Fraction | int:
    return int(value) if kind in TEMPORAL else Fraction(value)


def _node(term: Expression) -> tuple[Node, Fraction | int]:
    """Return a term as a node and what lies above it: a literal lies so much above nought."""
    if isinstance(term, Constant):
        assert term.value is not None
        return NOUGHT, _number(term.type, term.value)
    return term, 0


def _linear(term: Expression) -> Linear:
    if isinstance(term, Constant):
        assert term.value is not None
        return Linear({}, _number(term.type, term.value), 0)
    if isinstance(term, Apply) and term.operator is Operator.NEGATE:
        return _negative(_linear(term.arguments[0]))
    if isinstance(term, Apply) and term.operator in _SIGNED and term.type in TEMPORAL:
        left, right = (_linear(each) for each in term.arguments)
        found = _difference(left, right) if _SIGNED[term.operator] < 0 else _difference(left, _negative(right))
        return found._replace(sums=found.sums + 1)
    return Linear({term: 1}, 0, 0)


def _negative(linear: Linear) -> Linear:
    return Linear({term: -sign for term, sign in linear.signs.items()}, -linear.constant, linear.sums)


def _difference(left: Linear, right: Linear) -> Linear:
    signs = dict(left.signs)
    for term, sign in right.signs.items():
        signs[term] = signs.get(term, 0) - sign
    kept = {term: sign for term, sign in signs.items() if sign}
    return Linear(kept, left.constant - right.constant, left.sums + right.sums)


def _ends(signs: Mapping[Expression, int]) -> tuple[Node, Node] | None:
    """Return the terms of a difference, nought where there is one alone; None where it is no difference."""
    above = [term for term, sign in signs.items() if sign == 1]
    below = [term for term, sign in signs.items() if sign == -1]
    if len(above) > 1 or len(below) > 1 or len(above) + len(below) != len(signs):
        return None
    return (above[0] if above else NOUGHT), (below[0] if below else NOUGHT)
