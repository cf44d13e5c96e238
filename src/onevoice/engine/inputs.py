"""What conditions read from other rooms: measures and facts, their values and until when these hold by themselves."""

# ruff: noqa: ARG001 - kernels take arrays and scalars by position, and these share one form

from __future__ import annotations

from typing import Any, Final

from onevoice.engine import facts, measures
from onevoice.engine.hashing import mix
from onevoice.engine.kernel import kernel
from onevoice.engine.state import INFINITE, N_HASH

OFFER: Final = 0  # column of `program.campaigns`: the campaign's offer, or -1
ENDLESS: Final = INFINITE


@kernel
def measure_value(program: Any, state: Any, customer: int, measure: int, now: int) -> float:
    """Return the value of a measure, NaN where it has none."""
    return measures.value(program, state, customer, measure, now)


@kernel
def measure_until(program: Any, state: Any, customer: int, measure: int, now: int) -> int:
    """Return the earliest instant after `now` at which time alone may change a measure."""
    return measures.until(program, state, customer, measure, now)


@kernel
def fact_any(program: Any, state: Any, customer: int, fact: int, now: int) -> float:
    """Return 1.0 while any key of a fact is open, else 0.0."""
    return 1.0 if facts.any_open(program, state, customer, fact) else 0.0


@kernel
def fact_count(program: Any, state: Any, customer: int, fact: int, now: int) -> float:
    """Return how many keys of a fact are open."""
    return float(facts.count_open(program, state, customer, fact))


@kernel
def fact_prefix(program: Any, state: Any, customer: int, fact: int, code: int, now: int) -> float:
    """Return 1.0 while a key that begins with the text `code` is open, else 0.0."""
    return 1.0 if facts.first_open(program, state, customer, fact, state.names[code, N_HASH]) else 0.0


@kernel
def fact_pair(program: Any, state: Any, customer: int, fact: int, first: int, second: int, now: int) -> float:
    """Return 1.0 while the key of these two texts is open, else 0.0."""
    key = mix(state.names[first, N_HASH], state.names[second, N_HASH])
    return 1.0 if facts.key_open(state, customer, fact, key) else 0.0


@kernel
def fact_until(program: Any, state: Any, customer: int, fact: int, now: int) -> int:
    """Return ENDLESS: the end of a fact that lasts has a timer of its own, after which the customer is judged."""
    return ENDLESS
