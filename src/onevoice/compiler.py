"""From a playbook to the tables of a program.

One class per step would hide the order; here each section of a playbook is one method that fills its tables, in the
order in which later sections need the numbers of earlier ones.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from onevoice import program as at
from onevoice.conditions.code import Assembler
from onevoice.conditions.tree import (
    CAMPAIGN_NUMBERS,
    OFFER_PARAMETERS,
    Apply,
    Case,
    DatePart,
    Expression,
    FactRead,
    In,
    Like,
    Read,
    SymbolKind,
    Type,
    walk,
)
from onevoice.conditions.types import Scope, check
from onevoice.errors import Mistake, PlaybookError
from onevoice.events.schema import Layout, Schema
from onevoice.playbook.builtin import all_facts
from onevoice.playbook.model import (
    DAY,
    Campaign,
    Cap,
    Catalogue,
    Fact,
    FieldType,
    Moment,
    Period,
    Playbook,
    Step,
    TriggerKind,
)
from onevoice.playbook.scopes import Scopes, fact_key_types, offer_parameters, trigger_event
from onevoice.zones import zone_number, zones

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SUBSTEPS_MAX: Final = 16
PANES: Final = 64  # of a window (semantics §5)
INFINITE: Final = 2**62
BITS: Final = 62  # classes and placements fit in one word
STACK: Final = 64
SPARE_TIMERS: Final = 2  # rows of the heap's table that are never part of it (engine/timers.py)

_EVENT_KINDS: Final = {SymbolKind.EVENT_FIELD, SymbolKind.EVENT_PRODUCT_FIELD}
_CODED: Final = {FieldType.CHOICE, FieldType.PRODUCT}
_AGGREGATES: Final = ("count", "sum", "min", "max", "latest", "first", "distinct")
_PERIODS: Final = {
    Period.DAY: (at.PERIOD_DAY, 2 * DAY),
    Period.WEEK: (at.PERIOD_WEEK, 8 * DAY),
    Period.MONTH: (at.PERIOD_MONTH, 32 * DAY),
}
_KILL, _KILL_WAIT, _STEP = 0, 1, 2
_SPECIAL: Final = {
    "contact_reported": (at.SPECIAL_REPORTED, ("campaign", "class", "channel")),
    "offer_shown": (at.SPECIAL_OFFER, ("offer", "family", "product")),
    "offer_accepted": (at.SPECIAL_REACTION, ("offer", "family", "product")),
    "offer_refused": (at.SPECIAL_REACTION, ("offer", "family", "product")),
    "offer_not_now": (at.SPECIAL_REACTION, ("offer", "family", "product")),
    "offer_clicked": (at.SPECIAL_REACTION, ("offer", "family", "product")),
    "asked": (at.SPECIAL_ASKED, ("placement",)),
}

Row = list[int]


def compile_playbook(playbook: Playbook) -> at.Compiled:
    """Compile a playbook that has been checked.

    Raises PlaybookError where a limit of the engine is exceeded.
    """
    return _Compiler(playbook).compiled()


def placed(expression: Expression, columns: Sequence[int]) -> Expression:
    """Return an expression whose event fields are numbered by their column instead of their position."""

    def of(each: Expression) -> Expression:
        return placed(each, columns)

    match expression:
        case Read(symbol=symbol) if symbol.kind in _EVENT_KINDS:
            return replace(expression, symbol=replace(symbol, index=columns[symbol.index]))
        case Apply(arguments=arguments):
            return replace(expression, arguments=tuple(map(of, arguments)))
        case In() | Like() | DatePart():
            return replace(expression, operand=of(expression.operand))
        case FactRead(keys=keys):
            return replace(expression, keys=tuple(map(of, keys)))
        case Case():
            branches = tuple((of(condition), of(value)) for condition, value in expression.branches)
            operand = None if expression.operand is None else of(expression.operand)
            return replace(expression, operand=operand, branches=branches, default=of(expression.default))
        case _:
            return expression


def tie_of(name: str) -> int:
    """Return the 64-bit hash of a campaign's name by which ties are broken (semantics §13)."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def _table(rows: Sequence[Sequence[int]], width: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    table = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


