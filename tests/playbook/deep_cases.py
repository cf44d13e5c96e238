"""The planted cases of `check --deep`: what is dead, the neighbour that is alive, and a history that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from onevoice.playbook.grammar import duration

FOLDER = Path(__file__).parent / "deep"
START_US = 1_772_445_600_000_000  # Monday, 2 March 2026, noon in Vilnius
MINUTE_US = 60_000_000
AFTER_ALL_US = 400 * MINUTE_US


@dataclass(frozen=True)
class Case:
    """The files of a playbook with something dead in it, those of its neighbour, and a history."""

    name: str
    dead: dict[str, bytes]
    alive: dict[str, bytes]
    history: tuple[tuple[int, dict[str, Any]], ...]  # when, in µs, and the event
    end_us: int


def cases() -> list[Case]:
    """Return every planted case."""
    told = yaml.safe_load((FOLDER / "cases.yaml").read_text("utf-8"))
    return [_case(name, each) for name, each in told.items()]


def _case(name: str, told: dict[str, Any]) -> Case:
    parts, instead = told["parts"], told["instead of"]
    assert parts.count(instead) == 1, f"{name}: `{instead}` stands once"
    history: list[tuple[int, dict[str, Any]]] = []
    now = START_US
    for event in told["history"]:
        now += duration(event.pop("after")) if "after" in event else MINUTE_US
        of_nobody = event["type"] == "restocked"
        history.append((now, event if of_nobody else {"identifiers": {"user": "ada"}, **event}))
    return Case(name, _files(parts), _files(parts.replace(instead, told["write"])), tuple(history), now + AFTER_ALL_US)


def _files(parts: str) -> dict[str, bytes]:
    shared = {name: (FOLDER / name).read_bytes() for name in ("common.yaml", "products.csv")}
    return {**shared, "case.yaml": parts.encode()}
