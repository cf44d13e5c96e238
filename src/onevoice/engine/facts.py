"""Facts: intervals per customer and key, from the greatest opening and the greatest closing (semantics §5).

Four kinds of rows share the store `facts`, told apart by their slot: an *entry* per key; a *total* (how many keys are
open); a *prefix* per first value (how many keys with it are open); and *for-all closings*, which close every key that
agrees with them where they have a value. Totals and prefixes are kept only where a condition asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import groups, timers
from onevoice.engine import state as at
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.store import KEY, NEXT, OWNER, SLOT_BITS, SLOT_MASK, add, find, owner_of, remove
from onevoice.program import (
    FACT_GROUPS,
    FACT_LASTS,
    FACT_MASKS,
    FACT_MEMBERS,
    FACT_PARTS,
    FACT_PREFIXED,
    FACT_TOTALLED,
    KEY_PART,
    NO_PART,
    P_FACT_GROUPS,
    USE_CLOSES,
    USE_FACT,
    USE_MASK,
    USE_NULL_IS_ALL,
    USE_PART,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.engine.step import Columns
    from onevoice.program import Program
    from onevoice.tables import Ints

ENTRY: Final = 0
TOTAL: Final = 1
PREFIX: Final = 2
FOR_ALL: Final = 3
KINDS: Final = 4  # slots of one fact


@kernel
def part_hash(state: State, columns: Columns, row: int, part: int) -> int:
    """Return the 64-bit hash of a field of an event row; 0 for NULL or a field that the event lacks."""
    if part == NO_PART:
        return 0
    if part >= KEY_PART:
        return columns.keys[row, part - KEY_PART]
    code = columns.values[row, part]
    if code != code:  # noqa: PLR0124 - NaN is NULL
        return 0
    return state.names[int(code), at.N_HASH]


@kernel
def key_of(parts: int, first: int, second: int, third: int) -> int:
    """Combine the hashes of a key's values."""
    if parts == 0:
        return 0
    if parts == 1:
        return first
    if parts == 2:
        return mix(first, second)
    return mix(mix(first, second), third)


@kernel
def find_row(state: State, customer: int, fact: int, kind: int, key: int) -> int:
    """Return a fact's row of a kind, or -1."""
    return find(state.facts, state.facts_index, owner_of(customer, fact * KINDS + kind), key)


@kernel
def _add_row(state: State, customer: int, fact: int, kind: int, key: int, first: int, second: int, third: int) -> int:
    owner = owner_of(customer, fact * KINDS + kind)
    row = add(state.facts, state.facts_index, state.pools, at.FACTS, state.customers, at.FACT_HEAD, owner, key)
    facts = state.facts
    facts[row, at.OPEN_AT] = at.NEVER
    facts[row, at.OPEN_POSITION] = at.NEVER
    facts[row, at.CLOSE_AT] = at.NEVER
    facts[row, at.CLOSE_POSITION] = at.NEVER
    facts[row, at.FIRST] = first
    facts[row, at.SECOND] = second
    facts[row, at.THIRD] = third
    facts[row, at.END_AT] = at.NEVER
    return row


@kernel
def _count(state: State, customer: int, fact: int, kind: int, key: int, change: int) -> None:
    row = find_row(state, customer, fact, kind, key)
    if row < 0:
        row = _add_row(state, customer, fact, kind, key, key, 0, 0)
    state.facts[row, at.OPEN] += change
    if state.facts[row, at.OPEN] == 0:
        remove(state.facts, state.facts_index, state.pools, at.FACTS, state.customers, at.FACT_HEAD, row)


@kernel
def _raise(facts: Ints, row: int, column: int, time: int, position: int) -> None:
    """Keep the greater of what a row has and (time, position), in the column pair that begins at `column`."""
    kept = facts[row, column]
    if time > kept or (time == kept and position > facts[row, column + 1]):
        facts[row, column] = time
        facts[row, column + 1] = position


@kernel
def _agrees(facts: Ints, row: int, mask: int, closing: int) -> bool:
    """Whether a for-all closing speaks for an entry: equal wherever it has a value (mask bits: those it lacks)."""
    for i in range(3):
        if not (mask >> i) & 1 and facts[row, at.FIRST + i] != facts[closing, at.FIRST + i]:
            return False
    return True


