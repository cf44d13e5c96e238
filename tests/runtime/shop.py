"""One shop, by hand: a playbook with one campaign in question, `hello`, and what happened to Ann."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import onevoice
from onevoice.playbook.load import load_files

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN = {"email": "ann@x.org"}
BOOK = """
playbook: shop
identifiers: {{email: {{}}, phone: {{}}}}
traits: {{n: number, agrees: boolean, tier: choice}}
events:
  order: {{fields: {{amount: number, gift: boolean, shop: choice}}}}
  visit: {{}}
  case_opened: {{fields: {{case_id: key}}}}
  case_closed: {{fields: {{case_id: key}}}}
facts: {{open_case: {{opens: case_opened, closes: case_closed, per: case_id}}}}
measures: {{spend: sum of order.amount over 64 days, orders: count of order}}
segments: {{regular: spend >= 100}}
campaigns:
  hello: {{class: sales, {campaign}}}
{more}
policies: {{classes: {{sales: {{{klass}}}}}{policies}}}
channels: {{mail: {{}}, sms: {{address: phone}}}}
"""


def book(campaign: str, *, policies: str = "", klass: str = "", more: str = "") -> str:
    return BOOK.format(campaign=campaign, policies=policies and f", {policies}", klass=klass, more=more)


def shop(text: str, *events: tuple[float, str, dict[str, Any], dict[str, Any]], until: float | None = None) -> Any:
    """Return an engine that was told of events, each (hours after Monday at nine, type, fields, traits)."""
    engine = onevoice.open(load_files({"playbook.yaml": text.encode()}))
    for hours, kind, fields, traits in events:
        event = {"type": kind, "identifiers": ANN, "fields": fields, "traits": traits}
        engine.ingest([event], time=MONDAY + timedelta(hours=hours))
    if until is not None:
        engine.tick(MONDAY + timedelta(hours=until))
    return engine


def order(hours: float, amount: float, **more: Any) -> Any:
    return hours, "order", {"amount": amount, **more}, {}


def visit(hours: float, **traits: Any) -> Any:
    return hours, "visit", {}, traits


def goes_out(engine: Any) -> bool:
    return any(line.campaign == "hello" for decision in engine.decisions() for line in decision.won)


def asked(engine: Any) -> Any:
    return engine.why_not(ANN, "hello")
