"""Plain lines of NDJSON to cells: which value of which event lies where in the payload. One pass, byte by byte.

A line that is not plain (an escape in a value that is compared, a duplicate key, anything that would be refused) is
UNCLEAR and becomes one LEFT cell: it is read by `lines.py`, whose meaning this file matches. What the line had
written before is taken back. Kernels here share five arrays, passed one by one, which costs less than a tuple.

letters: uint8, the words of the playbook and then the payload, each line ending in a newline.
words: the table of `words.Words`.
cells: int64[:, 5], what is found. rows: int64[:, ROW_WIDTH], of which TYPE, LINE and ITEM are written here.
state: int64[STATES], see below.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from onevoice.events.batch import ITEM, ITEMS_MAX, LINE, LINE_BYTES_MAX, NAME_CHARACTERS_MAX, TYPE
from onevoice.events.lean import inlined, kernel
from onevoice.events.tokens import (
    COMMA,
    LEFT_BRACE,
    LEFT_BRACKET,
    LOWER_N,
    NEWLINE,
    QUOTE,
    RIGHT_BRACE,
    RIGHT_BRACKET,
    UNCLEAR,
    after_blanks,
    after_colon,
    after_null,
    after_value,
    string_end,
)
from onevoice.events.words import (
    CODE,
    FIELDS,
    IDENTIFIERS,
    KEY,
    KEY_FIELDS,
    KEY_IDENTIFIERS,
    KEY_SOURCE,
    KEY_TRAITS,
    KEY_TYPE,
    KEYS,
    LIST,
    SEEN,
    SOURCES,
    TEXT,
    TRAITS,
    TYPES,
    VALUE,
    find,
    same,
)

# Columns of `cells`. `start` and `stop` enclose a text without its quotes, or a number, `true`, `false`, `null`.
CELL_CODE, CELL_ROW, CELL_COLUMN, CELL_START, CELL_STOP = range(5)
CELL_WIDTH: Final = 5

# Codes of cells: those of fields (words.TEXT …) and these. A trait's is TRAIT + the code of what it holds.
IDENTIFIER: Final = 16  # column: kind
EVENT_KEY: Final = 32  # + KEY_TIME, KEY_ID, KEY_CHANNEL; + KEY_SOURCE, column: its number
TRAIT: Final = 64
UNKNOWN: Final = 128  # column: scope
LEFT: Final = 129  # row: number of the line

# Places in `state`.
LINES, ROWS, CELLS, OBJECT, WIDE, KIND, FIELDS_AT, LAST_LIST = range(8)
STATES: Final = 8
NOT_YET: Final = -3  # KIND before the type is read
OBJECT_CELLS_MAX: Final = 256  # beyond, an object with unknown names is left to a reader that finds duplicates faster


@kernel
def scan(letters: Any, i: Any, words: Any, cells: Any, rows: Any, state: Any) -> None:
    """Read all lines from `i` on. The caller keeps the arrays alive."""
    size = letters.shape[0]
    while i < size:
        start = i
        i = after_blanks(letters, i)
        if letters[i] == NEWLINE:
            i += 1
            continue
        first_row, first_cell = state[ROWS], state[CELLS]
        stop = _line(letters, i, words, cells, rows, state)
        if stop == UNCLEAR or stop - start > LINE_BYTES_MAX:
            state[ROWS] = first_row
            state[CELLS] = first_cell
            stop = i
            while letters[stop] != NEWLINE:
                stop += 1
            _cell(cells, state, LEFT, state[LINES], 0, start, stop)
        state[LINES] += 1
        i = stop + 1


@kernel
def _line(letters: Any, i: Any, words: Any, cells: Any, rows: Any, state: Any) -> Any:
    """Read the event that begins at `i`; return the position of the newline behind it."""
    state[KIND] = NOT_YET
    state[FIELDS_AT] = -1
    state[LAST_LIST] = -1
    row = _new_row(rows, state, 0)
    if letters[i] != LEFT_BRACE:
        return UNCLEAR
    serial = _new_object(state)
    first = state[CELLS]
    i = after_blanks(letters, i + 1)
    while letters[i] != RIGHT_BRACE:
        start = i + 1
        stop = _key_end(letters, i, state)
        if stop == UNCLEAR:
            return UNCLEAR
        i = after_colon(letters, stop + 1)
        if i == UNCLEAR:
            return UNCLEAR
        word = find(words, KEYS, letters, start, stop)
        if word < 0:
            i = _unknown(letters, i, start, stop, KEYS, row, first, cells, state)
        elif words[word, SEEN] == serial:
            return UNCLEAR
        else:
            words[word, SEEN] = serial
            i = _part(letters, i, words[word, VALUE], row, words, cells, rows, state)
        i = _after_comma(letters, i, RIGHT_BRACE)
        if i == UNCLEAR:
            return UNCLEAR
    i = after_blanks(letters, i + 1)
    if letters[i] != NEWLINE or state[KIND] == NOT_YET:
        return UNCLEAR
    if state[FIELDS_AT] >= 0 and _fields(letters, state[FIELDS_AT], row, words, cells, rows, state) == UNCLEAR:
        return UNCLEAR
    rows[row, TYPE] = state[KIND]
    return i


@inlined
def _new_row(rows: Any, state: Any, item: Any) -> Any:
    row = state[ROWS]
    state[ROWS] = row + 1
    rows[row, LINE] = state[LINES]
    rows[row, ITEM] = item
    return row


@inlined
def _new_object(state: Any) -> Any:
    """Begin an object, in which no word has been seen yet."""
    state[OBJECT] += 1
    return state[OBJECT]


@inlined
def _cell(cells: Any, state: Any, code: Any, row: Any, column: Any, start: Any, stop: Any) -> None:
    cell = state[CELLS]
    state[CELLS] = cell + 1
    cells[cell, CELL_CODE] = code
    cells[cell, CELL_ROW] = row
    cells[cell, CELL_COLUMN] = column
    cells[cell, CELL_START] = start
    cells[cell, CELL_STOP] = stop


@inlined
def _key_end(letters: Any, i: Any, state: Any) -> Any:
    """Return the position of the quote that ends the key at `i`."""
    return string_end(letters, i + 1, state[WIDE]) if letters[i] == QUOTE else UNCLEAR


@inlined
def _after_comma(letters: Any, i: Any, closing: Any) -> Any:
    """Return the position of the next entry, or of the closing bracket."""
    if i == UNCLEAR:
        return UNCLEAR
    i = after_blanks(letters, i)
    if letters[i] == closing:
        return i
    if letters[i] != COMMA:
        return UNCLEAR
    i = after_blanks(letters, i + 1)
    return UNCLEAR if letters[i] == closing else i


@kernel
def _unknown(
    letters: Any, i: Any, start: Any, stop: Any, scope: Any, row: Any, first: Any, cells: Any, state: Any
) -> Any:
    """Skip the value of a name that means nothing here and note the name; `first` is the object's first cell."""
    if state[CELLS] - first > OBJECT_CELLS_MAX:
        return UNCLEAR
    for other in range(first, state[CELLS]):
        if cells[other, CELL_CODE] == UNKNOWN and cells[other, CELL_COLUMN] == scope:
            begin = cells[other, CELL_START]
            if cells[other, CELL_STOP] - begin == stop - start and same(letters, begin, start, stop):
                return UNCLEAR
    _cell(cells, state, UNKNOWN, row, scope, start, stop)
    return after_value(letters, i, state[WIDE])


