"""An audit from end to end: files in, the year lived once more on a scratch journal, figures out."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onevoice.auditing.contacts import read_log
from onevoice.auditing.mappings import given_mapping, is_ready
from onevoice.auditing.rules import default_text, rules_of
from onevoice.auditing.staged import PROBE, VALID_US, staged
from onevoice.auditing.strand import Answers, strand_of
from onevoice.auditing.weave import ADDED, EVENTS, Weaver
from onevoice.errors import EventError, Mistake
from onevoice.events import files as own
from onevoice.events.batch import Times
from onevoice.events.decode import decode_arrow, decode_ndjson
from onevoice.events.pyarrow_untyped import Table, pa
from onevoice.events.schema import Schema
from onevoice.history.audit import OPTED_OUT as OPTED_OUT_KIND
from onevoice.history.audit import RULE, Audit, Judged, figures, quiet_text
from onevoice.history.why import cap_text, gap_text, suppression_text
from onevoice.importing import sources as others
from onevoice.importing.mapped import open_mapped
from onevoice.importing.summary import FIRST_LINES, told
from onevoice.many import many
from onevoice.runtime.node import clock_us
from onevoice.runtime.opening import open_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from onevoice.auditing.contacts import Log
    from onevoice.auditing.staged import Staged
    from onevoice.auditing.weave import Piece
    from onevoice.history.report import Report
    from onevoice.importing.model import FileMapping
    from onevoice.playbook.model import Playbook
    from onevoice.runtime.ingested import Ingested
    from onevoice.runtime.node import Onevoice


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
    """Judge a contact log by rules: `onevoice.audit` says how."""
    events, contacts = Path(events), Path(contacts)
    of_events, of_contacts = given_mapping(mapping), given_mapping(contacts_mapping)
    (own if of_events is None else others).check_files([events])
    others.check_files([contacts])
    given = [each for each in (of_events, of_contacts) if each is not None]
    zones = [each.zone for each in given if not is_ready(each)]
    rules = rules_of(playbook, [kind for each in given for kind in each.identifiers], next(filter(None, zones), ""))
    kept_aside = None if aside is None else Path(aside)
    latest = Times(clock_us()).latest
    log = read_log(contacts, of_contacts, rules, latest, kept_aside)
    year = staged(rules, log.contacts)
    lived = _Lived(rules, year, log)
    with tempfile.TemporaryDirectory(prefix="onevoice-audit-") as folder, open_node(year.playbook, folder) as engine:
        for pieces, summary in _pieces(events, of_events, rules, latest, kept_aside):
            lived.live(engine, pieces, on_progress)
            lived.read += summary
        engine.tick(log.last_us + VALID_US)  # what waits at the end of the log has its chance, too
        return lived.audit(engine, events, is_default=playbook is None)


def _pieces(
    path: Path, mapping: FileMapping | None, playbook: Playbook, latest_us: int, aside: Path | None
) -> Iterator[tuple[Iterable[bytes | Table], list[str]]]:
    """Yield the events of the file, and what became of its lines."""
    if mapping is None:
        yield own.pieces(path), []
        return
    with open_mapped(path, mapping, playbook, latest_us=latest_us) as mapped:
        if aside is not None:
            mapped.write_aside(aside)
        yield mapped.events(), told(mapped.summary)


@dataclass(slots=True)
class _Lived:
    """The year as it is lived once more. `asks` and `answers` are by their positions in the journal."""

    rules: Playbook
    year: Staged
    log: Log
    asks: dict[int, int] = field(default_factory=dict[int, int])
    answers: dict[int, str] = field(default_factory=dict[int, str])
    events: int = 0
    read: list[str] = field(default_factory=list[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    refused_of_log: Counter[str] = field(default_factory=Counter[str])
    unusable: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def live(
        self, engine: Onevoice, events: Iterable[bytes | Table], on_progress: Callable[[int], None] | None
    ) -> None:
        """Let the events and the log come in."""
        answers = Answers(self.rules)
        weaver = Weaver(strand_of(self.log, self.year.variants, self.rules, answers), answers)
        for piece in weaver.pieces(events):
            self._note(piece, engine.position)
            self._count(engine.ingest(piece.payload, imported=True), piece)
            if on_progress:
                on_progress(engine.position)

    def _note(self, piece: Piece, position: int) -> None:
        self.events += int((piece.origin == EVENTS).sum())
        self.asks |= {position + place: contact for place, contact in piece.asks}
        self.answers |= {position + place: campaign for place, campaign in piece.answers}

    def _count(self, taken: Ingested, piece: Piece) -> None:
        """Note what of the lines could not be used, each once and where it comes from."""
        before = self.events - int((piece.origin == EVENTS).sum())
        for line, reason in self._rejected(piece) if taken.rejected_count else ():
            what = f"not to be used: {reason}"
            if piece.origin[line] == EVENTS:
                self.refused[what] += 1
                lines = self.unusable.setdefault(what, [])
                if len(lines) < FIRST_LINES:
                    lines.append(before + int((piece.origin[: line + 1] == EVENTS).sum()))
            elif piece.origin[line] != ADDED:
                self.refused_of_log[what] += 1
        self.refused.update({f"of an unknown type: {name}": count for name, count in taken.unknown_types.items()})
        self.refused.update({"duplicates": taken.duplicates} if taken.duplicates else {})

    def _rejected(self, piece: Piece) -> list[tuple[int, str]]:
        """Return the lines of a piece that the engine rejected, with the reason."""
        schema, times = Schema(self.year.playbook), Times(clock_us(), needed=True)
        decode: Any = decode_ndjson if isinstance(piece.payload, bytes) else decode_arrow
        batch = decode(piece.payload, schema, (0, 0), times=times)
        return [(rejection.line, str(rejection.reason)) for rejection in batch.rejected]

    # What was decided, as tables

    def audit(self, engine: Onevoice, events: Path, *, is_default: bool) -> Audit:
        """Return what was found."""
        judged, missing = self._judged(engine)
        totals, tables = figures(judged)
        contacts, customers, _, first, last, found, found_customers, answers = totals
        report = _own(engine.report(), self.year)
        return Audit(
            playbook="" if is_default else self.rules.name,
            version=report.version,
            time_zone=self.rules.time_zone,
            first=first,
            last=last,
            events=self.events - sum(self.refused[what] for what in self.unusable),
            contacts=contacts,
            customers=customers,
            answers=answers,
            found=found,
            found_customers=found_customers,
            **tables,
            year=report,
            rules=tuple(_words(self.rules)),
            rules_text=default_text() if is_default else "",
            read=(*self.read, *self._came_in(events.name), *told(self.log.summary), *_counts(self.refused_of_log, {})),
            notes=(*self.year.notes, *missing),
        )

    def _came_in(self, name: str) -> list[str]:
        """Say how many events came in, and what of them could not be used."""
        if self.read:  # a mapping made them of the file's lines, and has told what became of these
            return [f"{name}: {many(self.events, 'event')}", *_counts(self.refused, {})]
        return [f"{name}: {many(self.events, 'line')}", *_counts(self.refused, self.unusable)]

    def _judged(self, engine: Onevoice) -> tuple[Judged, list[str]]:
        """Return the log with what was decided at each of its asks."""
        lines = _asks(engine)
        number = np.array([self.asks.get(at, -1) for at in lines["position"].tolist()], np.int64)
        is_ask = lines["campaign"] == PROBE
        told_of = _told(self.log.contacts, number[is_ask], lines["now"][is_ask], lines["zone"][is_ask], self.rules)
        if not told_of.num_rows:
            expected, found = f"one of {', '.join(self.rules.identifiers)}", self.log.contacts["who"][0].as_py()
            raise EventError(Mistake("no contact is of anybody", "contacts", expected, found))
        missing = self.log.contacts.num_rows - told_of.num_rows
        notes = [f"{many(missing, 'contact')} of nobody: what identifies them could not be used"] * bool(missing)
        answered = np.flatnonzero(np.isin(lines["position"], list(self.answers)))
        campaigns = [self.answers[at] for at in lines["position"][answered].tolist()]
        answer = {
            "customer": lines["now"][answered],
            "time": lines["time"].take(pa.array(answered)),
            "campaign": _texts(campaigns),
        }
        rules = [(_kind(name), words) for name, words in self.year.rules.items()]
        judged = Judged(
            told_of,
            self._named(lines["campaign"], number, self.year.rules),
            self._segments(lines["campaign"], number),
            pa.table(answer),
            self.year.caps,
            rules,
            self.rules.time_zone,
        )
        return judged, notes

    def _named(self, shown: Any, number: Any, rules: dict[str, str]) -> Table:
        at = np.flatnonzero(np.isin(shown, list(rules)))
        names = shown[at].tolist()
        kinds, words = [_kind(name) for name in names], [rules[name] for name in names]
        return pa.table({"number": number[at], "kind": _texts(kinds), "words": _texts(words)})

    def _segments(self, shown: Any, number: Any) -> Table:
        at = np.flatnonzero(np.isin(shown, list(self.year.segments)))
        segments = [self.year.segments[name] for name in shown[at].tolist()]
        return pa.table({"number": number[at], "segment": _texts(segments)})


def _counts(refused: Counter[str], lines: dict[str, list[int]]) -> list[str]:
    """Return what could not be used as lines of text, with the first `lines` of the file by number."""
    return [f"  {count:,} {what}{_first(lines.get(what, []), count)}" for what, count in refused.items()]


def _first(lines: list[int], count: int) -> str:
    more = ", …" if count > len(lines) else ""
    return f" (line {', '.join(map(str, lines))}{more})" if lines else ""


def _asks(engine: Onevoice) -> dict[str, Any]:
    """Return the lines of all asks as arrays; `now` is the customer after all merges."""
    found = engine.decisions_table().select(["kind", "position", "time", "customer", "campaign"])
    found = found.filter(pa.compute.equal(found["kind"].cast(pa.string()), "ask"))
    customers = engine.customers_table()
    customer = found["customer"].to_numpy()
    return {
        "position": found["position"].to_numpy(),
        "time": found["time"],
        "campaign": found["campaign"].cast(pa.string()).to_numpy(zero_copy_only=False),
        "now": customers["now"].to_numpy()[customer],
        "zone": customers["time_zone"].cast(pa.string()).to_numpy(zero_copy_only=False)[customer],
    }


def _told(contacts: Table, number: Any, customer: Any, zone: Any, rules: Playbook) -> Table:
    """Return the contacts whose customer is known, as `audit.sql` asks for them."""
    found = contacts.take(pa.array(number)).select(["time", "who", "campaign", "class", "channel"])
    exempt = [name for name, kinds in rules.policies.exempt.items() if "caps" in kinds]
    columns = {"number": number, "customer": customer, "zone": pa.array(zone, pa.string())}
    columns |= {name: found[name] for name in found.column_names}
    return pa.table(columns | {"exempt": pa.compute.is_in(found["class"], pa.array(exempt, pa.string()))})


def _own(report: Report, year: Staged) -> Report:
    """Return a report without what was asked for the audit's own sake, campaigns by the names of the log."""
    labels = {variant.name: variant.label for variant in year.variants.values()}
    return replace(
        report,
        asks=0,
        shown=0,
        campaigns=tuple(
            replace(each, campaign=labels[each.campaign]) for each in report.campaigns if each.campaign in labels
        ),
        weeks=tuple(replace(each, campaign=labels[each.campaign]) for each in report.weeks),
        reasons=tuple(each for each in report.reasons if not each.placement),
        collisions=tuple(
            replace(each, one=labels[each.one], other=labels[each.other])
            for each in report.collisions
            if not each.placement
        ),
    )


def _words(rules: Playbook) -> Iterator[str]:
    """Yield the rules as words, as far as there are words for them."""
    policies = rules.policies
    yield from (cap_text(cap) for cap in policies.caps)
    if policies.gap_us:
        yield gap_text(policies.gap_us)
    yield from (suppression_text(rule) for rule in policies.suppress)
    yield from (f"{name} is exempt from {', '.join(sorted(kinds))}" for name, kinds in policies.exempt.items())
    yield quiet_text()


def _kind(probe: str) -> str:
    return OPTED_OUT_KIND if probe == "audit_opted_out" else RULE


def _texts(values: list[str]) -> Any:
    return pa.array(values, pa.string())
