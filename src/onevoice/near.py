"""What somebody meant who wrote another name, or another sign between names: what hints to mend something rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES_MAX: Final = 1_000  # compared for one hint; of a catalogue only those that begin alike
SLIPS_MAX: Final = 3
SEPARATORS: Final = ";\t|,"  # of columns
PREFIX_LEAST: Final = 3  # letters that a shortened name keeps


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest of the known names, or an empty text."""
    near = nearest(found, known)
    return f"did you mean `{near}`?" if near else ""


def nearest(found: str, known: Iterable[str]) -> str:
    """Return the known name that is fewest slips of the pen away, empty where none is near enough to be meant.

    A slip is a letter left out, put in, replaced, or changed with its neighbour; one is allowed in three letters. Of
    several the one that begins alike is taken. A name cut short, or written on, counts as one slip and a half.
    """
    names = list(known)
    if len(names) > NAMES_MAX:
        names = [name for name in names if name[:2] == found[:2]][:NAMES_MAX]
    best, least = "", (float("inf"), float("-inf"))
    for name in names:
        slips = _slips_between(found.lower(), name.lower())
        key = (slips, -_alike(found.lower(), name.lower()))
        if key < least:
            best, least = name, key
    return best


def other_separator(names: Iterable[str], separator: str = ",") -> str:
    """Return the sign, in quotes or `tab`, that seems to separate a header's columns instead of `separator`.

    An empty text where it has more than one name, or none of these signs.
    """
    given = list(names)
    name = given[0] if len(given) == 1 else ""
    found = max((sign for sign in SEPARATORS if sign != separator), key=name.count)
    if found not in name:
        return ""
    return "tab" if found == "\t" else f'"{found}"'


def _slips_between(found: str, name: str) -> float:
    """Return how many slips lead from one text to the other, infinite where they are too many."""
    most = max(1, min(SLIPS_MAX, len(found) // 3))
    if abs(len(found) - len(name)) <= most:
        slips = _distance(found, name)
        # Two slips in another first letter are rather another word: `resources` is not `sources`.
        if slips <= (most if found[:1] == name[:1] else 1) and slips < len(name):
            return slips
    short, long = sorted((found, name), key=len)
    cut = len(short) >= PREFIX_LEAST and long.startswith(short) and "." not in long[len(short) :]
    return 1.5 if cut else float("inf")


def _distance(a: str, b: str) -> int:
    """Return the number of single slips between two texts (restricted Damerau-Levenshtein distance)."""
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]


def _alike(a: str, b: str) -> int:
    """Return how many letters two texts begin with in common."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
