"""Caps: how many contacts or shows a customer may get in a window, by what they are (semantics §10, §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine import bits, calendar, facts, groups, ledger
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.engine.store import KEY, NEXT
from onevoice.program import (
    ANY,
    CAMPAIGN_OWNER,
    CAP_GROUP,
    CAP_LIFTS,
    CAP_MAX,
    CAP_OWN,
    CAP_PERIOD,
    CAP_ROLLING_US,
    CAP_ROW,
    CAP_SCOPE,
    CAP_SCOPES,
    CAP_SEGMENT,
    CAP_SET,
    CHANNEL_KIND,
    CLASS_COUNTS,
    EACH,
    KIND_ADDRESS,
    NONE,
    P_CAPS_SHOWN,
    P_CATEGORY,
    SCOPE_ADDRESS,
    SCOPE_CAMPAIGN,
    SCOPE_CATEGORY,
    SCOPE_CHANNEL,
    SCOPE_CLASS,
    SCOPE_FAMILY,
    SCOPE_OWNER,
    SCOPE_PLACEMENT,
    SCOPES,
)

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program
    from onevoice.tables import Ints

_OWN_MAX: Final = 1e9  # a greater wish is this one


@kernel
def describe(
    program: Program, state: State, customer: int, campaign: int, klass: int, channel: int, family: int, product: int
) -> None:
    """Write into `state.scope` what caps may go by of a contact that is thought of, or made; -1 is none of each.

    `family` and `product` are name codes.
    """
    scope = state.scope
    scope[SCOPE_CAMPAIGN] = campaign
    scope[SCOPE_CLASS] = klass
    scope[SCOPE_CHANNEL] = channel
    scope[SCOPE_FAMILY] = family
    scope[SCOPE_OWNER] = program.campaigns[campaign, CAMPAIGN_OWNER] if campaign >= 0 else NONE
    scope[SCOPE_CATEGORY] = _category(program, product)
    scope[SCOPE_ADDRESS] = _address(program, state, customer, channel)
    scope[SCOPE_PLACEMENT] = NONE


@kernel
def _category(program: Program, product: int) -> int:
    column = program.limits[P_CATEGORY]
    if column < 0 or product < 0 or product >= program.products.shape[0]:
        return NONE
    category = program.products[product, column]
    return int(category) if category == category else NONE  # noqa: PLR0124 - NaN is NULL


@kernel
def _address(program: Program, state: State, customer: int, channel: int) -> int:
    """Return the half of the identifier that a channel would reach the customer by: that given last."""
    kind = program.channels[channel, CHANNEL_KIND] if channel >= 0 else -1
    place = program.kinds[kind, KIND_ADDRESS] if kind >= 0 else -1
    if place < 0 or state.addresses[customer, 2 * place] == at.NEVER:
        return NONE
    return state.addresses[customer, 2 * place + 1]


@kernel
def assume(state: State) -> None:
    """Keep the contact in `state.scope` as one that may be assumed to be made now, beside another one."""
    for place in range(SCOPES):
        state.scope[SCOPES + place] = state.scope[place]


@kernel
def full_cap(
    program: Program, state: State, customer: int, follows: bool, instant: int, assumed: bool
) -> tuple[int, int, int, int]:
    """Return (cap, count, most, instant of room) of the first cap that is full for what is in `state.scope`.

    Of the caps of one set (same scope and window) only the first that applies counts. The cap is -1 where none is full.
    `follows`: the contact follows another in its slot, so only caps that go by channel hold. `instant`: when it would
    be made. `assumed`: as if the contact of `assume` were made now; the instant of room knows nothing of that.
    """
    first, last = 0, program.limits[P_CAPS_SHOWN]
    if state.scope[SCOPE_PLACEMENT] != NONE:
        first, last = last, program.caps.shape[0]
    done = -1
    for cap in range(first, last):
        if program.caps[cap, CAP_SET] == done or (follows and program.caps[cap, CAP_SCOPE + SCOPE_CHANNEL] == ANY):
            continue
        if _applies(program, state, customer, cap):
            done = program.caps[cap, CAP_SET]
            count, most, room_at = _fullness(program, state, customer, cap, instant)
            if assumed and _is_assumed_in(program, state, customer, cap, instant):
                count += 1
            if count >= most:
                return cap, count, most, room_at
    return -1, 0, 0, 0


@kernel
def has_lifted(program: Program, state: State, customer: int, rule: int, wake: int) -> bool:
    """Whether a cap, by its position in the playbook, holds no more, or not until `wake`, and not by time alone."""
    caps = program.caps
    cap = caps[rule, CAP_ROW]
    if not caps[cap, CAP_LIFTS]:
        return False
    other = cap - 1
    while other >= 0 and caps[other, CAP_SET] == caps[cap, CAP_SET]:
        if _applies(program, state, customer, other):
            return True
        other -= 1
    if not _applies(program, state, customer, cap):
        return True
    count, most, room_at = _fullness(program, state, customer, cap, state.scalars[at.NOW])
    return count < most or room_at < wake


@kernel
def _applies(program: Program, state: State, customer: int, cap: int) -> bool:
    """Whether a cap is about the contact in `state.scope`, and for this customer."""
    caps, scope = program.caps, state.scope
    for place in range(caps[cap, CAP_SCOPES]):
        wanted = caps[cap, CAP_SCOPE + place]
        if wanted == EACH:
            if scope[place] == NONE:
                return False
        elif wanted != ANY and wanted != scope[place]:
            return False
    segment = caps[cap, CAP_SEGMENT]
    return segment < 0 or bits.bit(state.memberships, customer, segment) == 1


@kernel
def _is_counted(program: Program, state: State, row: int, cap: int) -> bool:
    """Whether a cap that applies to the contact in `state.scope` counts one of the ledger.

    What follows another shares its slot, but not its channel.
    """
    caps = program.caps
    if state.contacts[row, at.K_FOLLOWS] >= 0 and caps[cap, CAP_SCOPE + SCOPE_CHANNEL] == ANY:
        return False
    return _is_meant(program, state, cap, state.contacts[row], at.K_SCOPE) and ledger.counts(program, state, row)


@kernel
def _is_meant(program: Program, state: State, cap: int, contact: Ints, start: int) -> bool:
    """Whether a contact, by its scopes from a column on, is one of those of a cap that the one in `state.scope` is."""
    caps = program.caps
    for place in range(caps[cap, CAP_SCOPES]):
        wanted = caps[cap, CAP_SCOPE + place]
        if wanted != ANY:
            value = state.scope[place] if wanted == EACH else wanted
            if contact[start + place] != value:
                return False
    return True


@kernel
def _is_assumed_in(program: Program, state: State, customer: int, cap: int, instant: int) -> bool:
    """Whether the contact that is assumed to be made now is among those that a cap counts at an instant."""
    if program.classes[state.scope[SCOPES + SCOPE_CLASS], CLASS_COUNTS] == 0:
        return False
    lies_in = state.scalars[at.NOW] >= _oldest(program, state, customer, cap, instant)
    return lies_in and _is_meant(program, state, cap, state.scope, SCOPES)


@kernel
def _oldest(program: Program, state: State, customer: int, cap: int, instant: int) -> int:
    """Return the least due time of the contacts that a cap counts at an instant."""
    rolling = program.caps[cap, CAP_ROLLING_US]
    return instant - rolling + 1 if rolling > 0 else _period_start(program, state, customer, cap, instant, 0)


@kernel
def _fullness(program: Program, state: State, customer: int, cap: int, instant: int) -> tuple[int, int, int]:
    """Return how many contacts or shows a cap counts at an instant, how many it allows, and when it has room then."""
    if program.caps[cap, CAP_GROUP] >= 0:
        return _fullness_of_groups(program, state, customer, cap, instant)
    contacts, rolling = state.contacts, program.caps[cap, CAP_ROLLING_US]
    most = _most(program, state, customer, cap)
    oldest = _oldest(program, state, customer, cap, instant)
    count, room_at = 0, at.INFINITE
    counts_shows = program.caps[cap, CAP_SCOPE + SCOPE_PLACEMENT] != ANY
    row = state.customers[customer, at.SHOW_HEAD if counts_shows else at.CONTACT_HEAD]
    while row >= 0 and contacts[row, at.K_DUE_AT] >= oldest:
        if _is_counted(program, state, row, cap):
            count += 1
            if count == most:
                room_at = contacts[row, at.K_DUE_AT] + rolling
        row = contacts[row, at.K_NEXT]
    if rolling == 0 and 0 < most <= count:
        room_at = _period_start(program, state, customer, cap, instant, 1)
    return count, most, room_at


@kernel
def _fullness_of_groups(program: Program, state: State, customer: int, cap: int, instant: int) -> tuple[int, int, int]:
    """Return the same over the customer's groups: how many the fullest counts, and when all of them have room."""
    group, rolling = program.caps[cap, CAP_GROUP], program.caps[cap, CAP_ROLLING_US]
    most = _most(program, state, customer, cap)
    oldest = _oldest(program, state, customer, cap, instant)
    row = facts.next_membership(state, customer, group, -1)
    count, room_at = 0, at.NEVER
    while True:
        members = groups.first_member(state, group, state.facts[row, KEY]) if row >= 0 else -1
        found = _count_since(program, state, customer, cap, members, oldest)
        count = max(count, found)
        if most == 0:
            room_at = at.INFINITE
        elif found >= most and rolling == 0:
            room_at = _period_start(program, state, customer, cap, instant, 1)
        elif found >= most:
            room_at = max(room_at, _last_due(program, state, customer, cap, members, most, oldest) + rolling)
        row = facts.next_membership(state, customer, group, row) if row >= 0 else -1
        if row < 0:
            return count, most, room_at


