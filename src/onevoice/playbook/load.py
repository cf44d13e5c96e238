"""From a folder of text to a `Playbook`, or one error that names everything wrong with it."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from onevoice.errors import Mistake, PlaybookError
from onevoice.near import did_you_mean
from onevoice.playbook import actions, customers, derived, policies, resources
from onevoice.playbook.check import check
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import Playbook
from onevoice.playbook.record import Report, every_node, listed, opened, position
from onevoice.playbook.tree import Node, parse, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUFFIXES: Final = (".yaml", ".yml", ".csv")
FILES_MAX: Final = 1_000
BYTES_MAX: Final = 256 * 1024 * 1024
_SENT_BY: Final = re.compile(r"campaigns\.[^.]+\.(?:send|if_unseen\.next)(?:\[\d+\])?")
_NAMED: Final = re.compile(rb"^playbook\s*:", re.MULTILINE)
# What stands in a certain order stands in one file; the rest may be spread over any number of files.
IN_ONE_FILE: Final = {"identifiers": "in order of trust", "products": "one catalogue"}


def read_files(path: str | Path) -> dict[str, bytes]:
    """Return the YAML and CSV files of a playbook's folder by relative name, sorted; hidden ones are left out.

    Raises PlaybookError where there is no folder, no YAML file, or more than the limits.
    """
    folder = Path(path)
    if folder.is_file():
        mend = f"name the folder that it lies in: `{folder.parent}`"
        raise PlaybookError(Mistake("not a folder", str(path), "the folder of a playbook", "a file", mend))
    if not folder.is_dir():
        raise PlaybookError(Mistake("no such folder", str(path), "the folder of a playbook"))
    names = sorted(
        found.relative_to(folder).as_posix()
        for found in folder.rglob("*")
        if found.suffix in SUFFIXES and found.is_file()
    )
    names = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    if not any(_is_yaml(name) for name in names):
        raise PlaybookError(Mistake("no YAML file in the folder", str(path), "at least one file ending in `.yaml`"))
    size = sum((folder / name).stat().st_size for name in names)
    if len(names) > FILES_MAX or size > BYTES_MAX:
        expected = f"at most {FILES_MAX:,} files and {BYTES_MAX // 1024**2} MB"
        found = f"{len(names):,} files, {size:,} bytes"
        raise PlaybookError(Mistake("too much for a playbook", str(path), expected, found))
    return {name: (folder / name).read_bytes() for name in names}


def digest(path: str | Path) -> str:
    """Return the version of the playbook in a folder: the SHA-256 of its file names and contents, in hexadecimal."""
    return digest_files(read_files(path))


def digest_files(files: Mapping[str, bytes]) -> str:
    """Return the version of a playbook from its files."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            total.update(len(part).to_bytes(8, "big"))
            total.update(part)
    return total.hexdigest()


def load(path: str | Path) -> Playbook:
    """Return the playbook in a folder; raise one PlaybookError that holds every mistake found."""
    return load_files(read_files(path), path)


def load_files(files: Mapping[str, bytes], folder: str | Path = "…") -> Playbook:
    """Return the playbook in these files, as `read_files` gives them; raise PlaybookError with every mistake found.

    `folder`: where they were read, to say in which folder below it a playbook lies.
    """
    return load_with_report(files, folder)[0]


def places(files: Mapping[str, bytes]) -> Report:
    """Return what says where each key path of a sound playbook stands.

    A channel that no file declares is where a campaign first sends by it.
    """
    report = Report()
    _merged(files, report)
    for path, node in tuple(report.nodes.items()):
        if isinstance(node.value, str) and _SENT_BY.fullmatch(path):
            report.nodes.setdefault(f"channels.{node.value}", node)
    return report


def load_with_report(files: Mapping[str, bytes], folder: str | Path = "…") -> tuple[Playbook, Report]:
    """Return the playbook in these files, and what `unwise` needs to say where something stands; `folder` as above.

    Raises PlaybookError with every mistake found.
    """
    report = Report()
    root = _merged(files, report)
    playbook = _playbook(root, files, report)
    if report.complete:
        check(playbook, report)
    if report.mistakes:
        below = _folders_below(files)
        if below:
            raise PlaybookError(_elsewhere(folder, below))
        raise PlaybookError(*sorted(dict.fromkeys(report.mistakes), key=position))
    return playbook, report


