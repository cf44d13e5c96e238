"""Crowds that wait for little, much of which comes back: engine and twin agree on who is woken for it (§17).

Drawn cases are of few people; here a dozen wait, become one another, fail, are paused and stopped, and hours come in
which places are left. What is told of a contact is told of its owner, for the twin knows who that is.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from onevoice.playbook.model import HOUR, MINUTE, Bucket, CampaignClass, Channel, EventMatch, Resource

from .desk import START, book, campaign, event, named, on, policies
from .draw import Dice
from .draw_stream import Batch
from .engine import SECRET, difference
from .twin import Twin

PERSONS, STEPS, SEEDS = 12, 70, range(12)
TOLD = ("contact_failed",) * 5 + ("contact_cancelled", "contact_delivered")


def resource(dice, name):
    match dice.choice(("stock", "budget", *("capacity",) * 6)):
        case "stock":
            return Resource(name, stock=dice.randint(1, 3))
        case "budget":
            return Resource(name, budget=dice.choice((1.0, 2.0)), per=dice.choice((None, Bucket.DAY)))
        case _:
            reserve = dict.fromkeys(dice.some(("service", "care", "sales"), 0, 2), 0.4)
            return Resource(
                name, dice.randint(2, 4), per=dice.choice((Bucket.HOUR, Bucket.HOUR, Bucket.DAY)), reserve=reserve
            )


def playbook(dice):
    """Draw three campaigns of three classes that want everybody, by channels of which two cost something."""
    channels = [
        Channel(name, receipts_us=40 * HOUR, cost=cost, uses=tuple(dice.some(("r", "s"), 1, 2)))
        for name, cost in (("sms", 0.6), ("push", 0.4), ("web", 0.0))
    ]
    campaigns = [
        campaign(
            f"{klass} {kind}",
            on(kind),
            klass=klass,
            send=tuple(dice.sample(("sms", "push", "web"), dice.randint(1, 2))),
            until=EventMatch(dice.choice("abx")) if dice.chance(0.3) else None,
            valid_for_us=dice.maybe(9 * HOUR, 0),
        )
        for kind, klass in zip("abx", ("service", "care", "sales"), strict=True)
    ]
    made = book(campaigns=named(*campaigns), channels=named(*channels))
    classes = named(*(CampaignClass(name) for name in ("service", "care", "sales")))
    return replace(made, policies=policies(classes=classes), resources=named(resource(dice, "r"), resource(dice, "s")))


class Crowd:
    """Draws a stream, looking at what the twin makes of it."""

    def __init__(self, seed):
        self.dice = Dice.seeded(seed)
        self.playbook = playbook(self.dice)
        self.twin = Twin(self.playbook, SECRET)
        self.now, self.rows, self.went, self.called = START, [], 0, 0

    def take(self, *lines):
        self.rows.append(Batch(lines, self.now))
        waited, count = self.waiting(), len(self.twin.decisions)
        self.twin.row([*lines], self.now)
        self.went += len(waited.keys() - self.waiting().keys())
        made = [(each, line) for each in self.twin.decisions[count:] for line in each.lines]
        self.called += sum(self.was_early(*each, waited) for each in made)

    def was_early(self, decision, line, waited):
        """Tell whether a campaign won at the turn of another than of who was called."""
        place = (decision.customer, [*self.playbook.campaigns].index(line.campaign), line.key)
        return line.reason == "won" and decision.time % HOUR == 0 and waited.get(place, 0) > decision.time

    def waiting(self):
        """Return the turn of each who waits for one."""
        of_all = ((each.number, place, of.turn) for each in self.twin.roots() for place, of in each.candidates.items())
        return {(number, *place): turn[1] for number, place, turn in of_all if turn}

    def draw(self):
        for _ in range(STEPS):
            self.now += self.dice.choice((0, 1, 1, 7, 30)) * MINUTE
            self.take(*(self.line() for _ in range(self.dice.randint(1, 3))))
        return self.playbook, self.rows

    def line(self):
        chance = self.dice.below(100)
        if chance < 50:
            return event(self.dice.choice("abx"), None, self.who())
        if chance < 85:
            return self.told()
        if chance < 94:
            return event("delivered", None, {**self.who("card"), **self.who("email")})
        if chance < 96:
            return event("resource_set", None, resource=self.dice.choice("rs"), left=self.dice.below(3))
        kind = self.dice.choice(("campaign_stopped", "campaign_paused", "campaign_resumed", "campaign_resumed"))
        return event(kind, None, campaign=self.dice.choice([*self.playbook.campaigns]))

    def who(self, kind=""):
        return {kind or self.dice.choice(("card", "email")): f"{self.dice.below(PERSONS)}"}

    def told(self):
        made = [(each, contact) for each in self.twin.roots() for contact in each.contacts]
        if not made:
            return event("a", None, self.who())
        owner, contact = self.dice.choice(made[-8:] if self.dice.chance(0.5) else made)
        kinds = {number: kind for kind, number in self.twin.index.items()}
        kind, value = next(kinds[each] for each in kinds if self.survivor(each) == owner.number)
        return event(self.dice.choice(TOLD), None, {kind: value}, contact=contact.number)

    def survivor(self, number):
        while self.twin.customers[number].alias >= 0:
            number = self.twin.customers[number].alias
        return number


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_and_twin_agree_on_a_crowd(seed):
    assert difference(*Crowd(seed).draw()) == "", f"seed {seed}"


def test_crowds_wait_and_go_on():
    drawn = [Crowd(seed) for seed in SEEDS]
    for crowd in drawn:
        crowd.draw()
    assert sum(crowd.went for crowd in drawn) > 100
    assert sum(crowd.called for crowd in drawn) > 20  # before their turn, at the instant of another's
