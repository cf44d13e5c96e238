"""C4: Rules bound them: budgets, call-centre capacity per day and hour, limited stock of a product, the cost of each
channel. (Who comes first takes what there is; the optimiser that finds the best use of it comes later.)
"""

import pytest

from .stage import NOBODY, at, event, shown

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  phone: {format: phone, region: LT}
products: {file: products.csv, fields: {stock: number}}
events:
  registered: {}
  line_failed: {}
  sale: {}
offers:
  red_case: {product: case_red}
campaigns:
  ask_how_it_is: {class: sales, when: event registered, send: [call]}
  repair: {class: service, when: event line_failed, send: [call]}
  case_sale: {class: sales, when: event sale, offer: red_case, send: [sms], uses: [spring_money]}
policies:
  classes: {service: {strict: true}, sales: {}}
resources:
  call_centre: {capacity: 4 per hour, hours: "09:00-18:00 mon-fri", reserve: {service: 30%}}
  case_stock: {stock: case_red}
  spring_money: {budget: 0.5 per day}
channels:
  sms: {cost: 0.2}
  call: {cost: 2.5, uses: call_centre}
"""
PRODUCTS = "product,stock\ncase_red,3\n"


def person(number):
    return {"phone": f"+3706000000{number}"}


@pytest.fixture
def telecom(stage):
    return stage(PLAYBOOK, PRODUCTS)


def happen(company, time, kind, people):
    for number in people:
        company.happens(time, kind, person(number))


def at_what_time(company, campaign):
    return [time for time, name, _ in company.said() if name == campaign]


def test_calls_keep_to_what_the_call_centre_can_take_and_each_has_its_turn(telecom):
    happen(telecom, "2026-03-02 10:20", "registered", range(8))
    telecom.reopen()
    telecom.until("2026-03-03 00:00")
    expected = ["2026-03-02 10:20"] * 3 + ["2026-03-02 11:00"] * 3 + ["2026-03-02 12:00"] * 2
    assert at_what_time(telecom, "ask_how_it_is") == expected
    assert telecom.why("ask_how_it_is")[3] == ("2026-03-02 10:20", "no_capacity", "2026-03-02 11:00")
    (why,) = telecom.engine.why(person(7), last=100)[:1]
    said = (
        "what is left of call_centre is reserved for other classes: 3 of 4 an hour are used; "
        "its turn is on Mon 02 Mar 2026 12:00 at the latest"
    )
    assert [(each.sentence, each.rule) for each in why.told] == [(said, "resources.call_centre")]
    why_not = telecom.engine.why_not(person(7), "ask_how_it_is", until=at("2026-03-02 10:30"))
    assert (why_not.headline, [each.reason for each in why_not.obstacles]) == (
        f"ask_how_it_is: {said}",
        ["no_capacity"],
    )


def test_with_room_for_all_nobody_waits(stage):
    company = stage(PLAYBOOK.replace("4 per hour", "50 per hour"), PRODUCTS)
    happen(company, "2026-03-02 10:20", "registered", range(8))
    assert len(at_what_time(company, "ask_how_it_is")) == 8


def test_what_is_reserved_for_service_is_there_for_service(telecom):
    happen(telecom, "2026-03-02 10:20", "registered", range(5))
    telecom.happens("2026-03-02 10:30", "line_failed", person(6))
    telecom.crash()
    telecom.happens("2026-03-02 10:40", "line_failed", person(7))
    telecom.until("2026-03-02 12:00")
    assert at_what_time(telecom, "repair") == ["2026-03-02 10:30", "2026-03-02 11:00"]


def test_without_a_reserve_service_waits(stage):
    company = stage(PLAYBOOK.replace(", reserve: {service: 30%}", ""), PRODUCTS)
    happen(company, "2026-03-02 10:20", "registered", range(5))
    company.happens("2026-03-02 10:30", "line_failed", person(6))
    company.until("2026-03-02 12:00")
    assert at_what_time(company, "repair") == ["2026-03-02 11:00"]


def test_outside_of_its_hours_nobody_is_called(telecom):
    happen(telecom, "2026-03-06 17:59", "registered", range(5))  # a Friday
    telecom.until("2026-03-10 00:00")
    assert at_what_time(telecom, "ask_how_it_is") == ["2026-03-06 17:59"] * 3 + ["2026-03-09 09:00"] * 2


def test_no_more_is_offered_than_is_in_stock_or_paid_for_and_more_when_there_is_more(telecom):
    happen(telecom, "2026-03-02 10:00", "sale", range(6))
    assert len(at_what_time(telecom, "case_sale")) == 2  # the money of a day is 0.50, a message costs 0.20
    telecom.reopen()
    telecom.until("2026-03-20 00:00")
    assert at_what_time(telecom, "case_sale")[2:] == ["2026-03-03 00:00"]  # the last case
    telecom.happens("2026-03-20 12:00", "resource_set", NOBODY, resource="case_stock", left=10)
    telecom.crash()
    telecom.until("2026-03-22 00:00")
    assert at_what_time(telecom, "case_sale")[3:] == ["2026-03-20 12:00"] * 2 + ["2026-03-21 00:00"]


def test_another_playbook_leaves_used_what_is_used(telecom):
    happen(telecom, "2026-03-02 10:20", "registered", range(5))
    path = telecom.playbook / "playbook.yaml"
    path.write_text(path.read_text().replace("4 per hour", "5 per hour"))
    telecom.engine.publish(telecom.playbook)
    telecom.until("2026-03-02 10:50")
    assert at_what_time(telecom, "ask_how_it_is") == ["2026-03-02 10:20"] * 4
    before = telecom.engine.hash()
    telecom.crash()
    assert telecom.engine.hash() == before


DESK = """
playbook: desk
time_zone: Europe/Vilnius
identifiers: {phone: {format: phone, region: LT}}
events: {registered: {}, line_failed: {}}
facts: {open_case: {opens: line_failed}}
campaigns:
  ask_how_it_is: {class: sales, when: event registered, send: [call]}
