"""What the guide shows is what happens."""

import re
from pathlib import Path

import pytest

from onevoice.importing.load import load_bytes
from onevoice.importing.mapped import open_mapped
from onevoice.importing.summary import told
from onevoice.playbook.load import load_files

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "importing.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEAD, *SECTIONS = GUIDE.read_text("utf-8").split("\n## ")
SHOWN = [section for section in SECTIONS if BLOCK.search(section)]


@pytest.mark.parametrize("section", SHOWN, ids=lambda section: section.partition("\n")[0])
def test_an_example_gives_what_is_shown(section, tmp_path):
    (form, data), (_, mapping), (_, expected) = BLOCK.findall(section)
    path = tmp_path / {"csv": "sales.csv", "json": "sales.ndjson"}[form]
    path.write_text(data, "utf-8")
    playbook = load_files({"playbook.yaml": dict(BLOCK.findall(HEAD))["yaml"].encode()})
    with open_mapped(path, load_bytes("mapping.yaml", mapping.encode()), playbook) as mapped:
        assert "\n".join(told(mapped.summary)) + "\n" == expected


def test_there_are_examples():
    assert len(SHOWN) == 4


def test_the_program_runs(tmp_path, monkeypatch, capsys):
    blocks = dict(BLOCK.findall(HEAD))
    data, mapping, _ = (text for _, text in BLOCK.findall(SHOWN[0]))
    (tmp_path / "playbook").mkdir()
    (tmp_path / "playbook" / "playbook.yaml").write_text(blocks["yaml"])
    (tmp_path / "sales.csv").write_text(data)
    (tmp_path / "mapping.yaml").write_text(mapping)
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks["python"], str(GUIDE), "exec"), {})
    assert "'no identifier': Count(count=1, first_lines=[3])" in capsys.readouterr().out
    assert len((tmp_path / "aside.ndjson").read_text().splitlines()) == 2
