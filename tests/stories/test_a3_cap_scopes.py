"""A3, in every scope: at most N by channel, class, campaign, family, owner, category and address, of each or of one; as
many as the customer chose; and what does not count.
"""

import pytest

from onevoice.playbook.load import load_files

from .stage import ANN

PLAYBOOK = """
playbook: shop
time_zone: Europe/Vilnius
identifiers:
  user_id: {unique: true}
  email: {format: email}
  phone: {format: phone, region: LT}
traits:
  wanted: number
  tier: choice
  zone: {choice: true, is: time_zone}
products: {file: products.csv, fields: {category: choice}}
events:
  seen: {fields: {product: product, turn: key}}
  billed: {fields: {turn: key}}
  restocked: {about: product}
  called_us: {}
facts: {sought: {opens: seen, per: product}}
segments: {gold: tier = 'gold'}
offers:
  cover: {product: red_cover, family: covers}
  case: {product: red_case, family: covers}
  lamp: {product: desk_lamp}
channels: {mail: {address: email}, sms: {address: phone}, push: {}}
campaigns:
  covers:
    class: sales
    owner: north
    offer: cover
    when: event seen where product = 'red_cover'
    per: event.turn
    send: [mail, sms]
  cases:
    class: sales
    owner: south
    offer: case
    when: event seen where product = 'red_case'
    per: event.turn
    send: [mail]
  lamps:
    class: sales
    owner: south
    offer: lamp
    when: event seen where product = 'desk_lamp'
    per: event.turn
    send: [mail]
  bill: {class: service, owner: desk, when: event billed, PER, send: [mail]}
  back: {class: sales, owner: desk, when: product restocked for sought, send: [push]}
policies:
  classes: {service: {COUNTS}, sales: {}}
  caps:
"""
PRODUCTS = "product,category\nred_cover,phones\nred_case,phones\ndesk_lamp,home\nblue_lamp,home\n"
NEVER = ""


@pytest.fixture
def shop(stage):
    def opened(*caps, counts="true", per="per: event.turn", **replaced):
        text = PLAYBOOK.replace("COUNTS", f"counts: {counts}").replace("PER", per)
        for old, new in replaced.items():
            text = text.replace(old, new)
        return stage(text + "".join(f"    - {{{cap}}}\n" for cap in caps), PRODUCTS)

    return opened


def sees(company, time, product, who=ANN, **parts):
    company.happens(time, "seen", who, product=product, turn=time, **parts)


def said(company):
    return [(time, campaign) for time, campaign, _ in company.said()]


# Family, owner, category


DRAWN = {"class: each", "channel: each"}


