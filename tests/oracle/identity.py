"""Who an event is about, and the joining of two customers found to be one (§4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import candidates, facts, holdouts, measures, moments, segments, shows
from .hashing import identifier_hash
from .state import Customer

if TYPE_CHECKING:
    from .twin import Twin

Identifier = tuple[str, str]


def customer_of(twin: Twin, identifiers: list[Identifier]) -> Customer:
    """Return the customer of an event with these identifiers, founding, joining and moving devices as needed."""
    known = [each for each in identifiers if not _is_anonymous(twin, each)]
    anonymous = [each for each in identifiers if _is_anonymous(twin, each)]
    if not known:
        return _visitor(twin, anonymous)
    customer = _named(twin, identifiers[0], known)
    for identifier in anonymous:
        customer = _log_in(twin, customer, identifier)
    return customer


def _is_anonymous(twin: Twin, identifier: Identifier) -> bool:
    return twin.book.playbook.identifiers[identifier[0]].anonymous


def _found(twin: Twin, founding: Identifier) -> Customer:
    customer = Customer(len(twin.customers), identifier_hash(*founding, twin.secret))
    twin.customers.append(customer)
    return customer


def values_of(twin: Twin, customer: Customer, kind: str) -> set[str]:
    return {value for (each, value), owner in twin.index.items() if each == kind and owner == customer.number}


def _named(twin: Twin, founding: Identifier, known: list[Identifier]) -> Customer:
    """Return whom the known identifiers name, taken one after another; those that nobody had are theirs then."""
    customer: Customer | None = None
    waiting: list[Identifier] = []
    for identifier in known:
        owner = twin.customers[twin.index[identifier]] if identifier in twin.index else None
        if customer is None and owner is None:
            waiting.append(identifier)
        elif customer is None and owner is not None and all(_may_have(twin, owner, each) for each in waiting):
            customer = _with(twin, owner, waiting)
        elif customer is not None and owner is None:
            _with(twin, customer, [identifier])
        elif customer is not None and owner is not customer and _may_join(twin, customer, owner):
            customer = merge(twin, customer, owner)
    return customer or _with(twin, _found(twin, founding), waiting)


def _with(twin: Twin, customer: Customer, identifiers: list[Identifier]) -> Customer:
    """Give a customer those of the identifiers that nobody has and that they may have."""
    for identifier in identifiers:
        if identifier not in twin.index and _may_have(twin, customer, identifier):
            _hand(twin, customer, identifier)
    return customer


def _may_have(twin: Twin, customer: Customer, identifier: Identifier) -> bool:
    kind = twin.book.playbook.identifiers[identifier[0]]
    full = len(values_of(twin, customer, kind.name)) >= (1 if kind.unique else kind.at_most)
    return not full and not any(twin.index.get(other) == customer.number for other in _kept_from(twin, identifier))


def _kept_from(twin: Twin, identifier: Identifier) -> list[Identifier]:
    pairs = [*twin.splits, *((other, one) for one, other in twin.splits)]
    return [other for one, other in pairs if one == identifier]


def _may_join(twin: Twin, one: Customer, other: Customer) -> bool:
    for kind in twin.book.playbook.identifiers.values():
        theirs, others = values_of(twin, one, kind.name), values_of(twin, other, kind.name)
        if not kind.anonymous and theirs and others and len(theirs | others) > (1 if kind.unique else kind.at_most):
            return False
    pair = {one.number, other.number}
    return not any({twin.index.get(a), twin.index.get(b)} == pair for a, b in twin.splits)


def _hand(twin: Twin, customer: Customer, identifier: Identifier) -> None:
    """Let an identifier be the customer's from now on, and the last of its kind that was given to them."""
    kind, value = identifier
    twin.index[identifier] = customer.number
    customer.addresses[kind] = (twin.position, value)


def _visitor(twin: Twin, anonymous: list[Identifier]) -> Customer:
    """Return who is behind an event with only anonymous identifiers: the owner of the first that has one."""
    owned = [each for each in anonymous if each in twin.index]
    customer = twin.customers[twin.index[owned[0]]] if owned else _found(twin, anonymous[0])
    for identifier in anonymous:
        if identifier not in twin.index:
            _hand(twin, customer, identifier)
    return customer


def _log_in(twin: Twin, customer: Customer, device: Identifier) -> Customer:
    """Give a device to the customer who just identified on it; a visitor not yet known comes with it."""
    owner = twin.customers[twin.index.get(device, customer.number)]
    if owner is not customer and not _has_known(twin, owner):
        return merge(twin, customer, owner)
    if owner is not customer or device not in twin.index:
        _hand(twin, customer, device)
    return customer


def _has_known(twin: Twin, customer: Customer) -> bool:
    return any(owner == customer.number and not _is_anonymous(twin, each) for each, owner in twin.index.items())


def merge(twin: Twin, one: Customer, other: Customer) -> Customer:
    """Join two customers; the older survives, and is returned. The result equals one history."""
    into, gone = sorted((one, other), key=lambda customer: customer.number)
    gone.alias = into.number
    for identifier, owner in twin.index.items():
        if owner == gone.number:
            twin.index[identifier] = into.number
    for name, (value, at) in gone.traits.items():
        if name not in into.traits or into.traits[name][1] < at:
            into.traits[name] = (value, at)
    facts.merge(into, gone)
    measures.merge(twin.book, into, gone)
    moments.merge(into, gone)
    segments.merge(into, gone)
    into.contacts += gone.contacts
    shows.merge(into, gone)
    for kind, given in gone.addresses.items():
        into.addresses[kind] = max(given, into.addresses.get(kind, given))
    for family, count in gone.unanswered.items():
        into.unanswered[family] = into.unanswered.get(family, 0) + count
    holdouts.merge(into, gone)
    candidates.merge(into, gone)
    twin.joined.add(into.number)
    into.judge_at = None
    return into
