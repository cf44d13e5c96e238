"""Conditions over what a playbook declares, drawn as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.playbook.model import HOUR, MINUTE, SECOND, Aggregate, FieldType
from onevoice.playbook.scopes import Scopes, fact_key_types, measure_type

from .clock import EPOCH, rfc3339, timedelta
from .draw import TEXTS

if TYPE_CHECKING:
    from onevoice.playbook.model import Playbook, Trait

    from .draw import Dice, Times


class Conditions:
    """Draws conditions for the names that the playbook has so far."""

    def __init__(self, dice: Dice, times: Times, playbook: Playbook) -> None:
        self.dice = dice
        self.times = times
        self.playbook = playbook
        self.scopes = Scopes(playbook)

    def customer(self, depth: int = 1) -> str:
        return self._joined(self._customer_atom, depth)

    def event(self, event: str) -> str:
        """Return a condition over the fields of an event; empty where it has none that can be compared."""
        atoms = self._row_atoms(event, "")
        return self._joined(lambda: self.dice.choice(atoms), 1) if atoms else ""

    def campaign(self, event: str, offer: bool) -> str:
        """Return a condition over the customer, the event of a trigger and the offer, where there are such."""
        sources = [self._customer_atom]
        atoms = self._row_atoms(event, "event.") if event else []
        if atoms:
            sources.append(lambda: self.dice.choice(atoms))
        if offer:
            sources.append(self._offer_atom)
        return self._joined(lambda: self.dice.choice(sources)(), 1)  # noqa: PLW0108 - each atom from another source

    def suppression(self, offer: bool) -> str:
        return self._joined(self._offer_atom if offer else self._customer_atom, 1)

    def _joined(self, atom, depth: int) -> str:
        if depth <= 0 or self.dice.chance(0.5):
            return atom()
        left, right = self._joined(atom, depth - 1), self._joined(atom, depth - 1)
        form = self.dice.choice(("{} and {}", "{} or {}", "{} or not ({})", "coalesce({}, false) or ({}) is null"))
        return form.format(f"({left})", f"({right})")

    # Atoms

    def _customer_atom(self) -> str:
        makers = [self._clock_atom]
        makers += [self._trait_atom] * (2 if self._traits() else 0)
        makers += [self._measure_atom] * (3 if self.playbook.measures else 0)
        makers += [self._fact_atom] * (6 if self.playbook.groups else 3)
        makers += [self._segment_atom] * (1 if self.playbook.segments else 0)
        return self.dice.choice(makers)()

    def _value_atoms(self, name: str, kind: FieldType, text: str) -> list[str]:
        """Return comparisons of a value by its type; `text` names the texts it may hold."""
        length = self.interval()
        match kind:
            case FieldType.NUMBER:
                return [
                    f"{name} > {self.dice.randint(-1, 5)}",
                    f"{name} between 1 and {self.dice.randint(1, 6)}",
                    f"{name} * 2 - 1 <> {self.dice.randint(1, 6)}",
                    f"coalesce({name}, 2) / ({name} - 1) >= 2",
                    f"{name} % 2 = 0",
                    f"{name} is not null",
                    f"abs({name} - 2) < 1 or floor({name}) = 0 or -ceil({name}) > 0",
                    f"least({name}, 3) > 1 is false",
                ]
            case FieldType.CHOICE | FieldType.PRODUCT:
                value = self.dice.choice(TEXTS.get(text, ("a",)))
                other = self.dice.choice(TEXTS.get(text, ("b",)))
                return [f"{name} = '{value}'", f"{name} not in ('{value}', '{other}')", f"{name} like '%{value[1:]}'"]
            case FieldType.BOOLEAN:
                return [name, f"{name} is not true", f"{name} is false", f"not {name}"]
            case FieldType.DATE:
                return [f"{name} >= date '2026-03-05'", f"extract(day from {name}) > 10"]
            case FieldType.TIME:
                return [
                    f"{name} > timestamptz '{self._moment()}'",
                    f"{name} + {length} < timestamptz '{self._moment()}'",
                ]
            case _:
                return []

    def _timed_atoms(self, name: str, kind: FieldType) -> list[str]:
        """Return comparisons with the clock."""
        length = self.interval()
        if kind is FieldType.TIME:
            return [
                f"{name} > now() - {length}",
                f"now() - {name} >= {length}",
                f"{name} between now() - {length} and now()",
                f"-(now() - {name}) > -{length}",
                f"coalesce({name}, now()) <= now() - {length}",
                f"case when {name} is null then now() else {name} + {length} end < timestamptz '{self._moment()}'",
                f"case {name} + {length} when now() then 1 else 0 end = 1",
                f"greatest({name}, timestamptz '{self._moment()}') + {length} <= now()",
            ]
        return [f"{name} < current_date"] if kind is FieldType.DATE else []

    def _traits(self) -> list[Trait]:
        return [each for each in self.playbook.traits.values() if each.type is not FieldType.TEXT]

    def _trait_atom(self) -> str:
        trait = self.dice.choice(self._traits())
        atoms = self._value_atoms(trait.name, trait.type, trait.name) + self._timed_atoms(trait.name, trait.type)
        return self.dice.choice(atoms)

    def _measure_atom(self) -> str:
        measure = self.dice.choice(list(self.playbook.measures.values()))
        if measure.aggregate in {Aggregate.COUNT, Aggregate.DISTINCT}:
            return f"{measure.name} {self.dice.choice(('>=', '=', '<'))} {self.dice.randint(0, 3)}"
        kind = measure_type(measure, self.scopes.events)
        return self.dice.choice(
            self._value_atoms(measure.name, kind, measure.field) + self._timed_atoms(measure.name, kind)
        )

    def _fact_atom(self) -> str:
        name = self.dice.choice([name for name in self.scopes.facts if self._counts(name)])
        fact = self.scopes.facts[name]
        kinds = fact_key_types(fact, self.scopes.events)
        forms = [name, f"not {name}", f"count({name}) >= {self.dice.randint(1, 2)}"]
        if kinds and kinds[0] is not FieldType.KEY:
            forms.append(f"{name}('{self._key(fact.per[0])}')")
        if len(kinds) == 2 and FieldType.KEY not in kinds:
            forms.append(f"{name}('{self._key(fact.per[0])}', '{self._key(fact.per[1])}')")
        if self.playbook.groups and self.dice.chance(0.7):
            group = self.dice.choice(list(self.playbook.groups))
            return self.dice.choice([f"any {group}.{form}" for form in (forms[0], *forms[3:])])
        return self.dice.choice(forms)

    def _counts(self, fact: str) -> bool:
        """Tell whether a built-in fact about refusals is set: a condition may not ask for one that is not."""
        refusals = self.playbook.policies.refusals
        unset = {
            "refused": not refusals.refused_us,
            "not_now": not refusals.not_now_us,
            "ignored": not refusals.ignored_pause_us,
        }
        return not unset.get(fact, False)

    def _key(self, field: str) -> str:
        known = {"list": "vip", "channel": "sms", "purpose": "sales", "family": "fam"}
        return known.get(field) or self.dice.choice(TEXTS.get(field, ("offer_0",)))

    def _segment_atom(self) -> str:
        return self.dice.choice(("{}", "not {}")).format(self.dice.choice(list(self.playbook.segments)))

    def _clock_atom(self) -> str:
        forms = [
            f"now() >= timestamptz '{self._moment()}'",
            f"timestamptz '{self._moment()}' - now() > {self.interval()}",
            "extract(isodow from now()) in (1, 6, 7)",
            f"extract(day from current_date) % 2 = {self.dice.randint(0, 1)}",
            f"extract(isodow from now() + {self.interval()}) > 3",
            f"extract(year from now()) + extract(month from now()) > {self.dice.randint(2028, 2040)}",
            f"extract(doy from now()) % {self.dice.randint(2, 4)} = 1",
        ]
        if self.times.unit < HOUR:  # over weeks there would be too many hours to look at
            forms.append(f"extract(hour from now()) between {self.dice.randint(0, 12)} and {self.dice.randint(8, 23)}")
        if self.times.unit == MINUTE:
            forms.append(f"case when extract(minute from now()) >= {self.dice.randint(1, 59)} then 1 else 2 end = 1")
        return self.dice.choice(forms)

    def _offer_atom(self) -> str:
        forms = ["offer.value > 5", "offer.product in ('p1', 'p2')", "offer.family = 'fam'", "offer.product.price > 5"]
        if any(offer.parameters for offer in self.playbook.offers.values()):
            forms.append("offer.bonus >= 2")
        for name, fact in self.scopes.facts.items():
            kinds = fact_key_types(fact, self.scopes.events)
            if kinds and kinds[0] is FieldType.PRODUCT:
                forms += [f"{name}(offer.product)"] * 2
                forms += [f"any {group}.{name}(offer.product)" for group in self.playbook.groups]
            if kinds and fact.per[0] == "family" and self._counts(name):
                forms += [f"{name}(offer.family)"] * 2
        return self.dice.choice(forms)

    def _row_atoms(self, event: str, prefix: str) -> list[str]:
        atoms: list[str] = []
        for name in self.scopes.event_symbols(event):
            field = name.removeprefix("event.")
            row = {**self.scopes.events[event.split(".", maxsplit=1)[0]].fields}
            if "." in event:
                row |= self.scopes.events[event.split(".", maxsplit=1)[0]].items[event.split(".")[1]]
            if field in row:
                atoms += self._value_atoms(prefix + field, row[field], field)
            elif field.endswith(".price"):
                atoms += [f"event.{field} > 5", f"event.{field} is null"]
        return atoms

    # Literals

    def interval(self) -> str:
        return f"interval '{self.times.span() // SECOND} seconds'"

    def _moment(self) -> str:
        return rfc3339(self.times.instant()).replace("Z", "+00:00")


def day_text(days: int) -> str:
    """Return a date as an event carries it."""
    return (EPOCH + timedelta(days=days)).date().isoformat()
