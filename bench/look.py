"""Looking at what was decided: the figures of a report, one customer's timeline, one decision told.

Before measuring: 1M events lie in the journal as some 100 MB of lines. A timeline decodes all of them (0.4 µs an event
with Arrow, 0.9 with JSON) to find the customer's, and folds those alone, watching: 1 to 2 s, of which the second
reading of the rows is the rest. A report sorts and joins the lines of all decisions in DuckDB: 100k lines, 0.5 s.
Beside each is what merely reading its source takes: the rows of the journal, verified; the lines as one table.
"""

from __future__ import annotations

import tempfile

import onevoice
from bench import workload
from bench.report import row, seconds

EVENTS, CUSTOMERS, DAYS, LOOKED_AT = 1_000_000, 100_000, 30, 10


def read_rows(engine):
    return sum(len(row.payload) for row in engine._journal.read(0))  # noqa: SLF001 - the limit beside


def main():
    events = workload.stream(EVENTS, CUSTOMERS, DAYS)
    with tempfile.TemporaryDirectory() as folder, onevoice.open(workload.playbook(), folder) as engine:
        engine.ingest(workload.ndjson(events), imported=True)
        read_s, size = seconds(lambda: read_rows(engine))
        table_s, table = seconds(engine.decisions_table)
        report_s, report = seconds(engine.report)
        beside = f"of {table.num_rows:,} lines, {report.customers:,} customers; as one table in {table_s:.2f} s"
        row("report", report_s, "s", None, beside, less=True)
        numbers = [report.example.customer, *(each.customer for each in report.crowded)][:LOOKED_AT]
        looks = [seconds(lambda number=number: engine.timeline(number)) for number in numbers]
        timeline_s = sorted(took for took, _ in looks)[len(looks) // 2]
        found = looks[0][1]
        beside = (
            f"median of {len(looks)}; one has {len(found.events)} events, {len(found.decisions)} decisions; "
            f"{EVENTS:,} events in the journal, {size / 1e6:.0f} MB read and verified in {read_s:.2f} s"
        )
        row("timeline of one customer", timeline_s, "s", None, beside, less=True)
        why_s, _ = seconds(lambda: engine.why(numbers[0], last=10))
        row("ten decisions of one customer told", why_s, "s", None, "", less=True)


if __name__ == "__main__":
    main()
