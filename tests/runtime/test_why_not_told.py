"""What `why_not` could tell wrongly: of which wish, with which values, digits, numbers and names."""

from __future__ import annotations

from datetime import timedelta

import pytest

import onevoice
from onevoice.playbook.load import load_files
from onevoice.runtime.decisions import us_of

from .shop import ANN, MONDAY, asked, book, goes_out, order, shop, visit


def test_fields_of_the_event_that_conditions_read_are_known_and_changed():
    text = book("when: event order, if: event.amount > 100, send: [mail]")
    answer = asked(shop(text, order(0, 50)))
    assert answer.values == {"event.amount": "50"}
    sentence = "with 50.01 more of order.amount: 100.01 instead of 50.00"
    assert [(each.kind, each.sentence) for each in answer.changes] == [("event", sentence)]
    assert goes_out(shop(text, order(0, 100.01)))
    assert not goes_out(shop(text, order(0, 100)))


def test_a_value_between_two_units_is_told_as_it_is():
    text = book("when: event visit, if: n > 100, send: [mail]")
    answer = asked(shop(text, visit(0, n=99.999999)))
    assert answer.smallest.sentence == "with 0.000002 more of n: 100.000001 instead of 99.999999"
    at_least = asked(shop(book("when: event visit, if: n >= 100, send: [mail]"), visit(0, n=99.999999)))
    assert at_least.smallest.sentence == "with 0.000001 more of n: 100.000000 instead of 99.999999"


def test_a_priority_of_many_digits_is_told_whole():
    other = "  other: {class: sales, priority: 1234568, when: event visit, send: [mail]}"
    answer = asked(
        shop(book("priority: 1234567, when: event visit, send: [mail]", more=other, policies="gap: 1 day"), visit(0))
    )
    assert answer.smallest is not None
    (change,) = (each for each in answer.changes if each.name.endswith("priority"))
    assert change.found == "1234567"
    assert change.needed in {"1234568", "1234569"}  # a tie is decided by lot


def test_a_rank_that_falls_with_the_priority():
    other = "  other: {class: sales, priority: 40, when: event visit, send: [mail]}"
    rank = "gap: 1 day, rank: 100 - priority"
    answer = asked(shop(book("priority: 50, when: event visit, send: [mail]", more=other, policies=rank), visit(0)))
    assert answer.obstacles[0].sentence.startswith("gave way to other; its own rank is 50")
    (change,) = (each for each in answer.changes if each.name.endswith("priority"))
    assert change.needed in {"39", "40"}  # a tie is decided by lot


def test_a_holdout_is_named_that_holds_out():
    text = book(
        "when: event visit, send: [mail], holdout: 0.00001%", policies="holdout: {share: 99.99999%, classes: [sales]}"
    )
    assert [each.name for each in asked(shop(text, visit(0))).changes] == ["policies.holdout"]


def test_an_own_choice_that_the_condition_reads_too_is_no_way_out():
    text = book("when: event visit, if: n <= 1, send: [mail]", policies="caps: [{max: 5, per: week, own_max: n}]")
    answer = asked(shop(text, visit(0, n=1), visit(1)))
    assert [each.reason for each in answer.obstacles] == ["cap"]
    assert [each.sentence for each in answer.changes if each.kind == "customer"] == []


def test_a_cap_that_is_full_many_times_over():
    text = book("when: event visit, send: [mail]", policies="caps: [{max: 1, per: week}]", klass="")
    told = [(n / 10, "contact_reported", {"channel": "mail"}, {}) for n in range(80)]
    answer = asked(shop(text, *told, visit(9)))
    assert "with at most 81 instead of 1 in policies.caps[0]" in [each.sentence for each in answer.changes]


@pytest.mark.parametrize(
    ("scope", "said"),
    [({"campaign": "hello"}, "the campaign was stopped"), ({"class": "sales"}, "the class sales was stopped")],
)
def test_a_campaign_that_is_stopped(scope, said):
    text = book("when: event visit, send: [mail]")
    answer = asked(shop(text, (0, "campaign_stopped", scope, {}), visit(1)))
    assert answer.headline == f"hello: {said}"


def test_conditions_that_are_not_true_are_told_where_it_would_have_ended_too():
    text = book("when: event visit, if: n > 5, wait: 2 hours, until: order, send: [mail]")
    answer = asked(shop(text, visit(0, n=1), order(1, 5), until=5))
    assert answer.headline == "hello was triggered, and its conditions were not true"
    assert answer.changes == ()


