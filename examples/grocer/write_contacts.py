"""Write the log of the year's real mailings, as the tool that sent them would have exported it.

    python examples/grocer/write_contacts.py demo-data/sent.csv
    onevoice audit demo-data/events.parquet demo-data/sent.csv --playbook demo-data/playbook --html audit.html

A line for each household that a mailing went to, on the first day of the campaign. The tables know only days, so the
time of day stays open.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from onevoice.demo.tables import packaged_tables

BY: Final = "mail"


def contacts() -> pa.Table:
    """Return the log in order of time."""
    tables = packaged_tables()
    days = tables.read("campaign_descriptions", "campaign_id", "start_date")
    sent = tables.read("campaigns", "campaign_id", "household_id").join(days, "campaign_id")
    sent = sent.sort_by([(name, "ascending") for name in ("start_date", "campaign_id", "household_id")])
    return pa.table(
        {
            "time": pc.strftime(sent["start_date"], "%Y-%m-%d"),
            "household_id": sent["household_id"],
            "campaign": pc.binary_join_element_wise("c", sent["campaign_id"].cast(pa.string()), ""),
            "channel": pa.array([BY] * sent.num_rows),
        }
    )


if __name__ == "__main__":
    to = Path(sys.argv[1])
    pyarrow.csv.write_csv(contacts(), to)
    print(f"written {to}")
