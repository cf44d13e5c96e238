"""E5: Customers enter and leave target lists by themselves through events of service and other systems."""

import pytest

from .stage import ANN, BOB

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  line_failed: {}
  line_repaired: {}
  tariff_day: {}
facts:
  line_down: {opens: line_failed, closes: line_repaired}
segments:
  to_be_called: line_down or on_list('vip calls')
campaigns:
  we_are_sorry: {class: service, when: segment entered to_be_called, send: [call], valid_for: 2 days}
  all_is_well: {class: service, when: segment left to_be_called, send: [sms], valid_for: 2 days}
  new_tariff:
    class: sales
    when: event tariff_day
    if: on_list('tariff 2026') and not to_be_called
    valid_for: 1 day
    send: [email]
policies:
  classes: {service: {}, sales: {}}
"""


def said(company):
    return [(time, campaign) for time, campaign, _ in company.said()]


def test_a_failure_of_the_line_enters_the_list_and_its_repair_leaves_it(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 09:00", "line_failed", ANN)
    assert set(company.engine.state(ANN).segments) == {"to_be_called"}
    company.crash()
    company.happens("2026-03-02 15:00", "line_repaired", ANN)
    assert not company.engine.state(ANN).segments
    assert said(company) == [("2026-03-02 09:00", "we_are_sorry"), ("2026-03-02 15:00", "all_is_well")]


def test_nobody_who_stays_on_the_list_for_another_reason_leaves_it(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 08:00", "list_joined", ANN, list="vip calls")
    company.happens("2026-03-02 09:00", "line_failed", ANN)
    company.happens("2026-03-02 15:00", "line_repaired", ANN)
    assert said(company) == [("2026-03-02 08:00", "we_are_sorry")]


@pytest.mark.parametrize(
    ("happened", "sent"),
    [
        (["list_joined"], True),
        ([], False),
        (["list_joined", "list_left"], False),
        (["list_joined", "line_failed"], False),
        (["list_joined", "line_failed", "line_repaired"], True),
    ],
)
def test_who_is_on_a_list_when_the_day_comes_hears(stage, happened, sent):
    company = stage(PLAYBOOK)
    for hour, kind in enumerate(happened):
        fields = {"list": "tariff 2026"} if kind.startswith("list") else {}
        company.happens(f"2026-03-02 0{hour}:00", kind, BOB, **fields)
    company.reopen()
    company.happens("2026-03-02 12:00", "tariff_day", BOB)
    assert [time for time, campaign in said(company) if campaign == "new_tariff"] == ["2026-03-02 12:00"] * sent
