"""Programs of playbooks that differ in one thing, made of the tables of the one in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from onevoice.conditions.opcodes import OP as CODE
from onevoice.conditions.opcodes import A as OPERAND
from onevoice.conditions.opcodes import B as COUNT
from onevoice.conditions.opcodes import Op
from onevoice.conditions.tree import CAMPAIGN_NUMBERS
from onevoice.engine.state import INFINITE
from onevoice.program import (
    CAMPAIGN_AFTER_US,
    CAMPAIGN_AGAIN_US,
    CAMPAIGN_AT_MOST,
    CAMPAIGN_FAILURES,
    CAMPAIGN_FEEDS_FROM,
    CAMPAIGN_FEEDS_TO,
    CAMPAIGN_FOLLOWS,
    CAMPAIGN_FROM,
    CAMPAIGN_HELD,
    CAMPAIGN_IF,
    CAMPAIGN_TO,
    CAMPAIGN_UNTIL,
    CAMPAIGN_VALID_US,
    CAMPAIGN_WAIT_US,
    CAP_INDEX,
    CAP_MAX,
    CAP_OWN,
    CHANNEL_KIND,
    CHANNEL_RECEIPTS_US,
    CHANNEL_WINDOWS_FROM,
    CHANNEL_WINDOWS_TO,
    CLASS_CONSENT_REQUIRED,
    CLASS_EXPLORED,
    CLASS_HELD,
    CLASS_TIER,
    FEED_SOURCE,
    FEED_STALE_US,
    P_GAP_US,
    P_HELD,
    P_LOOK_AHEAD_US,
    PLACEMENT_TIMES,
    PROPOSAL_CAMPAIGN,
    PROPOSAL_IF,
    STOCK_RESOURCE,
    SUPPRESSION_CLASSES,
    SUPPRESSION_OFFERS,
    USES_RESOURCE,
    Program,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from onevoice.conditions.code import Code

PRIORITY: Final = CAMPAIGN_NUMBERS.index("priority")
_COMPARING: Final = frozenset(range(Op.EQUAL, Op.AT_LEAST + 1))
MANY: Final = 2**40  # more than anything that is counted
TRACE_US: Final = 1  # how long a wish lives that is only looked for
BEYOND: Final = 1e15  # a priority above all others


def with_priority(program: Program, campaign: int, priority: float) -> Program:
    """Return the program with another priority of a campaign."""
    numbers = program.campaign_numbers.copy()
    numbers[campaign, PRIORITY] = priority
    return program.replaced(campaign_numbers=numbers)


def without_conditions(program: Program, campaign: int) -> Program:
    """Return the program with a campaign that is for everybody, and always."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, CAMPAIGN_IF] = -1
    proposals = program.proposals.copy()
    proposals[proposals[:, PROPOSAL_CAMPAIGN] == campaign, PROPOSAL_IF] = -1
    return program.replaced(campaigns=campaigns, proposals=proposals)


def without_dates(program: Program, campaign: int) -> Program:
    """Return the program with a campaign that has neither a first nor a last day."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, CAMPAIGN_FROM], campaigns[campaign, CAMPAIGN_TO] = -INFINITE, INFINITE
    return program.replaced(campaigns=campaigns)


def traced(program: Program, campaign: int) -> Program:
    """Return the program with a campaign whose wishes expire right after their births, each for itself.

    They wait for no round. If there is one in that instant they take part, and what goes out is not waited for.
    """
    campaigns, channels = program.campaigns.copy(), program.channels.copy()
    campaigns[campaign, [CAMPAIGN_VALID_US, CAMPAIGN_WAIT_US]] = TRACE_US, INFINITE // 4
    campaigns[campaign, CAMPAIGN_FOLLOWS] = 0
    channels[:, CHANNEL_RECEIPTS_US] = 0
    return program.replaced(campaigns=campaigns, channels=channels)


def without_delay(program: Program, campaign: int) -> Program:
    """Return the program with a campaign whose wishes are born when they are triggered."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, CAMPAIGN_AFTER_US] = 0
    return program.replaced(campaigns=campaigns)


def without_end(program: Program, campaign: int) -> Program:
    """Return the program with a campaign that no event ends."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, CAMPAIGN_UNTIL] = -1
    return program.replaced(campaigns=campaigns)


def with_bound(program: Program, campaign: int, column: int, time: int) -> Program:
    """Return the program with another CAMPAIGN_FROM or CAMPAIGN_TO (the column) of a campaign."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, column] = time
    return program.replaced(campaigns=campaigns)


def with_cap(program: Program, rule: int, count: int, *, for_all: bool) -> Program:
    """Return the program with another number in a cap, by its number; `for_all`: for who has chosen their own, too."""
    caps = program.caps.copy()
    caps[caps[:, CAP_INDEX] == rule, CAP_MAX] = count
    if for_all:
        caps[caps[:, CAP_INDEX] == rule, CAP_OWN] = -1
    return program.replaced(caps=caps)


