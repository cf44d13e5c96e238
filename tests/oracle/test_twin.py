"""Examples from docs/semantics.md computed by hand: time, identity, profile. Minutes count from a Monday's midnight."""

from __future__ import annotations

from datetime import date

from onevoice.playbook.model import (
    DAY,
    HOUR,
    MINUTE,
    Aggregate,
    EventMatch,
    Every,
    Fact,
    Identifier,
    Measure,
    Offer,
    Period,
    Refusals,
    Segment,
    Trigger,
    TriggerKind,
)

from . import clock, facts, measures
from .desk import SECRET, START, Desk, book, campaign, event, minutes, named, on, policies
from .hashing import key_hash, mix, siphash, text_hash

VILNIUS = "Europe/Vilnius"


def measured(desk: Desk, name: str, now: float, who: int = 0):
    playbook = desk.twin.book
    return measures.value(playbook, desk.twin.customers[who], playbook.playbook.measures[name], minutes(now))


def is_open(desk: Desk, fact: str, *values: str | None, now: float) -> bool:
    return facts.is_open(desk.twin.book, desk.twin.customers[0], fact, list(values), minutes(now))


def measure(name: str, aggregate: Aggregate, field: str = "", over: int = 0, where: str = ""):
    return Measure(name, aggregate, EventMatch("a", where), field, over)


# §1, §2 Time and positions


def test_a_rejected_line_takes_a_position_and_does_nothing_else():
    desk = Desk().send(0, None, event("a", 0, {"card": "1"}), None)
    assert desk.rows("totals") == [(3, START, 0, 0)]
    assert len(desk.rows("customers")) == 1


def test_an_unknown_type_moves_journal_time_in_an_import():
    desk = Desk().send(0, event("nothing known", 30), imported=True)
    assert desk.rows("totals") == [(1, minutes(30), 0, 0)]


def test_journal_time_of_an_import_never_falls():
    lines = [event("a", at, {"card": "1"}) for at in (5, 3)]
    assert Desk().send(60, *lines, imported=True).rows("totals") == [(2, minutes(5), 0, 0)]


def test_journal_time_of_a_live_row_is_its_stamp_and_never_falls():
    assert Desk().say(60, "a", at=5).say(50, "a").rows("totals") == [(2, minutes(60), 0, 0)]


def test_an_event_without_time_occurred_at_the_stamp():
    desk = Desk(book(measures=named(measure("last", Aggregate.LATEST))))
    desk.send(7, event("a", None, {"card": "1"}))
    assert measured(desk, "last", 7) == minutes(7)


def test_an_empty_row_lets_time_pass():
    desk = Desk(book(campaigns=named(campaign("hello", on("a"), wait_us=5 * MINUTE))))
    assert desk.say(0, "a").told() == []
    assert desk.send(5).told() == [(5, "hello", "won")]


def test_a_timers_decision_bears_the_position_after_the_last_usable_line():
    desk = Desk(book(campaigns=named(campaign("hello", on("a"), wait_us=5 * MINUTE))))
    desk.send(0, None, event("a", 0, {"card": "1"}), None).send(5)
    assert [decision.position for decision in desk.twin.decisions] == [2]


def test_local_times_in_a_gap_and_twice():
    assert clock.local_instant(VILNIUS, date(2026, 3, 29), 210) == clock.instant("2026-03-29T01:00:00Z")
    assert clock.local_instant(VILNIUS, date(2026, 10, 25), 210) == clock.instant("2026-10-25T00:30:00Z")
    assert clock.local_instant("America/Sao_Paulo", date(2018, 11, 4)) == clock.instant("2018-11-04T03:00:00Z")


def test_calendar_periods_are_local_and_weeks_begin_on_monday():
    t = clock.instant("2026-03-29T12:00:00Z")  # a Sunday of 23 hours in Vilnius
    assert clock.period_start(VILNIUS, Period.DAY, t) == clock.instant("2026-03-28T22:00:00Z")
    assert clock.next_period_start(VILNIUS, Period.DAY, t) == clock.instant("2026-03-29T21:00:00Z")
    assert clock.period_start(VILNIUS, Period.WEEK, t) == clock.instant("2026-03-22T22:00:00Z")
    assert clock.next_period_start(VILNIUS, Period.MONTH, t) == clock.instant("2026-03-31T21:00:00Z")


def test_repeating_times():
    t = clock.instant("2026-03-28T08:00:00Z")
    assert clock.next_occurrence(VILNIUS, Every(600), t) == clock.instant("2026-03-29T07:00:00Z")
    assert clock.next_occurrence("UTC", Every(600, weekday=0), t) == clock.instant("2026-03-30T10:00:00Z")
    assert clock.next_occurrence("UTC", Every(600, month_day=28), t) == clock.instant("2026-03-28T10:00:00Z")


