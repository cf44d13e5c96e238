"""Pieces of JSON in a buffer of bytes.

Each kernel takes the position where its piece begins and returns the one after it, or UNCLEAR: then the line is left
to `lines.py`. Only what RFC 8259 allows is accepted, and less: the rare and the odd are unclear. Every line of the
buffer ends in a newline, which no piece contains; so no kernel looks beyond the line, and none needs to know its end.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from onevoice.events.lean import inlined, kernel

UNCLEAR: Final = -1

TAB, NEWLINE, RETURN, BLANK = 9, 10, 13, 32
QUOTE, PLUS, COMMA, MINUS, POINT, SLASH, ZERO, NINE, COLON = 34, 43, 44, 45, 46, 47, 48, 57, 58
LEFT_BRACKET, BACKSLASH, RIGHT_BRACKET, LEFT_BRACE, RIGHT_BRACE = 91, 92, 93, 123, 125
LOWER_E, LOWER_F, LOWER_N, LOWER_T, LOWER_U, UPPER_E = 101, 102, 110, 116, 117, 69
LOWER_Z, UPPER_T, UPPER_Z = 122, 84, 90

DEPTH_PLAIN: Final = 32  # nesting that is skipped here; deeper is unclear
DIGITS_PLAIN: Final = 300  # digits of a number that is skipped here
MANTISSA_MAX: Final = 1 << 53  # whole numbers up to here are exact in float64
POWERS: Final = np.array([10.0**n for n in range(23)])  # all exact, so one rounding suffices (Clinger 1990)

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
MINUTE_US: Final = 60_000_000
SECOND_US: Final = 1_000_000
MISSING: Final = -(2**63)

_PLAIN, _END, _ESCAPE, _BAD, _WIDE = 0, 1, 2, 3, 4
LETTERS: Final = np.array(
    [
        _END if c == QUOTE else _ESCAPE if c == BACKSLASH else _BAD if c < BLANK else _WIDE if c > 127 else _PLAIN
        for c in range(256)
    ],
    np.uint8,
)


@inlined
def after_blanks(letters: Any, i: Any) -> Any:
    """Return the first position that is not blank."""
    while letters[i] == BLANK or letters[i] == TAB or letters[i] == RETURN:
        i += 1
    return i


@inlined
def string_end(letters: Any, i: Any, wide: Any) -> Any:
    """Return the position of the quote that ends the text beginning at `i`; one with escapes is unclear.

    `wide`: the buffer is known to be UTF-8; else letters beyond ASCII are unclear.
    """
    while True:
        while LETTERS[letters[i]] == _PLAIN:
            i += 1
        kind = LETTERS[letters[i]]
        if kind == _END:
            return i
        if kind != _WIDE or not wide:
            return UNCLEAR
        i += 1


@kernel
def after_string(letters: Any, i: Any, wide: Any) -> Any:
    """Return the position after the text whose opening quote is at `i`."""
    i += 1
    while True:
        i = _string_pause(letters, i, wide)
        if i == UNCLEAR:
            return UNCLEAR
        if letters[i] == QUOTE:
            return i + 1
        i = _after_escape(letters, i + 1)
        if i == UNCLEAR:
            return UNCLEAR


@kernel
def _string_pause(letters: Any, i: Any, wide: Any) -> Any:
    """Return the position of the next quote or backslash."""
    while True:
        while LETTERS[letters[i]] == _PLAIN:
            i += 1
        kind = LETTERS[letters[i]]
        if kind in (_END, _ESCAPE):
            return i
        if kind != _WIDE or not wide:
            return UNCLEAR
        i += 1


@kernel
def _after_escape(letters: Any, i: Any) -> Any:
    """Return the position after what follows a backslash; half a surrogate pair is unclear."""
    letter = letters[i]
    if letter == LOWER_U:
        code = 0
        for j in range(i + 1, i + 5):
            digit = _hexadecimal(letters[j])
            if digit < 0:
                return UNCLEAR
            code = code * 16 + digit
        return UNCLEAR if 0xD800 <= code <= 0xDFFF else i + 5
    if letter in (QUOTE, BACKSLASH, SLASH, 98, LOWER_F, LOWER_N, 114, LOWER_T):
        return i + 1
    return UNCLEAR


@kernel
def _hexadecimal(letter: Any) -> Any:
    digit = np.int64(letter)
    if ZERO <= digit <= NINE:
        return digit - ZERO
    if 97 <= digit <= 102:
        return digit - 87
    if 65 <= digit <= 70:
        return digit - 55
    return np.int64(-1)


@inlined
def is_digit(letter: Any) -> Any:
    """Tell whether a letter is 0 to 9."""
    return ZERO <= letter <= NINE


@kernel
def after_number(letters: Any, i: Any) -> Any:
    """Return the position after a number."""
    start = i
    if letters[i] == MINUS:
        i += 1
    if letters[i] == ZERO:
        i += 1
    else:
        i = _after_digits(letters, i)
    if i != UNCLEAR and letters[i] == POINT:
        i = _after_digits(letters, i + 1)
    if i != UNCLEAR and (letters[i] == LOWER_E or letters[i] == UPPER_E):
        i += 1
        if letters[i] == PLUS or letters[i] == MINUS:
            i += 1
        i = _after_digits(letters, i)
    return UNCLEAR if i - start > DIGITS_PLAIN else i


@kernel
def _after_digits(letters: Any, i: Any) -> Any:
    start = i
    while is_digit(letters[i]):
        i += 1
    return UNCLEAR if i == start else i


@kernel
def number(letters: Any, i: Any) -> Any:
    """Return the position after a number and its value; one that needs more than one rounding is unclear."""
    start = i
    stop = after_number(letters, i)
    if stop == UNCLEAR:
        return UNCLEAR, 0.0
    mantissa, exponent, i = _mantissa(letters, start + 1 if letters[start] == MINUS else start)
    if i < stop:  # at e or E
        exponent += _exponent(letters, i + 1, stop)
    if mantissa > MANTISSA_MAX or exponent < -22 or exponent > 22:
        return UNCLEAR, 0.0
    if mantissa == 0:
        return stop, 0.0
    value = float(mantissa)
    value = value * POWERS[exponent] if exponent >= 0 else value / POWERS[-exponent]
    return stop, -value if letters[start] == MINUS else value


@kernel
def _mantissa(letters: Any, i: Any) -> Any:
    """Return the digits as a whole number (at most one past MANTISSA_MAX), its power of ten, and the position after."""
    mantissa = np.int64(0)
    exponent = np.int64(0)
    fraction = False
    while is_digit(letters[i]) or letters[i] == POINT:
        if letters[i] == POINT:
            fraction = True
        else:
            mantissa = min(mantissa * 10 + np.int64(letters[i]) - ZERO, np.int64(MANTISSA_MAX + 1))
            if fraction:
                exponent -= 1
        i += 1
    return mantissa, exponent, i


@kernel
def _exponent(letters: Any, i: Any, stop: Any) -> Any:
    """Return the power after e, held below a thousand."""
    negative = letters[i] == MINUS
    if negative or letters[i] == PLUS:
        i += 1
    power = np.int64(0)
    while i < stop:
        power = min(power * 10 + np.int64(letters[i]) - ZERO, np.int64(1_000))
        i += 1
    return -power if negative else power


@kernel
def after_whole_number(letters: Any, i: Any) -> Any:
    """Return the position after a whole number whose letters are the ones Python would write."""
    stop = after_number(letters, i)
    if stop == UNCLEAR or (letters[i] == MINUS and letters[i + 1] == ZERO):
        return UNCLEAR
    for j in range(i, stop):
        if letters[j] != MINUS and not is_digit(letters[j]):
            return UNCLEAR
    return stop


@inlined
def after_null(letters: Any, i: Any) -> Any:
    """Return the position after `null`."""
    if letters[i] == LOWER_N and letters[i + 1] == LOWER_U and letters[i + 2] == 108 and letters[i + 3] == 108:
        return i + 4
    return UNCLEAR


@kernel
def after_true(letters: Any, i: Any) -> Any:
    """Return the position after `true`."""
    if letters[i] == LOWER_T and letters[i + 1] == 114 and letters[i + 2] == LOWER_U and letters[i + 3] == LOWER_E:
        return i + 4
    return UNCLEAR


@kernel
def after_false(letters: Any, i: Any) -> Any:
    """Return the position after `false`."""
    if letters[i] == LOWER_F and letters[i + 1] == 97 and letters[i + 2] == 108 and letters[i + 3] == 115:
        return i + 5 if letters[i + 4] == LOWER_E else UNCLEAR
    return UNCLEAR


@kernel
def after_value(letters: Any, i: Any, wide: Any) -> Any:
    """Return the position after any value. The open brackets are the bits of `braces`: 1 an object, 0 a list."""
    depth = 0
    braces = np.int64(0)
    while True:
        letter = letters[i]
        if letter in (LEFT_BRACE, LEFT_BRACKET):
            depth += 1
            if depth > DEPTH_PLAIN:
                return UNCLEAR
            braces = braces * 2 + (1 if letter == LEFT_BRACE else 0)
            i = after_blanks(letters, i + 1)
            if letters[i] != (RIGHT_BRACE if letter == LEFT_BRACE else RIGHT_BRACKET):
                if letter == LEFT_BRACE:
                    i = _after_key(letters, i, wide)
                    if i == UNCLEAR:
                        return UNCLEAR
                continue
        else:
            i = _after_leaf(letters, i, wide)
            if i == UNCLEAR:
                return UNCLEAR
        # A value has ended at `i`, or an empty bracket is about to: close what closes, go on behind a comma.
        while depth > 0:
            i = after_blanks(letters, i)
            if letters[i] == (RIGHT_BRACE if braces & 1 else RIGHT_BRACKET):
                depth -= 1
                braces >>= 1
                i += 1
            elif letters[i] == COMMA:
                i = after_blanks(letters, i + 1)
                if braces & 1:
                    i = _after_key(letters, i, wide)
                    if i == UNCLEAR:
                        return UNCLEAR
                break
            else:
                return UNCLEAR
        if depth == 0:
            return i


@kernel
def _after_key(letters: Any, i: Any, wide: Any) -> Any:
    """Return the position of the value behind a key and its colon."""
    if letters[i] != QUOTE:
        return UNCLEAR
    i = after_string(letters, i, wide)
    return UNCLEAR if i == UNCLEAR else after_colon(letters, i)


@inlined
def after_colon(letters: Any, i: Any) -> Any:
    """Return the position of the value behind a colon."""
    i = after_blanks(letters, i)
    return after_blanks(letters, i + 1) if letters[i] == COLON else UNCLEAR


@kernel
def _after_leaf(letters: Any, i: Any, wide: Any) -> Any:
    letter = letters[i]
    if letter == QUOTE:
        return after_string(letters, i, wide)
    if letter == LOWER_N:
        return after_null(letters, i)
    if letter == LOWER_T:
        return after_true(letters, i)
    if letter == LOWER_F:
        return after_false(letters, i)
    return after_number(letters, i)


@inlined
def two_digits(letters: Any, i: Any) -> Any:
    """Return the number of two digits, or -1."""
    if is_digit(letters[i]) and is_digit(letters[i + 1]):
        return (np.int64(letters[i]) - ZERO) * 10 + np.int64(letters[i + 1]) - ZERO
    return np.int64(-1)


@kernel
def date_in(letters: Any, start: Any, stop: Any) -> Any:
    """Return the µs of the UTC midnight of a date written `2026-03-01`, or MISSING."""
    if stop - start != 10 or letters[start + 4] != MINUS or letters[start + 7] != MINUS:
        return np.int64(MISSING)
    century, years = two_digits(letters, start), two_digits(letters, start + 2)
    month, day = two_digits(letters, start + 5), two_digits(letters, start + 8)
    if century < 0 or years < 0 or month < 1 or month > 12 or day < 1:
        return np.int64(MISSING)
    year = century * 100 + years
    if year == 0 or day > _days_of_month(year, month):
        return np.int64(MISSING)
    return _days(year, month, day) * DAY_US


@kernel
def _days_of_month(year: Any, month: Any) -> Any:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@kernel
def _days(year: Any, month: Any, day: Any) -> Any:
    """Return days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March."""
    shifted = year - 1 if month <= 2 else year
    month_from_march = (month + 9) % 12
    day_of_year = (153 * month_from_march + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468


@kernel
def time_in(letters: Any, start: Any, stop: Any) -> Any:
    """Return the µs UTC of an RFC 3339 time with an offset, or MISSING. The meaning is that of `values.time_us`."""
    missing = np.int64(MISSING)
    if stop - start < 20:
        return missing
    day = date_in(letters, start, start + 10)
    separator = letters[start + 10]
    if day == missing or separator not in (UPPER_T, LOWER_T, BLANK):
        return missing
    hour, minute, second = (
        two_digits(letters, start + 11),
        two_digits(letters, start + 14),
        two_digits(letters, start + 17),
    )
    if letters[start + 13] != COLON or letters[start + 16] != COLON:
        return missing
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return missing
    fraction, i = _fraction(letters, start + 19)
    offset = _offset(letters, i, stop) if i != UNCLEAR else missing
    if offset == missing:
        return missing
    return day + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + fraction - offset


@kernel
def _fraction(letters: Any, i: Any) -> Any:
    """Return the µs after the point, if there is one, and the position after; 1 to 12 digits."""
    fraction = np.int64(0)
    if letters[i] != POINT:
        return fraction, i
    unit = 100_000
    first = i + 1
    i = first
    while is_digit(letters[i]):
        fraction += (np.int64(letters[i]) - ZERO) * unit
        unit //= 10
        i += 1
    return (fraction, i) if 1 <= i - first <= 12 else (fraction, UNCLEAR)


@kernel
def _offset(letters: Any, i: Any, stop: Any) -> Any:
    """Return the µs by which the clock is ahead of UTC, or MISSING; the text must end behind it."""
    if letters[i] == UPPER_Z or letters[i] == LOWER_Z:
        return np.int64(0) if i + 1 == stop else np.int64(MISSING)
    if stop - i != 6 or letters[i + 3] != COLON or (letters[i] != PLUS and letters[i] != MINUS):
        return np.int64(MISSING)
    hour, minute = two_digits(letters, i + 1), two_digits(letters, i + 4)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return np.int64(MISSING)
    offset = hour * HOUR_US + minute * MINUTE_US
    return -offset if letters[i] == MINUS else offset
