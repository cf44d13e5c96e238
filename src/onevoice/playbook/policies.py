"""Reading the rules above all campaigns."""

from __future__ import annotations

from typing import Final

from onevoice.playbook import grammar, hours
from onevoice.playbook.grammar import Slip
from onevoice.playbook.model import EACH, CampaignClass, Cap, Exploration, Holdout, Policies, Refusals, Suppression
from onevoice.playbook.record import Record, listed, opened, word_of
from onevoice.playbook.tree import quoted

CLASSES_MAX: Final = 63  # bits of one word of the engine
CAPS_MAX: Final = 1_000
COUNTS_FROM: Final = ("decided", "sent", "delivered", "seen")
EXEMPTIONS: Final = ("caps", "gap", "wait")


def policies(root: Record) -> Policies:
    """Read `policies`."""
    node = root.node("policies")
    if node is None or node.empty:
        return Policies()
    with opened(root.report, node) as record:
        return Policies(
            classes=_classes(record),
            rank=record.condition("rank") or Policies().rank,
            wait_us=record.duration("wait"),
            gap_us=record.length("gap"),
            caps=caps(record),
            counts_from=record.one_of("counts_from", COUNTS_FROM, Policies().counts_from),
            exempt=_exempt(record),
            suppress=tuple(_suppression(row) for row in record.rows("suppress")),
            refusals=_refusals(record),
            hours=hours.hours(record),
            holidays=hours.holidays(record),
            exploration=Exploration(*_share(record, "exploration")),
            holdout=Holdout(*_share(record, "holdout")),
            look_ahead_us=record.length("look_ahead"),
        )


def _classes(record: Record) -> dict[str, CampaignClass]:
    found = record.each("classes", _class)
    if len(found) > CLASSES_MAX:
        record.refuse("classes", "too many classes", expected=f"at most {CLASSES_MAX}", found=str(len(found)))
    above = ""
    for name, klass in found.items():
        if klass.strict and above:
            where = record.report.where(f"policies.classes.{name}.strict")
            what, mend = "a strict class below one that is not", f"move {quoted(name)} above {quoted(above)}"
            record.report.refuse(where, what, expected="strict classes first", mend=mend)
        above = above or ("" if klass.strict else name)
    return found


def _class(name: str, record: Record) -> CampaignClass:
    return CampaignClass(
        name,
        weight=record.number("weight", 1.0, 0.0),
        strict=record.flag("strict"),
        purpose=record.text("purpose", name),
        consent_required=record.flag("consent_required"),
        counts=record.parsed("counts", grammar.boolean, default=True),
    )


def caps(record: Record) -> tuple[Cap, ...]:
    """Read `caps` of the policies, or of a placement."""
    found: list[Cap] = []
    sound: list[Cap] = []
    for row in record.rows("caps"):
        known = len(record.report.mistakes)
        cap = _cap(row)
        found.append(cap)
        if len(record.report.mistakes) > known:
            continue
        if any(_same_but_max(cap, other) for other in sound):
            mend = "of two such caps only the first would count"
            row.report.refuse(row.place, "a second cap with the same scope and window", mend=mend)
        sound.append(cap)
    if len(found) > CAPS_MAX:
        record.refuse("caps", "too many caps", expected=f"at most {CAPS_MAX:,}", found=f"{len(found):,}")
    return tuple(found)


def _cap(row: Record) -> Cap:
    row.require("max", "per")
    rolling_us, period = row.parsed("per", grammar.period, (0, None))
    return Cap(
        max=row.parsed("max", _cap_max, 1),
        rolling_us=rolling_us,
        period=period,
        channel=row.text("channel"),
        klass=row.text("class"),
        campaign=row.text("campaign"),
        for_segment=row.text("for"),
        family=row.text("family"),
        owner=row.text("owner"),
        category=row.text("category"),
        address=row.one_of("address", (EACH,)),
        own_max=row.text("own_max"),
        group=row.text("group"),
        placement=row.text("placement"),
    )


def _cap_max(text: str) -> int:
    value = grammar.whole(text)
    if value < 1:
        mend = "for no cap leave the line out; to send nothing stop the class or the campaign"
        raise Slip("a cap that lets nothing through", "at least 1", quoted(text), mend)
    return value


def _same_but_max(a: Cap, b: Cap) -> bool:
    def told(cap: Cap) -> tuple[object, ...]:
        return cap.rolling_us, cap.period, cap.scope, cap.group, cap.for_segment

    return told(a) == told(b)


def _exempt(record: Record) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    node = record.node("exempt")
    if node is None:
        return found
    with opened(record.report, node) as exempt:
        for name in exempt.nodes:
            found[name] = frozenset(exempt.many(name, _exemption, ""))
    return found


def _exemption(text: str) -> str:
    if text == "hours":
        mend = "no class goes out while a channel is closed: give the channel other hours, or `always`"
        raise Slip("a class exempt from hours", f"one of {listed(EXEMPTIONS)}", quoted(text), mend)
    return word_of(text, EXEMPTIONS)


def _suppression(row: Record) -> Suppression:
    row.require("stop", "while")
    return Suppression(
        stop=row.names("stop"),
        condition=row.condition("while"),
        then_us=row.length("then"),
        at_most_us=row.length("at_most"),
    )


def _refusals(record: Record) -> Refusals:
    node = record.node("refusals")
    if node is None or node.empty:
        return Refusals()
    with opened(record.report, node) as refusals:
        times, pause_us = 0, 0
        ignored = refusals.node("ignored")
        if ignored is not None:
            with opened(record.report, ignored) as row:
                row.require("times", "pause")
                times, pause_us = row.whole("times", 0, 1), row.length("pause")
        return Refusals(refusals.duration("refused"), refusals.duration("not_now"), times, pause_us)


def _share(record: Record, key: str) -> tuple[float, tuple[str, ...]]:
    """Read a share and the classes that it is of."""
    node = record.node(key)
    if node is None or node.empty:
        return 0.0, ()
    with opened(record.report, node) as row:
        row.require("share")
        return row.parsed("share", grammar.share, 0.0), row.names("classes")
