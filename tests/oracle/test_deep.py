"""What is proved to be dead never fires, goes out or wins: drawn playbooks, through the engine.

Seeds rotate and are printed; DEEP_SEED repeats a run, DEEP_BOOKS sets how many playbooks.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from onevoice.engine import canonical
from onevoice.playbook.check import check
from onevoice.playbook.deep.check import check_deep
from onevoice.playbook.deep.finding import Claim

from .draw import Dice, Times
from .draw_playbook import Maker
from .draw_stream import Stream
from .engine import Engine
from .plant import Planter
from .strategies import USUAL

if TYPE_CHECKING:
    from onevoice.playbook.deep.finding import Finding
    from onevoice.playbook.model import Playbook

SEED = int(os.environ.get("DEEP_SEED") or random.SystemRandom().randrange(2**31))
BOOKS = int(os.environ.get("DEEP_BOOKS") or 120)
HISTORIES = 2
TORTURE = 4_000
BORN = 3  # in the canonical form of a candidate


def draw_book(seed: int) -> tuple[Dice, Times, Playbook]:
    dice = Dice.seeded(seed)
    times = Times(dice)
    return dice, times, Planter(dice, times, Maker(dice, times).playbook()).planted()


def names_of(findings: tuple[Finding, ...], *claims: Claim) -> set[str]:
    return {finding.path.partition(".")[2] for finding in findings if finding.claim in claims}


def assert_dead(findings: tuple[Finding, ...], engine: Engine, told: str) -> None:
    """Hold a history against what was proved of the playbook."""
    lines = [line for decision in engine.decisions for line in decision.lines]
    won = {line.campaign for line in lines if line.reason == "won"}
    assert not won & names_of(findings, Claim.NEVER_FIRES, Claim.NEVER_GOES_OUT, Claim.NEVER_WINS), told
    tables, book = canonical.tables(engine.machine), engine.playbook
    born = {line.campaign for line in lines if line.reason != "too_many"}
    born |= {list(book.campaigns)[row[1]] for row in tables["candidates"] if row[BORN]}
    assert not born & names_of(findings, Claim.NEVER_FIRES), told
    members = {list(book.segments)[row[1]] for row in tables["memberships"]}
    assert not members & names_of(findings, Claim.NEVER_ENTERED), told


def live(seeds: range, histories: int) -> Counter[str]:
    """Prove what is dead in playbooks, and let them live; return how often each claim was held against a history."""
    held: Counter[str] = Counter()
    for seed in seeds:
        dice, times, playbook = draw_book(seed)
        assert not check(playbook), f"seed {seed}"
        findings = check_deep(playbook).findings
        for _ in range(histories if findings else 0):
            engine = Engine(playbook)
            for row in Stream(dice, times, playbook, USUAL).rows():
                engine.row(row)
            assert_dead(
                findings, engine, f"seed {seed}: DEEP_SEED={seed} DEEP_BOOKS=1\n" + "\n".join(map(str, findings))
            )
            held.update(finding.claim for finding in findings)
    return held


def test_what_is_dead_stays_dead_whatever_happens():
    print(f"seeds from {SEED}: DEEP_SEED={SEED}")
    held = live(range(SEED, SEED + BOOKS), HISTORIES)
    print(held)
    if BOOKS >= 100:
        assert {*held} >= {Claim.NEVER_FIRES, Claim.NEVER_GOES_OUT, Claim.NEVER_WINS, Claim.NEVER_ENTERED}


@pytest.mark.torture
def test_what_is_dead_stays_dead_for_long():
    print(f"seeds from {SEED}: DEEP_SEED={SEED}")
    print(live(range(SEED, SEED + TORTURE), 5))
