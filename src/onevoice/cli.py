"""The command line: check a playbook, run files of events through it, ask for a decision.

What is wrong is told on standard error, one line a mistake, and the command ends with 1; with 2 where the command
itself was not understood. Nothing here imports the engine before it is needed, so `check` and `--help` answer at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

import onevoice
from onevoice.errors import EventError, Mistake, OnevoiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cyclopts import Token

    from onevoice.history.decision import Decision
    from onevoice.playbook.model import FieldType
    from onevoice.runtime.ingested import Ingested

FAILED: Final = 1
MISUSED: Final = 2
REJECTIONS_SHOWN: Final = 10
MISTAKES_SHOWN: Final = 100
NAMES_SHOWN: Final = 10
PIECE_LINES: Final = 16_384
SNAPSHOT_EVERY: Final = 1_000_000


def _version() -> str:
    """Return the version installed; asked for by name, it is found also where this file is run by itself."""
    from importlib.metadata import version  # noqa: PLC0415 - costs 10 ms

    return version("onevoice")


app = App(
    name="onevoice",
    version=_version,
    help=(
        "One place that decides what a company says to each customer.\n\n"
        "A playbook is a folder of YAML files: what is known about customers, what can happen, what you would like to "
        "say and how important it is. Events go into a journal; decisions come out, with a reason for everything held "
        "back.\n\nBegin with `onevoice check PLAYBOOK`, then `onevoice run PLAYBOOK events.ndjson --data data`."
    ),
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # it is told below
)


def _path(_: object, tokens: Sequence[Token]) -> Path:
    """Read a path; an empty one, which a shell makes of a variable that is not set, would be the folder one is in."""
    if not tokens[0].value:
        msg = "it is empty: name a path, `.` for the present folder"
        raise ValueError(msg)
    return Path(tokens[0].value)


def _folder(kind: object, tokens: Sequence[Token]) -> Path:
    """Read the path of a playbook; a file of it is an easy slip."""
    path = _path(kind, tokens)
    if path.is_file():
        msg = f"{path} is a file: name the folder of the playbook, `{path.parent}`"
        raise ValueError(msg)
    return path


Given = Annotated[Path, Parameter(converter=_path)]
Playbook = Annotated[Path, Parameter(help="The folder of the playbook.", converter=_folder)]
Data = Annotated[
    Path, Parameter(name="--data", help="The folder of the journal; made if it is missing.", converter=_path)
]
Files = Annotated[list[Given], Parameter(help="Files of events, oldest first: .ndjson (also .gz), .parquet, .arrow.")]
Out = Annotated[
    Path | None, Parameter(help="Write every decision of the journal to this file, one JSON a line.", converter=_path)
]
Decide = Annotated[bool, Parameter(negative="--no-decide", help="Let campaigns start; else only build state.")]
Lines = Annotated[int, Parameter(validator=Number(gte=1, lte=1_000_000), help="Lines a journal row holds at most.")]
Every = Annotated[int, Parameter(validator=Number(gte=1), help="Lines after which the state is written to the disk.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print the answer as one line of JSON.")]


@app.command
def check(playbook: Playbook, /, *, as_json: Json = False) -> None:
    """Read a playbook and name everything that is wrong with it, by file, line and key.

    For example: `onevoice check examples/telecom`
    """
    from onevoice.playbook.load import digest_files, load_files, read_files  # noqa: PLC0415 - `--help` needs none of it

    files = read_files(playbook)
    found = load_files(files)
    counts = {
        "events": len(found.events),
        "moments": len(found.moments),
        "segments": len(found.segments),
        "campaigns": len(found.campaigns),
        "placements": len(found.placements),
        "products": len(found.products.names),
    }
    version = digest_files(files)
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    _print({"playbook": found.name, "version": version, **counts}, f"{found.name} {version[:12]}: {parts}", as_json)


@app.command
def run(
    playbook: Playbook,
    files: Files,
    /,
    *,
    data: Data,
    out: Out = None,
    decide: Decide = True,
    batch: Lines = PIECE_LINES,
    snapshot_every: Every = SNAPSHOT_EVERY,
    as_json: Json = False,
) -> None:
    """Import files of events, the time being that of the events, and decide as it would have been decided.

    Killed at any moment, the same command goes on where the journal ends: no event is taken twice, none is lost. A file
    that was taken whole is passed over.

    For example: `onevoice run examples/telecom events.ndjson --data data --out decisions.ndjson`
    """
    from onevoice.events.files import check_files  # noqa: PLC0415 - `--help` needs none of it

    check_files(files)
    if out is not None:
        _check_out(out)
    began = time.perf_counter()
    rejected = _Rejections()
    opened = onevoice.open(playbook, data, piece_lines=batch, snapshot_every=snapshot_every)
    with opened as engine, _Progress() as progress:
        taken = engine.run(files, progress, decide=decide, on_rejected=rejected)
        decisions = engine.decision_count
        if out is not None:
            _write_decisions(out, engine.decisions())
    rejected.tell()
    took = time.perf_counter() - began
    answer = {
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
        "seconds": round(took, 3),
    }
    _print(answer, f"{taken.lines:,} lines in {took:.1f} s; {decisions:,} decisions in all{_became(taken)}", as_json)


@app.command
def decide(
    playbook: Playbook,
    /,
    *,
    data: Data,
    placement: Annotated[str, Parameter(help="The place that asks, as the playbook names it.")],
    identifier: Annotated[list[str], Parameter(help="Who it is, as kind=value; once for each identifier.")],
    field: Annotated[list[str] | None, Parameter(help="A field of the ask, as name=value.")] = None,
    as_json: Json = False,
) -> None:
    """Ask which campaigns a placement should show a customer now; the ask is journaled before it is answered.

    For example: `onevoice decide examples/telecom --data data --placement home_banner --identifier email=ada@x.org`
    """
    identifiers = _pairs("--identifier", identifier)
    fields = _check_ask(playbook, placement, identifiers, _pairs("--field", field or []))
    with onevoice.open(playbook, data) as engine:
        decision = engine.decide(placement, identifiers, fields)
    shown = [line.campaign for line in decision.won] or [decision.default or "nothing"]
    lines = [f"show {', '.join(shown)}"]
    lines += [f"  {line.campaign}: {line.reason} {line.rule}".rstrip() for line in decision.lines]
    _print(decision, "\n".join(lines), as_json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _tell(f"{error}".strip() or "the command was not understood")
        _tell("`onevoice --help` says how it is used")
        sys.exit(MISUSED)
    except OnevoiceError as error:
        for mistake in error.mistakes[:MISTAKES_SHOWN]:
            _tell(f"error: {mistake}")
        if len(error.mistakes) > MISTAKES_SHOWN:
            _tell(f"error: {len(error.mistakes) - MISTAKES_SHOWN:,} more")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        _tell("stopped; the same command goes on where the journal ends")
        sys.exit(130)
    sys.exit(0)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(answer: Any, text: str, as_json: bool) -> None:
    if as_json:
        import msgspec  # noqa: PLC0415 - only where it is asked for

        text = msgspec.json.encode(answer).decode()
    print(text)


def _pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return what was given as name=value; each name may be given once."""
    pairs: dict[str, str] = {}
    for name, value in (_pair(option, text) for text in texts):
        if name in pairs:
            found = f"{pairs[name]!r} and {value!r}"
            raise EventError(Mistake("given twice", f"{option} {name}", "one value for a name", found))
        pairs[name] = value
    return pairs


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise EventError(Mistake("not a pair", option, "kind=value, as in email=ada@example.com", repr(text)))
    return name, value


