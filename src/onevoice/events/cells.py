"""Cells that the scanner found to the values they stand for.

What is not plain marks its line as bad: it is read again by `lines.py`, which knows the sentence to say.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from onevoice.engine.kernel import kernel
from onevoice.events.batch import LINE, MISSING_TIME, NAME_CHARACTERS_MAX, OCCURRED_AT
from onevoice.events.scan import (
    CELL_CODE,
    CELL_COLUMN,
    CELL_ROW,
    CELL_START,
    CELL_STOP,
    EVENT_KEY,
    IDENTIFIER,
    TRAIT,
    UNKNOWN,
)
from onevoice.events.spelling import is_blank, is_email, is_plain
from onevoice.events.tokens import (
    LOWER_F,
    LOWER_N,
    LOWER_T,
    QUOTE,
    after_number,
    after_whole_number,
    date_in,
    number,
    time_in,
)
from onevoice.events.words import (
    BOOLEAN,
    CHOICE,
    DATE,
    EMAIL,
    KEY,
    KEY_CHANNEL,
    KEY_ID,
    KEY_TIME,
    NUMBER,
    PHONE,
    PRODUCT,
    TIME,
    hash_of,
    same,
)

CHAIN_MAX: Final = 64  # names that share a place in the table; beyond, somebody may be aiming for it
NAME_NULL: Final = -1
NAME_BAD: Final = -2


@kernel
def evaluate(letters: Any, cells: Any, rows: Any, values: Any, traits: Any, hard: Any, bad: Any) -> None:
    """Write numbers, booleans, dates and times to `values`, those of traits to `traits[cell]`, and trim identifiers.

    `hard` (uint8 per cell) becomes 1 where a number needs more than one rounding, `bad` (uint8 per line) where a cell
    is not what it should be.
    """
    for cell in range(cells.shape[0]):
        code, row = cells[cell, CELL_CODE], cells[cell, CELL_ROW]
        start, stop = cells[cell, CELL_START], cells[cell, CELL_STOP]
        fine = True
        if code < IDENTIFIER:
            if code in (NUMBER, BOOLEAN, DATE, TIME):
                fine, values[row, cells[cell, CELL_COLUMN]] = _measured(letters, code, start, stop)
            elif code == KEY:
                fine = _is_reference(letters, start, stop)
        elif code < EVENT_KEY:
            fine = _trimmed(letters, cells, cell, code - IDENTIFIER)
        elif code < TRAIT:
            fine = _event_key(letters, code - EVENT_KEY, start, stop)
            if code == EVENT_KEY + KEY_TIME and fine:
                rows[row, OCCURRED_AT] = time_in(letters, start, stop)
                fine = rows[row, OCCURRED_AT] != MISSING_TIME
        elif code < UNKNOWN:
            if letters[start] == LOWER_N and letters[start - 1] != QUOTE:
                traits[cell] = np.nan
            elif code - TRAIT not in (CHOICE, PRODUCT):
                fine, traits[cell] = _measured(letters, code - TRAIT, start, stop)
        if not fine:
            if (
                code in (NUMBER, TRAIT + NUMBER)
                and letters[start - 1] != QUOTE
                and after_number(letters, start) == stop
            ):
                hard[cell] = 1
            else:
                bad[rows[row, LINE]] = 1


@kernel
def _measured(letters: Any, code: Any, start: Any, stop: Any) -> Any:
    """Return whether a number, boolean, date or time is plain, and its value."""
    quoted = letters[start - 1] == QUOTE
    if code == NUMBER:
        after, value = number(letters, start)
        return not quoted and after == stop, value
    if code == BOOLEAN:
        truth = letters[start] == LOWER_T
        return not quoted and (truth or letters[start] == LOWER_F), 1.0 if truth else 0.0
    moment = date_in(letters, start, stop) if code == DATE else time_in(letters, start, stop)
    return quoted and moment != MISSING_TIME, float(moment)


@kernel
def _is_reference(letters: Any, start: Any, stop: Any) -> Any:
    """Tell whether a cell is a text or a whole number."""
    return letters[start - 1] == QUOTE or after_whole_number(letters, start) == stop


@kernel
def _event_key(letters: Any, key: Any, start: Any, stop: Any) -> Any:
    if key == KEY_ID:
        return _is_reference(letters, start, stop)
    if key == KEY_CHANNEL and stop - start > NAME_CHARACTERS_MAX:
        return False
    return letters[start - 1] == QUOTE


@kernel
def _trimmed(letters: Any, cells: Any, cell: Any, form: Any) -> Any:
    """Narrow an identifier to its text without outer blanks; tell whether it is usable as it then stands."""
    start, stop = cells[cell, CELL_START], cells[cell, CELL_STOP]
    fine = _is_reference(letters, start, stop)
    while start < stop and is_blank(letters[start]):
        start += 1
    while start < stop and is_blank(letters[stop - 1]):
        stop -= 1
    cells[cell, CELL_START] = start
    cells[cell, CELL_STOP] = stop
    if form == PHONE:
        return fine
    return fine and (is_email(letters, start, stop) if form == EMAIL else is_plain(letters, start, stop))


@kernel
def collect_names(
    letters: Any, cells: Any, rows: Any, values: Any, traits: Any, names: Any, slots: Any, bad: Any
) -> Any:
    """Give choices and products their numbers; return how many there are.

    names: int64[:, 3], hash, start and stop; slots: int64[power of two], name + 1 or 0.
    """
    count = 0
    for cell in range(cells.shape[0]):
        code = cells[cell, CELL_CODE]
        held = code - TRAIT if code >= TRAIT else code
        if held not in (CHOICE, PRODUCT):
            continue
        start, stop = cells[cell, CELL_START], cells[cell, CELL_STOP]
        quoted = letters[start - 1] == QUOTE
        if code >= TRAIT and not quoted and letters[start] == LOWER_N:
            continue
        if held == PRODUCT:
            fine = _is_reference(letters, start, stop)
            name = NAME_NULL if start == stop else name_of(letters, start, stop, names, count, slots)
        else:
            fine = quoted
            name = name_of(letters, start, stop, names, count, slots)
        row = cells[cell, CELL_ROW]
        if not fine or name == NAME_BAD:
            bad[rows[row, LINE]] = 1
            continue
        count = max(count, name + 1)
        if code >= TRAIT:
            traits[cell] = np.nan if name == NAME_NULL else float(name)
        elif name != NAME_NULL:
            values[row, cells[cell, CELL_COLUMN]] = float(name)
    return count


@kernel
def collect_channels(
    letters: Any, cells: Any, rows: Any, values: Any, columns: Any, names: Any, count: Any, slots: Any, bad: Any
) -> Any:
    """Put an event's `channel` into its field of that name where that is NULL; return the count of names."""
    for cell in range(cells.shape[0]):
        row, start, stop = cells[cell, CELL_ROW], cells[cell, CELL_START], cells[cell, CELL_STOP]
        if cells[cell, CELL_CODE] != EVENT_KEY + KEY_CHANNEL or start == stop:
            continue
        column = columns[rows[row, 0]]
        if column < 0 or not np.isnan(values[row, column]) or bad[rows[row, LINE]] == 1:
            continue
        name = name_of(letters, start, stop, names, count, slots)
        if name == NAME_BAD:
            bad[rows[row, LINE]] = 1
        else:
            values[row, column] = float(name)
            count = max(count, name + 1)
    return count