policies:
  classes: {sales: {}}
  suppress: [{stop: [sales], while: open_case}]
resources:
  call_centre: {capacity: 5 per hour, hours: "09:00-18:00 mon-fri"}
channels:
  call: {uses: call_centre}
"""


def called_in_turn(stage, with_a_case):
    """Five an hour are called: thirty have registered, and some open a case before eleven o'clock."""
    company = stage(DESK)
    people = [{"phone": f"+370600000{number}"} for number in range(10, 40)]
    company.arrive("2026-03-02 10:20", [event("registered", each) for each in people])
    company.reopen()
    company.arrive("2026-03-02 10:30", [event("line_failed", people[number]) for number in with_a_case])
    company.until("2026-03-02 11:30")
    company.crash()
    company.until("2026-03-02 18:00")
    made = [(made.time, made.customer) for made in company.engine.decisions() for line in made.lines
            if line.reason == "won"]  # fmt: skip
    assert len({customer for _, customer in made}) == len(made)  # nobody is called twice
    return [shown(time)[-5:] for time, _ in made], [customer for _, customer in made]


def test_when_all_who_were_to_be_called_cannot_be_the_next_in_line_are_called_that_hour(stage):
    hours, customers = called_in_turn(stage, range(5, 10))
    assert hours == [hour for hour in ("10:20", "11:00", "12:00", "13:00", "14:00") for _ in range(5)]
    assert customers == [*range(5), *range(10, 30)]


def test_when_all_can_be_called_each_is_called_in_turn(stage):
    hours, customers = called_in_turn(stage, [])
    assert hours == [hour for hour in ("10:20", "11:00", "12:00", "13:00", "14:00", "15:00") for _ in range(5)]
    assert customers == [*range(30)]


def bounced(stage, kind):
    """Two may have the sale's message that day; of the first it is told what became, then a third wants it."""
    company = stage(PLAYBOOK.replace("sms: {cost: 0.2}", "sms: {cost: 0.2, receipts: 1 hour}"), PRODUCTS)
    happen(company, "2026-03-02 10:00", "sale", range(2))
    company.crash()
    company.happens("2026-03-02 10:10", kind, person(0), contact=0)
    happen(company, "2026-03-02 10:20", "sale", [5])
    company.reopen()
    company.until("2026-03-02 23:00")
    return at_what_time(company, "case_sale")


def test_what_bounces_gives_its_money_back(stage):
    assert bounced(stage, "contact_failed") == ["2026-03-02 10:00", "2026-03-02 10:00", "2026-03-02 10:20"]


def test_what_arrives_does_not(stage):
    assert bounced(stage, "contact_delivered") == ["2026-03-02 10:00", "2026-03-02 10:00"]


def told_of_one(stage, kind):
    """Three stand in line behind the two of that day; of the first of those it is told at noon what became."""
    company = stage(PLAYBOOK.replace("sms: {cost: 0.2}", "sms: {cost: 0.2, receipts: 5 hours}"), PRODUCTS)
    happen(company, "2026-03-02 10:00", "sale", range(5))
    company.reopen()
    company.happens("2026-03-02 12:00", kind, person(0), contact=0)
    before = company.engine.hash()
    company.crash()
    assert company.engine.hash() == before
    company.until("2026-03-02 23:00")
    said = [(time, made.customer) for made in company.engine.decisions() for time in [made.time] for line in made.lines
            if line.reason == "won"]  # fmt: skip
    return [(shown(time), customer) for time, customer in said]


def test_what_bounces_is_handed_on_at_once_to_who_waits_and_comes_next(stage):
    first = [("2026-03-02 10:00", 0), ("2026-03-02 10:00", 1)]
    assert told_of_one(stage, "contact_failed") == [*first, ("2026-03-02 12:00", 2)]
    assert told_of_one(stage, "contact_cancelled") == [*first, ("2026-03-02 12:00", 2)]


def test_what_arrives_leaves_them_waiting_for_tomorrow(stage):
    assert told_of_one(stage, "contact_delivered") == [("2026-03-02 10:00", 0), ("2026-03-02 10:00", 1)]
