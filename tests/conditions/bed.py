"""A small world for conditions: a scope, the tables behind its names, and rows to evaluate over."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onevoice.compiled import Widths
from onevoice.conditions.code import Assembler, Code, match_patterns
from onevoice.conditions.opcodes import STACK_ROOM
from onevoice.conditions.tree import Scope, Symbol, SymbolKind, Type
from onevoice.engine import conditions, facts, growth, holding, measures, state
from onevoice.engine.empty import empty as empty_state
from onevoice.program import (
    FACT_MEMBERS,
    FACT_PARTS,
    FACT_PREFIXED,
    FACT_TABLE_WIDTH,
    FACT_TOTALLED,
    LIMITS,
    PROPOSAL_CAMPAIGN,
    PROPOSAL_OFFER,
    PROPOSAL_WIDTH,
    Program,
    ZoneTables,
)
from onevoice.zones import zone_number, zones

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
CAMPAIGN = ("weight", "priority", "lever", "propensity", "age")
FACTS = {"open_case": (None,), "owns": (Type.TEXT, None), "consent": (Type.TEXT, Type.TEXT), "enrolled": ()}
GROUP = "account"  # a fact, too: membership in one of a few accounts
FACTS[GROUP] = (Type.TEXT,)
ACCOUNTS = 6
DAY = 86_400_000_000
MEASURES = {  # aggregate, pane, type
    "last_order": (measures.LATEST, 0, Type.TIME),
    "spend": (measures.SUM, 0, Type.NUMBER),
    "orders_8d": (measures.COUNT, DAY // 8, Type.NUMBER),
}


def symbols() -> dict[str, Symbol]:
    """Return every name of the small world."""
    known = {name: Symbol(KIND.TRAIT, index, kind) for index, (name, kind) in enumerate(TRAITS.items())}
    known["first_name"] = Symbol(KIND.TRAIT, len(TRAITS), None, note="it is a text for messages; declare it as choice")
    for index, (name, parts) in enumerate(FACTS.items()):
        known[name] = Symbol(KIND.FACT, index, Type.BOOLEAN, components=parts, is_group=name == GROUP)
    for index, (name, (_, _, kind)) in enumerate(MEASURES.items()):
        known[name] = Symbol(KIND.MEASURE, index, kind)
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


class Names:
    """Texts and their codes."""

    def __init__(self) -> None:
        self.texts = list(NAMES)

    def code_of(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)


class World(NamedTuple):
    """Expressions and the rows they are asked over: row r is customer r with event, proposal and product r."""

    program: Program
    state: state.State
    open_keys: list[dict[str, list[list[str]]]]  # by row, then fact
    values: NDArray[np.float64]
    proposal: NDArray[np.int64]
    product: NDArray[np.int64]
    names: list[str]
    stack: NDArray[np.float64]

    def evaluate(self, expression: int, row: int, now: int) -> float:
        """Evaluate one expression over one row."""
        at = (self.values, row, self.proposal[row], self.product[row])
        return conditions.evaluate(self.program, self.state, self.stack, expression, row, now, *at)

    def holds_until(self, expression: int, row: int, now: int) -> int:
        """Ask until when an expression keeps its value over one row."""
        at = (self.values, row, self.proposal[row], self.product[row])
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


def _program(code: Code, random: np.random.Generator) -> Program:
    """Return a program of which only what conditions read is filled in."""
    blank = {"i1": np.zeros(1, np.int64), "i2": np.zeros((1, 1), np.int64)}
    blank |= {"f1": np.zeros(1), "f2": np.zeros((1, 1))}
    tables = {name: blank[kind] for name, kind in Program.fields.items() if isinstance(kind, str)}
    proposals = np.zeros((6, PROPOSAL_WIDTH), np.int64)
    proposals[:, PROPOSAL_CAMPAIGN] = random.integers(0, 6, 6)
    proposals[:, PROPOSAL_OFFER] = random.integers(-1, 4, 6)
    tables |= code._asdict()
    tables |= {
        "limits": np.zeros(LIMITS, np.int64),
        "facts": _facts(),
        "measures": np.array([[aggregate, pane, 0] for aggregate, pane, _ in MEASURES.values()], np.int64),
        "proposals": proposals,
        "campaign_numbers": random.normal(0, 10, (6, len(CAMPAIGN))).round(2),
        "offers": np.stack([_column(random, kind, 4) for kind in OFFER.values()], axis=1),
        "products": np.stack([_column(random, kind, PRODUCT_COUNT) for kind in CATALOGUE.values()], axis=1),
        "zones": ZoneTables(**zones()._asdict()),
    }
    return Program(**tables)


def _facts() -> NDArray[np.int64]:
    facts = np.zeros((len(FACTS), FACT_TABLE_WIDTH), np.int64)
    facts[:, FACT_PARTS] = [len(parts) for parts in FACTS.values()]
    facts[:, [FACT_TOTALLED, FACT_PREFIXED]] = 1
    facts[:, FACT_MEMBERS] = [name == GROUP for name in FACTS]
    return facts


def _state(code: Code, names: Names, patterns: list[str], random: np.random.Generator, rows: int) -> state.State:
    """Return a state in which customers have traits, zones and memberships."""
    widths = Widths(
        kinds=1, traits=len(TRAITS), segments=len(SEGMENTS), moments=1, initiators=0, substeps=1, values=len(EVENT),
        names=len(names.texts), likes=len(patterns), campaigns=6, classes=1, resources=1, computed=0, stack=STACK_ROOM,
    )  # fmt: skip
    empty = empty_state(widths)
    made = growth.grown(empty, np.full(state.POOLS, 40 * rows, np.int64))
    made.customers[:, state.FACT_HEAD] = made.customers[:, state.CELL_HEAD] = -1
    made.customers[:, state.ZONE] = random.choice([zone_number(name) for name in ZONE_NAMES], len(made.customers))
    made.traits[:rows] = np.stack([_column(random, kind, rows) for kind in TRAITS.values()], axis=1)
    made.ranking[:] = 1.5, 0.25
    made.memberships[:rows] = random.integers(0, 2**32, (rows, made.memberships.shape[1]))
    made.names[:, state.N_HASH] = random.integers(1, 2**62, len(made.names))
    made.likes[: len(patterns), : len(names.texts)] = match_patterns(patterns, names.texts)
    return made


def _happenings(program: Program, made: state.State, random: np.random.Generator, rows: int, at: int) -> Any:
    """Open facts and take up orders around the instant `at`; return the open keys by row and fact."""
    open_keys: list[dict[str, list[list[str]]]] = []
    made.scalars[state.NOW] = at
    for row in range(rows):
        keys: dict[str, list[list[str]]] = {name: [] for name in FACTS}
        for fact, (name, parts) in enumerate(FACTS.items()):
            for _ in range(random.integers(0, 4)):
                codes = [int(random.integers(ACCOUNTS if name == GROUP else len(NAMES))) for _ in parts]
                hashes = [int(made.names[code, state.N_HASH]) for code in codes] + [0, 0, 0]
                facts.set_key(program, made, row, fact, state.OPEN_AT, *hashes[:3], at, 0)
                key = [NAMES[code] for code in codes]
                if key not in keys[name]:
                    keys[name].append(key)
        for measure, (aggregate, _, _) in enumerate(MEASURES.values()):
            for _ in range(random.integers(0, 4)):
                time = at - int(random.integers(0, 9 * DAY))
                value = float(random.integers(-500, 5000)) / 10 if aggregate == measures.SUM else 0.0
                measures.record(program, made, row, measure, value, 0, time, 0)
        open_keys.append(keys)
    return open_keys


def of_all(open_keys: list[dict[str, list[list[str]]]], row: int, fact: str) -> list[list[str]]:
    """Return the open keys of a fact of all whom `any` asks: the customer, and who is in an account with them."""
    own = open_keys[row][GROUP]
    asked = [keys for other, keys in enumerate(open_keys) if other == row or any(each in own for each in keys[GROUP])]
    return [key for keys in asked for key in keys[fact]]


def world(assembler: Assembler, names: Names, random: np.random.Generator, rows: int, at: int) -> World:
    """Draw the rows, with things happening around the instant `at`; a sixth of all values is NULL."""
    code = assembler.code()
    program = _program(code, random)
    made = _state(code, names, assembler.patterns, random, rows)
    return World(
        program,
        made,
        _happenings(program, made, random, rows, at),
        np.stack([_column(random, kind, rows) for kind in EVENT.values()], axis=1),
        random.integers(-1, 6, rows),
        random.integers(-1, PRODUCT_COUNT, rows),
        names.texts,
        np.zeros(STACK_ROOM),
    )
