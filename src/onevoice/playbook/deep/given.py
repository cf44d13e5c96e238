"""What is given: a statement that holds for certain, and where it comes from.

A proof is a set of these that exclude each other. Some are written in the playbook: the parts of a condition, the
event that triggers, the days of a campaign. Others are what names mean: a count is never below nought.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import (
    OFFER_PRODUCT,
    AnyRead,
    Apply,
    Clock,
    Constant,
    DatePart,
    Expression,
    FactRead,
    Operator,
    Part,
    Read,
    Symbol,
    SymbolKind,
    Type,
    walk,
)
from onevoice.playbook.deep.constants import replaced
from onevoice.playbook.deep.formula import (
    NOT_TRUE,
    TRUE,
    Between,
    Compared,
    Formula,
    Holds,
    Known,
    Row,
    both,
    either,
    nullness,
    wanted,
)
from onevoice.playbook.deep.heeded import heeded
from onevoice.playbook.model import DAY, Aggregate, Fact, Measure
from onevoice.playbook.tree import quoted
from onevoice.playbook.unsent import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from onevoice.playbook.deep.book import Book

    Values = Callable[[Read], Expression | None]

_PARTS: Final[dict[Part, tuple[int, int]]] = {
    Part.MONTH: (1, 12),
    Part.DAY: (1, 31),
    Part.DOY: (1, 366),
    Part.ISODOW: (1, 7),
    Part.HOUR: (0, 23),
    Part.MINUTE: (0, 59),
}
_COUNTED: Final = frozenset({Aggregate.COUNT, Aggregate.DISTINCT})
_TIMED: Final = frozenset({Aggregate.LATEST, Aggregate.FIRST})
_PICKED: Final = _TIMED | {Aggregate.MIN, Aggregate.MAX}
_PRODUCT_FIELDS: Final = {SymbolKind.EVENT_PRODUCT_FIELD, SymbolKind.OFFER_PRODUCT_FIELD}
DISTINCT_MAX: Final = 1_024.0
NOW: Final = Clock(Type.TIME)
TODAY: Final = Clock(Type.DATE)


@dataclass(frozen=True, slots=True)
class Given:
    """A statement that holds, and how to tell of it.

    `path`: where it is written; `part`: which of the conditions that AND joins there, -1: all of it. `says` follows
    the quotation: what it is, or what follows from it. `reads`: the conditions that the formula was made of.
    """

    formula: Formula
    path: str
    says: str
    part: int = -1
    reads: tuple[Expression, ...] = ()


def of_condition(condition: Expression, path: str, says: str, values: Values | None = None) -> list[Given]:
    """Return a condition that must be true as its parts, so that a proof names those that it needs.

    `values`: gives for a name what stands for it, None where it stands for itself.
    """
    found = list(parts(condition, Operator.AND))
    told = [replaced(each, values) if values else each for each in found]
    return [
        Given(wanted(each, TRUE), path, says + filled(part, values), number if len(found) > 1 else -1, (each,))
        for number, (part, each) in enumerate(zip(found, told, strict=True))
    ]


def filled(condition: Expression, values: Values | None) -> str:
    """Return which names of a condition have one value, in words: `, where x is 8`."""
    reads = {each.name: each for each in walk(condition) if isinstance(each, Read)}
    known = {name: values(each) if values else None for name, each in reads.items()}
    told = [
        f"{quoted(name)} is {'NULL' if each.value is None else quoted(_shown(each.value))}"
        for name, each in known.items()
        if isinstance(each, Constant)
    ]
    return f", where {' and '.join(told)}" if told else ""


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def later(time: Expression, length_us: int) -> Expression:
    """Return a time so much later, as a condition would write it."""
    return Apply(time.type, Operator.ADD, (time, Constant(Type.INTERVAL, float(length_us))))


def meanings(book: Book, givens: Iterable[Given]) -> list[Given]:
    """Return what the names in some statements mean: segments their conditions, measures what they can be."""
    found: dict[Expression, list[Given]] = {}
    waiting = [each for given in givens for each in given.reads]
    while waiting:
        for term in walk(waiting.pop()):
            if term not in found and not isinstance(term, Constant):
                found[term] = list(_meanings_of(book, term))
                waiting += [each for given in found[term] for each in given.reads]
    return [*(given for each in found.values() for given in each), *_alike(book, found), *_rows(found)]


def _meanings_of(book: Book, term: Expression) -> Iterator[Given]:
    match term:
        case Read() if term.symbol.kind is SymbolKind.SEGMENT:
            if heeded(book.playbook.segments[term.name]) and not asks_others(book.expressions[f"segments.{term.name}"]):
                yield _segment(book, term)
        case Read() if term.symbol.kind is SymbolKind.MEASURE:
            if heeded(measure := book.playbook.measures[term.name]):
                yield from _measure(book, measure, term)
        case FactRead():
            if heeded(fact := book.facts[term.name]):
                yield from _fact(book, fact, term)
        case AnyRead():
            yield from _anybody(book, term)
        case DatePart() if term.part in _PARTS:
            low, high = _PARTS[term.part]
            says = f"the {term.part.name.lower()} of a time is a whole number from {low} to {high}"
            yield Given(Between(term, low, high, whole=True), "", says)
        case Clock(type=Type.DATE):
            near = Compared(Operator.AT_MOST, TODAY, later(NOW, 2 * DAY))
            yield Given(
                both((near, Compared(Operator.AT_MOST, NOW, later(TODAY, 2 * DAY)))), "", "today is the day of now()"
            )
        case _:
            pass


def _segment(book: Book, term: Read) -> Given:
    """Say that a segment is what its condition is: it is judged at each instant at which that may change."""
    path = f"segments.{term.name}"
    condition = book.expressions[path]
    inside = both((Holds(term, truth=True), wanted(condition, TRUE)))
    outside = both((Holds(term, truth=False), wanted(condition, NOT_TRUE)))
    return Given(either((inside, outside)), path, f"what {quoted(term.name)} means", reads=(condition,))


def _measure(book: Book, measure: Measure, term: Read) -> Iterator[Given]:
    """Say that counts are whole, never NULL and never below nought, and which values a `where` lets through."""
    path, counted = f"measures.{measure.name}", measure.aggregate in _COUNTED
    if counted:
        most = DISTINCT_MAX if measure.aggregate is Aggregate.DISTINCT else None
        formula = both((Known(term, known=True), Between(term, 0.0, most, whole=True)))
        yield Given(formula, path, "a whole number that is never below 0")
    if book.never_matches(path, measure.match):
        nothing = Between(term, 0.0, 0.0) if counted else _unknown(term)
        yield Given(nothing, path, f"no such event can come, so {quoted(term.name)} is {'0' if counted else 'NULL'}")
    elif measure.aggregate in _PICKED and measure.field:
        yield from _picked(book, measure, term)
    elif measure.aggregate in _TIMED:
        formula = either((_unknown(term), Compared(Operator.AT_MOST, term, later(NOW, DAY))))
        yield Given(formula, path, "never more than a day after now(): events from later are refused")


def _picked(book: Book, measure: Measure, term: Read) -> Iterator[Given]:
    """Say that the value of one event's field is one that the `where` of the measure lets through."""
    field, path = f"event.{measure.field}", f"measures.{measure.name}"
    condition = book.where(path, measure.match)
    for each in () if condition is None else parts(condition, Operator.AND):
        if _names(each) == {field}:
            told = replaced(each, lambda read: term if read.name == field else None)
            yield Given(
                either((_unknown(term), wanted(told, TRUE))), path, f"{quoted(term.name)} is of such events alone"
            )