def without_fatigue(program: Program) -> Program:
    """Return the program in which nothing that is shown rests."""
    placements = program.placements.copy()
    placements[:, PLACEMENT_TIMES] = 0
    return program.replaced(placements=placements)


def without_suppression(program: Program, rule: int) -> Program:
    """Return the program with `policies.suppress[rule]` stopping nothing."""
    suppressions = program.suppressions.copy()
    suppressions[rule, [SUPPRESSION_CLASSES, SUPPRESSION_OFFERS]] = 0
    return program.replaced(suppressions=suppressions)


def with_suppression(program: Program, span_us: int, *, rule: int, column: int) -> Program:
    """Return the program with another `then` or `at_most` (the column) of `policies.suppress[rule]`."""
    suppressions = program.suppressions.copy()
    suppressions[rule, column] = span_us
    return program.replaced(suppressions=suppressions)


def with_fatigue(program: Program, placement: int, times: int) -> Program:
    """Return the program in which what is shown at a placement rests after so many shows."""
    placements = program.placements.copy()
    placements[placement, PLACEMENT_TIMES] = times
    return program.replaced(placements=placements)


def without_addresses(program: Program, channel: int) -> Program:
    """Return the program with a channel that needs no address."""
    channels = program.channels.copy()
    channels[channel, CHANNEL_KIND] = -1
    return program.replaced(channels=channels)


def without_hours(program: Program, channel: int) -> Program:
    """Return the program with a channel that is always open."""
    channels = program.channels.copy()
    channels[channel, CHANNEL_WINDOWS_TO] = channels[channel, CHANNEL_WINDOWS_FROM]
    return program.replaced(channels=channels)


def without_holdout(program: Program, campaign: int | None = None) -> Program:
    """Return the program in which a campaign holds out nobody by itself, or nobody is held out in common."""
    campaigns, limits = program.campaigns.copy(), program.limits.copy()
    if campaign is None:
        limits[P_HELD] = 0
    else:
        campaigns[campaign, CAMPAIGN_HELD] = 0
    return program.replaced(campaigns=campaigns, limits=limits)


def with_room(program: Program, resource: int) -> Program:
    """Return the program in which nobody needs anything of a resource."""
    spans, uses = program.use_spans.copy(), program.uses
    is_other = uses[:, USES_RESOURCE] != resource
    places = np.concatenate([[0], np.cumsum(is_other)])
    stocks = program.stocks[program.stocks[:, STOCK_RESOURCE] != resource]
    return program.replaced(use_spans=places[spans], uses=uses[is_other], stocks=stocks)


def without_consent(program: Program, klass: int) -> Program:
    """Return the program with a class for which silence is consent."""
    classes = program.classes.copy()
    classes[klass, CLASS_CONSENT_REQUIRED] = 0
    return program.replaced(classes=classes)


def without_strict(program: Program, *, explored: bool, held: bool) -> Program:
    """Return the program in which no class comes before another one.

    `explored`, `held`: whether among those that did one is drawn at times, and some are held out, too.
    """
    classes = program.classes.copy()
    did = classes[:, CLASS_TIER] < classes[:, CLASS_TIER].max()
    classes[did, CLASS_EXPLORED] |= explored
    classes[did, CLASS_HELD] |= held
    classes[:, CLASS_TIER] = 0
    return program.replaced(classes=classes)


def with_gap(program: Program, gap_us: int) -> Program:
    """Return the program with another gap between contacts."""
    limits = program.limits.copy()
    limits[P_GAP_US] = gap_us
    return program.replaced(limits=limits)


def with_look_ahead(program: Program, span_us: int) -> Program:
    """Return the program in which slots are kept for what is planned within another span."""
    limits = program.limits.copy()
    limits[P_LOOK_AHEAD_US] = span_us
    return program.replaced(limits=limits)


