"""A golden table: each broken condition and what it is told, word for word.

`UPDATE_GOLDEN=1 python -m pytest tests/conditions/test_broken.py` writes the messages anew; read the difference before
you commit it. A block of `broken.txt` is a condition, then its message indented; `[segment]` or `[where]` before it
limits what it may use, `[number]` says what it has to give.
"""

import dataclasses
import os
from pathlib import Path

import pytest

from onevoice.conditions.tree import Scope, Type
from onevoice.conditions.types import check
from onevoice.errors import ConditionError
from tests.conditions import bed

TABLE = Path(__file__).with_name("broken.txt")
SCOPES = {
    "": bed.SCOPE,
    "[number]": bed.SCOPE,
    "[segment]": Scope(
        {name: symbol for name, symbol in bed.SCOPE.symbols.items() if not name.startswith("event.")},
        offer=False, purpose="a segment",
    ),
    "[where]": dataclasses.replace(
        bed.SCOPE, customer=False, clock=False, offer=False, purpose="the `where` of a measure"
    ),
}  # fmt: skip


def _blocks() -> list[tuple[str, str, str]]:
    blocks = []
    for block in TABLE.read_text("utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        kind = lines.pop(0) if lines[0] in SCOPES else ""
        told = [line for line in lines if line.startswith("    ")]
        blocks.append((kind, "\n".join(line for line in lines if line not in told), "\n".join(told).strip()))
    return blocks


def _told(kind: str, text: str) -> str:
    with pytest.raises(ConditionError) as raised:
        check(text, SCOPES[kind], Type.NUMBER if kind == "[number]" else Type.BOOLEAN, "shop.yaml:3:9")
    assert len(raised.value.mistakes) == 1
    return str(raised.value)


def test_every_message_is_as_written() -> None:
    told = [(kind, text, _told(kind, text)) for kind, text, _ in _blocks()]
    if os.environ.get("UPDATE_GOLDEN"):
        blocks = ["\n".join([*([kind] if kind else []), text, "    " + message]) for kind, text, message in told]
        TABLE.write_text("\n\n".join(blocks) + "\n", "utf-8")
    assert _blocks() == told


NESTED = "(" * 65 + "vip" + ")" * 65
DEEP = "case when vip then 1 else " * 60 + "1" + " end" * 60


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("score > 1 or " * 400 + "vip", "the condition is too long"),
        (NESTED, "the condition is nested too deeply"),
        ("not " * 900 + "vip", "the condition is nested too deeply"),
        ("- " * 500 + "score > 1", "the condition is nested too deeply"),
        ("+".join(["score"] * 100) + " > 1", "the condition is nested too deeply"),
        ("score > " + "1 + (" * 40 + "income" + ")" * 40, "too many values have to be held at once"),
    ],
)
def test_limits_are_told(text: str, what: str) -> None:
    with pytest.raises(ConditionError) as raised:
        check(text, bed.SCOPE, Type.BOOLEAN, "")
    assert raised.value.mistakes[0].what == what


@pytest.mark.parametrize(
    "text", [" or ".join(["vip"] * 500), DEEP + " > 0", "vip -- always\nor member", "VIP and Tier = 'x'"]
)
def test_what_stays_inside_the_limits_passes(text: str) -> None:
    assert check(text, bed.SCOPE, Type.BOOLEAN, "").type is Type.BOOLEAN


@pytest.mark.parametrize(
    "text",
    ["drop table x", "select 1", "score > (select 1)", "vip; vip", "vip as x", "score ilike 'x'", "exists(open_case)",
     "score in (select 1)", "tier like any ('x')", "tier like 'x' escape 'y'", "count(distinct owns)", "score::int > 1",
     "score > ?", "score > :x", "tier || 'x' = 'y'", "score[1] > 1", "{a: 1}", "vip is distinct from member", "*",
     "read_csv('x')", "getenv('HOME') = 'x'", "score between symmetric 1 and 2", "lower(tier) = 'x'", "random() > 0.5",
     "score > all (select 1)", "if(vip, 1, 2) = 1", "score // 2 = 1", "score ** 2 = 1", "~score = 1", "tier ~ 'x'",
     "current_timestamp > seen", "score > 1 limit 1", "vip order by 1", "try_cast(score as int) = 1",
     "extract(epoch from seen) > 1", "score over () > 1", "count(*) > 1", "row(1) = 1", "tier similar to 'x'"],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        check(text, bed.SCOPE, Type.BOOLEAN, "")
