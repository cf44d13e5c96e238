"""YAML text as a tree in which every value knows its file, line, column and key path.

Only the form is read here: a scalar stays the text that was written, so `no`, `on` and `1:30` are texts until a reader
asks for something else. The tree is built from parse events, not by the recursive composer of libyaml, which a deeply
nested file crashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import yaml

from onevoice.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES_MAX: Final = 100_000  # in one file, aliases expanded
DEPTH_MAX: Final = 16
NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INK: Final = re.compile(r"\S")
# One character of a quoted text, as it is written.
_CHARACTERS: Final = {
    "'": re.compile(r"''|[^']"),
    '"': re.compile(r"\\(?:x\w{2}|u\w{4}|U\w{8}|.)|[^\\\"]"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: file, line and column counted from 1, and the keys that lead to it."""

    file: str
    line: int
    column: int
    path: str = ""

    def __str__(self) -> str:
        """Give ``file:line:column path``."""
        return f"{self.file}:{self.line}:{self.column} {self.path}".rstrip()


@dataclass(slots=True)
class Node:
    """A text, a list or a mapping. `plain`: a text without quotes; `source`: a text as it stands in the file."""

    place: Place
    value: str | list[Node] | dict[str, Node]
    plain: bool = False
    source: str = ""
    keys: dict[str, Place] = field(default_factory=dict[str, Place])  # of a mapping: where each key stands

    @property
    def empty(self) -> bool:
        """True where nothing was written after the key."""
        return self.plain and self.value in NULLS

    def under(self, key: str) -> Node:
        """Return a mapping that has only this value, for readers that ask by key."""
        return Node(self.place, {key: self}, keys={key: self.place})

    def at(self, offset: int) -> Place:
        """Return the place of the character at `offset` of a text."""
        before = self.source[: self._written_at(offset)]
        lines = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1) + (1 if lines else self.place.column)
        return replace(self.place, line=self.place.line + lines, column=column)

    def _written_at(self, offset: int) -> int:
        """Return where in the source the character at `offset` of the text is written."""
        assert isinstance(self.value, str)
        if self.source[:1] in {"'", '"'} and not self.plain:
            written = list(_CHARACTERS[self.source[0]].finditer(self.source, 1, len(self.source) - 1))
            # A quoted text over several lines is folded: only its beginning is known.
            return written[offset].start() if offset < len(written) == len(self.value) else 0
        # In a block and in a text without quotes only the white space differs from what is meant.
        header = 0 if self.plain else self.source.find("\n") + 1
        ink = [match.start() for match in _INK.finditer(self.source, header)]
        nth = len(_INK.findall(self.value[:offset]))
        if self.value[offset : offset + 1].strip():
            return ink[nth]
        return ink[nth - 1] + 1 if nth else 0

    def described(self) -> str:
        """Say what this is, for a message."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        return "nothing" if self.empty else quoted(self.value)


def quoted(text: str) -> str:
    """Return `text` between backticks, cut to what a message can carry."""
    flat = " ".join(text.split())
    if not flat:
        return "nothing"
    return f"`{flat if len(flat) <= 80 else flat[:77] + '...'}`"


def joined(path: str, key: str) -> str:
    """Return the key path of `key` inside `path`."""
    return f"{path}.{key}" if path else key


class _Unreadable(Exception):  # noqa: N818 - ends the reading of one file; its mistake is the news
    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake
        super().__init__(str(mistake))


def parse(file: str, content: bytes, mistakes: list[Mistake]) -> Node | None:
    """Return the tree of one YAML file; None where it is empty or unreadable, with the reason added to `mistakes`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        mistakes.append(Mistake("not a UTF-8 text", f"{file}:{line}", "UTF-8", found, "save the file as UTF-8"))
        return None
    try:
        return _Builder(file, text, mistakes).document()
    except _Unreadable as error:
        mistakes.append(error.mistake)
    except yaml.YAMLError as error:
        mistakes.append(_syntax_mistake(file, text, error))
    return None


