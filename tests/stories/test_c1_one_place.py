"""C1: Many departments own actions; all are decided together, independent of channel."""

from .stage import ANN, BOB

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  ends_soon: {}
campaigns:
  prolong: {owner: retention, class: sales, priority: 50, when: event ends_soon, send: [call], valid_for: 2 days}
  new_phone: {owner: shops, class: sales, priority: 40, when: event ends_soon, send: [sms], valid_for: 2 days}
  film_pack: {owner: television, class: sales, priority: 30, when: event ends_soon, send: [email], valid_for: 2 days}
  panel: {owner: shops, class: sales, priority: 60, when: asked, placements: [till]}
  screen: {owner: call centre, class: sales, priority: 70, when: asked, placements: [till]}
policies:
  classes: {sales: {}}
  gap: 1 day
placements: {till: {slots: 1}}
"""


def test_departments_meet_in_one_decision_whatever_their_channels(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 10:00", "ends_soon", ANN)
    (decision,) = company.engine.decisions()
    assert [(line.campaign, line.channel, line.reason) for line in decision.lines] == [
        ("prolong", "call", "won"),
        ("new_phone", "sms", "outranked"),
        ("film_pack", "email", "outranked"),
    ]
    assert {line.value for line in decision.lines if line.reason == "outranked"} == {"prolong"}


def test_the_others_wait_for_one_gap_over_all_channels(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 10:00", "ends_soon", ANN)
    company.reopen()
    company.until("2026-03-10 00:00")
    assert company.said() == [
        ("2026-03-02 10:00", "prolong", "call"),
        ("2026-03-03 10:00", "new_phone", "sms"),
    ]
    assert company.why("film_pack")[-1] == ("2026-03-04 10:00", "expired", "")


def test_without_the_gap_three_departments_speak_at_once(stage):
    company = stage(PLAYBOOK.replace("  gap: 1 day\n", ""))
    company.happens("2026-03-02 10:00", "ends_soon", BOB)
    assert {campaign for _, campaign, _ in company.said()} == {"prolong", "new_phone", "film_pack"}
    assert {time for time, _, _ in company.said()} == {"2026-03-02 10:00"}


def test_a_placement_is_shared_by_departments_too(stage):
    company = stage(PLAYBOOK)
    assert company.asks("2026-03-02 10:00", "till", ANN) == ["screen"]


def test_what_they_did_is_told_by_department(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 10:00", "ends_soon", ANN)
    company.until("2026-03-10 00:00")
    figures = {each.campaign: (each.owner, each.sent) for each in company.engine.report().campaigns}
    assert figures["prolong"] == ("retention", 1)
    assert figures["film_pack"] == ("television", 0)
