"""Small playbooks, drawn; each passes the playbook's own check."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from onevoice.playbook.model import (
    EACH,
    MINUTE,
    Bucket,
    Campaign,
    CampaignClass,
    Cap,
    Channel,
    Every,
    Exploration,
    Fact,
    FieldType,
    Holdout,
    Holiday,
    Offer,
    Period,
    Placement,
    Playbook,
    Policies,
    Refusals,
    Resource,
    Segment,
    SendBy,
    Suppression,
    Trait,
    Trigger,
    TriggerKind,
    Window,
)
from onevoice.playbook.policies import COUNTS_FROM
from onevoice.playbook.scopes import trigger_event

from .clock import EPOCH
from .desk import named
from .draw import CATALOGUE, EVENTS, IDENTIFIERS, TRAITS, ZONES
from .draw_groups import groups
from .draw_known import KEYS, Known
from .draw_shown import placed, some_shown

if TYPE_CHECKING:
    from onevoice.playbook.model import Identifier

    from .draw import Dice, Times

_OUTBOUND: dict[str, Any] = {"send": (), "uses": (), "unseen_after_us": 0, "unseen_next": (), "at_most_contacts": 0}
_OUTBOUND |= {"failures_share": 0.0}

Shared = TypeVar("Shared", Exploration, Holdout)


class Maker(Known):
    """Draws one playbook, part after part; each part may use those before it."""

    def __init__(self, dice: Dice, times: Times) -> None:
        self.dice = dice
        self.times = times
        self.is_busy = dice.chance(0.35)  # much goes out, so that caps are met
        self.is_asking = dice.chance(0.34)  # much is shown
        self.is_scarce = dice.chance(0.35)  # many wait for little, of which some comes back
        self.is_busy = self.is_busy and not self.is_scarce
        self.looks_ahead = dice.chance(0.6) and not self.is_scarce  # something is planned while others could go out
        self.is_failing = dice.chance(0.36) and not self.is_scarce  # much fails, and there is no other way
        identifiers = dice.some(IDENTIFIERS, 2, 4)
        if all(kind.anonymous for kind in identifiers):
            identifiers = [*IDENTIFIERS]
        identifiers = dice.sample(identifiers, len(identifiers))
        traits = dice.some(TRAITS, 1, 6) + dice.maybe([Trait("zone", FieldType.CHOICE, "time_zone")], [], 0.7)
        traits += dice.maybe([Trait("way", FieldType.CHOICE, "channel")], [], 0.4)
        events = dice.some(EVENTS.values(), 2, 5)
        if all(event.about for event in events):
            events.append(EVENTS["viewed"])
        self.book = Playbook(
            "drawn",
            time_zone=dice.choice(ZONES[:5]),
            identifiers=named(*identifiers),
            traits=named(*traits),
            products=CATALOGUE,
            events=named(*events),
            groups=named(*groups(dice, events)),
            channels=named(*self._channels(identifiers)),
            placements=named(Placement("banner"), Placement("screen", slots=2)),
        )

    def _kind_of(self, kind: str, identifiers: list[Identifier]) -> str:
        """Return what a channel reaches people by: nothing, where nobody is known by its kind."""
        is_known = any(each.name == kind for each in identifiers)
        return kind if is_known and (kind == "email" or self.dice.chance(0.3)) else ""

    def playbook(self, *, flood: bool = False) -> Playbook:
        dice = self.dice
        if flood:
            self._put(events={**self.book.events, "ordered": EVENTS["ordered"]})
        self._put(sources=named(*(self._source(n) for n in dice.times(0, 2))))
        self._put(policies=Policies(classes=self._classes(), refusals=self._refusals()))
        self._put(facts=named(*(each for n in dice.times(0, 4) for each in self._fact(f"fact_{n}"))))
        self._put(measures=named(*(self._measure(f"measure_{n}") for n in dice.times(0, 5))))
        for n in dice.times(0, 3):
            segment = Segment(f"segment_{n}", self._conditions().customer(2))
            self._put(segments={**self.book.segments, segment.name: segment})
        self._put(moments=named(*(self._moment(f"moment_{n}") for n in dice.times(0, 4))))
        self._put(offers=named(*(self._offer(n) for n in dice.times(0, 3))))
        self._put(resources=named(*(self._resource(f"resource_{n}") for n in dice.times(int(self.is_scarce), 4))))
        self._put(channels=named(*map(self._costly, self.book.channels.values())))
        for n in dice.times(1, 6):
            campaign = self._campaign(f"campaign_{n}")
            if (self.is_busy or self.is_asking or self.is_failing) and dice.chance(0.8):
                campaign = self._eager(campaign)
            self._put(campaigns={**self.book.campaigns, campaign.name: campaign})
        if self.looks_ahead:
            self._put(campaigns={**self.book.campaigns, **self._planned()})
        if self.is_scarce:
            crowd = (self._in_need(f"crowd_{n}") for n in dice.times(1, 3))
            self._put(campaigns={**self.book.campaigns, **named(*crowd)})
        if flood:
            self._put(campaigns={**self.book.campaigns, "flood": self._flood()})
        self._put(policies=self._policies())
        places, caps = self.book.placements.values(), self.book.policies.caps
        self._put(
            placements=named(*(placed(dice, self.times, each, self._caps(dice.below(3)), caps) for each in places))
        )
        return self.book

    def _flood(self) -> Campaign:
        when = Trigger(TriggerKind.EVENT, "ordered.items")
        return Campaign("flood", "sales", when, send=("sms",), per="order_id", wait_us=200 * self.times.unit)

    def _put(self, **parts: object) -> None:
        self.book = replace(self.book, **parts)

    def _channels(self, identifiers: list[Identifier]) -> list[Channel]:
        """Draw ways out; by some it is told later whether a contact was sent."""
        share = 1.0 if self.is_failing else 0.6 if self.dice.chance(0.6) else 0.0
        share = 0.9 if self.is_scarce else share
        return [
            Channel(
                name,
                self._kind_of(kind, identifiers),
                cost=float(self.dice.randint(0, 2)),
                receipts_us=self.times.span(6 if self.is_failing else 2, 20) if self.dice.chance(share) else 0,
            )
            for name, kind in _CHANNELS.items()
        ]

    # What events there are

    # Campaigns

    def _offer(self, n: int) -> Offer:
        dice = self.dice
        condition = self._conditions().customer() if dice.chance(0.2) else ""
        return Offer(
            f"offer_{n}",
            product=dice.maybe(dice.choice(CATALOGUE.names), "", 0.7),
            value=float(dice.randint(0, 10)),
            family=dice.maybe("fam", ""),
            condition=condition,
            parameters={"bonus": float(dice.randint(1, 3))} if dice.chance(0.3) else {},
            computed=self._computed() if dice.chance(0.4) else {},
        )

    def _computed(self) -> dict[str, str]:
        condition = self._conditions().suppression(offer=self.dice.chance(0.5))
        score = "score" if "score" in self.book.traits else "offer.value"
        texts = {"cut": f"case when {condition} then 0.5 else 0.25 end", "price": f"{score} / offer.value"}
        return {name: texts[name] for name in self.dice.some(texts, 1, 2)}

    def _campaign(self, name: str) -> Campaign:
        dice, times = self.dice, self.times
        campaign = Campaign(
            name,
            dice.choice(list(self.book.policies.classes)),
            self._trigger(),
            owner=dice.choice(("", "north", "south")),
            priority=float(dice.randint(0, 3)),
            lever=dice.choice((1.0, 0.5)),
            offers=tuple(dice.sample(self.book.offers, min(len(self.book.offers), dice.choice((0, 1, 1, 2, 3))))),
            send=tuple(dice.sample(list(self.book.channels), 1 if self.is_failing else dice.randint(1, 3))),
            send_by=dice.choice((SendBy.ORDER, SendBy.COST)),
            **self._if_unseen(),
            after_us=dice.maybe(times.span(0, 4), 0, 0.2),
            wait_us=dice.choice((-1, -1, 0, times.span(1, 8))),
            valid_for_us=dice.maybe(times.span(1, 15), 0, 0.4),
            until=self._match() if dice.chance(0.4) else None,
            again_after_us=dice.maybe(times.span(2, 20), 0, 0.4),
            from_us=dice.maybe(times.instant(20), 0, 0.1),
            to_us=dice.maybe(times.instant() + 20 * times.unit, 0, 0.15),
            uses=self._uses(0.15),
            at_most_contacts=dice.maybe(dice.randint(1, 4), 0, 0.3),
            **self._failures(),
        )
        event = trigger_event(self.book, campaign)
        conditions = self._conditions()
        if campaign.when.kind is TriggerKind.ASKED:
            campaign = replace(campaign, **_OUTBOUND, placements=tuple(dice.some(self.book.placements, 1, 2)))
        return replace(
            campaign,
            per=self._per(campaign, event),
            condition=conditions.campaign(event, bool(campaign.offers)) if dice.chance(0.6) else "",
            propensity=self._propensity(),
            goal=self._match() if dice.chance(0.3) else None,
            goal_within_us=times.span(1, 20),
            holdout=0.0 if self.book.policies.classes[campaign.klass].strict else dice.choice((0.0, 0.0, 0.3, 0.7)),
        )

    def _eager(self, campaign: Campaign) -> Campaign:
        """Return a campaign that wants something of many events, and waits for little."""
        if campaign.when.kind in {TriggerKind.ASKED, TriggerKind.PRODUCT}:
            return replace(campaign, condition="", holdout=0.0, from_us=0, to_us=0)
        names = [event.name for event in self.book.events.values() if not event.about]
        when = Trigger(TriggerKind.EVENT, self.dice.choice([*names, "profile_updated"]))
        rules = dict.fromkeys(("after_us", "wait_us", "again_after_us", "from_us", "to_us"), 0)
        offers = campaign.offers or self.dice.choice([*((name,) for name in self.book.offers), ()])
        until = self.dice.maybe(campaign.until, None, 0.3)
        return replace(campaign, when=when, condition="", propensity="", until=until, per="", offers=offers, **rules)

    def _in_need(self, name: str) -> Campaign:
        """Return a campaign that wants everybody, by channels that mostly use what is scarce, and gives up late."""
        names = [event.name for event in self.book.events.values() if not event.about]
        found = replace(self._campaign(name), when=Trigger(TriggerKind.EVENT, self.dice.choice(names)), placements=())
        return replace(
            self._eager(found),
            send=tuple(self.dice.sample(self.book.channels, self.dice.randint(1, 3))),
            uses=self._uses(0.3),
            valid_for_us=self.dice.maybe(self.times.span(10, 40), 0, 0.3),
            until=self._match() if self.dice.chance(0.2) else None,
            holdout=0.0,
            at_most_contacts=0,
            failures_share=0.0,
        )

    def _if_unseen(self) -> dict[str, Any]:
        following = self.dice.sample(list(self.book.channels), self.dice.randint(1, 2))
        found = {"unseen_after_us": self.times.span(1, 6), "unseen_next": tuple(following)}
        return found if self.dice.chance(0.35) else {}

    def _failures(self) -> dict[str, Any]:
        found = {"failures_share": self.dice.choice((0.1, 0.34, 0.5)), "failures_of_at_least": self.dice.randint(1, 3)}
        return found if self.dice.chance(0.3) else {}

    def _planned(self) -> dict[str, Campaign]:
        """Return a campaign that wants something at once, and one that wants something later; mostly it comes first."""
        dice, times = self.dice, self.times
        names = [event.name for event in self.book.events.values() if not event.about]
        events = [Trigger(TriggerKind.EVENT, name) for name in names]
        when = dice.choice(events)
        hasty = replace(
            self._eager(replace(self._campaign("hasty"), when=when)),
            when=when,
            until=None,
            placements=(),
            uses=(),
            send=tuple(dice.some(self.book.channels, 1, 1 if self.is_failing else 3)),
            priority=float(dice.randint(0, 3)),
            at_most_contacts=0,
            holdout=0.0,
        )
        planned = replace(
            hasty,
            name="planned",
            when=dice.choice((*[hasty.when] * 4, *events)),
            klass=dice.choice([hasty.klass, *self.book.policies.classes]),
            offers=dice.choice((hasty.offers, (), tuple(dice.sample(self.book.offers, min(2, len(self.book.offers)))))),
            priority=dice.choice((9.0, 9.0, 9.0, 1.0)),
            send=dice.choice((hasty.send, tuple(self.book.channels))),
            after_us=dice.maybe(times.span(1, 8), 0, 0.9),
            wait_us=dice.choice((0, 0, 0, times.span(1, 3))),
            valid_for_us=dice.maybe(times.span(1, 20), 0, 0.3),
            again_after_us=dice.maybe(times.span(2, 20), 0, 0.2),
            until=self._match() if dice.chance(0.3) else None,
        )
        strict = self.book.policies.classes[planned.klass].strict
        return named(hasty, planned if strict else replace(planned, holdout=dice.choice((0.0, 0.0, 0.5))))

    def _propensity(self) -> str:
        score = "score" if "score" in self.book.traits else "0.25"
        return self.dice.choice(("", "", score, f"coalesce({score}, 1) / 3", "age / 2"))

    def _per(self, campaign: Campaign, event: str) -> str:
        if campaign.when.kind is TriggerKind.ASKED or self.dice.chance(0.4):
            return ""
        if campaign.when.kind is TriggerKind.MOMENT and (not event or self.dice.chance(0.7)):
            return self.book.moments[campaign.when.name].per
        keys = [field for field, kind in self._fields(event).items() if kind in KEYS] if event else []
        return self.dice.choice(keys) if keys else ""

    def _trigger(self) -> Trigger:
        dice, book = self.dice, self.book
        if self.is_asking and (not book.campaigns or dice.chance(0.6)):
            return Trigger(TriggerKind.ASKED)
        if book.campaigns and dice.chance(0.4):  # so that campaigns meet
            return dice.choice(list(book.campaigns.values())).when
        event = self._match()
        able = [Trigger(TriggerKind.EVENT, event.event, event.where)] * 2
        able += [Trigger(TriggerKind.MOMENT, name) for name in book.moments] * 2
        able += [Trigger(TriggerKind.SEGMENT_ENTERED, name) for name in book.segments]
        able += [Trigger(TriggerKind.SEGMENT_LEFT, name) for name in book.segments]
        able += [Trigger(TriggerKind.ONCE, at_us=self.times.instant()), Trigger(TriggerKind.ASKED)]
        able.append(Trigger(TriggerKind.EVERY, every=self._every()))
        about = [fact.name for fact in book.facts.values() if fact.per[:1] == ("product",) and self._is_product(fact)]
        if "restocked" in book.events:
            able += [Trigger(TriggerKind.PRODUCT, "restocked", fact=name) for name in about] * 3
        return dice.choice(able)

    def _is_product(self, fact: Fact) -> bool:
        return self._fields(fact.opens[0].event).get("product") is FieldType.PRODUCT

    def _every(self) -> Every:
        kind = self.dice.choice(("day", "week", "month"))
        return Every(
            self.dice.choice((0, 150, 195, 600)),
            weekday=self.dice.randint(0, 6) if kind == "week" else -1,
            month_day=self.dice.randint(1, 28) if kind == "month" else 0,
        )

    # Resources

    def _resource(self, name: str) -> Resource:
        dice = self.dice
        kind = dice.choice(("capacity", "capacity", "capacity", "budget", "stock", "product")[2 * self.is_scarce :])
        if kind == "budget":
            return Resource(name, budget=dice.choice((1.0, 2.55)), per=dice.choice((Bucket.DAY, Bucket.MONTH, None)))
        if kind == "stock":
            return Resource(name, stock=dice.randint(1, 4))
        if kind == "product":
            return Resource(name, product=dice.choice(CATALOGUE.names[:3]))
        shares = {each: dice.choice((0.3, 0.5)) for each in dice.some(self.book.policies.classes, 0, 2)}
        windows = (self._window(),) if dice.chance(0.3) else ()
        per = dice.choice(_BUCKETS[3 * self.is_scarce :])
        return Resource(name, dice.randint(1, 3), per=per, hours=windows, reserve=shares)

    def _uses(self, share: float) -> tuple[str, ...]:
        able = [each.name for each in self.book.resources.values() if not each.product]
        return tuple(each for each in able if self.dice.chance(share))

    def _costly(self, channel: Channel) -> Channel:
        dice = self.dice
        rate = dice.randint(1, 2) if dice.chance(0.07) else 0
        per = dice.choice(_BUCKETS) if rate else None
        return replace(
            channel,
            cost=dice.choice((0.0, 0.4, 1.0)),
            uses=self._uses(0.9 if self.is_scarce else 0.5),
            rate=rate,
            rate_per=per,
        )

    # Policies

    def _classes(self) -> dict[str, CampaignClass]:
        dice = self.dice
        return named(
            CampaignClass("service", strict=dice.chance(0.5), counts=not dice.chance(0.2)),
            CampaignClass("care", weight=2.0, consent_required=dice.chance(0.2)),
            CampaignClass("sales", weight=dice.choice((1.0, 0.1)), purpose=dice.maybe("ads", "", 0.3)),
        )

    def _refusals(self) -> Refusals:
        dice, times = self.dice, self.times
        ignored = dice.randint(1, 4) if dice.chance(0.5) else 0
        return Refusals(
            dice.maybe(times.span(2, 20), 0),
            dice.maybe(times.span(2, 20), 0),
            ignored,
            times.span(2, 20) if ignored else 0,
        )

    def _policies(self) -> Policies:
        dice, times = self.dice, self.times
        ranks = ["weight * priority", "weight * priority * propensity", "lever + priority + coalesce(offer.value, 0)"]
        ranks += ["coalesce(offer.value, 0) - age", "offer.value * propensity"]
        if "score" in self.book.traits:
            ranks.append("score / priority")
        return replace(
            self.book.policies,
            rank=dice.choice(ranks[:3] if self.looks_ahead and dice.chance(0.6) else ranks),
            wait_us=dice.maybe(times.span(1, 4), 0),
            gap_us=self._gap_us(),
            caps=some_shown(dice, self.book.placements, self._caps(dice.choice((0, 1, 2, 3, 5)) + 2 * self.is_busy)),
            counts_from=dice.choice(("sent", "sent", *COUNTS_FROM)),
            exempt=self._exempt(),
            suppress=tuple(
                self._suppression() for _ in dice.times(0, 3 - 2 * (self.is_busy or self.looks_ahead or self.is_scarce))
            ),
            exploration=self._shared(Exploration, (0.0, 0.1, 0.5, 0.9)),
            holdout=Holdout()
            if (self.looks_ahead or self.is_scarce) and dice.chance(0.7)
            else self._shared(Holdout, (0.0, 0.0, 0.2, 0.6)),
            look_ahead_us=self._look_ahead_us(),
            **self._opening(),
        )

    def _gap_us(self) -> int:
        if self.looks_ahead:  # mostly so long that what goes out now is in the way of what is planned
            after_us = self.book.campaigns["planned"].after_us
            longer_us = after_us + self.times.span(1, 4)
            gap_us = self.dice.choice((after_us, after_us + self.times.unit, longer_us, longer_us))
            return self.dice.maybe(gap_us, 0, 0.9)
        return self.dice.maybe(self.times.span(1, 6), 0, 0.1 if self.is_busy else 0.5)

    def _look_ahead_us(self) -> int:
        if self.looks_ahead:  # mostly as far as to what is planned
            after_us = self.dice.choice((0, 1, 1, 1)) * self.book.campaigns["planned"].after_us
            return self.dice.maybe(after_us + self.times.span(1, 12), 0, 0.95)
        return self.dice.maybe(self.times.span(1, 20), 0, 0.2)

    def _opening(self) -> dict[str, Any]:
        """Draw hours and holidays: about the nights in which clocks change, now and then on no day of the year."""
        dice = self.dice
        if dice.chance(0.75 if self.looks_ahead or self.is_scarce else 0.45):
            return {}
        names = dice.maybe(["all"], dice.some(("all", *self.book.channels), 1, 4), 0.6)
        hours = {name: tuple(self._window() for _ in dice.times(int(name == "all"), 3)) for name in names}
        start = (EPOCH + timedelta(microseconds=self.times.start)).date()
        days = [start + timedelta(days=ahead) for ahead in dice.sample(range(-1, 30), dice.choice((0, 0, 1, 3, 12)))]
        if dice.chance(0.05):
            days = [date(2000, 1, 1) + timedelta(days=ahead) for ahead in range(366)]
        each_year = len(days) > 30 or dice.chance(0.5)
        return {
            "hours": hours,
            "holidays": tuple(Holiday(day.month, day.day, 0 if each_year else day.year) for day in days),
        }

    def _window(self) -> Window:
        dice = self.dice
        start = dice.choice((480, 0, 90, 120, 150, 195, 1260, self.times.instant() // MINUTE % 1440))
        end = start + dice.choice((15, 60, 180, 780))
        weekdays = dice.maybe(tuple(dice.some(range(7), 1, 5)), tuple(range(7)), 0.5)
        return Window(start, min(end, 1440), weekdays)

    def _shared(self, record: type[Shared], shares: tuple[float, ...]) -> Shared:
        """Draw what is done to a share, of some classes or of all that are able."""
        dice = self.dice
        able = [name for name, klass in self.book.policies.classes.items() if not klass.strict]
        share = dice.choice(shares)
        return record(share, tuple(dice.some(able, 1, 2)) if share and dice.chance(0.5) else ())

    def _exempt(self) -> dict[str, frozenset[str]]:
        if self.dice.chance(0.6):
            return {}
        return {self.dice.choice(("service", "care")): frozenset(self.dice.some(("caps", "gap", "wait"), 1, 3))}

    def _caps(self, count: int) -> list[Cap]:
        return [self._cap() for _ in range(count)]

    def _cap(self) -> Cap:
        dice, book = self.dice, self.book
        period = dice.choice((Period.DAY, Period.WEEK, Period.MONTH, None, None, None))
        scopes = ("channel", "klass", "campaign", "family", "owner", "category", "address")
        about = dice.some(scopes, 1 if self.is_busy and dice.chance(0.6) else 0, dice.choice((1, 1, 2)))
        names = {
            "channel": [*book.channels],
            "klass": [*book.policies.classes],
            "campaign": [*book.campaigns],
            "family": sorted({each.family or each.name for each in book.offers.values()}),
            "owner": sorted({each.owner for each in book.campaigns.values()} - {""}),
            "category": ["phone", "case"],
            "address": [],
        }
        return Cap(
            dice.choice((1, 1, 1, 2, 3)),
            rolling_us=0 if period else dice.choice((6, 12, 30)) * self.times.unit,
            period=period,
            for_segment=dice.choice([*book.segments, *[""] * 4]),
            group=dice.choice([*book.groups, *[*book.groups] * self.is_busy, ""]),
            own_max="score" if "score" in book.traits and dice.chance(0.2) else "",
            **{name: dice.choice((*names[name], EACH)) for name in about},
        )

    def _suppression(self) -> Suppression:
        dice, conditions = self.dice, self._conditions()
        stop = tuple(dice.some((*self.book.policies.classes, "offers"), 1, 2))
        if dice.chance(0.4):
            return Suppression(stop, conditions.suppression(offer=True))
        return Suppression(
            stop,
            conditions.suppression(offer=False),
            then_us=dice.maybe(self.times.span(1, 8), 0, 0.4),
            at_most_us=dice.maybe(self.times.span(2, 15), 0, 0.4),
        )


_CHANNELS = {"email": "email", "sms": "phone", "push": "cookie", "web": ""}
_BUCKETS = (Bucket.MINUTE, Bucket.HOUR, Bucket.HOUR, Bucket.DAY, Bucket.DAY)