@inlined
def _part(letters: Any, i: Any, key: Any, row: Any, words: Any, cells: Any, rows: Any, state: Any) -> Any:
    """Read the value of one of the keys of an event."""
    if key == KEY_FIELDS:
        if state[KIND] != NOT_YET:
            return _fields(letters, i, row, words, cells, rows, state)
        state[FIELDS_AT] = i
        return after_value(letters, i, state[WIDE])
    if key in (KEY_IDENTIFIERS, KEY_TRAITS):
        return _pairs(letters, i, IDENTIFIERS if key == KEY_IDENTIFIERS else TRAITS, row, words, cells, state)
    if key == KEY_TYPE:
        return _type(letters, i, row, words, cells, state)
    if letters[i] == LOWER_N:
        return after_null(letters, i)
    if key == KEY_SOURCE:
        return _source(letters, i, row, words, cells, state)
    return _value(letters, i, EVENT_KEY + key, row, 0, cells, state)


@inlined
def _source(letters: Any, i: Any, row: Any, words: Any, cells: Any, state: Any) -> Any:
    start = i + 1
    stop = _key_end(letters, i, state)
    if stop == UNCLEAR or stop - start > NAME_CHARACTERS_MAX:
        return UNCLEAR
    if stop > start:
        word = find(words, SOURCES, letters, start, stop)
        if word < 0:
            _cell(cells, state, UNKNOWN, row, SOURCES, start, stop)
        else:
            _cell(cells, state, EVENT_KEY + KEY_SOURCE, row, words[word, VALUE], start, stop)
    return stop + 1


