"""Prepare the next thing on another thread while the present one is being worked on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

T = TypeVar("T")


def one_ahead(source: Iterable[T]) -> Generator[T]:
    """Yield what `source` yields, the next item being made meanwhile; its errors come out where its items would."""
    items = iter(source)
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="onevoice-ahead") as worker:
        coming = worker.submit(next, items, end)
        try:
            while (item := coming.result()) is not end:
                coming = worker.submit(next, items, end)
                yield item  # type: ignore[misc]
        finally:
            with suppress(Exception):
                coming.result()
