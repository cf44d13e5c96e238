"""Reading the entries of a YAML tree: what was asked for is allowed, everything else is an unknown key.

A reader never stops at a mistake: it records it in the `Report` and goes on with the default, so that one run names
everything that is wrong.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from onevoice.errors import Mistake
from onevoice.near import did_you_mean
from onevoice.playbook import grammar
from onevoice.playbook.grammar import Slip
from onevoice.playbook.tree import Node, Place, quoted
from onevoice.playbook.words import CUSTOMER_WORDS, LINE_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from onevoice.conditions.tree import Expression

T = TypeVar("T")

NAME_LENGTH_MAX: Final = 64
TEXT_LENGTH_MAX: Final = 200  # of a short text; conditions have a limit of their own
LISTED_BESIDE_HINT: Final = 8  # names shown although one of them is probably meant
SECTION_MAX: Final = 4_096  # names in one section


class Report:
    """The mistakes found so far, and what is written at every key path."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.nodes: dict[str, Node] = {}
        self.keys: dict[str, Place] = {}  # where the key of a path stands
        self.expressions: dict[str, Expression] = {}  # by key path, the conditions that can be read
        self.complete = True  # false where a file could not be read, so that a missing name proves nothing
        self.broken: set[str] = (
            set()
        )  # names, or a kind of them, with a mistake of their own: who uses them is not blamed

    def refuse(self, where: Place | str, what: str, *, expected: str = "", found: str = "", mend: str = "") -> None:
        """Record a mistake."""
        self.mistakes.append(Mistake(what, str(where), expected, found, mend))

    def where(self, path: str, word: str = "") -> str:
        """Return the place of a key path, or of the nearest path above it, as text; that of `word` if it is there."""
        above = path
        while above and above not in self.nodes:
            above = re.sub(r"(^|\.)[^.\[\]]*$|\[\d+\]$", "", above)
        if not above:
            return path
        node = self.nodes[above]
        found = (
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", node.value) if word and isinstance(node.value, str) else None
        )
        return str(node.at(found.start()) if found else node.place)

    def key(self, path: str) -> str:
        """Return the place of the key that a path ends with, as text; of the nearest value where it is no key."""
        return str(self.keys[path]) if path in self.keys else self.where(path)

    def pinpointed(self, path: str, condition: str, mistake: Mistake) -> Mistake:
        """Return a mistake in a condition with its line and column in the file."""
        node = self.nodes.get(path)
        place = re.search(r", (?:line (\d+) )?column (\d+)$", mistake.where)
        if node is None or place is None or not isinstance(node.value, str):
            return mistake
        lines = condition.split("\n")[: int(place[1] or 1) - 1]
        offset = sum(len(line) + 1 for line in lines) + int(place[2]) - 1
        # A condition is the whole text, or follows the first `where`; an event before it may have a name of its words.
        before = re.match(r".*?\bwhere\s+", node.value, re.DOTALL) if condition != node.value.strip() else None
        start = node.value.find(condition, before.end() if before else 0)
        return replace(mistake, where=str(node.at(start + offset)))

    def parsed(self, node: Node, parse: Callable[[str], T], default: T) -> T:
        """Return what `parse` makes of a text; at a slip, record it and return `default`."""
        if isinstance(node.value, str) and not node.empty:
            try:
                return parse(node.value)
            except Slip as slip:
                self.refuse(node.at(slip.offset), slip.what, expected=slip.expected, found=slip.found, mend=slip.mend)
                return default
        self.refuse(node.place, "a value of the wrong kind", expected="a text or number", found=node.described())
        return default


