"""C3: Analytics narrow the actions: results of earlier actions, segment, value, potential, risk."""

from .stage import ANN, BOB

EVE = {"email": "eve@example.lt"}
PLAYBOOK = """
playbook: bank
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
traits:
  churn_risk: number            # scored elsewhere, brought in like any other trait
  potential: number
events:
  month_closed: {}
  payment_made: {fields: {amount: number}}
measures:
  spend: sum of payment_made.amount over 365 days
  accepted: count of offer_accepted over 365 days
segments:
  valuable: spend > 1000
offers:
  bonus: {value: 30, family: bonus}
  card: {value: 50, family: card}
campaigns:
  keep:
    class: sales
    when: event month_closed
    if: valuable and churn_risk > 0.5
    offer: bonus
    propensity: churn_risk
    send: [email]
    valid_for: 1 day
  grow:
    class: sales
    when: event month_closed
    if: accepted < 2
    offer: card
    propensity: potential
    send: [email]
    valid_for: 1 day
policies:
  classes: {sales: {}}
  rank: propensity * offer.value
  gap: 2 days
"""


def month(company, who, *, paid=2000, risk=0.9, potential=0.2, taken=0):
    if paid:
        company.happens("2026-03-01 10:00", "payment_made", who, amount=paid)
    for _ in range(taken):
        company.happens("2026-03-01 11:00", "offer_accepted", who, offer="card")
    scores = {"churn_risk": risk, "potential": potential}
    company.happens("2026-03-01 12:00", "profile_updated", who, traits=scores)
    company.reopen()
    company.happens("2026-03-31 10:00", "month_closed", who)
    company.until("2026-04-10 00:00")
    return [campaign for _, campaign, _ in company.said()]


def test_value_and_risk_choose_who_is_kept(stage):
    company = stage(PLAYBOOK)
    assert month(company, ANN) == ["keep"]
    decision = next(iter(company.engine.decisions()))
    assert [(line.campaign, line.score) for line in decision.lines] == [("keep", 27.0), ("grow", 10.0)]


def test_without_value_or_risk_growth_is_all_that_is_left(stage):
    assert month(stage(PLAYBOOK), BOB, paid=0) == ["grow"]


def test_without_risk_nobody_is_kept(stage):
    assert month(stage(PLAYBOOK), BOB, risk=0.1) == ["grow"]


def test_potential_turns_the_rank(stage):
    assert month(stage(PLAYBOOK), EVE, potential=0.6) == ["grow"]


def test_results_of_earlier_actions_take_the_action_away(stage):
    assert month(stage(PLAYBOOK), EVE, potential=0.6, taken=2) == ["keep"]


def test_who_is_not_known_to_the_model_is_ranked_last(stage):
    assert month(stage(PLAYBOOK), EVE, potential=None) == ["keep"]