def _syntax_mistake(file: str, text: str, error: yaml.YAMLError) -> Mistake:
    mark: Any = getattr(error, "problem_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else file
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    lines = text.splitlines()
    if mark and mark.line < len(lines) and lines[mark.line][int(mark.column) :][:1] == "\t":
        return Mistake(f"not YAML: {problem}", str(place), found="a tab", mend="indent by spaces")
    mend = "put a text that contains `: `, ` #` or begins with a quote or one of `@%&*![{>|` between double quotes"
    return Mistake(f"not YAML: {problem}", str(place), mend=mend)


class _Builder:
    """Turns parse events into nodes."""

    def __init__(self, file: str, text: str, mistakes: list[Mistake]) -> None:
        self.file = file
        self.text = text
        self.mistakes = mistakes
        self.anchors: dict[str, Node] = {}
        self.count = 0
        self.events: Iterator[Any] = cast("Any", yaml).parse(text, Loader=yaml.CSafeLoader)

    def document(self) -> Node | None:
        """Read the one document of the file."""
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        root = self.node(next(self.events), "", 0)
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self.stop(self.place(event, ""), "a second document", "one document a file", "use a file of its own for it")
        return root

    def node(self, event: Any, path: str, depth: int) -> Node:
        """Read the value that begins with `event`."""
        place = self.place(event, path)
        self.guard(place, depth, 1)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, place, depth)
        if event.tag is not None:
            self.stop(place, f"the tag {quoted(event.tag)}", "values without tags", "leave the tag out")
        if isinstance(event, yaml.ScalarEvent):
            source = self.text[event.start_mark.index : event.end_mark.index]
            built = Node(place, event.value, plain=not event.style, source=source)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self.sequence(place, depth)
        else:
            built = self.mapping(place, depth)
        if event.anchor:
            self.anchors[event.anchor] = built
        return built

    def sequence(self, place: Place, depth: int) -> Node:
        """Read the entries of a list up to its end."""
        nodes: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            nodes.append(self.node(event, f"{place.path}[{len(nodes)}]", depth + 1))
        return Node(place, nodes)

    def mapping(self, place: Place, depth: int) -> Node:
        """Read the entries of a mapping up to its end; a key given twice is a mistake and the first one stays."""
        nodes: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, place)
            key_place = self.place(event, joined(place.path, key))
            value = self.node(next(self.events), key_place.path, depth + 1)
            if key in nodes:
                first = f"the first is on line {keys[key].line}"
                self.mistakes.append(Mistake("a key given twice", str(key_place), "each key once", quoted(key), first))
                continue
            nodes[key], keys[key] = value, key_place
        return Node(place, nodes, keys=keys)

    def key(self, event: Any, place: Place) -> str:
        """Return the text of a key."""
        if not isinstance(event, yaml.ScalarEvent):
            self.stop(self.place(event, place.path), "a key that is not a text", "a name", "write `name: value`")
        if event.value == "<<":
            mend = "write the keys out, or repeat a whole value by an alias"
            self.stop(self.place(event, place.path), "a merge key", "plain keys", mend, "`<<`")
        return str(event.value)

    def alias(self, event: Any, place: Place, depth: int) -> Node:
        """Return a copy of the anchored value, as if it had been written here."""
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            mend = "an anchor `&name` stands before its alias and outside itself"
            self.stop(place, "an unknown alias", "the name of an anchor", mend, quoted("*" + event.anchor))
        return self.copy(anchored, place.path, depth)

    def copy(self, node: Node, path: str, depth: int) -> Node:
        """Copy a tree to another key path; its places stay where the text is."""
        self.guard(node.place, depth, 1)
        value = node.value
        keys = {key: replace(place, path=joined(path, key)) for key, place in node.keys.items()}
        if isinstance(value, dict):
            value = {key: self.copy(child, joined(path, key), depth + 1) for key, child in value.items()}
        elif isinstance(value, list):
            value = [self.copy(child, f"{path}[{i}]", depth + 1) for i, child in enumerate(value)]
        return Node(replace(node.place, path=path), value, node.plain, node.source, keys)

    def guard(self, place: Place, depth: int, more: int) -> None:
        """Stop at the limits, which only a broken or hostile file reaches."""
        self.count += more
        if self.count > VALUES_MAX:
            self.stop(place, "too many values in one file", f"at most {VALUES_MAX:,}, aliases written out", "split it")
        if depth > DEPTH_MAX:
            self.stop(place, "nested too deeply", f"at most {DEPTH_MAX} levels", "a playbook needs about six")

    def place(self, event: Any, path: str) -> Place:
        """Return where an event begins."""
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1, path)

    def stop(self, place: Place, what: str, expected: str, mend: str, found: str = "") -> NoReturn:
        """Give up on this file."""
        raise _Unreadable(Mistake(what, str(place), expected, found, mend))
