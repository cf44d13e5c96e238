"""B2: Behaviour under a cookie before registration belongs to the customer after it; a product sought then and not in
stock is offered when it is (a world event about a product, fanned out to those who sought it).
"""

import pytest

from .stage import NOBODY

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  user_id: {unique: true}
  email: {format: email}
  cookie: {anonymous: true}
products: {file: products.csv, fields: {category: choice, price: number}}
events:
  page_viewed: {fields: {product: product, in_stock: boolean}}
  registered: {}
  logged_in: {}
  order_placed: {fields: {order_id: key, items: {product: product}}}
  product_restocked: {about: product}
facts:
  sought:
    opens: page_viewed where event.in_stock = false
    closes: order_placed.items
    per: product
    lasts: 60 days
campaigns:
  back_in_stock:
    class: sales
    when: product product_restocked for sought
    per: event.product
    valid_for: 7 days
    send: [email]
policies:
  classes: {sales: {}}
"""
PRODUCTS = "product,category,price\nphone_x,phones,899\ncase_red,cases,19\n"

LAPTOP = {"cookie": "laptop-1"}
ANN = {"user_id": "u-ann", "email": "ann@example.lt"}
BOB = {"user_id": "u-bob", "email": "bob@example.lt"}


@pytest.fixture
def shop(stage):
    return stage(PLAYBOOK, PRODUCTS)


def restocked(shop, time, product="phone_x"):
    shop.happens(time, "product_restocked", NOBODY, product=product)


def test_what_was_sought_before_registration_is_offered_when_it_is_back(shop):
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product="phone_x", in_stock=False)
    shop.happens("2026-03-03 21:00", "registered", ANN | LAPTOP)
    shop.reopen()
    restocked(shop, "2026-03-10 07:30")
    assert shop.said() == [("2026-03-10 07:30", "back_in_stock", "email")]
    state = shop.engine.state(ANN)
    assert [interval.key for interval in state.facts["sought"]] == [("phone_x",)]
    assert shop.engine.state(LAPTOP).number == state.number


def test_without_registration_the_visitor_has_no_history_with_ann(shop):
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product="phone_x", in_stock=False)
    shop.happens("2026-03-03 21:00", "registered", ANN)  # from another device
    restocked(shop, "2026-03-10 07:30")
    assert shop.said() == []
    assert shop.why("back_in_stock") == [("2026-03-10 07:30", "no_address", "")]
    assert shop.engine.state(LAPTOP).number != shop.engine.state(ANN).number


def test_a_message_that_waits_for_an_address_goes_out_at_registration(shop):
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product="phone_x", in_stock=False)
    restocked(shop, "2026-03-02 07:30")
    shop.reopen()
    shop.happens("2026-03-03 21:00", "registered", ANN | LAPTOP)
    assert shop.said() == [("2026-03-03 21:00", "back_in_stock", "email")]


def test_but_not_when_it_is_no_longer_valid(shop):
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product="phone_x", in_stock=False)
    restocked(shop, "2026-03-02 07:30")
    shop.happens("2026-03-09 07:30", "registered", ANN | LAPTOP)
    assert shop.said() == []
    assert shop.why("back_in_stock")[-1] == ("2026-03-09 07:30", "expired", "")


@pytest.mark.parametrize(
    ("product", "in_stock", "restocked_on"),
    [
        ("phone_x", True, "2026-03-10 07:30"),  # there was enough of it then
        ("case_red", False, "2026-03-10 07:30"),  # sought something else
        ("phone_x", False, "2026-04-30 22:15"),  # long ago: 60 days of 24 hours are over at 21:15
    ],
)
def test_who_did_not_miss_it_hears_nothing(shop, product, in_stock, restocked_on):
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product=product, in_stock=in_stock)
    shop.happens("2026-03-03 21:00", "registered", ANN | LAPTOP)
    restocked(shop, restocked_on)
    assert shop.why("back_in_stock") == []


def test_who_bought_it_elsewhere_meanwhile_hears_nothing(shop):
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product="phone_x", in_stock=False)
    shop.happens("2026-03-03 21:00", "registered", ANN | LAPTOP)
    shop.happens("2026-03-05 12:00", "order_placed", ANN, order_id="o1", items=[{"product": "phone_x"}])
    restocked(shop, "2026-03-10 07:30")
    assert shop.why("back_in_stock") == []


def test_each_product_is_a_wish_of_its_own(shop):
    for product in ("phone_x", "case_red"):
        shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product=product, in_stock=False)
    shop.happens("2026-03-03 21:00", "registered", ANN | LAPTOP)
    restocked(shop, "2026-03-10 07:30")
    restocked(shop, "2026-03-11 07:30", "case_red")
    assert [time for time, _, _ in shop.said()] == ["2026-03-10 07:30", "2026-03-11 07:30"]


def test_a_shared_device_gives_nobody_the_history_of_another(shop):
    """What Ann did on it stays hers; what follows Bob's login is Bob's."""
    shop.happens("2026-03-01 20:15", "page_viewed", LAPTOP, product="phone_x", in_stock=False)
    shop.happens("2026-03-03 21:00", "registered", ANN | LAPTOP)
    shop.happens("2026-03-04 21:00", "logged_in", BOB | LAPTOP)
    shop.happens("2026-03-04 21:05", "page_viewed", LAPTOP, product="case_red", in_stock=False)
    restocked(shop, "2026-03-10 07:30")
    restocked(shop, "2026-03-10 07:31", "case_red")
    ann, bob = (list(shop.engine.decisions(who)) for who in (ANN, BOB))
    assert [len(ann), len(bob)] == [1, 1]
    assert ann[0].time < bob[0].time
