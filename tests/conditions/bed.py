"""A small world for conditions: a scope, the tables behind its names, and rows to evaluate over."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onevoice.conditions.code import Assembler, match_patterns
from onevoice.conditions.opcodes import STACK_ROOM
from onevoice.conditions.tree import Scope, Symbol, SymbolKind, Type
from onevoice.engine import conditions, holding, inputs, state
from onevoice.zones import Zones, zone_number, zones

ZONE_NAMES = ("UTC", "Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo")
NAMES = (
    # products first: their codes are rows of the catalogue
    "phone_x", "case_red", "tarif ąčę", "x_y", "",
    "gold", "silver", "Gold", "ačiū", "日本語", "100%", "a_b", "a\\b", "line\nbreak", "red", "reddish", "it's", "👍🏽",
)  # fmt: skip
PRODUCT_COUNT = 5
KIND = SymbolKind

TRAITS = {
    "tier": Type.TEXT, "city": Type.TEXT, "score": Type.NUMBER, "income": Type.NUMBER, "vip": Type.BOOLEAN,
    "member": Type.BOOLEAN, "birthday": Type.DATE, "renewal": Type.DATE, "seen": Type.TIME, "signed_up": Type.TIME,
}  # fmt: skip
SEGMENTS = [f"segment_{number}" for number in range(70)]
EVENT = {
    "page": Type.TEXT, "amount": Type.NUMBER, "product": Type.TEXT, "paid": Type.BOOLEAN, "due": Type.DATE,
    "sent": Type.TIME,
}  # fmt: skip
CATALOGUE = {"category": Type.TEXT, "price": Type.NUMBER}
OFFER = {"value": Type.NUMBER, "product": Type.TEXT, "family": Type.TEXT, "discount": Type.NUMBER}
CAMPAIGN = ("weight", "priority", "lever", "propensity")


def symbols() -> dict[str, Symbol]:
    """Return every name of the small world."""
    known = {name: Symbol(KIND.TRAIT, index, kind) for index, (name, kind) in enumerate(TRAITS.items())}
    known["first_name"] = Symbol(KIND.TRAIT, len(TRAITS), None, note="it is a text for messages; declare it as choice")
    known["last_order"] = Symbol(KIND.MEASURE, 0, Type.TIME)
    known["spend"] = Symbol(KIND.MEASURE, 1, Type.NUMBER)
    known["open_case"] = Symbol(KIND.FACT, 0, Type.BOOLEAN, components=(None,))
    known["owns"] = Symbol(KIND.FACT, 1, Type.BOOLEAN, components=(Type.TEXT, None))
    known["consent"] = Symbol(KIND.FACT, 2, Type.BOOLEAN, components=(Type.TEXT, Type.TEXT))
    known["enrolled"] = Symbol(KIND.FACT, 3, Type.BOOLEAN)
    known |= {name: Symbol(KIND.SEGMENT, index, Type.BOOLEAN) for index, name in enumerate(SEGMENTS)}
    known |= {
        f"event.{name}": Symbol(KIND.EVENT_FIELD, index, kind) for index, (name, kind) in enumerate(EVENT.items())
    }
    product = list(EVENT).index("product")
    for column, (name, kind) in enumerate(CATALOGUE.items()):
        known[f"event.product.{name}"] = Symbol(KIND.EVENT_PRODUCT_FIELD, product, kind, column=column)
        known[f"offer.product.{name}"] = Symbol(KIND.OFFER_PRODUCT_FIELD, column, kind)
    known |= {
        f"offer.{name}": Symbol(KIND.OFFER_FIELD, index, kind) for index, (name, kind) in enumerate(OFFER.items())
    }
    known |= {name: Symbol(KIND.CAMPAIGN, index, Type.NUMBER) for index, name in enumerate(CAMPAIGN)}
    return known


SCOPE = Scope(symbols())


class Program(NamedTuple):
    """The tables of a program that conditions read."""

    code: NDArray[np.int64]
    constants: NDArray[np.float64]
    spans: NDArray[np.int64]
    products: NDArray[np.float64]
    offers: NDArray[np.float64]
    campaigns: NDArray[np.int64]
    campaign_numbers: NDArray[np.float64]
    zones: Zones


class State(NamedTuple):
    """The tables of a state that conditions read."""

    traits: NDArray[np.float64]
    customers: NDArray[np.int64]
    memberships: NDArray[np.int64]
    likes: NDArray[np.int64]


class Names:
    """Texts and their codes."""

    def __init__(self) -> None:
        self.texts = list(NAMES)

    def code_of(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)


class World(NamedTuple):
    """Expressions and the rows they are asked over: row r is customer r with event, campaign and product r."""

    program: Program
    state: State
    values: NDArray[np.float64]
    campaign: NDArray[np.int64]
    product: NDArray[np.int64]
    names: list[str]
    stack: NDArray[np.float64]

    def evaluate(self, expression: int, row: int, now: int) -> float:
        """Evaluate one expression over one row."""
        at = (self.values, row, self.campaign[row], self.product[row])
        return conditions.evaluate(self.program, self.state, self.stack, expression, row, now, *at)

    def holds_until(self, expression: int, row: int, now: int) -> int:
        """Ask until when an expression keeps its value over one row."""
        at = (self.values, row, self.campaign[row], self.product[row])
        return holding.holds_until(self.program, self.state, self.stack, expression, row, now, *at)


NUMBERS = np.array([
    0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 7.0, 100.0, 0.1, 1e-300, 1e300, -1e300, 1.7e308, 2.0**52 + 1,
    np.inf, -np.inf,
])  # fmt: skip
TIMES = (2_592_000_000_000, 4_070_908_800_000_000)  # February 1970 to 2099


def _column(random: np.random.Generator, kind: Type, rows: int) -> NDArray[np.float64]:
    if kind is Type.TEXT:
        column = random.integers(0, len(NAMES), rows).astype(np.float64)
    elif kind is Type.BOOLEAN:
        column = random.integers(0, 2, rows).astype(np.float64)
    elif kind is Type.NUMBER:
        common = random.normal(0, 50, rows).round(1)
        column = np.where(random.random(rows) < 0.5, random.choice(NUMBERS, rows), common)
    elif kind is Type.DATE:
        column = random.integers(0, 45_000, rows) * 86_400e6
    else:
        column = random.integers(*TIMES, rows).astype(np.float64)
    column[random.random(rows) < 0.15] = np.nan
    return column


def world(assembler: Assembler, names: Names, random: np.random.Generator, rows: int = 64) -> World:
    """Draw the rows; a sixth of all values is NULL."""
    tables = assembler.code()
    traits = np.stack([_column(random, kind, rows) for kind in TRAITS.values()], axis=1)
    customers = np.zeros((rows, state.CUSTOMER_WIDTH), np.int64)
    customers[:, state.ZONE] = random.choice([zone_number(name) for name in ZONE_NAMES], rows)
    memberships = random.integers(0, 2**63, (rows, 2))
    offers = np.stack([_column(random, kind, 4) for kind in OFFER.values()], axis=1)
    campaigns = np.zeros((6, inputs.OFFER + 1), np.int64)
    campaigns[:, inputs.OFFER] = random.integers(-1, 4, 6)
    products = np.stack([_column(random, kind, PRODUCT_COUNT) for kind in CATALOGUE.values()], axis=1)
    return World(
        Program(*tables, products, offers, campaigns, random.normal(0, 10, (6, 4)).round(2), zones()),
        State(traits, customers, memberships, match_patterns(assembler.patterns, names.texts)),
        np.stack([_column(random, kind, rows) for kind in EVENT.values()], axis=1),
        random.integers(-1, 6, rows),
        random.integers(-1, PRODUCT_COUNT, rows),
        names.texts,
        np.zeros(STACK_ROOM),
    )
