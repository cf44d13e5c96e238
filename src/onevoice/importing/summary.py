"""What became of the lines of a file that was mapped."""

from __future__ import annotations

import msgspec

from onevoice.many import many

FIRST_LINES: int = 5  # that are named for each reason


class Count(msgspec.Struct, frozen=True):
    """So many lines, the first few of them by number."""

    count: int
    first_lines: list[int]


class Summary(msgspec.Struct, frozen=True):
    """What became of each line: used in an event, dropped as a duplicate, or kept aside for one reason.

    `lines` = `used` + `duplicates.count` + the counts of `aside`; blank lines are none. `events` counts what was made,
    by type; `first` and `last` are the times of the first and the last of them, ISO 8601 in UTC, empty without any.
    """

    file: str
    mapping: str
    lines: int
    used: int
    duplicates: Count
    aside: dict[str, Count]
    events: dict[str, int]
    first: str = ""
    last: str = ""


def told(summary: Summary) -> list[str]:
    """Return a summary as lines of text."""
    made = f"{many(sum(summary.events.values()), 'event')} made of {many(summary.used, 'line')}"
    if summary.first:
        made += f", {summary.first} to {summary.last}"
    lines = [f"{summary.file} by {summary.mapping}: {many(summary.lines, 'line')}", f"  {made}"]
    lines += [f"    {count:,} {kind}" for kind, count in summary.events.items()]
    if summary.duplicates.count:
        lines.append(_counted(summary.duplicates, "duplicates dropped"))
    lines += [_counted(count, f"kept aside: {reason}") for reason, count in summary.aside.items()]
    return lines


def _counted(count: Count, what: str) -> str:
    first = ", ".join(str(number) for number in count.first_lines)
    more = ", …" if count.count > len(count.first_lines) else ""
    return f"  {count.count:,} {what} (line {first}{more})"
