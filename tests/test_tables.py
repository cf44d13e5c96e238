"""Tables of which some arrays are exchanged: another header, and the rest shared."""

from typing import ClassVar

import numpy as np
import pytest

from onevoice.tables import Tables


class Inner(Tables):
    fields: ClassVar = {"ones": "i1"}


class Outer(Tables):
    fields: ClassVar = {"counts": "i2", "shares": "f1", "inner": Inner}


def header(tables):
    return tables._header.tolist()


def test_what_is_replaced_is_as_if_it_had_been_made_so():
    inner, other = Inner(ones=np.arange(3)), Inner(ones=np.arange(5))
    counts, shares = np.zeros((2, 3), np.int64), np.zeros(4)
    made = Outer(counts=counts, shares=shares, inner=inner)
    before, more = header(made), np.ones((5, 7), np.int64)
    changed = made.replaced(counts=more, inner=other)
    assert header(changed) == header(Outer(counts=more, shares=shares, inner=other))
    assert (header(made), made.counts is counts, changed.shares is shares) == (before, True, True)
    assert changed.address != made.address


def test_what_they_do_not_have_cannot_be_replaced():
    with pytest.raises(AssertionError):
        Inner(ones=np.arange(3)).replaced(twos=np.arange(3))
