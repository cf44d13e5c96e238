"""Every story is told on a stage of its own, in a folder of its own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Give `stage(playbook, products)`, as often as a story needs a company; all are told again at its end."""
    opened: list[Stage] = []

    def stage_of(playbook: str, products: str = "") -> Stage:
        folder = tmp_path / f"company_{len(opened)}"
        folder.mkdir()
        opened.append(Stage(folder, playbook, products))
        return opened[-1]

    yield stage_of
    for one in opened:
        is_same_when_told_again(one)
        one.engine.close()


def is_same_when_told_again(one: Stage) -> None:
    """Hold a story to the first law: its journal alone, read from the beginning, ends where the story ended."""
    state, lines = one.engine.hash(), one.lines()
    one.engine.close()
    shutil.rmtree(one.data / "snapshots", ignore_errors=True)
    one.engine = one.opened()
    assert one.engine.hash() == state
    assert one.lines() == lines
