"""The state before the first event: every table small, and as wide as a program needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from onevoice.engine import bits, store
from onevoice.engine import state as at
from onevoice.program import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from onevoice.compiled import Widths


def empty(widths: Widths) -> at.State:
    """Return the state before the first event, with small tables."""
    ints: Callable[..., Any] = lambda *shape: np.zeros(shape, np.int64)  # noqa: E731 - a dozen uses on one screen
    rows, index = 64, 256
    state = at.State(
        scalars=ints(at.SCALARS),
        pools=ints(at.POOLS, store.POOL_WIDTH),
        customers=ints(rows, at.CUSTOMER_WIDTH),
        identifier_counts=ints(rows, max(widths.kinds, 1)),
        addresses=ints(rows, max(2 * widths.addresses, 1)),
        traits=np.zeros((rows, max(widths.traits, 1))),
        trait_stamps=ints(rows, 2 * max(widths.traits, 1)),
        memberships=ints(rows, bits.words_for(widths.segments)),
        active=ints(rows, bits.words_for(widths.moments)),
        initiators=ints(rows, max(widths.initiators, 1)),
        identifiers=ints(rows, at.IDENTIFIER_WIDTH),
        identifiers_index=ints(index),
        facts=ints(rows, at.FACT_WIDTH),
        facts_index=ints(index),
        cells=ints(rows, at.CELL_WIDTH),
        cells_index=ints(index),
        progress=ints(rows, at.SUBSTEPS + 2 * max(widths.substeps, 1)),
        progress_index=ints(index),
        panes=ints(rows, at.PANE_WIDTH),
        group_heads=ints(1, 1) - 1,
        groups=ints(rows, at.GROUP_WIDTH),
        groups_index=ints(index),
        members=ints(rows, at.MEMBER_WIDTH),
        members_index=ints(index),
        candidates=ints(rows, at.CANDIDATE_WIDTH),
        contexts=np.zeros((rows, max(widths.values, 1))),
        waiting=ints(rows, at.WAITING_WIDTH),
        contacts=ints(rows, at.CONTACT_WIDTH),
        resources=ints(max(widths.resources, 1), at.R_WIDTH),
        shares=ints(max(widths.resources * (widths.classes + 1), 1), at.SHARE_WIDTH),
        first_waiting=ints(max(widths.lines, 1)),
        told=ints(1, at.TOLD_WIDTH),
        feeds=_feeds(widths.feeds),
        switches=ints(widths.campaigns + widths.classes + 1, at.SWITCH_WIDTH),
        timers=ints(rows, 6),
        queue=ints(rows, at.QUEUE_WIDTH),
        decisions=ints(at.DECISIONS_ROWS, at.DECISION_WIDTH),
        lines=ints(at.DECISIONS_ROWS, at.LINE_WIDTH),
        figures=np.zeros((at.DECISIONS_ROWS, at.F_COMPUTED + widths.computed)),
        ids=ints(256, 2),
        names=ints(max(widths.names, 64), at.NAME_WIDTH),
        likes=ints(max(widths.likes, 1), max(widths.names, 64)),
        stack=np.zeros(widths.stack),
        ranks=np.zeros(rows),
        chances=np.zeros(rows),
        scope=ints(2 * SCOPES),
        asks=ints(max(widths.campaigns, 1), at.ASK_WIDTH),
        flipped=ints(max(widths.segments, 1)),
        ask_ranks=np.zeros(max(widths.campaigns, 1)),
        ask_chances=np.zeros(max(widths.campaigns, 1)),
        ranking=np.zeros(2),
        need=ints(at.POOLS),
    )
    state.pools[:, store.FREE] = -1
    return state


def _feeds(count: int) -> NDArray[np.int64]:
    """Return sources of which nothing is known."""
    feeds = np.zeros((max(count, 1), at.FEED_WIDTH), np.int64)
    feeds[:, at.F_KNOWN], feeds[:, at.F_LOOK_AT] = at.NEVER, at.INFINITE
    return feeds
