"""Dice, and what every drawn playbook is made of."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

from onevoice.playbook.model import HOUR, MINUTE, Catalogue, EventType, FieldType, Identifier, Trait

from .clock import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

C, N, K, P, B = FieldType.CHOICE, FieldType.NUMBER, FieldType.KEY, FieldType.PRODUCT, FieldType.BOOLEAN
D, T_ = FieldType.DATE, FieldType.TIME

UNITS_US = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR)
ZONES = ("Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "UTC", "Nowhere")
STARTS = tuple(
    instant(text)
    for text in (
        "2026-03-02T00:00:00Z",
        "2026-03-28T20:00:00Z",  # the clocks of Europe go forward at 1 UTC on the 29th
        "2026-10-24T18:00:00Z",  # and back on the 25th
        "2026-03-08T04:00:00Z",  # forward in New York at 7 UTC
        "2026-04-04T12:00:00Z",  # back by half an hour in Lord Howe at 15 UTC
        "2026-12-31T09:00:00Z",
    )
)
TEXTS = {
    "page": ("home", "red%case", "žalia"),
    "severity": ("low", "high"),
    "product": ("p1", "p2", "p3", "p4", "p9"),  # p9 is not in the catalogue
    "order_id": ("o1", "o2", "o3"),
    "case_id": ("k1", "k2"),
    "tier": ("gold", "iron", "tin"),
}
EVENTS = {
    event.name: event
    for event in (
        EventType("viewed", {"page": C, "product": P, "n": N}),
        EventType(
            "ordered",
            {"order_id": K, "amount": N, "gift": B, "due": T_},
            {"items": {"product": P, "quantity": N, "amount": N}},  # an item's amount hides its order's
        ),
        EventType("delivered", {"order_id": K, "day": D}),
        EventType("case_opened", {"case_id": K, "severity": C}),
        EventType("case_closed", {"case_id": K}),
        EventType("pinged"),
        EventType("restocked", {"n": N}, about="product"),
    )
}
IDENTIFIERS = (
    Identifier("card", unique=True),
    Identifier("email", format="email"),
    Identifier("phone", format="phone", region="LT", at_most=2),
    Identifier("cookie", anonymous=True),
)
TRAITS = (
    Trait("tier", C),
    Trait("score", N),
    Trait("vip", B),
    Trait("born", D),
    Trait("seen", T_),
    Trait("note", FieldType.TEXT),
)
CATALOGUE = Catalogue(
    {"category": C, "price": N, "stock": N},
    ("p1", "p2", "p3", "p4"),
    {"category": ("phone", "phone", "case", None), "price": (100.0, 2.5, None, 7.0), "stock": (1.0, 2.0, 3.0, None)},
)


class Dice:
    """Draws in the words of this folder, from whatever gives a whole number from 0 up to, not including, another.

    The less is drawn the plainer the outcome: hypothesis makes a failing case small by drawing less.
    """

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    @classmethod
    def seeded(cls, seed: int) -> Dice:
        return cls(random.Random(seed).randrange)

    def chance(self, share: float) -> bool:
        """Return true in so many hundredths of all cases."""
        return self.below(100) >= 100 - round(100 * share)

    def randint(self, least: int, most: int) -> int:
        return least + self.below(most - least + 1)

    def choice(self, things: Sequence[T]) -> T:
        return things[self.below(len(things))]

    def sample(self, things: Iterable[T], count: int) -> list[T]:
        """Return so many different things, in any order."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def some(self, things: Iterable[T], least: int, most: int) -> list[T]:
        """Return between `least` and `most` different things, in their own order."""
        things = list(things)
        count = min(len(things), self.randint(least, most))
        return [things[at] for at in sorted(self.sample(range(len(things)), count))]

    def times(self, least: int, most: int) -> Iterator[int]:
        """Count between `least` and `most` turns; whether to go on is drawn each time: any one can be left out."""
        stops = 2 / (most - least + 2)
        for turn in range(most):
            if turn >= least and self.chance(stops):
                return
            yield turn

    def maybe(self, thing: T, nothing: T, share: float = 0.5) -> T:
        return thing if self.chance(share) else nothing


class Times:
    """The pace of one case: durations and instants are mostly whole units, so that they meet."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.unit = dice.choice(UNITS_US)
        self.start = dice.choice(STARTS)

    def span(self, least: int = 1, most: int = 12) -> int:
        odd = self.dice.choice((0, 0, 0, 0, 1, self.unit // 3))
        return self.dice.randint(least, most) * self.unit + odd

    def instant(self, most: int = 60) -> int:
        return self.start + self.dice.randint(0, most) * self.unit
