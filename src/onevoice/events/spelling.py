"""Trim and check many identifiers at once; what is not plain ASCII is left to `values.normal`."""

from __future__ import annotations

from typing import Any, Final

from onevoice.engine.kernel import kernel
from onevoice.events.values import EMAIL_CHARACTERS_MAX

AS_IT_IS: Final = 0
EMAIL: Final = 1

AT: Final = 64
DOT: Final = 46


@kernel
def trim(letters: Any, spans: Any, form: Any, usable: Any) -> None:
    """Narrow each (start, stop) of `spans` to its text without outer blanks; `usable[i]` is 1 where that is all.

    `form` is AS_IT_IS or EMAIL. Where `usable` is 0 the value is empty, no address, or needs more than ASCII.
    """
    for i in range(spans.shape[0]):
        start, stop = spans[i, 0], spans[i, 1]
        while start < stop and is_blank(letters[start]):
            start += 1
        while start < stop and is_blank(letters[stop - 1]):
            stop -= 1
        spans[i, 0] = start
        spans[i, 1] = stop
        usable[i] = is_email(letters, start, stop) if form == EMAIL else is_plain(letters, start, stop)


@kernel
def is_blank(letter: Any) -> Any:
    """Tell whether Python's str.strip takes an ASCII character away."""
    return 9 <= letter <= 13 or 28 <= letter <= 32


@kernel
def is_plain(letters: Any, start: Any, stop: Any) -> Any:
    """Tell whether a trimmed text is not empty and cannot have blanks beyond ASCII at its ends."""
    return start < stop and letters[start] < 128 and letters[stop - 1] < 128


@kernel
def is_email(letters: Any, start: Any, stop: Any) -> Any:
    """Tell whether a trimmed ASCII text is an address: one @, something before it, a dotted domain, no blanks."""
    at = -1
    dots = 0
    previous = AT  # as if an @ stood before: a label may not be empty
    for i in range(start, stop):
        letter = letters[i]
        if letter >= 128 or is_blank(letter):
            return False
        if letter == AT:
            if at >= 0 or i == start:
                return False
            at = i
        elif letter == DOT and at >= 0:
            if previous in (AT, DOT):
                return False
            dots += 1
        previous = letter
    return at >= 0 and dots > 0 and previous != DOT and stop - start <= EMAIL_CHARACTERS_MAX