def _folders_below(files: Mapping[str, bytes]) -> list[str]:
    """Return the folders in which playbooks lie, where what cannot be read together is these and not one spread over.

    One that is spread over folders states its name in one of them, so a single one has to be sound by itself.
    """
    named = {PurePosixPath(name).parent for name, content in files.items() if _is_yaml(name) and _NAMED.search(content)}
    folders = sorted(f"{each}" for each in named)
    if "." in folders or len(folders) != 1:
        return [] if "." in folders else folders
    start = f"{folders[0]}/"
    try:
        load_files({name.removeprefix(start): content for name, content in files.items() if name.startswith(start)})
    except PlaybookError:
        return []
    return folders


def _elsewhere(folder: str | Path, below: Sequence[str]) -> Mistake:
    paths = [Path(folder, each).as_posix() for each in below]
    what = f"no playbook itself: {'there is one' if len(paths) == 1 else 'there are some'} in {listed(paths)}"
    return Mistake(what, f"{folder}", mend=f"name the folder that it lies in: `onevoice check {paths[0]}`")


def _is_yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _merged(files: Mapping[str, bytes], report: Report) -> Node:
    """Join the top levels of all files into one tree, and note the place of every value."""
    names = sorted(name for name in files if _is_yaml(name))
    trees: list[Node] = []
    for name in names:
        known = len(report.mistakes)
        tree = parse(name, files[name], report.mistakes)
        if tree is not None:
            trees.append(tree)
        elif len(report.mistakes) > known:
            report.complete = False
    root = Node(trees[0].place, {}) if trees else parse("playbook.yaml", b"{}", report.mistakes)
    assert root is not None
    for tree in trees:
        for node in every_node(tree):
            report.nodes.setdefault(node.place.path, node)
            for place in node.keys.values():
                report.keys.setdefault(place.path, place)
        if isinstance(tree.value, dict):
            _join(root, tree, report, depth=0)
        elif not tree.empty:
            report.complete = False
            expected = "sections such as `campaigns:`"
            report.refuse(tree.place, "a file that is not a mapping", expected=expected, found=tree.described())
    return root


def _join(into: Node, more: Node, report: Report, depth: int) -> None:
    """Add the entries of `more`: sections are joined two levels down, anything else may be stated once."""
    assert isinstance(into.value, dict)
    assert isinstance(more.value, dict)
    for key, node in more.value.items():
        mine = into.value.get(key)
        if mine is None:
            copied = dict(node.value) if isinstance(node.value, dict) else node.value
            into.value[key] = Node(node.place, copied, node.plain, node.source, dict(node.keys))
            into.keys[key] = more.keys[key]
        elif depth == 0 and key not in IN_ONE_FILE and isinstance(mine.value, dict) and isinstance(node.value, dict):
            _join(mine, node, report, depth + 1)
        elif not (depth == 0 and (node.empty or mine.empty)):
            first = into.keys[key]
            mend = f"the first is at {first.file}:{first.line}"
            if depth == 0 and key in IN_ONE_FILE:
                mend += f"; {quoted(key)} stands in one file ({IN_ONE_FILE[key]})"
            report.refuse(more.keys[key], f"{quoted(key)} is stated twice", expected="each name once", mend=mend)


def _playbook(root: Node, files: Mapping[str, bytes], report: Report) -> Playbook:
    """Read every section, in the order in which one needs another."""
    with opened(report, root) as record:
        if report.complete:
            record.require("playbook")
        zone = record.parsed("time_zone", _zone, ZoneInfo("UTC"))
        identifiers = customers.identifiers(record)
        events = customers.events(record)
        campaigns = actions.campaigns(record, zone)
        return Playbook(
            name=record.text("playbook"),
            time_zone=zone.key,
            languages=customers.languages(record),
            identifiers=identifiers,
            groups=customers.groups(record),
            traits=customers.traits(record),
            products=customers.products(record, files, zone),
            events=events,
            sources=customers.sources(record),
            facts=derived.facts(record),
            measures=derived.measures(record, events),
            segments=derived.segments(record),
            moments=derived.moments(record),
            offers=actions.offers(record),
            campaigns=campaigns,
            policies=policies.policies(record),
            placements=actions.placements(record),
            channels=actions.channels(record, campaigns.values(), identifiers),
            resources=resources.resources(record),
        )


@cache
def _zones() -> set[str]:
    return available_timezones()  # looks through folders, and a start loads the playbook of each row that publishes one


def _zone(text: str) -> ZoneInfo:
    if text not in (known := _zones()):
        expected = "a name of the IANA time zone database such as `Europe/Vilnius`"
        raise Slip("an unknown time zone", expected, quoted(text), did_you_mean(text, known))
    return ZoneInfo(text)