def test_the_hour_of_the_clock_changes_at_the_gap():
    t = clock.instant("2026-03-29T00:10:00Z")  # 02:10; the clock jumps from 03:00 to 04:00
    assert clock.next_part_change(VILNIUS, clock.Part.HOUR, t) == clock.instant("2026-03-29T01:00:00Z")


def test_hashes():
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)  # of the first vectors of the reference implementation
    assert as_hex(siphash(b"", key)) == "310e0edd47db6f72"
    assert as_hex(siphash(b"", key, wide=True)) == "a3817f04ba25a8e66df67214c7550293"
    assert key_hash((), SECRET) == 0
    assert key_hash(("p", None), SECRET) == mix(text_hash("p", SECRET), 0)


def as_hex(words: tuple[int, ...]) -> str:
    return b"".join(word.to_bytes(8, "little", signed=True) for word in words).hex()


# §3 Duplicates


def test_a_repeated_id_is_noticed_through_the_next_day():
    desk = Desk(book(measures=named(measure("n", Aggregate.COUNT))))
    for now in (1, 2, 2879):
        desk.send(now, event("a", now, {"card": "1"}, id="e1"))
    assert measured(desk, "n", 2879) == 1
    desk.send(2880, event("a", 2880, {"card": "1"}, id="e1"))
    assert measured(desk, "n", 2880) == 2


def test_an_unknown_type_does_not_note_its_id():
    desk = Desk(book(measures=named(measure("n", Aggregate.COUNT))))
    desk.send(0, event("unknown", 0, {"card": "1"}, id="e"), event("a", 0, {"card": "1"}, id="e"))
    assert measured(desk, "n", 0) == 1


# §4 Identity


def owners(desk: Desk) -> dict[str, int]:
    return {value: owner for (_, value), owner in desk.twin.index.items()}


def known(*kinds: str, unique: str = "card"):
    return book(identifiers=named(*(Identifier(kind, unique=kind == unique) for kind in kinds)))


def test_known_identifiers_join_and_the_older_survives():
    desk = Desk().send(0, event("a", 0, {"card": "1"}), event("a", 0, {"email": "m"}))
    desk.send(1, event("a", 1, {"email": "m", "card": "1"}))
    assert owners(desk) == {"1": 0, "m": 0}
    assert [row[:2] for row in desk.rows("customers")] == [(0, -1), (1, 0)]


def test_two_values_of_a_unique_kind_never_join():
    desk = Desk().send(0, event("a", 0, {"card": "1"}), event("a", 0, {"card": "2", "email": "m"}))
    desk.send(1, event("b", 1, {"card": "1", "email": "m"}, traits={"tier": "gold"}))
    assert owners(desk) == {"1": 0, "2": 1, "m": 1}
    assert [row[0] for row in desk.rows("traits")] == [0]  # the event is the base's


def test_a_second_value_of_a_unique_kind_is_another_person():
    desk = Desk().send(0, event("a", 0, {"email": "m", "card": "1"}), event("a", 0, {"email": "m", "card": "2"}))
    assert owners(desk) == {"1": 0, "m": 0, "2": 1}


def test_a_second_value_of_a_unique_kind_is_not_given():
    desk = Desk(known("email", "card"))
    desk.send(0, event("a", 0, {"email": "m", "card": "1"}), event("a", 0, {"email": "m", "card": "2"}))
    assert owners(desk) == {"1": 0, "m": 0}


def test_what_waits_is_given_to_the_first_who_may_have_it():
    desk = Desk(known("card", "email", "phone")).send(0, event("a", 0, {"card": "1", "email": "m"}))
    desk.send(1, event("a", 1, {"phone": "p"}), event("a", 2, {"card": "2", "email": "m", "phone": "p"}))
    assert owners(desk) == {"1": 0, "m": 0, "p": 1, "2": 1}


# §15 Splits, as identity has them

ADA_AND_BOB = ((("card", "1"), ("email", "m")),)


def test_who_has_one_of_two_that_are_kept_apart_is_not_given_the_other():
    desk = Desk(splits=ADA_AND_BOB).send(0, event("a", 0, {"card": "1", "email": "m"}))
    assert owners(desk) == {"1": 0}


def test_two_that_are_kept_apart_never_join():
    desk = Desk(splits=ADA_AND_BOB).send(0, event("a", 0, {"card": "1"}), event("a", 0, {"email": "m"}))
    desk.send(1, event("a", 1, {"card": "1", "email": "m"}))
    assert owners(desk) == {"1": 0, "m": 1}


