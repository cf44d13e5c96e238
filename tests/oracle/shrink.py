"""Make a failing case small: fewer rows, fewer lines, fewer parts of the playbook, as long as it still fails."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from onevoice.playbook.check import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onevoice.playbook.model import Playbook

    from .draw_stream import Batch, Case

NAMED = ("campaigns", "moments", "segments", "measures", "facts", "offers", "sources", "traits", "events")
RULES = ("suppress", "caps")
PLAIN = {
    "condition": "",
    "until": None,
    "propensity": "",
    "offers": (),
    "per": "",
    "again_after_us": 0,
    "after_us": 0,
    "holdout": 0.0,
}


def shrink(case: Case, fails: Callable[[Playbook, list[Batch]], bool]) -> Case:
    """Return a case that still fails and of which no part tried here can be left out.

    `fails` may raise: that counts as failing. Costs one run of it per part tried, some hundreds.
    """
    assert _is_failing(fails, case), "the case does not fail"
    while True:
        smaller = next((each for each in _smaller(case) if _is_failing(fails, each)), None)
        if smaller is None:
            return case
        case = smaller


def _is_failing(fails: Callable[[Playbook, list[Batch]], bool], case: Case) -> bool:
    if check(case[0]):
        return False
    try:
        return fails(*case)
    except Exception:  # noqa: BLE001 - whatever is raised is what is being looked for
        return True


def _smaller(case: Case) -> Iterator[Case]:
    playbook, rows = case
    for fewer in (*_halves(rows), *_without_one(rows)):
        yield playbook, fewer
    for at, row in enumerate(rows):
        for lines in _without_one(row.lines):
            yield playbook, [*rows[:at], replace(row, lines=tuple(lines)), *rows[at + 1 :]]
    for part in _smaller_playbooks(playbook):
        yield part, rows
    for at, row in enumerate(rows):
        for place, line in enumerate(row.lines):
            for less in _smaller_lines(line):
                lines = (*row.lines[:place], less, *row.lines[place + 1 :])
                yield playbook, [*rows[:at], replace(row, lines=lines), *rows[at + 1 :]]


def _halves(things: list[Any]) -> Iterator[list[Any]]:
    size = len(things) // 2
    while size > 1:
        for start in range(0, len(things), size):
            yield things[:start] + things[start + size :]
        size //= 2


def _without_one(things: Any) -> Iterator[list[Any]]:
    for at in range(len(things)):
        yield [*things[:at], *things[at + 1 :]]


def _smaller_lines(line: Any) -> Iterator[dict[str, Any]]:
    """Leave out what a line can be without: not its last identifier, nor the product of a world event."""
    for part in ("identifiers", "fields", "traits"):
        given = (line or {}).get(part) or {}
        for name in given:
            if name != "product" and not (part == "identifiers" and len(given) == 1):
                yield {**line, part: {key: value for key, value in given.items() if key != name}}


def _smaller_playbooks(playbook: Playbook) -> Iterator[Playbook]:
    for section in NAMED:
        things = getattr(playbook, section)
        for name in things:
            yield replace(playbook, **{section: {key: each for key, each in things.items() if key != name}})
    for section in RULES:
        for rules in _without_one(getattr(playbook.policies, section)):
            yield replace(playbook, policies=replace(playbook.policies, **{section: tuple(rules)}))
    for name, campaign in playbook.campaigns.items():
        for setting, plain in PLAIN.items():
            if getattr(campaign, setting) != plain:
                less = {**playbook.campaigns, name: replace(campaign, **{setting: plain})}
                yield replace(playbook, campaigns=less)


def told(case: Case) -> str:
    """Return a case as text: what the playbook says beyond its defaults, and each row."""
    playbook, rows = case
    parts = [f"{each.name} = {getattr(playbook, each.name)!r}" for each in fields(playbook)]
    lines = [f"stamp {row.stamp} imported {row.imported} observing {row.observing}: {row.lines}" for row in rows]
    return "\n".join([*parts, *lines])
