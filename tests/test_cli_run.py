"""What `onevoice run` promises before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from onevoice import cli
from onevoice.cli import run
from onevoice.runtime import node, payloads

RETAIL = Path(__file__).resolve().parents[1] / "examples" / "retail"


def test_the_defaults_in_its_help_are_those_of_the_engine():
    """They stand twice, so that `--help` needs no engine."""
    assert (run.PIECE_LINES, run.SNAPSHOT_EVERY) == (payloads.PIECE_LINES, node.SNAPSHOT_EVERY)


@pytest.mark.parametrize(("name", "told"), [("none.csv", "cannot be read"), ("sales.xlsx", "sales.xlsx")])
def test_a_file_to_be_mapped_is_looked_for_before_anything_is_made(tmp_path, capsys, name, told):
    data, mapping = tmp_path / "data", RETAIL / "mapping.yaml"
    arguments = ["run", RETAIL / "playbook", tmp_path / name, "--mapping", mapping, "--data", data]
    with pytest.raises(SystemExit) as end:
        cli.main([f"{argument}" for argument in arguments])
    assert end.value.code == 1
    assert told in capsys.readouterr().err
    assert not data.exists()
