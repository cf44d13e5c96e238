"""A8: A campaign can be stopped at once, by hand or by a limit (audience far larger than expected, many failures),
within seconds.
"""

import pytest

import onevoice

from .stage import ANN, BOB, NOBODY

EVE = {"email": "eve@example.lt", "phone": "+37063333333"}

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  registered: {}
  order_placed: {fields: {order_id: key}}
campaigns:
  spring_sale: {class: sales, priority: 20, when: once 2026-03-04 10:00, to: 2026-04-30, send: [email], at_most: 2}
  weekend_deal: {class: sales, priority: 10, when: every friday 10:00, valid_for: 2 days, send: [sms]}
  thanks: {class: service, when: event order_placed, per: event.order_id, send: [sms]}
  banner: {class: sales, when: asked, placements: [home]}
policies:
  classes: {service: {strict: true}, sales: {}}
  gap: 1 hour
placements: {home: {}}
"""


@pytest.fixture
def shop(stage):
    company = stage(PLAYBOOK)
    for who in (ANN, BOB, EVE):
        company.happens("2026-03-01 12:00", "registered", who)
    return company


def turns(shop, time, verb, **what):
    shop.happens(time, f"campaign_{verb}", NOBODY, **(what or {"everything": True}))


def test_by_its_limit_a_campaign_pauses_itself_and_says_so_and_goes_on_when_it_is_resumed(shop):
    shop.until("2026-03-04 12:00")
    assert shop.said() == [("2026-03-04 10:00", "spring_sale", "email")] * 2
    (stop,) = [decision for decision in shop.engine.decisions() if decision.kind == "stop"]
    assert (stop.customer, [repr(line) for line in stop.lines]) == (
        -1,
        ["<spring_sale: paused campaign value 2 of 2>"],
    )
    (why,) = shop.engine.why(EVE)
    said = "paused at 2 contacts, its limit for one run; resume it: `onevoice resume spring_sale` (`campaign_resumed`)"
    assert [(told.sentence, told.rule) for told in why.told] == [(said, "campaigns.spring_sale.at_most")]
    assert shop.engine.why_not(EVE, "spring_sale").headline == f"spring_sale: {said}"
    assert shop.engine.why_not(ANN, "spring_sale").headline == "spring_sale: goes out by email with a rank of 20"
    (paused,) = shop.engine.report().paused
    assert (paused.campaign, paused.contacts, paused.limit) == ("spring_sale", 2, 2)
    shop.reopen()
    shop.until("2026-03-05 09:00")
    assert len(shop.said()) == 2
    assert shop.engine.resume("spring_sale") == onevoice.Switched(waiting=0, ended=0, woken=1, was="paused")
    shop.crash()
    assert shop.said()[2:] == [("2026-03-05 09:00", "spring_sale", "email")]
    assert shop.engine.report().reasons[0].reason == "paused"


def test_without_a_limit_it_goes_to_all(stage):
    company = stage(PLAYBOOK.replace(", at_most: 2", ""))
    for who in (ANN, BOB, EVE):
        company.happens("2026-03-01 12:00", "registered", who)
    company.until("2026-03-04 12:00")
    assert len(company.said()) == 3
    assert company.engine.report().paused == ()


def test_a_class_is_paused_by_hand_while_others_go_on_and_what_is_still_valid_follows(shop):
    turns(shop, "2026-03-04 09:00", "paused", **{"class": "sales"}, reason="the price is wrong", by="ann")
    shop.happens("2026-03-04 11:00", "order_placed", ANN, order_id="o-1")
    shop.reopen()
    shop.until("2026-03-08 12:00")
    assert shop.said() == [("2026-03-04 11:00", "thanks", "sms")]
    assert shop.why("weekend_deal") == [
        *[("2026-03-06 10:00", "paused", "")] * 3,
        *[("2026-03-08 10:00", "expired", "")] * 3,
    ]
    turns(shop, "2026-03-08 13:00", "resumed", **{"class": "sales"})
    assert shop.said()[1:] == [("2026-03-08 13:00", "spring_sale", "email")] * 2


def test_nothing_paused_nothing_waits(shop):
    shop.happens("2026-03-04 11:00", "order_placed", ANN, order_id="o-1")
    shop.until("2026-03-06 12:00")
    assert [campaign for _, campaign, _ in shop.said()] == ["spring_sale"] * 2 + ["thanks"] + ["weekend_deal"] * 3


def test_what_waits_ends_when_its_campaign_is_stopped_and_nothing_new_begins(shop):
    shop.happens("2026-03-06 09:45", "order_placed", BOB, order_id="o-1")  # the gap holds what comes at ten
    shop.until("2026-03-06 10:00")
    assert shop.engine.stop("weekend_deal") == onevoice.Switched(waiting=0, ended=1, woken=0)
    assert shop.why("weekend_deal")[-1] == ("2026-03-06 10:00", "stopped", "")
    shop.reopen()
    shop.until("2026-03-14 12:00")
    assert [time for time, campaign, _ in shop.said() if campaign == "weekend_deal"] == ["2026-03-06 10:00"] * 2
    shop.engine.resume("weekend_deal")
    shop.crash()
    shop.until("2026-03-20 12:00")
    assert [time for time, campaign, _ in shop.said()[-3:]] == ["2026-03-20 10:00"] * 3


def test_everything_is_off_and_nothing_is_shown_either_until_the_last_switch_is_on(shop):
    assert shop.asks("2026-03-02 10:00", "home", ANN) == ["banner"]
    turns(shop, "2026-03-02 11:00", "paused")
    turns(shop, "2026-03-02 11:00", "paused", campaign="banner")
    assert shop.asks("2026-03-02 12:00", "home", ANN) == []
    turns(shop, "2026-03-02 13:00", "resumed")
    assert shop.asks("2026-03-02 14:00", "home", ANN) == []
    assert [line.rule for _, line in shop.lines() if line.reason == "paused"] == ["campaign", "campaign"]
    turns(shop, "2026-03-02 15:00", "resumed", campaign="banner")
    assert shop.asks("2026-03-02 16:00", "home", ANN) == ["banner"]


def test_another_playbook_leaves_off_what_was_off_and_counts_on(shop):
    turns(shop, "2026-03-02 10:00", "paused", campaign="weekend_deal")
    shop.until("2026-03-04 09:00")
    shop.engine.publish(_changed(shop, "gap: 1 hour", "gap: 2 hours"))
    shop.until("2026-03-04 12:00")
    assert len(shop.said()) == 2  # at its limit
    shop.engine.publish(_changed(shop, "at_most: 2", "at_most: 3"))
    shop.until("2026-03-06 12:00")
    assert len(shop.said()) == 2
    shop.engine.publish(_changed(shop, "gap: 2 hours", "gap: 3 hours"))
    turns(shop, "2026-03-07 09:00", "resumed", campaign="weekend_deal")
    turns(shop, "2026-03-07 12:00", "resumed", campaign="spring_sale")
    shop.until("2026-03-07 16:00")
    assert [campaign for _, campaign, _ in shop.said()[2:]] == ["weekend_deal"] * 3 + ["spring_sale"]


def test_a_replay_gives_the_same(shop):
    turns(shop, "2026-03-02 10:00", "paused", campaign="spring_sale")
    turns(shop, "2026-03-04 11:00", "stopped", **{"class": "service"})
    shop.happens("2026-03-04 11:00", "order_placed", ANN, order_id="o-1")
    turns(shop, "2026-03-04 12:00", "resumed", campaign="spring_sale")
    before = shop.engine.hash()
    shop.crash()
    assert shop.engine.hash() == before
    assert [campaign for _, campaign, _ in shop.said()] == ["spring_sale"] * 2


def _changed(shop, old, new):
    path = shop.playbook / "playbook.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return shop.playbook


def failing(stage, *kinds):
    """The sale goes to two, of whom it is told what became; then a third wants it."""
    text = PLAYBOOK.replace("at_most: 2", "again_after: 1 day, failures: {share: 50%, of_at_least: 2}")
    company = stage(text.replace("when: once 2026-03-04 10:00", "when: event registered"))
    company.happens("2026-03-04 10:00", "registered", ANN)
    company.happens("2026-03-04 10:00", "registered", BOB)
    for number, (who, kind) in enumerate(zip((ANN, BOB), kinds, strict=True)):
        company.happens("2026-03-04 10:30", kind, who, contact=number)
    company.crash()
    company.happens("2026-03-04 11:00", "registered", EVE)
    return company


def test_by_its_failures_a_campaign_pauses_itself_and_says_so(stage):
    company = failing(stage, "contact_failed", "contact_delivered")
    assert [name for _, name, _ in company.said()] == ["spring_sale"] * 2
    (stop,) = [decision for decision in company.engine.decisions() if decision.kind == "stop"]
    assert [repr(line) for line in stop.lines] == ["<spring_sale: paused failures value 1 of 1>"]
    (why,) = company.engine.why(EVE)
    resume = "resume it: `onevoice resume spring_sale` (`campaign_resumed`)"
    said = f"paused at 1 failed contact, with a limit of 1 for this run; {resume}"
    assert [(each.sentence, each.rule) for each in why.told] == [(said, "campaigns.spring_sale.failures")]
    assert [(each.campaign, each.contacts, each.failed) for each in company.engine.report().paused] == [
        ("spring_sale", 1, True)
    ]
    company.reopen()
    turns(company, "2026-03-04 12:00", "resumed", campaign="spring_sale")
    company.until("2026-03-04 13:00")
    assert [name for _, name, _ in company.said()] == ["spring_sale"] * 3


def test_with_fewer_failures_it_goes_on(stage):
    company = failing(stage, "contact_seen", "contact_delivered")
    company.until("2026-03-04 13:00")
    assert [name for _, name, _ in company.said()] == ["spring_sale"] * 3
