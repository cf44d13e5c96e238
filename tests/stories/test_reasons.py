"""The golden table of reasons: one row for each, in order of precedence, with the smallest case in which it is given
and a neighbour, one change away, in which the same wish wins. Then all that can be in the way at once is cleared away,
one thing after the other: what is named is each time the first of what is left.
"""

import pytest
import yaml

from onevoice.engine.reasons import Reason

from .stage import ANN, BOB, event

DAY = "2026-03-02"  # a Monday
PLAYBOOK = """
playbook: reasons
time_zone: Europe/Vilnius
identifiers:
  email: {format: email}
  phone: {format: phone, region: LT}
traits:
  tier: choice
events:
  wanted: {fields: {wish: key}}
  wanted_more: {fields: {wish: key}}
  looked: {}
  bought: {}
  case_opened: {fields: {case_id: key}}
  case_solved: {fields: {case_id: key}}
facts:
  open_case: {opens: case_opened, closes: case_solved, per: case_id}
campaigns:
  hello: {class: sales, priority: 10, when: event wanted, per: event.wish, send: [sms]}
  rival: {class: sales, priority: 20, when: event wanted_more, per: event.wish, send: [sms]}
policies:
  classes: {sales: {}}
channels:
  sms: {address: phone}
"""
MORNING = {"policies": {"hours": {"sms": "10:00-21:00"}}}  # so that there is something to happen to who waits

# By reason: what the playbook says besides; what happens, a line each; the change after which `hello` wins.
GOLDEN = {
    "won": (
        {},
        "09:00 wanted",
        ("09:00 wanted", "09:00 wanted"),
    ),
    "expired": (
        MORNING | {"campaigns": {"hello": {"valid_for": "59 minutes"}}},
        "09:00 wanted\n11:00 -",
        ("09:00 wanted", "09:02 wanted"),
    ),
    "ended": (
        MORNING | {"campaigns": {"hello": {"until": "bought"}}},
        "09:00 wanted\n09:30 bought\n11:00 -",
        ("bought", "looked"),
    ),
    "not_eligible": (
        MORNING | {"campaigns": {"hello": {"if": "tier = 'gold'"}}},
        "08:00 looked tier=gold\n09:00 wanted\n09:30 looked tier=silver\n11:00 -",
        ("silver", "gold"),
    ),
    "too_many": (
        MORNING,
        "09:00 wanted\n" * 64 + "09:01 wanted\n11:00 -",
        ("09:00 wanted\n09:00 wanted\n", "09:00 wanted\n"),
    ),
    "stopped": (
        MORNING,
        "09:00 wanted\n09:30 stop hello\n11:00 -",
        ("stop hello", "stop rival"),
    ),
    "paused": (
        {},
        "09:00 pause hello\n09:01 wanted",
        ("pause hello", "pause rival"),
    ),
    "stale": (
        {
            "sources": {"tills": {"events": ["bought"], "stale_after": "2 hours"}},
            "campaigns": {"hello": {"until": "bought"}},
        },
        "07:00 bought\n09:00 wanted",
        ("07:00", "07:01"),
    ),
    "no_consent": (
        {},
        "09:00 consent_withdrawn channel=sms\n09:01 wanted",
        ("channel=sms", "channel=sms purpose=service"),
    ),
    "no_address": (
        {},
        "09:00 wanted who=email",
        ("who=email", "who=phone"),
    ),
    "failed": (
        {"channels": {"sms": {"receipts": "1 hour"}}},
        "09:00 wanted\n09:01 contact_failed contact=0",
        ("contact=0", "contact=9"),
    ),
    "suppressed": (
        {"policies": {"suppress": [{"stop": "sales", "while": "open_case"}]}},
        "09:00 case_opened case_id=1\n09:30 case_solved case_id=2\n10:00 wanted",
        ("case_id=2", "case_id=1"),
    ),
    "again_after": (
        {"campaigns": {"hello": {"again_after": "2 hours", "per": None}}},
        "09:00 wanted\n10:59 wanted",
        ("10:59", "11:00"),
    ),
    "fatigue": (
        {
            "campaigns": {"hello": {"when": "asked", "placements": ["wall"], "per": None, "send": None}},
            "placements": {"wall": {"fatigue": {"times": 2, "pause": "2 hours"}}},
        },
        "09:00 asked placement=wall\n09:01 asked placement=wall\n11:00 asked placement=wall",
        ("11:00", "11:01"),
    ),
    "no_capacity": (
        {"resources": {"line": {"capacity": "1 per day"}}, "channels": {"sms": {"uses": "line"}}},
        "09:00 wanted who=bob\n10:00 wanted",
        ("who=bob", "who=bob kind=looked"),
    ),
    "hours": (
        MORNING,
        "09:59 wanted",
        ("09:59", "10:00"),
    ),
    "gap": (
        {"policies": {"gap": "2 hours"}},
        "09:00 wanted\n10:59 wanted",
        ("10:59", "11:00"),
    ),
    "cap": (
        {"policies": {"caps": [{"max": 1, "per": "2 hours"}]}},
        "09:00 wanted\n10:59 wanted",
        ("10:59", "11:00"),
    ),
    "kept_for": (
        {"policies": {"gap": "2 hours", "look_ahead": "1 hour"}, "campaigns": {"rival": {"after": "1 hour"}}},
        "09:00 wanted_more\n09:01 wanted\n09:02 -",
        ("09:00 wanted_more", "09:00 wanted_more who=bob"),
    ),
    "outranked": (
        {"policies": {"gap": "2 hours", "wait": "1 minute"}},
        "09:00 wanted\n09:00 wanted_more\n09:01 -",
        ("09:00 wanted_more", "09:00 wanted_more who=bob"),
    ),
    "would_have_won": (
        {"campaigns": {"hello": {"holdout": "99.9999%"}}},
        "09:00 wanted",
        ("99.9999%", "0.0001%"),
    ),
}


