"""Which name was meant: the nearest one, and none rather than a wrong one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevoice.near import did_you_mean, nearest, other_separator

KEYS = ["campaigns", "channels", "events", "facts", "measures", "moments", "segments", "sources", "time_zone"]
NAMES = st.text("abcdefgh_", min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("evnets", "events"),  # two neighbours changed
        ("campaing", "campaigns"),
        ("Segments", "segments"),
        ("meassures", "measures"),
        ("timezone", "time_zone"),
        ("camp", "campaigns"),  # cut short
        ("moments_of_truth", "moments"),  # written on
        ("resources", ""),  # another word, though it holds `sources`
        ("hours", ""),
        ("holdout", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_taken(found, meant):
    assert nearest(found, KEYS) == meant


def test_of_two_as_near_the_one_that_begins_alike_is_taken():
    assert nearest("munday", ["sunday", "monday"]) == "monday"


def test_a_hint_is_a_question_or_nothing():
    assert did_you_mean("evnets", KEYS) == "did you mean `events`?"
    assert did_you_mean("hours", KEYS) == ""


def test_of_a_catalogue_only_what_begins_alike_is_compared():
    products = [f"p{i:05}" for i in range(5_000)]
    assert nearest("p0001", products) == "p00010"
    assert nearest("x00001", products) == ""


@given(name=NAMES, at=st.integers(0, 11), letter=st.sampled_from("xyz"), others=st.lists(NAMES, max_size=5))
def test_a_name_with_one_wrong_letter_is_found_again(name, at, letter, others):
    at %= len(name)
    found = name[:at] + letter + name[at + 1 :]
    assert nearest(found, [name]) == name
    assert nearest(found, [*others, name])


@pytest.mark.parametrize(
    ("names", "separator", "expected"),
    [
        (["a;b;c"], ",", '";"'),
        (["a\tb"], ",", "tab"),
        (["a|b;c|d"], ",", '"|"'),
        (["a,b"], ";", '","'),
        (["a,b"], ",", ""),
        (["a"], ",", ""),
        (["a;b", "c"], ",", ""),
        ([], ",", ""),
    ],
)
def test_a_header_that_another_sign_separates_is_seen(names, separator, expected):
    assert other_separator(names, separator) == expected
