"""E3: A product refused in one channel (on the phone, say) is not offered in another, nor is its sibling offer; "not
now" and being ignored count too, for a shorter time.
"""

import pytest

from .stage import ANN

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
offers:
  extension_discount: {product: contract_plus, value: 40, family: extension}
  extension_gift: {product: contract_gift, value: 30, family: extension}
  red_case: {product: case_red, value: 8}
campaigns:
  discount_call:
    class: sales
    priority: 30
    when: event talked
    valid_for: 1 hour
    offer: extension_discount
    send: [call]
  discount_letter: {class: sales, priority: 20, when: once 2026-03-04 10:00, offer: extension_discount, send: [email]}
  gift_letter: {class: sales, priority: 10, when: once 2026-03-05 10:00, offer: extension_gift, send: [sms]}
  gift_banner: {class: sales, priority: 10, when: asked, placements: [home_banner], offer: extension_gift}
  case_banner: {class: sales, priority: 5, when: asked, placements: [home_banner], offer: red_case}
policies:
  classes: {sales: {}}
  suppress:
    - {stop: offers, while: refused(offer.family)}
    - {stop: offers, while: not_now(offer.family)}
    - {stop: offers, while: ignored(offer.family)}
  refusals: {refused: 90 days, not_now: 14 days, ignored: {times: 3, pause: 30 days}}
placements:
  home_banner: {slots: 1}
