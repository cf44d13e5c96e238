"""`onevoice run`: files of events through a playbook."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

import onevoice
from onevoice.cli.given import Data, Files, Given, Json, Out, Playbook
from onevoice.cli.output import Progress, answer, check_writable, tell, working, written
from onevoice.many import many

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from onevoice.errors import Mistake
    from onevoice.history.decision import Decision
    from onevoice.runtime.ingested import Ingested

REJECTIONS_SHOWN: Final = 10
NAMES_SHOWN: Final = 10
PIECE_LINES: Final = 16_384
SNAPSHOT_EVERY: Final = 1_000_000

FileMapping = Annotated[Given | None, Parameter(help="A YAML file that says how lines of another form become events.")]
Aside = Annotated[Given | None, Parameter(help="Where lines go of which the mapping makes no event, with the reason.")]
Decide = Annotated[bool, Parameter(negative="--no-decide", help="Let campaigns start; else only build state.")]
Lines = Annotated[int, Parameter(validator=Number(gte=1, lte=1_000_000), help="Lines a journal row holds at most.")]
Every = Annotated[int, Parameter(validator=Number(gte=1), help="Lines after which the state is written to the disk.")]


def run(
    playbook: Playbook,
    files: Files,
    /,
    *,
    data: Data,
    out: Out = None,
    mapping: FileMapping = None,
    aside: Aside = None,
    decide: Decide = True,
    batch: Lines = PIECE_LINES,
    snapshot_every: Every = SNAPSHOT_EVERY,
    as_json: Json = False,
) -> None:
    """Import files of events, the time being that of the events, and decide as it would have been decided.

    Killed at any moment, the same command goes on where the journal ends: no event is taken twice, none is lost. A file
    that was taken whole is passed over.

    Files of another form (CSV too) come in by a `--mapping`, which says how their lines become events.

    For example: `onevoice run examples/telecom events.ndjson --data data --out decisions.ndjson`
    """
    from onevoice.events import files as own  # noqa: PLC0415 - `--help` needs none of it
    from onevoice.importing import sources as others  # noqa: PLC0415 - as above

    (own if mapping is None else others).check_files(files)
    check_writable(out)
    began = time.perf_counter()
    rejected = _Rejections()
    with working("opening"):
        opened = onevoice.open(playbook, data, piece_lines=batch, snapshot_every=snapshot_every)
    with opened as engine, Progress() as progress:
        try:
            taken = engine.run(files, progress, decide=decide, on_rejected=rejected, mapping=mapping, aside=aside)
        except KeyboardInterrupt:
            tell("the same command goes on where the journal ends")
            raise
        decisions = engine.decision_count
        if out is not None:
            _write_decisions(out, engine.decisions())
    rejected.tell()
    took = time.perf_counter() - began
    counts = {
        "lines": taken.lines,
        "accepted": taken.accepted,
        "rejected": taken.rejected_count,
        "reasons": taken.reasons,
        "unknown_types": taken.unknown_types,
        "duplicates": taken.duplicates,
        "unknown_names": taken.unknown_names,
        "left_out": taken.left_out,
        "position": taken.position,
        "decisions": decisions,
        "paused": taken.paused,
        "failing": taken.failing,
        "stale": taken.stale,
        "fresh": taken.fresh,
        "mapped": taken.summaries,
        "seconds": round(took, 3),
    }
    told = f"{many(taken.lines, 'line')} in {took:.1f} s; {many(decisions, 'decision')} in all{_became(taken)}"
    answer(counts, told, as_json)


def _became(taken: Ingested) -> str:
    """Say what became of the lines and of what they hold, one kind a line of text, where there is any of it."""
    from onevoice.importing.summary import told  # noqa: PLC0415 - `--help` needs none of it

    kinds: dict[str, tuple[int, dict[str, int]]] = {
        "accepted": (taken.accepted, {}),
        "rejected": (taken.rejected_count, taken.reasons),
        "of an unknown type": (taken.unknown_types.total(), taken.unknown_types),
        "duplicates": (taken.duplicates, {}),
        "uses of unknown names": (taken.unknown_names.total(), taken.unknown_names),
        "left out": (taken.left_out.total(), taken.left_out),
    }
    limits = [
        f"\n  {name} is paused: it came to its limit of {many(count, 'contact')}"
        for name, count in taken.paused.items()
    ]
    limits += [f"\n  {name} is paused: {many(count, 'contact')} of it failed" for name, count in taken.failing.items()]
    limits += [
        f"\n  {name} stopped {_times(taken.stale[name])} and was heard again {_times(taken.fresh[name])}:"
        " what depends on it is held meanwhile"
        for name in sorted(taken.stale | taken.fresh)
    ]
    mapped = "".join(f"\n{line}" for summary in taken.summaries for line in told(summary))
    counted = (f"\n  {count:,} {kind}{_named(names)}" for kind, (count, names) in kinds.items() if count)
    return "".join([mapped, *counted, *limits])


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count:,} times")


def _named(counts: dict[str, int]) -> str:
    """Return the most frequent names with their counts, and how many more there are."""
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    told = [f"{name} {count:,}" for name, count in most[:NAMES_SHOWN]]
    told += [f"{many(len(most) - NAMES_SHOWN, 'more name')}"] if len(most) > NAMES_SHOWN else []
    return f": {', '.join(told)}" if told else ""


def _write_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Write decisions as lines of JSON."""
    import msgspec  # noqa: PLC0415

    encoder = msgspec.json.Encoder()
    with written(path) as file:
        for decision in decisions:
            file.write(encoder.encode(decision) + b"\n")


class _Rejections:
    """Tells the first rejected lines as they come, and at the end how many more there were."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, mistake: Mistake) -> None:
        self.count += 1
        if self.count <= REJECTIONS_SHOWN:
            tell(f"rejected: {mistake}")

    def tell(self) -> None:
        if self.count > REJECTIONS_SHOWN:
            tell(f"rejected: {many(self.count - REJECTIONS_SHOWN, 'more line')}")
        if self.count:
            tell("lines are numbered without the blank ones")
