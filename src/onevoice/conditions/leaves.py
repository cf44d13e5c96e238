"""Literals, names and the clock: the leaves of a condition, and what all checks share."""

from __future__ import annotations

import re
from collections.abc import Callable  # noqa: TC003 - the alias below is evaluated
from typing import Any, ClassVar, Final, NoReturn, TypeAlias, cast

from sqlglot import exp

from onevoice.conditions import literals
from onevoice.conditions.parse import DEPTH_MAX, Source
from onevoice.conditions.tree import (
    CUSTOMER_KINDS,
    OFFER_KINDS,
    Clock,
    Constant,
    Expression,
    FactRead,
    Read,
    Scope,
    Symbol,
    SymbolKind,
    Type,
)
from onevoice.near import did_you_mean

# How each node is checked, and which of its parts may be given.
Methods: TypeAlias = "dict[type[exp.Expr], tuple[Callable[[Any, Any], Expression], frozenset[str] | None]]"

ARTICLE: Final = {
    Type.NUMBER: "a number",
    Type.TEXT: "a text",
    Type.BOOLEAN: "a condition (true or false)",
    Type.TIME: "a time",
    Type.DATE: "a date",
    Type.INTERVAL: "an interval",
}
_KIND: Final = {
    SymbolKind.TRAIT: "a trait of the customer",
    SymbolKind.MEASURE: "a measure of the customer",
    SymbolKind.FACT: "a fact about the customer",
    SymbolKind.SEGMENT: "a segment of customers",
    SymbolKind.OFFER_FIELD: "a field of the offer",
    SymbolKind.OFFER_PRODUCT_FIELD: "a field of the offered product",
    SymbolKind.CAMPAIGN: "a number of the campaign",
}