@kernel
def _is_closed_by(facts: Ints, row: int, closing: int) -> bool:
    """Whether a closing in row `closing` is not before the opening in `row`."""
    opened, closed = facts[row, at.OPEN_AT], facts[closing, at.CLOSE_AT]
    return opened < closed or (opened == closed and facts[row, at.OPEN_POSITION] <= facts[closing, at.CLOSE_POSITION])


@kernel
def _is_closed_by_all(program: Program, state: State, customer: int, fact: int, row: int) -> bool:
    """Whether one of the for-all closings that agree with an entry is not before its opening."""
    facts = state.facts
    for mask in range(1, 8):
        if (program.facts[fact, FACT_MASKS] >> mask) & 1:
            first = 0 if mask & 1 else facts[row, at.FIRST]
            second = 0 if mask & 2 else facts[row, at.SECOND]
            third = 0 if mask & 4 else facts[row, at.THIRD]
            key = mix(mask, key_of(program.facts[fact, FACT_PARTS], first, second, third))
            closing = find_row(state, customer, fact, FOR_ALL, key)
            if closing >= 0 and _is_closed_by(facts, row, closing):
                return True
    return False


@kernel
def _is_open(program: Program, state: State, customer: int, fact: int, row: int, now: int) -> bool:
    opened = state.facts[row, at.OPEN_AT]
    lasts = program.facts[fact, FACT_LASTS]
    if opened == at.NEVER or (lasts > 0 and now >= opened + lasts) or _is_closed_by(state.facts, row, row):
        return False
    return program.facts[fact, FACT_MASKS] == 0 or not _is_closed_by_all(program, state, customer, fact, row)


@kernel
def _set_end(program: Program, state: State, customer: int, fact: int, row: int) -> None:
    """Set the timer at which an entry that lasts may end or be forgotten, unless an earlier one is set already."""
    lasts = program.facts[fact, FACT_LASTS]
    facts = state.facts
    if lasts == 0:
        return
    due = max(facts[row, at.OPEN_AT], facts[row, at.CLOSE_AT]) + lasts
    if facts[row, at.OPEN] == 1:
        due = facts[row, at.OPEN_AT] + lasts
    if facts[row, at.END_AT] == at.NEVER or due < facts[row, at.END_AT]:
        due = max(due, state.scalars[at.NOW])
        facts[row, at.END_AT] = due
        slot = facts[row, OWNER] & SLOT_MASK
        timers.push(state, due, timers.FACT_END, customer, slot, facts[row, KEY], row)


@kernel
def _refresh(program: Program, state: State, customer: int, fact: int, row: int) -> None:
    """Bring an entry's open flag, the counts and its timer up to date."""
    facts = state.facts
    is_open = 1 if _is_open(program, state, customer, fact, row, state.scalars[at.NOW]) else 0
    change = is_open - facts[row, at.OPEN]
    if change != 0:
        facts[row, at.OPEN] = is_open
        if program.facts[fact, FACT_TOTALLED]:
            _count(state, customer, fact, TOTAL, 0, change)
        if program.facts[fact, FACT_PREFIXED]:
            _count(state, customer, fact, PREFIX, facts[row, at.FIRST], change)
        if program.facts[fact, FACT_GROUPS] != 0:
            wake_groups(program, state, customer, program.facts[fact, FACT_GROUPS])
    if program.facts[fact, FACT_MEMBERS]:
        groups.follow(state, customer, fact, facts[row, KEY], is_open)
    _set_end(program, state, customer, fact, row)


@kernel
def next_membership(state: State, customer: int, group: int, row: int) -> int:
    """Return the open row after `row`, -1 for the first, of the fact that is a membership; -1 where there is none."""
    facts, owner = state.facts, owner_of(customer, group * KINDS + ENTRY)
    row = state.customers[customer, at.FACT_HEAD] if row < 0 else facts[row, NEXT]
    while row >= 0 and not (facts[row, OWNER] == owner and facts[row, at.OPEN] == 1):
        row = facts[row, NEXT]
    return row


@kernel
def wake_groups(program: Program, state: State, customer: int, kinds: int) -> None:
    """Let all be judged at once who are in a group of one of some kinds (bits) with a customer."""
    group = program.limits[P_FACT_GROUPS]
    while kinds > 0:
        if kinds & 1:
            row = next_membership(state, customer, group, -1)
            while row >= 0:
                groups.wake(state, group, state.facts[row, KEY])
                row = next_membership(state, customer, group, row)
        kinds >>= 1
        group += 1


