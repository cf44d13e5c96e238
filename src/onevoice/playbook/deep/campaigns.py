"""Campaigns that can never fire, and those that fire and are always stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.playbook.deep.finding import Claim, Finding, found
from onevoice.playbook.deep.formula import ALWAYS
from onevoice.playbook.deep.gates import never_taken
from onevoice.playbook.deep.given import Given
from onevoice.playbook.deep.heeded import heeded
from onevoice.playbook.deep.lasting import stays_true
from onevoice.playbook.deep.parts import never_comes, never_in, never_out
from onevoice.playbook.deep.wish import SEGMENT_SIDES, Wish, wishes_of
from onevoice.playbook.model import Campaign, EventMatch, TriggerKind
from onevoice.playbook.tree import quoted
from onevoice.playbook.unsent import NEVER, never_sent

if TYPE_CHECKING:
    from onevoice.playbook.deep.book import Book, Proof

_MEND = "change one of these, or take the campaign out"
_TIMES: Final = {
    "when": "it begins then",
    "after": "it is born so much later",
    "from": "nothing begins before",
    "to": "the last day",
}
_MEND_TRIGGER = "begin it with something else, or take the campaign out"


def dead_campaign(book: Book, campaign: Campaign) -> Finding | None:
    """Return why a campaign never comes to be compared with others; None where that is not proved."""
    playbook = book.playbook
    offers = [playbook.offers[name] for name in campaign.offers]
    klass = playbook.policies.classes[campaign.klass]
    segments = [playbook.segments[campaign.when.name]] if campaign.when.kind in SEGMENT_SIDES else []
    if not heeded(campaign, campaign.when, klass, *offers, *segments):
        return None
    wishes = wishes_of(book, campaign)
    return (
        _out_of_its_days(wishes[0])
        or _never_begins(wishes[0])
        or _never_born(wishes)
        or _never_passes(wishes)
        or never_taken(wishes)
    )


def _out_of_its_days(wish: Wish) -> Finding | None:
    """Tell where its times exclude each other, as `check` warns of where it is not asked to go deep."""
    reason = never_sent(wish.book.playbook, wish.campaign, wish.book.expressions)
    if reason is None or reason.what != NEVER or not reason.keys:
        return None
    proof = [Given(ALWAYS, f"{wish.path}.{key}", _TIMES[key]) for key in reason.keys]
    what = f"the campaign {quoted(wish.campaign.name)} can never fire: {reason.why}"
    return found(wish.book, Claim.NEVER_FIRES, wish.path, what, because=proof, mend=reason.mend)


def _never_begins(wish: Wish) -> Finding | None:
    """Tell where what begins the campaign can never come: then no wish is ever made."""
    why, proof = _trigger(wish)
    if proof is None:
        return None
    what = f"the campaign {quoted(wish.campaign.name)} can never fire: {why}"
    return found(wish.book, Claim.NEVER_FIRES, wish.path, what, because=proof, mend=_MEND_TRIGGER)


def _trigger(wish: Wish) -> tuple[str, Proof | None]:
    """Return why what begins a campaign can never come, in words and as a proof."""
    book, when, path = wish.book, wish.campaign.when, f"{wish.path}.when"
    began = Given(ALWAYS, path, "what it begins with")
    match when.kind:
        case TriggerKind.EVENT:
            event = EventMatch(when.name, when.where)
            return "no such event can come", book.proof(book.matching(path, event, "the event that it begins with"))
        case TriggerKind.MOMENT:
            moment = book.playbook.moments[when.name]
            return f"the moment {quoted(moment.name)} can never come", _with(began, never_comes(book, moment))
        case TriggerKind.SEGMENT_ENTERED:
            why = f"nobody can enter {quoted(when.name)}"
            return why, _with(began, never_in(book, when.name)) or book.proof(wish.at_trigger())
        case TriggerKind.SEGMENT_LEFT:
            return f"nobody can leave {quoted(when.name)}", _never_left(wish, began)
        case TriggerKind.PRODUCT:
            fact = book.facts[when.fact]
            why = f"{quoted(fact.name)} is open for nobody"
            shut = Given(ALWAYS, f"facts.{fact.name}.opens[0]", f"no such event can come, so {why}")
            return why, (began, shut) if book.never_opens(fact) else None
        case _:
            return "", None


def _with(began: Given, proof: Proof | None) -> Proof | None:
    return None if proof is None else (began, *proof)


def _never_left(wish: Wish, began: Given) -> Proof | None:
    """Return why a segment is never left: nobody is ever in, everybody always is, or its condition stays true."""
    book, name = wish.book, wish.campaign.when.name
    proof = never_in(book, name) or never_out(book, name)
    if proof is not None:
        return began, *proof
    if stays_true(book, book.expressions[f"segments.{name}"]):
        return began, Given(ALWAYS, f"segments.{name}", "once this is true of somebody it stays true")
    return book.proof(wish.at_trigger())


def _never_born(wishes: list[Wish]) -> Finding | None:
    """Tell where it is never born.

    At its birth the trigger's event, the days and the conditions hold at once, with one of its offers: where they
    cannot with any, it vanishes.
    """
    wish, proof = wishes[0], _with_each([each.book.proof(each.at_birth()) for each in wishes])
    if proof is None:
        return None
    what = f"the campaign {quoted(wish.campaign.name)} can never fire: nobody can meet its conditions"
    return found(wish.book, Claim.NEVER_FIRES, wish.path, what, because=proof, mend=_MEND)


def _with_each(proofs: list[Proof | None]) -> Proof | None:
    """Return what proves that a campaign is dead with each of its offers; None where it may live with one."""
    known = [each for each in proofs if each is not None]
    return None if len(known) < len(proofs) else tuple(given for each in known for given in each)


def _never_passes(wishes: list[Wish]) -> Finding | None:
    """Tell where a round lets nobody through.

    Its conditions are true again then, consent is there, and no rule holds: where that cannot be, it is stopped.
    """
    wish, proof = wishes[0], _with_each([each.book.proof(each.in_round()) for each in wishes])
    if proof is None:
        return None
    why, mend = "nobody can meet its conditions until it is compared with others", _MEND
    if any(each.path.startswith("policies.classes") for each in proof):
        why = "its conditions let nobody through who gave the consent that it needs"
    if any(each.path.startswith("policies.suppress") for each in proof):
        why = "a rule stops everybody whom its conditions let through"
        mend = "give it a class that the rule does not stop, or change one of these"
    what = f"the campaign {quoted(wish.campaign.name)} can never go out: {why}"
    return found(wish.book, Claim.NEVER_GOES_OUT, wish.path, what, because=proof, mend=mend)
