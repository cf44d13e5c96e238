"""What a row of data shows is never proved to be impossible: random conditions over random rows."""

import os
import secrets

import numpy as np
import pytest

from onevoice.conditions.code import Assembler
from onevoice.conditions.tree import Apply, Clock, Constant, FactRead, Operator, Read, Type, walk
from onevoice.conditions.types import check
from onevoice.playbook.deep.formula import FALSE, NULL, TRUE, Compared, Holds, nullness, wanted
from onevoice.playbook.deep.search import Search
from onevoice.playbook.deep.theory import Theory
from onevoice.playbook.model import Catalogue
from tests.conditions import bed
from tests.conditions.generate import Generator

SEED = int(os.environ.get("SEED", secrets.randbits(32)))
NOW = 1_774_746_000_123_456
ROWS = 6
CONDITIONS = int(os.environ.get("DEEP_CONDITIONS", "300"))


def outcome_of(value):
    return NULL if np.isnan(value) else TRUE if value else FALSE


@pytest.fixture(scope="module")
def drawn():
    """Draw conditions, and what each of them and every term in them gives over some rows."""
    random = np.random.default_rng(SEED)
    print(f"seed {SEED}: SEED={SEED}")
    generator, names = Generator(random, clock=True), bed.Names()
    texts = [generator.draw(Type.BOOLEAN, 1 + i % 4) if i % 4 else facts(generator) for i in range(CONDITIONS)]
    expressions = [check(text, bed.SCOPE, Type.BOOLEAN, "") for text in texts]
    assembler = Assembler(names.code_of)
    for each in expressions:
        for part in walk(each):
            assembler.add(part)
    return texts, expressions, assembler, bed.world(assembler, names, random, rows=ROWS, at=NOW)


def facts(generator):
    """Draw what facts are open and how many of their keys: these bear on each other."""
    one, other = (generator.literal(Type.TEXT) for _ in range(2))
    atoms = [
        f"owns({one})",
        f"owns({other})",
        "owns",
        f"consent({one})",
        f"consent({one}, {other})",
        "consent",
        "open_case",
    ]
    atoms += [f"count({name}) {generator.pick(['<', '=', '>='])} {n}" for name in ("owns", "consent") for n in range(4)]
    drawn = [generator.pick(["", "not "]) + generator.pick(atoms) for _ in range(4)]
    return f" {generator.pick(['and', 'or'])} ".join(drawn)


def values_of(expression, assembler, world, row):
    """Say of each name in a condition what it gives in a row."""
    for part in walk(expression):
        if not isinstance(part, Read | FactRead | Clock) or (isinstance(part, FactRead) and part.keys):
            continue
        value = world.evaluate(assembler.add(part), row, NOW)
        if part.type is Type.BOOLEAN:
            yield wanted(part, outcome_of(value))
        elif np.isnan(value):
            yield nullness(part, null=True)
        elif np.isfinite(value):
            told = world.names[int(value)] if part.type is Type.TEXT else float(value)
            yield wanted(Apply(Type.BOOLEAN, Operator.EQUAL, (part, Constant(part.type, told))), TRUE)


def test_what_comes_out_is_never_excluded(drawn):
    texts, expressions, assembler, world = drawn
    search = Search(Theory(Catalogue()))
    for text, expression in zip(texts, expressions, strict=True):
        search._left = 10_000
        for row in range(ROWS):
            seen = outcome_of(world.evaluate(assembler.add(expression), row, NOW))
            formula = wanted(expression, seen)
            assert not search.excluded([formula]), f"seed {SEED}, row {row}: {text} is {set(seen)}"
            values = list(values_of(expression, assembler, world, row))
            assert not search.excluded([formula, *values]), (
                f"seed {SEED}, row {row}: {text} is {set(seen)} with {values}"
            )


def test_what_cannot_come_out_is_mostly_excluded(drawn):
    """The procedure is not complete, but it is no empty one either: with every value known it knows the outcome."""
    _, expressions, assembler, world = drawn
    search, known, asked = Search(Theory(Catalogue())), 0, 0
    for expression in expressions[:150]:
        search._left = 10_000
        for row in range(2):
            seen = outcome_of(world.evaluate(assembler.add(expression), row, NOW))
            others = frozenset("TFN") - seen
            asked += 1
            known += search.excluded([wanted(expression, others), *values_of(expression, assembler, world, row)])
    assert known > asked / 3, f"{known} of {asked}"


def test_terms_are_one_value():
    """Two literals about one term: the bounds meet, and the strict ones do not."""
    term = Read(Type.NUMBER, "score", bed.SCOPE.symbols["score"])
    search = Search(Theory(Catalogue()))

    def at(operator, value):
        return Compared(operator, term, Constant(Type.NUMBER, value))

    assert not search.excluded([at(Operator.AT_LEAST, 0.1), at(Operator.AT_MOST, 0.1)])
    assert search.excluded([at(Operator.AT_LEAST, 0.1), at(Operator.LESS, 0.1)])
    assert search.excluded([at(Operator.AT_LEAST, 0.1), at(Operator.AT_MOST, 0.1), at(Operator.UNEQUAL, 0.1)])
    vip = Read(Type.BOOLEAN, "vip", bed.SCOPE.symbols["vip"])
    assert search.excluded([Holds(vip, truth=True), Holds(vip, truth=False)])