def _alike(book: Book, terms: Iterable[Expression]) -> Iterator[Given]:
    """Say what two measures of the same events tell of each other."""
    reads = [each for each in terms if isinstance(each, Read) and each.symbol.kind is SymbolKind.MEASURE]
    told = [(each, book.playbook.measures[each.name]) for each in reads]
    known = [(term, measure) for term, measure in told if heeded(measure)]
    for term, measure in known:
        for other, among in known:
            if term != other and _is_among(measure, among):
                yield from _of_fewer(measure, term, among, other)


def _is_among(measure: Measure, others: Measure) -> bool:
    """Tell whether each event that a measure takes was taken by another, which forgets none."""
    ours, theirs = measure.match, others.match
    is_wider = ours.event == theirs.event and theirs.where in {"", ours.where}
    return is_wider and not others.over_us and others.field in {"", measure.field}


def _of_fewer(measure: Measure, term: Read, others: Measure, other: Read) -> Iterator[Given]:
    """Say what follows where each event of a measure is one of another: both counted, or that other's time known."""
    path = f"measures.{others.name}"
    if measure.aggregate is others.aggregate is Aggregate.COUNT:
        says = f"{quoted(other.name)} counts all that {quoted(term.name)} does"
        yield Given(Compared(Operator.AT_MOST, term, other), path, says)
    elif not others.field and others.aggregate in {Aggregate.COUNT, *_TIMED}:
        none = Between(term, 0.0, 0.0) if measure.aggregate in _COUNTED else _unknown(term)
        is_count = others.aggregate is Aggregate.COUNT
        some = Between(other, 1.0, None) if is_count else nullness(other, null=False)
        says = f"each event of {quoted(term.name)} is one of {quoted(other.name)}, too"
        yield Given(either((none, some)), path, says)


