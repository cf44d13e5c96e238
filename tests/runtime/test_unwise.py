"""What `unwise` says can never be sent is never sent, and what it does not say can be: tried in the engine itself.

Each campaign has its playbook to itself, so that nothing but what is warned of stands in its way.
"""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import onevoice
from onevoice.playbook.load import load_files
from onevoice.playbook.unsent import NEVER, TOO_SOON
from onevoice.playbook.unwise import unwise

UNWISE = Path(__file__).parents[1] / "playbook" / "unwise"
FIRST_DAY = datetime(2026, 2, 20, 10, 1, tzinfo=UTC)
DAYS = 75  # past the last day of every campaign that is tried


def customers(book):
    """Customers in every state that the playbook's conditions tell apart, as the events that bring them there."""
    states = itertools.product(["gold", "none"], [True, False], [True, False])
    for number, (tier, unhappy, has_case) in enumerate(states if book.traits else [("", False, False)]):
        who = {"identifiers": {"card": f"c{number}"}}
        traits = {"tier": tier, "unhappy": unhappy} if book.traits else {}
        yield {"type": "profile_updated", **who, "traits": traits}
        if has_case:
            yield {"type": "case_opened", **who, "fields": {"case_id": "1"}}


def is_sent(book, name):
    """Whether one campaign alone reaches anybody who asks every day."""
    alone = dataclasses.replace(book, campaigns={name: book.campaigns[name]})
    asks = {number: {"type": "asked", "identifiers": {"card": f"c{number}"}} for number in range(8)}
    fields = {"fields": {"placement": "till"}} if book.placements else {}
    with onevoice.open(alone) as engine:
        engine.ingest(list(customers(book)), time=FIRST_DAY)
        for day in range(1, DAYS):
            engine.ingest([each | fields for each in asks.values()], time=FIRST_DAY + timedelta(days=day))
        return any(decision.won for decision in engine.decisions())


@pytest.mark.parametrize("case", ["out_of_its_days", "runs_out_before_it_is_compared", "silenced_by_a_rule"])
def test_a_campaign_that_is_said_never_to_be_sent_never_is(case):
    book = load_files({"playbook.yaml": (UNWISE / f"{case}.yaml").read_bytes()})
    warned = {warning.where.split(".")[1] for warning in unwise(book) if warning.what.startswith((NEVER, TOO_SOON))}
    assert warned
    assert {name for name in book.campaigns if not is_sent(book, name)} == warned


AGAIN = """
playbook: one
identifiers: {card: {}}
events: {visit: {}, order: {}}
campaigns:
  short: {class: sales, when: event visit, wait: 2 hours, valid_for: 90 minutes, send: [mail]}
  other: {class: sales, when: event order, wait: 1 hour, valid_for: 1 day, send: [mail]}
policies: {classes: {sales: {}}}
channels: {mail: {}}
"""


@pytest.mark.parametrize(
    ("events", "sent"),
    [
        ([(0, "visit")], []),
        ([(0, "visit"), (60, "visit")], ["short"]),  # the second one keeps the wish of the first
        ([(0, "visit"), (10, "order")], ["other", "short"]),  # whose turn is the turn of both
    ],
)
def test_what_runs_out_before_its_turn_may_go_out_all_the_same_and_so_is_not_proved_dead(events, sent):
    book = load_files({"playbook.yaml": AGAIN.encode()})
    assert onevoice.check_deep(book) == ()
    (warning,) = [each for each in unwise(book) if each.what.startswith(TOO_SOON)]
    assert "only where the turn of another campaign comes before, or it begins anew meanwhile" in warning.what
    with onevoice.open(book) as engine:
        for minutes, kind in events:
            now = FIRST_DAY + timedelta(minutes=minutes)
            engine.ingest([{"type": kind, "identifiers": {"card": "c1"}}], time=now)
        engine.tick(FIRST_DAY + timedelta(days=2))
        assert sorted({line.campaign for each in engine.decisions() for line in each.won}) == sent
