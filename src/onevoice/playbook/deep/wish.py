"""What is given of a campaign's wishes: when they are born, and when they are compared with others.

Each function says of one part of the contract (`docs/semantics.md`) what must hold for a wish to come through.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from onevoice.conditions.tree import (
    CAMPAIGN_NUMBERS,
    Constant,
    DatePart,
    Expression,
    FactRead,
    Operator,
    Part,
    Read,
    SymbolKind,
    Type,
)
from onevoice.playbook.deep.constants import replaced
from onevoice.playbook.deep.formula import (
    NOT_TRUE,
    TRUE,
    Among,
    Compared,
    Formula,
    Holds,
    Known,
    both,
    either,
    wanted,
)
from onevoice.playbook.deep.given import NOW, Given, asks_others, filled, of_condition
from onevoice.playbook.deep.heeded import heeded
from onevoice.playbook.model import Campaign, EventMatch, Offer, TriggerKind, only_offer
from onevoice.playbook.scopes import trigger_event
from onevoice.playbook.tree import quoted
from onevoice.playbook.unsent import stopping_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.playbook.deep.book import Book

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
LAST_MINUTE: Final = 22 * 60  # clocks were put forward over midnight
SEGMENT_SIDES: Final = {TriggerKind.SEGMENT_ENTERED: True, TriggerKind.SEGMENT_LEFT: False}


class Wish:
    """A campaign's wish, as statements about the customer at one instant."""

    def __init__(self, book: Book, campaign: Campaign, offer: str | None = None) -> None:
        """`offer`: which of several is looked at, as if the campaign had that one alone (§10, 1)."""
        self.book = book
        self.campaign = campaign
        self.path = f"campaigns.{campaign.name}"
        self.offer = book.playbook.offers.get(only_offer(campaign) if offer is None else offer)
        self._values = values_of(book, campaign, self.offer)

    def at_trigger(self) -> list[Given]:
        """§8, 1: nothing begins before `from` or from `to` on; a segment is entered by who is in it then."""
        return [*self._days(0), *self._side()]

    def at_birth(self) -> list[Given]:
        """§8, 4: at the trigger and `after` later `if` and the offer's `if` are true, before `to`."""
        at_once = [] if self.campaign.after_us else [*self._side(), *self._product()]
        return [*self._days(self.campaign.after_us), *self._instant(), *at_once, *self.context(), *self.eligible()]

    def in_round(self) -> list[Given]:
        """§10, 1 and 2: both conditions are true again; consent is there and no rule holds; before `to` (§8, 6)."""
        return [
            *self._days(self.campaign.after_us),
            *self.context(),
            *self.eligible(),
            *self._consent(),
            *self._unstopped(),
        ]

    def eligible(self) -> list[Given]:
        """Return the parts of the campaign's `if` and of its offer's."""
        found: list[Given] = []
        for path, says in (
            (f"{self.path}.if", "its `if`"),
            (f"offers.{self.offer.name if self.offer else ''}.if", "the `if` of its offer"),
        ):
            if path in self.book.expressions:
                found += of_condition(self.book.expressions[path], path, says, self._values)
        return found

    def rule(self, number: int) -> Expression:
        """Return the condition of a suppression for this campaign's offer."""
        return self.told(self.book.expressions[f"policies.suppress[{number}].while"])

    def told(self, condition: Expression) -> Expression:
        """Return a condition with what is the same for each wish of this campaign filled in."""
        return replaced(condition, self._values)

    # When

    def _days(self, after_us: int) -> list[Given]:
        """§8, 1 and 4: nothing begins before `from`; at `to` all has expired."""
        found: list[Given] = []
        if self.campaign.from_us:
            first = Constant(Type.TIME, float(self.campaign.from_us + after_us))
            says = "nothing begins before" if not after_us else "nothing is born before that and `after`"
            found.append(Given(Compared(Operator.AT_LEAST, NOW, first), f"{self.path}.from", says, reads=(NOW,)))
        if self.campaign.to_us:
            end = Constant(Type.TIME, float(self.campaign.to_us))
            found.append(Given(Compared(Operator.LESS, NOW, end), f"{self.path}.to", "the last day", reads=(NOW,)))
        return found

    def _instant(self) -> list[Given]:
        """§8: `once` fires at that instant, `every` on that day: the customer's, where nobody has another zone."""
        when, path = self.campaign.when, f"{self.path}.when"
        if when.kind is TriggerKind.ONCE:
            at = Constant(Type.TIME, float(when.at_us + self.campaign.after_us))
            return [Given(Compared(Operator.EQUAL, NOW, at), path, "it begins then", reads=(NOW,))]
        if when.every is None or self.campaign.after_us or self._has_other_days(when.every.minute_of_day):
            return []
        days = ((Part.ISODOW, when.every.weekday + 1), (Part.DAY, when.every.month_day))
        return [
            Given(
                _equal(DatePart(part, NOW), float(value)), path, "it begins on that day", reads=(DatePart(part, NOW),)
            )
            for part, value in days
            if value
        ]

    def _has_other_days(self, minute: int) -> bool:
        """Tell whether the customer's day may be another: in a zone of their own, or where clocks skip to the next."""
        playbook = self.book.playbook
        told = any(trait.means == "time_zone" for trait in playbook.traits.values())
        return told or minute >= LAST_MINUTE or _skips_days(playbook.time_zone)

    # What began it

    def _side(self) -> list[Given]:
        """§7, §8: a segment's trigger comes when the customer has just become a member, or has just ceased to be."""
        kind, name = self.campaign.when.kind, self.campaign.when.name
        if kind not in SEGMENT_SIDES:
            return []
        term = Read(Type.BOOLEAN, name, self.book.scopes.of_customer[name])
        says = f"whoever it begins for is {'in' if SEGMENT_SIDES[kind] else 'no longer in'} {quoted(name)} then"
        return [Given(Holds(term, SEGMENT_SIDES[kind]), f"{self.path}.when", says, reads=(term,))]

    def _product(self) -> list[Given]:
        """§8: `product E for F` is for those who have F open with that product."""
        when = self.campaign.when
        if when.kind is not TriggerKind.PRODUCT:
            return []
        product = self._event_product()
        asked = FactRead(Type.BOOLEAN, when.fact, self.book.scopes.of_customer[when.fact], (product,))
        says = f"it is for those for whom {quoted(when.fact)} is open for that product"
        return [
            Given(
                both((Known(product, known=True), Holds(asked, truth=True))), f"{self.path}.when", says, reads=(asked,)
            )
        ]

    def _event_product(self) -> Read:
        symbol = self.book.scopes.event_symbols(self.campaign.when.name)["event.product"]
        return Read(Type.TEXT, "event.product", symbol)

    def context(self) -> list[Given]:
        """§8: a wish carries the fields of the event that began it, which met the `where` there."""
        when, path = self.campaign.when, f"{self.path}.when"
        if when.kind is TriggerKind.EVENT:
            return self.book.matching(path, EventMatch(when.name, when.where), "the event that it begins with")
        if when.kind is TriggerKind.MOMENT and trigger_event(self.book.playbook, self.campaign):
            return self._last_step()
        if when.kind is TriggerKind.ASKED:
            symbol = self.book.scopes.event_symbols("asked")["event.placement"]
            placement = Read(Type.TEXT, "event.placement", symbol)
            choices = frozenset[str | float](self.campaign.placements)
            return [
                Given(Among(placement, choices), f"{self.path}.placements", "it is asked for there", reads=(placement,))
            ]
        return []

    def _last_step(self) -> list[Given]:
        """§6: a moment that ends with an event fires with that event's fields."""
        moment = self.book.playbook.moments[self.campaign.when.name]
        path, matches = f"moments.{moment.name}.steps[{len(moment.steps) - 1}]", moment.steps[-1].matches
        says = f"the last step of {quoted(moment.name)}"
        if len(matches) == 1:
            return self.book.matching(path, matches[0], says)
        conditions = [self.book.where(path, each) for each in matches]
        told = [each for each in conditions if each is not None]
        if len(told) < len(conditions):
            return []
        return [Given(either(wanted(each, TRUE) for each in told), path, says, reads=tuple(told))]

    # What lets it through

    def _consent(self) -> list[Given]:
        """§10, 2: a class that requires consent goes out by a channel with consent to its purpose alone."""
        klass = self.book.playbook.policies.classes[self.campaign.klass]
        if not klass.consent_required or self.campaign.when.kind is TriggerKind.ASKED:
            return []
        symbol, purpose = self.book.scopes.of_customer["consent"], klass.purpose or klass.name
        asked = tuple(
            FactRead(Type.BOOLEAN, "consent", symbol, (Constant(Type.TEXT, name), Constant(Type.TEXT, purpose)))
            for name in self.campaign.send
        )
        path = f"policies.classes.{klass.name}.consent_required"
        says = f"it goes out only with consent to {quoted(purpose)} on one of its channels"
        return [Given(either(Holds(each, truth=True) for each in asked), path, says, reads=asked)]

    def _unstopped(self) -> list[Given]:
        """§7, §10, 2: no suppression that stops it holds; one with `at_most` may hold no longer though it is true."""
        found: list[Given] = []
        for number in stopping_rules(self.book.playbook, self.campaign):
            rule = self.book.playbook.policies.suppress[number]
            path = f"policies.suppress[{number}].while"
            judged = rule.then_us and asks_others(self.book.expressions[path])
            if not rule.at_most_us and not judged and heeded(rule):
                condition = self.rule(number)
                says = "stops it while this is so" + filled(self.book.expressions[path], self._values)
                found.append(Given(wanted(condition, NOT_TRUE), path, says, reads=(condition,)))
        return found