def unwrapped(node: exp.Expr) -> exp.Expr:
    """Return the node inside any parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _interval_at(text: str, amount: str) -> int:
    """Return where an interval is written; the parser does not remember it."""
    written = re.search(rf"interval\s*'?\s*{re.escape(amount)}", text, re.IGNORECASE)
    return 0 if written is None else written.start()


def part_of(node: exp.Expr, name: str) -> exp.Expr:
    """Return a part of a node that is always there."""
    return cast("exp.Expr", node.args[name])


def parts_of(node: exp.Expr, name: str) -> list[exp.Expr]:
    """Return a list of parts of a node, empty where there is none."""
    return cast("list[exp.Expr]", node.args.get(name) or [])


class Leaves:
    """Checks the leaves; a subclass adds what joins them and lists the methods by node."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.depth = 0

    def check(self, node: exp.Expr) -> Expression:
        """Check any node by the method for its type."""
        node = unwrapped(node)
        method, allowed = self.METHODS.get(type(node), (Leaves._unknown, None))
        if allowed is not None:
            for name, value in node.args.items():
                if value and name not in allowed:
                    self._unknown(node)
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self._refuse(
                "the condition is nested too deeply",
                node,
                expected=f"at most {DEPTH_MAX} expressions inside one another",
                mend="name parts of it as segments",
            )
        expression = method(self, node)
        self.depth -= 1
        return expression

    def _refuse(
        self, what: str, node: exp.Expr, *, expected: str = "", found: str | None = None, mend: str = ""
    ) -> NoReturn:
        self.source.refuse(what, node, expected=expected, found=found, mend=mend)

    def _of(self, node: exp.Expr, expected: Type, what: str) -> Expression:
        """Check a node that has to give one type; `what` says whose it is."""
        expression = self.check(node)
        if expression.type is not expected:
            self._mismatch(what, node, ARTICLE[expected], expression.type)
        return expression

    def _mismatch(self, what: str, node: exp.Expr, expected: str, found: Type, mend: str = "") -> NoReturn:
        quoted = self.source.fragment(*self.source.span(node))
        self._refuse(what, node, expected=expected, found=f"{ARTICLE[found]}: {quoted}", mend=mend)

    # Literals

    def _literal(self, node: exp.Expr) -> Expression:
        text = str(node.this)
        if node.args["is_string"]:
            return Constant(Type.TEXT, text)
        try:
            value = float(text)
        except ValueError:
            self._refuse("this is not a number", node)
        if abs(value) == float("inf"):
            self._refuse("this number is too large", node, expected="less than 1.8e308")
        return Constant(Type.NUMBER, value)

    def _boolean(self, node: exp.Expr) -> Expression:
        return Constant(Type.BOOLEAN, 1.0 if node.this else 0.0)

    def _null(self, node: exp.Expr) -> Expression:
        self._refuse(
            "NULL can stand only as a result of `case`",
            node,
            found="NULL",
            mend="to ask whether a value is unknown, write `… is null`",
        )

    def _interval(self, node: exp.Expr) -> Expression:
        amount, unit = node.args.get("this"), node.args.get("unit")
        if not isinstance(amount, exp.Literal):
            self._refuse(
                "the length of an interval is a literal",
                node,
                mend="for a length that varies write `interval '1 day' * n`",
            )
        text = f"{amount.this} {unit.name if isinstance(unit, exp.Var) else ''}".strip().lower()
        place = _interval_at(self.source.text, str(amount.this))
        if any(literals.unit_of(word) in literals.CALENDAR_UNITS for word in text.split()):
            self.source.refuse(
                "months and years have no fixed length",
                place,
                expected="an interval of weeks, days or shorter",
                mend="write it in days: `interval '30 days'`",
            )
        value = literals.interval_us(text)
        if value is None:
            self.source.refuse(
                "this is not an interval", place, expected="whole microseconds such as `interval '14 days'`"
            )
        return Constant(Type.INTERVAL, float(value))

    def _cast(self, node: exp.Expr) -> Expression:
        literal, kind = unwrapped(part_of(node, "this")), str(part_of(node, "to").this.name)
        if (
            not isinstance(literal, exp.Literal)
            or not literal.is_string
            or kind not in {"DATE", "TIMESTAMPTZ", "TIMESTAMPNTZ", "TIMESTAMP"}
        ):
            self._refuse("a value is not converted to another type here", node, expected="the value as it is")
        text = str(literal.this)
        if kind == "DATE":
            return self._instant(node, Type.DATE, literals.date_us(text), "`date 'YYYY-MM-DD'`")
        if kind != "TIMESTAMPTZ":
            self._refuse("a time needs its offset from UTC", node, expected="`timestamptz '2026-03-01 10:00+02:00'`")
        return self._instant(node, Type.TIME, literals.time_us(text), "`timestamptz '2026-03-01 10:00+02:00'`")

    def _instant(self, node: exp.Expr, kind: Type, value: int | None, expected: str) -> Expression:
        if value is None:
            self._refuse(f"this is not {ARTICLE[kind]}", node, expected=expected)
        return Constant(kind, float(value))

    # Names

    def _column(self, node: exp.Expr) -> Expression:
        name, symbol = self._symbol(node)
        if symbol.kind is SymbolKind.FACT:
            return FactRead(Type.BOOLEAN, name, symbol)
        if symbol.type is None:
            self._refuse(f"`{name}` cannot stand in a condition", node, mend=symbol.note)
        return Read(symbol.type, name, symbol)

    def _symbol(self, node: exp.Expr) -> tuple[str, Symbol]:
        parts = node.parts if isinstance(node, exp.Column) else []
        if not parts or not all(isinstance(each, exp.Identifier) for each in parts):
            self._unknown(node)
        written = ".".join(str(each.this) for each in parts)
        for name in (f"event.{written}", written, f"event.{written.lower()}", written.lower()):
            symbol = self.scope.symbols.get(name)
            if symbol is not None:
                self._allow(node, name, symbol)
                return name, symbol
        return self._unknown_name(node, written)

    def _allow(self, node: exp.Expr, name: str, symbol: Symbol) -> None:
        """Refuse a name that exists and is out of place, saying why."""
        found = f"`{name}`, {_KIND.get(symbol.kind, '')}"
        if symbol.kind in CUSTOMER_KINDS and not self.scope.customer:
            self._refuse(f"{self.scope.purpose} may use only the event's own fields", node, found=found)
        if symbol.kind in OFFER_KINDS and not self.scope.offer:
            self._refuse(f"{self.scope.purpose} knows no offer and no campaign", node, found=found)

    def _is_visible(self, symbol: Symbol) -> bool:
        hidden = (symbol.kind in CUSTOMER_KINDS and not self.scope.customer) or (
            symbol.kind in OFFER_KINDS and not self.scope.offer
        )
        return symbol.type is not None and not hidden

    def _unknown_name(self, node: exp.Expr, written: str) -> NoReturn:
        if written.startswith("event.") and not any(name.startswith("event.") for name in self.scope.symbols):
            self._refuse(f"{self.scope.purpose} knows no event", node)
        visible = [name for name, symbol in self.scope.symbols.items() if self._is_visible(symbol)]
        names = {name.removeprefix("event.") if "." not in written else name for name in visible}
        mend = did_you_mean(written, sorted(names))
        if isinstance(node.parent, exp.EQ | exp.NEQ | exp.In) and not mend and "." not in written:
            mend = f"a text stands in single quotes: '{written}'"
        self._refuse("an unknown name", node, expected=self._expected_name(written, visible), mend=mend)

    def _expected_name(self, written: str, visible: list[str]) -> str:
        """Say what could have stood there: the names with the same beginning, or the kinds of names."""
        head = written.rpartition(".")[0] or ("" if self.scope.customer else "event")
        while head:
            inside = [name for name in visible if name.rpartition(".")[0] == head]
            head = head.rpartition(".")[0]
            if not inside:
                continue
            shown = ", ".join(f"`{name if '.' in written else name.removeprefix('event.')}`" for name in inside[:12])
            return f"one of {shown}" + (f" and {len(inside) - 12} more" if len(inside) > 12 else "")
        return "a trait, measure, fact or segment of the playbook" if self.scope.customer else "a field of the event"

    def _now(self, node: exp.Expr) -> Expression:
        return self._clock(node, Type.TIME)

    def _today(self, node: exp.Expr) -> Expression:
        return self._clock(node, Type.DATE)

    def _clock(self, node: exp.Expr, kind: Type) -> Expression:
        if not self.scope.clock:
            self._refuse(
                f"{self.scope.purpose} may not depend on the clock",
                node,
                found="now()" if kind is Type.TIME else "current_date",
            )
        return Clock(kind)

    def _unknown(self, node: exp.Expr) -> NoReturn:
        if isinstance(node, exp.CurrentTimestamp):
            written = max(self.source.text.lower().find("current_timestamp"), 0)
            self.source.refuse("this cannot stand in a condition", written, mend="write now()")
        mend, start = "", node.meta.get("start")
        if isinstance(start, int):
            name = self.source.text[start : node.meta["end"] + 1].lower()
            symbol = self.scope.symbols.get(name)
            if symbol is not None and symbol.kind is SymbolKind.FACT:
                mend = f"`{name}` is also a function of SQL; give the fact another name"
        self._refuse("this cannot stand in a condition", node, mend=mend)

    METHODS: ClassVar[Methods] = {
        exp.Literal: (_literal, frozenset({"this", "is_string"})),
        exp.Boolean: (_boolean, frozenset({"this"})),
        exp.Null: (_null, frozenset()),
        exp.Interval: (_interval, frozenset({"this", "unit", "fraction_in_string"})),
        exp.Cast: (_cast, frozenset({"this", "to"})),
        exp.Column: (_column, frozenset({"this", "table", "db", "catalog"})),
        exp.CurrentDate: (_today, frozenset()),
    }
