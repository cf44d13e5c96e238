"""What the demo needs, made ready in one folder: the playbook to change, the catalogue, the year's events."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onevoice.demo.arrow_untyped import csv, parquet
from onevoice.demo.events import SCHEMA, year
from onevoice.demo.tables import COLUMNS, PACKAGE, PACKAGE_VERSION, Tables, packaged_tables
from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import pa

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS: Final = "events.parquet"
PLAYBOOK: Final = "playbook"
PRODUCTS: Final = "products.csv"
DATA: Final = "data"
EVENTS_PER_PIECE: Final = 16_384  # about 90,000 rows with their items: what a reader has in memory at once

# The events' file says of which tables it was made, in which form, and what was counted.
FORM: Final = 1  # one more whenever the same tables give other files
MADE_OF: Final = b"onevoice.demo.made_of"
COUNTS: Final = b"onevoice.demo.counts"

# What the package held when the example was written. A difference means another package: nothing is converted.
EXPECTED: Final = {
    "purchase lines": 1_469_307,
    "baskets": 155_848,
    "households": 2_469,
    "campaigns": 27,
    "targetings": 6_589,
    "redemptions": 2_102,
    "households with demographics": 801,
    "products on a front page": 21_840,
    "events": 345_130,
    "products": 92_331,
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` made ready: a playbook's folder, a file of events, and how many of each thing there are.

    `changed`: the playbook is not the example's as it is now; it was left as it stood. `converted`: the tables were
    read now, and not in an earlier call.
    """

    playbook: Path
    events: Path
    counts: dict[str, int]
    changed: bool
    converted: bool


def prepare(folder: str | Path, data: str | Path | None = None) -> Prepared:
    """Make the demo ready in `folder`: `playbook/` with its `products.csv`, and `events.parquet`.

    `data`: a folder with the tables as Parquet or CSV files, named as in the package; None takes the package. A
    playbook that is there already is left as it is. What was made before of the same tables is not made again, and a
    file that is there is a whole one. Raises EventError naming the table, column or count that is not as expected, and
    for a folder in which somebody else keeps events, data or products under the demo's names; what was there before is
    then still there.
    """
    folder = Path(folder)
    tables = packaged_tables() if data is None else Tables(Path(data))
    made_of = _fingerprint(tables)
    _check_own(folder)
    folder.mkdir(parents=True, exist_ok=True)
    playbook, events = folder / PLAYBOOK, folder / EVENTS
    changed = _copy_playbook(playbook)
    counts = _counts_of(events, made_of) if (playbook / PRODUCTS).is_file() else None
    if counts is not None:
        return Prepared(playbook, events, counts, changed, converted=False)
    counts = _convert(tables, made_of, events, playbook / PRODUCTS)
    return Prepared(playbook, events, counts, changed, converted=True)


def _check_own(folder: Path) -> None:
    """Refuse to write over what the demo did not make."""
    events, playbook = folder / EVENTS, folder / PLAYBOOK
    made = _metadata(events)
    if made is not None and MADE_OF in made:
        return
    own_playbook = playbook.is_dir() and _yaml(playbook) != _yaml(playbook_source())
    theirs = {
        folder / DATA: (folder / DATA).exists(),
        events: made is not None,
        playbook / PRODUCTS: own_playbook and (playbook / PRODUCTS).exists(),
    }
    found = [f"{path}" for path, is_theirs in theirs.items() if is_theirs]
    if found:
        mend = "name another folder, or take away what is in the way"
        raise EventError(
            Mistake("the demo did not make this", f"{folder}", "a folder of its own", ", ".join(found), mend)
        )


def playbook_source() -> Path:
    """Return the folder of the example's YAML: beside this file in a wheel, in the repository's `examples` else."""
    here = Path(__file__).resolve()
    installed = here.parent / "grocer"
    return installed if installed.is_dir() else here.parents[3] / "examples" / "grocer"


def _copy_playbook(to: Path) -> bool:
    """Copy the example's YAML where no playbook is yet; return whether the one that is there differs."""
    source = playbook_source()
    if not to.is_dir():
        aside = to.with_name(f"{to.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for name, content in _yaml(source).items():
            (aside / name).write_bytes(content)
        aside.replace(to)
    return _yaml(source) != _yaml(to)


def _yaml(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.y*ml")}
    return {name: path.read_bytes() for name, path in found.items()}


def _fingerprint(tables: Tables) -> str:
    """Return a text that is another when a table is another file, or was written since."""
    stats = [(path.resolve(), path.stat()) for path in map(tables.path, COLUMNS)]
    known = [FORM, *((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _counts_of(events: Path, made_of: str) -> dict[str, int] | None:
    """Return what was counted when this file was made of those tables; None where it was not, or cannot be read."""
    kept = _metadata(events) or {}
    return json.loads(kept[COUNTS]) if kept.get(MADE_OF) == made_of.encode() else None


def _metadata(events: Path) -> dict[bytes, bytes] | None:
    """Return what is written in a Parquet file beside its tables; None for what is no such file."""
    try:
        return parquet.read_metadata(events).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None


def _convert(tables: Tables, made_of: str, events: Path, products: Path) -> dict[str, int]:
    """Write both files; the events last, for they say that all is made."""
    made, catalogue = year(tables), _catalogue(tables)
    counts = made.counts | {"products": len(catalogue)}
    if tables.packaged:
        _check_counts(counts)
    options = csv.WriteOptions(quoting_style="needed")
    _whole(products, lambda path: csv.write_csv(catalogue, path, options))
    kept = {MADE_OF: made_of, COUNTS: json.dumps(counts)}
    _whole(events, lambda path: _write_events(path, made.events.replace_schema_metadata(kept)))
    return counts


def _catalogue(tables: Tables) -> Any:
    """Return the catalogue by product: department, category and brand; unknown values stay empty."""
    table = tables.read("products", "product_id", "department", "product_category", "brand").sort_by("product_id")
    return table.rename_columns(["product", "department", "category", "brand"])


def _check_counts(found: dict[str, int]) -> None:
    """Raise EventError with every count of the package that is not the expected one."""
    mend = f"install {PACKAGE} {PACKAGE_VERSION}"
    wrong = [
        Mistake(f"other data: {what}", PACKAGE, f"{EXPECTED.get(what, 0):,}", f"{count:,}", mend)
        for what, count in found.items()
        if count != EXPECTED.get(what, 0)
    ]
    if wrong:
        raise EventError(*wrong)


def _write_events(path: Path, events: Any) -> None:
    schema = SCHEMA.with_metadata(events.schema.metadata)
    with parquet.ParquetWriter(path, schema, compression="zstd") as out:
        for start in range(0, len(events), EVENTS_PER_PIECE):
            out.write_table(events.slice(start, EVENTS_PER_PIECE))


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write aside and rename, so that a file which is there is a whole one."""
    aside = path.with_name(f"{path.name}.part")
    write(aside)
    aside.replace(path)
