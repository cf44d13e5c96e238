"""A golden table: each reason, as a sentence with the values as they were used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import onevoice
from onevoice.engine.reasons import Reason
from onevoice.playbook.load import load_files

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers: {email: {format: email}, card: {}}
resources: {desk: {capacity: 1 per day}}
events:
  {call: {}, hush: {}, order: {}, visit: {}, call_me: {}, case_opened: {}, case_resolved: {}, sale: {fields: {n: key}},
  moved: {}, signed: {}, sold: {}, came: {}}
sources: {tills: {events: [sold], stale_after: 1 day}}
facts: {open_case: {opens: case_opened, closes: case_resolved}}
measures: {orders: count of order}
campaigns:
  thanks: {class: service, priority: 5, when: event order, again_after: 30 days, send: [mail]}
  news: {class: sales, priority: 1, when: event visit, until: order, valid_for: 2 days, send: [mail]}
  tips: {class: sales, priority: 2, when: event visit, valid_for: 9 days, send: [mail]}
  offer: {class: sales, priority: 3, when: event sale, if: orders < 1, valid_for: 9 days, send: [mail]}
  flood: {class: service, priority: 1, when: event sale, per: event.n, send: [mail]}
  callback: {class: service, when: event call_me, send: [desk]}
  ring: {class: service, when: event call, send: [phone]}
  banner: {class: sales, priority: 1, when: asked, placements: [home]}
  other_banner: {class: sales, priority: 2, when: asked, placements: [home]}
  contract: {class: service, priority: 9, when: event signed, after: 2 hours, send: [mail]}
  letter: {class: service, when: event moved, send: [post]}
  quiet: {class: service, when: event hush, send: [mail], holdout: 99.999999%}
  cart: {class: service, when: event came, until: sold, send: [mail]}
  poster: {class: service, when: asked, placements: [wall]}
placements: {home: {slots: 1}, wall: {fatigue: {times: 1, pause: 7 days}}}
policies:
  classes: {service: {}, sales: {purpose: marketing}}
  gap: 4 hours
  look_ahead: 3 hours
  caps: [{max: 1, per: day, class: sales}]
  suppress: [{stop: [sales], while: open_case, then: 3 days, at_most: 30 days}]
  hours: {desk: [09:00-18:00 mon-fri, 10:00-14:00 sat]}
  holidays: [2026-03-03]
channels: {phone: {uses: [desk]}, mail: {address: email}, post: {receipts: 1 day}}
"""


def event(kind, **fields):
    identifiers = {"email": "ann@x.org"} if not fields.pop("by_card", False) else {"card": "c1"}
    return {"type": kind, "identifiers": identifiers, "fields": fields}


@pytest.fixture
def engine():
    with onevoice.open(load_files({"playbook.yaml": PLAYBOOK.encode()})) as engine:
        yield engine


def told(engine, customer, reason):
    """The last thing that was said with this reason, whole."""
    found = [each for why in engine.why(customer, last=100) for each in why.told if each.reason == reason]
    return f"{found[-1].campaign}: {found[-1].sentence} [{found[-1].rule}]"


