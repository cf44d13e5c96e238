"""Every story is told on a stage of its own, in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Give `stage(playbook, products)`, as often as a story needs a company; all are closed at its end."""
    opened: list[Stage] = []

    def stage_of(playbook: str, products: str = "") -> Stage:
        folder = tmp_path / f"company_{len(opened)}"
        folder.mkdir()
        opened.append(Stage(folder, playbook, products))
        return opened[-1]

    yield stage_of
    for one in opened:
        one.engine.close()
