"""C2: Inbound: a customer comes to the web site, app, call centre or shop; the same engine answers which offer or
treatment to show, and the refusal or acceptance is known everywhere at once.
"""

import pytest

from .stage import ANN, BOB, at, event

PLAYBOOK = """
playbook: telecom
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
products: {file: products.csv, fields: {price: number}}
events:
  registered: {}
  talked: {}
  order_delivered: {}
facts:
  pending: {opens: offer_accepted, closes: order_delivered, per: product, lasts: 30 days}
offers:
  extension_discount: {product: contract_plus, family: extension}
  extension_gift: {product: contract_gift, family: extension}
  red_case: {product: case_red}
campaigns:
  discount_letter: {class: sales, when: event registered, after: 3 days, offer: extension_discount, send: [email]}
  gift_letter: {class: sales, when: event registered, after: 4 days, offer: extension_gift, send: [email]}
  gift_banner: {class: sales, priority: 30, when: asked, placements: [banner, call_screen], offer: extension_gift}
  case_banner: {class: sales, priority: 5, when: asked, placements: [banner, call_screen], offer: red_case}
  thanks: {class: service, when: "event offer_accepted where event.campaign = 'case_banner'", send: [sms]}
policies:
  classes: {service: {}, sales: {}}
  gap: 1 hour
  caps:
    - {max: 1, per: day}
    - {max: 3, per: week, placement: banner, family: extension}
  suppress:
    - {stop: offers, while: refused(offer.family)}
    - {stop: offers, while: not_now(offer.family)}
    - {stop: offers, while: pending(offer.product)}
  refusals: {refused: 90 days, not_now: 14 days}
placements:
  banner:
    slots: 1
    default: brand_banner
    caps: [{max: 5, per: day}]
    fatigue: {times: 2, pause: 2 days}
  call_screen: {slots: 3, default: small_talk}
  kiosk: {}
"""
PRODUCTS = "product,price\ncontract_plus,30\ncontract_gift,30\ncase_red,19\n"
PAGE, PHONE = {"email": ANN["email"]}, {"phone": ANN["phone"]}
LETTERS = [("2026-03-04 12:00", "discount_letter", "email"), ("2026-03-05 12:00", "gift_letter", "email")]


