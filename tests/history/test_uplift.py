"""Whether intervals hold what they say: simulated campaigns whose true uplift is known."""

import numpy as np
import pytest

from onevoice.history.uplift import CONVERTED_MIN, CUSTOMERS_MIN, Counts, is_enough, uplift, wilson

RUNS = 1_000


def drawn(dice, *strata):
    """Counts of campaigns, each of (contacted, share, held out, share of them)."""
    return [
        Counts(contacted, int(dice.binomial(contacted, share)), held, int(dice.binomial(held, base)))
        for contacted, share, held, base in strata
    ]


@pytest.mark.parametrize(
    ("true", "strata"),
    [
        (0.05, [(1_900, 0.15, 100, 0.10)]),
        (0.02, [(9_500, 0.04, 500, 0.02)]),
        (0.10, [(400, 0.60, 400, 0.50)]),
        (0.04, [(2_000, 0.24, 200, 0.20), (5_000, 0.05, 500, 0.01)]),
        (0.0, [(1_900, 0.10, 100, 0.10)]),
        (0.0, [(2_000, 0.30, 100, 0.30), (500, 0.02, 500, 0.02)]),
    ],
)
def test_the_true_uplift_lies_within_the_bounds_95_times_in_100(true, strata):
    """Between 93 and 98 in 100: more than four standard errors of 1,000 runs, and honest about the few held out."""
    dice = np.random.default_rng(20261122)
    found = [uplift(drawn(dice, *strata)) for _ in range(RUNS)]
    assert 0.93 <= np.mean([each.low <= true <= each.high for each in found]) <= 0.98


def test_where_nothing_differs_an_uplift_is_seldom_shown():
    dice = np.random.default_rng(7)
    found = [uplift(drawn(dice, (1_900, 0.1, 200, 0.1))) for _ in range(RUNS)]
    assert np.mean([each.low > 0 for each in found]) < 0.04
    assert np.mean([each.high < 0 for each in found]) < 0.04


def test_campaigns_are_compared_each_within_itself():
    """Added up, the campaign whose customers come by themselves would seem to do harm where it is held out less."""
    easy, hard = Counts(900, 450, 100, 50), Counts(100, 5, 900, 45)
    assert uplift([easy, hard]).difference == pytest.approx(0)
    assert uplift([easy]).rate == 0.5


def test_one_side_alone_is_not_compared():
    assert uplift([]) is None
    assert uplift([Counts(100, 50, 0, 0), Counts(0, 0, 100, 50)]) is None
    assert uplift([Counts(100, 50, 0, 0), Counts(50, 5, 50, 5)]).rate == pytest.approx(0.1)


def test_nothing_is_said_of_few():
    most, least = CUSTOMERS_MIN, CUSTOMERS_MIN - 1
    assert is_enough([Counts(most, CONVERTED_MIN, most, 0)])
    assert not is_enough([Counts(most, CONVERTED_MIN - 1, most, 0)])
    assert not is_enough([Counts(most, 50, least, 50)])
    assert not is_enough([Counts(least, 50, most, 50)])
    assert not is_enough([Counts(10_000, 5_000, 0, 0)])


def test_bounds_of_a_share_are_wilsons():
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert wilson(1.0, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, method 3


def test_bounds_of_a_difference_are_newcombes():
    """Examples of Newcombe 1998, table II, method 10."""
    found = uplift([Counts(70, 56, 80, 48)])
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    found = uplift([Counts(10, 9, 10, 3)])
    assert (found.low, found.high) == pytest.approx((0.1705, 0.8090), abs=1e-4)
    found = uplift([Counts(56, 5, 29, 0)])
    assert (found.low, found.high) == pytest.approx((-0.0381, 0.1926), abs=1e-4)
