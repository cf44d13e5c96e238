"""D2: Telecom: a premium customer views retention offers on the self-care site, then visits a shop and leaves without
extending: propose a better offer immediately.
"""

import pytest

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  user_id: {unique: true}
  phone: {format: phone, region: LT}
traits:
  tier: choice
  churn_risk: number
products: {file: products.csv, fields: {price: number}}
events:
  page_viewed: {fields: {page: choice}}
  store_visited: {}
  contract_extended: {}
  bill_paid: {fields: {amount: number}}
measures:
  paid_365d: sum of bill_paid.amount over 365 days
segments:
  premium: tier = 'gold' or paid_365d > 1000
moments:
  retention_risk:
    - page_viewed where event.page = 'retention-offers'
    - store_visited within 7 days
    - no contract_extended for 30 minutes
offers:
  usual_discount: {product: contract_plus, value: 20, family: extension}
  better_discount: {product: contract_plus, value: 40, family: extension, if: churn_risk > 0.3}
campaigns:
  stay_with_us:
    class: retention
    priority: 80
    when: moment retention_risk
    if: premium
    offer: better_discount
    wait: 0s
    valid_for: 2 days
    until: contract_extended
    again_after: 30 days
    send: [sms]
policies:
  classes: {retention: {}}
  wait: 5 minutes
"""
PRODUCTS = "product,price\ncontract_plus,30\n"

SITE = {"user_id": "u-17"}  # self-care knows the account,
SHOP = {"phone": "8 611 11111"}  # the shop asks for the number


@pytest.fixture
def telecom(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    who = SITE | SHOP
    company.happens("2026-02-01 12:00", "bill_paid", who, amount=30, traits={"tier": "gold", "churn_risk": 0.6})
    return company


def views(telecom, time="2026-03-02 20:10", page="retention-offers"):
    telecom.happens(time, "page_viewed", SITE, page=page)


def visits(telecom, time="2026-03-04 17:20"):
    telecom.happens(time, "store_visited", SHOP)


def later(telecom):
    telecom.until("2026-04-15 00:00")
    return telecom.said()


def test_leaves_without_extending_and_gets_the_better_offer(telecom):
    views(telecom)
    telecom.reopen()
    visits(telecom)
    telecom.crash()
    assert later(telecom) == [("2026-03-04 17:50", "stay_with_us", "sms")]


def test_extended_in_the_shop_hears_nothing(telecom):
    views(telecom)
    visits(telecom)
    telecom.reopen()
    telecom.happens("2026-03-04 17:45", "contract_extended", SHOP)
    assert later(telecom) == []


def test_extending_at_the_last_instant_is_a_moment_too_late(telecom):
    """Durations are half open: at 17:50 the thirty minutes are over."""
    views(telecom)
    visits(telecom)
    telecom.happens("2026-03-04 17:50", "contract_extended", SHOP)
    assert later(telecom) == [("2026-03-04 17:50", "stay_with_us", "sms")]


@pytest.mark.parametrize(
    ("viewed", "page", "visited"),
    [
        ("2026-03-02 20:10", "roaming", "2026-03-04 17:20"),  # looked at something else
        ("2026-03-05 20:10", "retention-offers", "2026-03-04 17:20"),  # the other way round
        ("2026-03-02 20:10", "retention-offers", "2026-03-09 20:10"),  # seven days later
    ],
)
def test_another_sequence_is_not_this_one(telecom, viewed, page, visited):
    steps = sorted([(viewed, views, {"page": page}), (visited, visits, {})], key=lambda step: step[0])
    for time, step, fields in steps:
        step(telecom, time, **fields)
    assert later(telecom) == []


def test_seven_days_less_a_minute_is_in_time(telecom):
    views(telecom)
    visits(telecom, "2026-03-09 20:09")
    assert later(telecom) == [("2026-03-09 20:39", "stay_with_us", "sms")]


def test_without_the_shop_there_is_no_moment(telecom):
    views(telecom)
    assert later(telecom) == []


@pytest.mark.parametrize("traits", [{"tier": "silver"}, {"churn_risk": 0.2}, {"churn_risk": None}])
def test_who_is_not_premium_or_not_at_risk_gets_no_better_offer(telecom, traits):
    telecom.happens("2026-03-01 12:00", "bill_paid", SHOP, amount=30, traits=traits)
    views(telecom)
    visits(telecom)
    assert later(telecom) == []


def test_premium_is_also_who_pays_a_lot(telecom):
    telecom.happens("2026-03-01 12:00", "bill_paid", SHOP, amount=980, traits={"tier": "silver"})
    views(telecom)
    visits(telecom)
    assert later(telecom) == [("2026-03-04 17:50", "stay_with_us", "sms")]


def test_a_second_visit_starts_the_half_hour_anew(telecom):
    views(telecom)
    visits(telecom)
    visits(telecom, "2026-03-04 17:40")
    assert later(telecom) == [("2026-03-04 18:10", "stay_with_us", "sms")]


def test_not_again_within_thirty_days(telecom):
    views(telecom)
    visits(telecom)
    views(telecom, "2026-03-20 20:00")
    visits(telecom, "2026-03-21 12:00")
    assert later(telecom) == [("2026-03-04 17:50", "stay_with_us", "sms")]
    assert telecom.why("stay_with_us")[1:] == [
        ("2026-03-21 12:30", "again_after", "2026-04-03 18:50"),  # 30 days of 24 hours; the clocks went forward
        ("2026-03-23 12:30", "expired", ""),
    ]


def test_the_site_and_the_shop_must_know_that_it_is_one_person(stage):
    telecom = stage(PLAYBOOK, PRODUCTS)
    for who in (SITE, SHOP):
        telecom.happens("2026-02-01 12:00", "bill_paid", who, amount=30, traits={"tier": "gold", "churn_risk": 0.6})
    views(telecom)
    visits(telecom)
    assert later(telecom) == []


def test_found_to_be_one_person_between_the_steps(stage):
    telecom = stage(PLAYBOOK, PRODUCTS)
    telecom.happens("2026-02-01 12:00", "bill_paid", SITE, amount=30, traits={"tier": "gold", "churn_risk": 0.6})
    views(telecom)
    telecom.happens("2026-03-03 12:00", "bill_paid", SITE | SHOP, amount=30)
    visits(telecom)
    assert later(telecom) == [("2026-03-04 17:50", "stay_with_us", "sms")]
