"""B9: Tills report at night. "And then did not buy" waits for them (test_b5_cart); and when their feed stops, the
campaigns that depend on it are held, and it is said so, until it is heard again.
"""

import pytest

from onevoice.history.why import why

from .stage import ANN, BOB, event, shown

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  cart_filled: {fields: {product: choice}}
  order_placed: {fields: {order_id: key}}
  parcel_ready: {}
sources:
  tills: {events: [order_placed], lag: 1 day, stale_after: 36 hours}
  web: {}
moments:
  cart_left: [cart_filled, no order_placed for 2 hours]
campaigns:
  cart_reminder:
    class: sales
    when: moment cart_left
    until: order_placed
    valid_for: 5 days
    send: [email]
  parcel_note: {class: service, when: event parcel_ready, send: [email]}
  case_offer: {class: sales, when: asked, placements: [banner], if: orders > 0}
measures:
  orders: count of order_placed
placements:
  banner: {}
policies:
  classes: {service: {strict: true}, sales: {}}
channels:
  email: {address: email}
"""


def sold(time, who=BOB, source="tills"):
    return event("order_placed", who, occurred=time, source=source, order_id=time)


@pytest.fixture
def shop(stage):
    """A shop whose tills report the first evening, and then no more; Ann leaves a cart on the next day."""
    return left_a_cart(stage(PLAYBOOK))


def left_a_cart(company):
    company.arrive("2026-03-02 03:00", [sold("2026-03-01 20:00")])
    company.happens("2026-03-02 17:00", "cart_filled", ANN, product="boots")
    return company


def of_sources(company):
    """What was said about sources: when, whether it stopped or is heard, and whom that is about."""
    about = [each for each in company.engine.decisions() if each.kind in {"source_stale", "source_fresh"}]
    return [(shown(each.time), each.kind, [line.campaign for line in each.lines]) for each in about]


HELD = ["cart_reminder", "case_offer"]


def test_a_feed_that_stops_holds_who_depends_on_it_and_says_so(shop):
    shop.until("2026-03-03 23:00")
    assert of_sources(shop)[-1] == ("2026-03-03 08:00", "source_stale", HELD)  # 36 hours after the last sale
    assert shop.why("cart_reminder")[-1] == ("2026-03-03 19:00", "stale", "")
    (said,) = [each for each in shop.engine.decisions() if each.kind == "source_stale" and each.time.day == 3]
    line = said.lines[0]
    assert (said.customer, line.rule, shown(line.value)) == (-1, "sources.tills", "2026-03-01 20:00")
    shop.happens("2026-03-03 23:01", "parcel_ready", ANN)
    assert [campaign for _, campaign, _ in shop.said()] == ["parcel_note"]  # what does not depend on it goes out


def test_it_comes_back_with_the_purchase_and_nothing_is_sent(shop):
    """Somebody else's sale, by which the feed is fresh, stands before hers in the file that catches up."""
    shop.until("2026-03-03 23:00")
    shop.reopen()
    shop.arrive("2026-03-04 03:00", [sold("2026-03-03 20:00"), sold("2026-03-03 12:00", ANN)])
    shop.until("2026-04-01 00:00")
    assert shop.said() == []
    assert ("2026-03-04 03:00", "ended", "") in shop.why("cart_reminder")


def test_it_comes_back_without_the_purchase_and_the_reminder_goes_out(shop):
    shop.until("2026-03-03 23:00")
    shop.crash()
    shop.arrive("2026-03-04 03:00", [sold("2026-03-03 20:00")])
    shop.until("2026-03-04 12:00")
    assert shop.said() == [("2026-03-04 03:00", "cart_reminder", "email")]
    assert of_sources(shop)[-1] == ("2026-03-04 03:00", "source_fresh", HELD)


def test_the_first_rows_of_a_file_that_catches_up_free_nobody(shop):
    shop.until("2026-03-04 23:00")
    shop.arrive("2026-03-05 03:00", [sold("2026-03-02 20:00")])
    shop.until("2026-03-05 03:01")
    assert shop.said() == []
    assert of_sources(shop)[-1][1] == "source_stale"
    shop.arrive("2026-03-05 03:02", [sold("2026-03-03 12:00", ANN), sold("2026-03-04 20:00")])
    shop.until("2026-04-01 00:00")
    assert shop.said() == []


def test_it_comes_back_too_late_and_the_reminder_has_expired(shop):
    shop.until("2026-03-09 00:00")
    assert shop.why("cart_reminder")[-1] == ("2026-03-08 19:00", "expired", "")
    shop.arrive("2026-03-09 03:00", [sold("2026-03-08 20:00")])
    shop.until("2026-04-01 00:00")
    assert shop.said() == []


