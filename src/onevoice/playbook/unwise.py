"""What is legal in a playbook, but surely not meant: `check` warns of it, and nothing is refused.

Only what the playbook alone proves is told, so that a warning is worth reading: what changes nothing, and what can
never happen; beside it names that are surely slips of the pen. Whether a rule is a good one is not judged.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import OFFER_KINDS, SymbolKind, symbols_of
from onevoice.errors import Mistake
from onevoice.near import did_you_mean
from onevoice.playbook.actions import ADDRESS_FORMATS
from onevoice.playbook.builtin import all_facts
from onevoice.playbook.capping import caps_of
from onevoice.playbook.check import OFFERS, check
from onevoice.playbook.closed import longest_closed_us
from onevoice.playbook.depends import dependents
from onevoice.playbook.grammar import spelled
from onevoice.playbook.hours import ALL
from onevoice.playbook.model import CATEGORY, EACH, Campaign, Cap, Moment, Playbook, SendBy, Step, TriggerKind
from onevoice.playbook.record import Report, listed, position
from onevoice.playbook.resources import SHARES, reserved
from onevoice.playbook.tree import quoted
from onevoice.playbook.unsent import NEVER, never_sent, stopping_rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_USE: Final = "use it, or take it out"


def unwise(playbook: Playbook, report: Report | None = None, dead: Collection[str] = ()) -> tuple[Mistake, ...]:
    """Return a warning for everything in a playbook without mistakes that is legal and unwise, in the order it stands.

    `report`: as `load_with_report` gives it, for file, line and column; without one a warning names the key path.
    `dead`: the key paths of what `check_deep` has found; that it can never be sent is not told again.
    """
    if report is None:
        report = Report()
        check(playbook, report)
    looked = _Looked(playbook, report, dead)
    looked.unused()
    looked.sources()
    looked.classes()
    looked.caps()
    looked.counts_from()
    looked.suppressions()
    looked.refusals()
    looked.hours()
    looked.look_ahead()
    looked.exploration()
    looked.holdout()
    looked.reserves()
    looked.channels()
    for moment in playbook.moments.values():
        looked.moment(moment)
    for campaign in playbook.campaigns.values():
        looked.campaign(campaign)
    return tuple(sorted(looked.warnings, key=position))


class _Looked:
    """One playbook being looked through; a method per part."""

    def __init__(self, playbook: Playbook, report: Report, dead: Collection[str]) -> None:
        self.playbook = playbook
        self.dead = dead
        self.report = report
        self.expressions = report.expressions
        self.warnings: list[Mistake] = []
        self.campaigns = list(playbook.campaigns.values())
        self.outbound = [each for each in self.campaigns if each.when.kind is not TriggerKind.ASKED]
        self.inbound = [each for each in self.campaigns if each.when.kind is TriggerKind.ASKED]
        self.facts = list(all_facts(playbook))
        self.read = {symbol for each in self.expressions.values() for symbol in symbols_of(each)}

    def warn(self, path: str, what: str, why: str, mend: str) -> None:
        """Warn of what stands at a key path."""
        self.warnings.append(Mistake(f"{what}: {why}", self.report.where(path), mend=mend))

    def warn_of(self, path: str, what: str, why: str, mend: str) -> None:
        """Warn of the thing that a key path names: its own key is the place."""
        self.warnings.append(Mistake(f"{what}: {why}", self.report.key(path), mend=mend))

    # What nothing uses

    def unused(self) -> None:
        """Warn of every name that is declared and used by nothing."""
        playbook, campaigns = self.playbook, self.campaigns
        kinds = {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}
        segments = {each.when.name for each in campaigns if each.when.kind in kinds}
        segments |= {cap.for_segment for cap in caps_of(playbook).values()}
        asked = "no condition asks for it, though it is kept for every customer"
        self.tell_unused("facts", self.facts, SymbolKind.FACT, {each.when.fact for each in campaigns}, asked)
        self.tell_unused("measures", list(playbook.measures), SymbolKind.MEASURE, set(), asked)
        why = "no condition or cap asks for it"
        self.tell_unused("groups", self.facts, SymbolKind.FACT, {cap.group for cap in playbook.policies.caps}, why)
        why = "no condition, campaign or cap asks for it"
        self.tell_unused("segments", list(playbook.segments), SymbolKind.SEGMENT, segments, why)
        moments = {each.when.name for each in campaigns if each.when.kind is TriggerKind.MOMENT}
        self.tell_unused("moments", list(playbook.moments), None, moments, "no campaign begins with it")
        offers = {name for each in campaigns for name in each.offers}
        self.tell_unused("offers", list(playbook.offers), None, offers, "no campaign makes it")
        sent = {name for each in self.outbound for name in (*each.send, *each.unseen_next)}
        self.tell_unused("channels", list(playbook.channels), None, sent, "no campaign sends by it")
        used = {name for each in (*campaigns, *playbook.channels.values()) for name in each.uses}
        scarce = [each.name for each in playbook.resources.values() if not each.product]
        self.tell_unused("resources", scarce, None, used, "no channel or campaign uses it")
        shown = {name for each in campaigns for name in each.placements}
        self.tell_unused("placements", list(playbook.placements), None, shown, "no campaign is shown there")

    def tell_unused(self, section: str, names: list[str], kind: SymbolKind | None, used: set[str], why: str) -> None:
        """Warn of those names of a section that are not used, by their names or as symbols of conditions."""
        used = used | {names[index] for found, index in self.read if found is kind}
        derived = {"facts": self.playbook.facts, "groups": self.playbook.groups}
        for name in derived.get(section, names):
            if name not in used:
                self.warn_of(f"{section}.{name}", f"the {section[:-1]} {quoted(name)} is not used", why, _USE)

    def sources(self) -> None:
        """Warn of sources whose silence would hold nobody."""
        for name, campaigns in dependents(self.playbook, self.expressions).items():
            if not campaigns:
                what = f"the source {quoted(name)} holds nothing when it is stale"
                why = "no event of it could end, silence or exclude what a campaign wants"
                mend = "take it out, or name the events that campaigns wait for"
                self.warn(f"sources.{name}.stale_after", what, why, mend)

    # Policies

    def unused_classes(self) -> set[str]:
        """Return the classes that no campaign has."""
        return set(self.playbook.policies.classes) - {each.klass for each in self.campaigns}

    def classes(self) -> None:
        """Warn of classes without campaigns."""
        rules = self.playbook.policies.suppress
        for name in sorted(self.unused_classes()):
            stopped = [f"policies.suppress[{i}]" for i, rule in enumerate(rules) if name in rule.stop]
            why = f"no campaign has it, though {listed(stopped)} stops it" if stopped else "no campaign has it"
            path = f"policies.classes.{name}"
            self.warn_of(path, f"the class {quoted(name)} is not used", why, "give it to a campaign, or take it out")

    def caps(self) -> None:
        """Warn where no cap holds for everything, and of caps that never hold anybody back."""
        caps, gap_us = caps_of(self.playbook), self.playbook.policies.gap_us
        if self.outbound and not any(not any(cap.scope) and not cap.for_segment for cap in caps.values()):
            why = f"one customer may hear from us every {spelled(gap_us)}" if gap_us else "nothing limits their number"
            path = "policies.caps" if self.playbook.policies.caps else "policies"
            mend = "add one, such as `{max: 1, per: day}` under `policies.caps`"
            self.warn_of(path, "no cap over all contacts of a customer", why, mend)
        for path, cap in caps.items():
            if self.counts_nothing(cap):
                why = "its contacts do not count: `counts: false`"
                self.warn(path, "a cap that holds nothing back", why, "take one of the two out")
            elif not self.can_hold(cap):
                which = "is shown there" if cap.placement else "sends"
                self.warn(path, "a cap that holds nothing back", f"no campaign that {which} has this scope", _USE)
            elif other := _held_by(cap, caps.values()):
                why = f"{quoted(_written(other))} is full first"
                self.warn(path, "a cap that holds nothing back", why, "lower it, or take it out")

    def can_hold(self, cap: Cap) -> bool:
        """Tell whether any campaign can meet a cap; where its class or channel is not used at all, that is told."""
        exempt = self.playbook.policies.exempt
        if cap.klass in self.unused_classes():
            return True
        return any(
            all(
                wanted == "" or (wanted == EACH and found) or wanted in found for wanted, found in self.about(cap, each)
            )
            and "caps" not in exempt.get(each.klass, frozenset())
            for each in (self.inbound if cap.placement else self.outbound)
        )

    def about(self, cap: Cap, campaign: Campaign) -> list[tuple[str, set[str]]]:
        """Return what each scope of a cap wants, and what a campaign may bring there."""
        playbook = self.playbook
        offers = [playbook.offers[name] for name in campaign.offers]
        families = {offer.family or offer.name for offer in offers}
        products = [offer.product for offer in offers] or [""]
        categories = {each for product in products for each in self.categories(campaign, product) if cap.category}
        addresses = {playbook.channels[name].address for name in campaign.send if name in playbook.channels} - {""}
        owners = {campaign.owner} - {""}
        found = [{campaign.name}, {campaign.klass}, {*campaign.send}, families, owners, categories, addresses]
        return list(zip(cap.scope, [*found, {*campaign.placements}], strict=True))

    def categories(self, campaign: Campaign, product: str) -> set[str]:
        """Return the categories of what a campaign may offer: its offer's product, or any that the world speaks of."""
        catalogue = self.playbook.products
        known = zip(catalogue.names, catalogue.columns.get(CATEGORY, ()), strict=False)
        is_any = not product and campaign.when.kind is TriggerKind.PRODUCT
        return {str(value) for name, value in known if value is not None and (is_any or name == product)}

    def counts_nothing(self, cap: Cap) -> bool:
        """Tell whether a cap is only about a class whose contacts do not count."""
        campaign = self.playbook.campaigns.get(cap.campaign)
        named = self.playbook.policies.classes.get(cap.klass or (campaign.klass if campaign else ""))
        return named is not None and not named.counts

    def counts_from(self) -> None:
        """Warn of counting from a state of which no channel tells."""
        policies, channels = self.playbook.policies, self.playbook.channels.values()
        if policies.counts_from != "sent" and not any(channel.receipts_us for channel in channels):
            why = "no channel has `receipts`, so every contact counts when it is decided"
            self.warn("policies.counts_from", "`counts_from` changes nothing", why, _USE)

    def suppressions(self) -> None:
        """Warn of a rule that stops offers where nobody makes any."""
        made = any(each.offers or each.when.kind is TriggerKind.PRODUCT for each in self.campaigns)
        for i, rule in enumerate(self.playbook.policies.suppress):
            if OFFERS in rule.stop and not made:
                why = "no campaign has an offer or begins with a product"
                self.warn(f"policies.suppress[{i}].stop", "`stop: offers` stops nothing", why, "name classes instead")

    def refusals(self) -> None:
        """Warn of refusals that are remembered and never heeded."""
        refusals = self.playbook.policies.refusals
        for name, length_us, done in (
            ("refused", refusals.refused_us, "refused"),
            ("not_now", refusals.not_now_us, "put off"),
            ("ignored", refusals.ignored_pause_us, "ignored"),
        ):
            if length_us and (SymbolKind.FACT, self.facts.index(name)) not in self.read:
                why = f"no condition asks for {quoted(name)}, so what was {done} is offered all the same"
                mend = f"add `{{stop: offers, while: {name}(offer.family)}}` under `policies.suppress`"
                self.warn_of(f"policies.refusals.{name}", f"the refusal {quoted(name)} is not heeded", why, mend)

    def hours(self) -> None:
        """Warn of hours that hold for no channel, and of holidays that close none."""
        policies, channels = self.playbook.policies, self.playbook.channels
        if ALL in policies.hours and set(channels) <= set(policies.hours):
            why = "every channel has hours of its own"
            self.warn(f"policies.hours.{ALL}", "hours that hold for no channel", why, _USE)
        if policies.holidays and not any(policies.hours.values()):
            why = "only channels with hours are closed on holidays"
            mend = f'add `hours: {{{ALL}: "00:00-24:00"}}`, or hours of a channel'
            self.warn("policies.holidays", "holidays that close nothing", why, mend)

    def look_ahead(self) -> None:
        """Warn of a look-ahead where no contact can take the slot of another."""
        policies = self.playbook.policies
        if policies.look_ahead_us and not policies.gap_us and not policies.caps:
            why = "with neither a gap nor caps no contact takes the place of another"
            mend = "add a `gap` or `caps`, or take it out"
            self.warn("policies.look_ahead", "a look-ahead that keeps nothing back", why, mend)

    def exploration(self) -> None:
        """Warn of an exploration that never has a choice."""
        exploration, classes = self.playbook.policies.exploration, self.playbook.policies.classes
        explored = exploration.classes or [name for name, klass in classes.items() if not klass.strict]
        if exploration.share and sum(each.klass in explored for each in self.campaigns) < 2:
            why = f"fewer than two campaigns are of {listed(explored)}" if explored else "every class is strict"
            self.warn("policies.exploration", "an exploration that changes nothing", why, _USE)

    def holdout(self) -> None:
        """Warn where customers are held out and nothing says what would be compared."""
        holdout, classes = self.playbook.policies.holdout, self.playbook.policies.classes
        held = holdout.classes or [name for name, klass in classes.items() if not klass.strict]
        of_all = [each for each in self.campaigns if holdout.share and each.klass in held]
        path = {each.name: "policies.holdout" for each in of_all}
        path |= {each.name: f"campaigns.{each.name}.holdout" for each in self.campaigns if each.holdout}
        goals = {path[each.name] for each in self.campaigns if each.name in path and each.goal is not None}
        why = "no campaign that it holds for has a goal, so nothing can be compared"
        for each in sorted({*path.values()} - goals):
            self.warn(each, "a holdout that measures nothing", why, "add `goal` to a campaign, or take it out")
        if holdout.share and not of_all:
            self.warn("policies.holdout", "a holdout that holds nobody out", "no campaign is of its classes", _USE)

    def reserves(self) -> None:
        """Warn of shares of a capacity that are less than one place."""
        for resource in self.playbook.resources.values():
            for name, share in resource.reserve.items():
                if reserved(share, resource.capacity) == 0:
                    part = f"{share:.6%}".rstrip("0%").rstrip(".") + "%"
                    each = f"{resource.capacity} per {resource.per}"
                    why = f"{part} of {each} is {share * resource.capacity:.6g}, and only whole places are kept"
                    least = f"{math.ceil(SHARES / resource.capacity) * 100 / SHARES:.10g}%"
                    mend = f"one place is {least}: reserve so much, or take it out"
                    self.warn(f"resources.{resource.name}.reserve.{name}", "a reserve that keeps nothing", why, mend)

    # Channels and moments

    def wrong_address(self, name: str) -> str:
        """Return the identifier a well-known channel is addressed by although it holds other addresses; else empty."""
        wanted, channel = ADDRESS_FORMATS.get(name), self.playbook.channels[name]
        kind = self.playbook.identifiers.get(channel.address)
        if wanted is None or kind is None or kind.format == wanted or not (kind.format or kind.anonymous):
            return ""
        return kind.name

    def channels(self) -> None:
        """Warn of channels whose addresses are those of another, and of those that are perhaps misspelt."""
        for name in self.playbook.channels:
            if address := self.wrong_address(name):
                kind = self.playbook.identifiers[address]
                holds = f"{kind.format} addresses" if kind.format == "email" else f"{kind.format or 'anonymous'} values"
                why = f"{quoted(address)} holds {holds}"
                mend = f"name an identifier with `format: {ADDRESS_FORMATS[name]}`"
                self.warn(f"channels.{name}.address", f"the channel {quoted(name)} reaches nobody", why, mend)
        for campaign in self.outbound:
            for key, names in (("send", campaign.send), ("if_unseen.next", campaign.unseen_next)):
                for i, name in enumerate(names):
                    self.sent_by(f"campaigns.{campaign.name}.{key}[{i}]", name)

    def sent_by(self, path: str, name: str) -> None:
        """Warn of a channel that is declared nowhere, and is called almost like one that is known."""
        declared = [each for each in self.playbook.channels if f"channels.{each}" in self.report.keys]
        if not self.report.keys or name in declared or name in ADDRESS_FORMATS:
            return  # a model alone does not tell what was declared
        formats = {kind.format for kind in self.playbook.identifiers.values()}
        common = [each for each, wanted in ADDRESS_FORMATS.items() if wanted in formats]
        if hint := did_you_mean(name, [*declared, *common]):
            why = "it is taken for a channel of its own, that reaches everybody without an address"
            mend = f"{hint} if not, declare it under `channels`"
            self.warn(path, f"the channel {quoted(name)} is declared nowhere", why, mend)

    def moment(self, moment: Moment) -> None:
        """Warn of windows that are over before a late source has brought what they wait for."""
        before: list[Step] = []
        for i, step in enumerate(moment.steps):
            if step.within_us:
                concerned = [step] if step.absent else [*before, step]
                self.window(f"moments.{moment.name}.steps[{i}]", step.within_us, concerned, absent=step.absent)
            before = before if step.absent else [step]
        if moment.within_us:
            happening = [step for step in moment.steps if not step.absent]
            self.window(f"moments.{moment.name}.within", moment.within_us, happening, absent=False)

    def window(self, path: str, window_us: int, steps: Iterable[Step], *, absent: bool) -> None:
        """Warn of a window over these steps that is shorter than the lag of one of their events."""
        event, source, lag_us = self.latest_source(steps, absent=absent)
        if lag_us <= window_us:
            return
        then = "so the window is over when it comes"
        if absent:
            then = f"so this fires {spelled(window_us + lag_us)} after the step before it"
        why = f"{quoted(source)} brings {quoted(event)} up to {spelled(lag_us)} late, {then}"
        what = f"a window of {spelled(window_us)} that is shorter than a lag"
        self.warn(path, what, why, "lengthen it, or bring the events sooner")

    def latest_source(self, steps: Iterable[Step], *, absent: bool) -> tuple[str, str, int]:
        """Return the event of these steps that comes latest, its source and lag; a lag of 0 where none is late.

        A source that names no events may bring any: a wait for an absence counts it, but nobody says it will.
        """
        found = [
            (match.event.split(".")[0], source.name, source.lag_us)
            for step in steps
            for match in step.matches
            for source in self.playbook.sources.values()
            if match.event.split(".")[0] in source.events or (absent and not source.events)
        ]
        return max(found, key=lambda each: each[2], default=("", "", 0))

    # Campaigns

    def campaign(self, campaign: Campaign) -> None:
        """Warn of what can never be sent, of what waits without end, of what is offered after it was taken."""
        path = f"campaigns.{campaign.name}"
        found = never_sent(self.playbook, campaign, self.expressions)
        if found is not None and not (found.what == NEVER and path in self.dead):
            self.warn(f"{path}.{found.key}", found.what, found.why, found.mend)
        if campaign not in self.outbound:
            return
        if campaign.send and all(self.wrong_address(name) for name in campaign.send):
            why = f"{listed(campaign.send)} cannot reach anybody"
            self.warn(f"{path}.send", NEVER, why, "mend the channel's `address`")
        closed_us = longest_closed_us(self.playbook, campaign)
        if 0 < campaign.valid_for_us <= closed_us:
            why = f"{listed(campaign.send)} can stay closed for {spelled(closed_us)} after its birth"
            mend = "lengthen `valid_for`, or send by a channel that opens sooner"
            self.warn(f"{path}.valid_for", "a campaign that may expire before a channel opens", why, mend)
        klass = self.playbook.policies.classes.get(campaign.klass)
        if not (campaign.valid_for_us or campaign.until or campaign.to_us or (klass and klass.strict)):
            why = "held back by a gap, a cap or a suppression it may go out much later"
            self.warn_of(path, "a campaign that waits without end", why, "add `valid_for`, such as `valid_for: 2 days`")
        self.chain(campaign, path)
        if campaign.failures_share and not self.remembers_contacts():
            why = "contacts are forgotten at once: there is no gap or cap, and no channel has `receipts`"
            mend = "say on the channel until when a failure may be told, such as `receipts: 1 day`"
            self.warn(f"{path}.failures", "a limit that is never reached", why, mend)
        if self.offers_what_was_taken(campaign):
            why = "nothing ends it when the customer takes what is offered"
            mend = "add `until`, or a suppression such as `{stop: offers, while: owns(offer.product)}`"
            self.warn(f"{path}.offer", "an offer that does not end", why, mend)

    def remembers_contacts(self) -> bool:
        """Tell whether anything needs a contact after it was made, so that it can be told what became of it."""
        spans = [each.receipts_us for each in self.playbook.channels.values()]
        spans += [span for each in self.outbound for span in (each.again_after_us, each.unseen_after_us)]
        caps = [cap for cap in self.playbook.policies.caps if not cap.placement]
        return bool(self.playbook.policies.gap_us or caps or any(spans))

    def chain(self, campaign: Campaign, path: str) -> None:
        """Warn of what follows a contact too late, and of costs that choose nothing."""
        after_us, valid_us = campaign.unseen_after_us, campaign.valid_for_us
        if campaign.unseen_next and valid_us and after_us >= valid_us:
            why = f"the wish is over {spelled(valid_us)} after its birth, and this waits {spelled(after_us)}"
            mend = "shorten `after`, or lengthen `valid_for`"
            self.warn(f"{path}.if_unseen.after", "a chain that is over before it goes on", why, mend)
        costs = {self.playbook.channels[name].cost for name in campaign.send if name in self.playbook.channels}
        if campaign.send_by is SendBy.COST and len(costs) == 1:
            why = "the channels of `send` cost the same"
            self.warn(f"{path}.send_by", "`send_by: cost` changes nothing", why, "give them a `cost`, or take it out")

    def offers_what_was_taken(self, campaign: Campaign) -> bool:
        """Tell whether neither the campaign nor its offer nor any rule asks about anything that could end the offer."""
        about = [each for each in map(self.playbook.offers.get, campaign.offers) if each and each.product]
        if campaign.until or campaign.condition or all(each.condition for each in about):
            return False
        rules = [f"policies.suppress[{i}].while" for i in stopping_rules(self.playbook, campaign)]
        read = {kind for path in rules if path in self.expressions for kind, _ in symbols_of(self.expressions[path])}
        return not read & OFFER_KINDS


