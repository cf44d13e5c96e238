"""Whether plain statements about one customer at one instant can all be so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.conditions.tree import AnyRead, Constant, FactRead, Read, Type
from onevoice.playbook.deep.formula import Among, Between, Compared, Fits, Holds, Known, Row
from onevoice.playbook.deep.numbers import Numbers
from onevoice.playbook.deep.texts import Texts

if TYPE_CHECKING:
    from onevoice.conditions.tree import Expression
    from onevoice.playbook.deep.formula import Literal
    from onevoice.playbook.model import Catalogue

Truths = dict["Read | FactRead | AnyRead", bool]


class Theory:
    """Tells of sets of statements whether they exclude each other; what it cannot tell it lets pass."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._products = Products(catalogue)
        self._told: dict[frozenset[Literal], bool] = {}
        self._rows: dict[frozenset[Literal], bool] = {}

    def consistent(self, literals: frozenset[Literal]) -> bool:
        """Tell whether these statements may all be so; false is proved."""
        found = self._told.get(literals)
        if found is None:
            found = self._told[literals] = self._agree(literals)
        return found

    def _agree(self, literals: frozenset[Literal]) -> bool:
        known, null = _nullness(literals)
        if known & null:
            return False
        texts = Texts(literals)
        if not texts.agree:
            return False
        truths = _truths(literals, texts)
        bounds = None if truths is None else _open_keys(truths, known)
        if truths is None or bounds is None:
            return False
        counts = {each.term for each in bounds}
        numbers = Numbers(literals, known | counts, bounds)
        if not numbers.agree:
            return False
        rows = [each for each in literals if isinstance(each, Row)]
        return all(self._has_row(row, literals, known, null) for row in rows)

    def _has_row(
        self, row: Row, literals: frozenset[Literal], known: frozenset[Expression], null: frozenset[Expression]
    ) -> bool:
        terms = {row.product, *(term for _, term in row.columns)}
        concerned = frozenset(each for each in literals if terms & _terms(each))
        if concerned not in self._rows:
            asked = _Asked(row, concerned, known & terms, null & terms)
            self._rows[concerned] = asked.exists(self._products)
        return self._rows[concerned]


