"""In streams in order the dynamic programme of §6 finds exactly what a search of all subsequences finds."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from onevoice.playbook.model import MINUTE, EventMatch, Moment, Step, Trigger, TriggerKind

from .desk import Desk, book, campaign, named

if TYPE_CHECKING:
    from collections.abc import Iterator

Event = tuple[str, int]  # type, minute
STREAMS = int(os.environ.get("ORACLE_STREAMS", "1500"))


@dataclass(frozen=True)
class Chain:
    """The types of a moment's chain, one a place; what may not happen between; its windows in minutes."""

    moment: Moment

    @property
    def places(self) -> list[Step]:
        return [step for step in self.moment.steps if not step.absent for _ in range(step.count)]

    @property
    def final(self) -> Step | None:
        last = self.moment.steps[-1]
        return last if last.absent else None

    def is_kept(self, events: list[Event], chosen: tuple[int, ...]) -> bool:
        """Tell whether these places of a stream are a chain."""
        if any(not is_of(events[at], step) for at, step in zip(chosen, self.places, strict=True)):
            return False
        first, last = events[chosen[0]][1], events[chosen[-1]][1]
        window = self.moment.within_us // MINUTE
        if window and last - first >= window:
            return False
        return all(self._is_step_kept(events, *each) for each in self._steps(chosen))

    def _steps(self, chosen: tuple[int, ...]) -> Iterator[tuple[Step, list[Step], int, range]]:
        """Give of each step: itself, what is absent before it, where it is begun, and the places until it is done."""
        at, before, absent = 0, -1, []
        for step in self.moment.steps:
            if step.absent:
                absent.append(step)
                continue
            first, last = chosen[at], chosen[at + step.count - 1]
            yield step, absent, first if before < 0 else before, range(first if before < 0 else before + 1, last + 1)
            at, before, absent = at + step.count, last, []

    def _is_step_kept(self, events: list[Event], step: Step, absent: list[Step], begun: int, until: range) -> bool:
        if step.within_us and events[until[-1]][1] - events[begun][1] >= step.within_us // MINUTE:
            return False
        return not any(is_of(events[at], each) for at in until for each in absent)


def is_of(event: Event, step: Step) -> bool:
    return any(match.event == event[0] for match in step.matches)


def starts(chain: Chain, events: list[Event], since: int, at: int) -> list[int]:
    """Return the start of each chain that ends at this event and begins after the last firing."""
    found = [
        (*chosen, at)
        for chosen in combinations(range(since, at), len(chain.places) - 1)
        if chain.is_kept(events, (*chosen, at))
    ]
    return [events[chosen[0]][1] for chosen in found]


def search(chain: Chain, events: list[Event]) -> list[int]:
    """Return the minutes of firing, by looking at all subsequences."""
    fired: list[int] = []
    since = 0
    waiting: tuple[int, int] | None = None  # (anchor, completion)
    for at, event in enumerate(events):
        length = chain.final.within_us // MINUTE if chain.final else 0
        if waiting and waiting[1] + length <= event[1]:
            fired.append(waiting[1] + length)
            since, waiting = at, None
        if waiting and is_of(event, chain.final):
            waiting = None
        found = starts(chain, events, since, at)
        if found and not chain.final:
            fired.append(event[1])
            since = at + 1
        elif found:
            anchor = max(found) if chain.moment.within_us else event[1]
            waiting = (anchor, event[1]) if waiting is None or anchor > waiting[0] else waiting
    if waiting:
        fired.append(waiting[1] + chain.final.within_us // MINUTE)
    return fired


def draw_moment(dice: random.Random) -> Moment:
    window = dice.randint(2, 9) * MINUTE if dice.random() < 0.35 else 0
    steps: list[Step] = []
    for turn in range(dice.randint(1, 3)):
        if turn and dice.random() < 0.35:
            steps.append(Step((EventMatch(dice.choice("abx")),), absent=True))
        types = dice.sample("abx", dice.choice((1, 1, 1, 2)))
        within = dice.randint(1, 6) * MINUTE if not window and dice.random() < 0.5 else 0
        steps.append(Step(tuple(EventMatch(kind) for kind in types), dice.choice((1, 1, 2, 3)), within))
    if dice.random() < 0.35:
        steps.append(Step((EventMatch(dice.choice("abx")),), within_us=dice.randint(1, 5) * MINUTE, absent=True))
    return Moment("m", tuple(steps), within_us=window)


def draw_events(dice: random.Random) -> list[Event]:
    minute, events = 0, []
    for _ in range(dice.randint(1, 10)):
        minute += dice.choice((0, 0, 1, 1, 2, 4))
        events.append((dice.choice("aabbx"), minute))
    return events


def told(moment: Moment, events: list[Event]) -> list[float]:
    desk = Desk(book(moments=named(moment), campaigns=named(campaign("told", Trigger(TriggerKind.MOMENT, "m")))))
    for kind, minute in events:
        desk.say(minute, kind)
    return [minute for minute, _, _ in desk.send(1000).told()]


def test_the_programme_finds_what_a_search_finds():
    first = int(os.environ.get("ORACLE_SEED", random.SystemRandom().randrange(2**31)))
    print(f"ORACLE_SEED={first}")
    for seed in range(first, first + STREAMS):
        dice = random.Random(seed)
        moment, events = draw_moment(dice), draw_events(dice)
        assert told(moment, events) == search(Chain(moment), events), f"ORACLE_SEED={seed}: {moment} over {events}"
