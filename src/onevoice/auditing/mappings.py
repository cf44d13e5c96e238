"""The mapping of a contact log: a file, a ready one by its name, or the columns taken by their names."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onevoice.errors import MappingError, Mistake
from onevoice.importing.load import load_bytes, load_mapping
from onevoice.importing.model import Entries, FileMapping, Rule, Value, Written
from onevoice.importing.sources import as_name, source_of
from onevoice.near import did_you_mean, other_separator
from onevoice.playbook.builtin import all_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onevoice.playbook.model import Playbook

READY: Final = ("braze", "salesforce")
READY_HEAD: Final = "ready mapping "
CONTACT: Final = "contact_reported"
OTHER_TYPE: Final = f"a `type` that is not `{CONTACT}`"  # of a line of a log that is read without a mapping
_BY_NAME: Final = FileMapping("its columns' names", "", {}, "time", ("iso", "unix"))


def given_mapping(given: FileMapping | str | Path | None) -> FileMapping | None:
    """Return the mapping in a file, or a ready one by its name; MappingError for one that cannot be used."""
    if given is None or isinstance(given, FileMapping):
        return given
    name = f"{given}"
    if name in READY:
        return load_bytes(
            f"{READY_HEAD}{name}", files("onevoice.auditing").joinpath("mappings", f"{name}.yaml").read_bytes()
        )
    if Path(name).suffix not in {".yaml", ".yml"} and not Path(name).exists():
        expected = f"a YAML file, or one of {', '.join(f'`{each}`' for each in READY)}"
        raise MappingError(Mistake("no such mapping", name, expected, mend=did_you_mean(name, READY)))
    return load_mapping(given)


def fitted(mapping: FileMapping | None, path: Path, playbook: Playbook) -> FileMapping:
    """Return the mapping for a contact log: a ready one with the playbook's kinds, columns by name without any.

    Raises MappingError where neither says who was contacted.
    """
    if mapping is None:
        return _by_name(path, playbook)
    return _ready(mapping, playbook) if is_ready(mapping) else mapping


def is_ready(mapping: FileMapping) -> bool:
    """Tell whether a mapping is one of those that are shipped; its time zone is that of the tool, not of customers."""
    return mapping.name in {f"{READY_HEAD}{name}" for name in READY}


def _ready(mapping: FileMapping, playbook: Playbook) -> FileMapping:
    """Give the identifiers of a ready mapping the playbook's names, and leave out those that it does not have."""
    kinds = {name: _kind_of(name, playbook) for name in mapping.identifiers}
    identifiers = {kinds[name]: written for name, written in mapping.identifiers.items() if kinds[name]}
    if not identifiers:
        mend = "copy the mapping and name the identifiers as the playbook does"
        found = ", ".join(playbook.identifiers)
        raise MappingError(
            Mistake("the playbook has no identifier of this log", mapping.name, ", ".join(kinds), found, mend)
        )
    return replace(mapping, identifiers=identifiers)


def _kind_of(name: str, playbook: Playbook) -> str:
    """Return the playbook's kind for `email`, `phone`, `user_id`: of that name, that format, or the first unique."""
    if name in playbook.identifiers:
        return name
    found = [
        kind.name
        for kind in playbook.identifiers.values()
        if (kind.format == name if name != "user_id" else kind.unique and not kind.format and not kind.anonymous)
    ]
    return found[0] if found else ""


def _by_name(path: Path, playbook: Playbook) -> FileMapping:
    """Return the mapping that takes columns for what they are called: `time`, `email`, `campaign` and so on."""
    columns = source_of(path, _BY_NAME).columns
    mapping = replace(_BY_NAME, zone=playbook.time_zone)
    identifiers = _named("identifiers", playbook.identifiers, columns)
    fields: dict[str, Value | Entries] = {
        name: Value(written) for name, written in _named("fields", _fields(playbook), columns).items()
    }
    missing = [] if "time" in columns else ["`time`"]
    if not identifiers:
        missing.append(" or ".join(f"`{kind}`" for kind in playbook.identifiers))
    if missing:
        sign = other_separator(columns)
        mend = f"name a mapping with `csv: {{delimiter: {sign}}}`: they look separated by it" if sign else ""
        mend = mend or f"name a mapping: a YAML file, or one of {', '.join(f'`{each}`' for each in READY)}"
        raise MappingError(
            *(
                Mistake(f"no column {names}", f"{path}", "columns by these names", ", ".join(columns), mend)
                for names in missing
            )
        )
    rules = (Rule(CONTACT, fields=fields),)
    return replace(mapping, identifiers=identifiers, rules=_only_contacts(columns) + rules)


def _only_contacts(columns: Iterable[str]) -> tuple[Rule, ...]:
    """Return what keeps lines aside whose `type` says that they are something else than contacts."""
    if "type" not in columns:
        return ()
    return (Rule(reason=OTHER_TYPE, when=Written(f"type <> '{CONTACT}'", "type")),)


def _fields(playbook: Playbook) -> Iterable[str]:
    return all_events(playbook)[CONTACT].fields


def _named(head: str, names: Iterable[str], columns: Iterable[str]) -> dict[str, Written]:
    known = set(columns)
    found = {name: next((each for each in (f"{head}.{name}", name) if each in known), "") for name in names}
    return {name: Written(as_name(column), f"{head}.{name}") for name, column in found.items() if column}
