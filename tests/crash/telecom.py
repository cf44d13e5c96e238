"""A small file of events for the telecom example, the same for every seed, with everything that can go on in it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

PLAYBOOK = Path(__file__).resolve().parents[2] / "examples" / "telecom"
BEGIN = datetime(2026, 2, 1, 8, tzinfo=UTC)


def lines(seed: int, count: int) -> bytes:
    dice = random.Random(seed)
    time = BEGIN
    found = []
    for number in range(count):
        time += timedelta(minutes=dice.choice([0, 1, 20, 300]))
        found.append(msgspec.json.encode(event(dice, number, time)))
        if dice.random() < 0.03:
            found.append(dice.choice([b"{", b'{"type":"store_visited"}', found[-1]]))
    return b"\n".join(found)  # the last line has no newline, as in many a file


def event(dice: random.Random, number: int, time: datetime) -> dict[str, object]:
    person = dice.randrange(8)
    who = {
        "user_id": f"u{person}",
        "email": f"u{person}@example.lt",
        "phone": f"+3706123450{person}",
        "cookie": f"c{dice.randrange(12)}",
    }
    kinds = dice.sample(sorted(who), dice.randint(1, 3))
    kind, fields = dice.choice(KINDS)
    told = {name: value(dice) for name, value in fields.items()}
    found: dict[str, object] = {"type": kind, "time": time, "id": f"e{number}", "fields": told}
    if kind == "product_restocked":
        return found
    found["identifiers"] = {name: who[name] for name in kinds}
    if dice.random() < 0.2:
        found["traits"] = {"tier": dice.choice(["gold", "silver", None]), "churn_risk": dice.random()}
    return found


def product(dice: random.Random) -> str:
    return dice.choice(["phone_x", "case_red", "contract_plus"])


KINDS = [
    ("page_viewed", {"page": lambda dice: dice.choice(["retention-offers", "home"]), "product": product}),
    ("store_visited", {}),
    (
        "order_placed",
        {
            "order_id": lambda dice: f"o{dice.randrange(9)}",
            "amount": lambda dice: dice.randrange(900),
            "items": lambda dice: [{"product": product(dice), "quantity": 1}],
        },
    ),
    ("order_delivered", {"order_id": lambda dice: f"o{dice.randrange(9)}"}),
    ("phone_changed", {}),
    ("connection_failed", {}),
    ("connection_failed", {}),
    ("contract_extended", {}),
    ("case_opened", {"case_id": lambda dice: f"k{dice.randrange(4)}"}),
    ("case_resolved", {"case_id": lambda dice: f"k{dice.randrange(4)}"}),
    ("product_restocked", {"product": product}),
    ("asked", {"placement": lambda dice: "home_banner"}),
    *((f"contact_{state}", {"contact": lambda dice: dice.randrange(12)}) for state in ("sent", "failed", "seen")),
    ("page_left", {}),  # unknown to the playbook
]
