"""Who is who by §4 of the semantics, for identifiers of people of which each may have any number.

All that came in is kept, and folded again from the first line when a split is said or undone (§15). Shares no code with
the engine, nor with its twin.
"""

from __future__ import annotations

FOR_EVER = 2**62


class People:
    """What lines with these identifiers, one after another, tell of customers if some are kept apart."""

    def __init__(self, lines, apart):
        self.apart = apart
        self.founders = []  # of each number the identifier that founded it
        self.given = {}  # of each identifier the number it was given to
        self.merges = {}  # of a number the one that it was merged into, and by which line
        self.lines = []  # whose each is
        for line in lines:
            self.take(line)

    def take(self, line):
        """Let a line come in; the more trusted identifier stands first."""
        customer, waiting = None, []
        for each in line:
            owner = self.owner(each)
            if owner is None and customer is None:
                waiting.append(each)
            elif owner is None:
                self.give(customer, [each])
            elif customer is None and all(self.may_have(owner, other) for other in waiting):
                customer = owner
                self.give(customer, waiting)
                waiting = []
            elif customer is not None and owner != customer and self.may_join(customer, owner):
                customer, gone = min(customer, owner), max(customer, owner)
                self.merges[gone] = customer, len(self.lines)
        if customer is None:
            customer = len(self.founders)
            self.founders.append(line[0])
            self.give(customer, waiting)
        self.lines.append(customer)

    def give(self, customer, identifiers):
        for each in identifiers:
            if self.may_have(customer, each):
                self.given[each] = customer

    def may_have(self, customer, identifier):
        return not any(self.owner(other) == customer for pair in self.apart if identifier in pair for other in pair)

    def may_join(self, one, other):
        return not any({self.owner(each) for each in pair} == {one, other} for pair in self.apart)

    def owner(self, identifier):
        """Return who has an identifier now; None where nobody does."""
        return self.survivor(self.given[identifier]) if identifier in self.given else None

    def survivor(self, number, line=FOR_EVER):
        """Return who a number was after a line; now, if none is named."""
        while number in self.merges and self.merges[number][1] <= line:
            number = self.merges[number][0]
        return number


class Identity:
    """Who is who, and who each number of an earlier count is: customers are counted anew at each split.

    A *name* is an identifier, or what `name` gives for a number of the present count: it stays when they are counted
    anew, and is then whoever has the identifier that the number was founded by.
    """

    def __init__(self):
        self.lines, self.apart = [], []
        self.people = People([], [])
        self.counts = 0  # how often customers were counted anew
        self.numbers = {}  # by name, of the present count

    def take(self, *line):
        self.lines.append(line)
        self.people.take(line)
        self._name_numbers()

    def name(self, number):
        return f"{number} of count {self.counts}"

    def _name_numbers(self):
        self.numbers |= {self.name(number): number for number in range(len(self.people.founders))}

    def split(self, *pair, undo=False):
        """Say that two identifiers are two people's, or say it no more."""
        self.apart = [each for each in self.apart if each != set(pair)] + ([] if undo else [set(pair)])
        before, self.people = self.people, People(self.lines, self.apart)
        for name, number in self.numbers.items():
            self.numbers[name] = self.people.given[before.founders[number]]
        self.counts += 1
        self._name_numbers()

    def who_is(self, name):
        """Return the customer behind a name of a number."""
        return self.people.survivor(self.numbers[name])

    def everybody(self):
        """Return the customer behind each identifier and each name."""
        return self.holders() | {name: self.who_is(name) for name in self.numbers}

    def holders(self):
        return {each: self.people.owner(each) for each in self.people.given}

    def is_about(self, line, name):
        """Whether a line was, as it came in, about the customer behind the name of a number."""
        return self.people.lines[line] == self.people.survivor(self.numbers[name], line)

    def identifier_of(self, customer):
        return next(each for each, holder in self.holders().items() if holder == customer)
