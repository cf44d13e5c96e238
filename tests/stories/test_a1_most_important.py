"""A1: A customer qualifies for several campaigns at once (a bill reminder, a new-shop notice, a discount, a big
promotion): only the most important one goes out; each of the others gets exactly one recorded reason, and either
waits for its turn until it expires or is dropped, as the playbook says.
"""

from .stage import ANN, at

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
traits:
  tier: choice
events:
  registered: {}
  bill_due: {fields: {bill_id: key, amount: number}}
  bill_paid: {fields: {bill_id: key}}
campaigns:
  new_shop:
    class: news
    priority: 10
    when: once 2026-03-02 10:00
    to: 2026-03-05
    send: [email]
  discount:
    class: sales
    priority: 20
    when: once 2026-03-02 10:00
    valid_for: 12 hours
    send: [sms]
  big_promotion:
    class: sales
    priority: 50
    when: once 2026-03-02 10:00
    send: [email]
  bill_reminder:
    class: service
    when: event bill_due
    until: bill_paid
    send: [sms, email]
policies:
  classes:
    service: {strict: true}
    sales: {weight: 2}
    news: {weight: 1}
  wait: 5 minutes
  gap: 1 day
"""


def monday_morning(company, *, bill=True):
    """Let all four want Ann within five minutes."""
    company.happens("2026-03-01 12:00", "registered", ANN)
    company.until("2026-03-02 10:00")
    if bill:
        company.happens("2026-03-02 10:02", "bill_due", ANN, bill_id="b1", amount=31.5)


def test_only_the_most_important_goes_out_and_each_other_has_one_reason(stage):
    company = stage(PLAYBOOK)
    monday_morning(company)
    company.until("2026-03-02 12:00")
    (decision,) = company.engine.decisions()
    assert decision.time == at("2026-03-02 10:05")
    assert [(line.campaign, line.reason, line.value) for line in decision.lines] == [
        ("new_shop", "outranked", "bill_reminder"),
        ("discount", "outranked", "bill_reminder"),
        ("big_promotion", "outranked", "bill_reminder"),
        ("bill_reminder", "won", None),
    ]
    assert [line.score for line in decision.lines] == [10, 40, 100, 0]  # service is strict: its rank is not asked
    assert all(line.until == at("2026-03-03 10:05") for line in decision.lines if line.reason == "outranked")


def test_the_others_wait_for_their_turn_until_they_expire(stage):
    company = stage(PLAYBOOK)
    monday_morning(company)
    company.until("2026-03-02 18:00")
    company.reopen()
    company.until("2026-03-31 00:00")
    assert company.said() == [
        ("2026-03-02 10:05", "bill_reminder", "sms"),
        ("2026-03-03 10:05", "big_promotion", "email"),
        ("2026-03-04 10:05", "new_shop", "email"),
    ]
    assert company.why("discount") == [
        ("2026-03-02 10:05", "outranked", "2026-03-03 10:05"),
        ("2026-03-02 22:00", "expired", ""),
    ]
    assert company.why("new_shop") == [
        ("2026-03-02 10:05", "outranked", "2026-03-03 10:05"),
        ("2026-03-03 10:05", "outranked", "2026-03-04 10:05"),
        ("2026-03-04 10:05", "won", ""),
    ]


def test_one_that_waits_longer_than_its_campaign_runs_is_dropped(stage):
    company = stage(PLAYBOOK.replace("to: 2026-03-05", "to: 2026-03-03"))
    monday_morning(company)
    company.until("2026-03-31 00:00")
    assert company.why("new_shop")[-1] == ("2026-03-04 00:00", "expired", "")
    assert [campaign for _, campaign, _ in company.said()] == ["bill_reminder", "big_promotion"]


def test_one_that_no_longer_fits_when_its_turn_comes_is_dropped(stage):
    company = stage(PLAYBOOK.replace("priority: 50", "priority: 50\n    if: tier is null or tier <> 'left'"))
    monday_morning(company)
    company.happens("2026-03-02 15:00", "registered", ANN, traits={"tier": "left"})
    company.until("2026-03-31 00:00")
    assert company.why("big_promotion")[1:] == [("2026-03-03 10:05", "not_eligible", "")]
    assert company.said()[1] == ("2026-03-03 10:05", "new_shop", "email")


def test_without_the_bill_the_promotion_goes_first(stage):
    company = stage(PLAYBOOK)
    monday_morning(company, bill=False)
    company.until("2026-03-31 00:00")
    assert company.said() == [
        ("2026-03-02 10:05", "big_promotion", "email"),
        ("2026-03-03 10:05", "new_shop", "email"),
    ]


def test_a_bill_paid_while_the_reminder_waits_ends_it(stage):
    company = stage(PLAYBOOK)
    monday_morning(company)
    company.happens("2026-03-02 10:04", "bill_paid", ANN, bill_id="b1")
    company.until("2026-03-02 12:00")
    assert company.why("bill_reminder") == [("2026-03-02 10:04", "ended", "")]
    assert company.said() == [("2026-03-02 10:05", "big_promotion", "email")]


def test_without_its_limit_the_discount_has_its_turn(stage):
    company = stage(PLAYBOOK.replace("valid_for: 12 hours", "valid_for: 5 days"))
    monday_morning(company)
    company.until("2026-03-31 00:00")
    assert company.said()[1:] == [
        ("2026-03-03 10:05", "big_promotion", "email"),
        ("2026-03-04 10:05", "discount", "sms"),
        ("2026-03-05 10:05", "new_shop", "email"),
    ]
