"""How callers name a customer, a position and how many: what is taken, what is nobody, what is refused."""

import numpy as np
import pytest

import onevoice
from tests.project.sources import ROOT

TELECOM = ROOT / "examples" / "telecom"
ADA = {"user_id": "ada"}


@pytest.fixture
def engine():
    with onevoice.open(TELECOM) as opened:
        yield opened


CALLS = ("decisions", "state", "timeline", "why")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("customer", [True, np.True_, "ada", 0.0, [("user_id", "ada")]])
def test_what_is_no_customer_is_refused(engine, call, customer):
    engine.decide("home_banner", ADA)
    with pytest.raises(onevoice.EventError, match="not a customer; expected identifiers as"):
        getattr(engine, call)(customer)


@pytest.mark.parametrize("call", CALLS[1:])
def test_only_decisions_are_of_everybody(engine, call):
    assert list(engine.decisions(None)) == []
    with pytest.raises(onevoice.EventError, match="not a customer"):
        getattr(engine, call)(None)


@pytest.mark.parametrize("customer", [-1, 1, 2**70, np.int64(-1)])
def test_a_number_that_nobody_has_is_nobody(engine, customer):
    engine.decide("home_banner", ADA)
    assert (engine.state(customer), engine.timeline(customer)) == (None, None)
    assert (list(engine.decisions(customer)), engine.why(customer)) == ([], [])


def test_a_customer_is_known_by_every_number_they_had(engine):
    engine.decide("home_banner", {"email": "ada@x.lt"})
    engine.decide("home_banner", ADA)
    engine.ingest([{"type": "store_visited", "identifiers": {**ADA, "email": "ada@x.lt"}}])
    for number in (0, 1, np.int64(1)):
        assert engine.state(number) == engine.state(ADA)
        assert engine.timeline(number) == engine.timeline(ADA)
        assert engine.why(number, last=2) == engine.why(ADA, last=2)
        assert len(list(engine.decisions(number))) == 2


def test_the_table_of_customers_says_who_is_who_and_what_their_clocks_show(engine):
    engine.decide("home_banner", {"email": "ada@x.lt"})
    engine.decide("home_banner", ADA)
    before = engine.customers_table().to_pylist()
    engine.ingest([{"type": "store_visited", "identifiers": {**ADA, "email": "ada@x.lt"}}])
    after = engine.customers_table().to_pylist()
    assert [each["now"] for each in before] == [0, 1]
    assert [each["now"] for each in after] == [0, 0]
    assert {each["time_zone"] for each in before + after} == {"Europe/Vilnius"}


@pytest.mark.parametrize("since", ["x", None, 1.0, True, np.True_])
def test_what_is_no_position_is_refused(engine, since):
    for call in (engine.decisions, engine.decisions_table):
        with pytest.raises(onevoice.EventError, match="since: not a position; expected a whole number"):
            call(since=since)
    assert list(engine.decisions(since=np.int64(0))) == []


@pytest.mark.parametrize(("last", "found"), [(0, "at least 1; found 0"), (-3, "at least 1"), (True, "a whole number")])
def test_the_last_none_are_no_decisions_to_tell_of(engine, last, found):
    with pytest.raises(onevoice.LimitError, match=f"why: last: .*; expected {found}"):
        engine.why(ADA, last=last)