@kernel
def _last_due(program: Program, state: State, customer: int, cap: int, members: int, most: int, oldest: int) -> int:
    """Return the due time of the `most`-th newest contact of a group, of which a cap counts so many: by halving."""
    latest = state.scalars[at.NOW] + calendar.DAY_US  # nothing that was reported is due later
    while oldest < latest:
        middle = oldest + (latest - oldest + 1) // 2
        if _count_since(program, state, customer, cap, members, middle) >= most:
            oldest = middle
        else:
            latest = middle - 1
    return oldest


@kernel
def _count_since(program: Program, state: State, customer: int, cap: int, member: int, since: int) -> int:
    """Return how many contacts since an instant a cap counts, of a customer and of the members from a row on."""
    count = _own_since(program, state, customer, cap, since)
    while member >= 0:
        other = state.members[member, KEY]
        if other != customer:
            count += _own_since(program, state, other, cap, since)
        member = state.members[member, NEXT]
    return count


@kernel
def _own_since(program: Program, state: State, customer: int, cap: int, since: int) -> int:
    count, row = 0, state.customers[customer, at.CONTACT_HEAD]
    while row >= 0 and state.contacts[row, at.K_DUE_AT] >= since:
        count += _is_counted(program, state, row, cap)
        row = state.contacts[row, at.K_NEXT]
    return count


@kernel
def _most(program: Program, state: State, customer: int, cap: int) -> int:
    """Return how many contacts a cap allows: what the customer chose, where that is known."""
    trait = program.caps[cap, CAP_OWN]
    if trait >= 0:
        own = state.traits[customer, trait]
        if own == own:  # noqa: PLR0124 - NaN is NULL
            return int(min(max(own, 0.0), _OWN_MAX))
    return program.caps[cap, CAP_MAX]


@kernel
def _period_start(program: Program, state: State, customer: int, cap: int, instant: int, ahead: int) -> int:
    """Return when the period of a cap begins that is `ahead` after the one of an instant."""
    zone, period = state.customers[customer, at.ZONE], program.caps[cap, CAP_PERIOD]
    return calendar.period_start(program.zones, zone, period, instant, ahead)