def wishes_of(book: Book, campaign: Campaign) -> list[Wish]:
    """Return a campaign's wish, with each of its offers: one that is dead with each of them is dead."""
    return [Wish(book, campaign, name) for name in campaign.offers or ("",)]


def values_of(book: Book, campaign: Campaign, offer: Offer | None) -> Callable[[Read], Expression | None]:
    """Return what gives a name that has one value for each wish of a campaign: its numbers, and its offer's."""
    numbers = {"weight": book.playbook.policies.classes[campaign.klass].weight}
    numbers |= {
        name: float(getattr(campaign, name)) for name in CAMPAIGN_NUMBERS if name not in {"weight", "propensity", "age"}
    }
    about_product = campaign.when.kind is TriggerKind.PRODUCT and not (offer and offer.product)
    symbols = book.scopes.event_symbols(campaign.when.name) if about_product else {}

    def value(read: Read) -> Expression | None:
        if read.symbol.kind is SymbolKind.CAMPAIGN:
            return Constant(Type.NUMBER, numbers[read.name]) if read.name in numbers else None
        if read.symbol.kind not in {SymbolKind.OFFER_FIELD, SymbolKind.OFFER_PRODUCT_FIELD}:
            return None
        name = read.name.replace("offer.", "event.", 1)
        if name in symbols and name.startswith("event.product"):
            return Read(read.type, name, symbols[name])
        return Constant(read.type, _of_offer(book, offer, read.name.split(".")[1:]))

    return value


def _of_offer(book: Book, offer: Offer | None, names: list[str]) -> str | float | None:
    if offer is None:
        return None
    if names[0] == "product":
        if not offer.product or len(names) == 1:
            return offer.product or None
        return _of_product(book, offer.product, names[1])
    if names[0] == "family":
        return offer.family or offer.name
    return float(offer.value) if names[0] == "value" else offer.parameters.get(names[0])


def _of_product(book: Book, product: str, column: str) -> str | float | None:
    catalogue = book.playbook.products
    return catalogue.columns[column][catalogue.names.index(product)] if product in catalogue.names else None


def _equal(term: Expression, value: float) -> Formula:
    return Compared(Operator.EQUAL, term, Constant(Type.NUMBER, value))


def _skips_days(zone: str) -> bool:
    """Tell whether the clocks of a zone ever left a day out, as islands do that change the side of the date line."""
    shown = ZoneInfo(zone)
    offsets = [datetime(year, 1, 1, tzinfo=UTC).astimezone(shown).utcoffset() for year in range(FIRST_YEAR, LAST_YEAR)]
    known = [each.total_seconds() for each in offsets if each is not None]
    return max(known) - min(known) > 12 * 3_600
