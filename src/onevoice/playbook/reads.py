"""What the conditions of a campaign read of a customer, and with what it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import (
    AnyRead,
    Constant,
    DatePart,
    Expression,
    FactRead,
    In,
    Like,
    Read,
    SymbolKind,
    Type,
    children,
    reads_clock,
    walk,
)
from onevoice.conditions.types import check
from onevoice.playbook.model import TriggerKind
from onevoice.playbook.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onevoice.conditions.types import Scope
    from onevoice.playbook.model import Campaign, Playbook, Suppression

_VALUES: Final = {SymbolKind.TRAIT, SymbolKind.MEASURE}


@dataclass(frozen=True, slots=True)
class Known:
    """A trait, a measure, or a fact of any key (`count`: the number of its keys), as a condition reads it.

    `asked`: how it is asked for a fact by a key, or of others in a group.
    """

    name: str
    kind: SymbolKind
    index: int
    type: Type
    count: bool = False
    asked: FactRead | AnyRead | None = None


def reads_of(playbook: Playbook, campaign: Campaign) -> dict[Known, set[float | str]]:
    """Return what decides who may get a campaign, each with the constants that stand in the same condition.

    Looked through: the campaign's `if`, its offers', the suppressions that stop it, and the segments that these name or
    that trigger it.
    """
    found: dict[Known, set[float | str]] = {}
    for expression in _conditions(playbook, campaign):
        constants = set(_constants(expression))
        for known in _known(expression):
            found.setdefault(known, set()).update(constants)
    return found


def asks_time(playbook: Playbook, campaign: Campaign) -> bool:
    """Tell whether what decides who may get a campaign asks what time or day it is."""
    return any(map(reads_clock, _conditions(playbook, campaign)))


def asks_parts(playbook: Playbook, campaign: Campaign) -> bool:
    """Tell whether it asks for a part of a time or a day: its month, its hour."""
    asked = (each for expression in _conditions(playbook, campaign) for each in walk(expression))
    return any(isinstance(each, DatePart) for each in asked)


def fields_of(playbook: Playbook, campaign: Campaign) -> dict[tuple[str, Type], set[float | str]]:
    """Return the fields of the triggering event that a campaign's `where` and `if` read, with their types.

    Each with the constants that stand in the same condition.
    """
    scopes, when = Scopes(playbook), campaign.when
    found: dict[tuple[str, Type], set[float | str]] = {}
    for text, scope in ((when.where, scopes.event(when.name)), (campaign.condition, scopes.campaign(campaign))):
        if not text:
            continue
        expression = check(text, scope, Type.BOOLEAN, "condition")
        for each in walk(expression):
            if isinstance(each, Read) and each.symbol.kind is SymbolKind.EVENT_FIELD:
                field = each.name.removeprefix("event.")
                found.setdefault((field, each.type), set()).update(_constants(expression))
    return found


def stops(rule: Suppression, campaign: Campaign) -> bool:
    """Tell whether a suppression is about a campaign at all."""
    return campaign.klass in rule.stop or ("offers" in rule.stop and bool(campaign.offers))


def _conditions(playbook: Playbook, campaign: Campaign) -> Iterator[Expression]:
    scopes = Scopes(playbook)
    offers = [playbook.offers[name].condition for name in campaign.offers]
    rules = [rule.condition for rule in playbook.policies.suppress if stops(rule, campaign)]
    written: list[tuple[str, Scope]] = [(campaign.condition, scopes.campaign(campaign))]
    written += [(text, scopes.suppression()) for text in (*offers, *rules)]
    if campaign.when.kind in {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}:
        written.append((playbook.segments[campaign.when.name].condition, scopes.customer()))
    segments: set[str] = set()
    while written:
        text, scope = written.pop(0)
        if text:
            expression = check(text, scope, Type.BOOLEAN, "condition")
            yield expression
            named = set(_segments(expression)) - segments
            segments |= named
            written += [(playbook.segments[name].condition, scopes.customer()) for name in sorted(named)]


def _segments(expression: Expression) -> Iterator[str]:
    for each in walk(expression):
        if isinstance(each, Read) and each.symbol.kind is SymbolKind.SEGMENT:
            yield each.name


def _known(expression: Expression) -> Iterator[Known]:
    for each in _of_the_customer(expression):
        if isinstance(each, Read) and each.symbol.kind in _VALUES:
            yield Known(each.name, each.symbol.kind, each.symbol.index, each.type)
        elif isinstance(each, FactRead) and not each.keys:
            kind = Type.NUMBER if each.count else Type.BOOLEAN
            yield Known(each.name, SymbolKind.FACT, each.symbol.index, kind, each.count)
        elif isinstance(each, FactRead):
            yield Known(_written(each.name, each), SymbolKind.FACT, each.symbol.index, Type.BOOLEAN, asked=each)
        elif isinstance(each, AnyRead):
            name = f"any {_written(each.name, each.fact)}"
            yield Known(name, SymbolKind.FACT, each.fact.symbol.index, Type.BOOLEAN, asked=each)


def _written(name: str, fact: FactRead) -> str:
    """Return how a condition asks for a fact; what is computed as its key is not told."""
    keys = [f"'{each.value}'" if isinstance(each, Constant) else getattr(each, "name", "…") for each in fact.keys]
    return f"{name}({', '.join(keys)})" if keys else name


def _of_the_customer(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and what is inside it, but for what is asked of others, too."""
    yield expression
    for child in () if isinstance(expression, AnyRead) else children(expression):
        yield from _of_the_customer(child)


def _constants(expression: Expression) -> Iterator[float | str]:
    for each in walk(expression):
        if isinstance(each, Like):
            yield each.pattern.replace("%", "").replace("_", "x")  # a text that matches
        given = each.choices if isinstance(each, In) else (each,)
        for value in (choice.value for choice in given if isinstance(choice, Constant)):
            if value is not None:
                yield value
