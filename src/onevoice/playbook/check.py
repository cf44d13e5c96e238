"""Whether what a playbook says fits together: every name is known, every condition fits its types.

It works on the model alone, so that the names and conditions of a playbook built in Python are checked by the same
rules; with a `Report` of the loader each mistake also has its file, line and column.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from onevoice.conditions.tree import OFFER_KINDS, Expression, SymbolKind, symbols_of
from onevoice.conditions.types import Scope, Type
from onevoice.conditions.types import check as check_condition
from onevoice.errors import ConditionError, Mistake
from onevoice.near import did_you_mean
from onevoice.playbook.actions import UNREAD
from onevoice.playbook.builtin import BUILTIN_FACT_NAMES, row_fields
from onevoice.playbook.capping import caps_of, check_shown
from onevoice.playbook.chains import check_contacts
from onevoice.playbook.circles import reaches
from onevoice.playbook.derived import MEASURED, WITHOUT_FIELD
from onevoice.playbook.feeds import check_source
from onevoice.playbook.groups import check_group
from onevoice.playbook.hours import ALL
from onevoice.playbook.model import (
    CATEGORY,
    EACH,
    Aggregate,
    Campaign,
    Cap,
    Fact,
    FieldType,
    Measure,
    Moment,
    Playbook,
    TriggerKind,
)
from onevoice.playbook.policies import COUNTS_FROM
from onevoice.playbook.record import LISTED_BESIDE_HINT, SECTION_MAX, Report, listed
from onevoice.playbook.scarce import check_resource, check_uses
from onevoice.playbook.scopes import (
    Scopes,
    Written,
    computed_parameters,
    conditions_of,
    event_matches,
    fact_key_types,
    trigger_event,
)
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
KEY_TYPES: Final = frozenset({FieldType.KEY, FieldType.CHOICE, FieldType.PRODUCT})
COMPUTED_MAX: Final = 16  # names of computed parameters: columns that each line of a decision has
OFFERS: Final = "offers"  # what `stop` calls everything that proposes something


def check(playbook: Playbook, report: Report | None = None) -> list[Mistake]:
    """Return every mistake in how the parts of a playbook refer to each other; none where it can be used."""
    report = report or Report()
    checker = _Checker(playbook, report)
    checker.names()
    checker.customers()
    checker.events()
    for fact in playbook.facts.values():
        checker.fact(fact)
    for measure in playbook.measures.values():
        checker.measure(measure)
    for moment in playbook.moments.values():
        checker.moment(moment)
    checker.offers()
    for campaign in playbook.campaigns.values():
        checker.campaign(campaign)
    checker.policies()
    report.expressions = checker.conditions()
    checker.segment_order(report.expressions)
    checker.suppressions(report.expressions)
    return report.mistakes


class _Checker:
    """One playbook being checked; a method per part."""

    def __init__(self, playbook: Playbook, report: Report) -> None:
        self.playbook = playbook
        self.report = report
        self.scopes = Scopes(playbook)
        everything = self.scopes.events.values()
        declared = [event for event in everything if event.name in playbook.events]
        builtin = [event for event in everything if event.name not in playbook.events]
        self.event_types = (*declared, *builtin)  # the playbook's own first, as a message should name them
        self.known_events = [
            name
            for event in self.event_types
            for name in (event.name, *(f"{event.name}.{items}" for items in event.items))
        ]

    def refuse(
        self, path: str, what: str, *, expected: str = "", found: str = "", mend: str = "", word: str = ""
    ) -> None:
        """Record a mistake at a key path; at a word of what is written there, if one is named."""
        self.report.refuse(self.report.where(path, word), what, expected=expected, found=found, mend=mend)

    def known(self, path: str, kind: str, name: str, names: Iterable[str]) -> bool:
        """Tell whether a name is one of those declared, and record where it is not."""
        names = list(names)
        if name in names:
            return True
        if not name or name in self.report.broken or kind in self.report.broken:
            return False
        hint = did_you_mean(name, names)
        expected = f"one of {listed(names)}" if names else f"a declared {kind}; there is none"
        if hint and len(names) > LISTED_BESIDE_HINT:
            expected = ""
        self.refuse(path, f"an unknown {kind}", expected=expected, found=quoted(name), mend=hint, word=name)
        return False

    def names(self) -> None:
        """Hold names that one condition may see apart, and the sections to their limits."""
        playbook = self.playbook
        first: dict[str, str] = dict.fromkeys(BUILTIN_FACT_NAMES, "a built-in fact")
        sections: dict[str, Mapping[str, object]] = {
            "groups": playbook.groups,
            "traits": playbook.traits,
            "facts": playbook.facts,
            "measures": playbook.measures,
            "segments": playbook.segments,
        }
        for section, names in sections.items():
            for name in names:
                other = first.setdefault(name, f"one of the {section}")
                if other != f"one of the {section}":
                    mend = "conditions call both by this name: rename one"
                    self.refuse(
                        f"{section}.{name}", "a name given twice", found=f"{quoted(name)}, also {other}", mend=mend
                    )
        self.sizes()

    def sizes(self) -> None:
        """Hold event types with their items and fields to the limit of a section."""
        for event in self.playbook.events.values():
            fields = len(event.fields) + sum(len(own) for own in event.items.values())
            if fields > SECTION_MAX:
                self.refuse(
                    f"events.{event.name}", "too many fields", expected=f"at most {SECTION_MAX:,}", found=f"{fields:,}"
                )

    def customers(self) -> None:
        """Check groups, sources and channels."""
        for group in self.playbook.groups.values():
            check_group(self, group)
        for source in self.playbook.sources.values():
            check_source(self, source)
        for channel in self.playbook.channels.values():
            if channel.address:
                path = f"channels.{channel.name}.address"
                self.known(path, "identifier", channel.address, self.playbook.identifiers)
        for scarce in (*self.playbook.channels.values(), *self.playbook.campaigns.values()):
            check_uses(self, scarce)
        for resource in self.playbook.resources.values():
            check_resource(self, resource)

    def events(self) -> None:
        """Check every place that matches events of a customer."""
        seen: set[tuple[str, str]] = set()
        for path, match in event_matches(self.playbook):
            if (
                (path, match.event) in seen
                or not match.event
                or not self.known(path, "event", match.event, self.known_events)
            ):
                continue
            seen.add((path, match.event))
            about = self.scopes.events[match.event.split(".")[0]].about
            if about:
                mend = "it starts campaigns by `product EVENT for FACT`" if about == "product" else ""
                what = f"an event about a {about}, which has no customer"
                self.refuse(path, what, found=quoted(match.event), mend=mend)

    def row(self, event: str) -> Mapping[str, FieldType] | None:
        """Return the fields of an event's row; None where there is none, or where its own mistakes leave it unsure."""
        if event.split(".", maxsplit=1)[0] in self.report.broken:
            return None
        return row_fields(self.scopes.events, event)

    def fact(self, fact: Fact) -> None:
        """Check that a fact's key is made of fields that identify, of one type wherever they occur."""
        rows = {match.event: self.row(match.event) for match in (*fact.opens, *fact.closes)}
        opening = [rows[match.event] for match in fact.opens]
        if any(row is None for row in rows.values()):
            return
        path = f"facts.{fact.name}.per"
        if fact.per:
            self.callable(f"facts.{fact.name}", fact)
        for name, kind in zip(fact.per, fact_key_types(fact, self.scopes.events), strict=True):
            if not any(name in (row or {}) for row in opening):
                fields = sorted({field for row in opening for field in row or {}})
                self.known(path, "field of the events that open it", name, fields)
            elif kind not in KEY_TYPES:
                self.refuse(
                    path,
                    "a field that identifies nothing",
                    expected=listed(sorted(KEY_TYPES)),
                    found=f"`{name}: {kind}`",
                )
            for event, row in rows.items():
                if row is not None and row.get(name, kind) is not kind:
                    first = next(each for each, fields in rows.items() if name in (fields or {}))
                    found = f"{kind} in {quoted(first)}, {row[name]} in {quoted(event)}"
                    self.refuse(path, f"two types for {quoted(name)}", expected="one type", found=found)

    def callable(self, path: str, fact: Fact) -> None:
        """Check that a fact can be asked for a key by its name, which SQL may know as a function of its own."""
        symbol = self.scopes.of_customer[fact.name]
        asked = replace(symbol, components=(Type.TEXT,))
        try:
            check_condition(f"({fact.name}('a'))", Scope({fact.name: asked}), Type.BOOLEAN, "")
        except ConditionError:
            mend = f"choose another name, such as `{fact.name}_`"
            self.refuse(path, "the name of a SQL function", found=quoted(fact.name), mend=mend)

    def measure(self, measure: Measure) -> None:
        """Check that a measure's field is one it can be computed from."""
        row, path = self.row(measure.match.event), f"measures.{measure.name}"
        if row is None:
            return
        if measure.over_us and measure.aggregate in {Aggregate.LATEST, Aggregate.FIRST}:
            self.refuse(path, f"{quoted(measure.aggregate)} over a window", expected=f"{measure.aggregate} of all time")
        wanted = MEASURED[measure.aggregate]
        if not measure.field:
            if measure.aggregate not in WITHOUT_FIELD:
                of = f"`{measure.aggregate} of {measure.match.event}.FIELD`"
                self.refuse(path, f"{quoted(measure.aggregate)} without a field", expected=of)
        elif (
            self.known(path, f"field of {quoted(measure.match.event)}", measure.field, row)
            and row[measure.field] not in wanted
        ):
            found = f"`{measure.field}: {row[measure.field]}`"
            expected = f"a field of type {listed(sorted(wanted))}"
            self.refuse(path, f"a field that {quoted(measure.aggregate)} cannot take", expected=expected, found=found)

    def moment(self, moment: Moment) -> None:
        """Check that every event of a keyed moment has the key."""
        kinds: dict[FieldType, str] = {}
        for i, step in enumerate(moment.steps) if moment.per else ():
            for match in step.matches:
                row, path = self.row(match.event), f"moments.{moment.name}.steps[{i}]"
                if row is None:
                    continue
                if moment.per not in row:
                    mend = "an event without it would never count"
                    self.refuse(
                        path,
                        f"no field {quoted(moment.per)} in {quoted(match.event)}",
                        expected="the field of `per`",
                        mend=mend,
                    )
                    continue
                kinds.setdefault(row[moment.per], match.event)
        self.key_kinds(f"moments.{moment.name}.per", moment.per, kinds)

    def key_kinds(self, path: str, name: str, kinds: Mapping[FieldType, str]) -> None:
        """Check that a key has one type, and one that identifies."""
        if len(kinds) > 1:
            found = ", ".join(f"{kind} in {quoted(event)}" for kind, event in kinds.items())
            self.refuse(path, f"two types for {quoted(name)}", expected="one type", found=found)
        for kind in kinds:
            if kind not in KEY_TYPES:
                self.refuse(
                    path,
                    "a field that identifies nothing",
                    expected=listed(sorted(KEY_TYPES)),
                    found=f"`{name}: {kind}`",
                )

    def offers(self) -> None:
        """Check products and parameters of offers."""
        kinds: dict[str, tuple[type, str]] = {}
        products = frozenset(self.playbook.products.names)
        for offer in self.playbook.offers.values():
            path = f"offers.{offer.name}"
            if offer.product and offer.product not in products:
                self.known(f"{path}.product", "product", offer.product, self.playbook.products.names)
            for name in (*offer.parameters, *offer.computed):
                if name in {"value", "product", "family"}:
                    self.refuse(f"{path}.parameters.{name}", "a parameter with a reserved name", found=quoted(name))
            for name, value in offer.parameters.items():
                kind, first = kinds.setdefault(name, (type(value), offer.name))
                if kind is not type(value):
                    found = f"a number in one, a text in the other: {quoted(first)} and {quoted(offer.name)}"
                    self.refuse(
                        f"{path}.parameters.{name}", f"two types for {quoted(name)}", expected="one type", found=found
                    )

        if (count := len(computed_parameters(self.playbook))) > COMPUTED_MAX:
            self.refuse("offers", "too many computed parameters", expected=f"at most {COMPUTED_MAX}", found=f"{count}")

    def campaign(self, campaign: Campaign) -> None:
        """Check the names a campaign uses."""
        playbook, path = self.playbook, f"campaigns.{campaign.name}"
        if campaign.klass:
            self.known(f"{path}.class", "class", campaign.klass, playbook.policies.classes)
        for i, name in enumerate(campaign.offers):
            self.known(f"{path}.offer[{i}]", "offer", name, playbook.offers)
        check_contacts(self, campaign, built=not self.report.nodes)
        for i, name in enumerate(campaign.placements):
            self.known(f"{path}.placements[{i}]", "placement", name, playbook.placements)
        klass = playbook.policies.classes.get(campaign.klass)
        if campaign.holdout and klass is not None and klass.strict:
            mend, found = "what must be said is said to everybody: leave it out", quoted(campaign.klass)
            self.refuse(f"{path}.holdout", "a holdout of a strict class", found=found, mend=mend)
        self.trigger(campaign)
        if campaign.per and campaign.when != UNREAD and campaign.when.name not in self.report.broken:
            self.per(campaign)

    def trigger(self, campaign: Campaign) -> None:
        """Check what starts a campaign."""
        when, path = campaign.when, f"campaigns.{campaign.name}.when"
        if when.kind is TriggerKind.MOMENT:
            self.known(path, "moment", when.name, self.playbook.moments)
        elif when.kind in {TriggerKind.SEGMENT_ENTERED, TriggerKind.SEGMENT_LEFT}:
            self.known(path, "segment", when.name, self.playbook.segments)
        elif when.kind is TriggerKind.PRODUCT:
            about = [event.name for event in self.scopes.events.values() if event.about == "product"]
            self.known(path, "event about a product", when.name, about)
            if self.known(path, "fact", when.fact, self.scopes.facts):
                keys = fact_key_types(self.scopes.facts[when.fact], self.scopes.events)
                if keys[:1] != (FieldType.PRODUCT,):
                    self.refuse(
                        path, "a fact that is not about a product", expected="`per: product`", found=quoted(when.fact)
                    )

    def per(self, campaign: Campaign) -> None:
        """Check that a campaign's key is a field of its event, or the key of its moment."""
        path, when = f"campaigns.{campaign.name}.per", campaign.when
        moment = self.playbook.moments.get(when.name) if when.kind is TriggerKind.MOMENT else None
        if moment is not None and campaign.per == moment.per:
            return
        event = trigger_event(self.playbook, campaign)
        row = self.row(event) if event else None
        if row is None:
            if not event or when.kind is TriggerKind.MOMENT:
                expected = "a trigger that is an event, or a moment with this `per`"
                self.refuse(
                    path, "no event to take a key from", expected=expected, found=quoted(f"event.{campaign.per}")
                )
        elif self.known(path, f"field of {quoted(event)}", campaign.per, row):
            self.key_kinds(path, campaign.per, {row[campaign.per]: event})

    def policies(self) -> None:
        """Check the names that the rules use."""
        policies = self.playbook.policies
        for path, cap in caps_of(self.playbook).items():
            self.cap(path, cap)
        check_shown(self)
        self.known("policies.counts_from", "state", policies.counts_from, COUNTS_FROM)
        for name in policies.hours:
            if name != ALL:
                self.known(f"policies.hours.{name}", "channel", name, self.playbook.channels)
        for name in policies.exempt:
            self.known(f"policies.exempt.{name}", "class", name, policies.classes)
        self.shared("exploration", policies.exploration.classes, "a strict class that is explored")
        self.shared("holdout", policies.holdout.classes, "a strict class that is held out")
        for i, rule in enumerate(policies.suppress):
            for j, name in enumerate(rule.stop):
                self.known(f"policies.suppress[{i}].stop[{j}]", "class", name, [*policies.classes, OFFERS])

    def cap(self, path: str, cap: Cap) -> None:
        """Check what a cap is about, for whom it is, and whose choice it heeds."""
        playbook = self.playbook
        families = dict.fromkeys(each.family or each.name for each in playbook.offers.values())
        owners = dict.fromkeys(each.owner for each in playbook.campaigns.values() if each.owner)
        for key, kind, name, names in (
            ("channel", "channel", cap.channel, playbook.channels),
            ("class", "class", cap.klass, playbook.policies.classes),
            ("campaign", "campaign", cap.campaign, playbook.campaigns),
            ("family", "family of offers", cap.family, families),
            ("owner", "owner", cap.owner, owners),
            ("for", "segment", cap.for_segment, playbook.segments),
            ("group", "group", cap.group, playbook.groups),
        ):
            if name and (name != EACH or key in {"for", "group"}):
                self.known(f"{path}.{key}", kind, name, names)
        if cap.category:
            self.category(f"{path}.category", cap.category)
        if cap.own_max and self.known(f"{path}.own_max", "trait", cap.own_max, playbook.traits):
            kind = playbook.traits[cap.own_max].type
            if kind is not FieldType.NUMBER:
                found = quoted(f"{cap.own_max}: {kind}")
                self.refuse(
                    f"{path}.own_max", "a choice that is no number", expected="a trait of type `number`", found=found
                )

    def category(self, path: str, name: str) -> None:
        """Check that the catalogue says of what category a product is, and knows this one."""
        catalogue = self.playbook.products
        if catalogue.fields.get(CATEGORY) is not FieldType.CHOICE:
            mend = f"declare it: `products: {{fields: {{{CATEGORY}: choice}}}}`"
            found = quoted(f"{CATEGORY}: {kind}") if (kind := catalogue.fields.get(CATEGORY)) else "no such field"
            self.refuse(
                path,
                "a category that no product has",
                expected=f"a field `{CATEGORY}: choice` in the catalogue",
                found=found,
                mend=mend,
            )
        elif name != EACH:
            self.known(
                path,
                "category",
                name,
                dict.fromkeys(str(each) for each in catalogue.columns.get(CATEGORY, ()) if each is not None),
            )

    def shared(self, key: str, names: Iterable[str], what: str) -> None:
        """Check the classes of which a share is explored or held out: what must be said is said, to everybody."""
        classes = self.playbook.policies.classes
        for i, name in enumerate(names):
            path = f"policies.{key}.classes[{i}]"
            if self.known(path, "class", name, classes) and classes[name].strict:
                self.refuse(path, what, found=quoted(name), mend="a strict class goes before all others: leave it out")

    def conditions(self) -> dict[str, Expression]:
        """Check every condition; return those that can be read, by key path."""
        found: dict[str, Expression] = {}
        for written in conditions_of(self.playbook, self.scopes):
            where = self.report.where(written.path)
            try:
                found[written.path] = check_condition(written.text, written.scope, written.expected, where)
            except ConditionError as error:
                if not self.excused(written):
                    self.report.mistakes += [
                        self.report.pinpointed(written.path, written.text, mistake) for mistake in error.mistakes
                    ]
        return found

    def excused(self, written: Written) -> bool:
        """Tell whether a condition may be wrong only because something it rests on has a mistake of its own."""
        rests_on = {*_WORD.findall(written.text), written.event.split(".")[0]}
        section, _, rest = written.path.partition(".")
        if section == "campaigns":
            when = self.playbook.campaigns[rest.split(".")[0]].when
            if when == UNREAD:
                return True
            rests_on.add(when.name)
        return not self.report.broken.isdisjoint(rests_on)

    def segment_order(self, expressions: Mapping[str, Expression]) -> None:
        """Check that segments use only those before them: each is judged after those written above it."""
        names = list(self.playbook.segments)
        told: set[str] = set()
        for position, name in enumerate(names):
            expression = expressions.get(f"segments.{name}")
            for kind, index in sorted(symbols_of(expression)) if expression else ():
                if kind is not SymbolKind.SEGMENT or index < position or name in told:
                    continue
                mend = f"move {quoted(names[index])} above {quoted(name)}"
                what = "a segment that uses one declared after it"
                if reaches(names[index], name, names, expressions):
                    what, mend = "a circle of segments", "a segment may not depend on itself, not through others either"
                    told |= {name, names[index]}
                self.refuse(f"segments.{name}", what, found=quoted(names[index]), mend=mend)

    def suppressions(self, expressions: Mapping[str, Expression]) -> None:
        """Check that a rule with a time after it speaks of the customer alone, and that refusals in use count."""
        for i, rule in enumerate(self.playbook.policies.suppress):
            expression = expressions.get(f"policies.suppress[{i}].while")
            kinds = {kind for kind, _ in symbols_of(expression)} if expression else set[SymbolKind]()
            if kinds & OFFER_KINDS and (rule.then_us or rule.at_most_us):
                key = "then" if rule.then_us else "at_most"
                mend = "such a rule is kept per customer, not per offer: leave it out"
                self.refuse(f"policies.suppress[{i}].{key}", f"{quoted(key)} of a rule about the offer", mend=mend)
        self.refusals(expressions)

    def refusals(self, expressions: Mapping[str, Expression]) -> None:
        """Check that a built-in fact about refusals is set where a condition asks for it."""
        refusals, facts = self.playbook.policies.refusals, list(self.scopes.facts)
        unset = {
            facts.index(name): name
            for name, lasts_us in (
                ("refused", refusals.refused_us),
                ("not_now", refusals.not_now_us),
                ("ignored", refusals.ignored_pause_us),
            )
            if not lasts_us
        }
        for path, expression in expressions.items():
            for kind, index in sorted(symbols_of(expression)):
                if kind is SymbolKind.FACT and index in unset:
                    name = unset[index]
                    mend = f"say how long under `policies.refusals.{name}`"
                    self.refuse(path, "a refusal that never counts", found=quoted(name), mend=mend)
