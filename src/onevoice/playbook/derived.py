"""Reading what is derived from events: facts, measures, segments, moments."""

from __future__ import annotations

from typing import Final

from onevoice.playbook import grammar
from onevoice.playbook.builtin import BUILTIN_EVENTS, BUILTIN_FACT_NAMES
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import Aggregate, EventMatch, EventType, Fact, FieldType, Measure, Moment, Segment, Step
from onevoice.playbook.record import Record, condition_text, listed, opened, short_text
from onevoice.playbook.tree import Place, quoted
from onevoice.playbook.words import CUSTOMER_WORDS

UNREAD: Final = EventMatch("")  # stands in for a line with a mistake
STEPS_MAX: Final = 16  # of one moment, a step `N EVENT` counted N times
KEY_FIELDS_MAX: Final = 3
# What each aggregate can be computed from, and those that need no field.
MEASURED: Final[dict[Aggregate, frozenset[FieldType]]] = {
    Aggregate.COUNT: frozenset(FieldType) - {FieldType.TEXT},
    Aggregate.SUM: frozenset({FieldType.NUMBER}),
    Aggregate.MIN: frozenset({FieldType.NUMBER}),
    Aggregate.MAX: frozenset({FieldType.NUMBER}),
    Aggregate.LATEST: frozenset(FieldType) - {FieldType.TEXT, FieldType.KEY},
    Aggregate.FIRST: frozenset(FieldType) - {FieldType.TEXT, FieldType.KEY},
    Aggregate.DISTINCT: frozenset({FieldType.CHOICE, FieldType.PRODUCT, FieldType.KEY}),
}
WITHOUT_FIELD: Final = frozenset({Aggregate.COUNT, Aggregate.LATEST, Aggregate.FIRST})


def facts(root: Record) -> dict[str, Fact]:
    """Read `facts`."""
    found = root.each("facts", _fact, CUSTOMER_WORDS)
    for name in BUILTIN_FACT_NAMES:
        if name in found:
            mend = f"built in are {listed(BUILTIN_FACT_NAMES)}"
            where = root.report.where(f"facts.{name}")
            root.report.refuse(where, "the name of a built-in fact", found=quoted(name), mend=mend)
            del found[name]
    return found


def _fact(name: str, record: Record) -> Fact:
    record.require("opens")
    fact = Fact(
        name,
        opens=record.many("opens", grammar.event_match, UNREAD),
        closes=record.many("closes", grammar.event_match, UNREAD),
        per=record.many("per", short_text, ""),
        lasts_us=record.length("lasts"),
    )
    both = {match.event.split(".")[0] for match in fact.opens} & {match.event.split(".")[0] for match in fact.closes}
    if both - {""}:
        mend = "two events at one instant would have no order: split the event in two types"
        record.refuse("closes", "an event that both opens and closes", found=listed(sorted(both)), mend=mend)
    found = listed(fact.per)
    if len(set(fact.per)) < len(fact.per):
        record.refuse("per", "a field given twice in a key", expected="each field once", found=found)
    elif len(fact.per) > KEY_FIELDS_MAX:
        expected = f"at most {KEY_FIELDS_MAX} fields"
        record.refuse("per", "a key of too many fields", expected=expected, found=found)
    elif "product" in fact.per[1:]:
        mend = "so that a condition can ask for a product: `owns(offer.product)`"
        record.refuse("per", "`product` is not the first field of the key", found=found, mend=f"put it first, {mend}")
    return fact


def measures(root: Record, events: dict[str, EventType]) -> dict[str, Measure]:
    """Read `measures`; `events` tells a list field from a plain one."""
    every = BUILTIN_EVENTS | events

    def is_items(name: str) -> bool:
        event, _, items = name.partition(".")
        return event in every and items in every[event].items

    found: dict[str, Measure] = {}
    for name, (aggregate, written, over_us) in root.lines("measures", grammar.measure).items():
        match, field = grammar.split_field(written, is_items)
        found[name] = Measure(name, aggregate, match, field, over_us)
    return found


def segments(root: Record) -> dict[str, Segment]:
    """Read `segments`."""
    return {name: Segment(name, condition) for name, condition in root.lines("segments", condition_text).items()}


def moments(root: Record) -> dict[str, Moment]:
    """Read `moments`: a list of steps, or a mapping with `per`, `within` and `steps`."""
    found: dict[str, Moment] = {}
    for name, node in root.entries("moments"):
        if isinstance(node.value, str):
            root.report.refuse(
                node.place, "a value of the wrong kind", expected="a list of steps", found=node.described()
            )
            root.report.broken.add(name)
            continue
        with opened(root.report, node.under("steps") if isinstance(node.value, list) else node) as record:
            known = len(root.report.mistakes)
            found[name] = _moment(name, record)
            if len(root.report.mistakes) > known:
                root.report.broken.add(name)
    return found


def _moment(name: str, record: Record) -> Moment:
    record.require("steps")
    node = record.filled("steps")
    lines = node.value if node is not None and isinstance(node.value, list) else []
    known = len(record.report.mistakes)
    if node is not None and not isinstance(node.value, list):
        record.refuse("steps", "a value of the wrong kind", expected="a list of steps", found=node.described())
    for i, line in enumerate(lines):
        record.report.nodes[f"moments.{name}.steps[{i}]"] = line
    steps = record.many("steps", grammar.step, Step(())) if lines else ()
    moment = Moment(name, steps, record.text("per"), record.parsed("within", _window, 0))
    if len(record.report.mistakes) == known:
        _check_order(moment, record, [line.place for line in lines])
    return moment


def _window(text: str) -> int:
    length = grammar.duration(text)
    if length == 0:
        raise Slip("an empty window", grammar.EXPECTED_DURATION, quoted(text))
    return length


def _check_order(moment: Moment, record: Record, places: list[Place]) -> None:
    """Refuse the orders of steps that mean nothing."""
    report = record.report
    if not any(not step.absent for step in moment.steps):
        report.refuse(record.place, "a moment in which nothing happens", expected="at least one step without `no`")
        return
    if sum(step.count for step in moment.steps) > STEPS_MAX:
        report.refuse(record.place, "too many steps", expected=f"at most {STEPS_MAX}, a step `N EVENT` counted N times")
    for i, (step, place) in enumerate(zip(moment.steps, places, strict=True)):
        what, mend = _misplaced(moment, i, step)
        if what:
            report.refuse(place, what, mend=mend)


def _misplaced(moment: Moment, i: int, step: Step) -> tuple[str, str]:
    last = i == len(moment.steps) - 1
    if step.absent and i == 0:
        return "`no` as the first step", "absence is measured from a step before it"
    if step.absent and last and not step.within_us:
        return "`no` as the last step without `for`", "say how long: `no EVENT for 30 minutes`"
    if step.absent and not last and step.within_us:
        return "`no ... for` before the last step", "between two steps write `no EVENT`; it holds until the next step"
    if step.absent and not last and all(later.absent for later in moment.steps[i:]):
        return "`no` without `for` after the last step that happens", "only the last line may be an absence there"
    if step.absent:
        return "", ""
    if step.within_us and moment.within_us:
        return "a step with `within` in a moment with `within`", "use one window over all steps, or one per step"
    if i == 0 and step.within_us and step.count == 1:
        return "`within` on a first step that happens once", "there is no step before it: leave `within` out"
    return "", ""
