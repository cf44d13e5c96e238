"""Writing a starter's files into a folder of one's own."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

import yaml

from onevoice.errors import Mistake, OnevoiceError
from onevoice.playbook.grammar import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

PLAYBOOK: Final = "playbook.yaml"
EVENTS: Final = "events.ndjson"
FILES: Final = (PLAYBOOK, "products.csv", EVENTS)
ZONE: Final = "UTC"  # of a starter as it is kept

_TIME: Final = re.compile(r'(?<="time": ")[^"]+')


@dataclass(frozen=True, slots=True)
class Starter:
    """A playbook to begin with. `about`: what it has; `campaign` and `email`: a decision worth asking about."""

    kind: str
    about: str
    campaign: str
    email: str


STARTERS: Final = {
    starter.kind: starter
    for starter in (
        Starter("shop", "carts, orders and returns; a web site and tills", "weekend_news", "cleo@example.org"),
        Starter("telecom", "contracts, bills, connections; shops, a call centre", "weekend_sale", "fay@example.org"),
        Starter("bank", "cards, loans and consent; cash machines and an app", "insurance_for_trip", "kim@example.org"),
    )
}


def start(folder: Path, kind: str, time_zone: str = ZONE, name: str = "") -> list[Path]:
    """Write the starter of a kind into a folder, which is made if it is missing; return the files.

    `time_zone` is that of the playbook, in which the events then happen at the same hours. `name` is the playbook's,
    the kind if it is empty. Raises OnevoiceError, before anything is written, for a kind or zone that there is not and
    for a folder that holds a playbook already.
    """
    check_kind(kind)
    check_zone(time_zone)
    _check_folder(folder)
    texts = {each: files("onevoice.starter").joinpath(kind, each).read_text("utf-8") for each in FILES}
    texts[PLAYBOOK] = _own_playbook(texts[PLAYBOOK], folder, kind, time_zone, name or kind)
    texts[EVENTS] = _local(texts[EVENTS], ZoneInfo(time_zone))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each, text in texts.items():
            with (folder / each).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        mend = "name a folder that may be written"
        raise OnevoiceError(Mistake("cannot be written", f"{folder}", "a folder", f"{error}", mend)) from error
    return [folder / each for each in texts]


def check_kind(kind: str) -> None:
    """Refuse a kind of which there is no starter."""
    if kind not in STARTERS:
        expected = "one of " + ", ".join(f"`{each}`" for each in STARTERS)
        raise OnevoiceError(Mistake("no such kind", "--kind", expected, f"`{kind}`", did_you_mean(kind, STARTERS)))


def check_zone(name: str) -> None:
    """Refuse a time zone that there is not."""
    if name not in (known := available_timezones()):
        expected = "a name of the IANA time zone database such as `Europe/Vilnius`"
        raise OnevoiceError(
            Mistake("an unknown time zone", "--time-zone", expected, f"`{name}`", did_you_mean(name, known))
        )


def next_commands(folder: Path, kind: str) -> tuple[str, str, str]:
    """Return what to type next, as a shell reads it."""
    starter = STARTERS[kind]
    return (
        f"onevoice check {_quoted(folder)}",
        f"onevoice run {_quoted(folder)} {_quoted(folder / EVENTS)} --data data",
        f"onevoice why {starter.campaign} --identifier email={starter.email} --data data --last 3",
    )


def _quoted(path: Path) -> str:
    return shlex.quote(f"{path}")


def _check_folder(folder: Path) -> None:
    """Refuse a folder with files that would be written over, or that would become part of the playbook."""
    if not folder.is_dir():
        return
    found = sorted({each.name for each in folder.iterdir() if each.name in FILES or each.suffix in {".yaml", ".yml"}})
    if found:
        mend = "name another folder; nothing is written over"
        raise OnevoiceError(Mistake("files are there already", f"{folder}", "a new folder", ", ".join(found), mend))


def _own_playbook(text: str, folder: Path, kind: str, time_zone: str, name: str) -> str:
    """Return a playbook with its own name and zone, its first lines naming the commands as they are to be typed."""
    check, run, _ = next_commands(folder, kind)
    text = text.replace(f"onevoice run {kind} {kind}/{EVENTS} --data data", run, 1)
    text = text.replace(f"onevoice check {kind}", check, 1)
    text = text.replace(f"\ntime_zone: {ZONE}", f"\ntime_zone: {time_zone}", 1)
    return text.replace(f"\nplaybook: {kind}\n", f"\nplaybook: {_scalar(name)}\n", 1)


def _scalar(text: str) -> str:
    """Return a text as YAML writes it, on one line."""
    return yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("...\n").strip()


def _local(events: str, zone: ZoneInfo) -> str:
    """Return events, which are kept with local times, with the instants at which a zone shows those."""
    return _TIME.sub(lambda time: datetime.fromisoformat(time[0]).replace(tzinfo=zone).isoformat(), events)
