"""A4: Dozens to hundreds of live campaigns: before one goes live, its author sees which others it collides with, how
many real customers they share, who wins, and what it will lose.
"""

from dataclasses import replace
from datetime import timedelta

import onevoice

from .stage import ANN, BOB, at

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  registered: {}
  order_placed: {fields: {order_id: key}}
  page_viewed: {}
campaigns:
  receipt:
    class: service
    when: event order_placed
    send: [sms]
  newsletter:
    class: sales
    priority: 30
    when: every monday 09:00
    valid_for: 6 hours
    send: [email]
policies:
  classes:
    service: {strict: true}
    sales: {}
  wait: 5 minutes
  gap: 1 day
  caps:
    - {max: 2, per: 30 days, class: sales}
"""
COUPON = """  coupon:
    class: sales
    priority: 20
    when: event page_viewed
    valid_for: 3 hours
    send: [email]
"""
EVE = {"email": "eve@example.lt"}


def with_coupon(company, changed=COUPON):
    """The playbook with the campaign that its author has in mind, in a folder beside the one that is live."""
    folder = company.playbook.with_name("planned")
    folder.mkdir()
    text = (company.playbook / "playbook.yaml").read_text()
    (folder / "playbook.yaml").write_text(text.replace("policies:\n", f"{changed}policies:\n"))
    return folder


def a_month(company, *, coming_on="monday"):
    """Ann and Bob look at pages on the mornings of the newsletter, or the day before it; Eve hears only newsletters."""
    for who in (ANN, BOB, EVE):
        company.happens("2026-03-01 12:00", "registered", who)
    days = {"monday": (2, 9, 16), "thursday": (5, 12, 19)}[coming_on]
    for day in days:
        company.until(f"2026-03-{day:02} 08:58")
        for who in (ANN, BOB):
            company.happens(f"2026-03-{day:02} 09:00", "page_viewed", who)
        company.until(f"2026-03-{day:02} 20:00")
    company.until("2026-03-31 00:00")


def test_its_author_sees_whom_it_meets_who_wins_and_what_it_loses(stage):
    company = stage(PLAYBOOK)
    a_month(company)
    before, said = company.engine.hash(), company.said()
    seen = company.engine.conflicts("coupon", with_coupon(company), within=timedelta(days=1))
    (pair,) = seen.pairs
    assert (pair.one, pair.other, pair.customers, pair.times) == ("coupon", "newsletter", 2, 6)
    assert (pair.one_first, pair.other_first) == (0, 4), "on the third Monday the sales of the month are used up"
    assert (pair.one_held, pair.one_lost) == (6, 6), "each coupon gives way, or finds no room left by newsletters"
    assert (pair.other_held, pair.other_lost) == (0, 0)
    assert (seen.figures.wishes, seen.figures.sent) == (6, 0)
    assert (company.engine.hash(), company.said()) == (before, said), "nothing has gone live"


def test_on_other_days_it_takes_what_the_newsletter_would_have_had(stage):
    company = stage(PLAYBOOK)
    a_month(company, coming_on="thursday")
    seen = company.engine.conflicts("coupon", with_coupon(company))
    (pair,) = seen.pairs
    assert seen.figures.sent > 0
    assert pair.one_first > 0
    assert pair.other_lost > 0, "a coupon on Thursday leaves no room for a later newsletter"


def test_where_nobody_wants_both_there_is_no_conflict(stage):
    company = stage(PLAYBOOK)
    a_month(company)
    unwanted = COUPON.replace("event page_viewed", "event order_placed")
    seen = company.engine.conflicts("coupon", with_coupon(company, unwanted))
    assert (seen.pairs, seen.figures.wishes) == ((), 0)


def test_once_it_is_live_what_was_decided_says_the_same(stage):
    """The rehearsal was right: the same month with the coupon gives the conflicts that were foreseen."""
    company = stage(PLAYBOOK)
    a_month(company)
    foreseen = company.engine.conflicts("coupon", with_coupon(company))
    live = stage(PLAYBOOK.replace("policies:\n", f"{COUPON}policies:\n"))
    a_month(live)
    happened = live.engine.conflicts("coupon")
    assert replace(happened, version="") == replace(foreseen, version="")


def test_the_whole_portfolio_is_rehearsed_from_a_day_on(stage):
    """What the campaign changes for all others from the second Monday on: who hears more, and why."""
    company = stage(PLAYBOOK.replace("max: 2", "max: 9"))
    a_month(company)
    folder = with_coupon(company)
    rehearsal = company.engine.simulate(folder, at("2026-03-09 00:00"))
    changed = {each.campaign: (each.sent_happened, each.sent_rehearsed) for each in rehearsal.campaigns}
    assert changed == {"receipt": (0, 0), "newsletter": (12, 12), "coupon": (0, 0)}
    assert rehearsal.differing == len(rehearsal.examples) == 8
    example = next(each for each in rehearsal.examples if each.difference.startswith("the same goes out"))
    assert [told.campaign for told in example.happened.told] == ["newsletter"]
    assert [told.sentence for told in example.rehearsed.told][1].startswith(
        "gave way to newsletter; its own rank is 20"
    )
    same = company.engine.simulate(onevoice.load(company.playbook), at("2026-03-09 00:00"))
    assert (same.differing, same.gaining, same.losing) == (0, 0, 0)
