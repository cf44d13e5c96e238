"""Pitfalls into which others fell, told as stories so that we stay out of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import onevoice
from onevoice.errors import JournalError, PlaybookError
from onevoice.playbook.load import load_files

from .stage import ANN, BOB, at, event

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  user_id: {unique: true}
  email: {format: email}
  phone: {format: phone, region: LT}
traits: {wanted: number}
events:
  tip_due: {fields: {topic: key}}
  billed: {fields: {number: key}}
  called_us: {}
campaigns:
  tip: {class: advice, when: event tip_due, per: event.topic, send: [push]}
  bill: {class: service, priority: 9, when: event billed, per: event.number, send: [push]}
policies:
  classes: {service: {}, advice: {}}
"""
CAPPED = PLAYBOOK + "  caps: [{max: 2, per: week}]\n"
HOME, WORK = {"email": "ann@home.lt"}, {"phone": "+37061111111"}


def tip(company, time, who=ANN):
    company.happens(time, "tip_due", who, topic=time)


def said(company):
    return [(time, campaign) for time, campaign, _ in company.said()]


def test_pitfall_2_check_then_act(stage):
    """Who checks a cap also takes its place, in one step: of many who ask at once no two find the same place free."""
    company = stage(CAPPED)

    def caller(number):
        for i in range(5):
            wish = event("tip_due", ANN, topic=f"{number}.{i}")
            company.engine.ingest([wish], time=at("2026-03-02 09:00"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(caller, range(6)))
    assert len(said(company)) == 2


def test_pitfall_2_a_second_writer_is_kept_out(stage):
    company = stage(CAPPED)
    tip(company, "2026-03-02 09:00")
    with pytest.raises(JournalError, match="the journal is in use"):
        onevoice.open(company.playbook, company.data)


@pytest.mark.parametrize("again", ["reopen", "crash", "publish"])
def test_pitfall_3_caps_as_counters_break_on_merge_and_on_replay(stage, again):
    """What is counted are the contacts in the window, whoever they were sent to before, and however often replayed."""
    company = stage(CAPPED)
    tip(company, "2026-03-02 09:00", HOME)
    tip(company, "2026-03-03 09:00", WORK)
    company.happens("2026-03-03 10:00", "called_us", HOME | WORK)
    if again == "publish":
        company.engine.publish(load_files({"playbook.yaml": CAPPED.replace("max: 2", "max: 3").encode()}))
        tip(company, "2026-03-03 11:00", HOME)
    else:
        getattr(company, again)()
    tip(company, "2026-03-04 09:00", WORK)
    company.until("2026-03-20 00:00")
    sent = 2 + (again == "publish")
    assert len([time for time, _ in said(company) if time < "2026-03-09"]) == sent
    assert said(company)[-1] == ("2026-03-09 00:00", "tip")


def test_pitfall_4_absent_is_not_zero(stage):
    """No cap lets all through, a choice that nobody made is no choice, and a cap of nought is refused with a hint."""
    free = stage(PLAYBOOK)
    own = stage(PLAYBOOK + "  caps: [{max: 2, per: week, own_max: wanted}]\n")
    for company in (free, own):
        for time in ("2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00"):
            tip(company, time)
    assert (len(said(free)), len(said(own))) == (3, 2)
    with pytest.raises(PlaybookError, match="for no cap leave the line out"):
        load_files({"playbook.yaml": CAPPED.replace("max: 2", "max: 0").encode()})


@pytest.mark.parametrize(
    ("rules", "bills", "tips"),
    [
        ({"service: {}": "service: {counts: false}", "  caps": "  exempt: {service: caps}\n  caps"}, 4, 2),
        ({"  caps": "  exempt: {service: caps}\n  caps"}, 4, 0),  # they go out, and use the place of others
        ({"service: {}": "service: {counts: false}"}, 4, 2),  # none of them fills the cap, so none is held by it
        ({}, 2, 0),
    ],
)
def test_pitfall_5_the_cap_on_marketing_also_capped_transactional_mail(stage, rules, bills, tips):
    text = CAPPED
    for old, new in rules.items():
        text = text.replace(old, new)
    company = stage(text)
    for number, time in enumerate(("2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00", "2026-03-02 12:00")):
        company.happens(time, "billed", ANN, number=f"{number}")
    company.reopen()
    for time in ("2026-03-02 13:00", "2026-03-02 14:00", "2026-03-02 15:00"):
        tip(company, time)
    sent = [campaign for _, campaign in said(company)]
    assert (sent.count("bill"), sent.count("tip")) == (bills, tips)


def test_pitfall_6_a_merge_that_loses_the_survivor(stage):
    """After a merge each of the names finds the one person, with both histories."""
    company = stage(CAPPED)
    tip(company, "2026-03-02 09:00", HOME)
    tip(company, "2026-03-02 10:00", WORK)
    company.happens("2026-03-02 11:00", "called_us", HOME | WORK)
    company.reopen()
    first, second = (company.engine.state(who) for who in (HOME, WORK))
    assert first.number == second.number
    tip(company, "2026-03-02 12:00", HOME)
    tip(company, "2026-03-02 13:00", WORK)
    assert len(said(company)) == 2


def test_pitfall_6_a_merge_of_two_known_people(stage):
    """Two who are known apart stay two, whatever they share; each has caps of their own."""
    company = stage(CAPPED)
    ann, bob = {"user_id": "u1"} | ANN, {"user_id": "u2"} | BOB
    for who in (ann, bob):
        company.happens("2026-03-02 08:00", "called_us", who)
    company.happens("2026-03-02 08:30", "called_us", ann | {"phone": BOB["phone"]})
    company.reopen()
    for hour in ("09", "10", "11"):
        tip(company, f"2026-03-02 {hour}:00", {"user_id": "u1"})
        tip(company, f"2026-03-02 {hour}:30", {"user_id": "u2"})
    assert company.engine.state(ann).number != company.engine.state({"user_id": "u2"}).number
    assert [time[11:] for time, _ in said(company)] == ["09:00", "09:30", "10:00", "10:30"]


@pytest.mark.parametrize("again", ["reopen", "crash"])
def test_pitfall_7_a_retry_that_got_a_new_identity(stage, again):
    """An event that is sent once more is the same event, and what was decided keeps its number."""
    company = stage(PLAYBOOK)
    sent = [event("tip_due", ANN, topic="rain", id="e-1")]
    company.arrive("2026-03-02 09:00", sent)
    before = [repr(made) for made in company.engine.decisions()]
    getattr(company, again)()
    company.now = at("2026-03-02 09:01")
    taken = company.engine.ingest(sent, time=company.now)
    assert (taken.accepted, taken.duplicates) == (0, 1)
    assert [repr(made) for made in company.engine.decisions()] == before
    company.arrive("2026-03-02 09:02", [event("tip_due", ANN, topic="rain", id="e-2")])
    assert [line.contact for _, line in company.lines()] == [0, 1]