def _check_ask(
    playbook: Path, placement: str, identifiers: dict[str, str], fields: dict[str, str]
) -> dict[str, str | float | bool]:
    """Refuse an ask that cannot be answered before anything is made for it; return its fields as they are declared."""
    from onevoice.events.schema import Schema  # noqa: PLC0415 - as above
    from onevoice.runtime.asks import ask  # noqa: PLC0415

    found = onevoice.load(playbook)
    schema = Schema(found)
    own = schema.layout("asked").own
    read = {name: _value(name, text, own[name].type) if name in own else text for name, text in fields.items()}
    ask(found, schema, (0, 0), placement, identifiers, read)
    return read


def _value(name: str, text: str, kind: FieldType) -> str | float | bool:
    """Return a field's value, which the command line has as a text, as the playbook declares it."""
    import msgspec  # noqa: PLC0415 - as above

    from onevoice.events.refusals import EXPECTED  # noqa: PLC0415

    if kind not in ("number", "boolean"):
        return text
    try:
        return msgspec.json.decode(text, type=float if kind == "number" else bool)
    except msgspec.MsgspecError as error:
        raise EventError(Mistake("wrong type", f"--field {name}", EXPECTED[kind], repr(text))) from error


def _became(taken: Ingested) -> str:
    """Say what became of the lines and of what they hold, one kind a line of text, where there is any of it."""
    kinds: dict[str, tuple[int, dict[str, int]]] = {
        "accepted": (taken.accepted, {}),
        "rejected": (taken.rejected_count, taken.reasons),
        "of an unknown type": (taken.unknown_types.total(), taken.unknown_types),
        "duplicates": (taken.duplicates, {}),
        "uses of unknown names": (taken.unknown_names.total(), taken.unknown_names),
        "left out": (taken.left_out.total(), taken.left_out),
    }
    return "".join(f"\n  {count:,} {kind}{_named(names)}" for kind, (count, names) in kinds.items() if count)