"""
PRODUCTS = "product,price\ncontract_plus,30\ncontract_gift,30\ncase_red,19\n"


@pytest.fixture
def telecom(stage):
    company = stage(PLAYBOOK, PRODUCTS)
    company.happens("2026-03-01 12:00", "registered", ANN)
    return company


def answers(telecom, kind, time="2026-03-02 15:00", offer="extension_discount"):
    """Let Ann answer an offer on the phone."""
    telecom.happens(time, kind, {"phone": ANN["phone"]}, offer=offer, channel="call")


def banner(telecom, time):
    return telecom.asks(time, "home_banner", {"email": ANN["email"]})


LETTERS = [("2026-03-04 10:00", "discount_letter", "email"), ("2026-03-05 10:00", "gift_letter", "sms")]


def test_refused_on_the_phone_it_comes_by_no_other_channel_nor_does_its_sibling(telecom):
    answers(telecom, "offer_refused")
    telecom.reopen()
    telecom.until("2026-03-20 00:00")
    assert telecom.said() == []
    held = [line for _, line in telecom.lines()]
    assert [(line.campaign, line.reason, line.rule) for line in held] == [
        ("discount_letter", "suppressed", "policies.suppress[0]"),
        ("gift_letter", "suppressed", "policies.suppress[0]"),
    ]
    assert banner(telecom, "2026-03-20 10:00") == ["case_banner"]  # another family


def test_without_the_refusal_both_come_by_every_channel(telecom):
    telecom.until("2026-03-20 00:00")
    assert telecom.said() == LETTERS
    assert banner(telecom, "2026-03-20 10:00") == ["gift_banner"]


def test_refusing_one_family_says_nothing_of_another(telecom):
    answers(telecom, "offer_refused", offer="red_case")
    telecom.until("2026-03-20 00:00")
    assert telecom.said() == LETTERS
    assert banner(telecom, "2026-03-20 10:00") == ["gift_banner"]


def test_a_refusal_in_the_banner_is_known_on_the_phone_at_once(telecom):
    assert banner(telecom, "2026-03-02 15:00") == ["gift_banner"]
    telecom.happens("2026-03-02 15:01", "offer_refused", {"email": ANN["email"]}, offer="extension_gift", channel="web")
    telecom.happens("2026-03-02 15:02", "talked", {"phone": ANN["phone"]})
    assert telecom.why("discount_call") == [("2026-03-02 15:02", "suppressed", "")]


@pytest.mark.parametrize("are_one", [True, False])
def test_a_refusal_under_one_name_counts_under_the_other_when_they_are_one_person(stage, are_one):
    telecom = stage(PLAYBOOK, PRODUCTS)
    mail, phone = {"email": ANN["email"]}, {"phone": ANN["phone"]}
    telecom.happens("2026-03-01 12:00", "registered", mail)
    telecom.happens("2026-03-02 15:00", "offer_refused", phone, offer="extension_gift", channel="call")
    telecom.happens("2026-03-03 12:00", "registered", mail | phone if are_one else mail)
    assert banner(telecom, "2026-03-04 09:00") == ["case_banner" if are_one else "gift_banner"]


@pytest.mark.parametrize(
    ("kind", "lifted", "rule"),
    [
        ("offer_refused", "2026-05-31 16:00", "policies.suppress[0]"),  # 90 days; the clocks went forward
        ("offer_not_now", "2026-03-16 15:00", "policies.suppress[1]"),  # 14 days
    ],
)
def test_each_answer_counts_for_its_time(telecom, kind, lifted, rule):
    answers(telecom, kind)
    telecom.until("2026-03-10 00:00")
    assert {line.rule for _, line in telecom.lines()} == {rule}
    telecom.crash()
    telecom.until("2026-06-30 00:00")
    # One round at that instant, and the other one after it: there is no gap in this playbook.
    assert telecom.said() == [(lifted, "discount_letter", "email"), (lifted, "gift_letter", "sms")]


def test_who_accepts_after_all_has_not_refused(telecom):
    answers(telecom, "offer_refused")
    telecom.until("2026-03-04 12:00")
    assert telecom.said() == []
    answers(telecom, "offer_accepted", "2026-03-04 15:00", "extension_gift")
    assert telecom.said() == [("2026-03-04 15:00", "discount_letter", "email")]


# Being ignored


def talks(telecom, *times):
    for time in times:
        telecom.happens(time, "talked", {"phone": ANN["phone"]})


THREE = ("2026-03-01 15:00", "2026-03-02 15:00", "2026-03-03 15:00")


def test_three_times_without_an_answer_is_an_answer_for_a_while(telecom):
    talks(telecom, *THREE[:2])
    telecom.reopen()
    talks(telecom, THREE[2])
    assert [campaign for _, campaign, _ in telecom.said()] == ["discount_call"] * 3
    telecom.until("2026-03-10 00:00")
    assert len(telecom.said()) == 3
    assert telecom.why("gift_letter") == [("2026-03-05 10:00", "suppressed", "")]
    assert banner(telecom, "2026-03-10 10:00") == ["case_banner"]
    telecom.until("2026-05-01 00:00")
    assert telecom.said()[3:] == [
        ("2026-04-02 16:00", "discount_letter", "email"),  # 30 days; the clocks went forward
        ("2026-04-02 16:00", "gift_letter", "sms"),
    ]


def test_twice_is_not_three_times(telecom):
    talks(telecom, *THREE[:2])
    telecom.until("2026-03-04 12:00")
    assert telecom.said()[2:] == LETTERS[:1]


def test_any_number_of_times_may_be_set(stage):
    twelve = stage(PLAYBOOK.replace("times: 3", "times: 12"), PRODUCTS)
    twelve.happens("2026-03-01 12:00", "registered", ANN)
    talks(twelve, *(f"2026-03-{day:02} 15:00" for day in range(6, 19)))
    calls = [campaign for _, campaign, _ in twelve.said() if campaign == "discount_call"]
    assert len(calls) == 10  # and the two letters before them
    assert twelve.why("discount_call")[-1][1] == "suppressed"


def test_a_click_between_begins_the_count_anew(telecom):
    talks(telecom, *THREE[:2])
    telecom.happens("2026-03-02 16:00", "offer_clicked", ANN, offer="extension_discount", channel="email")
    talks(telecom, THREE[2])
    telecom.until("2026-03-04 12:00")
    assert telecom.said()[3:] == LETTERS[:1]