def test_one_kept_apart_from_who_shares_a_third_identifier_is_another_person():
    desk = Desk(splits=((("card", "1"), ("card", "2")),), playbook=known("card", "email", unique="")).send(
        0, event("a", 0, {"card": "1", "email": "m"})
    )
    desk.send(1, event("a", 1, {"card": "2", "email": "m"}))
    assert owners(desk) == {"1": 0, "m": 0, "2": 1}


def test_one_more_than_at_most_is_not_given():
    desk = Desk()
    for value in ("m1", "m2", "m3", "m4"):
        desk.send(0, event("a", 0, {"card": "1", "email": value}))
    assert owners(desk) == {"1": 0, "m1": 0, "m2": 0, "m3": 0}


def test_a_join_to_more_than_at_most_is_refused():
    desk = Desk()
    for value in ("m1", "m2"):
        desk.send(0, event("a", 0, {"card": "1", "email": value}))
    desk.send(0, event("a", 0, {"email": "n1"}))
    desk.send(0, event("a", 0, {"card": "2", "email": "n2"}))
    desk.send(1, event("a", 1, {"card": "1", "email": "n1"}))  # three: joined
    assert owners(desk)["n1"] == 0
    desk.send(1, event("a", 1, {"card": "1", "email": "n2"}))
    assert owners(desk)["n2"] == 2


def test_a_visitor_comes_along_at_login_and_keeps_its_number():
    desk = Desk(book(measures=named(measure("n", Aggregate.COUNT))))
    desk.send(0, event("a", 0, {"cookie": "k"}))
    desk.send(1, event("a", 1, {"card": "1", "cookie": "k"}))
    assert owners(desk) == {"k": 0, "1": 0}
    assert measured(desk, "n", 1) == 2
    assert [row[1] for row in desk.rows("customers")] == [-1, 0]


def test_only_the_device_moves_from_a_known_customer():
    desk = Desk(book(measures=named(measure("n", Aggregate.COUNT))))
    desk.send(0, event("a", 0, {"card": "1", "cookie": "k"}))
    desk.send(1, event("a", 1, {"card": "2", "cookie": "k"}))
    desk.send(2, event("a", 2, {"cookie": "k"}))
    assert owners(desk) == {"1": 0, "2": 1, "k": 1}
    assert [measured(desk, "n", 2, who) for who in (0, 1)] == [1, 2]


def test_the_first_owned_device_names_a_visitor():
    playbook = book()
    playbook.identifiers["tv"] = type(playbook.identifiers["cookie"])("tv", anonymous=True)
    desk = Desk(playbook).send(0, event("a", 0, {"cookie": "k1"}), event("a", 0, {"tv": "t1"}))
    desk.send(1, event("a", 1, {"tv": "t1", "cookie": "k2"}))
    assert owners(desk) == {"k1": 0, "t1": 1, "k2": 1}


def test_a_merge_adds_measures_and_unites_facts_and_contacts():
    playbook = book(
        measures=named(measure("n", Aggregate.SUM, "n", DAY), measure("last", Aggregate.LATEST, "c")),
        facts=named(Fact("open_case", (EventMatch("a"),), (EventMatch("b"),), ("k",))),
        campaigns=named(campaign("hello", on("x"))),
        policies=policies(),
    )
    desk = Desk(playbook)
    desk.send(0, event("a", 0, {"card": "1"}, n=1, k="one", c="old"), event("x", 0, {"card": "1"}))
    desk.send(1, event("a", 1, {"email": "m"}, n=2, k="two", c="new"), event("b", 1, {"email": "m"}, k="one"))
    desk.send(2, event("x", 2, {"card": "1", "email": "m"}))
    assert measured(desk, "n", 2) == 3
    assert measured(desk, "last", 2) == "new"
    assert facts.open_keys(playbook_of(desk), desk.twin.customers[0], "open_case", minutes(2)) == [("two",)]
    assert len(desk.twin.customers[0].contacts) == 2


def playbook_of(desk: Desk):
    return desk.twin.book


# §5 Traits


def test_the_latest_value_of_a_trait_counts_and_null_clears_it():
    desk = Desk()
    for at, tier in ((5, "gold"), (3, "iron")):
        desk.send(9, event("profile_updated", at, {"card": "1"}, traits={"tier": tier}))
    assert desk.rows("traits") == [(0, 0, "gold", minutes(5), 0)]
    desk.send(9, event("profile_updated", 6, {"card": "1"}, traits={"tier": None}))
    desk.send(9, event("profile_updated", 4, {"card": "1"}, traits={"tier": "gold"}))
    assert desk.rows("traits") == [(0, 0, None, minutes(6), 2)]


