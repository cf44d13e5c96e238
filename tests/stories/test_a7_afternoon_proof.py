"""A7: The afternoon proof: from last year's events and the contact log of today's tools, one page shows who was
over-contacted, what went out during open cases or after the purchase, which campaigns eat which, and the same year
under new rules.
"""

import json

import pytest

import onevoice
from onevoice.cli import main

RULES = """
playbook: new_rules
time_zone: Europe/Vilnius
identifiers:
  user_id: {unique: true}
  email: {format: email}
products: {file: products.csv}
events:
  case_opened: {fields: {case_id: key}}
  case_resolved: {fields: {case_id: key}}
  order_placed: {fields: {order_id: key, product: product}}
facts:
  open_case: {opens: case_opened, closes: case_resolved, per: case_id}
  owns: {opens: order_placed, per: product}
offers:
  phone_offer: {product: phone, family: phones}
campaigns:
  phones: {class: sales, when: event case_resolved, valid_for: 2 days, offer: phone_offer, send: [email]}
policies:
  classes: {service: {strict: true}, sales: {}}
  caps: [{max: 1, per: day}]
  exempt: {service: [caps]}
  suppress:
    - {stop: [sales], while: open_case}
    - {stop: offers, while: owns(offer.product)}
"""
# Four tools of today, each with its own idea of the customer. Times are those of Vilnius.
LOG = """sent;address;what;kind;by
02.03.2026 09:00;ann@example.lt;spring;sales;email
02.03.2026 11:00;ann@example.lt;phones;sales;sms
02.03.2026 23:30;bob@example.lt;spring;sales;push
04.03.2026 10:00;bob@example.lt;phones;sales;email
04.03.2026 12:00;bob@example.lt;bill;service;email
05.03.2026 10:00;cid@example.lt;phones;sales;email
someday;cid@example.lt;phones;sales;email
"""
MAPPING = """
time: {column: sent, formats: ["%d.%m.%Y %H:%M"], zone: Europe/Vilnius}
csv: {delimiter: ";"}
identifiers: {email: address}
events: [{type: contact_reported, fields: {campaign: what, class: kind, channel: by}}]
"""
BOB = {"user_id": "b1", "email": "bob@example.lt"}


def event(kind, time, who, **fields):
    return {"type": kind, "time": time, "identifiers": who, "fields": fields}


# Bob opens a case in the shop, under his number; the log knows only his address. Cid buys the phone.
OPENED = event("case_opened", "2026-03-03T12:00:00+02:00", {"user_id": "b1"}, case_id="c1")
BOUGHT = event("order_placed", "2026-03-05T09:00:00+02:00", {"email": "cid@example.lt"}, order_id="o1", product="phone")
YEAR = [
    event("profile_updated", "2026-03-01T12:00:00+02:00", BOB),
    OPENED,
    event("case_resolved", "2026-03-05T12:00:00+02:00", {"user_id": "b1"}, case_id="c1"),
    BOUGHT,
]


@pytest.fixture
def afternoon(tmp_path):
    """Give `afternoon(events)`: the audit of the log beside these events."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "playbook.yaml").write_text(RULES)
    (tmp_path / "rules" / "products.csv").write_text("product\nphone\n")
    (tmp_path / "sent.csv").write_text(LOG)
    (tmp_path / "sent.yaml").write_text(MAPPING)

    def audit_of(events):
        (tmp_path / "events.ndjson").write_text(
            "\n".join(map(json.dumps, sorted(events, key=lambda each: each["time"])))
        )
        return onevoice.audit(
            tmp_path / "events.ndjson",
            tmp_path / "sent.csv",
            contacts_mapping=tmp_path / "sent.yaml",
            playbook=tmp_path / "rules",
        )

    return audit_of


def found(audit):
    return {each.words: each.contacts for each in audit.findings if each.contacts}


QUIET = "quiet from 21:00 to 8:00 where the customer is"
TOO_MANY, IN_CASE, OWNED = "at most 1 a day", "no sales while open_case", "no offers while owns(offer.product)"


def test_one_look_shows_what_went_wrong_and_what_the_rules_would_have_made_of_it(afternoon):
    audit = afternoon(YEAR)
    assert (audit.contacts, audit.customers, audit.found, audit.found_customers) == (6, 3, 4, 3)
    assert found(audit) == {TOO_MANY: 1, IN_CASE: 1, OWNED: 1, QUIET: 1}
    assert [(each.words, each.who, each.campaign) for each in audit.instances] == [
        (TOO_MANY, "email ann@example.lt", "phones"),
        (IN_CASE, "email bob@example.lt", "phones"),
        (OWNED, "email cid@example.lt", "phones"),
        (QUIET, "email bob@example.lt", "spring"),
    ]
    assert {(each.one, each.other): each.times for each in audit.pairs} == {
        ("bill", "phones"): 1,
        ("bill", "spring"): 1,
        ("phones", "spring"): 2,
    }
    # Ann's second message goes out a day later, Bob's when his case is resolved; Cid is left in peace.
    assert {each.campaign: (each.wishes, each.sent) for each in audit.year.campaigns} == {
        "bill": (1, 1),
        "phones · email": (2, 1),
        "phones · sms": (1, 1),
        "spring · email": (1, 1),
        "spring · push": (1, 1),
    }
    held = {(each.reason, each.words): (each.wishes, each.sent_later) for each in audit.year.reasons}
    assert held == {("cap", TOO_MANY): (1, 1), ("suppressed", IN_CASE): (1, 1), ("suppressed", OWNED): (1, 0)}
    assert any("kept aside: a time in no format (line 8)" in line for line in audit.read)


@pytest.mark.parametrize(("missing", "words"), [(OPENED, IN_CASE), (BOUGHT, OWNED)], ids=["case", "purchase"])
def test_without_the_deciding_event_nothing_is_wrong_with_the_message(afternoon, missing, words):
    audit = afternoon([each for each in YEAR if each is not missing])
    assert words not in found(audit)
    assert words not in {each.words for each in audit.year.reasons}
    assert audit.found == 3


def test_a_case_of_somebody_else_is_nobodys(afternoon):
    other = OPENED | {"identifiers": {"user_id": "b2"}}
    assert IN_CASE not in found(afternoon([other if each is OPENED else each for each in YEAR]))


def test_the_command_gives_one_page(afternoon, tmp_path, capsys):
    audit = afternoon(YEAR)
    files = [f"{tmp_path / name}" for name in ("events.ndjson", "sent.csv")]
    given = ["--contacts-mapping", f"{tmp_path / 'sent.yaml'}", "--playbook", f"{tmp_path / 'rules'}"]
    with pytest.raises(SystemExit) as ended:
        main(["audit", *files, *given, "--html", f"{tmp_path / 'audit.html'}", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["found"] == audit.found
    assert "no sales while open_case" in (tmp_path / "audit.html").read_text("utf-8")