@kernel
def name_of(letters: Any, start: Any, stop: Any, names: Any, count: Any, slots: Any) -> Any:
    """Return the number of a name, `count` for a new one, NAME_BAD for one that is not plain."""
    if stop - start > NAME_CHARACTERS_MAX:
        return np.int64(NAME_BAD)
    bits = hash_of(letters, start, stop)
    mask = slots.shape[0] - 1
    for step in range(CHAIN_MAX):
        slot = (bits + step) & mask
        name = slots[slot] - 1
        if name < 0:
            slots[slot] = count + 1
            names[count, 0] = bits
            names[count, 1] = start
            names[count, 2] = stop
            return np.int64(count)
        first = names[name, 1]
        if names[name, 0] == bits and names[name, 2] - first == stop - start and same(letters, first, start, stop):
            return name
    return np.int64(NAME_BAD)


@kernel
def tally(letters: Any, cells: Any, slots: Any, counts: Any) -> None:
    """Count equal unknown names at the place of the first of them; a crowded name is counted in more places."""
    mask = slots.shape[0] - 1
    for i in range(cells.shape[0]):
        scope, start, stop = cells[i, CELL_COLUMN], cells[i, CELL_START], cells[i, CELL_STOP]
        bits = hash_of(letters, start, stop) + scope * 7919
        at = i
        for step in range(CHAIN_MAX):
            other = slots[(bits + step) & mask] - 1
            if other < 0:
                slots[(bits + step) & mask] = i + 1
                break
            first = cells[other, CELL_START]
            fits = cells[other, CELL_COLUMN] == scope and cells[other, CELL_STOP] - first == stop - start
            if fits and same(letters, first, start, stop):
                at = other
                break
        counts[at] += 1


@kernel
def inherit(rows: Any, values: Any, item: Any) -> None:
    """Give each item the values of its event, in the columns before its own; `item` is the column of rows.ITEM."""
    for row in range(rows.shape[0]):
        if rows[row, item] > 0:
            event = row - rows[row, item]
            for column in range(values.shape[1]):
                if np.isnan(values[row, column]):
                    values[row, column] = values[event, column]
