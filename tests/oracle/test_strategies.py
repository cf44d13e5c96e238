"""What is drawn is valid and reaches everything; and laws that the twin itself keeps on what is drawn."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings

from onevoice.playbook.model import Identifier, TriggerKind

from . import segments
from .clock import rfc3339
from .draw import Dice
from .shrink import shrink, told
from .state import Reason
from .strategies import Batch, cases, draw_case, split
from .twin import Twin

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from onevoice.playbook.model import Playbook

SECRET = (0x0123456789ABCDEF, -2)
KINDS = {name: Identifier(name) for name in ("one", "two", "three")}
ONE = {name: f"the value of {name}" for name in KINDS}
CASES = int(os.environ.get("ORACLE_CASES", "40"))


def seeds() -> range:
    first = int(os.environ.get("ORACLE_SEED", random.SystemRandom().randrange(2**31)))
    print(f"ORACLE_SEED={first}")
    return range(first, first + CASES)


def run(playbook: Playbook, rows: list[Batch]) -> Twin:
    twin = Twin(playbook, SECRET)
    for row in rows:
        twin.row(list(row.lines), row.stamp, imported=row.imported, observing=row.observing)
    return twin


def outcome(twin: Twin) -> tuple[Any, ...]:
    return twin.decisions, twin.canonical()


def test_a_seed_gives_the_same_case():
    assert draw_case(12) == draw_case(12)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_each_line_takes_a_position(case: tuple[Playbook, list[Batch]]):
    playbook, rows = case
    ((position, now, decisions, _),) = run(playbook, rows).canonical()["totals"]
    assert position == sum(len(row.lines) for row in rows)
    assert now >= max(row.stamp for row in rows if not row.imported)
    assert decisions >= 0


def test_any_split_gives_the_same_decisions_and_state():
    for seed in seeds():
        playbook, rows = draw_case(seed)
        assert outcome(run(playbook, rows)) == outcome(run(playbook, split(rows, Dice.seeded(seed)))), (
            f"ORACLE_SEED={seed}"
        )


def test_judging_more_often_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    """Each change by time alone is found at its first instant, and a superfluous judgement does no harm."""
    exact = segments._changes

    def often(twin: Twin, customer: Any) -> Iterator[int]:
        yield from exact(twin, customer)
        yield (twin.now // STEP + 1) * STEP

    for seed in list(seeds())[: CASES // 2]:
        playbook, rows = draw_case(seed)
        expected = outcome(run(playbook, rows))
        STEP = max((rows[-1].stamp - rows[0].stamp) // 400, 1)  # noqa: N806 - read by `often`
        with monkeypatch.context() as patch:
            patch.setattr(segments, "_changes", often)
            assert outcome(run(playbook, rows)) == expected, f"ORACLE_SEED={seed}"


def test_a_merge_at_the_end_equals_one_history():
    """Traits, facts, measures and contacts of two found to be one are those of one whose identity was known."""
    for seed in seeds():
        playbook, rows = draw_case(seed)
        playbook = replace(playbook, campaigns={}, policies=replace(playbook.policies, caps=()))
        lines = [line for row in rows for line in row.lines if line and line.get("identifiers")]
        last = {"type": "profile_updated", "identifiers": ONE, "time": rfc3339(rows[-1].stamp)}
        dice = Dice.seeded(seed)
        apart = [{**line, "identifiers": {kind: ONE[kind]}} for line in lines for kind in [dice.choice(list(ONE))]]
        together = [{**line, "identifiers": ONE} for line in lines]
        kept = [
            run(replace(playbook, identifiers=KINDS), [Batch((*given, last), rows[-1].stamp)]).canonical()
            for given in (apart, together)
        ]
        for table in ("traits", "facts", "measures", "contacts"):
            assert kept[0][table] == kept[1][table], f"ORACLE_SEED={seed}: {table}"


def test_draws_reach_every_reason_trigger_and_table():
    reasons: Counter[str] = Counter()
    triggers: Counter[TriggerKind] = Counter()
    tables: Counter[str] = Counter()
    for seed in range(400):
        playbook, rows = draw_case(seed)
        triggers.update(campaign.when.kind for campaign in playbook.campaigns.values())
        if seed < 40 or len(reasons) < len(Reason):
            twin = run(playbook, rows)
            reasons.update(line.reason for decision in twin.decisions for line in decision.lines)
            tables.update(name for name, found in twin.canonical().items() if found)
    assert set(reasons) == {reason.name.lower() for reason in Reason}
    assert set(triggers) == set(TriggerKind)
    assert set(tables) == set(twin.canonical())


def test_a_failing_case_is_made_small():
    def won(playbook: Playbook, rows: list[Batch]) -> bool:
        return any(line.reason == "won" for decision in run(playbook, rows).decisions for line in decision.lines)

    seed = next(seed for seed in range(100) if won(*draw_case(seed)))
    playbook, rows = shrink(draw_case(seed), won)
    assert won(playbook, rows)
    assert len(playbook.campaigns) == 1
    assert sum(len(row.lines) for row in rows) <= 3
    assert playbook.name in told((playbook, rows))
