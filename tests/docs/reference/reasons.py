"""The page of reasons: what each means, what it carries, when it ends, what one can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onevoice.engine.reasons import DecisionKind, Reason


@dataclass(frozen=True)
class Meaning:
    """What a reason says. `carries`: which fields of the line say more; `lifts`: when it ends; `mend`: what to do."""

    says: str
    carries: str
    lifts: str
    mend: str


MEANINGS: Final = {
    Reason.WON: Meaning(
        "It was chosen: a contact is reserved, or it is shown at a placement.",
        "`channel`, `score`, `contact`",
        "",
        "",
    ),
    Reason.EXPIRED: Meaning(
        "Its time was over before it could go out.",
        "",
        "never: it is gone",
        "look at what held it back before; lengthen `valid_for`, or let it count less against a cap",
    ),
    Reason.ENDED: Meaning(
        "An event of its `until` came: they bought, extended, answered.",
        "",
        "never: it is gone",
        "nothing: this is what `until` is for",
    ),
    Reason.NOT_ELIGIBLE: Meaning(
        "Its `if`, or that of its offer, was true when it was born and is not when its turn comes.",
        "",
        "never: it is dropped",
        "a condition that should only hold it back for a while belongs into a suppression",
    ),
    Reason.TOO_MANY: Meaning(
        "64 wishes wait for this customer already.",
        "",
        "never: the wish is refused; the next trigger makes another",
        "give campaigns a `valid_for`, an `until` or a narrower `if`",
    ),
    Reason.STOPPED: Meaning(
        "The campaign, its class or everything was stopped while it waited.",
        "`rule` (which of them: `campaign`, `class`, `all`)",
        "never: what is resumed makes new wishes",
        "where it should only wait, pause it",
    ),
    Reason.PAUSED: Meaning(
        "The campaign, its class or everything is paused, by hand or because it came to a limit of its run.",
        "`rule` (which of them: `campaign`, `class`, `all`, or `failures`), and at the limit `value` of `limit`",
        "when all of them are resumed",
        "`onevoice resume`; raise `at_most` where the audience is as large as was meant, or mend what fails",
    ),
    Reason.STALE: Meaning(
        "A source on which it depends has stopped: nothing of it is known that occurred within its `stale_after`.",
        "`rule` (the source), `value` (up to when it was known, when it stopped; none: it was never heard)",
        "when the source is heard again",
        "mend the feed; lengthen `stale_after`; `docs/guide/moments.md` says on what a campaign depends",
    ),
    Reason.NO_CONSENT: Meaning(
        "They withdrew their consent to this purpose by this channel, or the class requires one and there is none.",
        "`channel`",
        "when `consent_given` comes",
        "send by another channel, too; ask for consent by a service message",
    ),
    Reason.NO_ADDRESS: Meaning(
        "No identifier is known that the channel is addressed by.",
        "`channel`",
        "when one becomes known",
        "send by another channel, too",
    ),
    Reason.FAILED: Meaning(
        "A contact of it by this channel failed or was cancelled; with a number in `contact`: no channel is left.",
        "`channel`, `contact`",
        "when another channel of it is open again; with a `contact` never: it is gone",
        "send by another channel, too; look at the bounces of this one",
    ),
    Reason.SUPPRESSED: Meaning(
        "A rule of `policies.suppress` holds.",
        "`channel`, `rule`",
        "when the rule's condition is no longer true and its `then` is over, or after `at_most`; never for an ask",
        "look at the customer's timeline: the fact that the rule reads stands there as a band",
    ),
    Reason.AGAIN_AFTER: Meaning(
        "This campaign reached them less than its `again_after` ago.",
        "`channel`, `value` (when it went out last), `until`",
        "at `until`",
        "shorten `again_after`",
    ),
    Reason.FATIGUE: Meaning(
        "It was shown at this placement as often as its `fatigue` says without a reaction, and rests there.",
        "`rule`, `value` of `limit`, `until`",
        "at `until`, or when the customer reacts to its family",
        "show something else there, or let it rest later",
    ),
    Reason.NO_CAPACITY: Meaning(
        "A resource that the contact would use has no room for it: used up, reserved for other classes, or closed.",
        "`channel`, `rule`, `value` of `limit` (of a budget in ten-thousandths), `until`; `because`: `closed`, `reserved`, "
        "`too_little`, `too_small` (a budget, for one contact), or nothing where it is used up",
        "at `until`, when its turn comes, or before: where others leave room, or `resource_set` says that there is more",
        "raise the capacity, or narrow what uses it; `reserve` keeps a share for a class",
    ),
    Reason.HOURS: Meaning(
        "The channel is closed on the customer's own clock: it is outside its `policies.hours`, or a holiday there.",
        "`channel`, `until`",
        "at `until`, when the channel opens; when the customer's time zone becomes another it is looked at again",
        "give the channel longer hours, or the campaign another channel; lengthen a `valid_for` that ends before it opens",
    ),
    Reason.GAP: Meaning(
        "The last contact, whatever it was, is less than `policies.gap` ago (of a class that is exempt: the last of this campaign).",
        "`channel`, `value` (when that was), `until`",
        "at `until`",
        "shorten `policies.gap`, or exempt the class",
    ),
    Reason.CAP: Meaning(
        "A cap is full.",
        "`channel`, `rule`, `value` of `limit`, `until`",
        "at `until`, when there is room again",
        "`onevoice report` says which campaigns used it; raise the cap, or narrow what they are for",
    ),
    Reason.KEPT_FOR: Meaning(
        "It could have gone out, and would have taken the slot of a more important one that is planned within `policies.look_ahead`.",
        "`channel`, `value` (the campaign planned), `score`, `until` (when that is planned)",
        "at `until`; before, when what is planned ends or is paused, and at each event of the customer it is looked at again",
        "shorten `policies.look_ahead`; compare the two by class, `priority` and `rank`; leave room for both in gap and caps",
    ),
    Reason.OUTRANKED: Meaning(
        "It could have gone out, and another went first: the better one, or one that exploration drew.",
        "`channel`, `value` (the winner), `score`, `until`; `because`: `class`, `exploration`, or nothing where it was the rank",
        "at `until`, when the gap after the winner is over; at once where there is none; never for an ask",
        "compare the classes, then `priority` and `rank`; the strict classes come first whatever the rank",
    ),
    Reason.WOULD_HAVE_WON: Meaning(
        "It would have gone out, and its customer is held out, to be compared with those who are not.",
        "`channel`, `score`, `probability`",
        "never for this wish; the next one of this customer meets the same",
        "`policies.holdout` and `holdout` of the campaign say of how many; `onevoice results` what came of it",
    ),
}

KINDS: Final = {
    DecisionKind.ROUND: "candidates of one customer met: one may have won, each other has its reason",
    DecisionKind.ASK: "a placement asked; there is a line for each campaign that wanted to be shown",
    DecisionKind.END: "one candidate came to an end by itself, between rounds",
    DecisionKind.STOP: "a campaign came to the limit of its run and is paused; it is about no customer",
    DecisionKind.SOURCE_STALE: "a source has stopped; a line for each campaign that is held for it; about no customer",
    DecisionKind.SOURCE_FRESH: "a source is heard again; a line for each campaign that goes on; about no customer",
}

HEAD: Final = """\
# Reasons

