"""Replay the grocer's year: events per second, decisions by campaign, and what held wishes back.

python examples/grocer/demo.py
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import convert
import pyarrow.parquet as pq

import onevoice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from onevoice import Decision

REPLAY: Final = convert.FOLDER / "replay"  # this run's journal; each run begins the year anew


def prepared() -> Path:
    """Give the file of events, converted first where it or the catalogue is absent."""
    events = convert.FOLDER / "events.parquet"
    if not (events.exists() and (convert.HERE / "products.csv").exists()):
        for what, count in convert.convert().items():
            print(f"{count:>11,} {what}")
    return events


def replay(events: Path) -> list[Decision]:
    """Run the year through a new journal, print how fast that went, and give its decisions."""
    shutil.rmtree(REPLAY, ignore_errors=True)
    warm_up(events)
    with onevoice.open(convert.HERE, REPLAY) as engine:
        began = time.perf_counter()
        done = engine.run([events], on_progress=show_progress).lines
        took = time.perf_counter() - began
        print(f"\n{done:,} events in {took:.1f} s, {done / took:,.0f} events/s")
        return list(engine.decisions())


def warm_up(events: Path) -> None:
    """Take a few events without keeping them, so that compiling the kernels, once a version, is not timed."""
    print("starting (the first time this compiles the kernels: about a minute)", file=sys.stderr, flush=True)
    with onevoice.open(convert.HERE) as engine:
        engine.ingest(pq.ParquetFile(events).read_row_group(0).slice(0, 100), imported=True)


def show_progress(done: int) -> None:
    """Print how many events are done, over the line before."""
    print(f"\r{done:>11,} events", end="", file=sys.stderr, flush=True)


def print_tally(decisions: Iterable[Decision]) -> None:
    """Print per campaign what went out, and per reason what did not."""
    won: dict[str, Counter[str]] = {"round": Counter(), "ask": Counter()}
    held: Counter[str] = Counter()
    for decision in decisions:
        for line in decision.lines:
            if line.reason == "won":
                won[decision.kind][line.campaign] += 1
            else:
                held[line.reason] += 1
    print_counts("sent, by campaign", won["round"])
    print_counts("printed at the till, by campaign", won["ask"])
    print_counts("held back, by reason", held)


def print_counts(title: str, counts: Counter[str]) -> None:
    """Print a title with the total, and the counts from the greatest down."""
    print(f"\n{counts.total():>11,} {title}")
    for name, count in counts.most_common():
        print(f"{count:>11,}   {name}")


def main() -> None:
    """Convert if need be, replay, print."""
    print_tally(replay(prepared()))


if __name__ == "__main__":
    main()