def _held_by(cap: Cap, caps: Iterable[Cap]) -> Cap | None:
    """Return a cap over more, with the same window, that is always full before this one."""
    wider: dict[tuple[object, ...], list[Cap]] = {}
    if cap.own_max:
        return None
    for other in caps:
        if (other.rolling_us, other.period) == (cap.rolling_us, cap.period) and _is_wider(other, cap):
            wider.setdefault((other.scope, other.group), []).append(other)
    for group in wider.values():
        # Each customer is held by one of the group: by one with `for`, or by that without.
        if any(not other.for_segment for other in group) and all(
            other.max <= cap.max and not other.own_max for other in group
        ):
            return group[0]
    return None


def _is_wider(other: Cap, cap: Cap) -> bool:
    """Tell whether a cap is about more: in each scope, and of all in a group instead of the customer alone."""
    if cap.group and other.group != cap.group:
        return False
    pairs = list(zip(other.scope, cap.scope, strict=True))
    counts_alike = bool(other.placement) == bool(cap.placement)
    is_other = (other.scope, other.group) != (cap.scope, cap.group)
    return (
        counts_alike
        and is_other
        and all(theirs in {"", ours} or (theirs == EACH and ours != "") for theirs, ours in pairs)
    )


def _written(cap: Cap) -> str:
    """Return a cap as the playbook writes it."""
    window = cap.period.value if cap.period else spelled(cap.rolling_us)
    keys = {"channel": cap.channel, "class": cap.klass, "campaign": cap.campaign, "family": cap.family}
    keys |= {"owner": cap.owner, "category": cap.category, "address": cap.address, "placement": cap.placement}
    keys |= {"group": cap.group, "for": cap.for_segment, "own_max": cap.own_max}
    return f"{{max: {cap.max}, per: {window}" + "".join(f", {key}: {to}" for key, to in keys.items() if to) + "}"