def _named(counts: dict[str, int]) -> str:
    """Return the most frequent names with their counts, and how many more there are."""
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    told = [f"{name} {count:,}" for name, count in most[:NAMES_SHOWN]]
    told += [f"{len(most) - NAMES_SHOWN:,} more names"] if len(most) > NAMES_SHOWN else []
    return f": {', '.join(told)}" if told else ""


def _check_out(path: Path) -> None:
    """Refuse a file that could not be written when the work is done."""
    if path.is_dir():
        raise _not_written(path, "a folder")
    try:
        _aside(path).open("wb").close()
        _aside(path).unlink()
    except OSError as error:
        raise _not_written(path, f"{error}") from error


def _write_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Write decisions as lines of JSON, whole or not at all."""
    import msgspec  # noqa: PLC0415

    encoder = msgspec.json.Encoder()
    try:
        with _aside(path).open("wb") as file:
            for decision in decisions:
                file.write(encoder.encode(decision) + b"\n")
        _aside(path).replace(path)
    except OSError as error:
        raise _not_written(path, f"{error}") from error


def _aside(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _not_written(path: Path, found: str) -> OnevoiceError:
    mend = "see that the folder exists and may be written"
    return OnevoiceError(Mistake("the decisions cannot be written", f"{path}", "a file in a folder", found, mend))


class _Rejections:
    """Tells the first rejected lines as they come, and at the end how many more there were."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, mistake: Mistake) -> None:
        self.count += 1
        if self.count <= REJECTIONS_SHOWN:
            _tell(f"rejected: {mistake}")

    def tell(self) -> None:
        if self.count > REJECTIONS_SHOWN:
            _tell(f"rejected: {self.count - REJECTIONS_SHOWN:,} more lines")
        if self.count:
            _tell("lines are numbered without the blank ones")


class _Progress:
    """A line on the terminal with the count and the pace; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> Callable[[int], None] | None:
        if not sys.stderr.isatty():
            return None
        from rich.console import Console  # noqa: PLC0415 - only on a terminal
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.start()
        self._stop = bar.stop
        task, began = bar.add_task("opening"), time.perf_counter()

        def show(done: int) -> None:
            pace = done / (time.perf_counter() - began)
            bar.update(task, description=f"{done:,} lines, {pace:,.0f} a second")

        return show

    def __exit__(self, *_: object) -> None:
        self._stop()


if __name__ == "__main__":
    main()
