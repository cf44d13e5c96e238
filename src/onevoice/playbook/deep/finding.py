"""What is found: a part of a playbook that is dead, the statements that prove it, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from onevoice.playbook.deep.quotation import part_of, place_of
from onevoice.playbook.tree import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.playbook.deep.book import Book
    from onevoice.playbook.deep.given import Given


class Claim(StrEnum):
    """What is proved of a part of a playbook, whatever events come."""

    NEVER_ENTERED = "never entered"  # nobody can be in a segment
    NEVER_COMES = "never comes"  # no sequence of events completes a moment
    NEVER_MADE = "never made"  # nobody can be eligible for an offer
    NEVER_FIRES = "never fires"  # no candidate of a campaign can be born
    NEVER_GOES_OUT = "never goes out"  # candidates can be born, and each is stopped
    NEVER_WINS = "never wins"  # candidates are let through, and another campaign is always better


@dataclass(frozen=True, slots=True)
class Because:
    """One of the statements that prove a finding: where it is written, how, and what it says."""

    where: str
    quote: str
    says: str

    def __str__(self) -> str:
        """Give a line such as ``playbook.yaml:12:9: `age < 18`: its `if` ``."""
        return ": ".join(each for each in (self.where, quoted(self.quote) if self.quote else "", self.says) if each)


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of a playbook that is proved to be dead.

    `path`: its key path. `because`: the statements that exclude each other; each one of them is needed.

    >>> playbook = onevoice.load("examples/telecom")
    >>> nobody = replace(playbook.segments["premium"], condition="tier = 'gold' and tier is null")
    >>> found = onevoice.check_deep(replace(playbook, segments=playbook.segments | {"premium": nobody}))
    >>> [(dead.path, str(dead.claim)) for dead in found]
    [('campaigns.stay_with_us', 'never fires'), ('segments.premium', 'never entered')]
    """

    claim: Claim
    path: str
    what: str
    where: str
    because: tuple[Because, ...]
    mend: str

    def __str__(self) -> str:
        """Give what it is, each statement of the proof on a line of its own, and how to mend it."""
        return "\n  ".join([f"{self.where}: {self.what}", *map(str, self.because), self.mend])


def found(book: Book, claim: Claim, path: str, what: str, *, because: Iterable[Given], mend: str) -> Finding:
    """Return a finding about the part of the playbook at a key path."""
    told = tuple(dict.fromkeys(_because(book, each) for each in because))
    return Finding(claim, path, what, book.report.key(path), told, mend)


def _because(book: Book, given: Given) -> Because:
    text = book.texts.get(given.path, "")
    if given.part >= 0 and text:
        offset, quote = part_of(text, given.part)
        return Because(place_of(book.report, given.path, text, offset), quote, given.says)
    nodes = book.report.nodes
    node = nodes.get(given.path) or nodes.get(given.path.removesuffix("[0]"))
    quote = node.value if node is not None and isinstance(node.value, str) else text
    return Because(book.report.where(given.path) if given.path else "", quote, given.says)
