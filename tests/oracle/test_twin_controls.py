"""Pause, stop and the limit of a run, worked out by hand from the page (§16)."""

from onevoice.playbook.model import HOUR, MINUTE, Placement, Trigger, TriggerKind

from .desk import START, Desk, book, campaign, event, named, on, policies

ONCE = Trigger(TriggerKind.ONCE, at_us=START + 10 * MINUTE)


def desk(*campaigns, **rules):
    return Desk(book(campaigns=named(*campaigns), policies=policies(**rules), placements=named(Placement("till"))))


def turn(desk, now, verb, **what):
    return desk.send(now, event(f"campaign_{verb}", None, **(what or {"everything": True})))


def test_paused_it_is_held_and_expires_and_resumed_what_is_left_goes_at_once():
    it = desk(campaign("short", on("a"), valid_for_us=5 * MINUTE), campaign("long", on("b")))
    turn(it, 1, "paused").say(2, "a").say(2, "b", who="c2").send(8)
    assert it.told() == [(2, "short", "paused"), (2, "long", "paused"), (7, "short", "expired")]
    turn(it, 9, "resumed").send(9)
    assert it.told()[3:] == [(9, "long", "won")]


def test_it_goes_only_if_none_of_its_three_switches_is_off_and_the_first_is_told():
    it = desk(campaign("it", on("a")))
    turn(turn(it, 1, "paused", **{"class": "sales"}), 1, "paused").say(2, "a")
    assert [line.rule for line in it.lines()] == [1]
    turn(it, 3, "resumed", **{"class": "sales"}).say(4, "a", who="c2")
    assert [line.rule for line in it.lines()] == [1, 2]
    turn(it, 5, "paused", campaign="it")
    turn(it, 6, "resumed")
    turn(it, 7, "resumed", campaign="it").send(7)
    assert it.told()[2:] == [(7, "it", "won"), (7, "it", "won")]


def test_a_name_that_is_not_known_does_nothing_and_a_campaign_goes_before_a_class():
    it = desk(campaign("it", on("a")), campaign("other", on("a")))
    turn(it, 1, "stopped", campaign="stranger", **{"class": "sales"})
    turn(it, 1, "stopped", **{"class": "stranger"})
    turn(it, 1, "stopped", campaign="it", **{"class": "sales"}).say(2, "a")
    assert it.told() == [(2, "other", "won")]
    assert it.twin.without_effect == 2
    assert it.rows("switches") == [(0, 0, 2, 0, 0, 0), (0, 1, 0, 1, 0, 0)]


def test_what_names_nothing_turns_nothing_and_everything_has_to_be_said():
    it = desk(campaign("it", on("a")), campaign("other", on("b")))
    for what in ({}, {"everything": False}, {"everything": None}, {"campain": "it"}, {"reason": "a mistake"}):
        it.send(1, event("campaign_stopped", None, **what))
    turn(it, 1, "stopped", campaign="it", everything=True).say(2, "a").say(2, "b")
    assert it.told() == [(2, "other", "won")]
    turn(it, 3, "stopped", everything=True).say(4, "b", who="c2")
    assert it.told() == [(2, "other", "won")]
    assert it.twin.without_effect == 5


def test_stopped_the_born_end_by_customer_and_the_unborn_vanish():
    waits = {"wait_us": 30 * MINUTE}
    it = desk(
        campaign("b", on("b"), **waits), campaign("a", on("a"), **waits), campaign("late", on("a"), after_us=9 * MINUTE)
    )
    it.say(1, "a", who="c2").say(1, "a").say(1, "b", who="c2")
    turn(it, 2, "stopped").say(3, "a")
    assert [(each.customer, line.campaign, line.rule) for each in it.twin.decisions for line in each.lines] == [
        (0, "b", 2),
        (0, "a", 2),
        (1, "a", 2),
    ]
    assert it.rows("candidates") == []
    turn(it, 4, "resumed").say(5, "b").send(40)
    assert it.told()[3:] == [(35, "b", "won")]


