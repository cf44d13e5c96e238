"""Examples of §6 computed by hand. Minutes count from a Monday's midnight."""

from __future__ import annotations

import pytest

from onevoice.playbook.model import MINUTE, EventMatch, Moment, Source, Step, Trigger, TriggerKind

from .desk import Desk, book, campaign, event, named, on, step


def desk_of(*steps: Step, **parts) -> Desk:
    moment = Moment("m", steps, **{key: parts.pop(key) for key in ("per", "within_us") if key in parts})
    told = campaign("told", Trigger(TriggerKind.MOMENT, "m"), per=moment.per)
    return Desk(book(moments=named(moment), campaigns=named(told), **parts))


def fired(desk: Desk, story: str) -> list[float]:
    """Play `a1 b2.5 …`: an event and its minute, in order, and say when the moment fired."""
    for word in story.split():
        desk.say(float(word[1:]), word[0], at=float(word[1:]))
    desk.send(5000)
    return [minute for minute, _, _ in desk.told()]


STORIES = [
    # steps, window over all, story, minutes of firing
    ("a b", 0, "a1 b2", [2]),
    ("a b", 0, "b1 a2", []),
    ("a b", 0, "a1 b1", [1]),
    ("a b", 0, "a1 b2 b3", [2]),
    ("a b", 0, "a1 a2 b3 b4", [3]),
    ("a b a", 0, "a1 b2 a3 b4 a5", [3]),
    ("a b<10", 0, "a0 b9", [9]),
    ("a b<10", 0, "a0 b10", []),
    ("a b<10", 0, "a0 a5 b12", [12]),
    ("a b", 10, "a0 b10", []),
    ("a b x", 10, "a0 b5 x9", [9]),
    ("a b x", 10, "a0 a3 b5 x12", [12]),
    ("a b x", 10, "a0 b5 a6 x12", []),
    ("3a<10", 0, "a0 a5 a9", [9]),
    ("3a<10", 0, "a0 a5 a10 a12", [12]),
    ("3a<10", 0, "a0 a1 a2 a3 a4 a5", [2, 5]),
    ("b 2a<10", 0, "b0 a5 a9", [9]),
    ("b 2a<10", 0, "b0 a5 a10", []),
    ("b 2a", 0, "b0 a5 b6 a7", [7]),
    ("a !x b", 0, "a0 x1 b2", []),
    ("a !x b", 0, "a0 x1 a2 b3", [3]),
    ("a !x 2b", 0, "a0 b1 x2 b3", []),
    ("a !x 2b", 0, "a0 b1 x2 a3 b4 b5", [5]),
    ("a !a b", 0, "a0 a1 b2", [2]),
    ("a !b b", 0, "a0 b1", []),
    ("a !b<10", 0, "a0", [10]),
    ("a !b<10", 0, "a0 b9", []),
    ("a !b<10", 0, "a0 b10", [10]),
    ("a !b<10", 0, "a0 a5", [15]),
    ("a !a<10", 0, "a0 a5 a16", [15, 26]),
    ("a b !x<10", 0, "a0 b1 x2 b3", [13]),
]


def steps_of(text: str) -> list[Step]:
    found = []
    for word in text.split():
        head, _, within = word.partition("<")
        absent = head.startswith("!")
        head = head.lstrip("!")
        count = int(head[:-1] or 1)
        found.append(step(head[-1], count=count, within_us=int(within or 0) * MINUTE, absent=absent))
    return found


@pytest.mark.parametrize(("steps", "window", "story", "expected"), STORIES)
def test_stories(steps: str, window: int, story: str, expected: list[float]):
    assert fired(desk_of(*steps_of(steps), within_us=window * MINUTE), story) == expected


def test_any_of():
    either = Step((EventMatch("a"), EventMatch("b")))
    assert fired(desk_of(either, step("x")), "b1 x2 a3 x4") == [2, 4]


def test_where():
    big = Step((EventMatch("a", "n > 5"),))
    desk = desk_of(big)
    desk.say(0, "a", n=5).say(1, "a", n=None).say(2, "a", n=6)
    assert [minute for minute, _, _ in desk.told()] == [2]


def test_progress_per_key_and_nulls_ignored():
    desk = desk_of(step("a"), step("b"), per="k")
    desk.say(0, "a", k="1").say(1, "b", k="2").say(2, "b").say(3, "b", k="1")
    assert desk.told() == [(3, "told", "won")]


def test_a_campaign_may_have_another_key_than_its_moment():
    told = campaign("told", Trigger(TriggerKind.MOMENT, "m"), per="c", wait_us=MINUTE)
    desk = Desk(book(moments=named(Moment("m", (step("a"),), "k")), campaigns=named(told)))
    desk.say(0, "a", k="1", c="u").say(0, "a", k="2", c="u").say(0, "a", k="1", c="v")
    assert len(desk.rows("candidates")) == 2


def test_a_late_event_is_matched_with_the_latest_progress_only():
    desk = desk_of(*steps_of("a b<10"))
    desk.say(20, "a", at=0).say(20, "a", at=15).say(20, "b", at=9)
    assert desk.told() == []


def test_a_late_completion_fires_its_absence_at_once():
    desk = desk_of(*steps_of("a !b<10")).say(60, "a", at=5).say(61, "x")
    assert desk.told() == [(60, "told", "won")]


def test_a_kill_outside_the_absence_does_not_count():
    desk = desk_of(*steps_of("a !b<10")).say(5, "a").say(6, "b", at=4).send(60)
    assert desk.told() == [(15, "told", "won")]


def test_an_absence_waits_for_the_lag_of_its_source():
    sources = named(Source("till", 30 * MINUTE, ("b",)), Source("web", 90 * MINUTE, ("x",)))
    desk = desk_of(*steps_of("a !b<10"), sources=sources).say(0, "a").send(39)
    assert desk.told() == []
    desk.say(39, "b", at=9).send(100)
    assert desk.told() == []
    assert desk.say(100, "a").send(200).told() == [(140, "told", "won")]


def test_the_trigger_of_an_absence_is_the_completed_chain():
    told = campaign("told", Trigger(TriggerKind.MOMENT, "m"), wait_us=60 * MINUTE, until=EventMatch("b"))
    desk = Desk(book(moments=named(Moment("m", tuple(steps_of("a !x<10")))), campaigns=named(told)))
    desk.say(5, "a").say(20, "b", at=4).say(21, "b", at=5)
    assert desk.told() == []  # the absence was known from minute 15 on; neither `b` came after the chain
    assert desk.say(22, "b", at=9).told() == [(22, "told", "ended")]


def test_a_moment_fires_once_for_a_row_that_completes_several_sub_steps():
    assert fired(desk_of(step("a", count=2)), "a1 a2 a3 a4") == [2, 4]


def test_a_merge_keeps_the_better_progress():
    desk = desk_of(*steps_of("a b<10"))
    desk.send(0, event("a", 0, {"card": "1"})).send(5, event("a", 5, {"email": "m"}))
    desk.send(12, event("b", 12, {"card": "1", "email": "m"}))
    assert desk.told() == [(12, "told", "won")]


def test_event_triggers_come_before_moments_and_both_meet_in_one_round():
    playbook = book(
        moments=named(Moment("m", (step("a"),))),
        campaigns=named(campaign("second", Trigger(TriggerKind.MOMENT, "m"), priority=1.0), campaign("first", on("a"))),
    )
    assert Desk(playbook).say(0, "a").say(1, "x").told() == [
        (0, "second", "won"),
        (0, "first", "outranked"),
        (0, "first", "won"),
    ]
