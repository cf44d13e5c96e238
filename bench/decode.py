"""Events per second from bytes to columns, against msgspec decoding the same bytes into plain structs in the same run.

Before measuring: a line of 300 bytes read once byte by byte at about 1 ns a byte, plus a hash of 30 ns for each of
identifier, id and key, is about 0.4 µs: 2.5M events/s. From Arrow it is these hashes, 15 ns to find each of six names,
and 5 ns for each of ten columns of the batch: 0.25 µs. A struct per line costs msgspec about 0.7 µs.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa

from onevoice.events.decode import decode_arrow, decode_ndjson
from onevoice.events.schema import Schema
from onevoice.playbook.model import EventType, FieldType, Identifier, Playbook, Trait

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
N, T, C, K, P = FieldType.NUMBER, FieldType.TEXT, FieldType.CHOICE, FieldType.KEY, FieldType.PRODUCT
PLAYBOOK = Playbook(
    "bench",
    identifiers={
        "user_id": Identifier("user_id", unique=True),
        "email": Identifier("email", format="email"),
        "cookie": Identifier("cookie", anonymous=True),
    },
    traits={"tier": Trait("tier", C), "churn_risk": Trait("churn_risk", N)},
    events={
        "page_viewed": EventType("page_viewed", {"page": C, "product": P, "seconds": N, "referrer": T}),
        "order_placed": EventType(
            "order_placed",
            {"order_id": K, "amount": N, "store": C, "note": T},
            {"items": {"product": P, "quantity": N}},
        ),
        "case_opened": EventType("case_opened", {"case_id": K, "severity": C, "satisfied": FieldType.BOOLEAN}),
    },
)


class Event(msgspec.Struct):
    """The plain struct of the peer."""

    type: str
    time: str
    id: str
    identifiers: dict[str, str]
    source: str
    fields: dict[str, str | float | bool | list[dict[str, str | float]] | None]


def events(count: int, seed: int) -> list[dict[str, object]]:
    """Return events of about 300 bytes as JSON: one identifier, 3 or 4 fields."""
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, count).tolist()
    customers = random.integers(0, count // 4 + 1, count).tolist()
    numbers = random.integers(0, 1_000_000, count).tolist()
    made: list[dict[str, object]] = []
    for i, (kind, customer, number) in enumerate(zip(kinds, customers, numbers, strict=True)):
        name = ("page_viewed", "order_placed", "case_opened")[kind]
        fields = (
            {
                "page": f"section-{number % 40}/offers",
                "product": f"sku-{number % 5000:07d}",
                "seconds": number % 300 / 10,
                "referrer": "https://www.example.com/search?q=winter+boots&page=2",
            },
            {
                "order_id": f"order-{number:09d}",
                "amount": number / 100,
                "store": f"store-{number % 90}",
                "note": "x" * 50,
            },
            {"case_id": f"case-{number:09d}", "severity": ("low", "high")[number % 2], "satisfied": number % 3 == 0},
        )[kind]
        made.append(
            {
                "type": name,
                "time": f"2026-03-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:{i * 7 % 60:02d}.{i % 1000:03d}Z",
                "id": f"01JQ{i:022d}",
                "identifiers": {"email": f"customer.number.{customer}@mail.example.org"},
                "source": "web-shop-eu",
                "fields": fields,
            }
        )
    return made


def best(run: Callable[[], object], times: int = 3) -> float:
    """Return the processor seconds of the quickest of some runs; other processes hardly count."""
    seconds: list[float] = []
    for _ in range(times):
        start = time.thread_time()
        run()
        seconds.append(time.thread_time() - start)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    made = events(options.events, options.seed)
    payload = b"\n".join(map(msgspec.json.encode, made))
    schema = Schema(PLAYBOOK)
    peer = msgspec.json.Decoder(Event)
    batch = decode_ndjson(payload, schema, SECRET)
    assert not batch.rejected
    assert len(batch.rows) == options.events
    plain = best(lambda: peer.decode_lines(payload))
    ours = best(lambda: decode_ndjson(payload, schema, SECRET))
    stamped = [{**event, "time": np.datetime64(str(event["time"])[:-1], "us").item()} for event in made]
    table = pa.Table.from_pylist(stamped)
    table = table.set_column(1, "time", table["time"].cast(pa.timestamp("us", tz="UTC")))
    arrow = best(lambda: decode_arrow(table, schema, SECRET))
    per_line = len(payload) / options.events
    print(f"{options.events:,} events, {per_line:.0f} bytes a line, one core")
    for name, seconds in (("msgspec, plain structs", plain), ("decode_ndjson", ours), ("decode_arrow", arrow)):
        rate = options.events / seconds
        speed = f"{rate / 1e6:6.2f}M events/s {rate * per_line / 1e6:7.0f} MB/s"
        print(f"{name:>24} {speed}  x{plain / seconds:.2f} of msgspec")


if __name__ == "__main__":
    main()
