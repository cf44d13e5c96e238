"""A1, one day ahead: a contract that ends brings a talk about the next one a day later. A discount that comes up in
between would take the only slot of the weekend, so the slot is kept for the talk; where nothing better is planned, the
discount goes out.
"""

from .stage import ANN, BOB, at

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  contract_ended: {}
  contract_extended: {}
  page_viewed: {}
  cart_left: {}
campaigns:
  contract_talk:
    class: service
    priority: 80
    when: event contract_ended
    after: 1 day
    until: contract_extended
    again_after: 30 days
    send: [sms, email]
  discount:
    class: sales
    priority: 20
    when: event cart_left
    valid_for: 3 days
    send: [email]
policies:
  classes:
    service: {}
    sales: {}
  gap: 1 day
  look_ahead: 1 day
  hours: {all: "10:00-20:00"}
"""
SHORTSIGHTED = PLAYBOOK.replace("  look_ahead: 1 day\n", "")
TALK_AT = "2026-03-07 10:00"  # a Saturday


def weekend(company):
    """The contract ends on Friday at 9, the cart is left on Friday at 15; the customer is seen on Saturday morning."""
    company.happens("2026-03-06 09:00", "contract_ended", ANN)
    company.happens("2026-03-06 15:00", "cart_left", ANN)
    company.until("2026-03-06 16:00")
    company.reopen()
    company.happens("2026-03-06 18:00", "page_viewed", ANN)
    company.until("2026-03-08 23:00")


def test_the_slot_is_kept_for_the_talk(stage):
    company = stage(PLAYBOOK)
    weekend(company)
    assert company.said() == [
        (TALK_AT, "contract_talk", "sms"),
        ("2026-03-08 10:00", "discount", "email"),
    ]
    assert company.why("discount") == [
        ("2026-03-06 15:00", "kept_for", TALK_AT),
        ("2026-03-07 09:00", "hours", TALK_AT),  # the talk is born, and all are looked at
        (TALK_AT, "outranked", "2026-03-08 10:00"),
        ("2026-03-08 10:00", "won", ""),
    ]
    kept = company.lines()[0][1]
    assert (kept.value, kept.channel, kept.score, kept.until) == ("contract_talk", "email", 20, at(TALK_AT))


def test_the_birth_at_nine_is_planned_for_when_its_channel_opens(stage):
    company = stage(PLAYBOOK.replace("look_ahead: 1 day", "look_ahead: 18 hours"))
    weekend(company)
    assert company.why("discount") == [("2026-03-06 15:00", "won", "")]
    assert company.said()[-1] == ("2026-03-07 15:00", "contract_talk", "sms")


def test_without_a_look_ahead_the_discount_takes_the_slot(stage):
    company = stage(SHORTSIGHTED)
    weekend(company)
    assert company.said() == [
        ("2026-03-06 15:00", "discount", "email"),
        ("2026-03-07 15:00", "contract_talk", "sms"),
    ]


def test_when_the_talk_is_needed_no_more_the_discount_goes_out_at_once(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-06 09:00", "contract_ended", ANN)
    company.happens("2026-03-06 15:00", "cart_left", ANN)
    company.crash()
    company.happens("2026-03-06 17:00", "contract_extended", ANN)
    company.until("2026-03-08 23:00")
    assert company.said() == [("2026-03-06 17:00", "discount", "email")]


def test_when_the_talk_is_paused_or_stopped_the_discount_goes_out_at_once(stage):
    for turn in ("pause", "stop"):
        company = stage(PLAYBOOK)
        company.happens("2026-03-06 09:00", "contract_ended", ANN)
        company.happens("2026-03-06 15:00", "cart_left", ANN)
        company.until("2026-03-06 17:00")
        getattr(company.engine, turn)(campaign="contract_talk")
        company.until("2026-03-06 19:00")
        assert company.said() == [("2026-03-06 17:00", "discount", "email")]


def test_another_customer_and_a_slot_for_both_keep_nothing_back(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-06 09:00", "contract_ended", BOB)
    company.happens("2026-03-06 15:00", "cart_left", ANN)
    company.until("2026-03-06 15:01")
    assert company.why("discount") == [("2026-03-06 15:00", "won", "")]
    roomy = stage(PLAYBOOK.replace("gap: 1 day", "gap: 12 hours"))
    weekend(roomy)
    assert roomy.said() == [("2026-03-06 15:00", "discount", "email"), (TALK_AT, "contract_talk", "sms")]


def test_a_cap_keeps_the_slot_as_a_gap_does(stage):
    company = stage(PLAYBOOK.replace("gap: 1 day", "caps: [{max: 1, per: week}]"))
    weekend(company)
    assert company.said() == [(TALK_AT, "contract_talk", "sms")]
    monday = stage(PLAYBOOK.replace("gap: 1 day", "caps: [{max: 1, per: week, channel: email}]"))
    weekend(monday)
    assert monday.said() == [("2026-03-06 15:00", "discount", "email"), (TALK_AT, "contract_talk", "sms")]


def test_it_is_told_in_words(stage):
    company = stage(PLAYBOOK)
    weekend(company)
    first = company.engine.why(ANN, last=9)[0]
    assert (
        first.told[0].sentence
        == "stepped back for contract_talk, which is planned for Sat 07 Mar 2026 10:00; its own rank is 20"
    )
    assert first.told[0].rule == "policies.look_ahead"
    (row,) = [row for row in company.engine.decisions_table().to_pylist() if row["reason"] == "kept_for"]
    assert (row["winner"], row["until"], row["value"]) == ("contract_talk", at(TALK_AT), None)


def test_why_not_names_the_look_ahead_and_the_priority(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-06 09:00", "contract_ended", ANN)
    company.happens("2026-03-06 15:00", "cart_left", ANN)
    company.until("2026-03-06 16:00")
    found = company.engine.why_not(ANN, "discount")
    assert [(each.reason, each.rule) for each in found.obstacles] == [("kept_for", "policies.look_ahead")]
    told = {change.name: (change.found, change.needed) for change in found.changes}
    assert told["policies.look_ahead"] == ("1440 minutes", "1139 minutes")
    assert told["campaigns.discount.priority"] == ("20", "80")  # of equal ones that comes first which expires