def test_a_calendar_cap_follows_the_customers_zone_trait():
    desk = Desk(book(segments=named(Segment("noon", "extract(hour from now()) = 12"))))
    desk.send(0, event("a", 0, {"card": "1"}, traits={"zone": "Asia/Tokyo"}))
    assert desk.send(180).rows("memberships") == [(0, 0, minutes(180))]  # noon in Tokyo is 3 UTC
    assert desk.send(240).rows("memberships") == []


def test_an_unknown_zone_is_the_playbooks():
    desk = Desk(book(segments=named(Segment("noon", "extract(hour from now()) = 12")), time_zone="Asia/Tokyo"))
    desk.send(0, event("a", 0, {"card": "1"}, traits={"zone": "Nowhere"}))
    assert desk.send(180).rows("memberships") == [(0, 0, minutes(180))]


# §5 Facts


def case_book(**parts):
    return book(facts=named(Fact("open_case", (EventMatch("a"),), (EventMatch("b"),), ("k",), **parts)))


def test_a_fact_is_open_per_key_until_closed():
    desk = Desk(case_book()).say(0, "a", k="1").say(1, "a", k="2").say(2, "b", k="1")
    assert not is_open(desk, "open_case", "1", now=2)
    assert is_open(desk, "open_case", "2", now=2)
    assert facts.count_open(desk.twin.book, desk.twin.customers[0], "open_case", minutes(2)) == 1


def test_a_late_opening_before_the_closing_does_not_open():
    desk = Desk(case_book()).say(5, "b", k="1").say(6, "a", at=4, k="1")
    assert not is_open(desk, "open_case", "1", now=6)
    assert is_open(desk.say(7, "a", at=5, k="1"), "open_case", "1", now=7)  # equal times by position


def test_null_is_a_key_like_any_other():
    desk = Desk(case_book()).say(0, "a")
    assert is_open(desk, "open_case", None, now=0)
    assert not is_open(desk.say(1, "b"), "open_case", now=1)


def test_a_fact_lasts_to_the_instant_and_is_then_forgotten():
    desk = Desk(case_book(lasts_us=10 * MINUTE)).say(0, "a", k="1")
    assert is_open(desk, "open_case", now=9.99)
    assert not is_open(desk, "open_case", now=10)
    assert len(desk.send(9).rows("facts")) == 1
    assert desk.send(10).rows("facts") == []


def test_each_side_of_a_fact_is_forgotten_for_itself():
    desk = Desk(case_book(lasts_us=10 * MINUTE)).say(0, "b", k="1").say(5, "a", k="1")
    never = -clock.INFINITE
    assert desk.rows("facts")[0][4:] == (minutes(5), 1, minutes(0), 0)
    assert desk.send(10).rows("facts")[0][4:] == (minutes(5), 1, never, never)


def test_a_closing_without_the_product_closes_all_of_the_order():
    owns = Fact("owns", (EventMatch("order.items"),), (EventMatch("delivered"),), ("product", "order_id"))
    desk = Desk(book(facts=named(owns)))
    desk.say(0, "order", order_id="1", items=[{"product": "p"}, {"product": "q"}])
    assert facts.count_open(desk.twin.book, desk.twin.customers[0], "owns", minutes(0)) == 2
    desk.say(5, "delivered", order_id="1").say(6, "order", at=4, order_id="1", items=[{"product": "r"}])
    assert not is_open(desk, "owns", now=6)
    assert {row[2] for row in desk.rows("facts")} == {0, 1}
    assert is_open(desk.say(7, "order", order_id="2", items=[{"product": "p"}]), "owns", "p", now=7)


def test_a_withdrawal_without_channel_is_for_all_channels():
    desk = Desk().say(0, "consent_given", channel="sms", purpose="sales")
    assert is_open(desk, "consent", "sms", "sales", now=0)
    assert not is_open(desk.say(1, "consent_withdrawn", purpose="sales"), "consent", "sms", "sales", now=1)


def test_the_family_is_filled_in_from_the_offer():
    refusals = policies(refusals=Refusals(refused_us=HOUR))
    desk = Desk(book(offers=named(Offer("o1", family="f")), policies=refusals)).say(0, "offer_refused", offer="o1")
    assert is_open(desk, "refused", "f", now=59)
    assert not is_open(desk, "refused", "f", now=60)
    assert not is_open(desk.say(1, "offer_accepted", offer="o1"), "refused", "f", now=1)


# §5 Measures


