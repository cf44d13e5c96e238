"""Evaluates drawn conditions and prints what came out; run with and without the compiler."""

import json
import sys

import numpy as np

from onevoice.conditions.code import Assembler
from onevoice.conditions.tree import Type
from onevoice.conditions.types import check
from tests.conditions import bed
from tests.conditions.generate import Generator

NOW = 1_774_746_000_123_456


def outcome(seed: int, count: int = 300, rows: int = 4) -> list[list[str]]:
    """Return, for each condition and row, the bits of its value and until when it holds."""
    random = np.random.default_rng(seed)
    names, generator = bed.Names(), Generator(random, clock=True, wild=True)
    kinds = list(Type)
    assembler = Assembler(names.code_of)
    texts = [generator.draw(kinds[i % len(kinds)], 1 + i % 4) for i in range(count)]
    numbers = [assembler.add(check(text, bed.SCOPE, None, "")) for text in texts]
    world = bed.world(assembler, names, random, rows=rows, at=NOW)
    return [
        [
            f"{float(world.evaluate(number, row, NOW)).hex()} {world.holds_until(number, row, NOW)}"
            for row in range(rows)
        ]
        for number in numbers
    ]


if __name__ == "__main__":
    json.dump(outcome(int(sys.argv[1])), sys.stdout)
