"""D5: A detected moment is joined with the customer's context to judge risk or chance, and to choose the best action,
product, price or other parameter.
"""

from .stage import ANN, BOB

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
traits:
  tier: choice
products: {file: products.csv, fields: {price: number}}
events:
  page_viewed: {fields: {page: choice}}
  order_placed: {fields: {product: product, amount: number}}
facts:
  owns: {opens: order_placed, per: product}
measures:
  spend: sum of order_placed.amount over 365 days
moments:
  looks_around:
    - 2 page_viewed where page = 'upgrade' within 1 day
offers:
  tablet: {product: tablet, value: 30}
  router:
    product: router
    value: 20
    parameters: {months: 24, discount: {is: case when spend > 1000 then 0.2 else 0.1 end}}
  cover: {product: cover, value: 5}
  gold_phone: {product: phone, value: 90, if: tier = 'gold'}
campaigns:
  upgrade:
    class: sales
    when: moment looks_around
    offer: [cover, tablet, router, gold_phone]
    send: [email]
    valid_for: 2 days
policies:
  classes: {sales: {}}
  rank: offer.value
  suppress: [{stop: offers, while: owns(offer.product)}]
"""
PRODUCTS = "product,price\ntablet,300\nrouter,80\ncover,9\nphone,900\n"


def looks_around(company, day, who):
    company.happens(f"{day} 10:00", "page_viewed", who, page="upgrade")
    company.reopen()
    company.happens(f"{day} 11:00", "page_viewed", who, page="upgrade")


def offered(company):
    return [(line.offer, line.score, line.parameters) for _, line in company.lines() if line.reason == "won"]


def test_the_best_offer_that_the_customer_may_get_is_made(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    looks_around(company, "2026-03-02", ANN)
    assert offered(company) == [("tablet", 30.0, {})]


def test_what_is_owned_leaves_the_turn_to_the_next_best_with_a_price_of_its_own(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-03-01 10:00", "order_placed", ANN, product="tablet", amount=1200)
    company.happens("2026-03-01 10:00", "order_placed", BOB, product="tablet", amount=300)
    looks_around(company, "2026-03-02", ANN)
    looks_around(company, "2026-03-03", BOB)
    assert offered(company) == [("router", 20.0, {"discount": 0.2}), ("router", 20.0, {"discount": 0.1})]
    (why,) = company.engine.why(ANN)
    assert why.told[0].sentence == "goes out by email with a rank of 20; the offer is router with discount 0.2"
    table = company.engine.decisions_table().to_pylist()
    assert [(row["offer"], row["parameters"], row["probability"]) for row in table] == [
        ("router", [("discount", 0.2)], 1.0),
        ("router", [("discount", 0.1)], 1.0),
    ]


def test_an_offer_of_its_own_goes_to_whom_it_is_for(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-03-01 10:00", "page_viewed", ANN, traits={"tier": "gold"}, page="home")
    looks_around(company, "2026-03-02", ANN)
    looks_around(company, "2026-03-02", BOB)
    assert [offer for offer, _, _ in offered(company)] == ["gold_phone", "tablet"]


def test_who_owns_all_of_it_is_left_alone_and_the_reason_is_said(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    for product in ("tablet", "router", "cover"):
        company.happens("2026-03-01 10:00", "order_placed", ANN, product=product, amount=1)
    looks_around(company, "2026-03-02", ANN)
    assert [(line.reason, line.offer, line.rule) for _, line in company.lines()] == [
        ("suppressed", "cover", "policies.suppress[0]")
    ]
    assert company.said() == []


def test_without_the_moment_nothing_is_offered(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-03-02 10:00", "page_viewed", ANN, page="upgrade")
    company.happens("2026-03-03 10:01", "page_viewed", ANN, page="upgrade")
    assert company.lines() == []
