"""What campaigns bring about: two shares compared, with an interval that is honest about small numbers.

Each share has Wilson's interval, their difference Newcombe's (method 10 of R. G. Newcombe, Statistics in Medicine 17,
1998, 873-890). Several campaigns are compared each within itself, and weighted as Mantel and Haenszel do; the intervals
are then those of shares of the effective size (the idea of X. Yan and X. G. Su, Statistics in Biopharmaceutical
Research 2, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Z: Final = 1.959963984540054  # of 95 in 100
CUSTOMERS_MIN: Final = 100  # on either side: nothing is said of fewer
CONVERTED_MIN: Final = 10  # on both sides together


@dataclass(frozen=True, slots=True)
class Counts:
    """Customers of one campaign who were contacted, and who were held out; how many of each came to the goal."""

    contacted: int
    converted: int
    held_out: int
    held_out_converted: int


@dataclass(frozen=True, slots=True)
class Uplift:
    """How much greater the share is of those contacted who came to the goal; its bounds hold 95 times in 100."""

    rate: float
    held_out_rate: float
    difference: float
    low: float
    high: float


def is_enough(counts: Iterable[Counts]) -> bool:
    """Tell whether there are so many customers that something can be said of them."""
    compared = [each for each in counts if each.contacted and each.held_out]
    fewest = min(sum(each.contacted for each in compared), sum(each.held_out for each in compared))
    converted = sum(each.converted + each.held_out_converted for each in compared)
    return fewest >= CUSTOMERS_MIN and converted >= CONVERTED_MIN


def uplift(counts: Iterable[Counts]) -> Uplift | None:
    """Compare those contacted with those held out, each campaign within itself; None where none has both."""
    compared = [each for each in counts if each.contacted and each.held_out]
    if not compared:
        return None
    weights = [each.contacted * each.held_out / (each.contacted + each.held_out) for each in compared]
    rate, low, high = _share(weights, [(each.converted, each.contacted) for each in compared])
    base, base_low, base_high = _share(weights, [(each.held_out_converted, each.held_out) for each in compared])
    difference = rate - base
    return Uplift(
        rate,
        base,
        difference,
        difference - sqrt((rate - low) ** 2 + (base_high - base) ** 2),
        difference + sqrt((high - rate) ** 2 + (base - base_low) ** 2),
    )


def _share(weights: Sequence[float], counts: Sequence[tuple[int, int]]) -> tuple[float, float, float]:
    """Return a weighted share, and Wilson's interval about it."""
    total = sum(weights)
    parts = list(zip(weights, counts, strict=True))
    share = sum(weight * reached / size for weight, (reached, size) in parts) / total
    effective = total**2 / sum(weight**2 / size for weight, (_, size) in parts)
    return share, *wilson(share, effective)


def wilson(share: float, size: float) -> tuple[float, float]:
    """Return Wilson's interval about a share of so many (E. B. Wilson, JASA 22, 1927)."""
    middle = share + Z**2 / (2 * size)
    half = Z * sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return max(0.0, (middle - half) / (1 + Z**2 / size)), min(1.0, (middle + half) / (1 + Z**2 / size))