ANN = {"email": "ann@x.org"}
# What comes in at which hour after Monday nine o'clock (eleven in Vilnius), and what is then said.
AT_LAST = "on Tue 03 Mar 2026 00:00 at the latest"
CASES = {
    "won": ([(0, event("order"))], "thanks: goes out by mail with a rank of 5 []"),
    "expired": (
        [(0, event("case_opened")), (1, event("visit")), (60, None)],
        "news: was not chosen within 2 days [campaigns.news.valid_for]",
    ),
    "ended": (
        [(0, event("case_opened")), (1, event("visit")), (2, event("order"))],
        "news: order came, which ends it [campaigns.news.until]",
    ),
    "not_eligible": (
        [(0, event("case_opened")), (1, event("sale")), (2, event("order")), (3, event("case_resolved")), (90, None)],
        "offer: no longer true: orders < 1 [campaigns.offer.if]",
    ),
    "too_many": (
        [(0, event("case_opened")), (1, [event("sale", n=f"{n}") for n in range(70)])],
        "flood: 64 campaigns wait for this customer already []",
    ),
    "stopped": (
        [(0, event("case_opened")), (1, event("visit")), (2, event("campaign_stopped", **{"class": "sales"}))],
        "tips: the class sales was stopped []",
    ),
    "paused": (
        [(0, event("campaign_paused", campaign="tips")), (1, event("visit"))],
        "tips: the campaign is paused; resume it: `onevoice resume tips` (`campaign_resumed`) []",
    ),
    "stale": (
        [(0, event("sold")), (24, event("came"))],
        (
            "cart: held for the source tills: its last event occurred on Mon 02 Mar 2026 11:00, "
            "and after 1 day without another it is taken to have stopped [sources.tills]"
        ),
    ),
    "no_consent": (
        [(0, event("consent_withdrawn", purpose="marketing")), (1, event("visit"))],
        "tips: no consent to marketing by mail [policies.classes.sales]",
    ),
    "no_address": (
        [(0, event("visit", by_card=True))],
        "tips: mail needs an identifier email, and none is known [channels.mail]",
    ),
    "failed": (
        [(0, event("moved")), (1, event("contact_failed", contact=0))],
        "letter: contact 0 by post failed, and no channel is left [campaigns.letter.send]",
    ),
    "suppressed": (
        [(0, event("case_opened")), (1, event("visit"))],
        "tips: suppressed: no sales while open_case and 3 days after, for 30 days at most [policies.suppress[0]]",
    ),
    "again_after": (
        [(0, event("order")), (24, event("order"))],
        (
            "thanks: last went out on Mon 02 Mar 2026 11:00; goes out again 30 days later at the earliest, "
            "on Wed 01 Apr 2026 12:00 [campaigns.thanks.again_after]"
        ),
    ),
    "fatigue": (
        [(0, event("asked", placement="wall")), (24, event("asked", placement="wall"))],
        (
            "poster: a rest of 1 week after 1 show without a reaction: 1 of 1 are counted; "
            "it rests until Mon 09 Mar 2026 11:00 [placements.wall.fatigue]"
        ),
    ),
    "no_capacity": (
        [(0, event("call", by_card=True)), (1, event("call"))],
        f"ring: desk has no room: 1 of 1 a day are used; its turn is {AT_LAST} [resources.desk]",
    ),
    "hours": (
        [(10, event("call_me"))],
        (
            "callback: desk is open 09:00-18:00 mon-fri, 10:00-14:00 sat on the customer's clock, not on holidays, "
            "and opens next on Wed 04 Mar 2026 09:00 [policies.hours.desk]"
        ),
    ),
    "gap": (
        [(0, event("order")), (1, event("sale", n="1"))],
        (
            "flood: the last contact was on Mon 02 Mar 2026 11:00, less than 4 hours ago; "
            "the gap ends on Mon 02 Mar 2026 15:00 [policies.gap]"
        ),
    ),
    "cap": (
        [(0, event("visit")), (5, None)],
        "news: at most 1 a day of class sales: 1 of 1 are used; room again on Tue 03 Mar 2026 00:00 [policies.caps[0]]",
    ),
    "kept_for": (
        [(0, event("signed")), (1, event("visit"))],
        (
            "news: stepped back for contract, which is planned for Mon 02 Mar 2026 13:00; its own rank is 1 "
            "[policies.look_ahead]"
        ),
    ),
    "outranked": (
        [(0, event("visit"))],
        "news: gave way to tips; its own rank is 1; looked at again on Mon 02 Mar 2026 15:00 [policies.rank]",
    ),
    "would_have_won": (
        [(0, event("hush"))],
        (
            "quiet: would have gone out by mail; the customer is held out, to be compared with those who are not "
            "[campaigns.quiet.holdout]"
        ),
    ),
}


def test_every_reason_has_a_row():
    assert list(CASES) == [reason.name.lower() for reason in Reason]


@pytest.mark.parametrize("reason", CASES)
def test_a_reason_is_told_with_its_rule_and_values(engine, reason):
    rows, expected = CASES[reason]
    for hour, what in rows:
        time = MONDAY + hour * HOUR
        if what is None:
            engine.tick(time)
        else:
            engine.ingest(what if isinstance(what, list) else [what], time=time)
    customer = {"card": "c1"} if reason == "no_address" else ANN
    assert told(engine, customer, reason) == expected