def test_the_limit_of_a_run_pauses_after_the_round_and_a_launch_resumes_nothing():
    it = desk(campaign("all", ONCE, at_most_contacts=2), campaign("each", on("a"), at_most_contacts=1))
    for who in ("c1", "c2", "c3"):
        it.say(1, "b", who=who)
    it.send(10)
    assert [(each.kind, each.customer, [line.reason for line in each.lines]) for each in it.twin.decisions] == [
        ("round", 0, ["won"]),
        ("round", 1, ["won"]),
        ("stop", -1, ["paused"]),
        ("round", 2, ["paused"]),
    ]
    assert [(line.value, line.limit) for line in it.lines()[2:]] == [(2, 2), (2, 2)]
    assert it.rows("switches") == [(0, 0, 1, 2, 0, 0)]
    turn(it, 11, "resumed", campaign="all").say(12, "a")
    assert it.rows("switches") == [(0, 0, 0, 1, 0, 2), (0, 1, 1, 1, 0, 0)]


def test_paused_by_hand_a_line_says_nothing_of_the_limit():
    it = desk(campaign("it", on("a"), at_most_contacts=2))
    turn(it.say(1, "a"), 2, "paused", campaign="it").say(3, "a")
    assert [(line.reason, line.value, line.limit) for line in it.lines()[1:]] == [("paused", 0, 0)]


def test_asked_it_is_paused_before_it_is_suppressed_and_stopped_not_even_told():
    asked = {"send": (), "placements": ("till",)}
    it = desk(campaign("it", Trigger(TriggerKind.ASKED), **asked))
    turn(it, 1, "paused", **{"class": "sales"}).say(2, "asked", placement="till")
    turn(it, 3, "stopped").say(4, "asked", placement="till")
    assert it.told() == [(2, "it", "paused")]
    assert [len(each.lines) for each in it.twin.decisions] == [1, 0]


FAILING = {"failures_share": 0.5, "failures_of_at_least": 3, "again_after_us": HOUR}


def contacted(count: int, **parts) -> Desk:
    """So many customers were contacted, one a minute, by a campaign that may not fail with half of them."""
    it = desk(campaign("it", on("a"), **{**FAILING, **parts}))
    for number in range(count):
        it.say(number, "a", who=f"c{number}")
    return it


def fails(it: Desk, at: float, *numbers: int, kind: str = "failed") -> Desk:
    for number in numbers:
        it.say(at, f"contact_{kind}", who=f"c{number}", contact=number)
    return it


def test_so_many_failures_of_a_run_pause_it_right_after_the_one_that_is_too_many():
    it = fails(contacted(5), 10, 0, 1)
    assert [line.reason for line in it.lines()] == ["won"] * 5
    fails(it, 11, 1, 3)  # the same once more, then a third of five: not fewer than 2.5
    stop = it.twin.decisions[-1]
    assert [(stop.kind, stop.customer)] == [("stop", -1)]
    assert [(line.campaign, line.rule, line.value, line.limit) for line in stop.lines] == [("it", 3, 3, 3)]
    it.say(12, "a", who="late")
    assert [(line.reason, line.rule, line.value, line.limit) for line in it.lines()[6:]] == [("paused", 3, 3, 3)]
    turn(it, 13, "resumed", campaign="it")
    assert it.told()[7:] == [(13, "it", "won")]
    assert it.rows("switches") == [(0, 0, 0, 1, 0, 5)]
    assert fails(it, 14, 4).told()[8:] == []  # a contact of the run before


def test_failures_wait_until_there_are_contacts_enough_and_what_arrives_has_not_failed():
    it = fails(contacted(2), 5, 0, 1)
    assert len(it.told()) == 2
    it.say(6, "a", who="c2")
    assert [(decision.kind, len(decision.lines)) for decision in it.twin.decisions[2:]] == [("round", 1), ("stop", 1)]
    it = fails(fails(contacted(2), 5, 0, 1), 6, 1, kind="delivered").say(7, "a", who="c2")
    assert it.told()[3:] == []
    assert it.rows("switches") == [(0, 0, 0, 3, 1, 0)]
    assert fails(contacted(4), 5, 0, 1, kind="cancelled").told()[4:] == []


def test_at_most_is_looked_at_before_failures():
    it = fails(contacted(2, at_most_contacts=3), 5, 0, 1).say(6, "a", who="c2")
    assert [(line.rule, line.value, line.limit) for line in it.lines()[3:]] == [(0, 3, 3)]
