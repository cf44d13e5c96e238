"""The page of conditions: every function, operator and name that the checker lets through, each with an example.

`ROWS` names the nodes of SQL that a row is about; `test_reference.py` holds them together with the checker's list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from onevoice.conditions import types
from onevoice.conditions.opcodes import STACK_MAX
from onevoice.conditions.parse import DEPTH_MAX, LENGTH_MAX
from onevoice.conditions.tree import Part
from onevoice.playbook.load import load_files
from onevoice.playbook.scopes import Scopes

WORLD: Final = {
    "playbook.yaml": b"""
playbook: reference
identifiers: {email: {format: email}}
traits: {tier: choice, member: boolean, birthday: date, risk: number, seen: time}
products: {file: products.csv, fields: {category: choice, price: number}}
events:
  page_viewed: {fields: {page: choice, product: product}}
  order_placed: {fields: {order_id: key, amount: number, items: {product: product}}}
  case_opened: {fields: {case_id: key, company_id: key}}
  case_resolved: {fields: {case_id: key}}
groups: {account: {by: company_id}}
facts:
  open_case: {opens: case_opened, closes: case_resolved, per: case_id}
  owns: {opens: order_placed.items, per: [product, order_id]}
measures:
  spend: sum of order_placed.amount over 365 days
  orders: count of order_placed
  last_order: latest order_placed
segments: {premium: tier = 'gold' or spend > 1000}
offers: {case: {product: boots, value: 8, parameters: {discount: 10}}}
campaigns:
  hello: {class: sales, when: event page_viewed, offer: case, send: [email]}
policies: {classes: {sales: {}}}
""",
    "products.csv": b"product,category,price\nboots,shoes,120\n",
}


@dataclass(frozen=True)
class Row:
    """One thing a condition may hold. `says`: what it means; `nodes`: its nodes of the checker's list."""

    example: str
    says: str
    nodes: tuple[type[exp.Expr], ...]


SECTIONS: Final = {
    "Values": (
        Row("spend > 1.5e3", "a number", (exp.Literal,)),
        Row("tier = 'it''s'", "a text, in single quotes; a quote inside is doubled", (exp.Literal,)),
        Row("member = true", "`true`, `false`", (exp.Boolean,)),
        Row("last_order > timestamptz '2026-03-01 10:00+02:00'", "an instant, with its offset from UTC", (exp.Cast,)),
        Row("birthday < date '2000-01-31'", "a date", (exp.Cast,)),
        Row("last_order > now() - interval '14 days'", "a length of time, of weeks or shorter", (exp.Interval,)),
        Row("now() - last_order < interval '1 hour' * orders", "one that varies", (exp.Interval,)),
        Row("last_order < now()", "the present instant: of the event, or of the timer", (exp.Anonymous,)),
        Row("birthday < current_date - interval '6570 days'", "today, in the customer's zone", (exp.CurrentDate,)),
    ),
    "Comparison and logic": (
        Row("tier = 'gold' and tier <> 'silver'", "equal, not equal", (exp.EQ, exp.NEQ)),
        Row("spend > 1 and spend <= 9 and orders >= 2 and orders < 5", "order", (exp.GT, exp.LTE, exp.GTE, exp.LT)),
        Row("spend between 10 and 20", "both ends included", (exp.Between,)),
        Row("tier in ('gold', 'silver')", "one of several literals", (exp.In,)),
        Row("tier like 'go%'", "`%` any characters, `_` one; case counts", (exp.Like,)),
        Row("last_order is null", "unknown", (exp.Is,)),
        Row("member is not true", "false or unknown", (exp.Is,)),
        Row("premium and (member or not open_case)", "three-valued: unknown is neither", (exp.And, exp.Or, exp.Not)),
    ),
    "Numbers": (
        Row("spend + 2 * orders - risk / 3 > 0", "arithmetic", (exp.Add, exp.Mul, exp.Sub, exp.Div)),
        Row("orders % 2 = 0", "the remainder", (exp.Mod,)),
        Row("-risk < 0", "the opposite", (exp.Neg,)),
        Row(
            "abs(risk) + floor(spend) + ceil(spend) > 3",
            "without its sign, rounded down, rounded up",
            (exp.Abs, exp.Floor, exp.Ceil),
        ),
        Row("least(spend, 10) < greatest(orders, 3)", "NULLs are passed over", (exp.Least, exp.Greatest)),
    ),
    "Choosing": (
        Row("coalesce(risk, 0.5) > 0.3", "the first that is known", (exp.Coalesce,)),
        Row("case when premium then 3 else 1 end > 2", "without `else`: NULL", (exp.Case,)),
        Row("case tier when 'gold' then 3 when 'silver' then null else 1 end > 2", "by a value", (exp.Case, exp.Null)),
    ),
    "Facts": (
        Row("open_case", "true while any key of it is open", (exp.Column,)),
        Row("owns('boots')", "true while that key is open; of a longer key its first part is enough", (exp.Anonymous,)),
        Row("owns(offer.product)", "of what is being offered", (exp.Anonymous,)),
        Row("count(open_case) >= 2", "how many keys are open", (exp.Count,)),
        Row("any account.open_case", "of the customer, or of anybody in a group with them", (exp.Any,)),
        Row("any account.owns('boots')", "the same of a key", (exp.Any,)),
    ),
    "Parts of dates and times": (
        Row("extract(month from birthday) = 12", "in the customer's zone", (exp.Extract,)),
        Row("date_part('hour', now()) >= 15", "the same", (exp.Anonymous,)),
        Row("year(now()) > 2026 or month(now()) = 5 or day(now()) = 1", "the same", (exp.Year, exp.Month, exp.Day)),
        Row("hour(now()) < 8 or minute(now()) = 0", "of a time only", (exp.Hour, exp.Minute)),
        Row("isodow(now()) >= 6", "1 Monday to 7 Sunday", (exp.DayOfWeekIso,)),
        Row("dayofyear(birthday) = dayofyear(current_date)", "1 to 366", (exp.DayOfYear,)),
    ),
    "Names": (
        Row("tier = 'gold'", "a trait; one of type `text` is for messages only", (exp.Column,)),
        Row("spend > 100 and last_order is null", "a measure", (exp.Column,)),
        Row("premium", "a segment", (exp.Column,)),
        Row("event.page = 'home'", "a field of the event; `page` alone is first looked for among these", (exp.Column,)),
        Row("event.product.category = 'shoes'", "a field of the catalogue, by the event's product", (exp.Column,)),
        Row("offer.value > 5 and offer.family = 'case'", "`value`, `product`, `family` of the offer", (exp.Column,)),
        Row("offer.discount > 5", "one of its parameters that is given as it stands", (exp.Column,)),
        Row("offer.product.price < 100", "a field of the catalogue, by the offered product", (exp.Column,)),
        Row(
            "priority > 10 and weight < 3 and lever = 1",
            "numbers of the campaign; `propensity` and `age` in the rank",
            (),
        ),
    ),
}