<!-- Generated from the engine's list: `UPDATE_GOLDEN=1 python -m pytest tests/docs/test_reference.py` writes this page anew. -->

Whatever wanted to reach a customer and did not has exactly one reason: the first of this list that applied, on the channel that came
furthest. A reason is recorded when it, its rule, its channel or its end changes, not each time it is looked at.

"""


def page() -> str:
    """Return the page, in Markdown."""
    parts = [HEAD + "| reason | in one line |\n|---|---|"]
    parts += [f"| [`{reason.name.lower()}`](#{reason.name.lower()}) | {MEANINGS[reason].says} |" for reason in Reason]
    parts += [_section(reason) for reason in Reason]
    kinds = [f"| `{kind.name.lower()}` | {says} |" for kind, says in KINDS.items()]
    parts += ["\n## Kinds of decisions\n", "| kind | what led to it |", "|---|---|", *kinds]
    return "\n".join(parts) + "\n"


def _section(reason: Reason) -> str:
    meaning = MEANINGS[reason]
    said = {"The line carries": meaning.carries, "It ends": meaning.lifts, "To mend it": meaning.mend}
    lines = [f"- **{head}**: {text}." for head, text in said.items() if text]
    return "\n".join([f"\n## {reason.name.lower()}\n", meaning.says, "", *lines])
