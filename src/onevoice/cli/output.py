"""What people see: answers on standard output, everything else on standard error; colours only on a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from onevoice.errors import Mistake, OnevoiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from rich.console import Console, RenderableType

FAILED: Final = 1  # the exit code where something is wrong with what was given
WIDTH: Final = 120  # columns where the output is no terminal


def tell(text: str) -> None:
    """Say something beside the answer."""
    print(text, file=sys.stderr, flush=True)


def tell_of_other(in_force: str, rehearsed: str) -> None:
    """Say that the data is that of a playbook of another name: perhaps the wrong folder was named."""
    if in_force != rehearsed:
        tell(f"the data is that of playbook {in_force}; {rehearsed} is rehearsed on it")


def answer(value: Any, text: str, as_json: bool) -> None:
    """Print an answer, as text or as one line of JSON."""
    print(json_of(value) if as_json else text)


def json_of(value: Any) -> str:
    """Return one line of JSON."""
    import msgspec  # noqa: PLC0415 - only where it is asked for

    return msgspec.json.encode(value).decode()


def show(*parts: RenderableType) -> None:
    """Print tables and texts, in colours if somebody is looking."""
    console = console_of(sys.stdout)
    with console.capture() as captured:  # the console would end the process when the reader of a pipe goes away
        for part in parts:
            console.print(part)
    print("\n".join(line.rstrip(" ") for line in captured.get().split("\n")), end="")


def console_of(stream: Any) -> Console:
    """Return a console for a stream."""
    from rich.console import Console  # noqa: PLC0415 - costs 30 ms

    class Printed(Console):
        def on_broken_pipe(self) -> None:
            """Let it be handled as any other output is."""
            raise BrokenPipeError

    return Printed(file=stream, width=None if stream.isatty() else WIDTH, highlight=False)


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and say so."""
    with written(path) as file:
        file.write(text.encode())
    tell(f"written to {path}")


@contextmanager
def written(path: Path) -> Generator[BinaryIO]:
    """Open a file that is written whole or not at all; a device, such as `/dev/null`, is written as it comes."""
    part = _part_of(path)
    try:
        with part.open("wb") as file:
            yield file
        if part != path:
            part.replace(path.resolve())
    except OSError as error:
        raise _not_written(path, f"{error}") from error
    finally:
        if part != path:
            part.unlink(missing_ok=True)


def check_writable(path: Path | None) -> None:
    """Refuse a file that could not be written when the work is done."""
    if path is None:
        return
    if path.is_dir():
        raise _not_written(path, "a folder")
    part = _part_of(path)
    try:
        part.open("ab").close()
        if part != path:
            part.unlink()
    except OSError as error:
        raise _not_written(path, f"{error}") from error


def _part_of(path: Path) -> Path:
    """Return where a file is written before it is whole; what is no file, such as a pipe, is not to be replaced."""
    if path.exists() and not path.is_file():
        return path
    real = path.resolve()
    return real.with_name(real.name + ".part")


def _not_written(path: Path, found: str) -> OnevoiceError:
    """Return the error of a file that cannot be written."""
    mend = "see that the folder exists and may be written"
    return OnevoiceError(Mistake("the file cannot be written", f"{path}", "a file in a folder", found, mend))


@contextmanager
def working(what: str) -> Generator[None]:
    """Show on a terminal that something is being worked on."""
    if not sys.stderr.isatty():
        yield
        return
    with console_of(sys.stderr).status(what):
        yield


class Progress:
    """A line on the terminal with the count and the pace; nothing where standard error is no terminal."""

    def __init__(self, unit: str = "lines", total: int | None = None) -> None:
        self._unit = unit
        self._total = total
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> Callable[[int], None] | None:
        """Begin; the result is called with how much is done."""
        if not sys.stderr.isatty():
            return None
        from rich import progress  # noqa: PLC0415 - only on a terminal

        told = progress.TextColumn("{task.description}")
        done = progress.BarColumn() if self._total else progress.SpinnerColumn()
        columns = (done, told, progress.TimeElapsedColumn())
        bar = progress.Progress(*columns, console=console_of(sys.stderr), transient=True)
        bar.start()
        self._stop = bar.stop
        task, began = bar.add_task("opening", total=self._total), time.perf_counter()

        def advance(count: int) -> None:
            pace = count / (time.perf_counter() - began)
            bar.update(task, completed=count, description=f"{count:,} {self._unit}, {pace:,.0f} a second")

        return advance

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        self._stop()
