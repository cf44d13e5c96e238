"""From the text of a condition to sqlglot's syntax tree, with places for errors and limits on size.

sqlglot is a parser, not a guard: it knows DROP as well as AND. What a condition may contain is decided in `types`,
which accepts nodes from a list and refuses all others.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn

from sqlglot import exp
from sqlglot.dialects import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from onevoice.errors import ConditionError, Mistake

if TYPE_CHECKING:
    from collections.abc import Generator

LENGTH_MAX: Final = 4_000  # characters of one condition
DEPTH_MAX: Final = 64  # expressions inside one another
FRAMES_MAX: Final = 10_000  # calls inside one another while parsing
FRAGMENT_LENGTH: Final = 60  # characters of the text that an error quotes
INTERVAL_HINT: Final = "a length of time is written `interval '14 days'`, some time ago `now() - interval '14 days'`"
_LENGTH: Final = re.compile(r"(second|minute|hour|day|week|month|year)s?\b", re.IGNORECASE)


class _Expressions(DuckDB):
    """DuckDB's SQL for a text that is an expression: no word at its beginning makes it a statement."""

    class Tokenizer(DuckDB.Tokenizer):
        COMMANDS: ClassVar = set[TokenType]()


_DIALECT: Final = _Expressions()
_nesting: Final = Lock()  # how deep calls may go is a setting of the process, and playbooks are loaded on two threads
_OPENING: Final = frozenset({TokenType.L_PAREN, TokenType.CASE})
_CLOSING: Final = frozenset({TokenType.R_PAREN, TokenType.END})


class Source:
    """The text of one condition and the place where it is written, for pointing at what is wrong."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where

    def place(self, offset: int) -> str:
        """Return `where, line L column C` of a character; lines and columns count from 1."""
        before = self.text[:offset]
        line = before.count("\n") + 1
        column = offset - (before.rfind("\n") + 1) + 1
        place = f"column {column}" if "\n" not in self.text else f"line {line} column {column}"
        return f"{self.where}, {place}" if self.where else place

    def fragment(self, start: int, end: int) -> str:
        """Quote the text between two offsets, on one line and cut to a bearable length."""
        text = " ".join(self.text[start:end].split())
        return f"`{text}`" if len(text) <= FRAGMENT_LENGTH else f"`{text[:FRAGMENT_LENGTH]}…`"

    def refuse(
        self,
        what: str,
        node: exp.Expr | int,
        *,
        expected: str = "",
        found: str | None = None,
        mend: str = "",
    ) -> NoReturn:
        """Raise the error about a node (or the character at an offset); `found` defaults to the text there."""
        start, end = (node, len(self.text)) if isinstance(node, int) else self.span(node)
        quoted = self.fragment(start, end) if start < len(self.text) else "the end of the condition"
        raise ConditionError(
            Mistake(what, self.place(start), expected=expected, found=quoted if found is None else found, mend=mend)
        )

    def span(self, node: exp.Expr) -> tuple[int, int]:
        """Return the offsets between which a node is written, as far as the parser remembers them.

        Keywords and intervals carry no place of their own; the nearest expression around them that does stands in.
        """
        if node.parent is None:
            return 0, len(self.text)
        starts, ends = _places(node)
        around = node
        while not starts and around.parent is not None:
            around = around.parent
            starts, ends = _places(around)
        if not starts:
            return 0, len(self.text)
        return self._balanced(min(starts), max(ends) + 1)

    def _balanced(self, start: int, end: int) -> tuple[int, int]:
        """Widen a span to the parentheses that belong to it: the parser remembers names, not brackets."""
        if self.text[end : end + 1] == "(":
            end += 1
        missing = self.text.count("(", start, end) - self.text.count(")", start, end)
        while missing > 0 and (closing := self.text.find(")", end)) >= 0:
            end = closing + 1
            missing -= 1
        while missing < 0 and (opening := self.text.rfind("(", 0, start)) >= 0:
            start = opening
            missing += 1
        return start, end


def _places(node: exp.Expr) -> tuple[list[int], list[int]]:
    metas = [each.meta for each in node.walk() if "start" in each.meta]
    return [meta["start"] for meta in metas], [meta["end"] for meta in metas]


def parse(source: Source) -> exp.Expr:
    """Parse the one expression a condition consists of; raise ConditionError, also past a limit on length or depth."""
    text = source.text
    if len(text) > LENGTH_MAX:
        source.refuse(
            "the condition is too long",
            0,
            expected=f"at most {LENGTH_MAX:,} characters",
            found=f"{len(text):,}",
            mend="name parts of it as segments",
        )
    tokens = tokens_of(source)
    if not tokens:
        source.refuse("the condition is empty", 0, expected="an expression", found="nothing")
    _limit_nesting(source, tokens)
    try:
        with _room_to_nest():
            expressions = _DIALECT.parser().parse_into(exp.Condition, tokens, text)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        offset = _offset(text, first)
        hint = INTERVAL_HINT if _LENGTH.match(text, offset) else _hint(first)
        source.refuse("this is not a SQL expression", offset, mend=hint)
    except RecursionError:
        _too_deep(source, 0)
    node = expressions[0]
    if node is None or len(expressions) > 1:
        source.refuse("this is not one expression", 0)
    return node


@contextmanager
def _room_to_nest() -> Generator[None]:
    """Let the parser reach our own limit on nesting: at two dozen frames a level Python's default comes first."""
    with _nesting:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, FRAMES_MAX))
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)


def tokens_of(source: Source) -> list[Token]:
    """Return the words of a condition; raise ConditionError where a quote is never closed."""
    try:
        return _DIALECT.tokenize(source.text)
    except TokenError:
        opened = _unclosed(source.text)
        source.refuse(
            "a quote is opened and never closed", opened, mend="double a quote that is part of a text: 'it''s'"
        )


def _unclosed(text: str) -> int:
    """Return where the quote stands that nothing closes."""
    opened, quote = 0, ""
    for at, character in enumerate(text):
        if quote == "" and character in "'\"":
            opened, quote = at, character
        elif character == quote:
            quote = ""
    return opened


def _limit_nesting(source: Source, tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > DEPTH_MAX:
            _too_deep(source, token.start)


def _too_deep(source: Source, offset: int) -> NoReturn:
    source.refuse(
        "the condition is nested too deeply",
        offset,
        expected=f"at most {DEPTH_MAX} expressions inside one another",
        mend="name parts of it as segments",
    )


def _offset(text: str, error: dict[str, object]) -> int:
    """Return where sqlglot stopped; it counts columns from 1 to the last character of a token."""
    line, column, length = error.get("line"), error.get("col"), len(str(error.get("highlight") or ""))
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    lines = text.split("\n")
    before = sum(len(each) + 1 for each in lines[: line - 1])
    return max(0, min(len(text), before + column - max(length, 1)))


def _hint(error: dict[str, object]) -> str:
    description = str(error.get("description", ""))
    if "expression' missing" in description or "this' missing" in description or "high' missing" in description:
        return "something is missing after it"
    if description.startswith("Expecting )"):
        return "close the parenthesis"
    if description.startswith("Expected END"):
        return "a case needs `when … then …` and ends with `end`"
    return ""
