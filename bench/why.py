"""Why and why not of one customer among 200,000, from a history of ten million events.

Before measuring: a customer has 50 events, each in another row of 16,384 lines. To read and unpack a whole row costs 3
ms, so 50 of them 150 ms; of its frames of 32 KB one is enough, 0.1 ms: 5 ms. To decode 50 lines and fold them two or
three times 10 ms, and what is tried 1 ms a time: 30 to 50 ms. Beside it is what reading the whole journal takes. The
index should be 8 bytes a mark, of which a line here has 1.35.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import onevoice
from bench import workload
from bench.report import row, seconds

EVENTS, CUSTOMERS, DAYS, PART = 10_000_000, 200_000, 150, 500_000
ASKED, SEED = 50, 7


def live(folder):
    """Make the history: a minute or more a million events."""
    events = workload.stream(EVENTS, CUSTOMERS, DAYS)
    with onevoice.open(workload.playbook(), folder, snapshot_every=0) as engine:
        for start in range(0, EVENTS, PART):
            engine.ingest(workload.ndjson(events.part(start, start + PART)), imported=True)


def percentile(took, share):
    return sorted(took)[int(len(took) * share)] * 1_000


def told(name, took, beside, target=None):
    row(f"{name}, median", percentile(took, 0.5), "ms", target, beside, less=True)
    row(f"{name}, p95", percentile(took, 0.95), "ms", None, "", less=True)


def ask(engine, draw, campaign_of):
    """Return the seconds that each of ASKED questions took, after a few that warm up."""
    took = []
    while len(took) < ASKED + 5:
        who = {"user_id": f"user-{draw.randrange(CUSTOMERS)}"}
        campaign = campaign_of(who)
        if campaign:
            took.append(seconds(lambda who=who, campaign=campaign: engine.why_not(who, campaign))[0])
    return took[5:]


def measure(folder):
    size = sum(path.stat().st_size for path in (folder / "index").iterdir())
    journal = (folder / "journal.sqlite").stat().st_size
    with onevoice.open(None, folder, snapshot_every=0) as engine:
        draw, names = random.Random(SEED), list(engine.playbook.campaigns)

        def lost(who):
            found = [line.campaign for each in engine.decisions(who) for line in each.lines if line.reason != "won"]
            return draw.choice(found) if found else ""

        beside = f"of {ASKED} customers with {EVENTS // CUSTOMERS} events each, any campaign; {EVENTS:,} events"
        told("why not", ask(engine, draw, lambda _: draw.choice(names)), beside, 100)
        told(
            "why not, of a campaign that lost",
            ask(engine, draw, lost),
            "one that met the customer and did not win",
            100,
        )
        whole, _ = seconds(lambda: [row.count for row in engine._journal.read(0)])  # noqa: SLF001 - the limit beside
        why = [seconds(lambda who=who: engine.why(who, last=10))[0] for who in range(0, CUSTOMERS, CUSTOMERS // ASKED)]
        told("why, ten decisions told", why, f"to read the whole journal, and nothing else, takes {whole:.1f} s")
        time = [seconds(lambda who=who: engine.timeline(who))[0] for who in range(0, CUSTOMERS, CUSTOMERS // ASKED)]
        told("timeline of one of them", time, "the same history")
        beside = f"{size / 1e6:.0f} MB; the journal has {journal / EVENTS:.1f} B an event"
        row("index, bytes an event", size / EVENTS, "B", None, beside, less=True)
        engine._writer.since_snapshot = 0  # noqa: SLF001 - nothing came in


def main():
    with tempfile.TemporaryDirectory() as folder:
        live(folder)
        measure(Path(folder))


if __name__ == "__main__":
    main()
