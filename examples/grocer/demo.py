"""Replay the grocer's year: events per second, wishes and messages by campaign, and what held wishes back.

python examples/grocer/demo.py
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow.parquet as pq

import onevoice
from onevoice.demo.prepare import Prepared, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice import Decision

FOLDER: Final = Path(__file__).resolve().parents[2] / "demo-data"
REPLAY: Final = FOLDER / "replay"  # this run's journal; each run begins the year anew
ENDS: Final = ("won", "expired", "ended", "not_eligible", "too_many")  # each wish comes to one of these, or still waits


def replay(prepared: Prepared) -> list[Decision]:
    """Run the year through a new journal, print how fast that went, and give its decisions."""
    shutil.rmtree(REPLAY, ignore_errors=True)
    warm_up(prepared)
    with onevoice.open(prepared.playbook, REPLAY) as engine:
        began = time.perf_counter()
        done = engine.run([prepared.events], on_progress=show_progress).lines
        took = time.perf_counter() - began
        print(f"\n{done:,} events in {took:.1f} s, {done / took:,.0f} events/s")
        return list(engine.decisions())


def warm_up(prepared: Prepared) -> None:
    """Take a few events without keeping them, so that compiling the kernels, once a version, is not timed."""
    with onevoice.open(prepared.playbook) as engine:
        engine.ingest(pq.ParquetFile(prepared.events).read_row_group(0).slice(0, 100), imported=True)


def show_progress(done: int) -> None:
    """Print how many events are done, over the line before."""
    print(f"\r{done:>11,} events", end="", file=sys.stderr, flush=True)


def print_tally(decisions: Iterable[Decision]) -> None:
    """Print per campaign how many wishes and messages there were, and per reason what held wishes back."""
    wishes: dict[str, Counter[str]] = {"messages": Counter(), "till": Counter()}
    won: dict[str, Counter[str]] = {"messages": Counter(), "till": Counter()}
    held: Counter[str] = Counter()
    for decision in decisions:
        way = "till" if decision.kind == "ask" else "messages"
        for line in decision.lines:
            wishes[way][line.campaign] += way == "till" or line.reason in ENDS
            won[way][line.campaign] += line.reason == "won"
            if line.reason != "won":
                held[f"{line.reason} {line.rule}".strip()] += 1
    for way, counts in wishes.items():
        print(f"\n{counts.total():>11,} {won[way].total():>9,} wishes and {way}, by campaign")
        for name, count in counts.most_common():
            print(f"{count:>11,} {won[way][name]:>9,}   {name}")
    print(f"\n{held.total():>11,} held back, by reason")
    for name, count in held.most_common():
        print(f"{count:>11,}   {name}")


def main() -> None:
    """Make ready what is not, replay, print."""
    prepared = prepare(FOLDER)
    for what, count in prepared.counts.items():
        print(f"{count:>11,} {what}")
    if prepared.changed:
        print(f"\nthe playbook in {prepared.playbook} is not the example's: it stays as it is")
    print_tally(replay(prepared))


if __name__ == "__main__":
    main()
