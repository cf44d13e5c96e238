"""Conditions are parsed by several threads at once: playbooks are loaded ahead while others are looked at."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from onevoice.conditions.parse import DEPTH_MAX, Source, parse

NESTED = DEPTH_MAX - 2
DEEP = "(" * NESTED + "a" + ")" * NESTED  # deeper than Python goes by itself


@pytest.fixture
def _turns_are_short():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("_turns_are_short")
def test_parsing_at_once_leaves_the_process_as_it_was():
    """How deep calls may go is a setting of the process: who is done must neither take it from another nor keep it."""
    limit = sys.getrecursionlimit()
    with ThreadPoolExecutor(4) as pool:
        parsed = [*pool.map(lambda text: parse(Source(text, "")), ["a + 1", DEEP] * 100)]
    assert [each.sql() for each in parsed[:2]] == ["a + 1", DEEP]
    assert sys.getrecursionlimit() == limit
