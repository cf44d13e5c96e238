"""A3 for those who live together: at most so many contacts in a household, whoever of it gets them; each household of
its own, and who lives alone for themselves. Nobody becomes one person with another.
"""

import pytest

from onevoice.errors import LimitError
from onevoice.runtime import related

from .stage import ANN, BOB, shown

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
groups:
  household: {by: home, leaves: moved_out}
traits:
  zone: {choice: true, is: time_zone}
  tier: choice
events:
  moved_in: {fields: {home: choice}}
  moved_out: {fields: {home: choice}}
  tip_due: {fields: {topic: key}}
  bill_due: {fields: {bill: key}}
  called_us: {}
segments:
  gold: tier = 'gold'
campaigns:
  tip: {class: advice, when: event tip_due, per: event.topic, send: [sms, push]}
  bill: {class: service, when: event bill_due, per: event.bill, send: [sms]}
policies:
  classes: {service: {counts: false}, advice: {}}
  exempt: {service: caps}
  caps:
"""
EVE = {"email": "eve@example.lt", "phone": "+37063333333"}
NAMES = ["ann", "bob", "eve"]


def capped(*caps):
    return PLAYBOOK + "".join(f"    - {{{cap}}}\n" for cap in caps)


def living(company, *homes):
    """Let Ann and Bob live together, and Eve elsewhere, unless told otherwise; None: nobody knows where."""
    for who, home in zip([ANN, BOB, EVE], homes or ("oak", "oak", "elm"), strict=True):
        company.happens("2026-03-01 12:00", "moved_in", who, home=home)
    return company


def tip(company, time, who, kind="tip_due"):
    company.happens(time, kind, who, **{"topic" if kind == "tip_due" else "bill": time})


def heard(company, until="2026-03-30 00:00"):
    company.until(until)
    made = [(decision, line) for decision in company.engine.decisions() for line in decision.won]
    return [(NAMES[decision.customer], shown(decision.time)) for decision, line in made]


@pytest.mark.parametrize("home", ["oak", None])
def test_a_household_has_two_a_week(stage, home):
    company = living(stage(capped("max: 2, per: week, group: household")), home, home, "elm")
    tip(company, "2026-03-02 09:00", ANN)
    company.reopen()
    tip(company, "2026-03-03 09:00", BOB)
    company.crash()
    tip(company, "2026-03-04 09:00", ANN)
    tip(company, "2026-03-04 10:00", BOB)
    tip(company, "2026-03-04 11:00", EVE)
    kept = ["2026-03-09 00:00"] * 2 if home else ["2026-03-04 09:00", "2026-03-04 10:00"]
    expected = [("ann", "2026-03-02 09:00"), ("bob", "2026-03-03 09:00")]
    expected += [("ann", kept[0]), ("bob", kept[1]), ("eve", "2026-03-04 11:00")]
    assert sorted(heard(company)) == sorted(expected)


def test_seven_days_roll_over_all_who_live_there(stage):
    company = living(stage(capped("max: 2, per: 7 days, group: household")))
    for time, who in (("02 09:00", ANN), ("03 09:00", BOB), ("04 09:00", ANN), ("04 10:00", BOB)):
        tip(company, f"2026-03-{time}", who)
    assert heard(company) == [
        ("ann", "2026-03-02 09:00"),
        ("bob", "2026-03-03 09:00"),
        ("ann", "2026-03-09 09:00"),  # Bob's is woken then, too; of those of one instant Ann's is first
        ("bob", "2026-03-10 09:00"),
    ]


def test_the_line_has_the_count_of_the_household(stage):
    company = living(stage(capped("max: 2, per: week, group: household")))
    for time, who in (("02 09:00", ANN), ("02 10:00", ANN), ("02 11:00", BOB)):
        tip(company, f"2026-03-{time}", who)
    (line,) = (line for decision in company.engine.decisions(BOB) for line in decision.lines)
    assert (line.reason, line.value, line.limit, shown(line.until)) == ("cap", 2, 2, "2026-03-09 00:00")
    (told,) = company.engine.why(BOB)
    assert "over the household" in str(told)
    found = company.engine.why_not(BOB, "tip")
    assert [obstacle.reason for obstacle in found.obstacles] == ["cap"]
    assert "policies.caps[0].max" in [change.name for change in found.changes]


def test_what_counts_nowhere_counts_in_no_household(stage):
    company = living(stage(capped("max: 1, per: week, group: household")))
    tip(company, "2026-03-02 09:00", ANN, "bill_due")
    tip(company, "2026-03-02 10:00", BOB)
    tip(company, "2026-03-02 11:00", ANN, "bill_due")
    assert heard(company) == [("ann", "2026-03-02 09:00"), ("bob", "2026-03-02 10:00"), ("ann", "2026-03-02 11:00")]


def test_another_scope_is_counted_in_the_household_for_itself(stage):
    company = living(stage(capped("max: 1, per: week, channel: sms, group: household")))
    for hour, who in enumerate((ANN, BOB, ANN), 9):
        tip(company, f"2026-03-02 {hour:02}:00", who)
    assert [channel for _, _, channel in company.said()] == ["sms", "push", "push"]


@pytest.mark.parametrize(("moves", "expected"), [(True, "2026-03-03 09:00"), (False, "2026-03-09 00:00")])
def test_who_moves_out_need_not_wait(stage, moves, expected):
    company = living(stage(capped("max: 1, per: week, group: household")))
    tip(company, "2026-03-02 09:00", ANN)
    tip(company, "2026-03-02 10:00", BOB)
    company.reopen()
    company.happens("2026-03-03 09:00", "moved_out" if moves else "called_us", BOB)
    assert heard(company)[1] == ("bob", expected)


def test_whom_somebody_leaves_need_not_wait_either(stage):
    company = living(stage(capped("max: 1, per: week, group: household")))
    tip(company, "2026-03-02 09:00", ANN)
    tip(company, "2026-03-02 10:00", BOB)
    company.happens("2026-03-03 09:00", "moved_out", ANN, home="oak")
    assert heard(company)[1] == ("bob", "2026-03-03 09:00")


@pytest.mark.parametrize(
    ("counts_from", "told", "expected"),
    [
        ("sent", "contact_failed", "2026-03-02 11:00"),
        ("sent", "contact_sent", "2026-03-09 00:00"),
        ("delivered", "contact_sent", "2026-03-02 15:00"),  # six hours after the reservation, and not delivered
        ("delivered", "contact_delivered", "2026-03-09 00:00"),
    ],
)
def test_a_contact_that_counts_no_more_leaves_its_room_to_the_household(stage, counts_from, told, expected):
    playbook = capped("max: 1, per: week, group: household") + f"  counts_from: {counts_from}\n"
    playbook = playbook.replace("[sms, push]", "[sms]") + "channels: {sms: {receipts: 6 hours}}\n"
    company = living(stage(playbook))
    tip(company, "2026-03-02 09:00", ANN)
    tip(company, "2026-03-02 10:00", BOB)
    company.reopen()
    company.happens("2026-03-02 11:00", told, ANN, contact=0)
    assert heard(company)[1] == ("bob", expected)


def test_who_lives_in_two_homes_has_room_when_both_have(stage):
    company = living(stage(capped("max: 1, per: 3 days, group: household")))
    company.happens("2026-03-01 13:00", "moved_in", BOB, home="elm")
    tip(company, "2026-03-02 09:00", ANN)
    tip(company, "2026-03-03 09:00", EVE)
    tip(company, "2026-03-03 10:00", BOB)
    assert heard(company)[2:] == [("bob", "2026-03-06 09:00")]


def test_a_segment_of_the_household_may_have_another_number(stage):
    company = living(
        stage(capped("max: 1, per: week, group: household", "max: 2, per: week, group: household, for: gold"))
    )
    company.happens("2026-03-02 08:00", "called_us", BOB, traits={"tier": "gold"})
    for time, who in (("02 09:00", ANN), ("02 10:00", BOB), ("02 11:00", ANN)):
        tip(company, f"2026-03-{time}", who)
    assert heard(company, "2026-03-08 00:00") == [("ann", "2026-03-02 09:00"), ("bob", "2026-03-02 10:00")]


def test_a_day_is_that_of_who_is_asked(stage):
    company = living(stage(capped("max: 1, per: day, group: household")))
    company.happens("2026-03-02 08:00", "called_us", BOB, traits={"zone": "Europe/London"})
    tip(company, "2026-03-02 23:30", ANN)
    tip(company, "2026-03-03 00:30", BOB)  # in London the day of Ann's still
    assert heard(company)[1] == ("bob", "2026-03-03 02:00")


def test_two_found_to_be_one_are_one_of_the_household(stage):
    company = living(stage(capped("max: 2, per: week, group: household")))
    tip(company, "2026-03-02 09:00", {"email": "dan@example.lt"})
    company.happens("2026-03-02 10:00", "called_us", ANN | {"email": "dan@example.lt"})
    tip(company, "2026-03-03 09:00", BOB)
    tip(company, "2026-03-03 10:00", BOB)
    assert [shown(time) for time, line in company.lines() if line.contact is not None][:2] == [
        "2026-03-02 09:00",
        "2026-03-03 09:00",
    ]
    company.until("2026-03-08 00:00")
    assert len(company.said()) == 2


def test_a_cap_of_a_new_playbook_knows_who_lived_together_before_it(stage):
    company = living(stage(PLAYBOOK.replace("  caps:\n", "")))
    tip(company, "2026-03-02 09:00", ANN)
    (company.playbook / "playbook.yaml").write_text(capped("max: 1, per: week, group: household"))
    company.engine.publish(company.playbook)
    tip(company, "2026-03-03 09:00", BOB)
    tip(company, "2026-03-03 10:00", EVE)
    company.reopen()
    assert sorted(heard(company, "2026-03-08 00:00")) == [("ann", "2026-03-02 09:00"), ("eve", "2026-03-03 10:00")]


def test_with_whom_too_many_hang_together_nobody_is_decided_alone(stage, monkeypatch):
    company = living(stage(capped("max: 1, per: week, group: household")))
    tip(company, "2026-03-02 09:00", ANN)
    tip(company, "2026-03-02 10:00", BOB)
    monkeypatch.setattr(related, "RELATED_MAX", 1)
    assert company.engine.why_not(EVE, "tip") is not None
    with pytest.raises(LimitError, match="too many hang together; expected at most 1; found 2 customers"):
        company.engine.why_not(BOB, "tip")
