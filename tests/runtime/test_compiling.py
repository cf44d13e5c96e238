"""The first start on a machine: who compiles says so, who comes meanwhile waits, who comes later notices nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

import onevoice
from onevoice.engine.kernel import cache_folder
from onevoice.playbook.model import Playbook
from onevoice.runtime import compiling

COMMAND = [sys.executable, "-c", "from onevoice.runtime import compiling; compiling.compile_once(); print('ready')"]


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty cache, here and for processes that are started, with the compiler on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    return cache_folder()


@contextmanager
def started():
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(COMMAND, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process):
    return process.stderr.readline().rstrip()


def leave_kernels(folder):
    """Leave what a process that has compiled all leaves; loading it is numba's own business."""
    (folder / "engine").mkdir()
    (folder / "engine" / "step.step-1.nbi").touch()


def test_kernels_are_looked_for_where_they_are_kept(empty):
    assert not compiling.are_compiled()
    empty.mkdir(parents=True)
    leave_kernels(empty)
    assert compiling.are_compiled()


@pytest.mark.parametrize(("setting", "expected"), [("1", True), ("0", False)])
def test_without_a_compiler_there_is_nothing_to_wait_for(empty, setting, expected, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", setting)
    assert compiling.are_compiled() == expected


def test_one_compiles_and_says_so_while_the_others_wait_and_take_over_when_it_dies(empty):
    with started() as first:
        assert told(first) == compiling.COMPILING
        with started() as second:
            assert told(second) == compiling.WAITING
            first.kill()
            assert told(second) == compiling.COMPILING


def test_who_waited_does_not_compile_again(empty):
    with started() as first:
        assert told(first) == compiling.COMPILING
        with started() as second:
            assert told(second) == compiling.WAITING
            leave_kernels(empty)
            first.kill()
            assert second.communicate() == ("ready\n", "")


def test_opening_an_engine_compiles_first(empty):
    code = "import onevoice; onevoice.open(onevoice.Playbook('shop'))"
    with subprocess.Popen([sys.executable, "-c", code], text=True, stderr=subprocess.PIPE) as process:
        assert told(process) == compiling.COMPILING
        process.kill()


def test_nothing_is_told_where_all_is_compiled(capfd):
    compiling.compile_once()
    capfd.readouterr()
    with onevoice.open(Playbook("shop")) as engine:
        engine.ingest([{"type": "nothing"}])
    assert capfd.readouterr() == ("", "")
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    found = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("ready\n", "")