PLACES: Final = """
## Which names where

| condition | the customer | the event | the offer, the campaign | the clock |
|---|---|---|---|---|
| `where` of a fact, measure, step, trigger, `until` | | yes | | |
| a segment | yes, of segments those above it | | | yes |
| `if` of a campaign | yes | that of the trigger | each of its offers, its own numbers | yes |
| `propensity` of a campaign | yes | that of the trigger | the same, and `age` | yes |
| `if` and computed parameters of an offer, `while` of a suppression | yes | | the offer | yes |
| `policies.rank` | yes | | yes, `propensity` and `age` too | yes |
"""


def page() -> str:
    """Return the page, in Markdown."""
    scopes = Scopes(load_files(WORLD))
    scope = scopes.campaign(scopes.playbook.campaigns["hello"])
    parts = ", ".join(f"`{part.name.lower()}`" for part in Part)
    lines = [
        "# Conditions",
        "",
        (
            "<!-- Generated from what the checker lets through: `UPDATE_GOLDEN=1 python -m pytest tests/docs/test_reference.py` "
            "writes this page anew. -->"
        ),
        "",
        (
            "Every `if`, `where`, `while`, rank and segment is a SQL expression. Anything that is not on this page is refused, "
            "with its column. Every example here is checked."
        ),
        "",
    ]
    for title, rows in SECTIONS.items():
        lines += [f"## {title}", "", "| for example | |", "|---|---|"]
        for row in rows:
            types.check(row.example, scope, types.Type.BOOLEAN, "")
            lines.append(f"| `{row.example}` | {row.says} |".replace("|  |", "| |"))
        lines.append("")
    lines[-1:] = [PLACES]
    lines += [
        "## Exactly",
        "",
        f"- The parts of a date or time are {parts}.",
        "- Months and years have no fixed length: an interval is written in weeks, days or shorter.",
        "- A comparison with something unknown is unknown, and what is unknown is not true. A result that is not finite is unknown.",
        "- Texts are equal or not; they have no order. Types do not mix: a number is no text, a date no time.",
        (
            f"- At most {LENGTH_MAX:,} characters, {DEPTH_MAX} expressions inside one another, {STACK_MAX} values held at once: "
            "name parts of a larger one as segments."
        ),
        "- A name that is also a word of SQL cannot be used in a condition, and is refused where it is declared.",
    ]
    return "\n".join(lines) + "\n"


def nodes() -> set[type[exp.Expr]]:
    """Return every node of SQL that the page shows."""
    return {node for rows in SECTIONS.values() for row in rows for node in row.nodes}
