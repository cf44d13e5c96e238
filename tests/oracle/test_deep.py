"""What is proved to be dead never fires, goes out or wins: drawn playbooks, through the engine.

Seeds rotate and are printed; DEEP_SEED repeats a run, DEEP_BOOKS sets how many playbooks.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from onevoice.engine import canonical
from onevoice.playbook.check import check
from onevoice.playbook.deep.check import check_deep
from onevoice.playbook.deep.finding import Claim
from onevoice.playbook.load import load_files
from tests.playbook.deep_cases import cases

from .draw import Dice, Times
from .draw_playbook import Maker
from .draw_stream import Batch, Stream
from .engine import Engine
from .plant import Planter
from .strategies import USUAL

if TYPE_CHECKING:
    from onevoice.playbook.deep.finding import Finding
    from onevoice.playbook.model import Playbook
    from tests.playbook.deep_cases import Case

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


def is_stop(line: dict[str, Any] | None) -> bool:
    """Tell whether a line takes a campaign out of the way of those that it beats."""
    return line is not None and line["type"] in {"campaign_paused", "campaign_stopped"}


def live(playbook: Playbook, findings: tuple[Finding, ...], dice: Dice, times: Times, told: str) -> None:
    """Let a playbook live through a history, and hold it against what was proved."""
    engine, rows = Engine(playbook), Stream(dice, times, playbook, USUAL).rows()
    if any(finding.claim is Claim.NEVER_WINS for finding in findings):
        rows = [replace(row, lines=tuple(line for line in row.lines if not is_stop(line))) for row in rows]
    for row in rows:
        engine.row(row)
    assert_dead(findings, engine, "\n".join([told, *map(str, findings)]))


def live_all(seeds: range, histories: int) -> Counter[str]:
    """Prove what is dead in drawn playbooks, and let them live; return how often each claim was held up."""
    held: Counter[str] = Counter()
    for seed in seeds:
        dice, times, playbook = draw_book(seed)
        assert not check(playbook), f"seed {seed}"
        findings = check_deep(playbook).findings
        for _ in range(histories if findings else 0):
            live(playbook, findings, dice, times, f"DEEP_SEED={seed} DEEP_BOOKS=1")
            held.update(finding.claim for finding in findings)
    return held


def lived(files: dict[str, bytes], case: Case) -> set[str]:
    """Return the campaigns that went out or were shown in the history of a case."""
    engine = Engine(load_files(files))
    for at, event in case.history:
        engine.row(Batch((event,), at))
    engine.row(Batch((), case.end_us))
    return {line.campaign for each in engine.decisions for line in each.lines if line.reason == "won"}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_neighbour_one_change_away_is_alive(case):
    assert "dead" in lived(case.alive, case)
    assert "dead" not in lived(case.dead, case)


def test_what_is_dead_stays_dead_whatever_happens():
    print(f"seeds from {SEED}: DEEP_SEED={SEED}")
    held = live_all(range(SEED, SEED + BOOKS), HISTORIES)
    print(held)
    if BOOKS >= 100:
        assert {*held} >= {Claim.NEVER_FIRES, Claim.NEVER_GOES_OUT}


@pytest.mark.torture
def test_what_is_dead_stays_dead_for_long():
    print(f"seeds from {SEED}: DEEP_SEED={SEED}")
    print(live_all(range(SEED, SEED + TORTURE), 5))


@pytest.mark.torture
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_is_planted_stays_dead_in_a_thousand_histories(case):
    playbook = load_files(case.dead)
    findings = check_deep(playbook).findings
    for seed in range(SEED, SEED + 1_000):
        dice = Dice.seeded(seed)
        live(playbook, findings, dice, Times(dice), f"DEEP_SEED={seed}")
