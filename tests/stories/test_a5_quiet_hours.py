"""A5: Right message, right time: quiet hours in the customer's own time zone, and contact at the first allowed minute.

Channels keep hours; weekdays and holidays are those of the customer's clock. No class is exempt.
"""

import pytest

from .stage import ANN, BOB

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
traits:
  zone: {choice: true, is: time_zone}
events:
  bill_due: {fields: {bill_id: key}}
  plan_ends: {}
  called_us: {}
campaigns:
  bill_reminder: {class: service, when: event bill_due, per: event.bill_id, send: [sms]}
  new_plan: {class: sales, when: event plan_ends, valid_for: 7 days, send: [call]}
policies:
  classes: {service: {strict: true}, sales: {}}
  exempt: {service: [caps, gap, wait]}
"""
HOURS = """
  hours: {all: "08:00-21:00", call: ["09:00-18:00 mon-fri", "10:00-14:00 sat"]}
  holidays: [2026-03-11, 12-25]
"""


def lives_in(company, zone, who=ANN):
    company.happens("2026-03-01 12:00", "called_us", who, traits={"zone": zone})


def test_a_message_of_the_night_goes_out_in_the_morning(stage):
    company = stage(PLAYBOOK + HOURS)
    company.happens("2026-03-02 23:30", "bill_due", ANN, bill_id="b-1")
    assert company.said() == []
    assert company.why("bill_reminder") == [("2026-03-02 23:30", "hours", "2026-03-03 08:00")]
    company.reopen()
    company.until("2026-03-03 07:59")
    assert company.said() == []
    company.until("2026-03-03 12:00")
    assert company.said() == [("2026-03-03 08:00", "bill_reminder", "sms")]


def test_without_hours_it_goes_out_at_night(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 23:30", "bill_due", ANN, bill_id="b-1")
    assert company.said() == [("2026-03-02 23:30", "bill_reminder", "sms")]


@pytest.mark.parametrize(
    ("zone", "minute"),
    [
        ("Europe/Vilnius", "2026-03-03 08:00"),
        ("Europe/London", "2026-03-03 10:00"),
        ("Asia/Kathmandu", "2026-03-03 04:15"),
        ("America/New_York", "2026-03-02 23:30"),  # half past four in the afternoon
        ("Pacific/Atlantis", "2026-03-03 08:00"),  # there is no such zone: the playbook's
    ],
)
def test_the_night_is_the_customers_own(stage, zone, minute):
    company = stage(PLAYBOOK + HOURS)
    lives_in(company, zone)
    company.happens("2026-03-02 23:30", "bill_due", ANN, bill_id="b-1")
    company.crash()
    company.until("2026-03-04 00:00")
    assert company.said() == [(minute, "bill_reminder", "sms")]


def test_each_customer_has_a_clock_of_their_own(stage):
    company = stage(PLAYBOOK + HOURS)
    lives_in(company, "Europe/London", BOB)
    for who in (ANN, BOB):
        company.happens("2026-03-02 21:30", "bill_due", who, bill_id=who["email"])
    company.until("2026-03-04 00:00")
    assert company.said() == [
        ("2026-03-02 21:30", "bill_reminder", "sms"),
        ("2026-03-03 08:00", "bill_reminder", "sms"),
    ]


def test_nobody_calls_on_sundays_nor_on_holidays(stage):
    """It is Saturday after two o'clock; Wednesday the 11th is a holiday."""
    company = stage(PLAYBOOK + HOURS)
    company.happens("2026-03-07 14:00", "plan_ends", ANN)
    company.until("2026-03-08 23:59")
    assert company.why("new_plan") == [("2026-03-07 14:00", "hours", "2026-03-09 09:00")]
    company.until("2026-03-10 19:00")
    assert company.said() == [("2026-03-09 09:00", "new_plan", "call")]
    company.happens("2026-03-10 19:00", "plan_ends", BOB)
    company.until("2026-03-20 00:00")
    assert company.said()[1:] == [("2026-03-12 09:00", "new_plan", "call")]


@pytest.mark.parametrize(
    ("night", "morning"), [("2026-03-28 22:00", "2026-03-29 08:00"), ("2026-10-24 22:00", "2026-10-25 08:00")]
)
def test_in_the_nights_in_which_clocks_change_it_is_eight_all_the_same(stage, night, morning):
    company = stage(PLAYBOOK + HOURS)
    company.happens(night, "bill_due", ANN, bill_id="b-1")
    company.until(morning)
    assert company.said() == [(morning, "bill_reminder", "sms")]


def test_who_moves_while_a_message_waits_gets_it_in_the_new_morning(stage):
    company = stage(PLAYBOOK + HOURS)
    lives_in(company, "America/New_York")
    company.happens("2026-03-03 05:00", "bill_due", ANN, bill_id="b-1")  # ten in the evening there
    company.happens("2026-03-03 06:00", "called_us", ANN, traits={"zone": "Europe/Vilnius"})
    company.until("2026-03-04 00:00")
    assert company.said() == [("2026-03-03 08:00", "bill_reminder", "sms")]
    assert [until for _, reason, until in company.why("bill_reminder") if reason == "hours"] == [
        "2026-03-03 15:00",
        "2026-03-03 08:00",
    ]


@pytest.mark.parametrize(
    ("valid", "said"), [("9 hours", []), ("11 hours", [("2026-03-03 08:00", "bill_reminder", "sms")])]
)
def test_what_is_over_before_the_morning_does_not_go_out(stage, valid, said):
    company = stage(PLAYBOOK.replace("per: event.bill_id", f"per: event.bill_id, valid_for: {valid}") + HOURS)
    company.happens("2026-03-02 22:00", "bill_due", ANN, bill_id="b-1")
    company.until("2026-03-04 00:00")
    assert company.said() == said


def test_a_change_of_the_hours_reaches_what_waits(stage):
    company = stage(PLAYBOOK + HOURS)
    company.happens("2026-03-02 23:30", "bill_due", ANN, bill_id="b-1")
    (company.playbook / "playbook.yaml").write_text(PLAYBOOK + HOURS.replace("08:00", "06:00"))
    company.reopen()
    company.until("2026-03-04 00:00")
    assert company.said() == [("2026-03-03 06:00", "bill_reminder", "sms")]
