"""Tables, bars and lines of blocks that fit the terminal they are shown in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.bar import Bar
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

ROWS_SHOWN: Final = 15
BAR_WIDTH: Final = 10
NARROW: Final = 76  # columns of a terminal below which tables leave out what one can do without
_BLOCKS: Final = "▁▂▃▄▅▆▇█"


class ShownTable:
    """A table that is made for the room there is; how its columns stand their heads say.

    A head that ends with `>` is of numbers; a column whose head ends with `?` is left out where the room is NARROW.
    """

    def __init__(self, *heads: str) -> None:
        self._heads = heads
        self._rows: list[tuple[tuple[RenderableType, ...], str]] = []
        self.caption = ""

    def add_row(self, *cells: RenderableType, style: str = "") -> None:
        """Add a row with a cell for each head."""
        self._rows.append((cells, style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as there is room."""
        del console
        is_narrow = options.max_width < NARROW
        kept = [index for index, head in enumerate(self._heads) if not (is_narrow and head.endswith("?"))]
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            show_edge=False,
            collapse_padding=True,
            header_style="bold",
            caption=self.caption or None,
            caption_justify="left",
        )
        for head in (self._heads[index].rstrip("?") for index in kept):
            is_number = head.endswith(">")
            side = "right" if is_number else "left"
            table.add_column(head.rstrip(">"), justify=side, overflow="fold", no_wrap=is_number)
        for cells, style in self._rows:
            table.add_row(*(cells[index] for index in kept), style=style)
        yield table


def more(table: ShownTable, count: int) -> ShownTable:
    """Say below a table how many rows there are beyond ROWS_SHOWN."""
    if count > ROWS_SHOWN:
        table.caption = f"{count - ROWS_SHOWN:,} more; `--json` has all"
    return table


def bar(share: float) -> Bar:
    """Return a share of one as a bar."""
    return Bar(1, 0, share, width=BAR_WIDTH, color="cyan")


class Blocks:
    """A count a week as a line of blocks, neighbours taken together where the line is too short for all."""

    def __init__(self, counts: list[int]) -> None:
        self._counts = counts

    def __rich_measure__(self, *_: object) -> Measurement:
        """Say how wide a line may be."""
        return Measurement(min(8, len(self._counts)), len(self._counts))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as it may be."""
        del console
        weeks = -(-len(self._counts) // options.max_width)
        counts = [sum(self._counts[start : start + weeks]) for start in range(0, len(self._counts), weeks)]
        most = max(counts)
        line = (_BLOCKS[count * (len(_BLOCKS) - 1) // most] if count else " " for count in counts)
        yield Text("".join(line), "cyan")
