"""Joining two customers so that the result equals one history (semantics §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.engine import candidates, facts, holdouts, ledger, measures, moments, segments, shows
from onevoice.engine import state as at
from onevoice.engine.kernel import kernel
from onevoice.program import P_ZONE_TRAIT

if TYPE_CHECKING:
    from onevoice.engine.state import State
    from onevoice.program import Program


@kernel
def _merge_traits(state: State, a: int, b: int) -> None:
    stamps = state.trait_stamps
    for trait in range(state.traits.shape[1]):
        time, position = stamps[b, 2 * trait], stamps[b, 2 * trait + 1]
        own, own_position = stamps[a, 2 * trait], stamps[a, 2 * trait + 1]
        if time > own or (time == own and position > own_position):
            state.traits[a, trait] = state.traits[b, trait]
            stamps[a, 2 * trait] = time
            stamps[a, 2 * trait + 1] = position


@kernel
def _merge_addresses(state: State, a: int, b: int) -> None:
    """Of each kind keep the address that was given later."""
    addresses = state.addresses
    for given in range(0, addresses.shape[1] - 1, 2):
        if addresses[b, given] > addresses[a, given]:
            addresses[a, given] = addresses[b, given]
            addresses[a, given + 1] = addresses[b, given + 1]


@kernel
def merge(program: Program, state: State, a: int, b: int) -> None:
    """Fold customer `b` into the older customer `a`; `b` stays as an alias."""
    customers = state.customers
    customers[b, at.ALIAS] = a
    customers[a, at.KNOWN] += customers[b, at.KNOWN]
    for kind in range(state.identifier_counts.shape[1]):
        state.identifier_counts[a, kind] += state.identifier_counts[b, kind]
    _merge_addresses(state, a, b)
    trait = program.limits[P_ZONE_TRAIT]
    _merge_traits(state, a, b)
    if trait >= 0 and state.trait_stamps[b, 2 * trait] == state.trait_stamps[a, 2 * trait]:
        if state.trait_stamps[b, 2 * trait + 1] == state.trait_stamps[a, 2 * trait + 1]:
            customers[a, at.ZONE] = customers[b, at.ZONE]
    facts.merge(program, state, a, b)
    measures.merge(program, state, a, b)
    moments.merge(program, state, a, b)
    segments.merge(program, state, a, b)
    ledger.merge(program, state, a, b)
    shows.merge(program, state, a, b)
    holdouts.merge(program, state, a, b)
    candidates.merge(state, a, b)
    state.scalars[at.MERGES] += 1