@kernel
def set_key(
    program: Program,
    state: State,
    customer: int,
    fact: int,
    side: int,
    first: int,
    second: int,
    third: int,
    time: int,
    position: int,
) -> None:
    """Open or close a key (`side`: OPEN_AT or CLOSE_AT) at (time, position)."""
    key = key_of(program.facts[fact, FACT_PARTS], first, second, third)
    row = find_row(state, customer, fact, ENTRY, key)
    if row < 0:
        row = _add_row(state, customer, fact, ENTRY, key, first, second, third)
    _raise(state.facts, row, side, time, position)
    _refresh(program, state, customer, fact, row)


@kernel
def _close_all(
    program: Program,
    state: State,
    customer: int,
    fact: int,
    mask: int,
    first: int,
    second: int,
    third: int,
    time: int,
    position: int,
) -> None:
    key = mix(mask, key_of(program.facts[fact, FACT_PARTS], first, second, third))
    facts = state.facts
    closing = find_row(state, customer, fact, FOR_ALL, key)
    if closing < 0:
        closing = _add_row(state, customer, fact, FOR_ALL, key, first, second, third)
    _raise(facts, closing, at.CLOSE_AT, time, position)
    _set_end(program, state, customer, fact, closing)
    owner = owner_of(customer, fact * KINDS + ENTRY)
    row = state.customers[customer, at.FACT_HEAD]
    while row >= 0:
        after = facts[row, NEXT]
        if facts[row, OWNER] == owner and _agrees(facts, row, mask, closing):
            _refresh(program, state, customer, fact, row)
            # A count that fell to nought has left the chain, and may have been the next row.
            after = facts[row, NEXT]
        row = after


@kernel
def record(
    program: Program, state: State, customer: int, use: int, columns: Columns, row: int, time: int, position: int
) -> None:
    """Let an event row open or close a fact. `use` is a row of the program's fact uses whose condition holds."""
    uses = program.fact_uses
    fact = uses[use, USE_FACT]
    first = part_hash(state, columns, row, uses[use, USE_PART])
    second = part_hash(state, columns, row, uses[use, USE_PART + 1])
    third = part_hash(state, columns, row, uses[use, USE_PART + 2])
    mask = uses[use, USE_MASK]
    if uses[use, USE_NULL_IS_ALL]:
        if first == 0 and not uses[use, USE_CLOSES]:
            return
        mask |= (1 if first == 0 else 0) | (2 if second == 0 else 0)
        mask &= (1 << program.facts[fact, FACT_PARTS]) - 1
    if not uses[use, USE_CLOSES]:
        set_key(program, state, customer, fact, at.OPEN_AT, first, second, third, time, position)
    elif mask == 0:
        set_key(program, state, customer, fact, at.CLOSE_AT, first, second, third, time, position)
    else:
        _close_all(program, state, customer, fact, mask, first, second, third, time, position)


@kernel
def end(program: Program, state: State, timer: int) -> int:
    """Take up a timer of an entry: it may have ended, or be old enough to be forgotten. Returns the customer, or -1."""
    facts = state.facts
    row = state.timers[timer, timers.ROW]
    customer = state.timers[timer, timers.CUSTOMER]
    due = state.timers[timer, timers.DUE]
    owner = owner_of(customer, state.timers[timer, timers.SLOT])
    if facts[row, OWNER] != owner or facts[row, KEY] != state.timers[timer, timers.KEY] or facts[row, at.END_AT] != due:
        return -1
    slot = state.timers[timer, timers.SLOT]
    fact = slot // KINDS
    facts[row, at.END_AT] = at.NEVER
    was_open = facts[row, at.OPEN]
    forget_at = max(facts[row, at.OPEN_AT], facts[row, at.CLOSE_AT]) + program.facts[fact, FACT_LASTS]
    if slot % KINDS == ENTRY:
        _refresh(program, state, customer, fact, row)
    if forget_at <= due:
        remove(state.facts, state.facts_index, state.pools, at.FACTS, state.customers, at.FACT_HEAD, row)
    elif facts[row, at.END_AT] == at.NEVER:
        _set_end(program, state, customer, fact, row)
    return customer if was_open else -1


@kernel
def open_of(state: State, customer: int, fact: int, kind: int, key: int) -> int:
    """Return how many keys are open by a fact's row of a kind."""
    row = find_row(state, customer, fact, kind, key)
    return state.facts[row, at.OPEN] if row >= 0 else 0


