"""B5: A cart is abandoned on line, the purchase is made in a shop: no reminder goes out, also when the reminder was
already waiting. (And B9 for its sake: tills report at night, so "and then did not buy" waits for them.)
"""

import pytest

from .stage import event

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  card: {unique: true}
  email: {format: email}
  cookie: {anonymous: true}
products: {file: products.csv, fields: {price: number}}
events:
  cart_filled: {fields: {product: product}}
  order_placed: {fields: {order_id: key, items: {product: product}}}
  registered: {}
  parcel_ready: {}
sources:
  till: {lag: 1 day, events: [order_placed]}
moments:
  cart_left:
    per: product
    steps: [cart_filled, no order_placed.items for 2 hours]
campaigns:
  cart_reminder:
    class: sales
    when: moment cart_left
    per: event.product
    until: order_placed.items
    valid_for: 3 days
    send: [email]
  parcel_note:
    class: service
    when: event parcel_ready
    send: [email]
policies:
  classes: {service: {strict: true}, sales: {}}
  gap: 1 day
"""
PRODUCTS = "product,price\nboots,120\nhat,25\n"

LAPTOP, ANN, CARD = {"cookie": "laptop-1"}, {"email": "ann@example.lt"}, {"card": "c-1"}


@pytest.fixture
def shop(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-02-01 12:00", "registered", CARD | ANN | LAPTOP)
    return company


def bought(shop, reported, occurred, product="boots", who=CARD):
    """Let a purchase in a shop come in with the nightly file of the tills."""
    order = event(
        "order_placed", who, occurred=occurred, source="till", order_id=occurred, items=[{"product": product}]
    )
    shop.arrive(reported, [order])


def test_bought_in_a_shop_the_same_evening_no_reminder(shop):
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    shop.until("2026-03-02 23:00")
    shop.reopen()
    bought(shop, "2026-03-03 03:00", "2026-03-02 18:30")
    shop.until("2026-04-01 00:00")
    assert shop.why("cart_reminder") == []


def test_bought_after_the_two_hours_but_before_the_tills_have_told(shop):
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    bought(shop, "2026-03-03 03:00", "2026-03-02 20:45")
    shop.until("2026-04-01 00:00")
    assert shop.said() == []


def test_without_the_purchase_the_reminder_goes_out_once_the_tills_have_told(shop):
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    shop.until("2026-03-02 23:00")
    shop.crash()
    shop.until("2026-04-01 00:00")
    assert shop.said() == [("2026-03-03 19:00", "cart_reminder", "email")]  # 2 hours and the day of the tills


def test_without_knowing_the_lag_harm_is_done(stage):
    shop = stage(PLAYBOOK.replace("lag: 1 day, ", ""), PRODUCTS)
    shop.happens("2026-02-01 12:00", "registered", CARD | ANN | LAPTOP)
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    bought(shop, "2026-03-03 03:00", "2026-03-02 18:30")
    assert shop.said() == [("2026-03-02 19:00", "cart_reminder", "email")]


def test_without_the_card_nobody_knows_who_bought(stage):
    shop = stage(PLAYBOOK, PRODUCTS)
    shop.happens("2026-02-01 12:00", "registered", ANN | LAPTOP)
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    bought(shop, "2026-03-03 03:00", "2026-03-02 18:30")
    shop.until("2026-04-01 00:00")
    assert shop.said() == [("2026-03-03 19:00", "cart_reminder", "email")]


def test_a_hat_is_no_boots(shop):
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    bought(shop, "2026-03-03 03:00", "2026-03-02 18:30", product="hat")
    shop.until("2026-04-01 00:00")
    assert shop.said() == [("2026-03-03 19:00", "cart_reminder", "email")]


def waiting(shop):
    """Let the reminder wait for the gap after a message about a parcel."""
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    shop.happens("2026-03-03 15:00", "parcel_ready", ANN)
    shop.until("2026-03-03 22:00")
    assert shop.why("cart_reminder") == [("2026-03-03 19:00", "gap", "2026-03-04 15:00")]


def test_a_reminder_that_already_waits_is_taken_back(shop):
    waiting(shop)
    shop.reopen()
    bought(shop, "2026-03-04 03:00", "2026-03-03 19:40")
    assert shop.why("cart_reminder")[1:] == [("2026-03-04 03:00", "ended", "")]
    shop.until("2026-04-01 00:00")
    assert [campaign for _, campaign, _ in shop.said()] == ["parcel_note"]


def test_without_the_purchase_the_waiting_reminder_has_its_turn(shop):
    waiting(shop)
    shop.reopen()
    shop.until("2026-04-01 00:00")
    assert shop.said()[1:] == [("2026-03-04 15:00", "cart_reminder", "email")]


def test_a_purchase_of_the_evening_reported_late_takes_a_waiting_reminder_back(shop):
    """The file came a day late: the reminder is in the queue, the purchase before it was begun."""
    waiting(shop)
    bought(shop, "2026-03-04 03:00", "2026-03-02 20:45")
    shop.until("2026-04-01 00:00")
    assert [campaign for _, campaign, _ in shop.said()] == ["parcel_note"]


def test_a_purchase_within_the_two_hours_told_too_late_takes_a_waiting_reminder_back(shop):
    waiting(shop)
    bought(shop, "2026-03-04 03:00", "2026-03-02 18:30")
    shop.until("2026-04-01 00:00")
    assert [campaign for _, campaign, _ in shop.said()] == ["parcel_note"]


def test_a_buyer_recognised_only_while_the_reminder_waits_gets_none(stage):
    shop = stage(PLAYBOOK, PRODUCTS)
    shop.happens("2026-02-01 12:00", "registered", ANN | LAPTOP)
    waiting(shop)
    bought(shop, "2026-03-03 22:30", "2026-03-02 18:30")
    shop.happens("2026-03-03 23:00", "registered", ANN | CARD)
    shop.until("2026-04-01 00:00")
    assert [campaign for _, campaign, _ in shop.said()] == ["parcel_note"]


@pytest.mark.parametrize("recognised", [True, False])
def test_a_buyer_recognised_before_the_two_hours_are_over_gets_none(stage, recognised):
    """The cart is the visitor's, the purchase the card's; then both are found to be Ann."""
    shop = stage(PLAYBOOK, PRODUCTS)
    shop.happens("2026-02-01 12:00", "registered", ANN)
    shop.happens("2026-03-02 17:00", "cart_filled", LAPTOP, product="boots")
    bought(shop, "2026-03-02 18:31", "2026-03-02 18:30")
    shop.happens("2026-03-02 18:45", "registered", ANN | LAPTOP | (CARD if recognised else {}))
    shop.until("2026-04-01 00:00")
    assert [campaign for _, campaign, _ in shop.said()] == ([] if recognised else ["cart_reminder"])
