"""Files of events in pieces of bounded size."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import Table, pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

PIECE_BYTES: Final = 4_000_000
PIECE_ROWS: Final = 65_536
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
LINES: Final = (".ndjson", ".jsonl", ".json")
TABLES: Final = (".parquet", ".arrow", ".feather")


def pieces(path: str | Path) -> Iterator[bytes | Table]:
    """Give a file of events piece by piece: whole lines as bytes (`.ndjson`, also `.gz`), or record batches.

    Parquet and Arrow files (`.parquet`, `.arrow`, `.feather`) are read batch by batch; memory stays within a piece, or
    a row group of the file. Raises EventError when the file cannot be read or its ending says no form.
    """
    path = Path(path)
    form = _form(path)
    try:
        if form in LINES:
            yield from _lines(path, zipped=path.suffix.lower() == ".gz")
        else:
            yield from _batches(path, form)
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise EventError(Mistake("cannot be read", str(path), found=str(error))) from error


def check_files(paths: Iterable[str | Path]) -> None:
    """Raise one EventError for all files that cannot be read or whose ending says no form; reads nothing of them."""
    mistakes: list[Mistake] = []
    for path in map(Path, paths):
        try:
            path.open("rb").close()
            _form(path)
        except OSError as error:
            mistakes.append(Mistake("cannot be read", str(path), found=str(error)))
        except EventError as error:
            mistakes += error.mistakes
    if mistakes:
        raise EventError(*mistakes)


def _form(path: Path) -> str:
    """Return the ending that says what is in a file, leaving out that it is packed."""
    endings = [ending.lower() for ending in path.suffixes]
    form = next((ending for ending in reversed(endings) if ending != ".gz"), "")
    if form not in LINES + TABLES:
        expected = ", ".join((*LINES, *TABLES))
        raise EventError(Mistake("unknown form of file", str(path), f"an ending of {expected}", form or "none"))
    return form


def _lines(path: Path, *, zipped: bool) -> Iterator[bytes]:
    with cast("IO[bytes]", gzip.open(path) if zipped else path.open("rb")) as file:
        rest = file.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
        while block := file.read(PIECE_BYTES):
            whole, newline, tail = block.rpartition(b"\n")
            if newline:
                yield rest + whole + newline
                rest = tail
            else:
                rest += tail
        if rest:
            yield rest


def _batches(path: Path, form: str) -> Iterator[Any]:
    if form == ".parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - costs 30 ms

        parquet: Any = pq
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=PIECE_ROWS)
        return
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for start in range(0, batch.num_rows, PIECE_ROWS):
                yield batch.slice(start, PIECE_ROWS)
