"""Segments that depend on segments: each is judged after those it reads, so none may lead back to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.conditions.tree import SymbolKind, symbols_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onevoice.conditions.tree import Expression


def reaches(start: str, goal: str, names: list[str], expressions: Mapping[str, Expression]) -> bool:
    """Tell whether a segment depends on another, directly or through others."""
    waiting, seen = [start], set[str]()
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name in seen:
            continue
        seen.add(name)
        expression = expressions.get(f"segments.{name}")
        for kind, index in symbols_of(expression) if expression else ():
            if kind is SymbolKind.SEGMENT:
                waiting.append(names[index])
    return False