@inlined
def _type(letters: Any, i: Any, row: Any, words: Any, cells: Any, state: Any) -> Any:
    start = i + 1
    stop = _key_end(letters, i, state)
    if stop in (UNCLEAR, start):
        return UNCLEAR
    word = find(words, TYPES, letters, start, stop)
    if word < 0:
        state[KIND] = -1
        _cell(cells, state, UNKNOWN, row, TYPES, start, stop)
    else:
        state[KIND] = words[word, VALUE]
    return stop + 1


@inlined
def _value(letters: Any, i: Any, code: Any, row: Any, column: Any, cells: Any, state: Any) -> Any:
    """Note a value that is a text without escapes, a number, true, false or null."""
    if letters[i] == QUOTE:
        stop = string_end(letters, i + 1, state[WIDE])
        if stop == UNCLEAR:
            return UNCLEAR
        _cell(cells, state, code, row, column, i + 1, stop)
        return stop + 1
    if letters[i] in (LEFT_BRACE, LEFT_BRACKET):
        return UNCLEAR
    stop = after_value(letters, i, state[WIDE])
    if stop != UNCLEAR:
        _cell(cells, state, code, row, column, i, stop)
    return stop


@kernel
def _pairs(letters: Any, i: Any, scope: Any, row: Any, words: Any, cells: Any, state: Any) -> Any:
    """Read the object of identifiers or of traits."""
    if letters[i] != LEFT_BRACE:
        return after_null(letters, i)
    serial = _new_object(state)
    first = state[CELLS]
    i = after_blanks(letters, i + 1)
    while letters[i] != RIGHT_BRACE:
        start = i + 1
        stop = _key_end(letters, i, state)
        if stop == UNCLEAR:
            return UNCLEAR
        i = after_colon(letters, stop + 1)
        if i == UNCLEAR:
            return UNCLEAR
        word = find(words, scope, letters, start, stop)
        if word < 0:
            if scope == IDENTIFIERS:
                return UNCLEAR
            i = _unknown(letters, i, start, stop, scope, row, first, cells, state)
        elif words[word, SEEN] == serial:
            return UNCLEAR
        else:
            words[word, SEEN] = serial
            i = _pair(letters, i, scope, words[word, VALUE], words[word, CODE], row, cells, state)
        i = _after_comma(letters, i, RIGHT_BRACE)
        if i == UNCLEAR:
            return UNCLEAR
    return i + 1


