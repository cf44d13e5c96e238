"""What can go wrong.

OnevoiceError
├── PlaybookError      a playbook that cannot be used; carries every mistake found
│   └── ConditionError a condition that does not parse or does not fit its types
├── MappingError       a mapping that cannot be used; carries every mistake found
├── EventError         an event or a file of events that cannot be read
├── JournalError       a journal that cannot be opened, read or written
│   └── JournalDamaged a row that is torn, altered or out of its chain
├── SnapshotError      a snapshot that does not match its digest or this version
└── LimitError         a stated limit was reached
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: what, where, expected, found and how to mend it.

    Where there is nothing to say, a part is empty.

    >>> print(onevoice.Mistake("not a number", "line 3: $.fields.amount", "a number", "'x'"))
    line 3: $.fields.amount: not a number; expected a number; found 'x'
    """

    what: str
    where: str
    expected: str = ""
    found: str = ""
    mend: str = ""

    def __str__(self) -> str:
        """Give the sentence a person reads: ``where: what; expected …, found …; hint``."""
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.found:
            parts.append(f"found {self.found}")
        if self.mend:
            parts.append(self.mend)
        return "; ".join(parts)


class OnevoiceError(Exception):
    """The root of all errors this library raises on purpose.

    `mistakes` holds at least one `Mistake`; the message is their sentences, one a line.

    >>> try:
    ...     engine.decide("home_baner", ada)
    ... except onevoice.OnevoiceError as error:
    ...     print(error.mistakes[0].found)
    'home_baner'
    """

    def __init__(self, *mistakes: Mistake) -> None:
        assert mistakes, "an error names at least one mistake"
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class PlaybookError(OnevoiceError):
    """A playbook that cannot be used; carries every mistake found."""


class ConditionError(PlaybookError):
    """A condition that does not parse or does not fit its types."""


class MappingError(OnevoiceError):
    """A mapping that cannot be used, by itself or for a file or a playbook; carries every mistake found."""


class EventError(OnevoiceError):
    """An event or a file of events that cannot be read."""


class JournalError(OnevoiceError):
    """A journal that cannot be opened, read or written."""


class JournalDamaged(JournalError):  # noqa: N818 - it says what was found, not only that something went wrong
    """A row that is torn, altered or out of its chain."""


class SnapshotError(OnevoiceError):
    """A snapshot that does not match its digest or this version."""


class LimitError(OnevoiceError):
    """A stated limit was reached."""
