"""E4: Channels are two-way: receipts, bounces and answers come back as events, and what comes of them is exact."""

import pytest

from .stage import ANN, BOB

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events: {bought: {}, visited: {}}
measures:
  opened_thanks: count of contact_seen where campaign = 'thanks'
  bounced: count of contact_failed where channel = 'email'
segments: {reads: opened_thanks > 0}
campaigns:
  thanks: {class: service, priority: 2, when: event bought, send: [email, sms], valid_for: 1 day}
  come_again: {class: sales, priority: 1, when: event visited, send: [sms], valid_for: 1 day, until: bought}
policies:
  classes: {service: {}, sales: {}}
  gap: 4 hours
channels:
  email: {receipts: 1 hour}
  sms: {receipts: 1 hour}
"""


@pytest.fixture
def shop(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 10:00", "bought", ANN)
    company.until("2026-03-02 10:00")
    assert company.said() == [("2026-03-02 10:00", "thanks", "email")]
    return company


def contacts(shop, who=ANN):
    return [(contact.number, contact.channel, contact.state) for contact in shop.engine.state(who).contacts]


def test_a_bounce_sends_it_by_another_channel_at_once(shop):
    assert contacts(shop) == [(0, "email", "reserved")]
    assert [waits.stage for waits in shop.engine.state(ANN).candidates] == ["in flight"]
    shop.crash()
    shop.happens("2026-03-02 10:20", "contact_failed", ANN, contact=0)
    assert contacts(shop) == [(1, "sms", "reserved"), (0, "email", "failed")]
    shop.reopen()
    shop.happens("2026-03-02 10:21", "contact_sent", ANN, contact=1)
    shop.until("2026-03-04 10:00")
    assert [channel for _, _, channel in shop.said()] == ["email", "sms"]
    assert shop.engine.state(ANN).measures["bounced"] == 1  # the channel was filled in from the contact


def test_without_the_bounce_it_is_sent_once(shop):
    shop.happens("2026-03-02 10:20", "contact_sent", ANN, contact=0)
    shop.until("2026-03-04 10:00")
    assert [channel for _, _, channel in shop.said()] == ["email"]
    assert shop.engine.state(ANN).measures["bounced"] == 0


def test_when_nobody_tells_it_is_taken_as_sent(shop):
    shop.until("2026-03-02 10:59")
    assert contacts(shop) == [(0, "email", "reserved")]
    shop.crash()
    shop.until("2026-03-02 11:00")
    assert contacts(shop) == [(0, "email", "sent")]
    assert shop.engine.state(ANN).candidates == ()


def test_when_every_channel_fails_it_ends_and_says_so(shop):
    shop.happens("2026-03-02 10:20", "contact_failed", ANN, contact=0)
    shop.happens("2026-03-02 10:30", "contact_failed", ANN, contact=1)
    shop.until("2026-03-02 10:31")
    assert shop.why("thanks")[-1] == ("2026-03-02 10:30", "failed", "")
    assert [told.sentence for why in shop.engine.why(ANN) for told in why.told if told.reason == "failed"] == [
        "contact 1 by sms failed, and no channel is left"
    ]


def test_a_failure_frees_the_gap_for_what_waits(shop):
    shop.happens("2026-03-02 10:05", "visited", ANN)
    shop.until("2026-03-02 10:06")
    assert shop.why("come_again") == [("2026-03-02 10:05", "gap", "2026-03-02 14:00")]
    shop.reopen()
    shop.happens("2026-03-02 10:20", "contact_failed", ANN, contact=0)
    shop.happens("2026-03-02 10:21", "contact_failed", ANN, contact=1)
    shop.until("2026-03-02 10:22")
    assert shop.said()[-1] == ("2026-03-02 10:21", "come_again", "sms")


def test_what_ends_on_its_way_is_cancelled(stage):
    shop = stage(PLAYBOOK)
    shop.happens("2026-03-02 10:00", "visited", ANN)
    shop.happens("2026-03-02 10:05", "bought", ANN)
    assert shop.why("come_again") == [("2026-03-02 10:00", "won", ""), ("2026-03-02 10:05", "ended", "")]
    assert (0, "sms", "cancelled") in contacts(shop)
    assert shop.said()[-1] == ("2026-03-02 10:05", "thanks", "email")  # the gap is free again
    shop.crash()
    assert (0, "sms", "cancelled") in contacts(shop)


def test_what_is_stopped_on_its_way_is_cancelled(stage):
    shop = stage(PLAYBOOK)
    shop.happens("2026-03-02 10:00", "visited", ANN)
    shop.until("2026-03-02 10:00")
    shop.reopen()
    assert shop.engine.stop("come_again").ended == 1
    assert contacts(shop) == [(0, "sms", "cancelled")]
    shop.crash()
    assert contacts(shop) == [(0, "sms", "cancelled")]
    said = [told.sentence for why in shop.engine.why(ANN) for told in why.told]
    assert said[-1] == "the campaign was stopped, after its contact 0 was reserved"
    shop.happens("2026-03-02 10:05", "bought", ANN)
    assert shop.said()[-1] == ("2026-03-02 10:05", "thanks", "email")  # the gap is free again


def test_what_is_paused_on_its_way_goes_on(stage):
    shop = stage(PLAYBOOK)
    shop.happens("2026-03-02 10:00", "visited", ANN)
    shop.until("2026-03-02 10:00")
    shop.engine.pause("come_again")
    shop.happens("2026-03-02 10:01", "contact_sent", ANN, contact=0)
    assert contacts(shop) == [(0, "sms", "sent")]


def test_what_was_seen_counts_for_the_customer(shop):
    shop.happens("2026-03-02 10:20", "contact_seen", ANN, contact=0)
    shop.happens("2026-03-02 10:20", "contact_seen", BOB, contact=0)
    assert "reads" in shop.engine.state(ANN).segments
    assert "reads" not in shop.engine.state(BOB).segments


def test_the_report_counts_each_contact_that_was_made(shop):
    shop.happens("2026-03-02 10:20", "contact_failed", ANN, contact=0)
    shop.happens("2026-03-02 10:30", "contact_failed", ANN, contact=1)
    shop.until("2026-03-02 10:31")
    (thanks,) = (each for each in shop.engine.report().campaigns if each.campaign == "thanks")
    assert (thanks.sent, thanks.wishes) == (2, 2)


# Pitfalls of others


def test_pitfall_2_two_messages_never_pass_one_check(stage):
    """A reservation counts from the instant it is made, not from when a worker says that it was sent."""
    shop = stage(PLAYBOOK)
    shop.arrive("2026-03-02 10:00", [{"type": kind, "identifiers": ANN} for kind in ("bought", "visited", "bought")])
    shop.until("2026-03-02 10:00")
    assert contacts(shop) == [(0, "email", "reserved")]
    shop.crash()
    shop.happens("2026-03-02 10:01", "visited", ANN)
    shop.until("2026-03-02 10:02")
    assert len(shop.said()) == 1


def test_pitfall_7_a_retry_keeps_its_identity(shop):
    """Whoever sends again, after a crash here or there, names the same contact; what comes twice changes nothing."""
    before = [(line.campaign, line.contact) for _, line in shop.lines()]
    shop.crash()
    assert [(line.campaign, line.contact) for _, line in shop.lines()] == before == [("thanks", 0)]
    for minute in (1, 2):
        shop.happens(f"2026-03-02 10:0{minute}", "contact_sent", ANN, contact=0)
    state = shop.engine.state(ANN)
    assert [(each.number, each.state) for each in state.contacts] == [(0, "sent")]
    assert state.candidates == ()
    shop.until("2026-03-04 10:00")
    assert len(shop.said()) == 1