class _Ranges:
    """Rows grouped by an owner: appended in any order, laid out owner by owner."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Row]] = defaultdict(list)

    def add(self, owner: int, row: Row) -> None:
        self.rows[owner].append(row)

    def laid_out(self, owners: int) -> tuple[list[Row], list[tuple[int, int]]]:
        rows: list[Row] = []
        spans: list[tuple[int, int]] = []
        for owner in range(owners):
            start = len(rows)
            rows += self.rows.get(owner, [])
            spans.append((start, len(rows)))
        return rows, spans


class _Names:
    """Codes of texts, in order of first use; the products come first."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.codes: dict[str, int] = {name: code for code, name in enumerate(catalogue.names)}

    def code(self, text: str) -> int:
        return self.codes.setdefault(text, len(self.codes))


class _Compiler:
    """One compilation. Tables are built section by section in `compiled`."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self.schema = Schema(playbook)
        self.scopes = Scopes(playbook)
        self.names = _Names(playbook.products)
        self.assembler = Assembler(self.names.code)
        self.facts: dict[str, Fact] = all_facts(playbook)
        self.fact_numbers = {name: number for number, name in enumerate(self.facts)}
        self.classes = {name: number for number, name in enumerate(playbook.policies.classes)}
        self.channels = {name: number for number, name in enumerate(playbook.channels)}
        self.campaigns = {name: number for number, name in enumerate(playbook.campaigns)}
        self.offers = {name: number for number, name in enumerate(playbook.offers)}
        self.placements = {name: number for number, name in enumerate(playbook.placements)}
        self.segments = {name: number for number, name in enumerate(playbook.segments)}
        self.moments = {name: number for number, name in enumerate(playbook.moments)}
        self.fact_rows: list[Row] = []
        self.fact_uses = _Ranges()
        self.untils: dict[tuple[str, str, str], int] = {}
        self.ends: set[int] = set()

    # Small things

    def condition(self, text: str, scope: Scope, expected: Type, columns: Sequence[int] | None = None) -> int:
        """Return the number of a condition in the code table, -1 for an empty text."""
        if not text:
            return -1
        expression = check(text, scope, expected, "")
        return self.assembler.add(placed(expression, columns) if columns is not None else expression)

    def where(self, event: str, text: str) -> int:
        if not text:
            return -1
        return self.condition(text, self.scopes.event(event), Type.BOOLEAN, self.columns(event))

    def columns(self, event: str) -> list[int]:
        """Return the column of each field of an event row, by the field's position."""
        return [field.column for field in self.schema.layout(event).fields.values()]

    def type_number(self, event: str) -> int:
        return self.schema.layout(event).number

    def part(self, layout: Layout, name: str) -> int:
        """Return where an event row holds a value of a key; NO_PART where its type lacks the field."""
        field = layout.fields.get(name)
        if field is None or field.column < 0:
            return at.NO_PART
        return field.column + (at.KEY_PART if field.type is FieldType.KEY else 0)

    def is_timed(self, expression: int) -> bool:
        """Whether time alone may change an expression, otherwise than by the end of a fact."""
        if expression < 0:
            return False
        measures = list(self.playbook.measures.values())
        windowed = any(
            kind == SymbolKind.MEASURE and measures[index].over_us > 0
            for kind, index in self.assembler.symbols_of(expression)
        )
        return windowed or self.assembler.reads_clock(expression)

    # Sections

    def compiled(self) -> at.Compiled:
        fact_table = self._facts()
        measures, measure_uses = self._measures()
        moments, substeps, moment_uses = self._moments()
        offers = self._offers()
        campaigns, numbers, sends, schedules = self._campaigns()
        triggers, fans, moment_campaigns, segment_campaigns = self._triggers()
        segments = self._segments(segment_campaigns[1])
        suppressions = self._suppressions()
        classes, channels, caps, placements = self._policies()
        limits = self._limits(segments, suppressions, campaigns)
        roles = self._roles()
        products = self._products()
        facts = _table(fact_table, at.FACT_TABLE_WIDTH)
        self._mark_fact_reads(facts)
        judged = self._mark_judged(facts, segments, suppressions)
        types = len(self.schema.types)
        fact_uses, fact_spans = self.fact_uses.laid_out(types)
        measure_rows, measure_spans = measure_uses.laid_out(types)
        moment_rows, moment_spans = _moment_uses_laid_out(moment_uses, types)
        trigger_rows, trigger_spans = triggers.laid_out(types)
        fan_rows, fan_spans = fans.laid_out(types)
        moment_table = _table(moments, 8)
        for moment, (start, stop) in enumerate(moment_campaigns[1]):
            moment_table[moment, at.MOMENT_CAMPAIGNS_FROM : at.MOMENT_CAMPAIGNS_TO + 1] = start, stop
        spans = (fact_spans, measure_spans, moment_spans, trigger_spans, fan_spans)
        code = self.assembler.code()
        program = at.Program(
            limits=limits,
            kinds=_table(
                [[int(kind.unique), int(kind.anonymous), kind.at_most] for kind in self.schema.identifiers], 3
            ),
            event_types=self._event_types(spans),
            facts=facts,
            fact_uses=_table(fact_uses, 8),
            measures=_table(measures, 3),
            measure_uses=_table(measure_rows, 4),
            moments=moment_table,
            substeps=_table(substeps, 3),
            moment_uses=_table(moment_rows, 7),
            moment_campaigns=_table(moment_campaigns[0], 1),
            triggers=_table(trigger_rows, 4),
            fans=_table(fan_rows, 4),
            segments=segments,
            segment_campaigns=_table(segment_campaigns[0], 1),
            campaigns=campaigns,
            campaign_numbers=numbers,
            sends=sends,
            parts=self._parts(),
            schedules=_table(schedules, 5),
            classes=classes,
            channels=channels,
            caps=caps,
            suppressions=suppressions,
            placements=placements,
            offers=offers,
            products=products,
            roles=roles,
            coded=self._coded(),
            coded_traits=np.array([int(trait.type in _CODED) for trait in self.schema.traits], np.int64),
            code=code.code,
            constants=code.constants,
            spans=code.spans,
            zones=at.ZoneTables(**zones()._asdict()),
            room_for_row=np.zeros((types, 0), np.int64),
            room_for_event=np.zeros(0, np.int64),
            room_for_timer=np.zeros(0, np.int64),
        )
        program = _with_room(program)
        widths = at.Widths(
            kinds=len(self.schema.identifiers),
            traits=len(self.schema.traits),
            segments=len(self.playbook.segments),
            moments=len(moments),
            substeps=max([row[at.MOMENT_SUBSTEPS] for row in moments], default=0),
            values=self.schema.width_values,
            names=len(self.names.codes),
            likes=len(self.assembler.patterns),
            campaigns=len(self.playbook.campaigns),
            stack=STACK,
        )
        names, patterns = tuple(self.names.codes), tuple(self.assembler.patterns)
        self._mark_judging_types(program, judged)
        return at.Compiled(self.playbook, self.schema, program, widths, names, patterns)

    def _facts(self) -> list[Row]:
        """Return the rows of the facts; those that remember `until` events are added later."""
        for name, fact in self.facts.items():
            self._fact_uses(self.fact_numbers[name], fact, fact_key_types(fact, self.scopes.events))
            masks = 0
            for match in fact.closes:
                masks |= 1 << self._mask(fact, self.schema.layout(match.event))
            if name == "consent":
                masks = 0b1110
            self.fact_rows.append([fact.lasts_us, len(fact.per), masks & ~1, 0, 0])
        return self.fact_rows

    def _mask(self, fact: Fact, layout: Layout) -> int:
        return sum(1 << i for i, name in enumerate(fact.per) if name not in layout.fields)

    def _fact_uses(self, number: int, fact: Fact, key_types: Sequence[FieldType]) -> None:
        if len(fact.per) > 3:
            raise PlaybookError(
                Mistake("too many fields in `per`", f"facts.{fact.name}.per", "at most 3", str(len(key_types)))
            )
        for closes, matches in ((0, fact.opens), (1, fact.closes)):
            for match in matches:
                layout = self.schema.layout(match.event)
                parts = [self.part(layout, name) for name in fact.per] + [at.NO_PART] * (3 - len(fact.per))
                mask = self._mask(fact, layout) if closes else 0
                null_is_all = int(closes and fact.name == "consent")
                row = [number, closes, self.where(match.event, match.where), mask, null_is_all, *parts]
                self.fact_uses.add(layout.number, row)

    def _until(self, campaign: Campaign) -> tuple[int, int]:
        """Return the fact that remembers a campaign's `until` events, and whether it does so per key."""
        if campaign.until is None:
            return -1, 0
        match = campaign.until
        layout = self.schema.layout(match.event)
        part = self.part(layout, campaign.per) if campaign.per else at.NO_PART
        keyed = part != at.NO_PART
        known = (match.event, match.where, campaign.per if keyed else "")
        if known not in self.untils:
            number = self.untils[known] = len(self.fact_rows)
            self.fact_rows.append([0, int(keyed), 0, 0, 0])
            parts = [part, at.NO_PART, at.NO_PART]
            self.fact_uses.add(layout.number, [number, 0, self.where(match.event, match.where), 0, 0, *parts])
        self.ends.add(layout.number if layout.parent < 0 else layout.parent)
        return self.untils[known], int(keyed)

    def _mark_fact_reads(self, facts: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Keep totals and prefixes only for the facts of which a condition asks for them."""
        for campaign in self.playbook.campaigns.values():
            if campaign.when.kind is TriggerKind.PRODUCT:
                facts[self.fact_numbers[campaign.when.fact], at.FACT_PREFIXED] = 1
        for expression in self.assembler.expressions:
            for each in walk(expression):
                if isinstance(each, FactRead):
                    column = at.FACT_PREFIXED if each.keys else at.FACT_TOTALLED
                    facts[each.symbol.index, column] = 1
        facts[facts[:, at.FACT_PARTS] == 0, at.FACT_TOTALLED] = 0
        facts[facts[:, at.FACT_PARTS] < 2, at.FACT_PREFIXED] = 0

    def _mark_judged(self, facts: Any, segments: Any, suppressions: Any) -> frozenset[int]:
        """Mark the facts that segments and suppressions read; returns the measures that are judged."""
        judged = {int(row[at.SEGMENT_CONDITION]) for row in segments}
        rules = [(int(row[at.SUPPRESSION_CONDITION]), bool(row[at.SUPPRESSION_JUDGED])) for row in suppressions]
        judged |= {condition for condition, is_judged in rules if is_judged}
        for conditions, column in ((judged, at.FACT_JUDGED), ({each for each, _ in rules}, at.FACT_STOPS)):
            for kind, index in self._read_by(conditions):
                if kind == SymbolKind.FACT:
                    facts[index, column] = 1
        return frozenset(index for kind, index in self._read_by(judged) if kind == SymbolKind.MEASURE)

    def _read_by(self, conditions: set[int]) -> set[tuple[SymbolKind, int]]:
        return {symbol for condition in conditions for symbol in self.assembler.symbols_of(condition)}

    def _mark_judging_types(self, program: at.Program, measures: frozenset[int]) -> None:
        """Mark the event types after which the customer is judged."""
        types = program.event_types
        for layout in self.schema.types:
            row = types[layout.number]
            facts = program.fact_uses[row[at.E_FACTS_FROM] : row[at.E_FACTS_TO], at.USE_FACT]
            used = program.measure_uses[row[at.E_MEASURES_FROM] : row[at.E_MEASURES_TO], at.MU_MEASURE].tolist()
            if program.facts[facts, at.FACT_JUDGED].any() or measures & set(used):
                types[layout.number if layout.parent < 0 else layout.parent, at.E_JUDGES] = 1

    def _measures(self) -> tuple[list[Row], _Ranges]:
        rows: list[Row] = []
        uses = _Ranges()
        for number, measure in enumerate(self.playbook.measures.values()):
            pane_us = -(-measure.over_us // PANES)
            rows.append([_AGGREGATES.index(measure.aggregate), pane_us, int(bool(measure.field))])
            layout = self.schema.layout(measure.match.event)
            column, part = -1, at.NO_PART
            if measure.field:
                field = layout.fields[measure.field]
                column = -1 if field.type is FieldType.KEY else field.column
                if field.type in _CODED or field.type is FieldType.KEY:
                    part = self.part(layout, measure.field)
            where = self.where(measure.match.event, measure.match.where)
            uses.add(layout.number, [number, where, column, part])
        return rows, uses

    def _moments(self) -> tuple[list[Row], list[Row], dict[int, dict[int, list[Row]]]]:
        moments: list[Row] = []
        substeps: list[Row] = []
        uses: dict[int, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for number, moment in enumerate(self.playbook.moments.values()):
            steps = [step for step in moment.steps if not step.absent]
            count = sum(step.count for step in steps)
            if count > SUBSTEPS_MAX:
                found = f"{count} events"
                raise PlaybookError(
                    Mistake("the moment is too long", f"moments.{moment.name}", f"at most {SUBSTEPS_MAX} events", found)
                )
            final = moment.steps[-1] if moment.steps[-1].absent else None
            absent_us = final.within_us if final else 0
            lag = self._lag(final) if final else 0
            row = [len(substeps), count, moment.within_us, absent_us, lag, int(bool(moment.per)), 0, 0]
            moments.append(row)
            self._steps(number, moment, substeps, uses)
        return moments, substeps, uses

    def _steps(self, number: int, moment: Moment, substeps: list[Row], uses: dict[int, dict[int, list[Row]]]) -> None:
        """Lay out a moment's sub-steps, and what each event type does to them."""
        first = len(substeps)
        sub = 0
        for i, step in enumerate(moment.steps):
            if not step.absent:
                last = step.count - 1
                substeps += [[first + sub, int(j == last), step.within_us] for j in range(step.count)]
                self._use(number, moment, step, _STEP, sub, sub + step.count, uses)
                sub += step.count
            elif i == len(moment.steps) - 1:
                self._use(number, moment, step, _KILL_WAIT, sub - 1, sub, uses)
            else:
                following = next(later for later in moment.steps[i:] if not later.absent)
                self._use(number, moment, step, _KILL, sub - 1, sub + following.count - 1, uses)

    def _use(
        self,
        number: int,
        moment: Moment,
        step: Step,
        role: int,
        start: int,
        stop: int,
        uses: dict[int, dict[int, list[Row]]],
    ) -> None:
        for match in step.matches:
            layout = self.schema.layout(match.event)
            part = self.part(layout, moment.per) if moment.per else at.NO_PART
            if moment.per and part == at.NO_PART:
                continue
            where = self.where(match.event, match.where)
            uses[layout.number][number].append([number, role, start, stop, where, part, 0])

    def _lag(self, final: Step) -> int:
        names = {match.event.partition(".")[0] for match in final.matches}
        sources = self.playbook.sources.values()
        return max((source.lag_us for source in sources if not source.events or names & set(source.events)), default=0)

    def _offers(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        parameters = offer_parameters(self.playbook)
        table = np.full((len(self.playbook.offers), OFFER_PARAMETERS + len(parameters)), np.nan)
        for i, offer in enumerate(self.playbook.offers.values()):
            table[i, 0] = offer.value
            if offer.product:
                table[i, 1] = self.names.code(offer.product)
            table[i, 2] = self.names.code(offer.family or offer.name)
            for j, name in enumerate(parameters):
                value = offer.parameters.get(name)
                if value is not None:
                    table[i, OFFER_PARAMETERS + j] = self.names.code(value) if isinstance(value, str) else value
        return table

    def _campaigns(self) -> tuple[Any, Any, Any, list[Row]]:
        playbook = self.playbook
        rows: list[Row] = []
        schedules: list[Row] = []
        most = max([1, *(len(campaign.send) for campaign in playbook.campaigns.values())])
        sends = np.full((len(playbook.campaigns), most), -1, np.int64)
        numbers = np.ones((len(playbook.campaigns), len(CAMPAIGN_NUMBERS)))
        for number, campaign in enumerate(playbook.campaigns.values()):
            rows.append(self._campaign(campaign))
            sends[number, : len(campaign.send)] = [self.channels[channel] for channel in campaign.send]
            weight = playbook.policies.classes[campaign.klass].weight
            numbers[number, :3] = weight, campaign.priority, campaign.lever
            schedules += self._schedule(number, campaign)
        return _table(rows, at.CAMPAIGN_WIDTH), numbers, sends, schedules

    def _campaign(self, campaign: Campaign) -> Row:
        policies = self.playbook.policies
        scope = self.scopes.campaign(campaign)
        event = trigger_event(self.playbook, campaign)
        columns = self.columns(event) if event else None
        offer = self.playbook.offers.get(campaign.offer)
        exempt = "wait" in policies.exempt.get(campaign.klass, frozenset())
        wait = 0 if exempt else campaign.wait_us if campaign.wait_us >= 0 else policies.wait_us
        offer_if = offer.condition if offer else ""
        until, until_keyed = self._until(campaign)
        is_offer = offer is not None or campaign.when.kind is TriggerKind.PRODUCT
        bits = sum(1 << self.placements[name] for name in campaign.placements)
        return [
            self.offers.get(campaign.offer, -1),
            self.classes[campaign.klass],
            self.condition(campaign.condition, scope, Type.BOOLEAN, columns),
            self.condition(offer_if, self.scopes.suppression("an offer"), Type.BOOLEAN),
            self.names.code(offer.product) if offer and offer.product else -1,
            self.names.code(offer.family or offer.name) if offer else -1,
            int(is_offer),
            self.condition(campaign.propensity, scope, Type.NUMBER, columns),
            self._keyed(campaign),
            campaign.after_us,
            wait,
            campaign.valid_for_us,
            until,
            until_keyed,
            campaign.again_after_us,
            campaign.from_us,
            campaign.to_us or INFINITE,
            tie_of(campaign.name),
            len(campaign.send),
            bits if campaign.when.kind is TriggerKind.ASKED else 0,
        ]

    def _keyed(self, campaign: Campaign) -> int:
        moment = self.playbook.moments.get(campaign.when.name) if campaign.when.kind is TriggerKind.MOMENT else None
        by_moment = moment is not None and bool(campaign.per) and moment.per == campaign.per
        return at.BY_MOMENT if by_moment else int(bool(campaign.per))

    def _parts(self) -> Any:
        parts = np.full((len(self.schema.types), len(self.playbook.campaigns)), at.NO_PART, np.int64)
        for number, campaign in enumerate(self.playbook.campaigns.values()):
            for layout in self.schema.types if campaign.per else ():
                parts[layout.number, number] = self.part(layout, campaign.per)
        return parts

    def _schedule(self, number: int, campaign: Campaign) -> list[Row]:
        when = campaign.when
        if when.kind is TriggerKind.ONCE:
            return [[number, when.at_us, 0, -1, 0]]
        if when.kind is TriggerKind.EVERY and when.every:
            return [[number, -1, when.every.minute_of_day, when.every.weekday, when.every.month_day]]
        return []

    def _triggers(self) -> tuple[_Ranges, _Ranges, Any, Any]:
        triggers, fans, moments, segments = _Ranges(), _Ranges(), _Ranges(), _Ranges()
        for number, campaign in enumerate(self.playbook.campaigns.values()):
            when = campaign.when
            if when.kind in {TriggerKind.EVENT, TriggerKind.PRODUCT}:
                layout = self.schema.layout(when.name)
                key = self.part(layout, campaign.per) if campaign.per else at.NO_PART
                fact = self.fact_numbers.get(when.fact, -1)
                row = [number, self.where(when.name, when.where), key, fact]
                (triggers if when.kind is TriggerKind.EVENT else fans).add(layout.number, row)
            elif when.kind is TriggerKind.MOMENT:
                moments.add(self.moments[when.name], [number])
            elif when.kind is TriggerKind.SEGMENT_ENTERED:
                segments.add(2 * self.segments[when.name], [number])
            elif when.kind is TriggerKind.SEGMENT_LEFT:
                segments.add(2 * self.segments[when.name] + 1, [number])
        of_moments = moments.laid_out(len(self.moments))
        of_segments = segments.laid_out(2 * len(self.segments))
        return triggers, fans, of_moments, of_segments

    def _segments(self, spans: list[tuple[int, int]]) -> Any:
        rows: list[Row] = []
        for number, segment in enumerate(self.playbook.segments.values()):
            condition = self.condition(segment.condition, self.scopes.customer(), Type.BOOLEAN)
            rows.append([condition, int(self.is_timed(condition)), *spans[2 * number], *spans[2 * number + 1], 0])
        for place, number in enumerate(self._judging_order([row[0] for row in rows])):
            rows[place][at.SEGMENT_ORDER] = number
        return _table(rows, 7)

    def _judging_order(self, conditions: Sequence[int]) -> list[int]:
        """Return the segments in playbook order, but each after those that it reads."""
        order: list[int] = []

        def visit(number: int) -> None:
            if number in order:
                return
            read = self.assembler.symbols_of(conditions[number])
            for index in sorted(index for kind, index in read if kind == SymbolKind.SEGMENT):
                visit(index)
            order.append(number)

        for number in range(len(conditions)):
            visit(number)
        return order

    def _suppressions(self) -> Any:
        rows: list[Row] = []
        for rule in self.playbook.policies.suppress:
            condition = self.condition(rule.condition, self.scopes.suppression(), Type.BOOLEAN)
            judged = int(bool(rule.then_us or rule.at_most_us))
            bits = sum(1 << self.classes[name] for name in rule.stop if name != "offers")
            timed = int(self.is_timed(condition))
            rows.append([condition, rule.then_us, rule.at_most_us, judged, timed, int("offers" in rule.stop), bits])
        return _table(rows, 7)

    def _policies(self) -> tuple[Any, Any, Any, Any]:
        policies = self.playbook.policies
        strict = [name for name, klass in policies.classes.items() if klass.strict]
        classes: list[Row] = []
        for name, klass in policies.classes.items():
            tier = strict.index(name) if klass.strict else len(strict)
            exempt = policies.exempt.get(name, frozenset())
            purpose = self.names.code(klass.purpose or name)
            classes.append([tier, purpose, int(klass.consent_required), int("caps" in exempt), int("gap" in exempt)])
        kinds = self.schema.identifier_numbers
        channels = [
            [kinds.get(channel.address, -1), self.names.code(channel.name)]
            for channel in self.playbook.channels.values()
        ]
        placements = [[placement.slots] for placement in self.playbook.placements.values()]
        return _table(classes, 5), _table(channels, 2), self._caps(), _table(placements, 1)

    def _caps(self) -> Any:
        """Order the caps by set (same scope and window), in each those with `for` before the one without."""
        sets: dict[tuple[Any, ...], list[tuple[int, Cap]]] = {}
        for index, cap in enumerate(self.playbook.policies.caps):
            scope = (cap.channel, cap.klass, cap.campaign, cap.rolling_us, cap.period)
            sets.setdefault(scope, []).append((index, cap))
        rows: list[Row] = []
        for number, members in enumerate(sets.values()):
            for index, cap in sorted(members, key=lambda member: not member[1].for_segment):
                period = _PERIODS[cap.period][0] if cap.period else 0
                scope = [self.channels.get(cap.channel, -1), self.classes.get(cap.klass, -1)]
                scope += [self.campaigns.get(cap.campaign, -1), self.segments.get(cap.for_segment, -1)]
                rows.append([index, number, cap.max, cap.rolling_us, period, *scope])
        return _table(rows, 9)

    def _limits(self, segments: Any, suppressions: Any, campaigns: Any) -> Any:
        policies = self.playbook.policies
        zone_trait = next((number for number, trait in enumerate(self.schema.traits) if trait.means == "time_zone"), -1)
        windows = [cap.rolling_us or _PERIODS[cap.period or Period.DAY][1] for cap in policies.caps]
        again = [int(value) for value in campaigns[:, at.CAMPAIGN_AGAIN_US]]
        judged = int(suppressions[:, at.SUPPRESSION_JUDGED].any()) if len(suppressions) else 0
        measures = len(self.playbook.measures)
        limits = np.zeros(at.LIMITS, np.int64)
        limits[at.P_ZONE] = max(zone_number(self.playbook.time_zone), 0)
        limits[at.P_ZONE_TRAIT] = zone_trait
        limits[at.P_GAP_US] = policies.gap_us
        limits[at.P_RANK] = self.condition(policies.rank, self.scopes.rank(), Type.NUMBER)
        limits[at.P_HORIZON_US] = max([0, policies.gap_us, *windows, *again])
        limits[at.P_IGNORED_TIMES] = policies.refusals.ignored_times
        limits[at.P_FACT_CONSENT] = self.fact_numbers["consent"]
        limits[at.P_FACT_IGNORED] = self.fact_numbers["ignored"]
        limits[at.P_SLOT_SEGMENTS] = measures
        limits[at.P_SLOT_SUPPRESSIONS] = measures + len(segments)
        limits[at.P_SLOT_IGNORED] = measures + len(segments) + len(suppressions)
        limits[at.P_JUDGES] = int(len(segments) > 0 or judged)
        return limits

    def _roles(self) -> Any:
        """Say what each name stands for; the names are interned here at the latest."""
        sections: list[dict[str, int]] = [self.campaigns, self.classes, self.channels, self.offers, self.placements]
        for section in sections:
            for name in section:
                self.names.code(name)
        roles = np.full((len(self.names.codes), at.ROLES), -1, np.int64)
        for role, section in enumerate(sections):
            for name, number in section.items():
                roles[self.names.code(name), role] = number
        return roles

    def _products(self) -> Any:
        catalogue = self.playbook.products
        table = np.full((len(catalogue.names), max(len(catalogue.fields), 1)), np.nan)
        for j, (name, kind) in enumerate(catalogue.fields.items()):
            encode = cast("Callable[[Any], float]", self.names.code if kind in _CODED else float)
            column = [np.nan if value is None else encode(value) for value in catalogue.columns.get(name, ())]
            if kind not in {FieldType.TEXT, FieldType.KEY}:
                table[:, j] = column
        return table

    def _coded(self) -> Any:
        coded = np.zeros((len(self.schema.types), max(self.schema.width_values, 1)), np.int64)
        for layout in self.schema.types:
            for field in layout.fields.values():
                if field.type in _CODED:
                    coded[layout.number, field.column] = 1
        return coded

    def _event_types(self, spans: Sequence[list[tuple[int, int]]]) -> Any:
        rows: list[Row] = []
        for layout in self.schema.types:
            special, names = _SPECIAL.get(layout.name, (at.SPECIAL_NONE, ()))
            found = [layout.fields[name].column for name in names] + [-1] * (3 - len(names))
            product = layout.fields["product"].column if layout.about_product else -1
            ranges = [edge for span in spans for edge in span[layout.number]]
            rows.append([special, *ranges, int(layout.number in self.ends), product, *found])
        return _table(rows, at.EVENT_TYPE_WIDTH)


def _moment_uses_laid_out(uses: dict[int, dict[int, list[Row]]], types: int) -> tuple[list[Row], list[tuple[int, int]]]:
    """Order the uses of each event type by moment, kills before steps, later steps before earlier ones."""
    rows: list[Row] = []
    spans: list[tuple[int, int]] = []
    for number in range(types):
        start = len(rows)
        for moment in sorted(uses.get(number, {})):
            group = sorted(uses[number][moment], key=lambda use: (use[at.USED_ROLE] == _STEP, -use[at.USED_FROM]))
            for use in group:
                use[at.USED_NEXT] = len(rows) + len(group)
            rows += group
        spans.append((start, len(rows)))
    return rows, spans


def _with_room(program: at.Program) -> at.Program:
    """Work out how many rows of each table an event row, an event and a timer may take at the most."""
    from onevoice.engine import state as pool  # noqa: PLC0415 - the numbers of the pools are the engine's

    types = program.event_types
    count = len(types)
    facts = types[:, at.E_FACTS_TO] - types[:, at.E_FACTS_FROM]
    measures = types[:, at.E_MEASURES_TO] - types[:, at.E_MEASURES_FROM]
    moments = types[:, at.E_MOMENTS_TO] - types[:, at.E_MOMENTS_FROM]
    triggers = types[:, at.E_TRIGGERS_TO] - types[:, at.E_TRIGGERS_FROM]
    births = np.zeros(count, np.int64)
    for number in range(count):
        used = {int(row[at.USED_BY]) for row in program.moment_uses[slice(*types[number, 5:7])]}
        spans = [program.moments[moment, at.MOMENT_CAMPAIGNS_FROM : at.MOMENT_CAMPAIGNS_TO + 1] for moment in used]
        births[number] = triggers[number] + sum(int(stop - start) for start, stop in spans)
    row = np.zeros((count, pool.POOLS), np.int64)
    row[:, pool.FACTS] = 3 * facts + 3
    row[:, pool.CELLS] = measures + 1
    row[:, pool.PANES] = measures
    row[:, pool.PROGRESS] = moments
    row[:, pool.CONTACTS] = 1
    row[:, pool.QUEUE] = births
    row[:, pool.CANDIDATES] = births
    row[:, pool.TIMERS] = facts + moments + 3 * births + 1
    row[:, pool.DECISIONS] = births
    row[:, pool.LINES] = births
    judged = len(program.segments) + len(program.suppressions)
    flips = len(program.segment_campaigns)
    event = np.zeros(pool.POOLS, np.int64)
    event[pool.CUSTOMERS] = 1
    event[pool.CELLS] = judged
    event[pool.QUEUE] = flips
    event[pool.CANDIDATES] = flips
    event[pool.TIMERS] = SPARE_TIMERS + 4 + 3 * flips + len(program.schedules)
    event[pool.DECISIONS] = flips + 65
    event[pool.LINES] = flips + 65 + len(program.campaigns)
    event[pool.IDS] = 1
    timer = event.copy()
    campaigns = len(program.campaigns)
    timer[pool.FACTS] = 3
    timer[pool.PANES] = 1
    timer[pool.CELLS] += 1
    timer[pool.CONTACTS] = 1
    timer[pool.CANDIDATES] += campaigns
    timer[pool.TIMERS] += 3 * campaigns + 4
    timer[pool.DECISIONS] += campaigns
    timer[pool.LINES] += campaigns
    timer[pool.CUSTOMERS] = 0
    timer[pool.IDS] = 0
    return program.replaced(room_for_row=row, room_for_event=event, room_for_timer=timer)