def test_of_a_wish_with_a_delay_the_values_are_those_at_its_birth():
    """Born two hours after the first order with 60 spent: what is spent later is another thing."""
    text = book("when: event order, if: spend > 60, after: 2 hours, send: [mail]")
    answer = asked(shop(text, order(0, 60), (2.5, "order", {"amount": 5}, {}), until=3))
    assert answer.headline.startswith("hello waits")  # the second order's own wish
    answer = asked(shop(text.replace("event order", "event visit"), order(0, 60), visit(1), order(4, 5), until=6))
    assert answer.values == {"spend": "60"}
    assert answer.smallest.sentence == "with 0.01 more of spend: 60.01 instead of 60.00"


def test_the_last_trigger_is_told_though_an_older_wish_went_out():
    text = book("when: event visit, if: n > 5, send: [mail]")
    answer = asked(shop(text, visit(0, n=9), visit(30, n=3)))
    assert answer.headline == "hello was triggered, and its conditions were not true"
    assert answer.time == MONDAY + timedelta(hours=30)
    assert answer.values == {"n": "3"}


def test_a_wish_that_waits_in_vain_says_so():
    text = book("when: event visit, if: n > 5, after: 2 hours, send: [mail]")
    answer = asked(shop(text, visit(0, n=3)))
    assert answer.headline.startswith("hello waits")
    assert [each.sentence for each in answer.obstacles] == ["not true: n > 5"]
    assert answer.smallest.needed == "5.01"


def test_of_what_is_not_known_nought_is_tried_first():
    assert asked(shop(book("when: event visit, if: n < 100, send: [mail]"), visit(0))).smallest.needed == "0.00"


def test_of_two_wishes_the_last_one_is_told_and_no_other():
    text = book("when: event case_opened, per: event.case_id, until: case_closed, send: [mail]", policies="gap: 1 day")
    one = [(n, "case_opened", {"case_id": case}, {}) for n, case in enumerate(["a", "b", "c"])]
    answer = asked(shop(text, *one, (3, "case_closed", {"case_id": "c"}, {})))
    assert answer.headline.startswith("hello: case_closed came")
    assert [each.reason for each in answer.obstacles] == ["gap"]
    assert answer.time == MONDAY + timedelta(hours=2)


def test_a_campaign_of_a_later_playbook_says_since_when_it_is_there():
    engine = shop(book("when: event visit, send: [mail]").replace("hello:", "other:"), visit(0), visit(1))
    engine.publish(load_files({"playbook.yaml": book("when: event visit, send: [mail]").encode()}))
    assert asked(engine).obstacles[0].sentence == "waits for event visit; in the playbook since Mon 02 Mar 2026 10:00"


@pytest.mark.parametrize(
    "when", ["event visit", "event order where amount > 5", "every saturday 10:00", "segment entered regular"]
)
def test_a_time_before_a_campaign_came_into_the_playbook(when):
    engine = shop(book("when: event visit, send: [mail]").replace("hello:", "other:"), visit(0), order(1, 3))
    engine.publish(load_files({"playbook.yaml": book(f"when: {when}, send: [mail]").encode()}))
    engine.ingest([{"type": "visit", "identifiers": ANN}], time=MONDAY + timedelta(hours=9))
    answer = engine.why_not(ANN, "hello", MONDAY + timedelta(minutes=30))
    assert answer.headline == "hello was never triggered"
    assert "; in the playbook since Mon 02 Mar 2026 10:00" in answer.obstacles[0].sentence
    assert answer.changes == ()


def test_what_a_later_playbook_would_have_sent_another_way():
    text = book("when: event visit, wait: 2 days, to: 2026-02-27, send: [mail]")
    later = text.replace("2026-02-27, send: [mail]", "2026-03-10, send: [pull]").replace(
        "channels: {", "channels: {pull: {}, "
    )

    def told(last_day):
        engine = shop(text.replace("2026-02-27", last_day), visit(0), until=1)
        engine.publish(load_files({"playbook.yaml": later.encode()}))
        engine.tick(MONDAY + timedelta(hours=90))
        return engine

    answer = asked(told("2026-02-27"))
    assert answer.obstacles[0].sentence == "to: 2026-02-27"  # by the playbook of then
    assert [(each.needed, each.since) for each in answer.changes] == [("2026-03-04", None)]
    assert goes_out(told("2026-03-04"))
    assert not goes_out(told("2026-03-03"))


