"""Prepare the next thing on another thread while the present one is being worked on."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

T = TypeVar("T")


def ahead(source: Iterable[T], *, count: int = 1) -> Generator[T]:
    """Yield what `source` yields, the next item (or `count` of them) made meanwhile; errors come out in place."""
    items = iter(source)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="onevoice-ahead") as worker:
        coming = deque(worker.submit(next, items, end) for _ in range(count))
        try:
            while (item := coming.popleft().result()) is not end:
                coming.append(worker.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            for each in coming:
                with suppress(Exception):
                    each.result()
