"""E1: No offer of what the customer already bought, in any channel, also while the purchase is not yet completed (a
spoken yes counts, and lapses if nothing follows); the customer leaves the campaign the moment they buy.
"""

import pytest

from .stage import ANN, BOB

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
products: {file: products.csv, fields: {price: number}}
events:
  order_placed: {fields: {order_id: key, items: {product: product}}}
  order_delivered: {fields: {order_id: key}}
  order_cancelled: {fields: {order_id: key}}
  registered: {}
facts:
  owns: {opens: order_placed.items, closes: order_cancelled, per: [product, order_id]}
  pending:
    opens: [order_placed.items, offer_accepted]
    closes: [order_delivered, order_cancelled]
    per: [product, order_id]
    lasts: 30 days
offers:
  red_case: {product: case_red, value: 8}
  blue_case: {product: case_blue, value: 6}
campaigns:
  red_by_mail:
    class: sales
    priority: 20
    when: once 2026-03-04 10:00
    to: 2026-05-31
    offer: red_case
    until: order_placed.items where event.product = 'case_red'
    send: [email, sms]
  red_on_line:
    class: sales
    priority: 20
    when: asked
    placements: [home_banner, call_screen]
    offer: red_case
  blue_on_line:
    class: sales
    priority: 10
    when: asked
    placements: [home_banner, call_screen]
    offer: blue_case
  welcome:
    class: service
    when: event registered
    send: [email]
policies:
  classes: {service: {strict: true}, sales: {}}
  gap: 2 days
  suppress:
    - {stop: offers, while: owns(offer.product)}
    - {stop: offers, while: pending(offer.product)}
placements:
  home_banner: {slots: 1}
  call_screen: {slots: 3}
"""
PRODUCTS = "product,price\ncase_red,19\ncase_blue,19\n"


@pytest.fixture
def shop(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-03-01 12:00", "registered", ANN)
    return company


def buys(shop, time, product="case_red", who=ANN):
    shop.happens(time, "order_placed", who, order_id="o1", items=[{"product": product}])


def offered(shop):
    return [(time, channel) for time, campaign, channel in shop.said() if campaign == "red_by_mail"]


# What was bought


def test_what_was_bought_is_offered_in_no_channel(shop):
    buys(shop, "2026-03-02 12:00", who={"phone": ANN["phone"]})  # by phone
    shop.reopen()
    shop.until("2026-03-04 10:00")
    assert offered(shop) == []
    (line,) = (line for _, line in shop.lines() if line.campaign == "red_by_mail")
    assert (line.reason, line.rule, line.until) == ("suppressed", "policies.suppress[0]", None)
    assert shop.asks("2026-03-04 11:00", "home_banner", {"email": ANN["email"]}) == ["blue_on_line"]
    assert shop.asks("2026-03-04 12:00", "call_screen", {"phone": ANN["phone"]}) == ["blue_on_line"]


def test_what_was_not_bought_is_offered_in_every_channel(shop):
    shop.until("2026-03-04 10:00")
    assert offered(shop) == [("2026-03-04 10:00", "email")]
    assert shop.asks("2026-03-04 11:00", "home_banner", {"email": ANN["email"]}) == ["red_on_line"]
    assert shop.asks("2026-03-04 12:00", "call_screen", {"phone": ANN["phone"]}) == ["red_on_line", "blue_on_line"]


def test_what_somebody_else_bought_is_not_known_of_ann(shop):
    buys(shop, "2026-03-02 12:00", who=BOB)
    shop.until("2026-03-04 10:00")
    assert len(offered(shop)) == 1  # Ann alone


def test_a_cancelled_purchase_is_none(shop):
    buys(shop, "2026-03-02 12:00")
    shop.until("2026-03-05 12:00")
    assert offered(shop) == []
    shop.happens("2026-03-06 09:15", "order_cancelled", ANN, order_id="o1")
    assert offered(shop) == [("2026-03-06 09:15", "email")]
    assert shop.asks("2026-03-06 11:00", "home_banner", ANN) == ["red_on_line"]


def test_a_delivered_purchase_stays_one(shop):
    buys(shop, "2026-03-02 12:00")
    shop.happens("2026-03-06 09:15", "order_delivered", ANN, order_id="o1")
    shop.until("2026-05-31 23:59")
    assert offered(shop) == []


# A spoken yes


def says_yes(shop, time="2026-03-02 12:00"):
    shop.happens(time, "offer_accepted", {"phone": ANN["phone"]}, offer="red_case", channel="call")


def test_a_spoken_yes_counts_and_lapses_if_nothing_follows(shop):
    says_yes(shop)
    shop.until("2026-03-20 00:00")
    assert offered(shop) == []
    assert shop.asks("2026-03-31 12:00", "home_banner", ANN) == ["blue_on_line"]
    shop.reopen()
    shop.until("2026-05-31 00:00")
    assert offered(shop) == [("2026-04-01 13:00", "email")]  # 30 days of 24 hours; the clocks went forward
    assert shop.asks("2026-05-31 12:00", "home_banner", ANN) == ["red_on_line"]


def test_without_the_yes_the_offer_goes_out(shop):
    shop.until("2026-03-20 00:00")
    assert offered(shop) == [("2026-03-04 10:00", "email")]


def test_a_yes_that_is_kept_does_not_lapse(shop):
    says_yes(shop)
    buys(shop, "2026-03-10 12:00")
    shop.until("2026-05-31 00:00")
    assert offered(shop) == []
    assert shop.asks("2026-05-31 12:00", "home_banner", ANN) == ["blue_on_line"]


def test_a_yes_to_another_offer_is_no_yes_to_this(shop):
    shop.happens("2026-03-02 12:00", "offer_accepted", ANN, offer="blue_case", channel="call")
    shop.until("2026-03-20 00:00")
    assert offered(shop) == [("2026-03-04 10:00", "email")]


# Leaving the campaign


def waiting(shop):
    """Let the offer wait for the gap after a greeting."""
    shop.happens("2026-03-03 12:00", "registered", ANN)
    shop.until("2026-03-04 20:00")
    assert shop.why("red_by_mail") == [("2026-03-04 10:00", "gap", "2026-03-05 12:00")]


def test_who_buys_leaves_the_campaign_the_moment_they_buy(shop):
    waiting(shop)
    shop.crash()
    buys(shop, "2026-03-04 20:17")
    assert shop.why("red_by_mail")[1:] == [("2026-03-04 20:17", "ended", "")]
    assert shop.engine.state(ANN).candidates == ()
    shop.happens("2026-03-05 09:00", "order_cancelled", ANN, order_id="o1")  # and does not come back by cancelling
    shop.until("2026-05-31 00:00")
    assert offered(shop) == []


@pytest.mark.parametrize("product", ["", "case_blue"])
def test_who_does_not_buy_it_stays_in_the_campaign(shop, product):
    waiting(shop)
    if product:
        buys(shop, "2026-03-04 20:17", product)
    assert [waits.campaign for waits in shop.engine.state(ANN).candidates] == ["red_by_mail"]
    shop.until("2026-05-31 00:00")
    assert offered(shop) == [("2026-03-05 12:00", "email")]
