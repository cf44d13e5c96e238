"""A company in which anything may happen, in any order, and an onlooker who asks the record after each step.

What happens is drawn by hypothesis: wishes, asks and what is answered to them, cases, customers who turn out to be one,
or two, moves to other zones, late events, jumps of the clock both ways, other playbooks, power cuts. The onlooker is
`checks.sql`: DuckDB over what was recorded and over what this file knows to have happened. It shares no code, no table
and no notion of state with the engine. Who is who it is told by `identity.py`.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as draw
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

import onevoice
from onevoice.playbook.model import SECOND

from .identity import FOR_EVER, Identity

HERE = Path(__file__).parent
PLAYBOOK = (HERE / "playbook.yaml").read_text("utf-8")
BEGIN = datetime(2026, 3, 27, 9, tzinfo=UTC)  # two days before clocks change in Europe
EMAILS, PHONES = [f"{name}@example.lt" for name in "abc"], [f"+3706111111{n}" for n in "123"]
IDENTIFIERS = dict.fromkeys(EMAILS, "email") | dict.fromkeys(PHONES, "phone")  # and of which kind each is
TIME, NAME, NUMBER = pa.timestamp("us", "UTC"), pa.string(), pa.int64()
TABLES = {
    "customers": {"who": NAME, "customer": NUMBER, "first": NUMBER, "last": NUMBER},
    "decided": {"decision": NUMBER, "customer": NUMBER, "who": NAME},
    "caps": {"name": NAME, "first": NUMBER, "last": NUMBER, "most": NUMBER, "hours": NUMBER, "period": NAME}
    | {"channel": NAME, "class": NAME, "campaign": NAME, "placement": NAME},
    "gaps": {"first": NUMBER, "last": NUMBER, "hours": NUMBER},
    "zones": {"who": NAME, "first": NUMBER, "position": NUMBER, "zone": NAME},
    "cases": {"who": NAME, "first": NUMBER, "time": TIME, "position": NUMBER, "name": NAME, "opened": pa.bool_()},
    "receipts": {"contact": NUMBER, "first": NUMBER, "time": TIME, "state": NUMBER},
    "answers": {"who": NAME, "first": NUMBER, "last": NUMBER, "time": TIME, "position": NUMBER}
    | {"family": NAME, "answer": NAME},
    "wishes": {"campaign": NAME, "key": NUMBER, "wish": NAME, "who": NAME},
    "withdrawals": {"wish": NAME, "who": NAME, "first": NUMBER},
    "pending": {"campaign": NAME, "key": NUMBER, "customer": NUMBER},
    "facts": {"customer": NUMBER, "fact": NAME, "since": TIME},
    "present": {"time": TIME},
}
# Of two playbooks: the gap in hours; and of each cap the text and what the table `caps` says of it.
RULES = [
    (2, {"max: 2, per: day": (2, None, "day"), "max: 1, per: 30 hours, class: sales": (1, 30, None)}),
    (1, {"max: 1, per: day": (1, None, "day"), "max: 2, per: 30 hours, class: sales": (2, 30, None)}),
]
BOTH = {
    "max: 3, per: 72 hours, channel: sms": (3, 72, None),
    "max: 4, per: week, campaign: alert": (4, None, "week"),
    "max: 5, per: week, placement: each": (5, None, "week"),
}
PLACED = {"banner": (3, None, "day", None), "screen": (1, 20, None, "each")}  # of each the one cap of its own
FAMILIES = {"plan_shown": "plans", "case_shown": "cases"}
NOTHING_SHOWN = (0,)  # the family of an answer that is to nothing its customer was shown
REMEMBERED = timedelta(days=25)  # so old an ask may be and still be answered

whose = draw.sampled_from([*IDENTIFIERS])
RECEIPTS = {"cancelled": 1, "sent": 2, "failed": 3, "delivered": 4}
LINES = """
CREATE OR REPLACE TABLE lines AS
SELECT recorded.* EXCLUDE (customer), decided.* EXCLUDE (decision) FROM recorded JOIN decided USING (decision)
"""
MADE = "SELECT contact, who FROM lines WHERE reason = 'won' AND contact IS NOT NULL ORDER BY contact"

minutes = draw.integers(0, 200)
names = draw.sampled_from(["red", "blue"])  # of cases


def questions():
    """Return what follows from the tables, and the text of each question by its name."""
    follows, *named = (HERE / "checks.sql").read_text("utf-8").split("-- name: ")
    return follows, {name: text for name, _, text in (each.partition("\n") for each in named)}


FOLLOWS, QUESTIONS = questions()


def named(*whose):
    return {IDENTIFIERS[who]: who for who in whose}


class Company(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.playbook, self.data = self.folder / "playbook", self.folder / "data"
        self.playbook.mkdir()
        self.now = self.latest = BEGIN
        self.wishes = itertools.count()
        self.known = {name: [] for name in TABLES}
        self.identity = Identity()
        self.shown = []  # decision, campaign, the name of the customer's number, and when
        self.answered = []  # the line, the name of the number it was shown to, and its row in `answers`
        self.made = []  # contacts with the names of their customers' numbers
        self.database = duckdb.connect(config={"threads": 1})  # the tables are small
        self.write(0)
        self.engine = self.opened()
        self.in_force(0)
        self.passes(BEGIN)

    def teardown(self):
        self.engine.close()
        self.database.close()
        shutil.rmtree(self.folder)

    def opened(self):
        return onevoice.open(self.playbook, self.data, clock=lambda: int(self.now.timestamp()) * SECOND)

    def write(self, version):
        gap, caps = RULES[version]
        listed = "".join(f"    - {{{cap}}}\n" for cap in caps | BOTH)
        (self.playbook / "playbook.yaml").write_text(PLAYBOOK.replace("GAP", f"{gap} hours").replace("CAPS\n", listed))

    def in_force(self, version):
        """Note the rules that hold from the next decision on."""
        self.version, here = version, self.engine.decision_count
        for table in (self.known["caps"], self.known["gaps"]):
            for row in table:
                row["last"] = min(row["last"], here)
        span = {"first": here, "last": FOR_EVER}
        gap, caps = RULES[version]
        self.known["gaps"].append(span | {"hours": gap})
        for place, (text, (most, hours, period)) in enumerate((caps | BOTH).items()):
            scope = {
                name: found[1]
                for name in ("channel", "class", "campaign", "placement")
                if (found := re.search(f"{name}: (.*)", text))
            }
            self.known["caps"].append(
                span | {"name": f"policies.caps[{place}]", "most": most, "hours": hours, "period": period} | scope
            )
        for placement, (most, hours, period, campaign) in PLACED.items():
            cap = {"name": f"placements.{placement}.caps[0]", "most": most, "hours": hours, "period": period}
            self.known["caps"].append(span | cap | {"placement": placement, "campaign": campaign})

    def passes(self, time):
        """Let the clock show `time`, which may lie back; all that is due by then is decided before anything else."""
        self.now, self.latest = time, max(time, self.latest)
        self.engine.tick(time=time)

    def happens(self, kind, *whose, ago=0, traits=None, **fields):
        """Let one event come in; return what became of it."""
        line = {"type": kind, "identifiers": named(*whose), "fields": fields}
        line |= {"traits": traits} if traits else {}
        line |= {"time": (self.latest - timedelta(minutes=ago)).isoformat()} if ago else {}
        here = self.engine.decision_count
        taken = self.engine.ingest([line], time=self.now)
        assert taken.accepted == 1
        self.identity.take(*whose)
        self.note_customers(here)
        return taken

    def note_customers(self, here):
        """Note who is who from the decision `here` on."""
        now = self.identity.everybody()
        for row in self.known["customers"]:
            if row["last"] == FOR_EVER and now.get(row["who"]) == row["customer"]:
                del now[row["who"]]
            else:
                row["last"] = min(row["last"], here)
        self.known["customers"] += [
            {"who": who, "customer": customer, "first": here, "last": FOR_EVER} for who, customer in now.items()
        ]

    def note_decided(self):
        """Note of whom the record speaks, as long as customers are counted as they are now; return the record."""
        recorded = self.engine.decisions_table()
        told = recorded.select(["decision", "customer"]).to_pylist()
        last = max((row["decision"] for row in self.known["decided"]), default=-1)
        new = {row["decision"]: row["customer"] for row in told if row["decision"] > last}
        self.known["decided"] += [
            {"decision": decision, "customer": customer, "who": self.identity.name(customer)}
            for decision, customer in new.items()
        ]
        return recorded

    def state(self, who):
        return self.engine.state(named(who))

    def identifier_of(self, name):
        """Return an identifier of the customer who has a number."""
        return self.identity.identifier_of(self.identity.who_is(name))

    # What may happen

    @rule(campaign=draw.sampled_from(["alert", "offer", "hint"]), who=whose, count=draw.integers(1, 3), later=minutes)
    def wish(self, campaign, who, count, later):
        self.passes(self.now + timedelta(minutes=later))
        for _ in range(count):
            wish = f"wish {next(self.wishes)}"
            taken = self.happens("wanted", who, campaign=campaign, wish=wish)
            known = {0, *(row["key"] for row in self.known["wishes"])}
            waiting = {each.key for each in self.state(who).candidates} - known
            [key] = waiting or {line.key for decision in taken.decisions for line in decision.lines} - known
            self.known["wishes"].append({"campaign": campaign, "key": key, "wish": wish, "who": who})

    @precondition(lambda self: self.known["wishes"])
    @rule(place=draw.integers(0, 1000), who=whose, later=minutes)
    def withdraw(self, place, who, later):
        self.passes(self.now + timedelta(minutes=later))
        wish = self.known["wishes"][place % len(self.known["wishes"])]["wish"]
        self.known["withdrawals"].append({"wish": wish, "who": who, "first": self.engine.decision_count})
        self.happens("withdrawn", who, wish=wish)

    @rule(
        who=whose,
        name=draw.sampled_from(["red", "blue"]),
        opened=draw.booleans(),
        ago=draw.integers(-60, 300),
        later=minutes,
    )
    def case(self, who, name, opened, ago, later):
        self.passes(self.now + timedelta(minutes=later))
        row = {"who": who, "first": self.engine.decision_count, "position": self.engine.position}
        time = self.latest - timedelta(minutes=ago)
        self.known["cases"].append(row | {"time": time, "name": name, "opened": opened})
        self.happens("case_opened" if opened else "case_closed", who, ago=ago, case_id=name)

    @rule(one=draw.sampled_from(EMAILS), other=draw.sampled_from(PHONES), later=minutes)
    def turn_out_to_be_one(self, one, other, later):
        self.passes(self.now + timedelta(minutes=later))
        self.happens("linked", one, other)

    @precondition(lambda self: len(self.identity.holders()) > 1)
    @rule(place=draw.integers(0, 1000), is_one=draw.booleans(), later=minutes)
    def turn_out_to_be_two(self, place, is_one, later):
        """Split two identifiers, of one customer if there is such a pair and `is_one`."""
        self.passes(self.now + timedelta(minutes=later))
        held = self.identity.holders()
        pairs = list(itertools.combinations(held, 2))
        pairs = [(one, other) for one, other in pairs if is_one and held[one] == held[other]] or pairs
        self.split(pairs[place % len(pairs)])

    @precondition(lambda self: self.identity.apart)
    @rule(place=draw.integers(0, 1000), later=minutes)
    def turn_out_to_be_no_two(self, place, later):
        self.passes(self.now + timedelta(minutes=later))
        self.split(tuple(self.identity.apart[place % len(self.identity.apart)]), undo=True)

    def split(self, pair, *, undo=False):
        """Keep two identifiers apart, or no more; whose all that came in was, and is, follows from that."""
        self.note_decided()
        here = self.engine.decision_count
        self.engine.split(*map(named, pair), undo=undo)
        self.identity.split(*pair, undo=undo)
        self.note_customers(here)
        self.note_answers(here)

    @precondition(lambda self: self.made)
    @rule(back=draw.integers(0, 4), state=draw.sampled_from(list(RECEIPTS)), later=minutes)
    def report(self, back, state, later):
        self.passes(self.now + timedelta(minutes=later))
        contact, name = self.made[-1 - back % len(self.made)]
        row = {"contact": contact, "first": self.engine.decision_count, "time": self.latest}
        self.known["receipts"].append(row | {"state": RECEIPTS[state]})
        self.happens(f"contact_{state}", self.identifier_of(name), contact=contact)

    @rule(who=whose, placement=draw.sampled_from(list(PLACED)), count=draw.integers(1, 3), later=minutes)
    def ask(self, who, placement, count, later):
        self.passes(self.now + timedelta(minutes=later))
        for _ in range(count):
            here = self.engine.decision_count
            decision = self.engine.decide(placement, named(who))
            self.identity.take(who)
            self.note_customers(here)
            name = self.identity.name(decision.customer)
            shown = [line.campaign for line in decision.won if line.campaign in FAMILIES]
            self.shown += [(decision.number, campaign, name, self.latest) for campaign in shown]

    @precondition(lambda self: self.shown)
    @rule(
        back=draw.integers(0, 4),
        answer=draw.sampled_from(["refused", "not_now", "accepted"]),
        ago=draw.integers(0, 100),
        later=minutes,
    )
    def answer(self, back, answer, ago, later):
        """Let somebody answer what they were shown: by the decision's number, and which of several it was."""
        self.passes(self.now + timedelta(minutes=later))
        decision, campaign, name, time = self.shown[-1 - back % len(self.shown)]
        if self.latest - time > REMEMBERED:
            return
        who, here = self.identifier_of(name), self.engine.decision_count
        row = {"who": who, "position": self.engine.position, "answer": answer, "family": FAMILIES[campaign]}
        self.answered.append((len(self.identity.lines), name, row | {"time": self.latest - timedelta(minutes=ago)}))
        self.happens(f"offer_{answer}", who, ago=ago, decision=decision, campaign=campaign)
        self.note_answers(here)

    def note_answers(self, here):
        """Note which answers count from the decision `here` on: those of the customer to whom it was shown."""
        for row in self.known["answers"]:
            row["last"] = min(row["last"], here)
        self.known["answers"] += [
            row | {"first": here, "last": FOR_EVER}
            for line, name, row in self.answered
            if self.identity.is_about(line, name)
        ]

    @rule(who=whose, zone=draw.sampled_from(["Europe/Vilnius", "America/New_York", "Australia/Lord_Howe"]))
    def move(self, who, zone):
        self.passes(self.now)
        row = {"who": who, "first": self.engine.decision_count, "position": self.engine.position}
        self.known["zones"].append(row | {"zone": zone})
        self.happens("moved", who, traits={"zone": zone})

    @rule(hours=draw.integers(-30, 60))
    def time_passes(self, hours):
        self.passes(self.now + timedelta(hours=hours))

    @rule(version=draw.integers(0, len(RULES) - 1))
    def publish(self, version):
        self.passes(self.now)
        self.write(version)
        assert self.engine.publish(self.playbook) == (version != self.version)
        self.in_force(version)

    @rule(is_torn=draw.booleans())
    def power_cut(self, is_torn):
        """Go on with what was on the disk at this instant; or stop in order, with a snapshot."""
        state, decided = self.engine.hash(), self.engine.decision_count
        if is_torn:
            torn = self.folder / f"data {next(self.wishes)}"
            self.data = Path(shutil.copytree(self.data, torn))
        else:
            self.engine.snapshot()
        self.engine.close()
        self.engine = self.opened()
        assert (self.engine.hash(), self.engine.decision_count) == (state, decided)

    # What must hold

    @invariant()
    def nothing_is_wrong(self):
        states = {each: state for each in IDENTIFIERS if (state := self.state(each))}
        assert {each: state.number for each, state in states.items()} == self.identity.holders()
        people = {state.number: state for state in states.values()}
        self.known["pending"] = [
            {"campaign": each.campaign, "key": each.key, "customer": number}
            for number, state in people.items()
            for each in state.candidates
        ]
        self.known["facts"] = [
            {"customer": number, "fact": fact, "since": each.since}
            for number, state in people.items()
            for fact, intervals in state.facts.items()
            for each in intervals
            if each.key != NOTHING_SHOWN
        ]
        self.known["present"] = [{"time": self.latest}]
        recorded = self.note_decided()  # noqa: F841 - DuckDB finds it by its name
        for name, columns in TABLES.items():
            rows = pa.Table.from_pylist(self.known[name], pa.schema(columns))  # noqa: F841
            self.database.execute(f"CREATE OR REPLACE TABLE {name} AS FROM rows")
        self.database.execute(LINES)
        self.database.execute(FOLLOWS)
        self.made = self.database.execute(MADE).fetchall()
        for name, question in QUESTIONS.items():
            wrong = self.database.execute(question).fetchall()
            assert not wrong, f"{name}: {wrong}"


@pytest.mark.parametrize(("companies", "steps"), [(8, 30), pytest.param(400, 60, marks=pytest.mark.torture)])
def test_whatever_happens_the_record_keeps_the_rules(companies, steps):
    how = settings(max_examples=companies, stateful_step_count=steps, deadline=None, database=None, print_blob=True)
    how = settings(how, phases=[Phase.generate, Phase.shrink])  # not `explain`, which looks at every line
    run_state_machine_as_test(Company, settings=settings(how, suppress_health_check=list(HealthCheck)))
