"""The part of a condition that a proof needs, as it is written, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from onevoice.conditions.parse import Source, parse, tokens_of
from onevoice.errors import Mistake

if TYPE_CHECKING:
    from onevoice.playbook.record import Report


def part_of(text: str, number: int) -> tuple[int, str]:
    """Return where one of the conditions that AND joins begins, and how it is written."""
    source = Source(text, "")
    nodes = list(_joined(parse(source)))
    joints = [token for token in tokens_of(source) if token.token_type is TokenType.AND]
    starts, ends = [0], list[int]()
    for node in nodes[1:]:
        begins = source.span(node)[0]
        joint = max((each for each in joints if each.start < begins), key=lambda each: each.start)
        ends.append(joint.start)
        starts.append(joint.end + 1)
    ends.append(len(text))
    return _trimmed(text, starts[number], ends[number])


def place_of(report: Report, path: str, text: str, offset: int) -> str:
    """Return the place of a character of a condition, as text."""
    where = report.where(path)
    if path not in report.nodes:
        return where
    return report.pinpointed(path, text, Mistake("", Source(text, where).place(offset))).where


def _joined(node: exp.Expr) -> list[exp.Expr]:
    """Return what AND joins, from left to right, also inside parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.And):
        return [node]
    return [*_joined(node.this), *_joined(node.expression)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, str]:
    """Leave out white space, and parentheses that are closed or opened elsewhere."""
    found = text[start:end]
    while found:
        surplus = found.count("(") - found.count(")")
        if found[0].isspace() or (found[0] == "(" and surplus > 0):
            found, start = found[1:], start + 1
        elif found[-1].isspace() or (found[-1] == ")" and surplus < 0):
            found = found[:-1]
        else:
            break
    return start, found
