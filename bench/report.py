"""Rows of the table, and how time is taken."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter, thread_time

HEAD = "| row | figure | target | | beside it, in the same run |\n|---|---|---|---|---|"


def number(value):
    """Return a number with about three digits, thousands and more as a letter."""
    for least, size, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / size:.3g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def row(name, figure, unit, target=None, beside="", *, less=False):
    """Print one row. `less`: smaller is better. Without a target the figure is for information."""
    met, wanted = "", ""
    if target is not None:
        reached = figure <= target if less else figure >= target
        met = "reached" if reached else f"{figure / target:.2f} of it"
        wanted = number(target)
    print(f"| {name} | {number(figure)} {unit} | {wanted} | {met} | {beside} |", flush=True)


def core_seconds(work):
    """Return the processor seconds of this thread, so that other processes hardly count, and the result."""
    start = thread_time()
    result = work()
    return thread_time() - start, result


def seconds(work):
    """Return the seconds by the clock on the wall, and the result."""
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


@contextmanager
def added_to(totals, name):
    """Add the processor seconds of a block to `totals[name]`."""
    start = thread_time()
    yield
    totals[name] = totals.get(name, 0.0) + thread_time() - start
