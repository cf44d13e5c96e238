"""Groups: who is in one with whom, kept as memberships open and close (semantics §5).

Kept are only the groups whose members a condition asks, or a cap counts. A membership itself is a fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import state as at
from onevoice.engine import timers
from onevoice.engine.kernel import kernel
from onevoice.engine.store import COUNT, KEY, NEXT, add, find, owner_of, remove

if TYPE_CHECKING:
    from onevoice.engine.state import State

MEMBERS_MAX: Final = 1_000
AT_ONCE: Final = 1  # slot of a judgement's timer that does not wait for time to change anything


@kernel
def first_member(state: State, kind: int, key: int) -> int:
    """Return the first row of `members` of a group, or -1; the next ones follow by NEXT."""
    group = find(state.groups, state.groups_index, owner_of(0, kind), key)
    return state.groups[group, at.G_FIRST] if group >= 0 else -1


@kernel
def follow(state: State, customer: int, kind: int, key: int, is_in: int) -> None:
    """Let a customer be in a group, or not; where that is new all who are in it, or were, are judged at once."""
    group = find(state.groups, state.groups_index, owner_of(0, kind), key)
    member = find(state.members, state.members_index, owner_of(group, 0), customer) if group >= 0 else -1
    if is_in and member < 0:
        _join(state, customer, kind, key, group)
    elif not is_in and member >= 0:
        _leave(state, group, member)


@kernel
def _join(state: State, customer: int, kind: int, key: int, group: int) -> None:
    groups = state.groups
    if group < 0:
        owner = owner_of(0, kind)
        group = add(groups, state.groups_index, state.pools, at.GROUPS, state.group_heads, 0, owner, key)
        groups[group, at.G_FIRST] = -1
    elif groups[group, at.G_COUNT] >= MEMBERS_MAX:
        state.scalars[at.MEMBERS_NOT_KEPT] += 1
        return
    owner = owner_of(group, 0)
    row = add(state.members, state.members_index, state.pools, at.MEMBERS, groups, at.G_FIRST, owner, customer)
    state.members[row, at.M_WOKEN] = -1
    groups[group, at.G_COUNT] += 1
    _wake(state, groups[group, at.G_FIRST])


@kernel
def _leave(state: State, group: int, member: int) -> None:
    groups = state.groups
    _wake(state, groups[group, at.G_FIRST])
    remove(state.members, state.members_index, state.pools, at.MEMBERS, groups, at.G_FIRST, member)
    groups[group, at.G_COUNT] -= 1
    if groups[group, at.G_COUNT] == 0:
        remove(groups, state.groups_index, state.pools, at.GROUPS, state.group_heads, 0, group)


@kernel
def wake(state: State, kind: int, key: int) -> None:
    """Let all who are in a group be judged at once."""
    _wake(state, first_member(state, kind, key))


@kernel
def _wake(state: State, member: int) -> None:
    members, mark = state.members, state.scalars[at.JUDGED_AT_ONCE]
    while member >= 0:
        if members[member, at.M_WOKEN] != mark:
            members[member, at.M_WOKEN] = mark
            timers.push(state, state.scalars[at.NOW], timers.JUDGEMENT, members[member, KEY], AT_ONCE, 0, 0)
        member = members[member, NEXT]


@kernel
def timers_at_stake(state: State, joining: int) -> int:
    """Return how many timers an event may set that lets so many join: one for each member before it, and after."""
    return 2 * state.pools[at.MEMBERS, COUNT] + joining
