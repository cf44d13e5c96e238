"""Random conditions as text, typed so that every one passes the check."""

import numpy as np

from onevoice.conditions.tree import Type
from tests.conditions import bed

FAR = "timestamptz '9999-12-31 23:59:59.999999+00:00'"
LITERALS = {
    Type.NUMBER: ["0", "1", "2.5", "-1", "100", "0.1", "1e300", "-7", "1e-300", "3"],
    Type.TEXT: ["'gold'", "'red'", "''", "'ačiū'", "'日本語'", "'it''s'", "'100%'", "'nowhere'", "'phone_x'", "'a\\b'"],
    Type.BOOLEAN: ["true", "false"],
    Type.DATE: ["date '1999-12-31'", "date '2026-03-01'", "date '2000-02-29'", "date '9999-12-31'"],
    Type.TIME: ["timestamptz '2026-03-29 01:00:00Z'", "timestamptz '2011-11-06 05:30:00.000001+02:00'", FAR],
    Type.INTERVAL: [
        "interval '14 days'", "interval '1 hour 30 minutes'", "interval 3 day", "interval '-1 week'",
        "interval '1 microsecond'",
    ],
}  # fmt: skip
PATTERNS = [
    "'gold'",
    "'%old'",
    "'r_d%'",
    "'%'",
    "'_'",
    "''",
    "'%a%'",
    "'a_b'",
    "'100\\%'",
    "'%\n%'",
    "'%š%'",
    "'__語'",
    "'%r%d%'",
]
WINDOWED = "orders_8d"  # asking it at a later time makes it forget: it is tested by itself
ORDERED = (Type.NUMBER, Type.TIME, Type.DATE, Type.INTERVAL)


