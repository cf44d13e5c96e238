"""A contact log read: who was contacted when, by which campaign and channel, and what else the log tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from onevoice.auditing.mappings import CONTACT, OTHER_TYPE, fitted
from onevoice.errors import EventError, Mistake
from onevoice.events.pyarrow_untyped import Array, Table, pa, pc
from onevoice.importing.mapped import open_mapped
from onevoice.many import many
from onevoice.playbook.model import only_offer

if TYPE_CHECKING:
    from pathlib import Path

    from onevoice.importing.model import FileMapping
    from onevoice.importing.summary import Summary
    from onevoice.playbook.model import Playbook

FIELDS: Final = ("campaign", "class", "channel", "product", "family")
UNNAMED: Final = "unnamed"
CHANNEL: Final = "message"  # where the log names none


class Log(NamedTuple):
    """A contact log in order of time.

    `events` has a row for each event that the mapping made, with the columns of events; `contacts` one for each of
    those that is a contact: `row` in `events`, `time` and `who`, and FIELDS, never null where `campaign`, `class` and
    `channel` are concerned.
    """

    events: Table
    contacts: Table
    summary: Summary

    @property
    def last_us(self) -> int:
        """The time of the last contact, µs UTC."""
        return self.contacts["time"].cast(pa.int64())[-1].as_py()


def read_log(
    path: Path, mapping: FileMapping | None, playbook: Playbook, latest_us: int, aside: Path | None = None
) -> Log:
    """Return a contact log, its classes and offers being the playbook's where the log says none.

    Lines of which the mapping makes nothing go to `aside`, and those of times after `latest_us`.

    Raises EventError for a file that cannot be read or holds no contact, MappingError for a mapping that does not fit.
    """
    with open_mapped(path, fitted(mapping, path, playbook), playbook, latest_us=latest_us) as mapped:
        _check_type(path, mapped.summary)
        if aside is not None:
            mapped.write_aside(aside)
        reader = mapped.events()
        events, summary = reader.read_all(), mapped.summary
    rows = pa.array(range(events.num_rows), pa.int64()).filter(pc.equal(events["type"], CONTACT))
    if not len(rows):
        reasons = ", ".join(f"{reason} {count.count:,}" for reason, count in summary.aside.items())
        what, mend = "no contact in this file", "see what its mapping makes of a line"
        raise EventError(Mistake(what, f"{path}", f"a line that becomes `{CONTACT}`", reasons or "no line", mend))
    return Log(events, _contacts(events.take(rows), rows, playbook), summary)


def _check_type(path: Path, summary: Summary) -> None:
    """Raise EventError where lines say of themselves that they are no contacts: it is perhaps the file of events."""
    if (found := summary.aside.get(OTHER_TYPE)) is None:
        return
    where = f"{path} line {found.first_lines[0]}"
    told = f"{found.count:,} of {many(summary.lines, 'line')} with another `type`"
    mend = (
        "the file of events comes first, then that of contacts; or name a mapping whose `when` says which are contacts"
    )
    raise EventError(Mistake("not a contact", where, f"lines of type `{CONTACT}`, or without a `type`", told, mend))


def _contacts(events: Table, rows: Array, playbook: Playbook) -> Table:
    told = {name: _text(events, f"fields.{name}") for name in (*FIELDS, "offer")}
    campaign = pc.fill_null(told["campaign"], UNNAMED)
    offers = _offers(campaign.to_pylist(), told["offer"].to_pylist(), playbook)
    kinds = [name for name in events.column_names if name.startswith("identifiers.")]
    who = [pc.binary_join_element_wise(kind.removeprefix("identifiers."), events[kind], " ") for kind in kinds]
    columns = {
        "row": rows,
        "time": events["time"].cast(pa.timestamp("us", "UTC")),
        "who": pc.coalesce(*(each.combine_chunks() for each in who)),
        "campaign": campaign,
        "class": _classes(campaign.to_pylist(), told["class"].to_pylist(), playbook),
        "channel": pc.fill_null(told["channel"], CHANNEL),
        "product": pc.coalesce(told["product"], pa.array([product for product, _ in offers], pa.string())),
        "family": pc.coalesce(told["family"], pa.array([family for _, family in offers], pa.string())),
    }
    return pa.table(columns)


def _text(events: Table, name: str) -> Any:
    if name not in events.column_names:
        return pa.nulls(events.num_rows, pa.string())
    return events[name].combine_chunks().cast(pa.string())


def _classes(campaigns: list[str], told: list[str | None], playbook: Playbook) -> Any:
    """Return each contact's class: the log's where the playbook has it, else the campaign's, else the last."""
    classes = list(playbook.policies.classes)
    known = {name: campaign.klass for name, campaign in playbook.campaigns.items()}
    found = [
        klass if klass in playbook.policies.classes else known.get(campaign, classes[-1])
        for campaign, klass in zip(campaigns, told, strict=True)
    ]
    return pa.array(found, pa.string())


def _offers(campaigns: list[str], told: list[str | None], playbook: Playbook) -> list[tuple[str | None, str | None]]:
    """Return each contact's product and family by its offer, or by the playbook's campaign of its name."""
    of_campaign = {name: only_offer(campaign) for name, campaign in playbook.campaigns.items()}
    offers = {name: (offer.product or None, offer.family or name) for name, offer in playbook.offers.items()}
    nothing = (None, None)
    return [
        offers.get(offer if offer in offers else of_campaign.get(campaign, ""), nothing)
        for campaign, offer in zip(campaigns, told, strict=True)
    ]
