"""`onevoice schema`: the playbook's form, for editors."""

from __future__ import annotations

from onevoice.cli.given import Json
from onevoice.cli.output import json_of


def schema(*, as_json: Json = False) -> None:
    """Print the JSON Schema of a playbook's files, by which an editor completes keys and marks mistakes.

    For example: `onevoice schema > playbook.schema.json`, and as the first line of each file:
    `# yaml-language-server: $schema=playbook.schema.json`
    """
    import msgspec  # noqa: PLC0415 - `--help` needs none of it

    from onevoice.playbook.json_schema import json_schema  # noqa: PLC0415

    told = json_of(json_schema())
    print(told if as_json else msgspec.json.format(told))