class Record:
    """A mapping whose keys are asked for by name; `opened` reports those that nobody asked for."""

    def __init__(self, report: Report, node: Node) -> None:
        self.report = report
        self.place = node.place
        self.nodes: dict[str, Node] = {}
        self.keys = node.keys
        self.asked: list[str] = []
        self.readable = isinstance(node.value, dict) or node.empty
        if isinstance(node.value, dict):
            self.nodes = node.value
        elif not node.empty:
            report.refuse(node.place, "a value of the wrong kind", expected="a mapping", found=node.described())

    def node(self, key: str) -> Node | None:
        """Return the value of a key; None where it is absent."""
        self.asked.append(key)
        return self.nodes.get(key)

    def filled(self, key: str) -> Node | None:
        """Return the value of a key; a key without a value is a mistake, not a default."""
        node = self.node(key)
        if node is not None and node.empty:
            self.report.refuse(node.place, "a key without a value", expected="a value", mend="leave the key out")
            return None
        return node

    def require(self, *keys: str) -> None:
        """Record a mistake for each of these keys that is absent."""
        for key in keys:
            if self.readable and key not in self.nodes:
                place = self.report.keys.get(self.place.path, self.place)
                self.report.refuse(place, f"{quoted(key)} is missing", mend=f"add {quoted(f'{key}: ...')}")

    def refuse(self, key: str, what: str, *, expected: str = "", found: str = "", mend: str = "") -> None:
        """Record a mistake at the value of a key."""
        place = self.nodes[key].place if key in self.nodes else self.place
        self.report.refuse(place, what, expected=expected, found=found, mend=mend)

    def parsed(self, key: str, parse: Callable[[str], T], default: T) -> T:
        """Return what `parse` makes of the text of a key."""
        node = self.filled(key)
        return default if node is None else self.report.parsed(node, parse, default)

    def text(self, key: str, default: str = "") -> str:
        """Return a short text."""
        return self.parsed(key, short_text, default)

    def condition(self, key: str) -> str:
        """Return a condition as it was written."""
        return self.parsed(key, condition_text, "")

    def one_of(self, key: str, allowed: Iterable[str], default: str = "") -> str:
        """Return one of the allowed words."""
        return self.parsed(key, lambda text: word_of(text, allowed), default)

    def flag(self, key: str) -> bool:
        """Return a truth; false where absent."""
        return self.parsed(key, grammar.boolean, default=False)

    def duration(self, key: str, default: int = 0) -> int:
        """Return a length of time in microseconds."""
        return self.parsed(key, grammar.duration, default)

    def length(self, key: str) -> int:
        """Return a length of time above nought in microseconds; 0, which stands for none, where the key is absent."""
        return self.parsed(key, grammar.length, 0)

    def number(self, key: str, default: float, least: float | None = None) -> float:
        """Return a finite number, at least `least`."""
        return self.parsed(key, lambda text: at_least(grammar.number(text), least), default)

    def whole(self, key: str, default: int, least: int) -> int:
        """Return a whole number, at least `least`."""
        return self.parsed(key, lambda text: at_least(grammar.whole(text), least), default)

    def many(self, key: str, parse: Callable[[str], T], default: T) -> tuple[T, ...]:
        """Return what `parse` makes of one text or of each text of a list; `default` keeps the place of a slip."""
        node = self.filled(key)
        if node is None:
            return ()
        entries = node.value if isinstance(node.value, list) else [node]
        return tuple(self.report.parsed(entry, parse, default) for entry in entries)

    def names(self, key: str) -> tuple[str, ...]:
        """Return one name or a list of different names."""
        names = self.many(key, short_text, "")
        if twice := next((name for name in names if name and names.count(name) > 1), ""):
            self.refuse(key, "a name given twice", expected="each name once", found=quoted(twice))
        return names

    def entries(self, key: str, reserved: frozenset[str] = LINE_WORDS) -> Iterator[tuple[str, Node]]:
        """Give the names declared under a key, each with its value; a bad name is a mistake and is left out."""
        node = self.node(key)
        if node is None or node.empty:
            return
        if not isinstance(node.value, dict):
            self.refuse(key, "a value of the wrong kind", expected="a mapping of names", found=node.described())
            written = node.value if isinstance(node.value, list) else [node]
            self.report.broken |= {each.value for each in written if isinstance(each.value, str)}
            return
        if len(node.value) > SECTION_MAX:
            self.refuse(key, "too many names", expected=f"at most {SECTION_MAX:,}", found=f"{len(node.value):,}")
        for name, child in node.value.items():
            if self.named(name, node.keys[name], reserved):
                yield name, child

    def named(self, name: str, place: Place, reserved: frozenset[str]) -> bool:
        """Tell whether a name is well formed, and record why not."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            near = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_0123456789")
            mend = f"write {quoted(near)}" if near and name.isascii() else ""
            expected = "small letters, digits and `_`, beginning with a letter"
            self.report.refuse(place, "not a name", expected=expected, found=quoted(name), mend=mend)
        elif len(name) > NAME_LENGTH_MAX:
            expected = f"at most {NAME_LENGTH_MAX} characters"
            self.report.refuse(place, "a name too long", expected=expected, found=quoted(name))
        elif name in reserved:
            mend = f"choose another name, such as `{name}_`"
            self.report.refuse(place, "a reserved word", expected="a name", found=quoted(name), mend=mend)
        else:
            return True
        self.report.broken.add(name)
        return False

    def each(self, key: str, read: Callable[[str, Record], T], reserved: frozenset[str] = LINE_WORDS) -> dict[str, T]:
        """Read every name declared under a key by `read(name, record)`."""
        found: dict[str, T] = {}
        for name, node in self.entries(key, reserved):
            known = len(self.report.mistakes)
            with opened(self.report, node) as record:
                found[name] = read(name, record)
            if len(self.report.mistakes) > known:
                self.report.broken.add(name)
        return found

    def lines(self, key: str, read: Callable[[str], T]) -> dict[str, T]:
        """Read every name declared under a key whose value is one line; a line with a slip is left out."""
        found: dict[str, T] = {}
        for name, node in self.entries(key, CUSTOMER_WORDS):
            missing: list[T] = []
            value = self.report.parsed(node, lambda text: [read(text)], missing)
            if not value:
                self.report.broken.add(name)
            for each in value:
                found[name] = each
        return found

    def rows(self, key: str) -> Iterator[Record]:
        """Give each mapping of a list."""
        node = self.filled(key)
        if node is None:
            return
        if not isinstance(node.value, list):
            self.refuse(key, "a value of the wrong kind", expected="a list", found=node.described())
            return
        for entry in node.value:
            with opened(self.report, entry) as record:
                yield record


@contextmanager
def opened(report: Report, node: Node) -> Generator[Record]:
    """Open a mapping for reading; when it closes, every key that was not asked for is a mistake."""
    record = Record(report, node)
    yield record
    for key in record.nodes:
        if key not in record.asked:
            known = sorted(set(record.asked))
            hint = did_you_mean(key, known)
            expected = f"one of {', '.join(quoted(name) for name in known)}" if known else "no keys here"
            if hint and len(known) > LISTED_BESIDE_HINT:
                expected = ""
            report.refuse(record.keys[key], f"unknown key {quoted(key)}", expected=expected, mend=hint)


def every_node(node: Node) -> Iterator[Node]:
    """Give each value of a tree, parents first."""
    yield node
    children = node.value.values() if isinstance(node.value, dict) else node.value
    for child in children:
        if isinstance(child, Node):
            yield from every_node(child)


def position(mistake: Mistake) -> tuple[str, int, int]:
    """Return where a mistake stands, so that a file's are told from top to bottom."""
    match = re.match(r"([^:]+):(\d+)(?::(\d+))?", mistake.where)
    return (match[1], int(match[2]), int(match[3] or 0)) if match else (mistake.where, 0, 0)


def short_text(text: str) -> str:
    """Read a text that is a name of something outside the playbook."""
    if len(text) > TEXT_LENGTH_MAX:
        raise Slip("a text too long", f"at most {TEXT_LENGTH_MAX} characters", f"{len(text):,} characters")
    if not text.strip():
        raise Slip("an empty text", "a text", "nothing")
    return text.strip()


def condition_text(text: str) -> str:
    """Read the text of a condition; what it says is for `check`."""
    if not text.strip():
        raise Slip("an empty condition", "a condition", "nothing")
    return text.strip()


def word_of(text: str, allowed: Iterable[str]) -> str:
    """Read one of the allowed words."""
    words = list(allowed)
    if text not in words:
        raise Slip("an unknown word", f"one of {listed(words)}", quoted(text), did_you_mean(text, words))
    return text


def at_least(value: T, least: float | None) -> T:
    """Hold a number to its least value."""
    if least is not None and value < least:  # type: ignore[operator]
        raise Slip("too small a number", f"at least {least:g}", quoted(f"{value:g}"))
    return value


def listed(words: Iterable[str]) -> str:
    """Return the words of a message, at most a dozen."""
    known = [quoted(word) for word in words]
    return ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