@inlined
def _pair(letters: Any, i: Any, scope: Any, number: Any, code: Any, row: Any, cells: Any, state: Any) -> Any:
    if scope == TRAITS:
        if code in (TEXT, KEY):
            return after_value(letters, i, state[WIDE])
        return _value(letters, i, TRAIT + code, row, number, cells, state)
    if letters[i] == LOWER_N:
        return after_null(letters, i)
    return _value(letters, i, IDENTIFIER + code, row, number, cells, state)


@kernel
def _fields(letters: Any, i: Any, row: Any, words: Any, cells: Any, rows: Any, state: Any) -> Any:
    """Read the fields of the event and the items in them."""
    if letters[i] != LEFT_BRACE:
        return after_null(letters, i)
    kind = state[KIND]
    if kind < 0:
        return after_value(letters, i, state[WIDE])
    serial = _new_object(state)
    first = state[CELLS]
    i = after_blanks(letters, i + 1)
    while letters[i] != RIGHT_BRACE:
        i, items = _own_field(letters, i, row, kind, serial, first, words, cells, state)
        if items >= 0:
            i = _list(letters, i, row, items, words, cells, rows, state)
        i = _after_comma(letters, i, RIGHT_BRACE)
        if i == UNCLEAR:
            return UNCLEAR
    return i + 1


@kernel
def _own_field(
    letters: Any, i: Any, row: Any, kind: Any, serial: Any, first: Any, words: Any, cells: Any, state: Any
) -> Any:
    """Read the key at `i` and its value.

    Returns the position behind it and -1; for a list the position of its value and the number of its item type.
    """
    start = i + 1
    nothing = np.int64(-1)
    unclear = np.int64(UNCLEAR)
    stop = _key_end(letters, i, state)
    if stop == UNCLEAR:
        return unclear, nothing
    i = after_colon(letters, stop + 1)
    if i == UNCLEAR:
        return unclear, nothing
    word = find(words, FIELDS + kind, letters, start, stop)
    if word < 0:
        return _unknown(letters, i, start, stop, FIELDS + kind, row, first, cells, state), nothing
    if words[word, SEEN] == serial:
        return unclear, nothing
    words[word, SEEN] = serial
    code = words[word, CODE]
    if code == LIST:
        return i, words[word, VALUE]
    if code == TEXT:
        return after_value(letters, i, state[WIDE]), nothing
    if letters[i] == LOWER_N:
        return after_null(letters, i), nothing
    return _value(letters, i, code, row, words[word, VALUE], cells, state), nothing


@kernel
def _list(letters: Any, i: Any, event: Any, kind: Any, words: Any, cells: Any, rows: Any, state: Any) -> Any:
    """Read the items of a list field, one row each; lists that do not come in declared order are unclear."""
    if letters[i] != LEFT_BRACKET:
        return after_null(letters, i)
    if kind < state[LAST_LIST]:
        return UNCLEAR
    state[LAST_LIST] = kind
    i = after_blanks(letters, i + 1)
    while letters[i] != RIGHT_BRACKET:
        item = state[ROWS] - event
        if letters[i] != LEFT_BRACE or item > ITEMS_MAX:
            return UNCLEAR
        row = _new_row(rows, state, item)
        rows[row, TYPE] = kind
        i = _item(letters, i, row, kind, words, cells, state)
        i = _after_comma(letters, i, RIGHT_BRACKET)
        if i == UNCLEAR:
            return UNCLEAR
    return i + 1


@kernel
def _item(letters: Any, i: Any, row: Any, kind: Any, words: Any, cells: Any, state: Any) -> Any:
    """Read the own fields of one item."""
    serial = _new_object(state)
    first = state[CELLS]
    i = after_blanks(letters, i + 1)
    while letters[i] != RIGHT_BRACE:
        i, _ = _own_field(letters, i, row, kind, serial, first, words, cells, state)
        i = _after_comma(letters, i, RIGHT_BRACE)
        if i == UNCLEAR:
            return UNCLEAR
    return i + 1