@pytest.mark.parametrize("is_on_disk", [False, True])  # there is an index of the journal there
def test_a_campaign_that_was_taken_out_says_since_when(tmp_path, is_on_disk):
    first = load_files({"playbook.yaml": book("when: event visit, if: n > 5, send: [mail]").encode()})
    later = load_files({"playbook.yaml": book("when: event visit, if: n > 9, send: [mail]").encode()})
    without = load_files({"playbook.yaml": book("when: event visit, send: [mail]").replace("hello", "other").encode()})
    clock = [MONDAY]
    data = tmp_path if is_on_disk else None
    with onevoice.open(first, data, clock=lambda: us_of(clock[0], "clock")) as engine:
        for hours, then in ((0, later), (2, without), (5, first), (7, without), (9, without)):
            clock[0] = MONDAY + timedelta(hours=hours)
            engine.ingest([{"type": "visit", "identifiers": ANN, "traits": {"n": 7}}])
            engine.publish(then)
        with pytest.raises(onevoice.EventError) as refused:
            asked(engine)
        said = "`hello` is in the playbook no longer: it was taken out on Mon 02 Mar 2026 16:00"
        assert said in str(refused.value)
        assert "`why` still tells what was decided about it" in str(refused.value)
        assert engine.why(ANN, "hello", last=9)
        then = engine.why_not(ANN, "hello", MONDAY + timedelta(hours=1))
        assert then.headline.startswith("hello: goes out by mail")
        with pytest.raises(onevoice.EventError, match="no such campaign"):
            engine.why_not(ANN, "helo")


def test_a_contact_has_the_number_that_it_has_among_all():
    text = book("when: event visit, send: [mail]").replace("channels: {mail: {}", "channels: {mail: {receipts: 1 day}")
    engine = onevoice.open(load_files({"playbook.yaml": text.encode()}))
    for hours, who in enumerate([{"email": "bob@x.org"}, ANN]):
        engine.ingest([{"type": "visit", "identifiers": who}], time=MONDAY + timedelta(hours=hours))
    failed = {"type": "contact_failed", "identifiers": ANN, "fields": {"contact": 1}}
    engine.ingest([failed], time=MONDAY + timedelta(hours=3))
    assert asked(engine).headline == "hello: contact 1 by mail failed, and no channel is left"


@pytest.mark.parametrize(
    ("spent", "sentence"),
    [
        ([0.1, 0.2], "with 0.71 more of spend: 1.01 instead of 0.30"),
        ([1_000_000.05], "with 0.01 more of spend: 1000000.06 instead of 1000000.05"),
    ],
)
def test_sums_are_told_as_they_are_written(spent, sentence):
    limit = 1 if len(spent) > 1 else 1_000_000.05
    text = book(f"when: event order, if: spend > {limit}, send: [mail]")
    assert asked(shop(text, *(order(hour, each) for hour, each in enumerate(spent)))).smallest.sentence == sentence


def test_a_small_number_is_told_with_all_its_digits():
    answer = asked(shop(book("when: event visit, if: n > 0.000001, send: [mail]"), visit(0, n=5e-7)))
    assert answer.smallest.sentence == "with 0.0000006 more of n: 0.0000011 instead of 0.0000005"


def test_with_after_and_wait_the_values_are_those_at_the_birth():
    text = book("when: event visit, if: spend > 60, after: 1 hour, wait: 1 hour, send: [mail]")
    answer = asked(shop(text, order(0, 50), visit(1), order(2.5, 15), until=6))
    assert answer.values == {"spend": "50"}
    assert answer.smallest.needed == "60.01"


def test_an_event_that_came_twice_is_looked_at_where_it_counted():
    engine = onevoice.open(
        load_files({"playbook.yaml": book("when: event order where event.amount > 10, send: [mail]").encode()})
    )
    for hours in range(2):
        event = {"type": "order", "id": "x", "identifiers": ANN, "fields": {"amount": 9.5}}
        engine.ingest([event], time=MONDAY + timedelta(hours=hours))
    assert asked(engine).smallest.sentence == "with 0.51 more of order.amount: 10.01 instead of 9.50"


