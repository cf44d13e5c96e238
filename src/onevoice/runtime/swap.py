"""A changed playbook: the state is rebuilt from the same history under the new rules, and takes the old one's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onevoice.journal.port import Kind, Mode
from onevoice.runtime.fold import Fold

if TYPE_CHECKING:
    from onevoice.journal.port import Journal
    from onevoice.runtime.fold import Published


def rebuilt(journal: Journal, old: Fold, published: Published, rows: int) -> Fold:
    """Return the state after the first `rows` rows under another playbook."""
    new = Fold(published, old.secret)
    for number, row in enumerate(journal.read(0)):
        if number >= rows:
            break
        if row.kind is Kind.EVENTS:
            batch = new.decoded(row)
            new.machine.row(batch, row.stamp_us, imported=bool(row.mode & Mode.IMPORT), observing=True)
    return new
