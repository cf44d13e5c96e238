"""Search the least number that makes a difference."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNITS_MAX: Final = 2**44  # how far a value is searched, in its units
POWERS: Final = tuple(sign * 2**power for power in range(_UNITS_MAX.bit_length()) for sign in (1, -1))


def plain(value: float | Decimal) -> Decimal:
    """Return a value as it is written: all of its digits, and no noughts behind them."""
    return Decimal(f"{value}").normalize()


def decimals_of(value: float) -> int:
    """Return with how many decimals a value is written."""
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def least(wins: Callable[[int], bool], guesses: Iterable[int], *, is_sure: bool = False) -> int | None:
    """Return the whole number nearest to nought that wins while its neighbour nearer to nought does not, or None.

    Nought itself is known not to win. Looked at are the guesses; what lies between nought and the nearest winner is
    halved until two neighbours are found. `is_sure`: the guesses are next to all numbers at which anything changes, so
    the nearest that wins is one of them, or none does.
    """
    tried = sorted({guess for guess in guesses if guess}, key=abs)
    winner = next((count for count in tried if wins(count)), None)
    if winner is None or is_sure:
        return winner
    low, high = 0, winner
    while abs(high - low) > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wins(middle) else (middle, high)
    return high