@pytest.mark.parametrize(
    ("cap", "second", "third"),
    [
        ("family: covers", "2026-03-03 09:00", "2026-03-02 11:00"),
        ("family: each", "2026-03-03 09:00", "2026-03-02 11:00"),
        ("owner: south", "2026-03-02 10:00", "2026-03-03 10:00"),
        ("owner: each", "2026-03-02 10:00", "2026-03-03 10:00"),
        ("category: phones", "2026-03-03 09:00", "2026-03-02 11:00"),
        ("category: each", "2026-03-03 09:00", "2026-03-02 11:00"),
        ("class: each", "2026-03-03 09:00", "2026-03-04 09:00"),
        ("campaign: each", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("family: lamp", "2026-03-02 10:00", "2026-03-02 11:00"),  # of something else: it holds nothing back
        ("channel: each", "2026-03-03 09:00", "2026-03-04 09:00"),
    ],
)
def test_one_a_day_of_the_same(shop, cap, second, third):
    """A cover, a case of the same family and category, a lamp of the case's owner, all by mail."""
    first = {"offer: case\n": "offer: case\n    priority: 2\n"}  # of equals a lot would say who goes first
    company = shop(f"max: 1, per: 1 day, {cap}", **{"send: [mail, sms]": "send: [mail]", **first})
    sees(company, "2026-03-02 09:00", "red_cover")
    company.reopen()
    sees(company, "2026-03-02 10:00", "red_case")
    sees(company, "2026-03-02 11:00", "desk_lamp")
    company.until("2026-03-10 00:00")
    went = {campaign: time for time, campaign in said(company)}
    found = went["cases"], went["lamps"]
    # Where both wait for the same room, a lot decides which is first.
    assert (sorted(found) if cap in DRAWN else list(found)) == [second, third]


def test_a_world_event_is_of_its_products_category(shop):
    company = shop("max: 1, per: week, category: each")
    sees(company, "2026-03-02 09:00", "desk_lamp")
    sees(company, "2026-03-02 09:30", "blue_lamp")  # nothing is offered of it
    company.reopen()
    company.happens("2026-03-02 10:00", "restocked", {}, product="blue_lamp")
    company.until("2026-03-20 00:00")
    assert said(company) == [("2026-03-02 09:00", "lamps"), ("2026-03-09 00:00", "back")]


def test_a_product_of_another_category_takes_the_place_of_one_that_waits(shop):
    company = shop("max: 1, per: week, category: home")
    sees(company, "2026-03-02 09:00", "desk_lamp")
    sees(company, "2026-03-02 09:10", "blue_lamp")
    sees(company, "2026-03-02 09:20", "red_cover")
    company.happens("2026-03-02 10:00", "restocked", {}, product="blue_lamp")
    company.happens("2026-03-02 11:00", "restocked", {}, product="red_cover")
    assert company.why("back") == [
        ("2026-03-02 10:00", "cap", "2026-03-09 00:00"),
        ("2026-03-02 11:00", "won", NEVER),
    ]


# What others sent


@pytest.mark.parametrize(
    ("reported", "goes"),
    [
        ({"offer": "case"}, "2026-03-03 08:00"),  # the family's
        ({"campaign": "cases"}, "2026-03-03 08:00"),  # its offer's family
        ({"campaign": "cases", "offer": "lamp"}, "2026-03-02 09:00"),
        ({"offer": "hat"}, "2026-03-02 09:00"),  # nobody knows it
        ({}, "2026-03-02 09:00"),
    ],
)
def test_what_others_sent_counts_in_the_family_it_was_about(shop, reported, goes):
    company = shop("max: 1, per: 1 day, family: each")
    company.happens("2026-03-02 08:00", "contact_reported", ANN, **reported)
    company.reopen()
    sees(company, "2026-03-02 09:00", "red_cover")
    company.until("2026-03-05 00:00")
    assert said(company) == [(goes, "covers")]


@pytest.mark.parametrize(("campaign", "goes"), [("covers", "2026-03-03 08:00"), ("unheard", "2026-03-02 09:00")])
def test_what_others_sent_is_its_campaigns_owners(shop, campaign, goes):
    company = shop("max: 1, per: 1 day, owner: each")
    company.happens("2026-03-02 08:00", "contact_reported", ANN, campaign=campaign)
    sees(company, "2026-03-02 09:00", "red_cover")
    company.until("2026-03-05 00:00")
    assert said(company) == [(goes, "covers")]


# Addresses


HOME, WORK = {"email": "ann@home.lt"}, {"email": "ann@work.lt"}
ID = {"user_id": "u1"}


@pytest.mark.parametrize(("given", "goes"), [(WORK, "2026-03-02 11:00"), (HOME, "2026-03-09 00:00")])
def test_an_address_has_a_count_of_its_own(shop, given, goes):
    """What waits for the one goes to another as soon as that is given."""
    company = shop("max: 1, per: week, address: each", **{"send: [mail, sms]": "send: [mail]"})
    sees(company, "2026-03-02 09:00", "red_cover", ID | HOME)
    sees(company, "2026-03-02 10:00", "red_case", ID)
    company.reopen()
    company.happens("2026-03-02 11:00", "called_us", ID | given)
    company.until("2026-03-12 00:00")
    assert said(company) == [("2026-03-02 09:00", "covers"), (goes, "cases")]


def test_addresses_of_two_who_become_one_keep_their_counts(shop):
    company = shop("max: 1, per: week, address: each", **{"send: [mail, sms]": "send: [mail]"})
    phone = {"phone": "+37061111111"}
    sees(company, "2026-03-02 09:00", "red_cover", phone | HOME)
    sees(company, "2026-03-02 10:00", "red_cover", WORK)
    company.reopen()
    company.happens("2026-03-02 11:00", "called_us", phone | WORK)  # one person: the later given is the address
    sees(company, "2026-03-02 12:00", "red_case", HOME)
    company.happens("2026-03-02 13:00", "called_us", phone | {"email": "ann@third.lt"})
    company.until("2026-03-08 00:00")
    assert said(company)[2:] == [("2026-03-02 13:00", "cases")]
    assert company.why("cases")[0] == ("2026-03-02 12:00", "cap", "2026-03-09 00:00")


def test_what_needs_no_address_is_in_no_cap_of_addresses(shop):
    company = shop("max: 1, per: week, address: each")
    for product in ("desk_lamp", "blue_lamp"):
        sees(company, f"2026-03-02 0{len(product) - 1}:00", product)
    company.happens("2026-03-02 10:00", "restocked", {}, product="desk_lamp")
    company.happens("2026-03-02 11:00", "restocked", {}, product="blue_lamp")
    assert [campaign for _, campaign in said(company)] == ["lamps", "back", "back"]


# The customer's own choice


@pytest.mark.parametrize(("wanted", "count"), [(None, 2), (1, 1), (2.9, 2), (3, 3), (0, 0), (-4, 0)])
def test_a_customer_may_choose_how_many(shop, wanted, count):
    company = shop("max: 2, per: week, own_max: wanted")
    company.happens("2026-03-02 08:00", "called_us", ANN, traits={"wanted": wanted})
    company.reopen()
    for time in ("2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00", "2026-03-02 12:00"):
        sees(company, time, "red_cover")
    assert len(said(company)) == count


def test_who_wants_nothing_gets_nothing_until_they_choose_otherwise(shop):
    company = shop("max: 2, per: day, own_max: wanted")
    company.happens("2026-03-02 08:00", "called_us", ANN, traits={"wanted": 0})
    sees(company, "2026-03-02 09:00", "red_cover")
    company.until("2026-04-01 12:00")
    company.reopen()
    company.happens("2026-04-02 12:00", "called_us", ANN, traits={"wanted": 1})
    assert company.why("covers") == [("2026-03-02 09:00", "cap", NEVER), ("2026-04-02 12:00", "won", NEVER)]


def test_a_greater_wish_is_heeded_at_once_and_a_smaller_one_too(shop):
    company = shop("max: 1, per: 1 day, own_max: wanted")
    sees(company, "2026-03-02 09:00", "red_cover")
    sees(company, "2026-03-02 10:00", "red_cover")
    sees(company, "2026-03-02 11:00", "red_cover")
    company.happens("2026-03-02 12:00", "called_us", ANN, traits={"wanted": 2})
    assert said(company)[1:] == [("2026-03-02 12:00", "covers")]
    company.happens("2026-03-02 13:00", "called_us", ANN, traits={"wanted": 1})
    company.until("2026-03-03 11:59")
    assert len(said(company)) == 2
    company.until("2026-03-03 12:00")  # both of the day before have left
    assert said(company)[2:] == [("2026-03-03 12:00", "covers")]


# What lifts a cap otherwise than time


@pytest.mark.parametrize(("tier", "goes"), [("gold", "2026-03-02 11:00"), ("tin", "2026-03-09 00:00")])
def test_who_enters_a_segment_is_looked_at_under_its_cap(shop, tier, goes):
    company = shop("max: 1, per: week", "max: 2, per: week, for: gold")
    sees(company, "2026-03-02 09:00", "red_cover")
    sees(company, "2026-03-02 10:00", "red_cover")
    company.reopen()
    company.happens("2026-03-02 11:00", "called_us", ANN, traits={"tier": tier})
    company.until("2026-03-10 00:00")
    assert said(company)[1:] == [(goes, "covers")]


def test_who_leaves_a_segment_is_no_longer_held_by_its_cap(shop):
    company = shop("max: 1, per: week, for: gold")
    company.happens("2026-03-02 08:00", "called_us", ANN, traits={"tier": "gold"})
    sees(company, "2026-03-02 09:00", "red_cover")
    sees(company, "2026-03-02 10:00", "red_cover")
    company.happens("2026-03-02 11:00", "called_us", ANN, traits={"tier": "tin"})
    assert said(company)[1:] == [("2026-03-02 11:00", "covers")]


@pytest.mark.parametrize(("zone", "goes"), [("Asia/Tokyo", "2026-03-02 23:00"), ("Europe/London", "2026-03-03 02:00")])
def test_who_moves_to_another_zone_has_another_day(shop, zone, goes):
    """In Tokyo it is tomorrow already; in London not before two o'clock here."""
    company = shop("max: 1, per: day")
    sees(company, "2026-03-02 12:00", "red_cover")
    sees(company, "2026-03-02 13:00", "red_cover")
    company.happens("2026-03-02 23:00", "called_us", ANN, traits={"zone": zone})
    company.until("2026-03-04 00:00")
    assert said(company)[1:] == [(goes, "covers")]


# What does not count


@pytest.mark.parametrize(("counts", "goes"), [("false", "2026-03-02 10:00"), ("true", "2026-03-03 00:00")])
def test_a_bill_may_leave_the_offers_their_place(shop, counts, goes):
    company = shop("max: 1, per: day", counts=counts)
    company.happens("2026-03-02 09:00", "billed", ANN, turn="1")
    company.reopen()
    sees(company, "2026-03-02 10:00", "red_cover")
    company.until("2026-03-04 00:00")
    assert said(company) == [("2026-03-02 09:00", "bill"), (goes, "covers")]


@pytest.mark.parametrize(("counts", "goes"), [("false", "2026-03-02 10:00"), ("true", "2026-03-02 13:00")])
def test_a_bill_may_leave_the_offers_their_gap(shop, counts, goes):
    company = shop("max: 9, per: day", counts=counts, **{"policies:": "policies:\n  gap: 4 hours"})
    company.happens("2026-03-02 09:00", "billed", ANN, turn="1")
    sees(company, "2026-03-02 10:00", "red_cover")
    company.until("2026-03-04 00:00")
    assert said(company) == [("2026-03-02 09:00", "bill"), (goes, "covers")]


def test_what_does_not_count_is_still_held_by_its_own_campaign(shop):
    company = shop("max: 1, per: day", counts="false", per="again_after: 2 hours")
    company.happens("2026-03-02 09:00", "billed", ANN, turn="1")
    company.happens("2026-03-02 10:00", "billed", ANN, turn="2")
    company.until("2026-03-03 00:00")
    assert said(company) == [("2026-03-02 09:00", "bill"), ("2026-03-02 11:00", "bill")]


# Another playbook


@pytest.mark.parametrize("about", ["family", "owner", "category", "address"])
@pytest.mark.parametrize("is_same", [True, False])
def test_what_was_sent_under_another_playbook_counts_where_it_belongs(shop, about, is_same):
    """First a lamp by its own campaign; then, under new rules, it again, or what has nothing in common with it."""
    company = shop(f"max: 1, per: week, {about}: each", **{"send: [push]}": "send: [sms]}"})
    sees(company, "2026-03-02 09:00", "desk_lamp")
    text = (company.playbook / "playbook.yaml").read_text().replace("caps:", "gap: 1 minute\n  caps:")
    files = {"playbook.yaml": text.encode(), "products.csv": PRODUCTS.encode()}
    assert company.engine.publish(load_files(files))
    (company.playbook / "playbook.yaml").write_text(text)
    company.reopen()
    if is_same:
        sees(company, "2026-03-02 10:00", "desk_lamp")
    else:
        sees(company, "2026-03-02 10:00", "red_cover", {"phone": ANN["phone"], "email": "ann@new.lt"})
    company.until("2026-03-20 00:00")
    assert said(company)[1][0] == ("2026-03-09 00:00" if is_same else "2026-03-02 10:00")


@pytest.mark.parametrize(("second", "goes"), [("desk_lamp", "2026-03-09 00:00"), ("red_cover", "2026-03-02 11:00")])
def test_the_product_of_a_world_event_is_known_under_another_playbook(shop, second, goes):
    company = shop("max: 1, per: week, category: each")
    sees(company, "2026-03-02 09:00", "blue_lamp")
    company.happens("2026-03-02 10:00", "restocked", {}, product="blue_lamp")
    text = (company.playbook / "playbook.yaml").read_text().replace("caps:", "gap: 1 minute\n  caps:")
    files = {"playbook.yaml": text.encode(), "products.csv": PRODUCTS.encode()}
    assert company.engine.publish(load_files(files))
    (company.playbook / "playbook.yaml").write_text(text)
    sees(company, "2026-03-02 11:00", second)
    company.until("2026-03-20 00:00")
    assert [time for time, _ in said(company)] == ["2026-03-02 10:00", goes]
