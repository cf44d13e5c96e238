"""The rows that an audit adds to the events: of each contact an ask and a wish, and an ask behind each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from onevoice.auditing.contacts import FIELDS
from onevoice.auditing.staged import ANSWER, CONTACT_KEY, PROBE, WISH
from onevoice.errors import EventError, Mistake
from onevoice.events.arrow_columns import times_us
from onevoice.events.batch import MISSING_TIME
from onevoice.events.pyarrow_untyped import Table, pa, pc
from onevoice.events.values import time_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from onevoice.auditing.contacts import Log
    from onevoice.auditing.staged import Variant
    from onevoice.playbook.model import Playbook

ANSWERS: Final = ("offer_accepted", "offer_clicked")

_TEXT: Final = pa.string()
_TIME: Final = pa.timestamp("us", "UTC")


class Strand(NamedTuple):
    """Rows of flat columns in order of time.

    `times` (int64[n], µs UTC) are theirs; `is_told` (bool[n]) is true for one row of each row of the log; `contact`
    (int64[n]) is the contact that a row asks about, -1 for none; `answer` the campaign of which a row asks who answered
    it, "" where it is not named, None for other rows.
    """

    table: Table
    times: NDArray[np.int64]
    is_told: NDArray[np.bool_]
    contact: NDArray[np.int64]
    answer: list[str | None]


class Answers:
    """Which events answer a message, and of which campaign."""

    def __init__(self, playbook: Playbook) -> None:
        self._campaigns = {offer: name for name, each in playbook.campaigns.items() for offer in each.offers}

    def campaign(self, campaign: object, offer: object) -> str:
        """Return the campaign that an answer names, itself or by its offer; "" where it names none."""
        return campaign if isinstance(campaign, str) else self._campaigns.get(f"{offer}", "")

    def rows(self, table: Table) -> dict[int, str]:
        """Return the rows of a table that are answers, with their campaigns."""
        at = np.flatnonzero(pc.is_in(table["type"], pa.array(ANSWERS, _TEXT)).to_numpy(zero_copy_only=False))
        campaigns, offers = (_values(table, f"fields.{part}", at) for part in ("campaign", "offer"))
        told = zip(at.tolist(), campaigns, offers, strict=True)
        return {row: self.campaign(campaign, offer) for row, campaign, offer in told}


def strand_of(log: Log, variants: Mapping[tuple[str, ...], Variant], playbook: Playbook, answers: Answers) -> Strand:
    """Return the asks and wishes of a log's contacts, and what else it tells of, in order of time."""
    events = flat(log.events)
    rows: NDArray[np.int64] = log.contacts["row"].to_numpy()
    is_other = np.ones(events.num_rows, np.bool_)
    is_other[rows] = False
    others = np.flatnonzero(is_other)
    other, heads = events.take(others), _heads(events).take(rows)
    answered = answers.rows(other)
    nothing: list[str | None] = [None]
    asked = _typed(heads, "asked", _asked(log.contacts, playbook))
    parts = [
        _Part(asked, rows, np.arange(len(rows)), nothing * len(rows), is_told=True),
        _Part(_typed(heads, *_wished(log.contacts, variants)), rows, _none(rows), nothing * len(rows)),
        _Part(other, others, _none(others), nothing * len(others), is_told=True),
        _Part(asks_of(other, answered), others[list(answered)], _none(answered), [*answered.values()]),
    ]
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    table = joined(part.table for part in parts).take(pa.array(order))
    answer = [each for part in parts for each in part.answer]
    contact = np.concatenate([part.contact for part in parts])[order]
    is_told = np.repeat([part.is_told for part in parts], [len(part.row) for part in parts])[order]
    return Strand(table, times_of(table), is_told, contact, [answer[at] for at in order.tolist()])


class _Part(NamedTuple):
    """Rows of one kind; `row` int64[n] is that of the log which they belong to, and which they tell or add to."""

    table: Table
    row: NDArray[np.int64]
    contact: NDArray[np.int64]
    answer: list[str | None]
    is_told: bool = False


def _none(rows: Iterable[object]) -> NDArray[np.int64]:
    return np.full(len([*rows]), -1)


def _asked(contacts: Table, playbook: Playbook) -> dict[str, Any]:
    purposes = {name: klass.purpose or name for name, klass in playbook.policies.classes.items()}
    told = {f"fields.audit_{name}": contacts[name] for name in FIELDS if name != "campaign"}
    purpose = pa.array([purposes[name] for name in contacts["class"].to_pylist()], _TEXT)
    return {"fields.placement": _repeated(PROBE, contacts.num_rows), **told, "fields.audit_purpose": purpose}


