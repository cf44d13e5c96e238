"""`onevoice check`: what is wrong with a playbook."""

from __future__ import annotations

from onevoice.cli.given import Json, Playbook
from onevoice.cli.output import answer


def check(playbook: Playbook, /, *, as_json: Json = False) -> None:
    """Read a playbook and name everything that is wrong with it, by file, line and key.

    For example: `onevoice check examples/telecom`
    """
    from onevoice.playbook.load import digest_files, load_files, read_files  # noqa: PLC0415 - `--help` needs none of it

    files = read_files(playbook)
    found = load_files(files)
    counts = {
        "events": len(found.events),
        "moments": len(found.moments),
        "segments": len(found.segments),
        "campaigns": len(found.campaigns),
        "placements": len(found.placements),
        "products": len(found.products.names),
    }
    version = digest_files(files)
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    answer({"playbook": found.name, "version": version, **counts}, f"{found.name} {version[:12]}: {parts}", as_json)
