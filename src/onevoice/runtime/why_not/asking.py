"""What conditions ask of facts by a key, or of others in a group: the answer, and what comes of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.conditions.code import Assembler, Code
from onevoice.conditions.opcodes import STACK_ROOM
from onevoice.conditions.tree import CUSTOMER_KINDS, OFFER_KINDS, symbols_of
from onevoice.engine import state as at
from onevoice.engine.conditions import evaluate
from onevoice.program import CAMPAIGN_PROPOSALS_FROM, CAMPAIGN_PROPOSALS_TO, PROPOSAL_PRODUCT
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


def answer(program: Program, state: State, asked: Expression, code: Code, customer: int, campaign: int) -> bool | None:
    """Return what is answered about a customer and a campaign.

    None where that depends on an event, or on which of its offers is made.
    """
    kinds = {kind for kind, _ in symbols_of(asked)}
    if kinds - CUSTOMER_KINDS - OFFER_KINDS:
        return None
    asking, number = what_if.with_expression(program, code)
    start, stop = program.campaigns[campaign, [CAMPAIGN_PROPOSALS_FROM, CAMPAIGN_PROPOSALS_TO]].tolist()
    now, stack = int(state.scalars[at.NOW]), np.zeros(STACK_ROOM)
    with np.errstate(over="ignore"):  # hashes wrap; only the interpreted engine would warn
        answers = {
            evaluate(asking, state, stack, number, customer, now, state.contexts, -1, proposal, product) == 1.0
            for proposal, product in enumerate(program.proposals[start:stop, PROPOSAL_PRODUCT].tolist(), start)
        }
    return answers.pop() if len(answers) == 1 else None
