"""What conditions read from other rooms: measures and facts, their values and until when these hold by themselves."""

# ruff: noqa: PLR0917, ARG001 - kernels take arrays and scalars by position, and these share one form

from __future__ import annotations

from typing import Any, Final

from onevoice.engine.kernel import kernel

OFFER: Final = 0  # column of `program.campaigns`: the campaign's offer, or -1
ENDLESS: Final = 2**62


@kernel
def measure_value(program: Any, state: Any, customer: int, measure: int, now: int) -> float:
    """Return the value of a measure, NaN where it has none."""
    return float("nan")


@kernel
def measure_until(program: Any, state: Any, customer: int, measure: int, now: int) -> int:
    """Return the earliest instant after `now` at which time alone may change a measure."""
    return ENDLESS


@kernel
def fact_any(program: Any, state: Any, customer: int, fact: int, now: int) -> float:
    """Return 1.0 while any key of a fact is open, else 0.0."""
    return float("nan")


@kernel
def fact_count(program: Any, state: Any, customer: int, fact: int, now: int) -> float:
    """Return how many keys of a fact are open."""
    return float("nan")


@kernel
def fact_prefix(program: Any, state: Any, customer: int, fact: int, code: int, now: int) -> float:
    """Return 1.0 while a key that begins with the text `code` is open, else 0.0."""
    return float("nan")


@kernel
def fact_pair(program: Any, state: Any, customer: int, fact: int, first: int, second: int, now: int) -> float:
    """Return 1.0 while the key of these two texts is open, else 0.0."""
    return float("nan")


@kernel
def fact_until(program: Any, state: Any, customer: int, fact: int, now: int) -> int:
    """Return the earliest instant after `now` at which time alone may open or close a key of a fact."""
    return ENDLESS
