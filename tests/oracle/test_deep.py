"""What is proved to be dead never fires, goes out or wins: drawn playbooks, through the engine.

Seeds rotate and are printed; DEEP_SEED repeats a run, DEEP_BOOKS sets how many playbooks.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from onevoice.compiler import compile_playbook
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
SAMPLE = 3  # histories of each planted case in the quick suite
THOUSAND = 1_000  # and in the slow one
FEW = (3, 12)  # rows of a history besides the case's own
BORN = 3  # in the canonical form of a candidate


def draw_book(seed: int) -> tuple[Dice, Times, Playbook]:
    dice = Dice.seeded(seed)
    times = Times(dice)
    return dice, times, Planter(dice, times, Maker(dice, times).playbook()).planted()


def names_of(findings: tuple[Finding, ...], *claims: Claim) -> set[str]:
    return {finding.path.partition(".")[2] for finding in findings if finding.claim in claims}


def assert_dead(findings: tuple[Finding, ...], engine: Engine, told: str) -> None:
    """Hold a history against what was proved of the playbook."""
    about_customers = [decision for decision in engine.decisions if decision.customer >= 0]
    lines = [line for decision in about_customers for line in decision.lines]
    won = {line.campaign for line in lines if line.reason == "won"}
    assert not won & names_of(findings, Claim.NEVER_FIRES, Claim.NEVER_GOES_OUT, Claim.NEVER_WINS), told
    tables, book = canonical.tables(engine.machine), engine.playbook
    born = {line.campaign for line in lines if line.reason != "too_many"}
    born |= {list(book.campaigns)[row[1]] for row in tables["candidates"] if row[BORN]}
    assert not born & names_of(findings, Claim.NEVER_FIRES), told
    members = {list(book.segments)[row[1]] for row in tables["memberships"]}
    assert not members & names_of(findings, Claim.NEVER_ENTERED), told


STOPS = {"campaign_paused", "campaign_stopped"}  # of the one that is better
FAILS = {"contact_failed"}  # of the one that is better, too


def left_out(findings: tuple[Finding, ...]) -> set[str]:
    """Return the events for which findings say they do not hold: one that is better is off, or fails; there is more."""
    told = "\n".join(map(str, findings))
    better = any(finding.claim is Claim.NEVER_WINS for finding in findings)
    fails, more = "where a contact of" in told, "by `resource_set`" in told
    return {*(STOPS if better else ()), *(FAILS if fails else ()), *({"resource_set"} if more else ())}


def live(engine: Engine, findings: tuple[Finding, ...], rows: list[Batch], told: str) -> None:
    """Let a playbook live through a history, and hold it against what was proved."""
    without = left_out(findings)
    for row in rows:
        lines = tuple(line for line in row.lines if line is None or line["type"] not in without)
        engine.row(replace(row, lines=lines))
    assert_dead(findings, engine, "\n".join([told, *map(str, findings)]))


def live_all(seeds: range, histories: int) -> Counter[str]:
    """Prove what is dead in drawn playbooks, and let them live; return how often each claim was held up."""
    held: Counter[str] = Counter()
    for seed in seeds:
        dice, times, playbook = draw_book(seed)
        assert not check(playbook), f"seed {seed}"
        findings = check_deep(playbook).findings
        for _ in range(histories if findings else 0):
            rows = Stream(dice, times, playbook, USUAL).rows()
            live(Engine(playbook), findings, rows, f"DEEP_SEED={seed} DEEP_BOOKS=1")
            held.update(finding.claim for finding in findings)
    return held


def lived(files: dict[str, bytes], case: Case) -> set[str]:
    """Return the campaigns that went out or were shown in the history of a case."""
    engine = Engine(load_files(files))
    for at, event in case.history:
        engine.row(Batch((event,), at))
    engine.row(Batch((), case.end_us))
    return {line.campaign for each in engine.decisions for line in each.lines if line.reason == "won"}


def mingled(case: Case, playbook: Playbook, seed: int) -> list[Batch]:
    """Return a random history with the case's own in it: events left out, sent again or moved, others in between."""
    dice = Dice.seeded(seed)
    times = Times(dice)
    times.start = case.history[0][0] - dice.choice((0, 0, 2, 20)) * times.unit
    rows = Stream(dice, times, playbook, FEW).rows()
    for _ in range(dice.choice((1, 1, 1, 2))):
        late = dice.choice((0, 0, 0, 1, 3)) * times.unit
        kept = [each for each in case.history if dice.chance(0.9)]
        rows += [Batch((event,), at + late + dice.choice((0, 0, 0, 0, 1)) * times.unit) for at, event in kept]
    rows.sort(key=lambda row: row.stamp)
    return [*rows, Batch((), max(rows[-1].stamp if rows else 0, case.end_us))]


def survived(case: Case, files: dict[str, bytes], seeds: range) -> int:
    """Prove what is dead in files of a case, let them live through histories; return in how many `dead` went out."""
    playbook = load_files(files)
    findings, compiled = check_deep(playbook).findings, compile_playbook(playbook)
    alive = 0
    for seed in seeds:
        engine = Engine(playbook, compiled=compiled)
        live(engine, findings, mingled(case, playbook, seed), f"DEEP_SEED={seed}")
        alive += any(
            line.campaign == "dead" for each in engine.decisions for line in each.lines if line.reason == "won"
        )
    return alive


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


@pytest.mark.parametrize(("counts_from", "won"), [("sent", ["twin", "dead"]), ("decided", ["twin"])])
def test_where_a_contact_of_the_better_one_fails_the_lower_one_may_go(counts_from, won):
    """That is what `never wins` rests on, and says; not where contacts count that have failed."""
    case = next(each for each in cases() if each.name == "outranked_by_a_twin")
    text = case.dead["case.yaml"].decode().replace("policies:\n", f"policies:\n  counts_from: {counts_from}\n")
    playbook = load_files({**case.dead, "case.yaml": text.encode()})
    (finding,) = check_deep(playbook).findings
    assert ("where a contact of" in str(finding)) == (counts_from == "sent")
    engine, (at_us, _) = Engine(playbook), case.history[-1]
    for at, event in case.history:
        engine.row(Batch((event,), at))
    failed = {"type": "contact_failed", "fields": {"contact": 0}, "identifiers": case.history[-1][1]["identifiers"]}
    engine.row(Batch((failed,), at_us + 60_000_000))
    assert [line.campaign for each in engine.decisions for line in each.lines if line.reason == "won"] == won


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_is_planted_stays_dead_in_some_histories(case):
    assert survived(case, case.dead, range(SEED, SEED + SAMPLE)) == 0


@pytest.mark.torture
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_is_planted_stays_dead_in_a_thousand_histories(case):
    """Beside it the neighbour lives in some of them: such histories can tell the two apart."""
    assert survived(case, case.dead, range(SEED, SEED + THOUSAND)) == 0
    alive = survived(case, case.alive, range(SEED, SEED + THOUSAND // 20))
    print(f"{case.name}: 0 of {THOUSAND:,} histories; its neighbour in {alive} of {THOUSAND // 20}")
    assert alive
