"""`holds_until`: a value never changes before the instant it gives; following it finds every change in few steps."""

import os
import re
import secrets
from collections.abc import Iterator
from itertools import cycle, pairwise

import numpy as np
import pytest

from onevoice.conditions.code import Assembler
from onevoice.conditions.opcodes import Op
from onevoice.conditions.tree import Apply, Clock, DatePart, Expression, Operator, Type, walk
from onevoice.conditions.types import check
from onevoice.engine.holding import flips
from onevoice.engine.state import INFINITE
from tests.conditions import bed
from tests.conditions.generate import Generator

SEED = int(os.environ.get("SEED", secrets.randbits(32)))
MINUTE = 60_000_000
SPAN = 3 * 24 * 60 * MINUTE  # the days looked at
LOOKED_AT = 200  # instants of one condition; one that reads a minute has thousands of a kind
# The clocks of Vilnius, of New York and of Lord Howe move within these three days, or a year turns.
STARTS = (1_774_652_400_000_000, 1_793_404_800_000_000, 1_775_160_000_000_000, 1_798_600_000_000_000)


def _same(a, b):
    return a == b or (np.isnan(a) and np.isnan(b))


def _near(world: bed.World, random: np.random.Generator, start: int) -> None:
    """Move the times and dates of a world into the days that are looked at, so that things happen."""
    for table, kinds in ((world.state.traits, bed.TRAITS.values()), (world.values, bed.EVENT.values())):
        for column, kind in enumerate(kinds):
            here = ~np.isnan(table[:, column])
            minutes = random.integers(-20 * 1440, 20 * 1440, here.sum())
            if kind is Type.TIME:
                table[here, column] = start + minutes * MINUTE + random.integers(0, 2, here.sum()) * 123_457
            if kind is Type.DATE:
                table[here, column] = (start // 86_400_000_000 + minutes // 1440) * 86_400e6


def _stretches(world: bed.World, number: int, row: int, start: int) -> list[tuple[int, int]]:
    """Follow `holds_until` through the span: (from, until)."""
    stretches: list[tuple[int, int]] = []
    now = start
    while now < start + SPAN:
        until = world.holds_until(number, row, now)
        assert until > now
        stretches.append((now, until))
        assert len(stretches) < 10_000, "it makes progress"
        now = until
    return stretches


def _steps(expression: Expression) -> Iterator[Expression]:
    """Yield what within an expression changes in steps only: all values but times and intervals, which move.

    Of those: whether they are NULL, and what is compared to choose one of them.
    """
    for each in walk(expression):
        moves = each.type in {Type.TIME, Type.INTERVAL}
        yield Apply(Type.BOOLEAN, Operator.IS_NULL, (each,)) if moves else each
        if isinstance(each, Apply) and each.operator in COMPARED:
            first, *rest = each.arguments
            for operator, other in zip(cycle(COMPARED[each.operator]), rest, strict=False):
                yield Apply(Type.BOOLEAN, operator, (first, other))
                first = first if each.operator is Operator.BETWEEN else Apply(each.type, each.operator, (first, other))


COMPARED = {
    Operator.LEAST: (Operator.GREATER,),
    Operator.GREATEST: (Operator.LESS,),
    Operator.BETWEEN: (Operator.AT_LEAST, Operator.AT_MOST),
}


def _parts(expression: Expression) -> int:
    """Return how many parts of times an expression reads, `current_date` being one."""
    return sum(
        isinstance(each, DatePart) or (isinstance(each, Clock) and each.type is Type.DATE) for each in walk(expression)
    )


def test_following_the_clock_finds_every_change_and_no_instant_is_given_in_vain() -> None:
    """Between two instants given nothing changes. At each, something within the condition does.

    One exception for each part of a time: when the clocks of a zone are put forward or back it is looked at again.
    """
    random = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    names, generator = bed.Names(), Generator(random, clock=True, wild=True)
    assembler = Assembler(names.code_of)
    texts = [generator.draw(Type.BOOLEAN if i % 3 else Type.NUMBER, 2 + i % 3) for i in range(700)]
    read = [check(text, bed.SCOPE, None, "") for text in texts if re.search(r"now\(\)|current_date", text)]
    numbers = [assembler.add(each) for each in read]
    steps = [[assembler.add(step) for step in _steps(each)] for each in read]
    start = int(random.choice(STARTS))
    world = bed.world(assembler, names, random, rows=6, at=start)
    _near(world, random, start)
    changes = 0
    for expression, number, own in zip(read, numbers, steps, strict=True):
        row = int(random.integers(6))
        told = f"seed {SEED}, row {row}: {expression}"
        stretches = _stretches(world, number, row, start)
        values = [world.evaluate(number, row, begin) for begin, _ in stretches]
        for value, (begin, until) in zip(values, stretches, strict=True):
            end = min(until, begin + 2 * SPAN)
            for now in (end - 1, *random.integers(begin, end, 6).tolist()):
                assert _same(value, world.evaluate(number, row, now)), f"at {now}, {told}"
        changes += sum(not _same(*pair) for pair in pairwise(values))
        given = random.permutation([begin for begin, _ in stretches[1:]])[:LOOKED_AT]
        in_vain = [at for at in given.astype(np.int64).tolist() if not _steps_at(world, own, row, at)]
        assert len(in_vain) <= _parts(expression), f"at {in_vain}, {told}"
    print(f"{len(read)} conditions, {changes} changes")
    assert changes > len(read) / 10


def _steps_at(world: bed.World, steps: list[int], row: int, at: int) -> bool:
    """Tell whether any of these values changes at an instant."""
    return any(not _same(world.evaluate(step, row, at - 1), world.evaluate(step, row, at)) for step in steps)


@pytest.mark.parametrize("op", [Op.EQUAL, Op.UNEQUAL, Op.LESS, Op.AT_MOST, Op.GREATER, Op.AT_LEAST])
def test_a_comparison_flips_at_the_very_microsecond(op: Op) -> None:
    holds = {
        Op.EQUAL: lambda d: d == 0,
        Op.UNEQUAL: lambda d: d != 0,
        Op.LESS: lambda d: d < 0,
        Op.AT_MOST: lambda d: d <= 0,
        Op.GREATER: lambda d: d > 0,
        Op.AT_LEAST: lambda d: d >= 0,
    }[op]
    for difference in range(-13, 14):
        for slope in range(-4, 5):
            after = (100 + k for k in range(1, 40) if holds(difference + slope * k) != holds(difference))
            assert flips(int(op), difference, slope, 100) == next(after, INFINITE)


NOW = 1_767_214_800_000_000  # 23:00 of New Year's Eve 2025 in Vilnius


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("seen < now() - interval '14 days'", 30 * MINUTE + 1),
        ("seen <= now() - interval '14 days'", 30 * MINUTE),
        ("now() - seen between interval '14 days' and interval '15 days'", 30 * MINUTE),
        ("seen < now() - interval '20 days'", (6 * 1440 + 30) * MINUTE + 1),
        ("extract(hour from now()) >= 8", 60 * MINUTE),
        ("extract(year from now()) = 2026", 60 * MINUTE),
        ("current_date > date '2020-01-01'", 60 * MINUTE),
        ("score > 5 and seen < now() - interval '14 days'", None),
        ("score < 5 or seen < now() - interval '14 days'", None),
        ("tier = 'gold'", None),
        ("income < 5 and seen < now()", None),
        ("seen > now()", None),
        ("seen < now() - interval '13 days'", None),
        ("date '9999-12-31' - current_date > interval '30 days'", 60 * MINUTE),
        ("now() - seen > interval '14 days' and date '9999-12-31' > current_date", 30 * MINUTE + 1),
    ],
)
def test_known_cases(text: str, after: int | None) -> None:
    names = bed.Names()
    assembler = Assembler(names.code_of)
    number = assembler.add(check(text, bed.SCOPE, Type.BOOLEAN, ""))
    world = bed.world(assembler, names, np.random.default_rng(1), rows=1, at=NOW)
    world.state.customers[0, bed.state.ZONE] = bed.zone_number("Europe/Vilnius")
    traits = list(bed.TRAITS)
    world.state.traits[0, traits.index("seen")] = NOW - (14 * 1440 - 30) * MINUTE
    world.state.traits[0, traits.index("score")] = 1
    world.state.traits[0, traits.index("income")] = np.nan
    assert world.holds_until(number, 0, NOW) == (INFINITE if after is None else NOW + after)


