"""A small playbook for files of another form, and what a mapping makes of them."""

import json
from pathlib import Path

from onevoice.importing.load import load_bytes
from onevoice.importing.mapped import open_mapped
from onevoice.playbook.load import load_files

PLAYBOOK = load_files(
    {
        "playbook.yaml": b"""
playbook: shop
identifiers: {card: {}, email: {format: email}}
traits: {tier: choice, points: number}
events:
  sold:
    fields:
      receipt: key
      total: number
      shop: choice
      gift: boolean
      due: date
      paid_at: time
      items: {product: product, quantity: number}
  sent_back: {fields: {receipt: key, total: number, items: {product: product, quantity: number}}}
  weighed: {fields: {total: choice, items: {product: choice, quantity: choice}}}
  restocked: {about: product}
sources: {till: {lag: 1 day}}
products: {file: products.csv, fields: {}}
""",
        "products.csv": b"product\ntea\nmilk\n",
    }
)
MAPPING = b"""
time: {column: at, zone: Europe/Vilnius}
columns: {price: number}
identifiers: {card: card}
events:
  - {type: sold, fields: {total: price}}
"""


def mapped(path, mapping=MAPPING):
    """The events that a mapping makes of a file, the summary, and the lines kept aside."""
    aside = path.with_name("aside.ndjson")
    with open_mapped(Path(path), load_bytes("mapping.yaml", mapping), PLAYBOOK) as found:
        events = [plain(event) for batch in found.events() for event in batch.to_pylist()]
        places = [found.line_of(number) for number in range(len(events))]
        found.write_aside(aside)
        summary = found.summary
    kept = [json.loads(line) for line in aside.read_text("utf-8").splitlines()]
    aside.unlink()
    assert summary.lines == summary.used + summary.duplicates.count + sum(n.count for n in summary.aside.values())
    assert len(kept) == sum(each.count for each in summary.aside.values())
    assert places == sorted(set(places), key=places.index), "an event begins at a line of its own"
    return events, summary, kept


def plain(event):
    """An event without what it does not have, its time as text."""
    told = {name: value for name, value in event.items() if value is not None}
    return told | {"time": told["time"].strftime("%Y-%m-%dT%H:%M:%SZ")}


def reasons(summary):
    return {reason: (count.count, count.first_lines) for reason, count in summary.aside.items()}


def csv(folder, text, name="sales.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
