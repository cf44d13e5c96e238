"""Facts: the playbook's own, the built-in ones, and those that remember the events which end a campaign's wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from onevoice import program as at
from onevoice.compiler.rows import Groups, table
from onevoice.errors import Mistake, PlaybookError
from onevoice.playbook.derived import KEY_FIELDS_MAX

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped, Row
    from onevoice.events.schema import Layout
    from onevoice.playbook.model import Campaign, EventMatch, Fact
    from onevoice.tables import Ints

# A consent may be withdrawn for every channel, every purpose or both: its closings may lack any of its two parts.
_CONSENT_MASKS: Final = 1 << 0b01 | 1 << 0b10 | 1 << 0b11


class FactTables(NamedTuple):
    """The facts, their uses by event type, and the types by which, or by an item of which, candidates may end."""

    facts: Ints
    uses: Grouped
    ends: frozenset[int]


class Facts:
    """The facts of a playbook; those for `until` join them while the campaigns are compiled.

    Raises PlaybookError for a key of too many fields.
    """

    def __init__(self, book: Book) -> None:
        self._ends: set[int] = set()
        self._book = book
        self._rows: list[Row] = []
        self._uses = Groups()
        self._untils: dict[tuple[str, str, str], int] = {}
        for number, fact in enumerate(book.scopes.facts.values()):
            self._add_uses(number, fact)
            self._rows.append([fact.lasts_us, len(fact.per), self._masks(fact)])

    def until(self, campaign: Campaign) -> tuple[int, int]:
        """Return the fact that remembers a campaign's `until` events, -1 for none, and 1 if it does so per key."""
        match = campaign.until
        if match is None:
            return -1, 0
        layout = self._book.schema.layout(match.event)
        part = self._book.part(layout, campaign.per) if campaign.per else at.NO_PART
        keyed = part != at.NO_PART
        known = (match.event, match.where, campaign.per if keyed else "")
        if known not in self._untils:
            number = self._untils[known] = len(self._rows)
            self._rows.append([0, int(keyed)])
            self._add_use(number, match, [part])
        self._ends.add(layout.number if layout.parent < 0 else layout.parent)
        return self._untils[known], int(keyed)

    def laid_out(self) -> FactTables:
        """Return the tables, once every campaign has been compiled."""
        uses = self._uses.laid_out(len(self._book.schema.types), at.USE_PART + KEY_FIELDS_MAX)
        return FactTables(table(self._rows, at.FACT_TABLE_WIDTH), uses, frozenset(self._ends))

    def _add_uses(self, number: int, fact: Fact) -> None:
        if len(fact.per) > KEY_FIELDS_MAX:
            where, found = f"facts.{fact.name}.per", str(len(fact.per))
            raise PlaybookError(Mistake("too many fields in `per`", where, f"at most {KEY_FIELDS_MAX}", found))
        for closes, matches in ((0, fact.opens), (1, fact.closes)):
            for match in matches:
                layout = self._book.schema.layout(match.event)
                parts = [self._book.part(layout, name) for name in fact.per]
                mask = _mask(fact, layout) if closes else 0
                self._add_use(number, match, parts, closes, mask, self._null_is_all(fact, closes))

    def _null_is_all(self, fact: Fact, closes: int) -> int:
        return int(fact.name in self._book.playbook.groups or bool(closes and fact.name == "consent"))

    def _add_use(
        self, number: int, match: EventMatch, parts: list[int], closes: int = 0, mask: int = 0, null_is_all: int = 0
    ) -> None:
        parts = parts + [at.NO_PART] * (KEY_FIELDS_MAX - len(parts))
        row = [number, closes, self._book.where(match.event, match.where), mask, null_is_all, *parts]
        self._uses.add(self._book.schema.layout(match.event).number, row)

    def _masks(self, fact: Fact) -> int:
        if fact.name == "consent":
            return _CONSENT_MASKS
        masks = 1 << 1 if fact.closes and fact.name in self._book.playbook.groups else 0
        for match in fact.closes:
            masks |= 1 << _mask(fact, self._book.schema.layout(match.event))
        return masks & ~1  # a closing that lacks nothing needs no row of its own


def _mask(fact: Fact, layout: Layout) -> int:
    return sum(1 << i for i, name in enumerate(fact.per) if name not in layout.fields)
