"""Types of a condition are checked here; a node that is not on the list of known ones is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NoReturn, cast

from sqlglot import exp

from onevoice.conditions.arithmetic import fold
from onevoice.conditions.leaves import ARTICLE, Leaves, Methods, part_of, parts_of, unwrapped
from onevoice.conditions.opcodes import STACK_MAX
from onevoice.conditions.parse import Source, parse
from onevoice.conditions.tree import (
    TEMPORAL,
    AnyRead,
    Apply,
    Case,
    Clock,
    Constant,
    DatePart,
    Expression,
    FactRead,
    In,
    Like,
    Operator,
    Part,
    Scope,
    Symbol,
    SymbolKind,
    Type,
    stack_depth,
    walk,
)
from onevoice.near import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STACK_MAX", "Expression", "Scope", "Symbol", "SymbolKind", "Type", "check"]


_CHAINS: Final[dict[type[exp.Expr], Operator]] = {exp.And: Operator.AND, exp.Or: Operator.OR}
_COMPARISONS: Final[dict[type[exp.Expr], Operator]] = {
    exp.EQ: Operator.EQUAL,
    exp.NEQ: Operator.UNEQUAL,
    exp.LT: Operator.LESS,
    exp.LTE: Operator.AT_MOST,
    exp.GT: Operator.GREATER,
    exp.GTE: Operator.AT_LEAST,
}
_ARITHMETIC: Final[dict[type[exp.Expr], Operator]] = {
    exp.Add: Operator.ADD,
    exp.Sub: Operator.SUBTRACT,
    exp.Mul: Operator.MULTIPLY,
    exp.Div: Operator.DIVIDE,
    exp.Mod: Operator.REMAINDER,
}
_ROUNDING: Final[dict[type[exp.Expr], Operator]] = {
    exp.Abs: Operator.ABS,
    exp.Floor: Operator.FLOOR,
    exp.Ceil: Operator.CEIL,
}
_CHOICES: Final[dict[type[exp.Expr], Operator]] = {
    exp.Least: Operator.LEAST,
    exp.Greatest: Operator.GREATEST,
    exp.Coalesce: Operator.COALESCE,
}
_PARTS: Final[dict[type[exp.Expr], Part]] = {
    exp.Year: Part.YEAR,
    exp.Month: Part.MONTH,
    exp.Day: Part.DAY,
    exp.Hour: Part.HOUR,
    exp.Minute: Part.MINUTE,
    exp.DayOfWeekIso: Part.ISODOW,
    exp.DayOfYear: Part.DOY,
}
_SUMS: Final = {
    (Operator.ADD, Type.NUMBER, Type.NUMBER): Type.NUMBER,
    (Operator.ADD, Type.INTERVAL, Type.INTERVAL): Type.INTERVAL,
    (Operator.ADD, Type.TIME, Type.INTERVAL): Type.TIME,
    (Operator.ADD, Type.INTERVAL, Type.TIME): Type.TIME,
    (Operator.ADD, Type.DATE, Type.INTERVAL): Type.DATE,
    (Operator.ADD, Type.INTERVAL, Type.DATE): Type.DATE,
    (Operator.SUBTRACT, Type.NUMBER, Type.NUMBER): Type.NUMBER,
    (Operator.SUBTRACT, Type.INTERVAL, Type.INTERVAL): Type.INTERVAL,
    (Operator.SUBTRACT, Type.TIME, Type.INTERVAL): Type.TIME,
    (Operator.SUBTRACT, Type.DATE, Type.INTERVAL): Type.DATE,
    (Operator.SUBTRACT, Type.TIME, Type.TIME): Type.INTERVAL,
    (Operator.SUBTRACT, Type.DATE, Type.DATE): Type.INTERVAL,
    (Operator.MULTIPLY, Type.NUMBER, Type.NUMBER): Type.NUMBER,
    (Operator.MULTIPLY, Type.INTERVAL, Type.NUMBER): Type.INTERVAL,
    (Operator.MULTIPLY, Type.NUMBER, Type.INTERVAL): Type.INTERVAL,
    (Operator.DIVIDE, Type.NUMBER, Type.NUMBER): Type.NUMBER,
    (Operator.REMAINDER, Type.NUMBER, Type.NUMBER): Type.NUMBER,
}
_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000


def check(text: str, scope: Scope, expected: Type | None, where: str) -> Expression:
    """Parse a condition, resolve its names in `scope` and check its types.

    `expected` None accepts any type. `where` is the place of the text, carried by each mistake together with the line
    and column inside it. Raises ConditionError with one Mistake.
    """
    source = Source(text, where)
    node = parse(source)
    try:
        expression = _Checker(source, scope).check(node)
    except RecursionError:
        source.refuse("the condition is nested too deeply", 0, mend="name parts of it as segments")
    if expected is not None and expression.type is not expected:
        source.refuse("this gives " + ARTICLE[expression.type], node, expected=ARTICLE[expected])
    if stack_depth(expression) > STACK_MAX:
        source.refuse(
            "too many values have to be held at once",
            node,
            expected=f"at most {STACK_MAX}",
            found=f"{stack_depth(expression)}",
            mend="name parts of it as segments",
        )
    return expression


def _until_known(values: list[Expression]) -> list[Expression]:
    """Leave out of a coalesce what can never be its value: literal NULLs, and all after a literal."""
    kept: list[Expression] = []
    for each in values:
        if isinstance(each, Constant) and each.value is None:
            continue
        kept.append(each)
        if isinstance(each, Constant):
            break
    return kept or values[:1]


class _Checker(Leaves):
    """Turns one syntax tree into one expression; a method per family of nodes."""

    # Functions

    def _function(self, node: exp.Expr) -> Expression:
        """Check a call that SQL has no node for: `now()`, `date_part`, or a fact."""
        name, arguments = str(node.this).lower(), parts_of(node, "expressions")
        if name == "now" and not arguments:
            return self._now(node)
        if name == "date_part" and len(arguments) == 2:
            return self._date_part(node, str(arguments[0].this), arguments[1])
        symbol = self.scope.symbols.get(name)
        if symbol is None or symbol.kind is not SymbolKind.FACT:
            facts = [each for each, known in self.scope.symbols.items() if known.kind is SymbolKind.FACT]
            mend = did_you_mean(name, ["now", "date_part", "count", *facts])
            self._refuse(
                "an unknown function or fact", node, expected="a fact, or a function of SQL that is allowed", mend=mend
            )
        self._allow(node, name, symbol)
        return FactRead(Type.BOOLEAN, name, symbol, self._keys(node, name, symbol, arguments))

    def _any(self, node: exp.Expr) -> Expression:
        """Check `any GROUP.FACT`, or `any GROUP.FACT(x)`."""
        asked = unwrapped(part_of(node, "this"))
        arguments: list[exp.Expr] | None = None
        if isinstance(asked, exp.Column) and len(asked.parts) == 2:
            group, name = (str(each.name).lower() for each in asked.parts)
        elif isinstance(asked, exp.Dot) and isinstance(asked.expression, exp.Anonymous):
            group, name = str(asked.this.name).lower(), str(asked.expression.this).lower()
            arguments = parts_of(asked.expression, "expressions")
        else:
            expected = "`any GROUP.FACT`, such as `any account.open_case`"
            self._refuse("`any` asks for a fact of all who are in a group", node, expected=expected)
        found, symbol = self._group(node, group), self._fact_of_others(node, name)
        keys = () if arguments is None else self._keys(node, name, symbol, arguments)
        return AnyRead(f"{group}.{name}", found, FactRead(Type.BOOLEAN, name, symbol, keys))

    def _group(self, node: exp.Expr, name: str) -> Symbol:
        groups = {each: known for each, known in self.scope.symbols.items() if known.is_group}
        if name not in groups:
            expected = (
                f"one of {', '.join(f'`{each}`' for each in groups)}" if groups else "a declared group; there is none"
            )
            mend = did_you_mean(name, sorted(groups))
            self._refuse("an unknown group", node, expected=expected, found=f"`{name}`", mend=mend)
        self._allow(node, name, groups[name])
        return groups[name]

    def _fact_of_others(self, node: exp.Expr, name: str) -> Symbol:
        symbol = self.scope.symbols.get(name)
        if symbol is None or symbol.kind is not SymbolKind.FACT:
            facts = [each for each, known in self.scope.symbols.items() if known.kind is SymbolKind.FACT]
            mend = did_you_mean(name, sorted(facts))
            self._refuse("`any` asks for a fact", node, expected="the name of a fact", found=f"`{name}`", mend=mend)
        return symbol

    def _keys(self, node: exp.Expr, name: str, symbol: Symbol, arguments: list[exp.Expr]) -> tuple[Expression, ...]:
        parts = symbol.components
        usable = len(arguments) == 1 or (len(arguments) == 2 and len(parts) == 2)
        if not parts or not usable:
            expected = "no key" if not parts else "the first part of its key" + (" or both" if len(parts) == 2 else "")
            self._refuse(f"`{name}` is asked with the wrong number of keys", node, expected=expected)
        for argument, part in zip(arguments, parts, strict=False):
            if part is not Type.TEXT:
                self._refuse(f"this part of the key of `{name}` cannot be named in a condition", argument)
        return tuple(self._of(each, Type.TEXT, f"a key of `{name}` is a text") for each in arguments)

    def _count(self, node: exp.Expr) -> Expression:
        fact = unwrapped(part_of(node, "this"))
        if not isinstance(fact, exp.Column):
            self._refuse("count asks how many keys of a fact are open", node, expected="`count(FACT)`")
        name, symbol = self._symbol(fact)
        if symbol.kind is not SymbolKind.FACT:
            self._refuse(
                "count asks how many keys of a fact are open",
                node,
                expected="`count(FACT)`",
                mend="events are counted by a measure",
            )
        return FactRead(Type.NUMBER, name, symbol, count=True)

    def _extract(self, node: exp.Expr) -> Expression:
        return self._date_part(node, str(part_of(node, "this").name), part_of(node, "expression"))

    def _part_function(self, node: exp.Expr) -> Expression:
        return self._date_part(node, _PARTS[type(node)].name, part_of(node, "this"))

    def _date_part(self, node: exp.Expr, name: str, operand: exp.Expr) -> Expression:
        if name.upper() not in Part.__members__:
            known = ", ".join(each.name.lower() for each in Part)
            mend = (
                "isodow counts from 1, Monday, to 7, Sunday" if name.lower() in {"dow", "dayofweek", "weekday"} else ""
            )
            self._refuse(f"there is no date part `{name.lower()}`", node, expected=f"one of {known}", mend=mend)
        part, value = Part[name.upper()], self.check(operand)
        if value.type not in {Type.TIME, Type.DATE}:
            self._mismatch(f"only a time has a part `{part.name.lower()}`", operand, "a time or a date", value.type)
        if value.type is Type.DATE and part in {Part.HOUR, Part.MINUTE}:
            self._mismatch(f"only a time has a part `{part.name.lower()}`", operand, "a time", value.type)
        if value.type is Type.TIME and not self.scope.customer:
            self._refuse(f"{self.scope.purpose} may not depend on the customer's time zone", node)
        return DatePart(part, value)

    def _rounding(self, node: exp.Expr) -> Expression:
        operator = _ROUNDING[type(node)]
        value = self._of(part_of(node, "this"), Type.NUMBER, f"{operator} takes a number")
        return Apply(Type.NUMBER, operator, (value,))

    def _choice(self, node: exp.Expr) -> Expression:
        """Check least, greatest and coalesce: several values of one type."""
        operator = _CHOICES[type(node)]
        nodes = [part_of(node, "this"), *parts_of(node, "expressions")]
        values = [self.check(each) for each in nodes]
        for each, value in zip(nodes, values, strict=True):
            if value.type is not values[0].type:
                self._mismatch(f"the values of {operator} differ in type", each, ARTICLE[values[0].type], value.type)
        if operator is not Operator.COALESCE and values[0].type not in {Type.NUMBER, *TEMPORAL}:
            self._mismatch(
                f"{operator} needs values with an order", nodes[0], "numbers, times or dates", values[0].type
            )
        if operator is Operator.COALESCE:
            values = _until_known(values)
        if len(values) == 1:
            return values[0]
        return Apply(values[0].type, operator, tuple(values))

    # Operators

    def _chain(self, node: exp.Expr) -> Expression:
        """Check `a and b and c` as one list, so that a long one is not a deep one."""
        family, operator = type(node), _CHAINS[type(node)]
        nodes: list[exp.Expr] = []
        while isinstance(node, family):
            nodes.append(part_of(node, "expression"))
            node = unwrapped(part_of(node, "this"))
        nodes.append(node)
        what = f"`{operator}` joins conditions"
        return Apply(Type.BOOLEAN, operator, tuple(self._of(each, Type.BOOLEAN, what) for each in reversed(nodes)))

    def _not(self, node: exp.Expr) -> Expression:
        return Apply(
            Type.BOOLEAN,
            Operator.NOT,
            (self._of(part_of(node, "this"), Type.BOOLEAN, "`not` turns a condition round"),),
        )

    def _comparison(self, node: exp.Expr) -> Expression:
        operator = _COMPARISONS[type(node)]
        left_node, right_node = part_of(node, "this"), part_of(node, "expression")
        self._no_null(left_node, right_node)
        left, right = self.check(left_node), self.check(right_node)
        self._comparable(left, right, right_node)
        ordered = operator not in {Operator.EQUAL, Operator.UNEQUAL}
        if ordered and left.type in {Type.TEXT, Type.BOOLEAN}:
            kind = "texts are" if left.type is Type.TEXT else "conditions are"
            self._refuse(f"{kind} not ordered", node, expected="=, <> or in")
        return Apply(Type.BOOLEAN, operator, (left, right))

    def _no_null(self, *nodes: exp.Expr) -> None:
        for each in nodes:
            if isinstance(unwrapped(each), exp.Null):
                self._refuse(
                    "a comparison with NULL is never true", each.parent or each, mend="write `is null` or `is not null`"
                )

    def _comparable(self, left: Expression, right: Expression, right_node: exp.Expr) -> None:
        if left.type is right.type:
            return
        literal = next((each for each in (left, right) if isinstance(each, Constant) and each.type is Type.TEXT), None)
        kinds, mend = {left.type, right.type}, ""
        if kinds == {Type.TIME, Type.DATE}:
            mend = "compare a date with current_date, a time with now()"
        elif literal is not None and Type.DATE in kinds:
            mend = f"write `date '{literal.value}'`"
        elif literal is not None and Type.TIME in kinds:
            mend = "write a time with its offset, like `timestamptz '2026-03-01 10:00+02:00'`"
        elif literal is not None and Type.NUMBER in kinds:
            mend = "a number stands without quotes"
        self._mismatch("values of different types are compared", right_node, ARTICLE[left.type], right.type, mend)

    def _between(self, node: exp.Expr) -> Expression:
        nodes = [part_of(node, name) for name in ("this", "low", "high")]
        self._no_null(*nodes)
        value, low, high = (self.check(each) for each in nodes)
        self._comparable(value, low, nodes[1])
        self._comparable(value, high, nodes[2])
        if value.type in {Type.TEXT, Type.BOOLEAN}:
            self._mismatch("between needs values with an order", nodes[0], "numbers, times or dates", value.type)
        return Apply(Type.BOOLEAN, Operator.BETWEEN, (value, low, high))

    def _in(self, node: exp.Expr) -> Expression:
        operand_node, nodes = part_of(node, "this"), parts_of(node, "expressions")
        if not nodes:
            self._refuse("`in` needs a list of literals", node, expected="`in ('a', 'b')`")
        self._no_null(*nodes)
        operand = self.check(operand_node)
        choices: list[Constant] = []
        for each in nodes:
            choice = self.check(each)
            if not isinstance(choice, Constant):
                self._refuse("`in` compares with literals", each, mend="compare with `=` and join by `or`")
            self._comparable(operand, choice, each)
            choices.append(choice)
        return In(operand, tuple(choices))

    def _is(self, node: exp.Expr) -> Expression:
        operand_node, value = part_of(node, "this"), unwrapped(part_of(node, "expression"))
        if isinstance(value, exp.Null):
            return Apply(Type.BOOLEAN, Operator.IS_NULL, (self.check(operand_node),))
        if not isinstance(value, exp.Boolean):
            self._refuse("`is` asks for null, true or false", node)
        operand = self._of(operand_node, Type.BOOLEAN, "only a condition is true or false")
        return Apply(Type.BOOLEAN, Operator.IS_TRUE if value.this else Operator.IS_FALSE, (operand,))

    def _like(self, node: exp.Expr) -> Expression:
        operand = self._of(part_of(node, "this"), Type.TEXT, "like compares texts")
        pattern = unwrapped(part_of(node, "expression"))
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            self._refuse("the pattern of like is a literal", pattern, expected="a text such as 'red%'")
        like = Like(operand, str(pattern.this))
        return Apply(Type.BOOLEAN, Operator.NOT, (like,)) if node.args.get("negate") else like

    def _negation(self, node: exp.Expr) -> Expression:
        value = self.check(part_of(node, "this"))
        if value.type not in {Type.NUMBER, Type.INTERVAL}:
            self._mismatch("only numbers and intervals have a sign", node, "a number or an interval", value.type)
        return fold(Apply(value.type, Operator.NEGATE, (value,)))

    def _arithmetic(self, node: exp.Expr) -> Expression:
        operator = _ARITHMETIC[type(node)]
        left, right = self.check(part_of(node, "this")), self.check(part_of(node, "expression"))
        result = _SUMS.get((operator, left.type, right.type))
        if result is None:
            self._no_such_sum(node, operator, left, right)
        if result is Type.DATE:
            self._whole_days(node, left if left.type is Type.INTERVAL else right)
        if operator is Operator.MULTIPLY and result is Type.INTERVAL:
            self._no_clock(node, left if left.type is Type.INTERVAL else right)
        return fold(Apply(result, operator, (left, right)))

    def _no_such_sum(self, node: exp.Expr, operator: Operator, left: Expression, right: Expression) -> NoReturn:
        mend = ""
        if {left.type, right.type} in ({Type.DATE, Type.NUMBER}, {Type.TIME, Type.NUMBER}):
            mend = "a number of days is written `interval '14 days'`"
        elif Type.TEXT in {left.type, right.type} and {left.type, right.type} & TEMPORAL:
            mend = "a length of time is written `interval '14 days'`"
        elif {left.type, right.type} == {Type.DATE, Type.TIME}:
            mend = "use current_date with dates and now() with times"
        self._refuse(
            f"`{operator}` does not fit its operands",
            node,
            expected="numbers, or a time and an interval",
            found=f"{ARTICLE[left.type]} {operator} {ARTICLE[right.type]}",
            mend=mend,
        )

    def _whole_days(self, node: exp.Expr, interval: Expression) -> None:
        length = interval.value if isinstance(interval, Constant) else None
        if not isinstance(length, float) or length % _DAY_US != 0:
            found = f"{length / _HOUR_US:g} hours" if isinstance(length, float) else "an interval that varies"
            self._refuse("a date moves by whole days", node, expected="`interval '14 days'`", found=found)

    def _no_clock(self, node: exp.Expr, interval: Expression) -> None:
        """Keep the pace of an interval that grows with the clock, so that the instant of a change is exact."""
        if any(isinstance(each, Clock) and each.type is Type.TIME for each in walk(interval)):
            self._refuse(
                "an interval that depends on now() cannot be multiplied",
                node,
                mend="multiply the other side of the comparison",
            )

    # Case

    def _case(self, node: exp.Expr) -> Expression:
        operand_node = cast("exp.Expr | None", node.args.get("this"))
        operand = None if operand_node is None else self.check(operand_node)
        conditions: list[Expression] = []
        results: list[exp.Expr] = []
        for branch in parts_of(node, "ifs"):
            condition_node = part_of(branch, "this")
            if operand is None:
                condition = self._of(condition_node, Type.BOOLEAN, "`when` needs a condition")
            else:
                self._no_null(condition_node)
                condition = self.check(condition_node)
                self._comparable(operand, condition, condition_node)
            conditions.append(condition)
            results.append(part_of(branch, "true"))
        last = cast("exp.Expr | None", node.args.get("default"))
        values = self._results(node, [*results, *([] if last is None else [last])])
        default = Constant(values[0].type, None) if last is None else values[-1]
        branches = tuple(zip(conditions, values, strict=False))
        return Case(values[0].type, operand, branches, default)

    def _results(self, node: exp.Expr, nodes: Sequence[exp.Expr]) -> list[Expression]:
        """Check the results of a case: one type, NULL taking that of the others."""
        values = [None if isinstance(unwrapped(each), exp.Null) else self.check(each) for each in nodes]
        kind = next((each.type for each in values if each is not None), None)
        if kind is None:
            self._refuse("each result of this case is NULL", node)
        for each, value in zip(nodes, values, strict=True):
            if value is not None and value.type is not kind:
                self._mismatch("the results of a case differ in type", each, ARTICLE[kind], value.type)
        return [Constant(kind, None) if each is None else each for each in values]

    METHODS: ClassVar[Methods] = {
        **Leaves.METHODS,
        exp.Anonymous: (_function, frozenset({"this", "expressions"})),
        exp.Any: (_any, frozenset({"this"})),
        exp.Count: (_count, frozenset({"this", "big_int"})),
        exp.Extract: (_extract, frozenset({"this", "expression"})),
        exp.Not: (_not, frozenset({"this"})),
        exp.Neg: (_negation, frozenset({"this"})),
        exp.Is: (_is, frozenset({"this", "expression"})),
        exp.Like: (_like, frozenset({"this", "expression", "negate"})),
        exp.In: (_in, frozenset({"this", "expressions"})),
        exp.Between: (_between, frozenset({"this", "low", "high"})),
        exp.Case: (_case, frozenset({"this", "ifs", "default"})),
        **dict.fromkeys(_CHAINS, (_chain, frozenset({"this", "expression"}))),
        **dict.fromkeys(_COMPARISONS, (_comparison, frozenset({"this", "expression"}))),
        **dict.fromkeys(_ARITHMETIC, (_arithmetic, frozenset({"this", "expression", "typed", "safe"}))),
        **dict.fromkeys(_ROUNDING, (_rounding, frozenset({"this"}))),
        **dict.fromkeys(_CHOICES, (_choice, frozenset({"this", "expressions", "ignore_nulls"}))),
        **dict.fromkeys(_PARTS, (_part_function, frozenset({"this"}))),
    }
