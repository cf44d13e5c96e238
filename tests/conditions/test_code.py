"""The code table: what is shared, what is known about an expression, how patterns match."""

import re
import subprocess
import sys

import numpy as np
import pytest

from onevoice.conditions.code import Assembler, match_patterns
from onevoice.conditions.opcodes import STACK_MAX
from onevoice.conditions.tree import SymbolKind, Type, stack_depth
from onevoice.conditions.types import Expression, Scope, check
from tests.conditions import bed
from tests.conditions.generate import PATTERNS, Generator


def _checked(text: str) -> Expression:
    return check(text, bed.SCOPE, None, "")


def test_equal_expressions_share_a_number() -> None:
    assembler = Assembler(bed.Names().code_of)
    first = assembler.add(_checked("score > 5 and tier = 'gold'"))
    assert assembler.add(_checked("SCORE  > 5.0 and (tier = 'gold')")) == first
    assert assembler.add(_checked("score > 6 and tier = 'gold'")) == first + 1
    assert len(assembler.code().spans) == 2


def test_literals_are_folded() -> None:
    assert _checked("2 * 3 + 1 > score") == _checked("7 > score")
    assert _checked("- interval '1 day' * 2 < now() - seen") == _checked("interval '-48 hours' < now() - seen")
    assert _checked("coalesce(1 / 0, score, 2, income) > 1") == _checked("coalesce(score, 2) > 1")
    assert _checked("score = -0") == _checked("score = 0")
    assert _checked("score > 1 / 0") == _checked("score > 1e308 * 10")


def test_an_expression_knows_what_it_reads() -> None:
    assembler = Assembler(bed.Names().code_of)
    number = assembler.add(_checked("owns(offer.product) and segment_3 or event.product.price > score"))
    assert assembler.symbols_of(number) == {
        (SymbolKind.FACT, 1),
        (SymbolKind.OFFER_FIELD, 1),
        (SymbolKind.SEGMENT, 3),
        (SymbolKind.EVENT_PRODUCT_FIELD, 2),
        (SymbolKind.TRAIT, 2),
    }
    assert not assembler.reads_clock(number)
    assert assembler.reads_clock(assembler.add(_checked("seen < now()")))
    assert assembler.reads_clock(assembler.add(_checked("birthday < current_date")))


def test_a_bare_name_is_first_a_field_of_the_event() -> None:
    symbols = {"page": bed.SCOPE.symbols["tier"], "event.page": bed.SCOPE.symbols["event.page"]}
    assert check("page = 'x'", Scope(symbols), None, "") == check("event.page = 'x'", Scope(symbols), None, "")


def test_the_stack_is_as_deep_as_foretold() -> None:
    """No drawn expression writes above the depth that the check reckons with."""
    random = np.random.default_rng(5)
    generator, names = Generator(random, clock=True), bed.Names()
    assembler = Assembler(names.code_of)
    expressions = [_checked(generator.draw(list(Type)[i % 6], 5)) for i in range(300)]
    numbers = [assembler.add(each) for each in expressions]
    world = bed.world(assembler, names, random, rows=2, at=1_774_746_000_000_000)
    for number, expression in zip(numbers, expressions, strict=True):
        world.stack[:] = 12345.678
        world.evaluate(number, 0, 1_774_746_000_000_000)
        assert stack_depth(expression) <= STACK_MAX
        assert (world.stack[stack_depth(expression) :] == 12345.678).all()


def test_patterns_match_as_by_backtracking() -> None:
    random = np.random.default_rng(3)
    names = ["".join(random.choice(list("ab%_\\\né")) for _ in range(random.integers(0, 9))) for _ in range(200)]
    patterns = ["".join(random.choice(list("ab%_%é")) for _ in range(random.integers(0, 7))) for _ in range(200)]
    patterns += [pattern[1:-1] for pattern in PATTERNS]
    matches = match_patterns(patterns, names)
    for row, pattern in enumerate(patterns):
        slow = re.compile("".join({"%": ".*", "_": "."}.get(each) or re.escape(each) for each in pattern), re.DOTALL)
        assert matches[row].tolist() == [int(slow.fullmatch(name) is not None) for name in names], pattern


def test_no_name_makes_a_pattern_slow() -> None:
    """Backtracking would take longer than the universe has been there; the test would not end."""
    assert match_patterns(["%a" * 60 + "%b"], ["a" * 200])[0, 0] == 0


@pytest.mark.parametrize("module", ["types", "code", "sql", "tree"])
def test_checking_needs_no_kernel(module: str) -> None:
    program = f"import sys, onevoice.conditions.{module}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
