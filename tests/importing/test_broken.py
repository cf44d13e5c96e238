"""A golden table: each broken mapping and every mistake it is told, word for word.

A mapping that begins with `# columns: a, b` is sound by itself and broken for a file with these columns.
`UPDATE_GOLDEN=1 python -m pytest tests/importing/test_broken.py` writes the messages anew; read the difference.
"""

import os
from pathlib import Path

import pytest

from onevoice.errors import MappingError
from onevoice.importing.load import load_bytes, load_mapping

from .bed import csv, mapped

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.stem for path in BROKEN.glob("*.yaml"))


def messages(case, folder):
    content = (BROKEN / f"{case}.yaml").read_bytes()
    first = content.decode("utf-8", "replace").partition("\n")[0]
    met, _, columns = first.partition("# columns: ")
    file = csv(folder, columns + "\n")
    with pytest.raises(MappingError) as caught:
        load_bytes("mapping.yaml", content) if met or not columns else mapped(file, content)
    return f"{caught.value}\n"


@pytest.mark.parametrize("case", CASES)
def test_a_broken_mapping_is_told_every_mistake(case, tmp_path):
    expected = BROKEN / f"{case}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(messages(case, tmp_path), encoding="utf-8")
    assert messages(case, tmp_path) == expected.read_text(encoding="utf-8")


def test_the_table_has_no_orphans():
    assert len(CASES) >= 10
    assert {path.stem for path in BROKEN.glob("*.txt")} == set(CASES)


def test_a_mapping_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MappingError, match=r"absent\.yaml: cannot be read; expected a mapping in YAML"):
        load_mapping(tmp_path / "absent.yaml")


def test_the_digest_is_of_the_meaning():
    first = load_bytes("a", b"time: {column: at}\nevents: [{type: sold}]")
    same = load_bytes("b", b"# a comment\nevents:\n  - type: 'sold'\ntime:\n  column:   at\n")
    other = load_bytes("a", b"time: {column: at}\nevents: [{type: sent_back}]")
    assert first.digest == same.digest != other.digest
