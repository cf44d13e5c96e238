"""Onevoice: one place that decides what a company says to each customer.

>>> import onevoice
>>> ada = {"email": "ada@example.com"}
>>> with onevoice.open("examples/telecom") as engine:
...     taken = engine.ingest([{"type": "store_visited", "identifiers": ada}])
...     answer = engine.decide("home_banner", ada)
>>> taken.accepted
1
>>> [line.campaign for line in answer.won]
['banner_upgrade']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onevoice.errors import (
    ConditionError,
    EventError,
    JournalDamaged,
    JournalError,
    LimitError,
    MappingError,
    Mistake,
    OnevoiceError,
    PlaybookError,
    SnapshotError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from onevoice.history.audit import Audit
    from onevoice.history.conflicts import Conflicts
    from onevoice.history.decision import Decision, Line
    from onevoice.history.rehearsal import Rehearsal
    from onevoice.history.report import Report
    from onevoice.history.results import Results
    from onevoice.history.timeline import Timeline
    from onevoice.history.why import Why
    from onevoice.history.why_not import WhyNot
    from onevoice.importing.model import FileMapping
    from onevoice.playbook.deep.finding import Finding
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.controls import Switched
    from onevoice.runtime.customer import Customer
    from onevoice.runtime.ingested import Ingested
    from onevoice.runtime.node import Onevoice

__all__ = [
    "Audit",
    "ConditionError",
    "Conflicts",
    "Customer",
    "Decision",
    "EventError",
    "Finding",
    "Ingested",
    "JournalDamaged",
    "JournalError",
    "LimitError",
    "Line",
    "MappingError",
    "Mistake",
    "Onevoice",
    "OnevoiceError",
    "Playbook",
    "PlaybookError",
    "Rehearsal",
    "Report",
    "Results",
    "SnapshotError",
    "Switched",
    "Timeline",
    "Why",
    "WhyNot",
    "audit",
    "check_deep",
    "load",
    "open",
]

# What brings the engine's kernels with it is imported when it is first asked for: `check` and `--help` need none.
_LATER = {
    "Audit": "onevoice.history.audit",
    "Conflicts": "onevoice.history.conflicts",
    "Customer": "onevoice.runtime.customer",
    "Decision": "onevoice.history.decision",
    "Finding": "onevoice.playbook.deep.finding",
    "Ingested": "onevoice.runtime.ingested",
    "Line": "onevoice.history.decision",
    "Onevoice": "onevoice.runtime.node",
    "Playbook": "onevoice.playbook.model",
    "Rehearsal": "onevoice.history.rehearsal",
    "Report": "onevoice.history.report",
    "Results": "onevoice.history.results",
    "Switched": "onevoice.runtime.controls",
    "Timeline": "onevoice.history.timeline",
    "Why": "onevoice.history.why",
    "WhyNot": "onevoice.history.why_not",
}


def load(path: str | Path) -> Playbook:
    """Return the playbook in a folder, read and checked.

    `path`: the folder, of whose YAML files each may hold any part. Costs milliseconds: no engine is brought along.

    Raises one PlaybookError that holds every mistake found, each with its file, line and column.

    >>> playbook = onevoice.load("examples/telecom")
    >>> playbook.name, playbook.time_zone, playbook.campaigns["stay_with_us"].priority
    ('telecom', 'Europe/Vilnius', 80.0)
    >>> onevoice.load("examples/telcom")
    Traceback (most recent call last):
    onevoice.errors.PlaybookError: examples/telcom: no such folder; expected the folder of a playbook
    """
    from onevoice.playbook.load import load as load_playbook  # noqa: PLC0415 - see _LATER

    return load_playbook(path)


def check_deep(playbook: Playbook | str | Path) -> tuple[Finding, ...]:
    """Prove what is dead in a playbook: segments, moments and offers for nobody, campaigns that never fire or win.

    `playbook`: its folder, so that a finding names file, line and column, or a `Playbook`, where it names the key path.
    What is found can never be, whatever events come, as long as the playbook is in force; what is not found may be dead
    all the same. Costs milliseconds a campaign, some seconds at the most.

    Raises PlaybookError with every mistake of a playbook that cannot be used.

    >>> playbook = onevoice.load("examples/telecom")
    >>> onevoice.check_deep(playbook)
    ()
    >>> empty = replace(playbook.campaigns["spring_sale"], condition="spend_365d > 100 and spend_365d < 50")
    >>> for dead in onevoice.check_deep(replace(playbook, campaigns=playbook.campaigns | {"spring_sale": empty})):
    ...     print(dead)
    campaigns.spring_sale: the campaign `spring_sale` can never fire: nobody can meet its conditions
      campaigns.spring_sale.if: `spend_365d > 100`: its `if`
      campaigns.spring_sale.if: `spend_365d < 50`: its `if`
      change one of these, or take the campaign out
    """
    from onevoice.playbook.deep.check import prove  # noqa: PLC0415 - see _LATER

    return prove(playbook)


def open(  # noqa: A001 - `onevoice.open` reads as what it does
    playbook: Playbook | str | Path | None = None,
    data_dir: str | Path | None = None,
    *,
    clock: Callable[[], int] | None = None,
    snapshot_every: int = 1_000_000,
    piece_lines: int = 16_384,
) -> Onevoice:
    """Open an engine over the data in a folder, or in memory.

    `playbook`: its folder, or a `Playbook` built in Python; without one, that in force in the data stays. Where the
    data was made under another one, or another version, that is published first (`Onevoice.publish`), and a warning of
    the logger `onevoice` says so. `data_dir` is made if it is missing; None keeps everything in memory. `clock` gives
    the time in µs UTC. A snapshot is written after each `snapshot_every` lines (0: only when asked for, and at the
    end); `piece_lines`, 1 to 1,000,000, is how many lines a journal row holds at most.

    Raises PlaybookError; LimitError for a setting out of its bounds; JournalError where the data is in use, or not to
    be read, or none and no playbook is named; JournalDamaged, which names the row.

    All that was acknowledged is there again, whatever happened meanwhile. Costs what reading the last snapshot and
    replaying what came after it cost: some seconds a million lines. The first start on a machine compiles the engine,
    once, for one to three minutes.

    >>> with onevoice.open("examples/telecom", "data") as engine:
    ...     engine.ingest([{"type": "store_visited", "identifiers": {"user_id": "ada"}}]).position
    1
    >>> with onevoice.open(data_dir="data") as engine:
    ...     engine.playbook.name, engine.position
    ('telecom', 1)
    """
    from onevoice.runtime.node import clock_us  # noqa: PLC0415 - see _LATER
    from onevoice.runtime.opening import open_node  # noqa: PLC0415 - as above

    return open_node(
        playbook, data_dir, clock=clock or clock_us, snapshot_every=snapshot_every, piece_lines=piece_lines
    )


def audit(
    events: str | Path,
    contacts: str | Path,
    *,
    mapping: FileMapping | str | Path | None = None,
    contacts_mapping: FileMapping | str | Path | None = None,
    playbook: Playbook | str | Path | None = None,
    aside: str | Path | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Audit:
    r"""Judge the contact log of other tools by rules, and live its year once more under them.

    `events`: a file of events, in the form of this project or by a `mapping`; `contacts`: a log of what was sent, by
    `contacts_mapping`: a YAML file, `"braze"` or `"salesforce"`; without one its columns are taken by their names
    (`time`, an identifier such as `email`, `campaign`, `channel`, `class`, `product`, `family`). `playbook`: the rules,
    a folder or a `Playbook` built in Python; without one a small set of rules that the answer shows. Lines of
    which a mapping makes nothing go to `aside` (NDJSON or Parquet), with the reason. `on_progress` hears how many lines
    have come in. Nothing else is kept.

    Raises EventError for a file that cannot be read or holds no contact, MappingError, PlaybookError; LimitError for a
    log of more than 1,500 campaigns. Costs some 20 s for 200,000 contacts beside 300,000 events.

    >>> rows = "time,email,campaign,channel\n2026-03-02T23:10:00Z,ann@example.org,spring,email"
    >>> _ = Path("sent.csv").write_text(rows), Path("events.ndjson").write_text("")
    >>> audit = onevoice.audit("events.ndjson", "sent.csv")
    >>> [each.words for each in audit.findings if each.contacts]
    ['quiet from 21:00 to 8:00 where the customer is']
    """
    from onevoice.auditing.lived import audit as audited  # noqa: PLC0415 - see _LATER

    return audited(
        events,
        contacts,
        mapping=mapping,
        contacts_mapping=contacts_mapping,
        playbook=playbook,
        aside=aside,
        on_progress=on_progress,
    )


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    from importlib import import_module  # noqa: PLC0415 - see _LATER

    if name not in _LATER:
        msg = f"module 'onevoice' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_LATER[name]), name)
