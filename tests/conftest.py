"""What tests of the command line share."""

from __future__ import annotations

import pytest

from onevoice import cli


@pytest.fixture
def call(capsys):
    """Return what runs a command line and gives its exit code, its output and its errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([f"{argument}" for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return run