def _names(condition: Expression) -> set[str]:
    return {each.name for each in walk(condition) if isinstance(each, Read | FactRead)}


def _unknown(term: Read) -> Formula:
    return nullness(term, null=True)


def _fact(book: Book, fact: Fact, term: FactRead) -> Iterator[Given]:
    """How many keys are open is whole and never below nought; a fact that nothing opens is never open."""
    path = f"facts.{fact.name}.opens[0]" if fact.name in book.playbook.facts else ""
    if term.count:
        formula = both((Known(term, known=True), Between(term, 0.0, None, whole=True)))
        yield Given(formula, path, f"how many of {quoted(fact.name)} are open is a whole number that is never below 0")
    if book.never_opens(fact):
        shut = Between(term, 0.0, 0.0) if term.count else Holds(term, truth=False)
        yield Given(shut, path, f"no such event can come, so {quoted(fact.name)} is never open")


def _anybody(book: Book, term: AnyRead) -> Iterator[Given]:
    """Say that everybody is one of their own group; and that what nothing opens is open for nobody in it."""
    own = either((wanted(term, TRUE), wanted(term.fact, NOT_TRUE)))
    group = term.name.partition(".")[0]
    yield Given(own, f"groups.{group}", "whom it is true of is one of their own group", reads=(term.fact,))
    if book.never_opens(fact := book.facts[term.fact.name]):
        path, says = f"facts.{fact.name}.opens[0]", f"no such event can come, so {quoted(fact.name)} is never open"
        yield Given(wanted(term, NOT_TRUE), path, says)


def asks_others(condition: Expression) -> bool:
    """Tell whether a condition asks others of a group: whoever found no room in it is not judged when they change."""
    return any(isinstance(each, AnyRead) for each in walk(condition))


def _rows(terms: Iterable[Expression]) -> Iterator[Given]:
    """Say that what is known of a product is what the catalogue says of it."""
    columns: dict[Read, list[tuple[str, Expression]]] = {}
    for term in terms:
        if isinstance(term, Read) and term.symbol.kind in _PRODUCT_FIELDS:
            column = term.name.rpartition(".")[2]
            columns.setdefault(_product_of(term), []).append((column, term))
    for product, found in columns.items():
        names = ", ".join(quoted(f"{product.name}.{column}") for column, _ in found)
        says = f"no product of the catalogue is so: {names}"
        yield Given(Row(product, tuple(found)), "products", says)


def _product_of(term: Read) -> Read:
    name = term.name.rpartition(".")[0]
    if term.symbol.kind is SymbolKind.OFFER_PRODUCT_FIELD:
        return Read(Type.TEXT, name, Symbol(SymbolKind.OFFER_FIELD, OFFER_PRODUCT, Type.TEXT))
    return Read(Type.TEXT, name, Symbol(SymbolKind.EVENT_FIELD, term.symbol.index, Type.TEXT))
