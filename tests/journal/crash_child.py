"""Append numbered rows to the journal named on the command line and say after each append that it is in.

Runs as a process of its own, to be killed: by the test, or by itself at the point that ONEVOICE_CRASH_AT names.
"""

import random
import sys

from onevoice.journal.port import Kind, Row
from onevoice.journal.sqlite import SqliteJournal
from onevoice.runtime import faults


def numbered(number):
    """Row `number`, the same in every process; some fit one page, some take many."""
    draw = random.Random(number)
    payload = draw.randbytes(draw.choice([0, 50, 5_000, 80_000])) + b'{"type":"page_viewed"}\n' * 100
    return Row(Kind.EVENTS, number * 100, 100, number, payload=payload)


def main(path, appends):
    journal = SqliteJournal(path, vfs=faults.journal_vfs())
    print("opened", flush=True)
    for turn in range(appends):
        first = journal.last().rows
        rows = [numbered(first + more) for more in range(1 + turn % 3)]
        faults.passage("before_commit")
        journal.append(rows)
        faults.passage("after_commit")
        print(journal.last().rows, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