def _wished(contacts: Table, variants: Mapping[tuple[str, ...], Variant]) -> tuple[Any, dict[str, Any]]:
    """Return the type of each contact's wish, and the contact's number as its key."""
    number = {key: at for at, key in enumerate(variants)}
    types: list[str] = []
    for campaign, klass, channel, product, family in zip(*(contacts[name].to_pylist() for name in FIELDS), strict=True):
        key = (campaign, klass, channel, product or "", family or "")
        types.append(f"{WISH}{number[key] if key in number else number[*key[:3], '', '']}")
    keys = pa.array([f"{at}" for at in range(contacts.num_rows)], _TEXT)
    return pa.array(types, _TEXT), {f"fields.{CONTACT_KEY}": keys}


def asks_of(table: Table, answered: Mapping[int, str]) -> Table:
    """Return the asks that tell whose the answers in these rows are."""
    heads = _heads(table).take(pa.array(list(answered), pa.int64()))
    return _typed(heads, "asked", {"fields.placement": _repeated(ANSWER, len(answered))})


# Tables


def flat(table: Table) -> Table:
    """Return a table with flat columns; types and identifiers are texts, times instants, nothing is a dictionary.

    Raises EventError for one that holds no events.
    """
    taken = table.flatten()
    missing = [name for name in ("type", "time") if name not in taken.column_names]
    if missing:
        found, mend = ", ".join(taken.column_names), "name a mapping that makes events of its rows"
        raise EventError(*(Mistake(f"no column `{name}`", "events", f"`{name}`", found, mend) for name in missing))
    columns = zip(taken.column_names, taken.columns, strict=True)
    return pa.table({name: _plain(name, column) for name, column in columns})


def _plain(name: str, column: Any) -> Any:
    if name == "time":
        return _instants(column)
    is_reference = name == "type" or name.startswith("identifiers.")
    return column.cast(_TEXT) if is_reference or pa.types.is_dictionary(column.type) else column


def _instants(times: Any) -> Any:
    """Return a column of times as instants; what is none is null, and the engine says so."""
    if pa.types.is_timestamp(times.type) and times.type.tz:
        return times.cast(_TIME)
    told = [written_us(each) or None for each in times.to_pylist()]
    return pa.array(told, pa.int64()).cast(_TIME)


def joined(parts: Iterable[Table]) -> Table:
    """Return the rows of tables one after another; a key that is a number here and a text there is a text."""
    tables = [part for part in parts if part.num_rows]
    kinds: dict[str, set[Any]] = {}
    for table in tables:
        for field in table.schema:
            kinds.setdefault(field.name, set()).add(field.type)
    texts = {name for name, found in kinds.items() if len(found) > 1 and _TEXT in found}
    return pa.concat_tables([_as_texts(table, texts) for table in tables], promote_options="permissive")


def _as_texts(table: Table, names: set[str]) -> Table:
    columns = zip(table.column_names, table.columns, strict=True)
    return pa.table({name: column.cast(_TEXT) if name in names else column for name, column in columns})


def written_us(time: object) -> int:
    """Return a time as events write it as µs UTC, 0 where it is none."""
    return (isinstance(time, str) and time_us(time)) or 0


def times_of(table: Table) -> NDArray[np.int64]:
    """Return the times of rows as µs UTC, 0 where there is none that can be used."""
    times, _ = times_us(table["time"].combine_chunks())
    return np.where(times == MISSING_TIME, 0, times)


def no_rows() -> Table:
    """Return a table of events without any."""
    return pa.table({"type": pa.array([], _TEXT), "time": pa.array([], _TIME)})


def _heads(table: Table) -> Table:
    """Return who and when, of rows that say more."""
    return table.select([name for name in table.column_names if name == "time" or name.startswith("identifiers.")])


def _typed(heads: Table, kind: Any, columns: Mapping[str, Any]) -> Table:
    types = _repeated(kind, heads.num_rows) if isinstance(kind, str) else kind
    return pa.table({"type": types, **{name: heads[name] for name in heads.column_names}, **columns})


def _values(table: Table, name: str, rows: NDArray[np.int64]) -> list[Any]:
    return table[name].take(pa.array(rows)).to_pylist() if name in table.column_names else [None] * len(rows)


def _repeated(text: str, count: int) -> Any:
    return pa.array([text] * count, _TEXT)
