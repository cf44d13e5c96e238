"""Time zones as tables for the kernels.

The rules come from the tzdata package and not from the machine, so that one journal gives one state on every machine.
Years after the last listed change follow the zone's standing rule up to 2100, and the offset then in force afterwards.
"""

from __future__ import annotations

import re
import struct
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
BEGINNING: Final = -(2**62)  # the instant of a zone's first row

_SECOND_US: Final = 1_000_000
_OFFSET: Final = r"([+-]?\d+(?::\d+){0,2})"
_NAME: Final = r"(?:<[^>]+>|[A-Za-z]+)"
_RULE: Final = r"M(\d+)\.(\d+)\.(\d+)(?:/([+-]?\d+(?::\d+){0,2}))?"
_FOOTER: Final = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}{_OFFSET}?,{_RULE},{_RULE})?")


class Zones(NamedTuple):
    """All zones, one after another: zone z has the rows `starts[z, 0]` to `starts[z, 1]`.

    From `transitions[i]` (µs UTC, the first is BEGINNING) the local clock is `offsets[i]` µs ahead of UTC.
    """

    transitions: NDArray[np.int64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names of all IANA zones; a zone's number is its position here."""
    text = (resources.files("tzdata") / "zones").read_text("utf-8")
    return tuple(sorted(text.split()))


@cache
def _numbers() -> dict[str, int]:
    return {name: number for number, name in enumerate(zone_names())}


def zone_number(name: str) -> int:
    """Return the number of a zone by its exact IANA name, -1 where there is none."""
    return _numbers().get(name, -1)


@cache
def zones() -> Zones:
    """Return the tables of all zones (0.3 s on first use)."""
    folder = resources.files("tzdata") / "zoneinfo"
    tables: dict[bytes, list[tuple[int, int]]] = {}
    transitions: list[int] = []
    offsets: list[int] = []
    starts: list[tuple[int, int]] = []
    for name in zone_names():
        data = folder.joinpath(*name.split("/")).read_bytes()
        if data not in tables:
            tables[data] = _rows(data)
        rows = tables[data]
        starts.append((len(transitions), len(transitions) + len(rows)))
        transitions.extend(at for at, _ in rows)
        offsets.extend(offset for _, offset in rows)
    return Zones(
        np.array(transitions, np.int64),
        np.array(offsets, np.int64) * _SECOND_US,
        np.array(starts, np.int64),
    )


def _rows(data: bytes) -> list[tuple[int, int]]:
    """Read a TZif file (RFC 9636) into (transition in µs, offset in seconds)."""
    header = struct.Struct(">4sc15x6l")
    _, _, *small = header.unpack_from(data, 0)
    isut, isstd, leap, times, types, characters = small
    skip = header.size + times * 5 + types * 6 + characters + leap * 8 + isstd + isut
    _, _, *large = header.unpack_from(data, skip)
    isut, isstd, leap, times, types, characters = large
    at = skip + header.size
    moments: tuple[int, ...] = struct.unpack_from(f">{times}q", data, at)
    kinds = data[at + times * 8 : at + times * 9]
    at += times * 9
    offset_of = [int.from_bytes(data[at + kind * 6 : at + kind * 6 + 4], "big", signed=True) for kind in range(types)]
    at += types * 6 + characters + leap * 12 + isstd + isut
    footer = data[at:].decode("ascii").strip()
    listed = list(zip(moments, (offset_of[kind] for kind in kinds), strict=True))
    return _trimmed(offset_of[0] if types else 0, listed, _standing(footer, listed))


def _trimmed(first: int, listed: list[tuple[int, int]], standing: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the listed changes with those of the standing rule, from 1970 on and without those that change nothing."""
    rows: list[tuple[int, int]] = []
    offset = first
    for at, after in [*listed, *standing]:
        if at <= 0:
            offset = after
        elif after != (rows[-1][1] if rows else offset):
            rows.append((at * _SECOND_US, after))
    return [(BEGINNING, offset), *rows]


def _standing(footer: str, listed: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the changes after the last listed one, by the rule in a file's last line (POSIX TZ)."""
    rule = _FOOTER.fullmatch(footer)
    if rule is None:
        return []
    last = listed[-1][0] if listed else -(2**61)
    standard = -_seconds(rule[1])
    if rule[3] is None:
        return [(max(last + 1, 1), standard)] if not listed or listed[-1][1] != standard else []
    summer = standard + 3600 if rule[2] is None else -_seconds(rule[2])
    changes: list[tuple[int, int]] = []
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        changes.append((_nth_weekday(year, rule[3], rule[4], rule[5], rule[6]) - standard, summer))
        changes.append((_nth_weekday(year, rule[7], rule[8], rule[9], rule[10]) - summer, standard))
    return sorted(change for change in changes if change[0] > last)


def _nth_weekday(year: int, month: str, week: str, weekday: str, time: str | None) -> int:
    """Return the local seconds since the epoch of `time` on `weekday` (0 Sunday) of week `week` (5 the last)."""
    first = date(year, int(month), 1)
    ahead = (int(weekday) - first.isoweekday()) % 7
    day = first + timedelta(days=ahead + 7 * (int(week) - 1))
    if day.month != first.month:
        day -= timedelta(days=7)
    return (day - date(1970, 1, 1)).days * 86_400 + (7_200 if time is None else _seconds(time))


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = ([int(each) for each in text.lstrip("+-").split(":")] + [0, 0])[:3]
    return sign * (hours * 3_600 + minutes * 60 + seconds)