@pytest.fixture
def telecom(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-03-01 12:00", "registered", ANN)
    return company


def asked(company, time, placement="banner", who=PAGE):
    """Return the answer to a customer who reaches us somewhere."""
    company.now = at(time)
    return company.engine.decide(placement, who)


def names(decision):
    return [line.campaign for line in decision.won]


def reasons(decision):
    return {line.campaign: line.reason for line in decision.lines}


def responds(company, time, kind, decision, who=PHONE, **fields):
    """Let an agent enter what a customer said; return what of it was not taken up."""
    company.now = at(time)
    found = company.engine.ingest([event(kind, who, decision=decision, channel="call", **fields)], time=company.now)
    return found.left_out


def test_what_is_refused_on_the_phone_is_known_everywhere_at_once(telecom):
    shown = asked(telecom, "2026-03-02 12:00")
    assert names(shown) == ["gift_banner"]
    telecom.reopen()
    assert not responds(telecom, "2026-03-02 12:05", "offer_refused", shown.number)
    after = asked(telecom, "2026-03-02 12:05")
    assert (names(after), reasons(after)["gift_banner"]) == (["case_banner"], "suppressed")
    telecom.until("2026-03-06 12:00")
    assert telecom.said() == []  # neither the letter about the same offer nor that about its sibling
    assert telecom.why("discount_letter") == [("2026-03-04 12:00", "suppressed", "")]
    assert telecom.why("gift_letter") == [("2026-03-05 12:00", "suppressed", "")]
    telecom.until("2026-06-01 12:00")
    # When the refusal is over both go out; which of the two equals goes first is a lot.
    assert sorted(campaign for _, campaign, _ in telecom.said()) == ["discount_letter", "gift_letter"]


def test_what_is_not_refused_goes_out(telecom):
    asked(telecom, "2026-03-02 12:00")
    telecom.reopen()
    telecom.until("2026-03-06 12:00")
    assert telecom.said() == LETTERS


@pytest.mark.parametrize(
    ("decision", "who", "fields"),
    [(0, BOB, {}), (77, PHONE, {}), (1, PHONE, {}), (0, PHONE, {"campaign": "case_banner"})],
    ids=["another's", "unknown", "nothing shown", "another campaign"],
)
def test_a_response_to_what_was_not_shown_is_an_event_and_nothing_more(telecom, decision, who, fields):
    assert asked(telecom, "2026-03-02 12:00").number == 0
    assert names(asked(telecom, "2026-03-02 12:01", "kiosk")) == []
    assert responds(telecom, "2026-03-02 12:05", "offer_refused", decision, who, **fields) == {"unknown decisions": 1}
    telecom.until("2026-03-06 12:00")
    assert [each for each in telecom.said() if each in LETTERS] == LETTERS


def test_what_is_accepted_is_pending_and_thanked_for_at_once(telecom):
    screen = asked(telecom, "2026-03-02 12:00", "call_screen")
    assert (names(screen), screen.default) == (["gift_banner", "case_banner"], "small_talk")
    assert responds(telecom, "2026-03-02 12:01", "offer_accepted", screen.number) == {"unknown decisions": 1}
    assert names(asked(telecom, "2026-03-02 12:02", "call_screen")) == ["gift_banner", "case_banner"]
    telecom.reopen()
    assert not responds(telecom, "2026-03-02 12:03", "offer_accepted", screen.number, campaign="case_banner")
    after = asked(telecom, "2026-03-02 12:04", "call_screen")
    assert reasons(after) == {"gift_banner": "won", "case_banner": "suppressed"}
    telecom.until("2026-03-02 13:00")
    assert telecom.said() == [("2026-03-02 12:03", "thanks", "sms")]


def test_a_banner_has_caps_of_its_own_and_rests_where_nobody_reacts(telecom):
    found = [asked(telecom, f"2026-03-02 12:0{minute}") for minute in range(6)]
    assert [names(each) for each in found[:4]] == [["gift_banner"]] * 2 + [["case_banner"]] * 2
    assert reasons(found[2])["gift_banner"] == "fatigue"
    telecom.reopen()
    rest = next(line for line in found[2].lines if line.reason == "fatigue")
    assert (rest.rule, rest.value, rest.limit) == ("placements.banner.fatigue", 2, 2)
    assert rest.until == at("2026-03-04 12:01")
    assert (names(found[4]), found[4].default) == ([], "brand_banner")  # now both rest
    (why,) = telecom.engine.why(PAGE, "gift_banner")
    (told,) = [each.sentence for each in why.told if each.campaign == "gift_banner"]
    rule = "a rest of 2 days after 2 shows without a reaction"
    assert told == f"{rule}: 2 of 2 are counted; it rests until Wed 04 Mar 2026 12:01"
    why_not = telecom.engine.why_not(PAGE, "gift_banner")
    assert [obstacle.reason for obstacle in why_not.obstacles] == ["fatigue"]
    # The third show would have been an earlier one, and more than three the cap does not let in.
    (change,) = why_not.changes
    assert (
        change.sentence == "if placements.banner.fatigue.times were 3 instead of 2, only from Mon 02 Mar 2026 12:05 on"
    )
    # Who clicks has not had enough of it.
    assert not responds(telecom, "2026-03-02 12:10", "offer_clicked", found[1].number)
    assert names(asked(telecom, "2026-03-02 12:11")) == ["gift_banner"]
    full = asked(telecom, "2026-03-02 12:12")
    assert reasons(full) == {"gift_banner": "cap", "case_banner": "fatigue"}
    (line, _) = full.lines
    assert (line.rule, line.value, line.limit, line.until) == ("policies.caps[1]", 3, 3, at("2026-03-09 00:00"))
    why_not = telecom.engine.why_not(PAGE, "gift_banner")
    assert [obstacle.rule for obstacle in why_not.obstacles] == ["policies.caps[1]", "placements.banner.caps[0]"]
    telecom.until("2026-03-06 12:00")
    assert telecom.said() == LETTERS  # what was shown cost no message


def test_the_placements_own_cap_holds_over_all_that_is_shown(stage):
    told = PLAYBOOK.replace("    fatigue: {times: 2, pause: 2 days}\n", "")
    company = stage(told, PRODUCTS)
    found = [asked(company, f"2026-03-02 12:0{minute}") for minute in range(6)]
    assert [names(each) for each in found] == [["gift_banner"]] * 3 + [["case_banner"]] * 2 + [[]]
    company.reopen()
    line = found[-1].lines[1]
    assert (line.rule, line.value, line.until) == ("placements.banner.caps[0]", 5, at("2026-03-03 00:00"))
    assert names(asked(company, "2026-03-03 00:00")) == ["case_banner"]


def test_what_was_shown_is_known_under_a_changed_playbook(telecom):
    shown = asked(telecom, "2026-03-02 12:00")
    asked(telecom, "2026-03-02 12:01")
    telecom.reopen()
    changed = PLAYBOOK.replace("priority: 30", "priority: 40").replace("  case_banner:", "  new_banner:")
    changed = changed.replace("campaign = 'case_banner'", "campaign = 'new_banner'")
    (telecom.playbook / "playbook.yaml").write_text(changed)
    telecom.engine.publish(telecom.playbook)
    assert reasons(asked(telecom, "2026-03-02 12:02"))["gift_banner"] == "fatigue"
    assert not responds(telecom, "2026-03-02 12:05", "offer_refused", shown.number)
    assert reasons(asked(telecom, "2026-03-02 12:06"))["gift_banner"] == "suppressed"
    telecom.until("2026-03-06 12:00")
    assert telecom.said() == []
