"""C5: Batch and real time use the same rules, the same history and the same explanation."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

import onevoice

from .stage import ANN, BOB, at, event

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  page_viewed: {fields: {page: choice}}
  order_placed: {fields: {amount: number}}
  case_opened: {fields: {case_id: key}}
  case_solved: {fields: {case_id: key}}
facts:
  open_case: {opens: case_opened, closes: case_solved, per: case_id}
measures:
  spend_365d: sum of order_placed.amount over 365 days
campaigns:
  spring_sale:
    class: sales
    priority: 20
    when: once 2026-03-05 10:00
    if: spend_365d > 100
    valid_for: 3 days
    send: [email]
  looked_at_boots:
    class: sales
    priority: 30
    when: event page_viewed where page = 'boots'
    if: spend_365d > 100
    valid_for: 2 days
    wait: 0s
    send: [push]
policies:
  classes: {sales: {}}
  gap: 1 day
  caps: [{max: 2, per: week}]
  suppress: [{stop: sales, while: open_case}]
"""


def test_a_mailing_to_all_and_a_message_of_the_moment_meet_the_same_rules(stage):
    company = stage(PLAYBOOK)
    for who in (ANN, BOB):
        company.happens("2026-03-01 09:00", "order_placed", who, amount=150)
    company.happens("2026-03-05 09:30", "page_viewed", ANN, page="boots")
    company.happens("2026-03-05 09:40", "case_opened", BOB, case_id="1")
    company.reopen()
    company.until("2026-03-05 10:00")
    assert company.said() == [("2026-03-05 09:30", "looked_at_boots", "push")]
    assert company.why("spring_sale") == [
        ("2026-03-05 10:00", "gap", "2026-03-06 09:30"),
        ("2026-03-05 10:00", "suppressed", ""),
    ]


def test_without_what_the_moment_did_the_mailing_reaches_both(stage):
    company = stage(PLAYBOOK)
    for who in (ANN, BOB):
        company.happens("2026-03-01 09:00", "order_placed", who, amount=150)
    company.until("2026-03-05 10:00")
    assert company.said() == [("2026-03-05 10:00", "spring_sale", "email")] * 2


def drawn(seed):
    """Return a fortnight of events, each at a time of its own."""
    dice, now = Random(seed), at("2026-03-01 08:00")
    events = []
    for number in range(300):
        now += timedelta(minutes=dice.randint(1, 120))
        kind, fields = dice.choice(
            [
                ("page_viewed", {"page": dice.choice(["boots", "hats"])}),
                ("order_placed", {"amount": dice.randint(20, 120)}),
                ("case_opened", {"case_id": f"{number % 5}"}),
                ("case_solved", {"case_id": f"{number % 5}"}),
            ]
        )
        made = event(kind, dice.choice([ANN, BOB, {"email": "cid@example.lt"}]), **fields)
        events.append(made | {"time": now.astimezone(UTC).isoformat()})
    return events


def decided(engine):
    """Return what was said of whom, and each explanation, without the places in the journal."""
    lines = [(each.time, each.customer, each.lines) for each in engine.decisions()]
    return lines, [f"{why}" for who in (ANN, BOB) for why in engine.why(who, last=50)]


@pytest.mark.parametrize("seed", range(3))
def test_one_event_at_a_time_and_a_file_of_a_fortnight_decide_and_explain_the_same(tmp_path, seed):
    print(f"seed {seed}")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "playbook.yaml").write_text(PLAYBOOK)
    events = drawn(seed)
    with onevoice.open(tmp_path / "shop", tmp_path / "live", clock=lambda: 0) as engine:
        for each in events:
            engine.ingest([each], time=datetime.fromisoformat(each["time"]))
        live = decided(engine)
    (tmp_path / "year.ndjson").write_text("".join(f"{json.dumps(each)}\n" for each in events))
    with onevoice.open(tmp_path / "shop", tmp_path / "batch") as engine:
        engine.run([tmp_path / "year.ndjson"])
        batch = decided(engine)
    assert live[0]
    assert live == batch
