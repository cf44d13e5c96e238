"""A decision that is made again by the oracle's twin, its rules changed: from that on, or from the beginning on."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from onevoice.playbook.model import DAY, MINUTE, SECOND
from onevoice.runtime.decisions import us_of
from onevoice.runtime.related import related
from onevoice.runtime.why_not.rules import index_of
from tests.oracle import rounds
from tests.oracle.book import Book
from tests.oracle.clock import instant
from tests.oracle.twin import Twin

from .cases import META, drawn, opened, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.history.why_not import Change, WhyNot
    from onevoice.playbook.model import Playbook
    from tests.oracle.draw_stream import Batch, Event

MANY = 2**40
LIFTED = {
    *("suppressed", "again_after", "fatigue", "no_capacity", "hours", "gap", "cap", "kept_for", "outranked"),
    "would_have_won",
}


def decided(seed: int) -> tuple[Any, list[Batch]]:
    return decided_by(*drawn(seed))


def decided_by(playbook: Playbook, batches: list[Batch]) -> tuple[Any, list[Batch]]:
    engine = opened(playbook)
    for batch in batches:
        take(engine, batch)
    return engine, batches


def rules(playbook: Playbook, campaign: str, change: Change, less: int) -> Playbook:
    """Return the playbook with a change made, `less` units less of it."""
    policies = playbook.policies
    own = playbook.campaigns[campaign]
    unit = SECOND if change.needed.endswith(" seconds") else MINUTE
    needed = float(change.needed.split()[0])
    if change.name.endswith(".priority"):
        needed -= less if needed > own.priority else -less
        return replace(playbook, campaigns=playbook.campaigns | {campaign: replace(own, priority=needed)})
    if change.name.endswith(".again_after"):
        again = round(needed + less) * unit
        return replace(playbook, campaigns=playbook.campaigns | {campaign: replace(own, again_after_us=again)})
    if change.name == "policies.gap":
        return replace(playbook, policies=replace(policies, gap_us=round(needed + less) * unit))
    if change.name == "policies.look_ahead":
        return replace(playbook, policies=replace(policies, look_ahead_us=round(needed + less) * unit))
    if change.name.endswith(".fatigue.times"):
        place = playbook.placements[change.name.split(".")[1]]
        times = round(needed) - less
        return replace(playbook, placements=playbook.placements | {place.name: replace(place, fatigue_times=times)})
    if change.name.endswith((".then", ".at_most")):
        path, _, key = change.name.rpartition(".")
        suppress = list(policies.suppress)
        span = {f"{key}_us": round(needed + less) * unit}
        suppress[index_of(path)] = replace(suppress[index_of(path)], **span)
        return replace(playbook, policies=replace(policies, suppress=tuple(suppress)))
    path = change.name.removesuffix(".max")
    rule, most = index_of(path), round(needed) - less
    if path.startswith("placements."):
        place = playbook.placements[path.split(".")[1]]
        caps = tuple(replace(cap, max=most) if number == rule else cap for number, cap in enumerate(place.caps))
        return replace(playbook, placements=playbook.placements | {place.name: replace(place, caps=caps)})
    caps = tuple(replace(cap, max=most) if number == rule else cap for number, cap in enumerate(policies.caps))
    return replace(playbook, policies=replace(policies, caps=caps))


def without_rule(playbook: Playbook, change: Change) -> Playbook:
    policies = playbook.policies
    if change.name in {"policies.gap", "policies.look_ahead"}:
        return replace(playbook, policies=replace(policies, **{f"{change.name.split('.')[1]}_us": 0}))
    if change.name.endswith(".again_after"):
        own = replace(playbook.campaigns[change.name.split(".")[1]], again_after_us=0)
        return replace(playbook, campaigns=playbook.campaigns | {own.name: own})
    if change.name.endswith(".then"):
        rules_, number = list(policies.suppress), index_of(change.name.removesuffix(".then"))
        rules_[number] = replace(rules_[number], then_us=0)
        return replace(playbook, policies=replace(policies, suppress=tuple(rules_)))
    if change.name.startswith("policies.hours."):
        hours = policies.hours | {change.name.rpartition(".")[2]: ()}
        return replace(playbook, policies=replace(policies, hours=hours))
    if change.name == "policies.holdout":
        nobody = replace(playbook.policies.holdout, share=0.0)
        return replace(playbook, policies=replace(playbook.policies, holdout=nobody))
    if change.name.endswith(".holdout"):
        own = replace(playbook.campaigns[change.name.split(".")[1]], holdout=0.0)
        return replace(playbook, campaigns=playbook.campaigns | {own.name: own})
    if change.name == "policies.classes":
        classes = {name: replace(each, strict=False) for name, each in playbook.policies.classes.items()}
        return replace(playbook, policies=replace(playbook.policies, classes=classes))
    suppress = list(playbook.policies.suppress)
    suppress[index_of(change.name)] = replace(suppress[index_of(change.name)], stop=())
    return replace(playbook, policies=replace(playbook.policies, suppress=tuple(suppress)))


class Again:
    """One decision, made again by the twin of the engine, which is given what everybody did.

    At the decision's instant only the last line about the customer, and what came after it, is by the changed rules.
    """

    def __init__(self, engine: Any, batches: list[Batch], why_not: WhyNot) -> None:
        self.playbook, self.batches = engine.playbook, batches
        self.time = us_of(why_not.time, "time")
        self.campaign = why_not.campaign
        self.decision, lost = next(
            (each, line)
            for each in reversed([*engine.decisions(why_not.customer)])
            for line in each.lines
            if each.time == why_not.time and line.campaign == self.campaign and line.reason in LIFTED
        )
        self.key = lost.key
        self.last = self.decision.position + (self.decision.kind == "ask")
        lines = related(engine._journal, engine._writer.fold, why_not.customer).lines
        own = [each.row.position for each in lines if each.now == self.time and each.row.position < self.last]
        self.first = max(own, default=0)

    def goes_out(self, playbook: Playbook, until: int) -> bool:
        """Tell whether the wish goes out by a time if nothing happens after the instant."""
        twin = self.twin(playbook)
        self.last = sum(len(batch.lines) for batch in self.batches)
        self.take(twin, lambda now, _: now <= self.time)
        count = len(twin.decisions)
        twin.row([], until)
        return self.has_won(twin, count)

    def twin(self, playbook: Playbook) -> Twin:
        secret = META.secret
        halves = [int.from_bytes(secret[start : start + 8], "little", signed=True) for start in (0, 8)]
        return Twin(playbook, (halves[0], halves[1]))

    def wins(self, playbook: Playbook, changed: Playbook) -> bool:
        """Tell whether the campaign wins by the changed rules."""
        twin = self.twin(playbook)
        self.take(twin, lambda now, _: now < self.time)
        twin.row([], self.time - 1)
        self.take(twin, lambda now, place: now == self.time and place < self.first)
        twin.use(Book(changed))
        count = len(twin.decisions)
        self.take(twin, lambda now, place: now == self.time and place >= self.first)
        twin.row([], self.time)
        return self.has_won(twin, count)

    def would_have_won(self, playbook: Playbook, changed: Playbook) -> bool:
        """Tell whether the wish goes out by then if the rules were always the changed ones."""
        self.last = sum(len(batch.lines) for batch in self.batches)
        return bool(self.went_out(changed) - self.went_out(playbook))

    def went_out(self, playbook: Playbook) -> set[tuple[int, int]]:
        """Return when and where the wish went out by rules that held from the beginning on, up to the decision."""
        twin = self.twin(playbook)
        self.take(twin, lambda now, _: now <= self.time)
        twin.row([], self.time)
        mine = [each for each in twin.decisions if each.customer == self.decision.customer]
        won = [(each.time, each.position, line.campaign, line.key, line.reason) for each in mine for line in each.lines]
        return {
            tuple(each[:2]) for each in won if each[0] >= self.born and each[2:] == (self.campaign, self.key, "won")
        }

    @cached_property
    def born(self) -> int:
        """When the wish was born."""
        twin = self.twin(self.playbook)
        self.take(twin, lambda now, _: now < self.time)
        twin.row([], self.time - 1)
        wishes = [
            each
            for customer in twin.customers
            for each in customer.candidates.values()
            if customer.number == self.decision.customer
        ]
        same = (self.campaign, self.key)
        return min([self.time, *(each.birth for each in wishes if each.born and (each.campaign, each.key) == same)])

    def has_won(self, twin: Twin, count: int) -> bool:
        """Tell whether the wish has won since the twin had made so many decisions."""
        mine = [each for each in twin.decisions[count:] if each.customer == self.decision.customer]
        lines = [line for each in mine for line in each.lines]
        return any((line.campaign, line.key, line.reason) == (self.campaign, self.key, "won") for line in lines)

    def wins_with_room(self, playbook: Playbook, rule: str) -> bool:
        """Tell whether the campaign wins where a resource has room for this customer, and for nobody else."""
        name = rule.removeprefix("resources.").replace("channels.", "rate of ").removesuffix(".rate")
        verdict = rounds.verdict

        def roomy(twin: Twin, customer: Any, candidate: Any) -> Any:
            pool, limit = twin.pools[name], twin.pools[name].limit
            pool.limit += MANY * (twin.now >= self.time and customer.number == self.decision.customer)
            found = verdict(twin, customer, candidate)
            pool.limit = limit
            return found

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rounds, "verdict", roomy)
            return self.wins(playbook, playbook)

    def take(self, twin: Twin, is_wanted: Callable[[int, int], bool]) -> None:
        """Let the twin take in lines that came before the decision, wanted by their journal time and their place."""
        place = now = 0
        for batch in self.batches:
            if not batch.lines:
                now = max(now, batch.stamp)
                if is_wanted(now, place) and batch.stamp < self.time:
                    twin.row([], batch.stamp, observing=batch.observing)
            for line in batch.lines:
                occurred = instant(line["time"]) if line and line.get("time") else -1  # as in an import: rejected
                is_taken = not batch.imported or 0 <= occurred <= batch.stamp + DAY
                if is_taken:
                    now = max(now, occurred if batch.imported else batch.stamp)
                if place < self.last and is_wanted(now, place):
                    given = [line if is_taken else None]
                    stamp = batch.stamp if batch.imported else max(now, batch.stamp)
                    twin.row(given, stamp, imported=batch.imported, observing=batch.observing)
                place += 1


def decided_apart(seed: int) -> tuple[Any, list[Batch]]:
    """Decide on drawn events where nobody takes from those with whom they share nothing.

    Nothing is scarce, and no event names a contact or a decision: by other rules their numbers are others'.
    """
    playbook, batches = drawn(seed)
    channels = {name: replace(each, uses=(), rate=0) for name, each in playbook.channels.items()}
    boundless = {"uses": (), "at_most_contacts": 0, "failures_share": 0.0}
    campaigns = {name: replace(each, **boundless) for name, each in playbook.campaigns.items()}
    unlimited = replace(playbook, channels=channels, campaigns=campaigns, resources={})
    return decided_by(unlimited, [replace(each, lines=tuple(filter(_names_none, each.lines))) for each in batches])


def _names_none(line: Event | None) -> bool:
    return not line or not {"contact", "decision"} & {*(line.get("fields") or {})}


def asked(engine: Any, most: int) -> Any:
    """Ask about so many of the lines by which a campaign lost, spread over all of them."""
    lost = [
        (line.campaign, d.customer, d.time) for d in engine.decisions() for line in d.lines if line.reason in LIFTED
    ]
    for campaign, customer, time in lost[:: max(1, len(lost) // most)]:
        yield engine.why_not(customer, campaign, time)
