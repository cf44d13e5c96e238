"""Bits by customer: a row of words, 32 bits in each, so that a word is an int64 compiled or not.

Shifts instead of divisions, and no branches: half of an event's work is looking at such bits (measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.engine.kernel import kernel

if TYPE_CHECKING:
    from onevoice.tables import Ints

_SHIFT: Final = 5
_MASK: Final = 31


def words_for(count: int) -> int:
    """Return how many words hold `count` bits, at least one."""
    return max((count + _MASK) >> _SHIFT, 1)


@kernel
def bit(words: Ints, customer: int, number: int) -> int:
    """Return a customer's bit: 1 or 0."""
    return (words[customer, number >> _SHIFT] >> (number & _MASK)) & 1


@kernel
def set_bit(words: Ints, customer: int, number: int) -> None:
    """Set a customer's bit."""
    words[customer, number >> _SHIFT] |= 1 << (number & _MASK)


@kernel
def clear_bit(words: Ints, customer: int, number: int) -> None:
    """Clear a customer's bit."""
    words[customer, number >> _SHIFT] &= ~(1 << (number & _MASK))
