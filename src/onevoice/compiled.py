"""A program with what belongs to it outside the kernels: the playbook, names, and how wide the state is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from onevoice.events.schema import Schema
    from onevoice.playbook.model import Playbook
    from onevoice.program import Program


class Split(NamedTuple):
    """Two identifiers that are two people's: the kind of each, and its halves as the journal's secret hashes it."""

    kind: str
    low: int
    high: int
    other_kind: str
    other_low: int
    other_high: int


@dataclass(frozen=True, slots=True)
class Widths:
    """How wide the tables of the state are under a program."""

    kinds: int
    traits: int
    segments: int
    moments: int
    initiators: int
    substeps: int
    values: int
    names: int
    likes: int
    campaigns: int
    classes: int
    resources: int
    computed: int
    stack: int
    addresses: int = 0
    lines: int = 0  # in which candidates wait for resources
    feeds: int = 0


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program with what belongs to it outside the kernels.

    `names`: the texts whose codes the program uses, in order: the products first. `patterns`: those of `like`.
    """

    playbook: Playbook
    schema: Schema
    program: Program
    widths: Widths
    names: tuple[str, ...]
    patterns: tuple[str, ...]