class Generator:
    """Draws conditions. `clock` allows `now()` and `current_date`.

    `wild` takes parts of times in any year, which only one reading knows, and leaves out the year 9999, whose times are
    not exact to the microsecond.
    """

    def __init__(self, random: np.random.Generator, *, clock: bool, wild: bool = False) -> None:
        self.random = random
        self.clock = clock
        self.wild = wild
        self.names = {
            kind: [
                name
                for name, known in bed.SCOPE.symbols.items()
                if known.type is kind and known.kind is not bed.KIND.FACT and name != WINDOWED
            ]
            for kind in Type
        }

    def pick(self, choices):
        return choices[self.random.integers(len(choices))]

    def literal(self, kind: Type) -> str:
        return self.pick([each for each in LITERALS[kind] if not (self.wild and "9999" in each)])

    def leaf(self, kind: Type) -> str:
        clock = {Type.TIME: ["now()"] * 3, Type.DATE: ["current_date"] * 3}.get(kind, []) if self.clock else []
        names = self.names[kind]
        if self.random.random() < (0.35 if names or clock else 1):
            return self.literal(kind)
        return self.pick(clock + names)

    def draw(self, kind: Type, depth: int) -> str:
        """Return an expression of a type, at most `depth` deep."""
        if depth <= 0 or self.random.random() < 0.1:
            return self.leaf(kind)
        if kind is not Type.INTERVAL and self.random.random() < 0.2:
            return self.choice(kind, depth - 1)
        return f"({getattr(self, kind.name.lower())(depth - 1)})"

    def choice(self, kind: Type, depth: int) -> str:
        """Return a coalesce or a case."""
        form = self.pick(["coalesce", "searched", "simple"])
        values = [self.draw(kind, depth) for _ in range(3)]
        if form == "coalesce":
            return f"coalesce({', '.join(values)})"
        last = self.pick(["", " else null", f" else {values[2]}"])
        if form == "searched":
            conditions = [self.draw(Type.BOOLEAN, depth) for _ in range(2)]
            return f"case when {conditions[0]} then {values[0]} when {conditions[1]} then {values[1]}{last} end"
        of = self.pick([Type.NUMBER, Type.TEXT, Type.BOOLEAN])
        operands = [self.draw(of, depth) for _ in range(3)]
        return f"case {operands[0]} when {operands[1]} then {values[0]} when {operands[2]} then {values[1]}{last} end"

    def boolean(self, depth: int) -> str:
        form = self.pick(
            [
                "compare",
                "compare",
                "compare",
                "text",
                "in",
                "like",
                "between",
                "null",
                "truth",
                "not",
                "and",
                "or",
                "equal",
            ]
        )
        if form == "compare":
            kind = self.pick(ORDERED)
            operator = self.pick(["=", "<>", "!=", "<", "<=", ">", ">="])
            return f"{self.draw(kind, depth)} {operator} {self.draw(kind, depth)}"
        if form == "text":
            return f"{self.draw(Type.TEXT, depth)} {self.pick(['=', '<>'])} {self.draw(Type.TEXT, depth)}"
        if form == "in":
            kind = self.pick(list(Type))
            choices = ", ".join(self.literal(kind) for _ in range(self.random.integers(1, 5)))
            return f"{self.draw(kind, depth)} {self.pick(['in', 'not in'])} ({choices})"
        if form == "like":
            return f"{self.draw(Type.TEXT, depth)} {self.pick(['like', 'not like'])} {self.pick(PATTERNS)}"
        if form == "between":
            kind = self.pick(ORDERED)
            return f"{self.draw(kind, depth)} between {self.draw(kind, depth)} and {self.draw(kind, depth)}"
        if form == "fact":
            one, other = self.draw(Type.TEXT, depth), self.draw(Type.TEXT, depth)
            facts = ["open_case", "enrolled", "owns", f"owns({one})", f"consent({one})", f"consent({one}, {other})"]
            fact = self.pick([*facts, "account", f"account({one})"])
            return self.pick([fact, f"any account.{fact}"])
        if form == "null":
            return f"{self.draw(self.pick(list(Type)), depth)} {self.pick(['is null', 'is not null'])}"
        if form == "truth":
            return f"{self.draw(Type.BOOLEAN, depth)} is {self.pick(['true', 'false', 'not true', 'not false'])}"
        if form == "not":
            return f"not {self.draw(Type.BOOLEAN, depth)}"
        if form == "equal":
            return f"{self.draw(Type.BOOLEAN, depth)} {self.pick(['=', '<>'])} {self.draw(Type.BOOLEAN, depth)}"
        return f" {form} ".join(self.draw(Type.BOOLEAN, depth) for _ in range(self.random.integers(2, 4)))

    def number(self, depth: int) -> str:
        form = self.pick(["binary", "binary", "sign", "round", "extreme", "time", "date", "count"])
        if form == "binary":
            return f"{self.draw(Type.NUMBER, depth)} {self.pick('+-*/%')} {self.draw(Type.NUMBER, depth)}"
        if form == "sign":
            return f"- {self.draw(Type.NUMBER, depth)}"
        if form == "round":
            return f"{self.pick(['abs', 'floor', 'ceil'])}({self.draw(Type.NUMBER, depth)})"
        if form == "extreme":
            return self.extreme(Type.NUMBER, depth)
        if form == "count":
            return f"count({self.pick(list(bed.FACTS))})"
        part = self.pick(["year", "month", "day", "doy", "isodow", "hour", "minute"])
        if form == "date" and part not in {"hour", "minute"}:
            return f"extract({part} from {self.draw(Type.DATE, depth)})"
        return f"date_part('{part}', {self.draw(Type.TIME, depth) if self.wild else self.moment()})"

    def moment(self) -> str:
        """Return a time in the years for which both readings know all time zones."""
        interval, time = self.pick(LITERALS[Type.INTERVAL]), self.leaf(Type.TIME).replace(FAR, LITERALS[Type.TIME][0])
        return self.pick([time, f"({time} {self.pick('+-')} {interval})"])

    def extreme(self, kind: Type, depth: int) -> str:
        values = ", ".join(self.draw(kind, depth) for _ in range(self.random.integers(2, 4)))
        return f"{self.pick(['least', 'greatest'])}({values})"

    def text(self, _: int) -> str:
        return self.leaf(Type.TEXT)

    def time(self, depth: int) -> str:
        if self.random.random() < 0.2:
            return self.extreme(Type.TIME, depth)
        return f"{self.draw(Type.TIME, depth)} {self.pick('+-')} {self.draw(Type.INTERVAL, depth)}"

    def date(self, depth: int) -> str:
        if self.random.random() < 0.2:
            return self.extreme(Type.DATE, depth)
        return f"{self.draw(Type.DATE, depth)} {self.pick('+-')} interval '{self.random.integers(-400, 400)} days'"

    def interval(self, depth: int) -> str:
        form = self.pick(["difference", "difference", "days", "sum", "product", "sign", "extreme"])
        if form == "difference":
            return f"{self.draw(Type.TIME, depth)} - {self.draw(Type.TIME, depth)}"
        if form == "days":
            return f"{self.draw(Type.DATE, depth)} - {self.draw(Type.DATE, depth)}"
        if form == "sum":
            return f"{self.draw(Type.INTERVAL, depth)} {self.pick('+-')} {self.draw(Type.INTERVAL, depth)}"
        if form == "product":
            return f"{self.pick(LITERALS[Type.INTERVAL])} * {self.draw(Type.NUMBER, depth)}"
        if form == "sign":
            return f"- {self.draw(Type.INTERVAL, depth)}"
        return self.extreme(Type.INTERVAL, depth)
