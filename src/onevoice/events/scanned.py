"""Around the scanner: room for what it finds, and from its cells to a part of a batch."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onevoice.events.batch import (
    ID,
    IDENTIFIERS_FROM,
    IDENTIFIERS_TO,
    ITEM,
    LINE,
    MISSING_TIME,
    OCCURRED_AT,
    ROW_WIDTH,
    SOURCE,
    TRAIT_WIDTH,
    TRAITS_FROM,
    TYPE,
    UNKNOWN_TYPE,
)
from onevoice.events.cells import collect_channels, collect_names, evaluate, inherit, tally
from onevoice.events.columns import Part, identifier_rows, marks_of, without
from onevoice.events.lines import BLANKS
from onevoice.events.refusals import clipped
from onevoice.events.scan import (
    CELL_CODE,
    CELL_COLUMN,
    CELL_ROW,
    CELL_START,
    CELL_STOP,
    CELL_WIDTH,
    CELLS,
    EVENT_KEY,
    IDENTIFIER,
    LEFT,
    LINES,
    ROWS,
    STATES,
    TRAIT,
    UNKNOWN,
    WIDE,
    scan,
)
from onevoice.events.siphash import hash_texts_64
from onevoice.events.values import normal_phone
from onevoice.events.words import (
    CHOICE,
    FIELDS,
    KEY,
    KEY_ID,
    KEY_SOURCE,
    KEYS,
    NUMBER,
    PHONE,
    PRODUCT,
    SOURCES,
    TRAITS,
    TYPES,
    words_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.events.batch import Times
    from onevoice.events.schema import Schema


class Plain(NamedTuple):
    """The plain lines of a payload as a part, the lines left over (number and text), and counts."""

    part: Part
    left: list[tuple[int, bytes]]
    unknown: Counter[str]
    lines: int


def plain_lines(payload: bytes, schema: Schema, secret: tuple[int, int], times: Times) -> Plain:
    """Read the plain lines of a payload."""
    words = words_of(schema)
    text = b"".join((words.letters, payload, b"" if payload.endswith(b"\n") else b"\n"))
    found = _Found(text, len(words.letters), schema, secret, times)
    part, bad = found.part()
    left = {row: text[start:stop] for row, start, stop in found.of(LEFT)[:, [CELL_ROW, CELL_START, CELL_STOP]].tolist()}
    unknown = found.of(UNKNOWN)
    if len(bad):
        left |= _lines(payload, bad)
        unknown = unknown[~np.isin(found.rows[unknown[:, CELL_ROW], LINE], bad)]
        part = without(part, bad)
    return Plain(part, sorted(left.items()), found.counted(unknown), found.lines)


class _Found:
    """The cells of a payload, and what they become."""

    def __init__(self, text: bytes, start: int, schema: Schema, secret: tuple[int, int], times: Times) -> None:
        self.text = text
        self.letters = np.frombuffer(text, np.uint8)
        self.schema = schema
        self.secret = secret
        self.times = times
        self.words = words_of(schema)
        state = np.zeros(STATES, np.int64)
        state[WIDE] = is_utf8(text)
        # Each row has a brace and each cell a colon, but for the lines left over. Untouched room costs nothing.
        newlines, colons, braces = (int(np.count_nonzero(self.letters == ord(letter))) for letter in "\n:{")
        rows = np.empty((1 + max(newlines, braces), ROW_WIDTH), np.int64)
        cells = np.empty((newlines + 2 * colons, CELL_WIDTH), np.int64)
        scan(self.letters, start, self.words.table.copy(), cells, rows, state)
        self.lines = int(state[LINES])
        self.rows = rows[: state[ROWS]]
        self.cells = cells[: state[CELLS]]
        self.codes = self.cells[:, CELL_CODE].astype(np.uint8)

    def of(self, code: int) -> NDArray[np.int64]:
        """Return the cells of one code."""
        return self.cells.take(np.flatnonzero(self.codes == code), axis=0)

    def part(self) -> tuple[Part, NDArray[np.int64]]:
        """Return all events, and the lines whose events are not to be trusted."""
        count = len(self.rows)
        values = np.full((count, self.schema.width_values), np.nan)
        bad = np.zeros(self.lines, np.uint8)
        self.rows[:, [OCCURRED_AT, ID]] = MISSING_TIME, 0
        of_traits = np.empty(len(self.cells))
        hard = np.zeros(len(self.cells), np.uint8)
        evaluate(self.letters, self.cells, self.rows, values, of_traits, hard, bad)
        for cell in np.flatnonzero(hard).tolist():
            code, row, column, start, stop = self.cells[cell].tolist()
            number = float(self.text[start:stop]) + 0.0
            if not math.isfinite(number):
                bad[self.rows[row, LINE]] = 1
            if code == NUMBER:
                values[row, column] = number
            else:
                of_traits[cell] = number
        names = self._names(values, of_traits, bad)
        inherit(self.rows, values, ITEM)
        identifiers = self._identifiers(bad)
        traits = self._traits(of_traits)
        keys = self._keys()
        self._ids_and_sources()
        self._judge(values, bad)
        return Part(self.rows, values, keys, identifiers, traits, names), np.flatnonzero(bad)

    def _names(self, values: NDArray[np.float64], traits: NDArray[np.float64], bad: NDArray[np.uint8]) -> list[str]:
        held = np.where(self.codes >= TRAIT, self.codes - TRAIT, self.codes)
        most = int(((held == CHOICE) | (held == PRODUCT)).sum()) + self.lines + 1
        names = np.empty((most, 3), np.int64)
        slots = np.zeros(1 << most.bit_length(), np.int64)
        count = collect_names(self.letters, self.cells, self.rows, values, traits, names, slots, bad)
        columns = self.words.channels
        count = collect_channels(self.letters, self.cells, self.rows, values, columns, names, count, slots, bad)
        return [self.text[start:stop].decode() for _, start, stop in names[:count].tolist()]

    def _keys(self) -> NDArray[np.int64]:
        keys = np.zeros((len(self.rows), self.schema.width_keys), np.int64)
        given = _not_empty(self.of(KEY))
        keys[given[:, CELL_ROW], given[:, CELL_COLUMN]] = self._hashed(given)
        items = np.flatnonzero(self.rows[:, ITEM])
        keys[items] |= keys[items - self.rows[items, ITEM]]  # an item's own columns lie beyond its parent's
        return keys

    def _hashed(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        return hash_texts_64(self.letters, cells[:, [CELL_START, CELL_STOP]], self.secret)

    def _ids_and_sources(self) -> None:
        """Write ids and sources to the rows, and give items those of their event, and its time."""
        rows = self.rows
        given = _not_empty(self.of(EVENT_KEY + KEY_ID))
        rows[given[:, CELL_ROW], ID] = self._hashed(given)
        rows[:, SOURCE] = -1
        given = self.of(EVENT_KEY + KEY_SOURCE)
        rows[given[:, CELL_ROW], SOURCE] = given[:, CELL_COLUMN]
        items = np.flatnonzero(rows[:, ITEM])
        events = items - rows[items, ITEM]
        for column in (OCCURRED_AT, ID, SOURCE):
            rows[items, column] = rows[events, column]

    def _identifiers(self, bad: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the table of identifiers, each event's in the order of trust; a phone number that is none is bad."""
        where = np.flatnonzero((self.codes >= IDENTIFIER) & (self.codes < EVENT_KEY))
        given = self.cells.take(self._ordered(where, len(self.schema.identifiers)), axis=0)
        self._refer(IDENTIFIERS_FROM, given)
        kinds = np.ascontiguousarray(given[:, CELL_COLUMN])
        marks = marks_of(self.schema)
        table = identifier_rows(kinds, self.letters, given[:, [CELL_START, CELL_STOP]], marks, self.secret)
        phones = np.flatnonzero(given[:, CELL_CODE] == IDENTIFIER + PHONE)
        spelled = [
            normal_phone(self.text[start:stop].decode(), self.schema.identifiers[int(kind)].region).encode()
            for kind, start, stop in given[phones, CELL_COLUMN : CELL_STOP + 1].tolist()
        ]
        stops = np.cumsum([len(phone) for phone in spelled], dtype=np.int64)
        spans = np.column_stack([stops - np.array([len(phone) for phone in spelled], np.int64), stops])
        letters = np.frombuffer(b"".join(spelled) + b"\0", np.uint8)
        table[phones] = identifier_rows(kinds[phones], letters, spans, marks, self.secret)
        bad[self.rows[given[phones[spans[:, 0] == spans[:, 1]], CELL_ROW], LINE]] = 1
        return table

    def _traits(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        where = np.flatnonzero((self.codes >= TRAIT) & (self.codes < UNKNOWN))
        where = self._ordered(where, len(self.schema.traits))
        given = self.cells.take(where, axis=0)
        self._refer(TRAITS_FROM, given)
        table = np.empty((len(given), TRAIT_WIDTH))
        table[:, 0] = given[:, CELL_COLUMN]
        table[:, 1] = values[where]
        return table

    def _ordered(self, where: NDArray[np.int64], width: int) -> NDArray[np.int64]:
        """Return places of cells in the order of the cells' row and column; cells mostly come in it."""
        place = self.cells[where, CELL_ROW] * width + self.cells[where, CELL_COLUMN]
        return where if (place[1:] > place[:-1]).all() else where[np.argsort(place, kind="stable")]

    def _refer(self, column: int, given: NDArray[np.int64]) -> None:
        """Write the range of each row's cells; an item has an empty one, behind its event's."""
        counts = np.bincount(given[:, CELL_ROW], minlength=len(self.rows))
        self.rows[:, column + 1] = np.cumsum(counts)
        self.rows[:, column] = self.rows[:, column + 1] - counts

    def _judge(self, values: NDArray[np.float64], bad: NDArray[np.uint8]) -> None:
        """Mark the lines of events that belong to nobody, are about no product, or have a time not to be believed."""
        events = self.rows[:, ITEM] == 0
        about = self.words.about[self.rows[:, TYPE]]
        counts = self.rows[:, IDENTIFIERS_TO] - self.rows[:, IDENTIFIERS_FROM]
        nobody = (self.rows[:, TYPE] >= 0) & (about == -1) & (counts == 0)
        world = np.flatnonzero(events & (about >= 0))
        nothing = world[np.isnan(values[world, about[world]])]
        bad[self.rows[events & nobody, LINE]] = 1
        bad[self.rows[nothing, LINE]] = 1
        bad[self.rows[self.times.doubted(self.rows[:, OCCURRED_AT]), LINE]] = 1

    def counted(self, unknown: NDArray[np.int64]) -> Counter[str]:
        """Return how often each unknown name was met."""
        heads = {KEYS: "$.", TYPES: UNKNOWN_TYPE, TRAITS: "traits.", SOURCES: "source "}
        heads |= {FIELDS + layout.number: f"{layout.name}." for layout in self.schema.types}
        slots = np.zeros(1 << (2 * len(unknown)).bit_length(), np.int64)
        counts = np.zeros(len(unknown), np.int64)
        tally(self.letters, np.ascontiguousarray(unknown), slots, counts)
        counted: Counter[str] = Counter()
        for i in np.flatnonzero(counts).tolist():
            _, _, scope, start, stop = unknown[i].tolist()
            name = self.text[start:stop].decode()
            counted[heads[scope] + (name if scope == KEYS else clipped(name))] += int(counts[i])
        return counted


def is_utf8(text: bytes) -> bool:
    """Tell whether a text is UTF-8."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _not_empty(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    full = cells[:, CELL_STOP] > cells[:, CELL_START]
    return cells if full.all() else cells[full]


def _lines(payload: bytes, wanted: NDArray[np.int64]) -> dict[int, bytes]:
    """Return the wanted lines of a payload by their number."""
    full = [line for line in payload.split(b"\n") if line.strip(BLANKS)]
    return {number: full[number] for number in wanted.tolist()}