CAPS = {
    "{max: 1, per: week, channel: mail}": "at most 1 a week by mail",
    "{max: 1, per: week, channel: each}": "at most 1 a week by each channel",
    "{max: 1, per: week, class: each}": "at most 1 a week of each class",
    "{max: 1, per: month, campaign: tips}": "at most 1 a month of tips",
    "{max: 1, per: month, campaign: each}": "at most 1 a month of each campaign",
    "{max: 1, per: 3 days, family: guides}": "at most 1 in 3 days of family guides",
    "{max: 1, per: 3 days, family: each}": "at most 1 in 3 days of each family",
    "{max: 1, per: day, owner: desk}": "at most 1 a day of owner desk",
    "{max: 1, per: day, owner: each}": "at most 1 a day of each owner",
    "{max: 1, per: day, category: books}": "at most 1 a day of category books",
    "{max: 1, per: day, category: each}": "at most 1 a day of each category",
    "{max: 1, per: day, address: each}": "at most 1 a day to each address",
    "{max: 1, per: day, class: sales, for: keen}": "at most 1 a day of class sales for keen",
    "{max: 9, per: week, own_max: wanted}": "at most 9 a week, or as many as wanted says",
}
TIPS = """
playbook: shop
identifiers: {email: {format: email}}
traits: {wanted: number}
events: {visit: {fields: {n: key}}}
products: {file: products.csv, fields: {category: choice}}
segments: {keen: wanted = 1}
offers: {guide: {product: atlas, family: guides}}
campaigns: {tips: {class: sales, owner: desk, offer: guide, when: event visit, per: event.n, send: [mail]}}
policies: {classes: {sales: {}}, caps: [CAP]}
channels: {mail: {address: email}}
"""


@pytest.mark.parametrize("cap", CAPS)
@pytest.mark.parametrize("wanted", [1, 0])
def test_every_form_of_a_cap_is_told_in_words(cap, wanted):
    files = {"playbook.yaml": TIPS.replace("CAP", cap).encode(), "products.csv": b"product,category\natlas,books\n"}
    with onevoice.open(load_files(files)) as engine:
        for n in ("first", "second"):
            engine.ingest([event("visit", n=n) | {"traits": {"wanted": wanted}}], time=MONDAY)
        found = [each.sentence for why in engine.why(ANN, last=9) for each in why.told if each.reason == "cap"]
    if wanted == 0 and "own_max" in cap:
        assert found[-1] == f"{CAPS[cap]}: 0 of 0 are used; none goes out until the customer chooses otherwise"
    elif wanted == 1 or "keen" not in cap:
        assert found[-1].startswith(f"{CAPS[cap]}: 1 of 1 are used; room again on ")


def test_an_ask_says_what_is_shown_and_who_else_wanted_to_be(engine):
    engine.ingest([event("asked", placement="home")], time=MONDAY)
    (why,) = engine.why(ANN)
    assert why.headline == "home shows other_banner; 1 other campaign wanted to be there"
    assert [each.sentence for each in why.told] == [
        "is shown with a rank of 2",
        "gave way to other_banner; its own rank is 1",
    ]


def test_a_decision_is_told_by_the_playbook_it_was_made_under(engine):
    engine.ingest([event("visit")], time=MONDAY)
    engine.publish(load_files({"playbook.yaml": PLAYBOOK.replace("gap: 4 hours", "gap: 7 hours").encode()}))
    engine.ingest([event("sale", n="1")], time=MONDAY + HOUR)
    gap = next(each for why in engine.why(ANN, last=100) for each in why.told if each.reason == "gap")
    assert "less than 7 hours ago" in gap.sentence


def test_a_report_tells_its_rules_in_words(engine):
    engine.ingest([event("order"), event("sale", n="1"), event("case_opened"), event("visit")], time=MONDAY)
    found = {each.reason: each.words for each in engine.report().reasons}
    assert found["gap"] == "at least 4 hours between two contacts"
    assert found["suppressed"] == "no sales while open_case and 3 days after, for 30 days at most"
