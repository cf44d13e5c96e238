"""E2: While a service problem is open, no marketing; when it is solved, marketing resumes by itself, and a message that
was missed and is still valid gets its chance again; with a time to cool off, for reopened cases too, and with a limit,
so that a forgotten ticket does not mute a customer for life. A case solved to satisfaction is itself a moment.
"""

import pytest

from .stage import ANN, BOB

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  registered: {}
  case_opened: {fields: {case_id: key}}
  case_resolved: {fields: {case_id: key, satisfied: boolean}}
  bill_due: {}
facts:
  open_case: {opens: case_opened, closes: case_resolved, per: case_id}
campaigns:
  spring_sale: {class: sales, priority: 20, when: once 2026-03-04 10:00, to: 2026-04-30, send: [email]}
  weekend_deal: {class: sales, priority: 50, when: once 2026-03-05 10:00, valid_for: 2 days, send: [sms]}
  stay_with_us: {class: retention, priority: 5, when: once 2026-03-05 11:00, to: 2026-04-30, send: [call]}
  bill_reminder: {class: service, when: event bill_due, send: [sms]}
  glad_it_works:
    class: service
    when: event case_resolved where event.satisfied
    after: 1 day
    if: not open_case
    send: [email]
policies:
  classes: {service: {strict: true}, retention: {weight: 2}, sales: {weight: 1}}
  gap: 1 hour
  suppress:
    - {stop: [retention, sales], while: open_case, then: 3 days, at_most: 30 days}
