"""A2: Priorities between campaigns are set in one place and hold whatever the channel: no e-mail + SMS + call on one
day from three departments.
"""

from .stage import ANN

# Three departments, three files of their own in real life; the order between them stands under `policies` alone.
PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
events:
  price_viewed: {}
  data_used_up: {}
  contract_ends_soon: {}
campaigns:
  price_letter:
    owner: marketing
    class: acquisition
    when: event price_viewed
    valid_for: 7 days
    send: [email]
  more_data:
    owner: products
    class: upsell
    when: event data_used_up
    valid_for: 7 days
    send: [sms]
  stay_with_us:
    owner: retention team
    class: retention
    when: event contract_ends_soon
    valid_for: 7 days
    send: [call]
policies:
  classes: {acquisition: {weight: 1}, retention: {weight: 3}, upsell: {weight: 2}}
  rank: weight
  wait: 10 minutes
  caps:
    - {max: 1, per: day}
"""

THREE = [
    ("retention", "stay_with_us", "call"),
    ("upsell", "more_data", "sms"),
    ("acquisition", "price_letter", "email"),
]


def busy_monday(company):
    company.happens("2026-03-02 09:00", "price_viewed", ANN)
    company.happens("2026-03-02 09:04", "data_used_up", ANN)
    company.happens("2026-03-02 09:08", "contract_ends_soon", ANN)


def test_one_contact_a_day_in_the_order_set_in_one_place(stage):
    company = stage(PLAYBOOK)
    busy_monday(company)
    company.until("2026-03-02 23:00")
    assert company.said() == [("2026-03-02 09:10", "stay_with_us", "call")]
    company.reopen()
    company.until("2026-03-10 00:00")
    assert company.said() == [
        ("2026-03-02 09:10", "stay_with_us", "call"),
        ("2026-03-03 00:00", "more_data", "sms"),  # the playbook asks for no quiet hours
        ("2026-03-04 00:00", "price_letter", "email"),
    ]


def test_those_that_wait_are_told_by_which_rule(stage):
    company = stage(PLAYBOOK)
    busy_monday(company)
    company.until("2026-03-02 23:00")
    *_, last = company.engine.decisions()
    assert [(line.campaign, line.reason, line.rule, line.value, line.limit) for line in last.lines] == [
        ("price_letter", "cap", "policies.caps[0]", 1, 1),
        ("more_data", "cap", "policies.caps[0]", 1, 1),
    ]


def test_without_the_common_rule_three_departments_speak_on_one_day(stage):
    """Caps of each department for itself are what the story wants to be rid of."""
    each = "\n".join(f"    - {{max: 1, per: day, class: {klass}}}" for klass, _, _ in THREE)
    company = stage(PLAYBOOK.replace("    - {max: 1, per: day}", each))
    busy_monday(company)
    company.until("2026-03-02 23:00")
    assert company.said() == [("2026-03-02 09:10", campaign, channel) for _, campaign, channel in THREE]


def test_another_order_is_one_line(stage):
    changed = "{acquisition: {weight: 3}, retention: {weight: 2}, upsell: {weight: 1}}"
    company = stage(
        PLAYBOOK.replace("{acquisition: {weight: 1}, retention: {weight: 3}, upsell: {weight: 2}}", changed)
    )
    busy_monday(company)
    company.until("2026-03-10 00:00")
    assert [campaign for _, campaign, _ in company.said()] == ["price_letter", "stay_with_us", "more_data"]


def test_each_alone_speaks_on_its_day(stage):
    company = stage(PLAYBOOK)
    company.happens("2026-03-02 09:00", "price_viewed", ANN)
    company.happens("2026-03-03 09:00", "data_used_up", ANN)
    company.happens("2026-03-04 09:00", "contract_ends_soon", ANN)
    company.until("2026-03-10 00:00")
    assert company.said() == [
        ("2026-03-02 09:10", "price_letter", "email"),
        ("2026-03-03 09:10", "more_data", "sms"),
        ("2026-03-04 09:10", "stay_with_us", "call"),
    ]
