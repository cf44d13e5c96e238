"""E2 and E6 for companies: a colleague's open case speaks for the account. While it is open nobody there hears of
sales; when it is solved, or the one who has it leaves, that ends by itself. Groups never make one person of two.
"""

import pytest

from .stage import ANN, BOB, event, shown

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
groups:
  account: {by: company_id, leaves: left_company}
events:
  hired: {fields: {company_id: key}}
  left_company: {fields: {company_id: key}}
  case_opened: {fields: {case_id: key}}
  case_resolved: {fields: {case_id: key}}
  line_broken: {}
  bill_due: {}
facts:
  open_case: {opens: case_opened, closes: case_resolved, per: case_id}
  outage: {opens: line_broken, lasts: 12 hours}
segments:
  in_trouble: any account.outage
campaigns:
  spring_sale: {class: sales, priority: 20, when: once 2026-03-04 10:00, to: 2026-04-30, send: [email]}
  bill_reminder: {class: service, when: event bill_due, send: [sms]}
  all_well_again: {class: service, when: segment left in_trouble, send: [sms]}
policies:
  classes: {service: {strict: true}, sales: {}}
  suppress:
    - {stop: sales, while: any account.open_case, then: 1 day, at_most: 30 days}
"""
EVE = {"email": "eve@example.lt", "phone": "+37063333333"}
NAMES = ["ann", "bob", "eve"]
PEOPLE = [ANN, BOB, EVE]


@pytest.fixture
def telecom(stage):
    return hired(stage(PLAYBOOK))


def hired(company, *employers):
    """Let Ann and Bob work for one company, and Eve for another, unless told otherwise."""
    for who, employer in zip(PEOPLE, employers or ("acme", "acme", "other"), strict=True):
        company.happens("2026-03-01 12:00", "hired", who, company_id=employer)
    return company


def heard(telecom, campaign="spring_sale", until="2026-04-20 00:00"):
    """Return who heard of a campaign, and when."""
    telecom.until(until)
    made = [(decision, line) for decision in telecom.engine.decisions() for line in decision.won]
    return [(NAMES[decision.customer], shown(decision.time)) for decision, line in made if line.campaign == campaign]


ON_THE_DAY = "2026-03-04 10:00"


def test_a_colleagues_open_case_silences_the_account_and_ends_by_itself(telecom):
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    telecom.until("2026-03-05 09:00")
    telecom.reopen()
    telecom.happens("2026-03-06 15:00", "case_resolved", ANN, case_id="c1")
    telecom.crash()
    assert heard(telecom) == [("eve", ON_THE_DAY), ("ann", "2026-03-07 15:00"), ("bob", "2026-03-07 15:00")]


def test_without_the_case_all_hear_of_it_on_its_day(telecom):
    assert heard(telecom) == [(name, ON_THE_DAY) for name in ("ann", "bob", "eve")]


def test_a_case_of_somebody_alone_is_theirs_alone(stage):
    telecom = hired(stage(PLAYBOOK), None, None, None)
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    assert heard(telecom, until="2026-03-20 00:00") == [("bob", ON_THE_DAY), ("eve", ON_THE_DAY)]


def test_service_speaks_meanwhile(telecom):
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    telecom.happens("2026-03-04 12:00", "bill_due", BOB)
    assert ("bob", "2026-03-04 12:00") in heard(telecom, "bill_reminder")


def test_a_forgotten_case_of_a_colleague_does_not_mute_the_account_for_life(telecom):
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    telecom.until("2026-03-15 00:00")
    telecom.reopen()
    summer = "2026-04-02 10:00"  # 30 days of 24 hours later
    assert heard(telecom)[1:] == [("ann", summer), ("bob", summer)]


@pytest.mark.parametrize("named", [{"company_id": "acme"}, {}])
def test_who_leaves_takes_their_case_along(telecom, named):
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    telecom.until("2026-03-05 00:00")
    telecom.happens("2026-03-06 15:00", "left_company", ANN, **named)
    assert heard(telecom, until="2026-03-20 00:00")[1:] == [("bob", "2026-03-07 15:00")]


def test_who_leaves_another_company_takes_nothing_along(telecom):
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    telecom.happens("2026-03-06 15:00", "left_company", ANN, company_id="other")
    assert heard(telecom, until="2026-03-20 00:00") == [("eve", ON_THE_DAY)]


def test_who_comes_brings_their_case(telecom):
    telecom.happens("2026-03-03 09:00", "case_opened", EVE, case_id="c1")
    telecom.happens("2026-03-03 12:00", "hired", EVE, company_id="acme")
    assert heard(telecom, until="2026-03-20 00:00") == []


def test_one_of_two_companies_in_trouble_is_enough(stage):
    telecom = hired(stage(PLAYBOOK))
    telecom.happens("2026-03-02 12:00", "hired", EVE, company_id="acme")
    telecom.happens("2026-03-03 09:00", "case_opened", EVE, case_id="c1")
    telecom.happens("2026-03-03 10:00", "left_company", EVE, company_id="other")
    telecom.happens("2026-03-03 11:00", "left_company", BOB)
    assert heard(telecom, until="2026-03-20 00:00") == [("bob", "2026-03-04 11:00")]  # a day after he left


def test_a_fact_that_ends_by_time_ends_for_the_account(telecom):
    telecom.happens("2026-03-02 09:00", "line_broken", ANN)
    telecom.reopen()
    assert heard(telecom, "all_well_again") == [("ann", "2026-03-02 21:00"), ("bob", "2026-03-02 21:00")]


def test_the_case_comes_along_when_two_are_found_to_be_one(telecom):
    telecom.happens("2026-03-02 09:00", "case_opened", {"email": "dan@example.lt"}, case_id="c1")
    telecom.happens("2026-03-03 09:00", "bill_due", ANN | {"email": "dan@example.lt"})
    assert heard(telecom, until="2026-03-20 00:00") == [("eve", ON_THE_DAY)]


def test_what_came_late_counts_when_it_occurred(telecom):
    """The solution came before the case; both came late: nobody is silenced."""
    telecom.happens("2026-03-04 09:00", "case_resolved", ANN, case_id="c1", occurred="2026-03-03 15:00")
    telecom.happens("2026-03-04 09:30", "case_opened", ANN, case_id="c1", occurred="2026-03-03 09:00")
    assert heard(telecom) == [(name, ON_THE_DAY) for name in ("ann", "bob", "eve")]


def test_the_reason_names_the_group(telecom):
    telecom.happens("2026-03-03 09:00", "case_opened", ANN, case_id="c1")
    telecom.until("2026-03-05 00:00")
    found = telecom.engine.why_not(BOB, "spring_sale")
    assert [obstacle.reason for obstacle in found.obstacles] == ["suppressed"]
    assert "any account.open_case" in found.obstacles[0].sentence
    assert [made.lines[0].reason for made in telecom.engine.decisions(BOB)] == ["suppressed"]


def test_who_is_in_a_group_is_told(telecom):
    assert len(telecom.engine.state(ANN).facts["account"]) == 1
    telecom.happens("2026-03-06 15:00", "left_company", ANN)
    assert "account" not in telecom.engine.state(ANN).facts


def test_a_crowd_is_asked_up_to_its_thousandth(stage):
    """Of 1,001 in one account the last is not kept: their case is theirs alone, and they are told to be left out."""
    lines = PLAYBOOK.replace(", then: 1 day, at_most: 30 days", "").split("\n")
    telecom = stage("\n".join(line for line in lines if "in_trouble" not in line and line != "segments:"))
    crowd = [{"email": f"p{number}@example.lt"} for number in range(1001)]
    answer = telecom.engine.ingest([event("hired", who, company_id="acme") for who in crowd], time=telecom.now)
    assert answer.left_out == {"members not kept": 1}
    telecom.happens("2026-03-03 09:00", "case_opened", crowd[1000], case_id="c1")
    telecom.until("2026-03-04 11:00")
    assert len(telecom.said()) == 1000
    telecom.happens("2026-03-05 09:00", "left_company", crowd[5])
    telecom.happens("2026-03-05 10:00", "hired", crowd[1000], company_id="acme")
    assert telecom.engine.ingest([event("bill_due", crowd[1000])], time=telecom.now).left_out == {}
