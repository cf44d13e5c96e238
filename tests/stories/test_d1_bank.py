"""D1: Bank: spent a lot lately, now the cash machine answers "insufficient funds": offer a loan, at once."""

import pytest

from .stage import ANN

PLAYBOOK = """
playbook: bank
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
products: {file: products.csv, fields: {rate: number}}
events:
  card_paid: {fields: {amount: number}}
  cash_refused: {fields: {reason: choice, amount: number}}
  loan_signed: {fields: {product: product}}
facts:
  owns: {opens: loan_signed, per: product}
measures:
  spent_7d: sum of card_paid.amount over 7 days
  last_refusal: latest cash_refused where event.reason = 'insufficient_funds'
moments:
  out_of_cash:
    - 3 card_paid where event.amount >= 100 within 7 days
    - cash_refused where event.reason = 'insufficient_funds' within 1 day
offers:
  small_loan: {product: loan, value: 60, if: spent_7d > 1000}
campaigns:
  instant_loan:
    class: sales
    priority: 50
    when: event cash_refused where event.reason = 'insufficient_funds'
    offer: small_loan
    wait: 0s
    valid_for: 1 hour
    send: [push]
  loan_on_screen:
    class: sales
    when: asked
    if: last_refusal > now() - interval '10 minutes'
    placements: [cash_machine]
    offer: small_loan
  big_spender_in_need:
    class: advice
    when: moment out_of_cash
    wait: 0s
    send: [email]
  travel_insurance:
    class: sales
    priority: 90
    when: event card_paid where event.amount > 500
    valid_for: 1 day
    send: [push]
policies:
  classes: {advice: {}, sales: {}}
  wait: 2 hours
  exempt: {advice: [gap]}
  suppress:
    - {stop: offers, while: owns(offer.product)}
placements:
  cash_machine: {slots: 1}
"""
PRODUCTS = "product,rate\nloan,0.07\n"
LATELY = (("2026-02-27 18:00", 450), ("2026-03-01 12:00", 420), ("2026-03-02 10:00", 480))


@pytest.fixture
def bank(stage):
    return stage(PLAYBOOK, PRODUCTS)


def spends(bank, *payments):
    for time, amount in payments:
        bank.happens(time, "card_paid", ANN, amount=amount)


def refused(bank, time="2026-03-02 18:03", reason="insufficient_funds"):
    bank.happens(time, "cash_refused", ANN, reason=reason, amount=200)


def loans(bank):
    return [(time, channel) for time, campaign, channel in bank.said() if campaign == "instant_loan"]


def test_a_loan_is_offered_at_once(bank):
    spends(bank, *LATELY)
    bank.reopen()
    refused(bank)
    assert loans(bank) == [("2026-03-02 18:03", "push")]
    assert bank.engine.state(ANN).measures["spent_7d"] == 1350


def test_the_machine_itself_offers_it_too_and_only_then(bank):
    spends(bank, *LATELY)
    assert bank.asks("2026-03-02 18:02", "cash_machine", ANN) == []
    refused(bank)
    assert bank.asks("2026-03-02 18:04", "cash_machine", ANN) == ["loan_on_screen"]
    assert bank.asks("2026-03-02 18:13", "cash_machine", ANN) == []


def test_the_same_as_a_sequence(bank):
    spends(bank, *LATELY)
    refused(bank)
    assert ("2026-03-02 18:03", "big_spender_in_need", "email") in bank.said()


@pytest.mark.parametrize(
    "payments",
    [
        (),
        LATELY[:2],  # 870 in all
        (("2026-02-20 18:00", 450), *LATELY[1:]),  # the first is ten days ago
    ],
)
def test_who_spent_little_lately_hears_nothing(bank, payments):
    spends(bank, *payments)
    refused(bank)
    assert bank.asks("2026-03-02 18:04", "cash_machine", ANN) == []
    bank.until("2026-03-05 00:00")
    assert bank.said() == []


def test_another_reason_is_no_need_of_money(bank):
    spends(bank, *LATELY)
    refused(bank, reason="wrong_pin")
    bank.until("2026-03-05 00:00")
    assert bank.said() == []


def test_no_second_loan_is_offered(bank):
    spends(bank, *LATELY)
    bank.happens("2026-03-02 12:00", "loan_signed", ANN, product="loan")
    refused(bank)
    assert loans(bank) == []
    assert bank.why("instant_loan") == [("2026-03-02 18:03", "suppressed", "")]
    assert bank.asks("2026-03-02 18:04", "cash_machine", ANN) == []


def test_at_once_means_in_the_round_of_now_with_whoever_waits(bank):
    """A more important message that is still being collected for takes the same round, and the slot with it."""
    spends(bank, *LATELY, ("2026-03-02 17:30", 700))
    refused(bank)
    assert bank.why("travel_insurance") == [("2026-03-02 18:03", "won", "")]
    assert bank.why("instant_loan")[0] == ("2026-03-02 18:03", "outranked", "2026-03-02 18:03")
    assert loans(bank) == [("2026-03-02 18:03", "push")]  # there is no gap in this bank


def test_a_gap_between_messages_is_felt_by_the_loan_too(stage):
    bank = stage(PLAYBOOK.replace("  wait: 2 hours\n", "  wait: 2 hours\n  gap: 4 hours\n"), PRODUCTS)
    spends(bank, *LATELY, ("2026-03-02 17:30", 700))
    refused(bank)
    bank.until("2026-03-05 00:00")
    assert loans(bank) == []
    assert bank.why("instant_loan")[-1] == ("2026-03-02 19:03", "expired", "")