def laid_over(below, above):
    """Return a mapping with another laid over it; None takes away."""
    if not isinstance(above, dict):
        return above
    found = {name: laid_over(below.get(name, {}), part) for name, part in above.items()}
    return {name: part for name, part in (below | found).items() if part is not None}


def playbook_with(*parts):
    """Return the playbook with what each of these mappings lays over it."""
    whole = yaml.safe_load(PLAYBOOK)
    for part in parts:
        whole = laid_over(whole, part)
    return yaml.safe_dump(whole, sort_keys=False)


def changed(written, story, before, after):
    """Return playbook and story with one of them changed."""
    assert before in written + story
    if before in story:
        return written, story.replace(before, after)
    return written.replace(before, after), story


PEOPLE = {"": ANN, "email": {"email": ANN["email"]}, "phone": {"phone": ANN["phone"]}, "bob": BOB}


def tell(company, story):
    """Let what is written happen: a time, and an event with its fields, a word to the engine, or nothing (`-`)."""
    for number, line in enumerate(story.splitlines()):
        time, word, *rest = line.split()
        fields = dict(part.split("=") for part in rest if "=" in part)
        if word == "-":
            company.until(f"{DAY} {time}")
        elif word in {"pause", "stop"}:
            company.until(f"{DAY} {time}")
            getattr(company.engine, word)(campaign=rest[0])
        else:
            who, word = PEOPLE[fields.pop("who", "")], fields.pop("kind", word)
            fields |= {"wish": f"{number}"} if word.startswith("wanted") else {}
            fields |= {"contact": int(fields["contact"])} if "contact" in fields else {}
            traits = {"tier": fields.pop("tier")} if "tier" in fields else {}
            company.arrive(f"{DAY} {time}", [event(word, who, traits=traits, **fields)])


def last_reason(company):
    """Return the last word about the last wish of `hello`."""
    last = {line.key: line.reason for _, line in company.lines() if line.campaign == "hello"}
    return list(last.values())[-1]


def test_the_table_has_every_reason_in_order():
    assert list(GOLDEN) == [reason.name.lower() for reason in Reason]


@pytest.mark.parametrize("reason", GOLDEN)
def test_the_smallest_case_and_its_neighbour(stage, reason):
    says, story, change = GOLDEN[reason]
    written = playbook_with(says)
    company = stage(written)
    tell(company, story)
    assert last_reason(company) == reason
    written, story = changed(written, story, *change)
    neighbour = stage(written)
    tell(neighbour, story)
    assert last_reason(neighbour) == "won"


# What can be in the way of one wish at the same time, in order of precedence: what the playbook says of it, what
# happened before the wish, and what lifts it.
IN_THE_WAY = {
    "paused": ({}, "08:00 pause hello", ("pause hello", "-")),
    "stale": (
        {
            "sources": {"tills": {"events": ["case_solved"], "stale_after": "4 hours"}},
            "campaigns": {"hello": {"until": "case_solved"}},
        },
        "",
        ("04:59 case_solved", "05:01 case_solved"),
    ),
    "no_consent": ({}, "08:00 consent_withdrawn channel=sms", ("channel=sms", "channel=email")),
    "suppressed": (
        {"policies": {"suppress": [{"stop": "sales", "while": "open_case"}]}},
        "08:00 case_opened case_id=1",
        ("case_opened", "case_solved"),
    ),
    "again_after": ({"campaigns": {"hello": {"again_after": "1 day", "per": None}}}, "", ("1 day", "1 minute")),
    "no_capacity": (
        {"resources": {"line": {"capacity": "1 per day"}}, "channels": {"sms": {"uses": "line"}}},
        "",
        ("1 per day", "9 per day"),
    ),
    "hours": ({"policies": {"hours": {"sms": "05:00-08:59"}}}, "", ("-08:59", "-10:00")),
    "gap": ({"policies": {"gap": "3 hours"}}, "", ("3 hours", "1 hour")),
    "cap": ({"policies": {"caps": [{"max": 1, "per": "day"}]}}, "", ("max: 1", "max: 9")),
    "kept_for": (
        {
            "campaigns": {
                "talk": {"class": "sales", "priority": 30, "when": "event bought", "after": "1 hour", "send": ["sms"]}
            },
            "policies": {"look_ahead": "1 hour"},
        },
        "08:30 bought",
        ("08:30 bought", "08:30 looked"),
    ),
    "outranked": ({}, "08:59 wanted_more", ("08:59 wanted_more", "08:59 looked")),
    "would_have_won": ({"campaigns": {"hello": {"holdout": "99.9999%"}}}, "", ("99.9999%", "0.0001%")),
}


def test_what_is_in_the_way_is_named_in_order_of_precedence(stage):
    parts = [part for part, _, _ in IN_THE_WAY.values()]
    written = playbook_with({"policies": {"wait": "1 minute"}}, *parts)
    happened = [line for _, line, _ in IN_THE_WAY.values() if line]
    story = "\n".join(
        ["04:59 case_solved case_id=9", "05:00 wanted", "06:00 wanted_more", *happened, "08:59 wanted", "09:00 -"]
    )
    named = []
    for _, _, change in IN_THE_WAY.values():
        company = stage(written)
        tell(company, story)
        named.append(last_reason(company))
        written, story = changed(written, story, *change)
    company = stage(written)
    tell(company, story)
    assert [*named, last_reason(company)] == [*IN_THE_WAY, "won"]