def with_again_after(program: Program, again_us: int, *, campaign: int) -> Program:
    """Return the program with a campaign that may follow itself sooner or later."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, CAMPAIGN_AGAIN_US] = again_us
    return program.replaced(campaigns=campaigns)


def without_limit(program: Program, campaign: int) -> Program:
    """Return the program with a campaign whose run has no limit."""
    campaigns = program.campaigns.copy()
    campaigns[campaign, [CAMPAIGN_AT_MOST, CAMPAIGN_FAILURES]] = 0
    return program.replaced(campaigns=campaigns)


def without_failures(program: Program) -> Program:
    """Return the program in which no campaign pauses itself for its failures."""
    campaigns = program.campaigns.copy()
    campaigns[:, CAMPAIGN_FAILURES] = 0
    return program.replaced(campaigns=campaigns)


def without_looks(program: Program) -> Program:
    """Return the program in which no source becomes stale by itself, or fresh: that is told."""
    feeds = program.feeds.copy()
    feeds[:, FEED_STALE_US] = 0
    return program.replaced(feeds=feeds)


def without_source(program: Program, campaign: int, source: int) -> Program:
    """Return the program with a campaign that does not depend on a source."""
    campaigns, uses = program.campaigns.copy(), program.campaign_feeds
    own = uses[campaigns[campaign, CAMPAIGN_FEEDS_FROM] : campaigns[campaign, CAMPAIGN_FEEDS_TO]]
    left = own[program.feeds[own[:, 0], FEED_SOURCE] != source]
    campaigns[campaign, [CAMPAIGN_FEEDS_FROM, CAMPAIGN_FEEDS_TO]] = len(uses), len(uses) + len(left)
    return program.replaced(campaigns=campaigns, campaign_feeds=np.concatenate([uses, left]))


def with_value(program: Program, op: Op, index: int, value: float) -> Program:
    """Return the program in whose conditions a trait, a measure or the keys of a fact are a value; NaN is NULL."""
    code, constants = program.code.copy(), np.append(program.constants, value)
    here: NDArray[np.bool_] = (code[:, CODE] == op) & (code[:, OPERAND] == index)
    if op == Op.FACT_ANY and not value:
        here &= code[:, COUNT] == 0  # not what is asked of others
    code[here, CODE], code[here, OPERAND] = Op.CONSTANT, len(program.constants)
    return program.replaced(code=code, constants=constants)


def compared_with(program: Program, op: Op, index: int) -> list[float] | None:
    """Return the numbers with which conditions compare a trait, a measure or how many keys of a fact are open.

    None where a condition does anything else with it, such as multiply it: then any value may make a difference. Where
    it is compared alone, all values between two of these numbers are alike.
    """
    code, constants = program.code, program.constants
    ops = [*code[:, CODE].tolist(), -1, -1, -1]
    targets = set(code[code[:, CODE] >= Op.JUMP, OPERAND].tolist())
    found: list[float] = []
    for place in np.flatnonzero((code[:, CODE] == op) & (code[:, OPERAND] == index)).tolist():
        after = place + 1 if ops[place + 1] != Op.JUMP_IF_KNOWN else int(code[place + 1, OPERAND])  # of a `coalesce`
        following = ops[after : after + 3]
        if following[0] in _COMPARING and place and ops[place - 1] == Op.CONSTANT and place not in targets:
            found.append(float(constants[int(code[place - 1, OPERAND])]))
        elif following[0] == Op.CONSTANT and following[1] in _COMPARING:
            found.append(float(constants[int(code[after, OPERAND])]))
        elif following == [Op.CONSTANT, Op.CONSTANT, Op.BETWEEN]:
            found += constants[code[after : after + 2, OPERAND]].tolist()
        elif following[0] == Op.IN:
            first, count = code[after, [OPERAND, COUNT]].tolist()
            found += constants[first : first + count].tolist()
        elif following[0] != Op.IS_NULL:
            return None
    return [each for each in found if np.isfinite(each)]


def with_expression(program: Program, code: Code) -> tuple[Program, int]:
    """Return the program with one more expression, that has no jumps, and its number."""
    rows = code.code.copy()
    rows[_is_constant(rows), OPERAND] += len(program.constants)
    span = [[len(program.code), len(program.code) + len(rows)]]
    changed = program.replaced(
        code=np.concatenate([program.code, rows]),
        constants=np.concatenate([program.constants, code.constants]),
        spans=np.concatenate([program.spans, np.array(span, program.spans.dtype)]),
    )
    return changed, len(program.spans)


def with_answer(program: Program, code: Code, value: float) -> Program:
    """Return the program in whose conditions an expression, that has no jumps, is a value wherever it stands.

    Of a fact that is open for the customer it is so too where others in a group are asked.
    """
    changed, constants, length = program.code.copy(), np.append(program.constants, value), len(code.code)
    for start in range(len(program.code) - length + 1):
        if _is_read(program, start, code, is_true=value == 1.0):
            changed[start, [CODE, OPERAND]] = Op.CONSTANT, len(program.constants)
            if length > 1:
                changed[start + 1, [CODE, OPERAND]] = Op.JUMP, start + length
    return program.replaced(code=changed, constants=constants)


def _is_read(program: Program, start: int, code: Code, *, is_true: bool) -> bool:
    """Tell whether an expression stands at a place of the program."""
    here, rows = program.code[start : start + len(code.code)].copy(), code.code.copy()
    if (here[:, CODE] != rows[:, CODE]).any():
        return False
    constant = _is_constant(rows)
    if (program.constants[here[constant, OPERAND]] != code.constants[rows[constant, OPERAND]]).any():
        return False
    here[constant, OPERAND] = rows[constant, OPERAND] = 0
    if is_true and rows[-1, COUNT] == 0:
        here[-1, COUNT] = 0
    return bool((here == rows).all())


def _is_constant(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    return rows[:, CODE] == Op.CONSTANT