def test_a_built_in_event_that_is_not_quite_what_is_waited_for():
    text = book("when: \"event list_joined where event.list = 'vip'\", send: [mail]")
    answer = asked(shop(text, (0, "list_joined", {"list": "vop"}, {})))
    assert answer.smallest.sentence == "if list_joined.list were vip instead of vop"


@pytest.mark.parametrize(
    ("condition", "found", "sentence"),
    [
        ("n >= 0.5", 0.49999999999, "with 0.00000000001 more of n: 0.50 instead of 0.49999999999"),
        ("n > 100", 0.1 + 0.2, "with 99.71 more of n: 100.01 instead of 0.30000000000000004"),
        ("n > 3 and n < 3.001", 3, "with 0.000001 more of n: 3.000001 instead of 3.000000"),
        ("n = 1e300", 3, "with 1e+300 more of n: 1e+300 instead of 3.00"),
        ("n is null", 3, "if n were not known"),
    ],
)
def test_numbers_are_told_as_they_are(condition, found, sentence):
    text = book(f"when: event visit, if: {condition}, send: [mail]")
    assert asked(shop(text, visit(0, n=found))).smallest.sentence == sentence


@pytest.mark.parametrize(
    ("condition", "traits", "sentence", "enough"),
    [
        ("tier <> 'gold'", {"tier": "gold"}, "if tier were anything but gold", {"tier": "silver"}),
        ("tier not in ('gold', 'x')", {"tier": "x"}, "if tier were anything but gold or x", {"tier": "silver"}),
        ("tier <> 'gold'", {}, "if tier were anything but gold", {"tier": "silver"}),
        ("tier like 'go%'", {"tier": "tin"}, "if tier were go instead of tin", {"tier": "go"}),
        ("tier is null", {"tier": "tin"}, "if tier were not known", {}),
    ],
)
def test_other_texts(condition, traits, sentence, enough):
    text = book(f'when: event visit, if: "{condition}", send: [mail]')
    assert asked(shop(text, visit(0, **traits))).smallest.sentence == sentence
    assert goes_out(shop(text, visit(0, **enough)))


def test_spans_of_seconds():
    text = book("when: event visit, send: [mail]", policies="gap: 90 seconds")
    answer = asked(shop(text, (0, "contact_reported", {"channel": "mail"}, {}), visit(30 / 3600)))
    assert "with policies.gap of 30 seconds instead of 90 seconds" in [each.sentence for each in answer.changes]


def test_a_rank_that_is_no_line():
    other = "  other: {class: sales, priority: 3, when: event visit, send: [mail]}"
    text = book("priority: 5, when: event visit, send: [mail]", more=other, policies="gap: 1 day, rank: 1 / priority")
    (change,) = (each for each in asked(shop(text, visit(0))).changes if each.name.endswith("priority"))
    assert change.needed in {"3", "2"}  # a tie is decided by lot


def test_a_priority_that_wins_by_lot_says_so():
    for priority in range(10, 20):  # whom the lot favours is another one in each journal
        other = f"  other: {{class: sales, priority: {priority}, when: event visit, send: [mail]}}"
        text = book("priority: 1, when: event visit, send: [mail]", more=other, policies="gap: 1 day")
        (change,) = (each for each in asked(shop(text, visit(0))).changes if each.name.endswith("priority"))
        assert change.needed in {f"{priority}", f"{priority + 1}"}
        assert change.sentence.endswith("by lot: another rank is the same") == (change.needed == f"{priority}")


def test_a_wish_that_is_gone_does_not_wait():
    text = book("when: event visit, until: order, send: [mail]", policies="gap: 1 day")
    events = (0, "contact_reported", {"channel": "mail"}, {}), visit(1)
    assert asked(shop(text, *events)).smallest.kind == "wait"
    answer = asked(shop(text, *events, order(2, 5)))
    assert "wait" not in [each.kind for each in answer.changes]


def test_a_cap_of_which_others_take_the_next_places():
    others = "".join(
        f"  other_{priority}: {{class: sales, priority: {priority}, when: event visit, send: [mail]}}\n"
        for priority in (8, 9)
    )
    text = book("priority: 7, when: event visit, send: [mail]", more=others, policies="caps: [{max: 1, per: week}]")
    sentences = [each.sentence for each in asked(shop(text, visit(0))).changes]
    assert "with at most 3 instead of 1 in policies.caps[0]" in sentences
    assert goes_out(shop(text.replace("max: 1", "max: 3"), visit(0)))
    assert not goes_out(shop(text.replace("max: 1", "max: 2"), visit(0)))