def test_without_stale_after_harm_is_done(stage):
    shop = left_a_cart(stage(PLAYBOOK.replace(", stale_after: 36 hours", "")))
    shop.until("2026-03-03 23:00")
    shop.arrive("2026-03-04 03:00", [sold("2026-03-03 20:00"), sold("2026-03-03 12:00", ANN)])
    assert shop.said() == [("2026-03-03 19:00", "cart_reminder", "email")]
    assert of_sources(shop) == []


@pytest.mark.parametrize(("source", "held"), [("web", True), ("tills", False)])
def test_what_another_source_brings_is_no_news_of_the_tills(shop, source, held):
    shop.arrive("2026-03-03 07:00", [sold("2026-03-03 07:00", source=source)])
    shop.until("2026-03-03 23:00")
    assert (shop.said() == []) == held


def test_a_feed_that_was_never_heard_holds_from_the_beginning(stage):
    shop = stage(PLAYBOOK)
    shop.happens("2026-03-02 17:00", "cart_filled", ANN, product="boots")
    shop.until("2026-03-03 23:00")
    assert of_sources(shop) == [("2026-03-02 17:00", "source_stale", HELD)]
    assert shop.why("cart_reminder")[-1][1] == "stale"
    assert shop.said() == []


def test_it_is_not_shown_either_while_the_feed_has_stopped(shop):
    shop.arrive("2026-03-03 03:00", [sold("2026-03-02 20:00")])
    assert shop.asks("2026-03-03 09:00", "banner", BOB) == ["case_offer"]
    assert shop.asks("2026-03-04 09:00", "banner", BOB) == []
    shop.arrive("2026-03-04 10:00", [sold("2026-03-04 09:30")])
    assert shop.asks("2026-03-04 10:01", "banner", BOB) == ["case_offer"]


def test_a_playbook_that_says_so_later_holds_at_once(stage):
    shop = left_a_cart(stage(PLAYBOOK.replace(", stale_after: 36 hours", "")))
    shop.until("2026-03-03 12:00")
    (shop.playbook / "playbook.yaml").write_text(PLAYBOOK)
    shop.reopen()
    shop.until("2026-03-03 23:00")
    assert of_sources(shop) == [("2026-03-03 12:00", "source_stale", HELD)]
    assert shop.said() == []
    shop.arrive("2026-03-04 03:00", [sold("2026-03-03 20:00")])
    shop.until("2026-03-04 12:00")
    assert [campaign for _, campaign, _ in shop.said()] == ["cart_reminder"]


def test_a_playbook_that_says_so_no_more_lets_it_go_at_once(shop):
    shop.until("2026-03-03 23:00")
    (shop.playbook / "playbook.yaml").write_text(PLAYBOOK.replace(", stale_after: 36 hours", ""))
    shop.reopen()
    shop.until("2026-03-03 23:05")
    assert [campaign for _, campaign, _ in shop.said()] == ["cart_reminder"]


def test_a_playbook_that_is_published_again_changes_nothing(shop):
    shop.until("2026-03-03 23:00")
    before = of_sources(shop)
    (shop.playbook / "playbook.yaml").write_text(PLAYBOOK.replace("5 days", "6 days"))
    shop.reopen()
    shop.until("2026-03-03 23:30")
    assert of_sources(shop) == before
    shop.arrive("2026-03-04 03:00", [sold("2026-03-03 20:00")])
    shop.until("2026-03-04 12:00")
    assert of_sources(shop)[len(before) :] == [("2026-03-04 03:00", "source_fresh", HELD)]
    assert [campaign for _, campaign, _ in shop.said()] == ["cart_reminder"]


def test_it_is_told_why_and_what_would_have_let_it_go(shop):
    shop.until("2026-03-03 23:00")
    told = [why(each, shop.engine.playbook) for each in shop.engine.decisions() if each.kind.startswith("source")]
    assert told[-1].headline == "tills has stopped: held until it is heard again: cart_reminder, case_offer"
    why_not = shop.engine.why_not(ANN, "cart_reminder", language="en")
    assert [each.rule for each in why_not.obstacles] == ["sources.tills"]
    assert "held for the source tills: its last event occurred on Sun 01 Mar 2026 20:00" in why_not.headline
    change = why_not.smallest
    assert change.sentence == "if something of tills had come that occurred after Mon 02 Mar 2026 07:00"


def test_the_report_lists_it_and_who_was_held(shop):
    shop.until("2026-03-03 23:00")
    shop.arrive("2026-03-04 03:00", [sold("2026-03-03 20:00")])
    shop.until("2026-03-06 00:00")
    found = [
        (each.source, shown(each.time), shown(each.known_until), shown(each.fresh), each.campaigns)
        for each in shop.engine.report().stale
    ]
    assert found[-2:] == [
        ("tills", "2026-03-03 08:00", "2026-03-01 20:00", "2026-03-04 03:00", "cart_reminder, case_offer"),
        ("tills", "2026-03-05 08:00", "2026-03-03 20:00", "", "cart_reminder, case_offer"),
    ]
