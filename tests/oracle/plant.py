"""Contradictions planted into drawn playbooks, so that there is something dead to find."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onevoice.playbook.check import check
from onevoice.playbook.model import (
    Aggregate,
    Bucket,
    Campaign,
    EventMatch,
    Every,
    Resource,
    Segment,
    Step,
    Suppression,
    Trigger,
    TriggerKind,
    Window,
)
from onevoice.playbook.scopes import trigger_event

from .draw_conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.playbook.model import Playbook

    from .draw import Dice, Times


class Planter:
    """Changes a drawn playbook so that parts of it are likely to be dead; not all that is planted is."""

    def __init__(self, dice: Dice, times: Times, playbook: Playbook) -> None:
        self.dice = dice
        self.times = times
        self.book = playbook

    def planted(self) -> Playbook:
        """Return the playbook with some changes; those that do not pass the check are left out."""
        kinds: list[Callable[[], Playbook]] = [
            self._exclusive,
            self._exclusive,
            self._segment,
            self._alike,
            self._where,
            self._silenced,
            self._beaten,
            self._beaten,
            self._killed,
            self._outdated,
            self._shown,
            self._gated,
            self._gated,
        ]
        for _ in self.dice.times(2, 6):
            changed = self.dice.choice(kinds)()
            if not check(changed):
                self.book = changed
        return self.book

    def _conditions(self) -> Conditions:
        return Conditions(self.dice, self.times, self.book)

    def _pick(self) -> Campaign:
        return self.dice.choice(list(self.book.campaigns.values()))

    def _with(self, *campaigns: Campaign) -> Playbook:
        return replace(self.book, campaigns=self.book.campaigns | {each.name: each for each in campaigns})

    def _contradiction(self) -> str:
        """Return a condition that is likely never to be true."""
        one, other = self._conditions().customer(0), self._conditions().customer(1)
        form = self.dice.choice(
            (
                "({0}) and not ({0})",
                "({0}) and (({0}) is null)",
                "not (({0}) is true) and ({0})",
                "({0}) and (case when ({0}) then {1} is null else {1} end) and {1}",
                "({1}) and (not ({0}) or ({0}) is null) and ({0})",
            )
        )
        return form.format(f"({one})", f"({other})")

    def _several(self) -> str:
        """Return several atoms at once, which often exclude each other."""
        atoms = [self._conditions().customer(0) for _ in self.dice.times(3, 6)]
        return " and ".join(f"({each})" for each in atoms)

    def _exclusive(self) -> Playbook:
        campaign = self._pick()
        event = trigger_event(self.book, campaign)
        drawn = self._conditions().campaign(event, bool(campaign.offers))
        text = self.dice.choice((self._contradiction(), self._several(), f"({drawn}) and not ({drawn})"))
        return self._with(replace(campaign, condition=text))

    def _segment(self) -> Playbook:
        """Let a campaign begin with a segment, and ask for what the segment excludes."""
        condition = self.dice.choice((self._contradiction(), self._conditions().customer(1), self._lasting()))
        book = replace(self.book, segments={**self.book.segments, "planted": Segment("planted", condition)})
        kind = self.dice.choice((TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT))
        own = self.dice.choice(("", "planted", "not planted", f"not ({condition})", condition))
        campaign = replace(self._pick(), when=Trigger(kind, "planted"), per="", condition=own)
        if campaign.placements:
            return self.book
        return replace(book, campaigns=book.campaigns | {campaign.name: campaign})

    def _lasting(self) -> str:
        names = [each.name for each in self.book.measures.values() if not each.over_us]
        if not names:
            return "now() > timestamptz '2026-03-05 00:00+00:00'"
        return f"{self.dice.choice(names)} is not null"

    def _alike(self) -> Playbook:
        """Ask for something of one measure and nothing of another of the same events, or of some of them."""
        if not self.book.measures:
            return self.book
        choice = self.dice.choice
        one = choice(list(self.book.measures.values()))
        timed = choice((Aggregate.COUNT, Aggregate.COUNT, Aggregate.LATEST, Aggregate.FIRST))
        match = choice((one.match, one.match, replace(one.match, where="")))
        two = replace(one, name="planted", aggregate=timed, match=match, field=choice(("", "", one.field)), over_us=0)
        two = replace(two, over_us=choice((0, 0, 0, self.times.span(2, 9) if timed is Aggregate.COUNT else 0)))
        counted = {each.name: each.aggregate in {Aggregate.COUNT, Aggregate.DISTINCT} for each in (one, two)}
        some, none = choice(((one, two), (two, one)))
        known = f"{some.name} {'> 0' if counted[some.name] else 'is not null'}"
        text = f"{known} and {none.name} {'= 0' if counted[none.name] else 'is null'}"
        if all(counted.values()):
            text = choice((text, f"{some.name} > {none.name}", f"{some.name} = {none.name} + 1"))
        book = self._with(replace(self._pick(), condition=text))
        return replace(book, measures={**self.book.measures, "planted": two})

    def _where(self) -> Playbook:
        """Let a campaign begin with an event that cannot come, or ask for what its event excludes."""
        campaign = self._pick()
        if campaign.when.kind is not TriggerKind.EVENT:
            return self.book
        where = self._conditions().event(campaign.when.name)
        if not where:
            return self.book
        if self.dice.chance(0.5):
            when = replace(campaign.when, where=f"({where}) and not ({where})")
            return self._with(replace(campaign, when=when))
        when = replace(campaign.when, where=where)
        return self._with(replace(campaign, when=when, condition=f"({where}) is not true"))

    def _silenced(self) -> Playbook:
        """Stop a class while the condition of one of its campaigns is true."""
        campaign = self._pick()
        part = self._conditions().customer(0)
        more = self._conditions().customer(0)
        rule = Suppression(
            (campaign.klass,),
            self.dice.choice((part, f"({part}) or ({more})", f"not (({part}) is not true)")),
            then_us=self.dice.maybe(self.times.span(1, 8), 0, 0.3),
        )
        policies = replace(self.book.policies, suppress=(*self.book.policies.suppress, rule))
        book = self._with(replace(campaign, condition=f"({part}) and ({more})"))
        return replace(book, policies=policies)

    def _beaten(self) -> Playbook:
        """Put a better campaign beside another, and give that one no more time than the gap."""
        campaign = self._pick()
        if campaign.placements:
            return self.book
        dice, gap_us = self.dice, self.times.span(3, 9)
        lives_us = dice.choice((gap_us, gap_us, gap_us - 1, 2 * gap_us))
        kept = {name: replace(each, per="") for name, each in self.book.campaigns.items()}
        poor = replace(campaign, after_us=0, valid_for_us=lives_us, per="", propensity="")
        rich = replace(
            poor,
            name="rich",
            klass=dice.choice([poor.klass, poor.klass, *self.book.policies.classes]),
            priority=dice.choice((9.0, 9.0, 9.0, 0.0)),
            offers=dice.choice((poor.offers, ())),
            condition=dice.choice(("", "", "", poor.condition)),
            send=dice.choice((tuple(self.book.channels), poor.send, poor.send[:1])),
            after_us=dice.choice((0, 0, 0, 0, self.times.unit)),
            valid_for_us=dice.choice((0, lives_us, self.times.unit)),
            again_after_us=dice.choice((0, 0, 0, 4 * gap_us)),
            wait_us=dice.choice((-1, 0)),
            until=dice.choice((None, poor.until)),
            from_us=dice.choice((0, poor.from_us)),
            to_us=dice.choice((0, poor.to_us)),
        )
        policies = replace(self.book.policies, gap_us=gap_us, rank="weight * priority * propensity")
        return replace(self.book, campaigns={**kept, poor.name: poor, "rich": rich}, policies=policies)

    def _shown(self) -> Playbook:
        """Put better campaigns beside one that is asked for."""
        when, places = Trigger(TriggerKind.ASKED), tuple(self.book.placements)
        klass = self.dice.choice(list(self.book.policies.classes))
        betters = [Campaign(f"show_{n}", klass, when, priority=8.0 + n, placements=places) for n in range(3)]
        poor = Campaign("show_poor", klass, when, priority=1.0, placements=places, condition=self._several())
        policies = replace(self.book.policies, rank="weight * priority")
        return replace(self._with(poor, *betters[: self.dice.randint(1, 3)]), policies=policies)

    def _gated(self) -> Playbook:
        """Leave a campaign hardly any room, or hardly any time in which its channels are open."""
        campaign, dice = self._pick(), self.dice
        if campaign.placements:
            return self.book
        if dice.chance(0.5):
            return self._at_hours(campaign)
        per, channels = dice.choice((Bucket.MINUTE, Bucket.HOUR, Bucket.DAY)), self.book.channels
        share = dice.choice((1.0, 1.0, 0.7))
        scarce = Resource("planted", capacity=dice.randint(1, 3), per=per, reserve={self._class(): share})
        if dice.chance(0.5):
            scarce = Resource("planted", budget=0.5, per=dice.choice((Bucket.DAY, None)))
            costs = {name: replace(channels[name], cost=dice.choice((0.75, 0.75, 0.75, 0.5))) for name in campaign.send}
            channels = {**channels, **costs}
        book = self._with(replace(campaign, uses=("planted",)))
        return replace(book, resources={**book.resources, "planted": scarce}, channels=channels)

    def _at_hours(self, campaign: Campaign) -> Playbook:
        dice, opens = self.dice, self.dice.randint(6, 12) * 60
        days = dice.choice(((0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4), (5, 6)))
        window = Window(opens, opens + dice.randint(1, 9) * 60, days)
        policies = replace(self.book.policies, hours={"all": (window,)})
        lives_us = self.times.span(1, 6)
        if dice.chance(0.4):
            day = self.times.instant()
            changed = replace(campaign, from_us=day, to_us=day + lives_us)
        else:
            at = Every(dice.randint(0, 23) * 60, weekday=dice.choice((-1, -1, 5, 6)))
            changed = replace(campaign, when=Trigger(TriggerKind.EVERY, every=at), per="", valid_for_us=lives_us)
        changed = replace(changed, after_us=dice.choice((0, 0, self.times.unit)), wait_us=0)
        return replace(self._with(changed), policies=policies)

    def _class(self) -> str:
        return self.dice.choice(list(self.book.policies.classes))

    def _killed(self) -> Playbook:
        """Let an event that must not come before a step be the step itself, or nearly."""
        moments = [each for each in self.book.moments.values() if len(each.steps) > 1 and not each.steps[-1].absent]
        if not moments:
            return self.book
        moment = self.dice.choice(moments)
        match = moment.steps[-1].matches[0]
        absent = self.dice.choice((match, EventMatch(match.event)))
        steps = (*moment.steps[:-1], Step((absent,), absent=True), moment.steps[-1])
        return replace(self.book, moments=self.book.moments | {moment.name: replace(moment, steps=steps)})

    def _outdated(self) -> Playbook:
        """Ask for a time that the days of a campaign exclude."""
        campaign, day = self._pick(), self.times.instant()
        told = self._conditions()._moment()
        text = self.dice.choice((f"now() < timestamptz '{told}'", f"now() > timestamptz '{told}'"))
        kept = f"({campaign.condition}) and " if campaign.condition else ""
        days = {"from_us": day, "to_us": day + self.times.span(1, 9)}
        return self._with(replace(campaign, condition=kept + text, **days))