@kernel
def any_open(program: Program, state: State, customer: int, fact: int, asked_of: int) -> bool:
    """Whether any key of a fact is open.

    `asked_of`, here and below: 0, or one more than the fact that is a membership: of all in such a group with them.
    """
    return _is_open_of(state, customer, fact, _total(program, fact), 0, asked_of)


@kernel
def _total(program: Program, fact: int) -> int:
    return ENTRY if program.facts[fact, FACT_PARTS] == 0 else TOTAL


@kernel
def count_open(program: Program, state: State, customer: int, fact: int) -> int:
    """Return how many keys of a fact are open."""
    return open_of(state, customer, fact, _total(program, fact), 0)


@kernel
def first_open(program: Program, state: State, customer: int, fact: int, first: int, asked_of: int) -> bool:
    """Whether any key whose first value has the hash `first` is open."""
    kind = ENTRY if program.facts[fact, FACT_PARTS] == 1 else PREFIX
    return _is_open_of(state, customer, fact, kind, first, asked_of)


@kernel
def key_open(state: State, customer: int, fact: int, key: int, asked_of: int) -> bool:
    """Whether the key with this combined hash is open."""
    return _is_open_of(state, customer, fact, ENTRY, key, asked_of)


@kernel
def _is_open_of(state: State, customer: int, fact: int, kind: int, key: int, asked_of: int) -> bool:
    if open_of(state, customer, fact, kind, key) > 0:
        return True
    row = next_membership(state, customer, asked_of - 1, -1) if asked_of > 0 else -1
    while row >= 0:
        member = groups.first_member(state, asked_of - 1, state.facts[row, KEY])
        while member >= 0:
            if open_of(state, state.members[member, KEY], fact, kind, key) > 0:
                return True
            member = state.members[member, NEXT]
        row = next_membership(state, customer, asked_of - 1, row)
    return False


@kernel
def was_closed(program: Program, state: State, customer: int, fact: int, first: int, second: int) -> bool:
    """Whether a two-valued key was ever closed, by itself or by a for-all closing."""
    row = find_row(state, customer, fact, ENTRY, mix(first, second))
    if row >= 0 and state.facts[row, at.CLOSE_AT] != at.NEVER:
        return True
    for mask in range(1, 4):
        if (program.facts[fact, FACT_MASKS] >> mask) & 1:
            key = mix(mask, mix(0 if mask & 1 else first, 0 if mask & 2 else second))
            if find_row(state, customer, fact, FOR_ALL, key) >= 0:
                return True
    return False


@kernel
def _take_over(program: Program, state: State, a: int, row: int) -> None:
    """Move a row of a merged customer to the survivor, or fold it into the survivor's own."""
    facts = state.facts
    slot, b = facts[row, OWNER] & SLOT_MASK, facts[row, OWNER] >> SLOT_BITS
    fact, kind = slot // KINDS, slot % KINDS
    first, second, third = facts[row, at.FIRST], facts[row, at.SECOND], facts[row, at.THIRD]
    key = facts[row, KEY]
    opened, open_position = facts[row, at.OPEN_AT], facts[row, at.OPEN_POSITION]
    closed, close_position = facts[row, at.CLOSE_AT], facts[row, at.CLOSE_POSITION]
    remove(facts, state.facts_index, state.pools, at.FACTS, state.customers, at.FACT_HEAD, row)
    if program.facts[fact, FACT_MEMBERS] and kind == ENTRY:
        groups.follow(state, b, fact, key, 0)
    if kind == ENTRY or kind == FOR_ALL:
        kept = find_row(state, a, fact, kind, key)
        if kept < 0:
            kept = _add_row(state, a, fact, kind, key, first, second, third)
        _raise(facts, kept, at.OPEN_AT, opened, open_position)
        _raise(facts, kept, at.CLOSE_AT, closed, close_position)
        _set_end(program, state, a, fact, kept)


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Fold the facts of customer `b` into those of `a`, as if they had been one history."""
    facts = state.facts
    while state.customers[b, at.FACT_HEAD] >= 0:
        _take_over(program, state, a, state.customers[b, at.FACT_HEAD])
    row = state.customers[a, at.FACT_HEAD]
    while row >= 0:
        after = facts[row, NEXT]
        slot = facts[row, OWNER] & SLOT_MASK
        if slot % KINDS == ENTRY:
            _refresh(program, state, a, slot // KINDS, row)
            after = facts[row, NEXT]
        row = after
