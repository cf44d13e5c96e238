"""D3: Telecom: changed the phone, then several failed attempts to connect: call and help."""

import pytest

from .stage import ANN

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  phone_changed: {fields: {model: choice}}
  connection_failed: {}
  connected: {}
  sale_announced: {}
moments:
  cannot_connect:
    - phone_changed
    - no connected
    - 3 connection_failed within 1 day
campaigns:
  help_to_connect:
    class: service
    when: moment cannot_connect
    valid_for: 4 hours
    until: connected
    send: [call]
  sale:
    class: sales
    when: event sale_announced
    valid_for: 1 day
    send: [sms]
policies:
  classes: {service: {strict: true}, sales: {}}
  wait: 5 minutes
  gap: 4 hours
  caps:
    - {max: 1, per: day}
  exempt: {service: [wait, gap, caps]}
"""


@pytest.fixture
def telecom(stage):
    return stage(PLAYBOOK)


def fails(telecom, *times):
    for time in times:
        telecom.happens(time, "connection_failed", ANN)


def changed(telecom, time="2026-03-02 18:00"):
    telecom.happens(time, "phone_changed", ANN, model="fairphone_6")


def helped(telecom):
    telecom.until("2026-03-20 00:00")
    return [(time, channel) for time, campaign, channel in telecom.said() if campaign == "help_to_connect"]


def test_three_failures_after_a_new_phone_and_we_call(telecom):
    changed(telecom)
    fails(telecom, "2026-03-02 18:20", "2026-03-02 18:40")
    telecom.reopen()
    fails(telecom, "2026-03-03 08:05")
    assert helped(telecom) == [("2026-03-03 08:05", "call")]


def test_two_failures_are_not_several(telecom):
    changed(telecom)
    fails(telecom, "2026-03-02 18:20", "2026-03-02 18:40")
    assert telecom.engine.state(ANN).moments["cannot_connect"][0].done == 3
    assert helped(telecom) == []


def test_without_a_new_phone_failures_are_the_networks(telecom):
    fails(telecom, "2026-03-02 18:20", "2026-03-02 18:40", "2026-03-03 08:05")
    assert helped(telecom) == []


def test_failures_before_the_change_do_not_count(telecom):
    fails(telecom, "2026-03-02 16:00", "2026-03-02 17:00")
    changed(telecom)
    fails(telecom, "2026-03-02 18:20", "2026-03-02 18:40")
    assert helped(telecom) == []


@pytest.mark.parametrize(("third", "count"), [("2026-03-03 17:59", 1), ("2026-03-03 18:00", 0)])
def test_the_third_must_come_within_a_day_of_the_change(telecom, third, count):
    changed(telecom)
    fails(telecom, "2026-03-02 18:20", "2026-03-02 18:40", third)
    assert len(helped(telecom)) == count


@pytest.mark.parametrize("connected", ["2026-03-02 18:10", "2026-03-02 18:50"])
def test_who_connected_meanwhile_needs_no_help(telecom, connected):
    changed(telecom)
    steps = [(time, "connection_failed") for time in ("2026-03-02 18:20", "2026-03-02 18:40", "2026-03-02 19:00")]
    for time, kind in sorted([*steps, (connected, "connected")]):
        telecom.happens(time, kind, ANN)
    assert helped(telecom) == []


def test_the_same_failure_told_twice_is_one(telecom):
    changed(telecom)
    for time in ("2026-03-02 18:20", "2026-03-02 18:21", "2026-03-02 18:40"):
        telecom.happens(time, "connection_failed", ANN, id="f-1" if time < "2026-03-02 18:30" else "f-2")
    assert helped(telecom) == []


def test_failures_told_out_of_order_count_by_when_they_occurred(telecom):
    changed(telecom)
    telecom.happens("2026-03-02 19:00", "connection_failed", ANN, occurred="2026-03-02 17:30")  # before the change
    fails(telecom, "2026-03-02 19:10", "2026-03-02 19:20")
    assert helped(telecom) == []


def test_help_does_not_wait_for_the_rules_of_advertising(telecom):
    telecom.happens("2026-03-02 18:00", "sale_announced", ANN)
    changed(telecom, "2026-03-02 18:01")
    fails(telecom, "2026-03-02 18:10", "2026-03-02 18:20", "2026-03-02 18:30")
    assert telecom.said() == [
        ("2026-03-02 18:05", "sale", "sms"),
        ("2026-03-02 18:30", "help_to_connect", "call"),
    ]


def test_without_the_exemption_it_would_wait(stage):
    telecom = stage(PLAYBOOK.replace("  exempt: {service: [wait, gap, caps]}\n", ""))
    telecom.happens("2026-03-02 18:00", "sale_announced", ANN)
    changed(telecom, "2026-03-02 18:01")
    fails(telecom, "2026-03-02 18:10", "2026-03-02 18:20", "2026-03-02 18:30")
    telecom.until("2026-03-02 20:00")
    assert telecom.why("help_to_connect") == [("2026-03-02 18:35", "gap", "2026-03-02 22:05")]


def test_each_new_phone_is_a_new_story(telecom):
    changed(telecom)
    fails(telecom, "2026-03-02 18:20", "2026-03-02 18:40", "2026-03-02 19:00", "2026-03-02 19:10", "2026-03-02 19:20")
    fails(telecom, "2026-03-02 19:30")  # six failures, one change: one call
    changed(telecom, "2026-03-10 18:00")
    fails(telecom, "2026-03-10 18:20", "2026-03-10 18:40", "2026-03-10 19:00")
    assert helped(telecom) == [("2026-03-02 19:00", "call"), ("2026-03-10 19:00", "call")]
