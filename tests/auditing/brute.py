"""A small log drawn from a seed, and what an audit by the default rules finds in it, counted by hand.

Written from `docs/guide/audit.md`, with loops over lists and no engine.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product as combinations
from random import Random
from zoneinfo import ZoneInfo

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday; clocks change in it
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("Europe/Vilnius", "America/New_York", "Asia/Tokyo")
PRODUCTS, FAMILIES = ("tea", "cake", ""), ("drinks", "sweets", "")
CHANNELS = ("email", "sms")


@dataclass
class Drawn:
    """Times are UTC; a person is a number, known to the log by an address and to the shop by a number too."""

    contacts: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    zones: dict[int, str] = field(default_factory=dict)


def draw(seed):
    dice = Random(seed)
    drawn = Drawn()
    people = range(dice.randint(3, 9))
    times = set()

    def time():
        """An instant of 40 days that nothing else has, more often in some of them than in others."""
        at = START + dice.choice((3, 12, 40)) * DAY * dice.random()
        at = at.replace(microsecond=0)
        return at if at not in times and not times.add(at) else time()

    for person in people:
        drawn.zones[person] = dice.choice(ZONES)
        who = {"email": f"p{person}@example.org", "user_id": f"u{person}"}
        traits = {"time_zone": drawn.zones[person]}
        drawn.events.append({"type": "profile_updated", "time": START - DAY, "identifiers": who, "traits": traits})
    for _ in range(dice.randint(20, 120)):
        fields = {
            "person": dice.choice(people),
            "campaign": dice.choice(("Spring", "Shoes!", "Bill", "News")),
            "class": dice.choice(("service", "marketing", "marketing", "", "no such class")),
            "channel": dice.choice(CHANNELS),
            "product": dice.choice(PRODUCTS),
            "family": dice.choice(FAMILIES),
        }
        drawn.contacts.append({"time": time()} | fields)
    for _ in range(dice.randint(5, 80)):
        kind = dice.choice(list(KINDS))
        name, value = dice.choice((("email", "p{}@example.org"), ("user_id", "u{}")))
        who = {name: value.format(dice.choice(people))}
        fields = {key: each for key, values in KINDS[kind].items() if (each := dice.choice(values))}
        drawn.events.append({"type": kind, "time": time(), "identifiers": who, "fields": fields})
    drawn.events.sort(key=lambda each: each["time"])
    drawn.contacts.sort(key=lambda each: each["time"])
    return drawn


KINDS = {
    "case_opened": {"case_id": ("1", "2")},
    "case_resolved": {"case_id": ("1", "2")},
    "purchase": {"product": PRODUCTS, "family": FAMILIES},
    "offer_refused": {"family": FAMILIES[:2]},
    "consent_withdrawn": {"channel": (*CHANNELS, "")},
    "consent_given": {"channel": CHANNELS},
    "offer_clicked": {"campaign": ("Spring", "News", "")},
}


def csv(drawn):
    """The log as a file whose columns say what they are."""
    rows = ["time,email,campaign,class,channel,product,family"]
    for each in drawn.contacts:
        values = [each[name] for name in ("campaign", "class", "channel", "product", "family")]
        rows.append(",".join([each["time"].isoformat(), f"p{each['person']}@example.org", *values]))
    return "\n".join(rows)


def ndjson(drawn):
    return "\n".join(json.dumps(each | {"time": each["time"].isoformat()}) for each in drawn.events)


def expected(drawn):
    """What `Audit` says: contacts and customers by rule, the load, pairs, and the totals."""
    contacts = [Counted(drawn, each, n) for n, each in enumerate(drawn.contacts)]
    found = defaultdict(list)
    for each in contacts:
        for rule in each.rules(contacts):
            found[rule].append(each)
    broken = {each.number: each.person for among in found.values() for each in among}
    return {
        "found": {rule: (len(among), len({each.person for each in among})) for rule, among in found.items()},
        "totals": (len(contacts), len({each.person for each in contacts}), len(broken), len(set(broken.values()))),
        "load": load(contacts),
        "pairs": pairs(drawn, contacts),
        "campaigns": dict(Counter(each.campaign for each in contacts)),
    }


class Counted:
    """One contact, and what was true of its customer."""

    def __init__(self, drawn, contact, number):
        self.number, self.time, self.person = number, contact["time"], contact["person"]
        self.campaign, self.channel = contact["campaign"], contact["channel"]
        self.klass = contact["class"] if contact["class"] in ("service", "marketing") else "marketing"
        self.product, self.family = contact["product"], contact["family"]
        self.local = self.time.astimezone(ZoneInfo(drawn.zones[self.person]))
        self.past = [each for each in drawn.events if person_of(each) == self.person and each["time"] <= self.time]

    def rules(self, contacts):
        own = [each for each in contacts if each.person == self.person and each.number <= self.number]
        today = sum(each.local.date() == self.local.date() for each in own)
        week = sum(each.local.isocalendar()[:2] == self.local.isocalendar()[:2] for each in own)
        is_offer = bool(self.product or self.family)
        judged = {
            "at most 1 a day": self.klass != "service" and today > 1,
            "at most 3 a week": self.klass != "service" and week > 3,
            "no marketing while open_case": self.klass == "marketing" and self.has_case(),
            "no offers while bought(offer.product)": is_offer and self.has("purchase", "product", self.product, 30),
            "no offers while bought_of_family(offer.family)": is_offer
            and self.has("purchase", "family", self.family, 30),
            "no offers while refused(offer.family)": is_offer and self.has("offer_refused", "family", self.family, 90),
            "opted out": self.is_opted_out(),
            "quiet from 21:00 to 8:00 where the customer is": self.local.hour >= 21 or self.local.hour < 8,
        }
        return [rule for rule, is_broken in judged.items() if is_broken]

    def happened(self, kind):
        return [each for each in self.past if each["type"] == kind]

    def has(self, kind, name, value, days):
        return bool(value) and any(
            each["fields"].get(name) == value and self.time < each["time"] + days * DAY for each in self.happened(kind)
        )

    def has_case(self):
        def is_open(case):
            opened = [each["time"] for each in self.happened("case_opened") if each["fields"]["case_id"] == case]
            closed = [each["time"] for each in self.happened("case_resolved") if each["fields"]["case_id"] == case]
            return bool(opened) and opened[-1] > max(closed, default=START - DAY) and self.time < opened[-1] + 30 * DAY

        return is_open("1") or is_open("2")

    def is_opted_out(self):
        """By their last word on this channel, a withdrawal without a channel being one on all."""
        words = self.happened("consent_withdrawn") + self.happened("consent_given")
        by_channel = [each for each in words if each["fields"].get("channel") == self.channel]
        of_all = [each for each in words if not each["fields"].get("channel") or each["type"] == "consent_given"]
        return any(
            among and max(among, key=lambda each: each["time"])["type"] == "consent_withdrawn"
            for among in (by_channel, of_all)
        )


def person_of(event):
    return int(next(iter(event["identifiers"].values())).removesuffix("@example.org").strip("pu"))


def load(contacts):
    """How many days, weeks and 30 days of a customer had so many contacts."""
    first = min(each.local.date() for each in contacts)
    starts = {
        "day": lambda each: each.local.date(),
        "week": lambda each: each.local.isocalendar()[:2],
        "30 days": lambda each: (each.local.date() - first).days // 30,
    }
    found = {}
    for per, start in starts.items():
        counts = Counter((each.person, start(each)) for each in contacts)
        found |= {(per, count): periods for count, periods in Counter(counts.values()).items()}
    return found


def pairs(drawn, contacts):
    """(one, other): customers, times, one first, other first, and the answers of each after the other and alone."""
    second = defaultdict(set)
    for a, b in combinations(contacts, contacts):
        if a.person == b.person and a.campaign != b.campaign and a.time < b.time < a.time + 7 * DAY:
            second[a.campaign, b.campaign].add(b)
    late = set().union(*second.values())
    clicks = [each for each in drawn.events if each["type"] == "offer_clicked"]

    def is_answered(contact):
        return any(
            person_of(each) == contact.person
            and contact.time <= each["time"] < contact.time + 14 * DAY
            and each["fields"].get("campaign", contact.campaign) == contact.campaign
            for each in clicks
        )

    def share(among):
        return sum(map(is_answered, among)) / len(among) if clicks and among else None

    def alone(campaign):
        return share([each for each in contacts if each.campaign == campaign and each not in late])

    found = {}
    for one, other in {tuple(sorted(pair)) for pair in second}:
        after, before = second[other, one], second[one, other]
        customers = {each.person for each in after | before}
        counts = (len(customers), len(after) + len(before), len(before), len(after))
        found[one, other] = (*counts, share(after), alone(one), share(before), alone(other))
    return found
