"""What conditions ask of facts by a key, or of others in a group: the answer, and what comes of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.conditions.code import Assembler, Code
from onevoice.conditions.opcodes import STACK_ROOM
from onevoice.conditions.tree import CUSTOMER_KINDS, symbols_of
from onevoice.engine import state as at
from onevoice.engine.conditions import evaluate
from onevoice.runtime import what_if

if TYPE_CHECKING:
    from collections.abc import Callable

    from onevoice.conditions.tree import Expression
    from onevoice.engine.state import State
    from onevoice.program import Program


def assembled(asked: Expression, code_of: Callable[[str], float]) -> Code:
    """Return how a condition asks something, in the codes of an engine."""
    assembler = Assembler(lambda text: int(code_of(text)))
    assembler.add(asked)
    return assembler.code()


def answer(program: Program, state: State, asked: Expression, code: Code, customer: int) -> bool | None:
    """Return what is answered about a customer; None where that depends on an event or an offer."""
    if any(kind not in CUSTOMER_KINDS for kind, _ in symbols_of(asked)):
        return None
    asking, number = what_if.with_expression(program, code)
    now, nothing = int(state.scalars[at.NOW]), -1
    stack = np.zeros(STACK_ROOM)
    return evaluate(asking, state, stack, number, customer, now, state.contexts, nothing, nothing, nothing) == 1.0
