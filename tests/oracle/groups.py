"""Groups: who is in one with whom, found by looking at what everybody's facts say (§5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onevoice.conditions.tree import AnyRead, walk

from . import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .book import Book
    from .facts import Key
    from .state import Customer
    from .twin import Twin

MEMBERS_MAX = 1_000
Group = tuple[str, "tuple[str | None, ...]"]


@dataclass
class Seen:
    """What everybody's facts say: of each customer their memberships, and the open keys that others are asked for."""

    groups: dict[int, set[Group]] = field(default_factory=dict)
    asked: dict[tuple[int, str, str], set[Key]] = field(default_factory=dict)  # (customer, group, fact)


def asks(book: Book) -> set[tuple[str, str]]:
    """Return the (group, fact) that some condition asks for by `any`."""
    found = [each for expression in book.all_conditions for each in walk(expression) if isinstance(each, AnyRead)]
    return {(each.name.partition(".")[0], each.fact.name) for each in found}


def kept(book: Book) -> set[str]:
    """Return the kinds of groups whose members are asked, or counted together."""
    return {group for group, _ in book.asks} | {cap.group for cap in book.caps if cap.group}


def look(twin: Twin) -> Seen:
    seen = Seen()
    if not twin.book.kept:
        return seen
    for customer in twin.roots():
        seen.groups[customer.number] = {
            (kind, key) for kind in twin.book.kept for key in facts.open_keys(twin.book, customer, kind, twin.now)
        }
        for group, fact in twin.book.asks:
            keys = set(facts.open_keys(twin.book, customer, fact, twin.now))
            seen.asked[customer.number, group, fact] = keys
    return seen


def follow(twin: Twin, before: Seen) -> None:
    """Keep who is in which group, and let all be judged at once for whom what others are may have changed."""
    after = look(twin)
    changed: set[Group] = set()
    for number, kind, fact in {*before.asked, *after.asked}:
        if before.asked.get((number, kind, fact), set()) != after.asked.get((number, kind, fact), set()):
            own = before.groups.get(number, set()) | after.groups.get(number, set())
            changed |= {group for group in own if group[0] == kind}
    present = {group: {*members} for group, members in twin.groups.items()}
    knocks = {number: _moved(before, after, number) for number in after.groups}
    for number in {*twin.joined, *twin.knocked}:
        knocks[number] = after.groups.get(number, set())
    twin.knocked.clear()
    _keep(twin, after, knocks)
    for group in {*present, *twin.groups}:
        was, now = present.get(group, set()), twin.groups.get(group, set())
        if was != now or group in changed:
            for number in was | now:
                twin.customers[number].judge_at = twin.now


def _moved(before: Seen, after: Seen, number: int) -> set[Group]:
    return before.groups.get(number, set()) ^ after.groups.get(number, set())


def _keep(twin: Twin, after: Seen, knocks: dict[int, set[Group]]) -> None:
    """Let those out who are in no more, and then those in who are new or knock again, as far as there is room."""
    for group, members in [*twin.groups.items()]:
        twin.groups[group] = {number for number in members if group in after.groups.get(number, set())}
    for number, own in knocks.items():
        for group in own & after.groups.get(number, set()):
            members = twin.groups.setdefault(group, set())
            if len(members) < MEMBERS_MAX:
                members.add(number)


def with_others(twin: Twin, customer: Customer, kind: str) -> list[list[Customer]]:
    """Return for each group of a kind that the customer is in who is in it, the customer always; alone in none."""
    keys = facts.open_keys(twin.book, customer, kind, twin.now)
    circles = [{*twin.groups.get((kind, key), set()), customer.number} for key in keys] or [{customer.number}]
    return [[twin.customers[number] for number in sorted(circle)] for circle in circles]


def all_asked(twin: Twin, customer: Customer, kind: str) -> Iterator[Customer]:
    """Yield the customer and all who are in a group of a kind with them."""
    for circle in with_others(twin, customer, kind):
        yield from circle