def test_a_strict_class_that_came_first():
    other = "  other: {class: care, priority: 1, when: event visit, send: [mail]}"
    text = book("priority: 7, when: event visit, send: [mail]", more=other, policies="gap: 1 day")
    text = text.replace("{classes: {", "{classes: {care: {strict: true}, ")
    assert "if no class were strict" in [each.sentence for each in asked(shop(text, visit(0))).changes]
    assert goes_out(shop(text.replace("strict: true", "strict: false"), visit(0)))


def test_a_strict_class_that_took_the_only_place_of_a_cap():
    other = "  other: {class: care, priority: 1, when: event visit, send: [mail]}"
    text = book("priority: 7, when: event visit, send: [mail]", more=other, policies="caps: [{max: 1, per: week}]")
    text = text.replace("{classes: {", "{classes: {care: {strict: true}, ")
    answer = asked(shop(text, visit(0)))
    assert [each.reason for each in answer.obstacles] == ["cap"]
    assert "if no class were strict" in [each.sentence for each in answer.changes]
    assert goes_out(shop(text.replace("strict: true", "strict: false"), visit(0)))


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_each_switch_that_is_off_is_named(state):
    text = book("when: event visit, send: [mail]")
    scopes = {"campaign": "hello"}, {"class": "sales"}, {"everything": True}
    off = [(hours / 10, f"campaign_{state}", scope, {}) for hours, scope in enumerate(scopes)]
    answer = asked(shop(text, *off, visit(1)))
    assert [each.reason for each in answer.obstacles] == [state] * 3
    for obstacle, named in zip(answer.obstacles, ("the campaign", "the class sales", "everything"), strict=True):
        assert obstacle.sentence.startswith(f"{named} {'is' if state == 'paused' else 'was'} {state}")
    assert answer.changes == ()


def test_a_run_that_came_to_its_limit():
    text = book("when: every monday 10:00, at_most: 1, send: [mail]")
    engine = onevoice.open(load_files({"playbook.yaml": text.encode()}))
    people = [{"email": f"{name}@x.org"} for name in ("bob", "ann")]
    engine.ingest([{"type": "visit", "identifiers": who} for who in people], time=MONDAY)
    engine.tick(MONDAY + timedelta(hours=3))
    answers = [engine.why_not(who, "hello") for who in people]
    sentences = [each.sentence for answer in answers for each in answer.changes]
    assert sentences == ["without campaigns.hello.at_most"]


def test_what_time_it_was_is_told_where_conditions_ask_for_it():
    text = book("when: event visit, if: hour(now()) >= 13, send: [mail]")
    assert asked(shop(text, visit(0))).values == {"now()": "2026-03-02 09:00+00:00"}


def test_an_event_that_is_not_quite_the_trigger_of_a_wish_with_a_delay():
    text = book("when: event order where amount > 100, after: 1 hour, send: [mail]")
    answer = asked(shop(text, order(0, 50)))
    assert answer.values == {"event.amount": "50"}
    assert answer.smallest.sentence == "with 50.01 more of order.amount: 100.01 instead of 50.00"


def test_fields_of_the_event_are_told_and_changed_though_it_came_before_the_birth():
    text = book("when: event order, after: 1 hour, if: event.amount > 10, send: [mail]")
    answer = asked(shop(text, order(0, 5), until=2))
    assert answer.values == {"event.amount": "5"}
    assert answer.smallest.sentence == "with 5.01 more of order.amount: 10.01 instead of 5.00"
    assert goes_out(shop(text, order(0, 10.01), until=2))
    assert not goes_out(shop(text, order(0, 10), until=2))


@pytest.mark.parametrize("after", ["", "after: 1 hour, "])
def test_an_event_that_is_not_quite_the_trigger_is_told_among_others_of_its_instant(after):
    text = book(f"when: event order where amount > 100, {after}send: [mail]")
    text = text.replace("visit: {}", "visit: {fields: {amount: number}}")
    answer = asked(shop(text, (0, "visit", {"amount": 7}, {}), order(0, 50), (0, "visit", {"amount": 8}, {})))
    assert answer.values == {"event.amount": "50"}
    assert answer.smallest.sentence == "with 50.01 more of order.amount: 100.01 instead of 50.00"
