"""How many of what: one thing is named as one."""

import doctest

import pytest

from onevoice import many as module
from onevoice.many import many


@pytest.mark.parametrize(
    ("count", "names", "told"),
    [
        (0, ("day",), "0 days"),
        (1, ("day",), "1 day"),
        (1_200, ("day",), "1,200 days"),
        (2, ("wish", "wishes"), "2 wishes"),
    ],
)
def test_one_is_named_as_one_and_others_as_several(count, names, told):
    assert many(count, *names) == told


def test_its_example():
    assert doctest.testmod(module, extraglobs={"many": many}).failed == 0