class Products:
    """A catalogue by what is asked of it: its products by name, and what different products there are."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._columns = catalogue.columns
        self._names = catalogue.names
        self._numbers: dict[str, int] = {}
        self._kinds: dict[tuple[str, ...], list[tuple[str | float | None, ...]]] = {}

    def lists(self, name: str) -> bool:
        """Tell whether a product is in the catalogue."""
        return name in self._by_name()

    def row(self, name: str, columns: tuple[str, ...]) -> tuple[str | float | None, ...]:
        """Return what the catalogue says of a product in it."""
        number = self._by_name()[name]
        return tuple(self._columns[column][number] for column in columns)

    def kinds(self, columns: tuple[str, ...]) -> list[tuple[str | float | None, ...]]:
        """Return what the catalogue says of any product, each once."""
        if columns not in self._kinds:
            self._kinds[columns] = list(dict.fromkeys(zip(*(self._columns[each] for each in columns), strict=True)))
        return self._kinds[columns]

    def _by_name(self) -> dict[str, int]:
        if not self._numbers:
            self._numbers = {name: number for number, name in enumerate(self._names)}
        return self._numbers


class _Asked:
    """What statements ask of one product and its columns."""

    def __init__(
        self, row: Row, literals: frozenset[Literal], known: frozenset[Expression], null: frozenset[Expression]
    ) -> None:
        self._product = row.product
        self._known = known
        self._null = null
        self._texts = Texts(literals)
        self._numbers = Numbers(literals, known, ())
        self._truths = {each.term: each.truth for each in literals if isinstance(each, Holds)}
        used = [(name, term) for name, term in row.columns if any(term in _terms(each) for each in literals)]
        self._columns = tuple(name for name, _ in used)
        self._used = [term for _, term in used]

    def exists(self, products: Products) -> bool:
        """Tell whether some product of the catalogue, or one outside it, may be what is asked for.

        Of a product that is only told not to be some others any will do.
        """
        unlisted = all(term not in self._known for term in self._used)
        if self._product in self._null:
            return unlisted
        possible = self._texts.possible(self._product)
        if possible is None:
            return unlisted or any(self._fit(row) for row in products.kinds(self._columns))
        if unlisted and not all(products.lists(name) for name in possible):
            return True
        return any(self._fit(products.row(name, self._columns)) for name in possible if products.lists(name))

    def _fit(self, row: tuple[str | float | None, ...]) -> bool:
        return all(self._may_hold(term, value) for term, value in zip(self._used, row, strict=True))

    def _may_hold(self, term: Expression, value: str | float | None) -> bool:
        if value is None:
            return term not in self._known
        if term in self._null:
            return False
        if isinstance(value, str):
            return self._texts.admits(term, value)
        if term.type is Type.BOOLEAN:
            return not isinstance(term, Read) or self._truths.get(term, bool(value)) is bool(value)
        return self._numbers.admits(term, value)


def _nullness(literals: frozenset[Literal]) -> tuple[frozenset[Expression], frozenset[Expression]]:
    """Return the terms that are known, and those that are NULL."""
    told = {True: set["Expression"](), False: set["Expression"]()}
    for each in literals:
        if isinstance(each, Known):
            told[each.known].add(each.term)
        elif isinstance(each, Holds):
            told[True].add(each.term)
        elif isinstance(each, Compared):
            told[True].update((each.left, each.right))
        elif isinstance(each, Among | Fits):
            told[True].add(each.term)
    return frozenset(told[True]), frozenset(told[False])


def _terms(literal: Literal) -> set[Expression]:
    if isinstance(literal, Compared):
        return {literal.left, literal.right}
    return set() if isinstance(literal, Row) else {literal.term}


# Facts


def _truths(literals: frozenset[Literal], texts: Texts) -> Truths | None:
    """Return what is so of boolean values and facts, facts by the keys that are known; None where it is and is not."""
    found: Truths = {}
    for each in literals:
        if isinstance(each, Holds):
            term = each.term
            if isinstance(term, FactRead):
                term = replace(term, keys=tuple(_told(key, texts) for key in term.keys))
            elif isinstance(term, AnyRead):
                term = replace(term, fact=replace(term.fact, keys=tuple(_told(key, texts) for key in term.fact.keys)))
            if found.setdefault(term, each.truth) is not each.truth:
                return None
    return found


def _told(key: Expression, texts: Texts) -> Expression:
    only = texts.only(key)
    return key if only is None else Constant(Type.TEXT, only)


def _open_keys(truths: Truths, known: frozenset[Expression]) -> list[Between] | None:
    """Return the least and the most keys that can be open of each fact; None where its truths exclude each other.

    A fact that is open for a key is open for the key's first part, and open. Open for two keys, it has two open.
    """
    facts = {term: truth for term, truth in truths.items() if isinstance(term, FactRead)}
    for term, truth in facts.items():
        wider = [replace(term, keys=term.keys[:length]) for length in range(len(term.keys))]
        if truth and any(facts.get(each) is False for each in wider):
            return None
    asked = {_unkeyed(term) for term in (*facts, *known) if isinstance(term, FactRead)}
    bounds: list[Between] = []
    for fact in asked:
        open_ = [term for term, truth in facts.items() if truth and _unkeyed(term) == fact]
        count = replace(fact, type=Type.NUMBER, count=True)
        bounds.append(Between(count, float(_distinct(open_)), 0.0 if facts.get(fact) is False else None, whole=True))
    return bounds


def _unkeyed(term: FactRead) -> FactRead:
    return replace(term, type=Type.BOOLEAN, keys=(), count=False)


def _distinct(open_: list[FactRead]) -> int:
    """Return how many keys are open at the least, of those that are told."""
    told: dict[int, set[tuple[Expression, ...]]] = {}
    for term in open_:
        if all(isinstance(key, Constant) for key in term.keys):
            told.setdefault(len(term.keys), set()).add(term.keys)
    return max((len(each) for each in told.values()), default=1 if open_ else 0)
