"""A5: Right message, right channel: the customer's own channel first, and another one when the first stays unseen."""

import pytest

from .stage import ANN, BOB

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
traits: {way: {choice: true, is: channel}}
events: {order_ready: {fields: {order_id: key}}, order_collected: {fields: {order_id: key}}, read_news: {}}
offers: {bags: {value: 3}}
campaigns:
  come_and_get_it:
    class: service
    when: event order_ready
    per: event.order_id
    offer: bags
    send: [push, email]
    if_unseen: {after: 2 hours, next: [sms, call]}
    until: order_collected
    again_after: 30 days
  news: {class: news, when: event read_news, send: [sms, email], send_by: cost, valid_for: 1 hour}
policies:
  classes: {service: {}, news: {}}
  gap: 6 hours
  caps: [{max: 1, per: day}, {max: 1, per: day, channel: sms}]
channels:
  push: {receipts: 10 minutes}
  email: {receipts: 10 minutes, cost: 0.1}
  sms: {receipts: 10 minutes, cost: 5}
  call: {}
"""


@pytest.fixture
def shop(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-01 09:00", "profile_updated", ANN)
    company.happens("2026-03-02 10:00", "order_ready", ANN, order_id="o1")
    return company


def test_what_stays_unseen_goes_by_the_next_channel(shop):
    shop.happens("2026-03-02 10:01", "contact_sent", ANN, contact=0)
    shop.happens("2026-03-02 10:02", "contact_delivered", ANN, contact=0)
    shop.reopen()
    shop.until("2026-03-02 12:00")
    shop.happens("2026-03-02 12:01", "contact_sent", {"phone": ANN["phone"]}, contact=1)
    shop.crash()
    shop.until("2026-03-03 12:00")
    assert shop.said() == [
        ("2026-03-02 10:00", "come_and_get_it", "push"),
        ("2026-03-02 12:00", "come_and_get_it", "sms"),
        ("2026-03-02 14:00", "come_and_get_it", "call"),
    ]
    assert [line.follows for _, line in shop.lines()] == [None, 0, 1]
    (why,) = shop.engine.why(ANN)
    assert [told.sentence for told in why.told] == ["goes out by call, for contact 1 stayed unseen"]
    assert shop.engine.state(ANN).candidates == ()


@pytest.mark.parametrize("state", ["seen", "clicked", "answered"])
def test_what_was_seen_is_not_followed(shop, state):
    shop.happens("2026-03-02 10:01", "contact_sent", ANN, contact=0)
    shop.reopen()
    shop.happens("2026-03-02 11:59", f"contact_{state}", ANN, contact=0)
    shop.until("2026-03-03 12:00")
    assert [channel for _, _, channel in shop.said()] == ["push"]


def test_what_was_answered_by_a_reaction_to_the_offer_is_not_followed(shop):
    shop.happens("2026-03-02 11:00", "offer_not_now", ANN, offer="bags", channel="web")
    shop.until("2026-03-03 12:00")
    assert [channel for _, _, channel in shop.said()] == ["push"]


def test_what_somebody_else_saw_is_followed(shop):
    shop.happens("2026-03-02 11:59", "contact_seen", BOB, contact=0)
    shop.until("2026-03-02 12:00")
    assert [channel for _, _, channel in shop.said()] == ["push", "sms"]


def test_who_came_for_it_hears_no_more(shop):
    shop.happens("2026-03-02 11:00", "order_collected", ANN, order_id="o1")
    shop.until("2026-03-03 12:00")
    assert [channel for _, _, channel in shop.said()] == ["push"]
    assert shop.why("come_and_get_it")[1:] == [("2026-03-02 11:00", "ended", "")]


def test_the_chain_has_one_slot(shop):
    """What follows counts in no cap but that of its channel: tomorrow is free, today's SMS is used up."""
    shop.until("2026-03-02 18:00")
    shop.happens("2026-03-02 18:01", "read_news", ANN)
    assert shop.why("news")[0][1:] == ("cap", "2026-03-03 00:00")
    shop.happens("2026-03-03 00:30", "read_news", ANN)
    assert ("2026-03-03 00:30", "news", "email") in shop.said()


def test_the_customers_own_channel_goes_first(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-01 09:00", "profile_updated", ANN, traits={"way": "email"})
    company.happens("2026-03-02 10:00", "order_ready", ANN, order_id="o1")
    company.happens("2026-03-02 10:00", "order_ready", BOB, order_id="o2")
    company.until("2026-03-02 10:01")
    assert [channel for _, _, channel in company.said()] == ["email", "push"]


def test_the_cheapest_channel_goes_first_but_for_the_customers_own(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-01 09:00", "profile_updated", ANN, traits={"way": "sms"})
    company.happens("2026-03-02 10:00", "read_news", ANN)
    company.happens("2026-03-02 10:00", "read_news", BOB)
    company.until("2026-03-02 10:01")
    assert [channel for _, _, channel in company.said()] == ["sms", "email"]