def test_sums_are_ten_thousandths_rounded_half_to_even():
    desk = Desk(book(measures=named(measure("s", Aggregate.SUM, "n"))))
    for n in (0.00005, 0.00025, 2.0**39, None):
        desk.say(0, "a", n=n)
    assert desk.rows("measures") == [(0, 0, -1, 2, 0, 0)]


def test_empty_measures():
    kinds = [Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.SUM, Aggregate.MIN, Aggregate.LATEST]
    desk = Desk(book(measures=named(*(measure(kind.value, kind, "n") for kind in kinds)))).say(0, "x")
    assert [measured(desk, kind.value, 0) for kind in kinds] == [0, 0, None, None, None]


def test_a_window_moves_in_panes():
    desk = Desk(book(measures=named(measure("n", Aggregate.COUNT, over=64 * MINUTE), measure("m", Aggregate.MAX, "n"))))
    desk.say(0.5, "a", n=4).say(63, "a", n=3)
    assert measured(desk, "n", 63.9) == 2
    assert measured(desk, "n", 64) == 1  # the pane of minute 0 is left when pane(now) is 64
    assert measured(desk, "m", 64) == 4


def test_a_pane_after_now_is_held():
    desk = Desk(book(measures=named(measure("n", Aggregate.COUNT, over=64 * MINUTE)))).say(0, "a", at=500)
    assert measured(desk, "n", 0) == 1


def test_latest_and_first_break_ties_by_position_and_item():
    match = EventMatch("order.items")
    both = [Measure(kind.value, kind, match, "quantity") for kind in (Aggregate.LATEST, Aggregate.FIRST)]
    desk = Desk(book(measures=named(*both)))
    desk.say(5, "order", items=[{"quantity": 1}, {"quantity": 2}]).say(6, "order", at=5, items=[{"quantity": 3}])
    assert [measured(desk, name, 6) for name in ("latest", "first")] == [3, 1]


def test_distinct_and_where():
    desk = Desk(book(measures=named(measure("d", Aggregate.DISTINCT, "c", where="n > 1"))))
    for n, c in ((2, "u"), (2, "v"), (3, "u"), (1, "w"), (None, "y")):
        desk.say(0, "a", n=n, c=c)
    assert measured(desk, "d", 0) == 2


# §7 Segments


def test_a_segment_is_left_at_the_instant_its_window_loses_a_pane():
    desk = Desk(
        book(
            measures=named(measure("n", Aggregate.COUNT, over=64 * MINUTE)),
            segments=named(Segment("busy", "n >= 2")),
            campaigns=named(
                campaign("in", Trigger(TriggerKind.SEGMENT_ENTERED, "busy")),
                campaign("out", Trigger(TriggerKind.SEGMENT_LEFT, "busy")),
            ),
        )
    )
    desk.say(0, "a").say(10, "a").send(200)
    assert desk.told() == [(10, "in", "won"), (64, "out", "won")]


def test_a_comparison_with_now_is_left_at_the_exact_microsecond():
    text = "last > now() - interval '30 minutes'"
    desk = Desk(book(measures=named(measure("last", Aggregate.LATEST)), segments=named(Segment("fresh", text))))
    desk.say(0, "a")
    desk.twin.row([], minutes(30) - 1)
    assert len(desk.rows("memberships")) == 1
    assert desk.send(30).rows("memberships") == []


def test_a_segment_sees_what_was_just_judged():
    desk = Desk(book(segments=named(Segment("gold", "tier = 'gold'"), Segment("rich", "gold and score > 1"))))
    desk.send(0, event("a", 0, {"card": "1"}, traits={"tier": "gold", "score": 2}))
    assert [row[1] for row in desk.rows("memberships")] == [0, 1]


def test_leaving_and_entering_within_one_judgement_is_neither():
    entered = Trigger(TriggerKind.SEGMENT_ENTERED, "gold")
    playbook = book(segments=named(Segment("gold", "tier = 'gold'")), campaigns=named(campaign("in", entered)))
    desk = Desk(playbook)
    for now in (0, 1):
        desk.send(now, event("a", now, {"card": "1"}, traits={"tier": "gold"}))
    assert desk.told() == [(0, "in", "won")]
    assert desk.rows("memberships") == [(0, 0, START)]


def test_current_date_changes_at_the_customers_midnight():
    desk = Desk(book(segments=named(Segment("tuesday", "extract(isodow from current_date) = 2"))))
    desk.send(0, event("a", 0, {"card": "1"}, traits={"zone": "Asia/Tokyo"})).send(2000)
    assert desk.rows("memberships") == [(0, 0, minutes(15 * 60))]
