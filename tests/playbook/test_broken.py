"""A golden table: each broken playbook and every mistake it is told, word for word.

`UPDATE_GOLDEN=1 python -m pytest tests/playbook/test_broken.py` writes the messages anew; read the difference before
you commit it.
"""

import os
from pathlib import Path

import pytest

from onevoice.errors import PlaybookError
from onevoice.playbook.load import load, load_files

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.name for path in BROKEN.iterdir() if path.is_dir() or path.suffix == ".yaml")


def messages(case):
    path = BROKEN / case
    with pytest.raises(PlaybookError) as caught:
        load(path) if path.is_dir() else load_files({"playbook.yaml": path.read_bytes()})
    return f"{caught.value}\n"


@pytest.mark.parametrize("case", CASES)
def test_a_broken_playbook_is_told_every_mistake(case):
    expected = BROKEN / f"{Path(case).stem}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(messages(case), encoding="utf-8")
    assert messages(case) == expected.read_text(encoding="utf-8")


def test_the_table_is_large_and_has_no_orphans():
    assert len(CASES) >= 60
    assert {path.stem for path in BROKEN.glob("*.txt")} == {Path(case).stem for case in CASES}