def test_a_windowed_measure_holds_until_its_oldest_pane_leaves() -> None:
    names = bed.Names()
    assembler = Assembler(names.code_of)
    number = assembler.add(check("orders_8d > 0 and tier is null", bed.SCOPE, Type.BOOLEAN, ""))
    world = bed.world(assembler, names, np.random.default_rng(1), rows=1, at=NOW)
    world.state.traits[0, list(bed.TRAITS).index("tier")] = np.nan
    changes = 0
    for begin, until in _stretches(world, number, 0, NOW):
        value, ends = world.evaluate(number, 0, begin), min(until, begin + SPAN)
        assert value == world.evaluate(number, 0, ends - 1)
        changes += value == 0
    assert changes <= 1


def test_times_beyond_the_exact_ones_are_found_within_their_coarseness() -> None:
    names = bed.Names()
    assembler = Assembler(names.code_of)
    far = "timestamptz '9999-12-31 00:00:00Z'"
    texts = [f"{far} + (now() - seen) {op} {far} + interval '14 days'" for op in ("<", "<=", ">", ">=", "=", "<>")]
    numbers = [assembler.add(check(text, bed.SCOPE, Type.BOOLEAN, "")) for text in texts]
    world = bed.world(assembler, names, np.random.default_rng(1), rows=1, at=NOW)
    world.state.traits[0, list(bed.TRAITS).index("seen")] = NOW - 14 * 1440 * MINUTE + 1_000_003
    for text, number in zip(texts, numbers, strict=True):
        stretches = _stretches(world, number, 0, NOW)
        assert len(stretches) < 10, text
        assert abs(stretches[0][1] - NOW - 1_000_003) <= 64, text
        assert stretches[-1][1] == INFINITE, text
        values = [world.evaluate(number, 0, begin) for begin, _ in stretches]
        assert len(set(values)) == 2, text
