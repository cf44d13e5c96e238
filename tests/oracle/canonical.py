"""The canonical state of §13: sorted tables of plain tuples, which the engine's must equal.

Numbers of facts, measures, moments, segments, suppressions, campaigns, classes and channels are positions in the
playbook's mappings (facts: built-in ones first, `ignored` after `consent`), -1 for none. Numbers and truths are
float, times int, texts str, keys and hashes signed int, NULL None. INFINITE is 2^62. The tuples are

- customers: (number, survivor of its merges or -1, founding half, founding half)
- identifiers: (kind, half, half, customer)
- traits: (customer, trait, value, occurred_at, position); value None when cleared; dates and times int
- facts: (customer, fact, mask, key, opened at, position, closed at, position); -2^62 twice for a side that
  is missing or forgotten at `now`; no row where both are
- members: (fact, key, customer): who is in a group that is asked or counted
- measures: (customer, measure, pane, value, a, b), panes still in the window at `now`, pane -1 without a window:
  count: value int; sum: value int ten-thousandths; min, max: value float; a = b = 0
  distinct: one row a value: pane its latest, value text, key hash or float; a = b = 0
  latest, first of a field: value, a = occurred_at, b = position; without a field: value int occurred_at, a = b = 0
- moments: (customer, moment, key, states, due): states is a tuple of (anchor, time) or None per sub-step
- memberships: (customer, segment, since)
- suppressions: (customer, rule, since or None, left_at or None): since while true, else left_at
- candidates: (customer, campaign, key, born, birth, due, trigger time, trigger position, expiry, reason, recorded):
  born 0 or 1; unborn: due and expiry INFINITE; reason 0 when unblocked, else its place in the order of §12 from 1;
  recorded: (reason, channel number, rule, until) of its last recorded line, or None; then stage, closed channels,
  first and last contact, followers made
- contacts: (customer, number, campaign, class, channel, key, due, family, category, address, state, open until,
  followed, offer, product where a resource is its stock), not forgotten
- shows: (customer, decision, campaign, class, placement, time, offer, family, category), not forgotten
- fatigue: (customer, placement, campaign, count, last show)
- unanswered: (customer, hash of the family, count), counts above nought (§10 ignored)
- holdouts: (customer, hash of the campaign's name or 0, 1 held out else 0, since)
- endings: (customer, campaign, any, key, occurred_at, position): the greatest event that matches `until`;
  any 1: for every key, because its type lacks the field `per`
- sources: (number, known up to or None, 1 stale else 0, up to when it was known when it last became so or was fresh
  again, and from when it is stale): those that may become stale
- switches: (0 a campaign, 1 a class, 2 everything; number; 0 on, 1 paused, 2 stopped; contacts of the present run,
  those that failed, and the number from which on contacts are of it)
- resources: (number, class or -1, used in the present bucket, the last turn given if it is to come, how much for it);
  -1 is all of it and the line of the classes without a reserve; none where the last three are 0
- turns: (customer, campaign, key, resource, when): the candidates that wait for their turn
- totals: one row (position, now, decisions, contacts made)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onevoice.playbook.model import Aggregate

from . import contacts, facts, measures, resources, shows
from .hashing import identifier_hash, key_hash, name_hash, text_hash
from .state import NEVER, STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from onevoice.playbook.model import Measure

    from .state import Candidate, Customer, Held, Value
    from .twin import Twin

Row = tuple[Any, ...]


def tables(twin: Twin) -> dict[str, list[Row]]:
    """Return every table, in the order in which they are hashed."""
    per_customer = {
        "traits": _traits,
        "facts": _facts,
        "measures": _measures,
        "moments": _moments,
        "memberships": _memberships,
        "suppressions": _suppressions,
        "candidates": _candidates,
        "contacts": _contacts,
        "shows": _shows,
        "fatigue": _fatigue,
        "unanswered": _unanswered,
        "holdouts": _holdouts,
        "endings": _endings,
        "turns": _turns,
    }
    found = {"customers": _sorted(_customers(twin)), "identifiers": _sorted(_identifiers(twin))}
    for name, rows_of in per_customer.items():
        found[name] = _sorted(row for customer in twin.roots() for row in rows_of(twin, customer))
    found["members"] = _sorted(_members(twin))
    found["resources"] = _sorted(_resources(twin))
    found["sources"] = _sorted(_sources(twin))
    found["switches"] = _sorted(_switches(twin))
    found["totals"] = [(twin.count, twin.now, len(twin.decisions), twin.contacts_made)]
    return found


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=_order)


def _order(value: Any) -> tuple[Any, ...]:
    """Order any cells: NULL, then numbers, then texts, then tuples."""
    if value is None:
        return (0,)
    if isinstance(value, str):
        return (2, value)
    return (3, *map(_order, value)) if isinstance(value, tuple) else (1, value)


def _plain(value: Value) -> Value:
    return float(value) if isinstance(value, bool) else value


def _place(names: Iterable[str], name: str) -> int:
    return list(names).index(name) if name else -1


def _customers(twin: Twin) -> Iterator[Row]:
    for customer in twin.customers:
        survivor = customer
        while survivor.alias >= 0:
            survivor = twin.customers[survivor.alias]
        yield (customer.number, -1 if survivor is customer else survivor.number, *customer.founding)


def _identifiers(twin: Twin) -> Iterator[Row]:
    kinds = list(twin.book.playbook.identifiers)
    for (kind, value), owner in twin.index.items():
        yield (kinds.index(kind), *identifier_hash(kind, value, twin.secret), owner)


def _members(twin: Twin) -> Iterator[Row]:
    for (kind, key), members in twin.groups.items():
        for number in members:
            yield (list(twin.book.facts).index(kind), key_hash(key, twin.secret), number)


def _traits(twin: Twin, customer: Customer) -> Iterator[Row]:
    names = list(twin.book.playbook.traits)
    for name, (value, at) in customer.traits.items():
        yield (customer.number, names.index(name), _plain(value), *at)


def _facts(twin: Twin, customer: Customer) -> Iterator[Row]:
    names = list(twin.book.facts)
    for (fact, mask, key), entry in customer.facts.items():
        opening = facts.remembered(twin.book, fact, entry.opening, twin.now)
        closing = facts.remembered(twin.book, fact, entry.closing, twin.now)
        if opening != NEVER or closing != NEVER:
            yield (customer.number, names.index(fact), mask, key_hash(key, twin.secret), *opening, *closing)


def _measures(twin: Twin, customer: Customer) -> Iterator[Row]:
    for number, (name, measure) in enumerate(twin.book.playbook.measures.items()):
        if name in customer.measures:
            for row in _measure(measure, customer.measures[name], twin.now):
                yield (customer.number, number, *row)


def _measure(measure: Measure, held: Held, now: int) -> Iterator[Row]:
    if measure.aggregate is Aggregate.DISTINCT:
        for value, pane in held.values.items():
            if measures.is_held(measure, pane, now):
                yield (pane, _plain(value), 0, 0)
    elif measure.aggregate in {Aggregate.LATEST, Aggregate.FIRST}:
        if held.at is not None:
            yield (-1, _plain(held.value), *(held.at if measure.field else (0, 0)))
    else:
        for pane, value in held.panes.items():
            if measures.is_held(measure, pane, now):
                exact = measure.aggregate in {Aggregate.COUNT, Aggregate.SUM}
                yield (pane, int(value) if exact else float(value), 0, 0)


def _moments(twin: Twin, customer: Customer) -> Iterator[Row]:
    names = list(twin.book.playbook.moments)
    for (name, key), progress in customer.progress.items():
        yield (customer.number, names.index(name), key, tuple(progress.states), progress.due)


def _memberships(twin: Twin, customer: Customer) -> Iterator[Row]:
    names = list(twin.book.playbook.segments)
    for name, since in customer.members.items():
        yield (customer.number, names.index(name), since)


def _suppressions(twin: Twin, customer: Customer) -> Iterator[Row]:
    for rule, spell in customer.spells.items():
        if spell.since is not None or spell.left_at is not None:
            yield (customer.number, rule, spell.since, spell.left_at)


def _candidates(twin: Twin, customer: Customer) -> Iterator[Row]:
    for (campaign, key), each in customer.candidates.items():
        yield (
            customer.number,
            campaign,
            key,
            int(each.born),
            each.birth,
            each.due,
            *each.trigger.at,
            each.expiry,
            int(each.reason),
            _recorded(twin, each),
            ("waits", "in flight", "watched").index(each.stage),
            tuple(sorted(_place(twin.book.playbook.channels, channel) for channel in each.closed)),
            each.first,
            each.last,
            each.followed,
        )


def _recorded(twin: Twin, candidate: Candidate) -> Row | None:
    if candidate.recorded is None:
        return None
    reason, channel, rule, until = candidate.recorded
    return (reason, _place(twin.book.playbook.channels, channel), rule, until)


def _contacts(twin: Twin, customer: Customer) -> Iterator[Row]:
    playbook = twin.book.playbook
    for each in customer.contacts:
        if not contacts.is_forgotten(twin.book, each, twin.now):
            names = (
                _place(playbook.campaigns, each.campaign),
                _place(playbook.policies.classes, each.klass),
                _place(playbook.channels, each.channel),
            )
            address = identifier_hash(*each.address.split(" ", 1), twin.secret)[0] if each.address else None
            category = contacts.category(twin.book, each) or None
            stocked = each.number != -1 and any(pool.product == each.product for pool in twin.pools.values())
            product = each.product if each.product and stocked else None
            told = (STATES.index(each.state), each.open_until, each.follows, each.offer or None, product)
            about = (each.family or None, category, address)
            yield (customer.number, each.number, *names, each.key, each.due, *about, *told)


def _shows(twin: Twin, customer: Customer) -> Iterator[Row]:
    playbook = twin.book.playbook
    for each in customer.shows:
        if not shows.is_forgotten(twin.book, each, twin.now):
            names = (
                _place(playbook.campaigns, each.campaign),
                _place(playbook.policies.classes, each.klass),
                _place(playbook.placements, each.placement),
            )
            category = contacts.category(twin.book, each) or None
            yield (customer.number, each.number, *names, each.due, each.offer or None, each.family or None, category)


def _fatigue(twin: Twin, customer: Customer) -> Iterator[Row]:
    playbook = twin.book.playbook
    for (placement, campaign), (count, last) in customer.tired.items():
        yield (
            customer.number,
            _place(playbook.placements, placement),
            _place(playbook.campaigns, campaign),
            count,
            last,
        )


def _unanswered(twin: Twin, customer: Customer) -> Iterator[Row]:
    for family, count in customer.unanswered.items():
        yield (customer.number, text_hash(family, twin.secret), count)


def _resources(twin: Twin) -> Iterator[Row]:
    classes = [*twin.book.policies.classes]
    for number, name in enumerate(twin.pools):
        pool = resources.present(twin, name)
        for klass in ["", *classes]:
            last, given = pool.lines.get(klass, (0, 0))
            turn = (last, given) if last > twin.now else (0, 0)
            used = pool.used.get(klass, 0) if klass else pool.total
            told = (used, *turn, 0 if klass else pool.hand_on_at)
            if any(told):
                yield (number, classes.index(klass) if klass else -1, *told)


def _turns(twin: Twin, customer: Customer) -> Iterator[Row]:
    for (campaign, key), candidate in customer.candidates.items():
        if candidate.turn:
            yield (customer.number, campaign, key, [*twin.pools].index(candidate.turn[0]), candidate.turn[1])


def _holdouts(twin: Twin, customer: Customer) -> Iterator[Row]:
    for name, (held, since) in customer.holdouts.items():
        yield (customer.number, name_hash(name) if name else 0, int(held), since)


def _sources(twin: Twin) -> Iterator[Row]:
    for feed in twin.feeds.values():
        yield (feed.number, feed.known, int(feed.stale), *feed.told)


def _switches(twin: Twin) -> Iterator[Row]:
    names = {"campaign": [*twin.book.playbook.campaigns], "class": [*twin.book.policies.classes], "all": [""]}
    for (kind, name), switch in twin.switches.items():
        state = ["on", "paused", "stopped"].index(switch.state)
        told = (state, switch.contacts, switch.failed, switch.first)
        if any(told):
            yield ([*names].index(kind), names[kind].index(name), *told)


def _endings(twin: Twin, customer: Customer) -> Iterator[Row]:
    for (campaign, every, key), at in customer.endings.items():
        yield (customer.number, campaign, int(every), key, *at)