"""


@pytest.fixture
def telecom(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-01 12:00", "registered", ANN)
    return company


def opens(telecom, time, case="c1"):
    telecom.happens(time, "case_opened", ANN, case_id=case)


def solves(telecom, time, case="c1", satisfied=False):
    telecom.happens(time, "case_resolved", ANN, case_id=case, satisfied=satisfied)


def later(telecom, time="2026-05-15 00:00"):
    telecom.until(time)
    return telecom.said()


# Three days to cool off; the weekend deal was valid for two days and had none.
RESUMED = [("2026-03-10 15:00", "spring_sale", "email"), ("2026-03-10 16:00", "stay_with_us", "call")]


def test_silence_while_the_case_is_open_and_then_by_itself_the_message_that_is_still_valid(telecom):
    opens(telecom, "2026-03-03 09:00")
    telecom.reopen()
    telecom.until("2026-03-07 12:00")
    assert telecom.said() == []
    assert telecom.why("spring_sale") == [("2026-03-04 10:00", "suppressed", "")]
    solves(telecom, "2026-03-07 15:00")
    telecom.crash()
    assert later(telecom) == RESUMED
    assert telecom.why("weekend_deal") == [
        ("2026-03-05 10:00", "suppressed", ""),
        ("2026-03-07 10:00", "expired", ""),
    ]


def test_without_a_case_everything_goes_out_on_its_day(telecom):
    assert later(telecom) == [
        ("2026-03-04 10:00", "spring_sale", "email"),
        ("2026-03-05 10:00", "weekend_deal", "sms"),
        ("2026-03-05 11:00", "stay_with_us", "call"),
    ]


def test_the_case_of_another_customer_silences_only_them(telecom):
    telecom.happens("2026-03-02 09:00", "case_opened", BOB, case_id="c9")
    telecom.until("2026-03-06 12:00")
    assert [made.customer for made in telecom.engine.decisions() for _ in made.won] == [0, 0, 0]


def test_service_speaks_meanwhile(telecom):
    opens(telecom, "2026-03-03 09:00")
    telecom.happens("2026-03-04 12:00", "bill_due", ANN)
    assert telecom.said() == [("2026-03-04 12:00", "bill_reminder", "sms")]


def test_a_message_that_was_already_waiting_is_held_back_too(telecom):
    telecom.happens("2026-03-04 09:30", "bill_due", ANN)
    telecom.until("2026-03-04 10:10")
    assert telecom.why("spring_sale") == [("2026-03-04 10:00", "gap", "2026-03-04 10:30")]
    opens(telecom, "2026-03-04 10:15")
    telecom.until("2026-03-04 12:00")
    assert telecom.why("spring_sale")[1:] == [("2026-03-04 10:30", "suppressed", "")]


def test_a_reopened_case_is_silent_again_and_cools_off_again(telecom):
    opens(telecom, "2026-03-03 09:00")
    solves(telecom, "2026-03-04 15:00")
    opens(telecom, "2026-03-06 09:00")  # before the three days are over
    telecom.until("2026-03-12 12:00")
    assert telecom.said() == []
    telecom.reopen()
    solves(telecom, "2026-03-12 13:00")
    assert [time for time, _, _ in later(telecom)] == ["2026-03-15 13:00", "2026-03-15 14:00"]


def test_a_case_that_stays_solved_is_silent_for_three_days_only(telecom):
    opens(telecom, "2026-03-03 09:00")
    solves(telecom, "2026-03-04 15:00")
    assert telecom.engine.state(ANN).facts == {}
    # The weekend deal is valid until Saturday 10:00, but the silence until 15:00.
    assert [time for time, _, _ in later(telecom)] == ["2026-03-07 15:00", "2026-03-07 16:00"]
    assert telecom.why("weekend_deal")[-1] == ("2026-03-07 10:00", "expired", "")


def test_one_of_two_cases_solved_is_not_enough(telecom):
    opens(telecom, "2026-03-03 09:00", "c1")
    opens(telecom, "2026-03-03 10:00", "c2")
    solves(telecom, "2026-03-03 12:00", "c1")
    assert later(telecom, "2026-03-10 00:00") == []
    solves(telecom, "2026-03-10 09:00", "c2")
    assert [time for time, _, _ in later(telecom)] == ["2026-03-13 09:00", "2026-03-13 10:00"]


@pytest.mark.parametrize("are_one", [True, False])
def test_the_case_under_the_phone_number_silences_the_mail_of_the_same_person(stage, are_one):
    telecom = stage(PLAYBOOK)
    mail, phone = {"email": ANN["email"]}, {"phone": ANN["phone"]}
    telecom.happens("2026-03-01 12:00", "registered", mail)
    telecom.happens("2026-03-03 09:00", "case_opened", phone, case_id="c1")
    telecom.happens("2026-03-03 12:00", "registered", mail | phone if are_one else mail)
    telecom.until("2026-03-04 12:00")
    mailed = [line.reason for _, line in telecom.lines() if line.campaign == "spring_sale" and line.channel == "email"]
    assert mailed == (["suppressed"] if are_one else ["won", "no_address"])  # who has but a phone gets no mail


def test_a_case_told_after_its_solution_silences_nobody(telecom):
    telecom.happens("2026-03-04 09:00", "case_resolved", ANN, case_id="c1", occurred="2026-03-03 15:00")
    telecom.happens("2026-03-04 09:30", "case_opened", ANN, case_id="c1", occurred="2026-03-03 09:00")
    telecom.until("2026-03-04 12:00")
    assert telecom.said() == [("2026-03-04 10:00", "spring_sale", "email")]


def test_a_forgotten_ticket_does_not_mute_for_life(telecom):
    opens(telecom, "2026-03-03 09:00")
    telecom.until("2026-03-20 00:00")
    telecom.reopen()
    assert [time for time, _, _ in later(telecom)] == ["2026-04-02 10:00", "2026-04-02 11:00"]  # summer time


def test_without_the_limit_it_would(stage):
    telecom = stage(PLAYBOOK.replace(", at_most: 30 days", ""))
    telecom.happens("2026-03-01 12:00", "registered", ANN)
    opens(telecom, "2026-03-03 09:00")
    assert later(telecom) == []


def test_without_a_time_to_cool_off_it_resumes_at_once(stage):
    telecom = stage(PLAYBOOK.replace(", then: 3 days", ""))
    telecom.happens("2026-03-01 12:00", "registered", ANN)
    opens(telecom, "2026-03-03 09:00")
    solves(telecom, "2026-03-06 15:00")
    # All three are still valid.
    assert later(telecom) == [
        ("2026-03-06 15:00", "weekend_deal", "sms"),
        ("2026-03-06 16:00", "spring_sale", "email"),
        ("2026-03-06 17:00", "stay_with_us", "call"),
    ]


@pytest.mark.parametrize(("satisfied", "reopened", "count"), [(True, False, 1), (False, False, 0), (True, True, 0)])
def test_a_case_solved_to_satisfaction_is_itself_a_moment(telecom, satisfied, reopened, count):
    opens(telecom, "2026-03-03 09:00")
    solves(telecom, "2026-03-03 15:00", satisfied=satisfied)
    if reopened:
        opens(telecom, "2026-03-04 09:00")
    said = later(telecom, "2026-03-05 00:00")
    assert said == [("2026-03-04 15:00", "glad_it_works", "email")] * count
