"""B1: One customer with one history. So two who were taken for one, by a slip of the pen, are made two again: each has
what is theirs, and what one of them did silences the other no more.
"""

import pytest

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {user_id: {unique: true}, email: {format: email}}
events:
  order_placed: {fields: {order_id: key, amount: number}}
  page_viewed: {}
  case_opened: {fields: {case_id: key}}
  case_closed: {fields: {case_id: key}}
facts:
  open_case: {opens: case_opened, closes: case_closed, per: case_id}
measures:
  spent: sum of order_placed.amount
campaigns:
  spring: {class: sales, when: event page_viewed, send: [email], valid_for: 10 days, again_after: 90 days}
policies:
  classes: {sales: {}}
  suppress: [{stop: sales, while: open_case}]
channels: {email: {address: email}}
"""
ANN = {"user_id": "u-ann"}
ANNS_MAIL = {"email": "ann@example.lt"}
BOBS_MAIL = {"email": "bob@example.lt"}


@pytest.fixture
def shop(stage):
    """A clerk wrote Bob's e-mail on Ann's order; Bob has a case open; both looked at the spring page."""
    shop = stage(PLAYBOOK)
    shop.happens("2026-03-01 10:00", "order_placed", ANN | ANNS_MAIL, order_id="o-1", amount=100)
    shop.happens("2026-03-01 11:00", "order_placed", ANN | BOBS_MAIL, order_id="o-2", amount=10)
    shop.happens("2026-03-02 09:00", "case_opened", BOBS_MAIL, case_id="c-1")
    shop.happens("2026-03-02 10:00", "page_viewed", ANN)
    shop.happens("2026-03-02 11:00", "order_placed", BOBS_MAIL, order_id="o-3", amount=7)
    assert shop.said() == []
    return shop


def spent(shop, who):
    return shop.engine.state(who).measures.get("spent", 0)


def test_split_each_has_what_is_theirs_and_is_told_what_is_meant_for_them(shop):
    shop.until("2026-03-02 12:00")
    ann, bob = shop.engine.split(ANN, BOBS_MAIL)
    assert ann != bob
    shop.reopen()
    assert (spent(shop, ANN), spent(shop, BOBS_MAIL)) == (110, 7)  # what came with Ann's number is Ann's
    shop.until("2026-03-02 12:01")
    assert shop.said() == [("2026-03-02 12:00", "spring", "email")]  # to Ann, whom no case silences
    shop.happens("2026-03-03 10:00", "page_viewed", BOBS_MAIL)
    assert len(shop.said()) == 1  # Bob's case is open
    shop.happens("2026-03-04 10:00", "case_closed", BOBS_MAIL, case_id="c-1")
    assert shop.said()[1:] == [("2026-03-04 10:00", "spring", "email")]


def test_taken_for_one_the_case_of_one_silences_the_other(shop):
    shop.until("2026-03-02 12:01")
    assert shop.engine.state(ANN).number == shop.engine.state(BOBS_MAIL).number
    assert spent(shop, ANN) == 117
    assert shop.said() == []
    shop.happens("2026-03-04 10:00", "case_closed", BOBS_MAIL, case_id="c-1")
    assert shop.said() == [("2026-03-04 10:00", "spring", "email")]  # once, to both


def test_the_same_slip_again_joins_them_no_more_until_the_split_is_undone(shop):
    shop.engine.split(ANN, BOBS_MAIL)
    shop.happens("2026-03-05 10:00", "order_placed", ANN | BOBS_MAIL, order_id="o-4", amount=1)
    assert (spent(shop, ANN), spent(shop, BOBS_MAIL)) == (111, 7)
    assert shop.engine.split(ANN, BOBS_MAIL, undo=True) == (0, 0)
    assert spent(shop, ANN) == 118
