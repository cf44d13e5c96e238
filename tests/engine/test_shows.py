"""What is kept of shows at its limit: the newest 1,000 of a customer, in the engine as in its twin."""

from onevoice.playbook.capping import SHOWS_MAX
from onevoice.playbook.model import HOUR, SECOND, Cap, Placement, Trigger, TriggerKind
from tests.oracle.desk import START, book, campaign, event, named
from tests.oracle.draw_stream import Batch
from tests.oracle.engine import difference
from tests.oracle.shows import KEPT
from tests.oracle.twin import Twin

SECRET = (1, 2)
WALL = Placement("wall", caps=(Cap(SHOWS_MAX, rolling_us=HOUR),))


def test_the_oldest_shows_are_forgotten_beyond_the_limit():
    assert KEPT == SHOWS_MAX
    shown = campaign("a", Trigger(TriggerKind.ASKED), send=(), placements=("wall",), klass="service")
    playbook = book(campaigns=named(shown), placements=named(WALL))
    asks = [event("asked", None, {"card": "c1"}, placement="wall")] * (SHOWS_MAX + 1)
    rows = [Batch((line,), START + number * SECOND) for number, line in enumerate(asks)]
    rows += [
        Batch((event("offer_clicked", None, {"card": "c1"}, decision=number),), START + 2 * HOUR) for number in (0, 1)
    ]
    rows.append(Batch((asks[0],), START + 2 * HOUR))
    rows.append(Batch((event("offer_clicked", None, {"card": "c1"}, decision=0),), START + 2 * HOUR))
    assert not difference(playbook, rows)
    twin = Twin(playbook, SECRET)
    for row in rows:
        twin.row(list(row.lines), row.stamp)
    assert [line.reason for decision in twin.decisions[-2:] for line in decision.lines] == ["cap", "won"]
    assert len(twin.customers[0].shows) == SHOWS_MAX
    assert twin.unknown_decisions == 1  # the last: that show is no longer among the newest
