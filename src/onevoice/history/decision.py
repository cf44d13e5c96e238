"""One decision as people read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from onevoice.history.notebook import decision_html


@dataclass(frozen=True, slots=True)
class Line:
    """What one decision says about one candidate.

    `reason` is one word of the list in `onevoice.engine.reasons`, `won` among them. `channel` and `rule` (a path of
    the playbook such as `policies.caps[1]`; for `paused` and `stopped` what is off: `campaign`, `class`, `all`, or
    `failures` of a campaign that paused itself for them; for `stale` the source, such as `sources.tills`) are empty
    where they say nothing. `value` is what was compared as it was used: the count of a cap, a resource or a run
    (with its `limit`; of a budget in ten-thousandths), how often it was shown for `fatigue`, the time of the last
    contact for a gap, up to when a source is known for `stale` (None: it was never heard), the campaign that won
    for `outranked`, that is planned for `kept_for`. `until`: when the reason ends by itself, None if it does not.
    `score` is the rank; `contact` the number of the contact that was made, or that is under way; `follows` that of
    the contact which stayed unseen and is followed; `key` the hash of what the campaign is `per`, 0 without.
    `offer` is what the campaign came with; of one that won `probability` is how likely it was to be chosen (1
    without exploration, None of what follows another), and `parameters` holds what the offer's computed parameters
    came to. `because` is what the reason came of, where that is another thing than is to be expected: of `outranked`
    `class` (the winner's is strict and comes first) or `exploration` (which drew it), and not the rank; of
    `no_capacity` `closed`, `reserved` (for other classes), `too_little` (money for this contact) or `too_small` (a
    budget for it, ever), and not that it was used up.

    >>> (line,) = engine.decide("home_banner", ada).lines
    >>> line.campaign, line.reason, line.score, line.contact
    ('banner_upgrade', 'won', 0.0, None)
    """

    campaign: str
    reason: str
    channel: str = ""
    rule: str = ""
    value: int | datetime | str | None = None
    limit: int | None = None
    until: datetime | None = None
    score: float | None = None
    contact: int | None = None
    key: int = 0
    offer: str = ""
    probability: float | None = None
    parameters: dict[str, float | None] = field(default_factory=dict[str, float | None])
    follows: int | None = None
    because: str = ""

    @property
    def told_reason(self) -> str:
        """The reason with what it came of, such as `outranked (class)`.

        >>> (line,) = engine.decide("home_banner", ada).lines
        >>> line.told_reason
        'won'
        """
        return f"{self.reason} ({self.because})" if self.because else self.reason

    def __repr__(self) -> str:
        """Show what is said, and nothing that is empty."""
        parts = [f"{self.campaign}: {self.told_reason}", self.channel and f"by {self.channel}", self.rule]
        if self.offer and self.reason == "won":
            parts.append(f"with {self.offer}")
        parts += [f"{name} {'NULL' if value is None else f'{value:g}'}" for name, value in self.parameters.items()]
        if self.value is not None:
            shown = self.value.isoformat() if isinstance(self.value, datetime) else self.value
            parts.append(f"value {shown}" + (f" of {self.limit}" if self.limit is not None else ""))
        if self.until is not None:
            parts.append(f"until {self.until.isoformat()}")
        if self.score is not None:
            parts.append(f"score {self.score:g}")
        if self.probability not in {None, 1.0}:
            parts.append(f"probability {self.probability:g}")
        return f"<{' '.join(part for part in parts if part)}>"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one customer at one time.

    `kind` is "round" (candidates met), "ask" (a placement asked), "end" (a candidate came to an end by itself), "stop"
    (a campaign came to a limit of its run and was paused; `customer` is -1), or "source_stale" and "source_fresh" (a
    source stopped, or is heard again; `customer` is -1, with a line for each campaign held for it). `position` is the
    place in the journal, `placement` is empty but for an ask. `lines` has one `Line` for each candidate about which
    there was something to say. `default` is what the playbook shows in the slots of a placement that nothing won; empty
    elsewhere. An event `offer_refused` (`offer_clicked`, …) with the `number` of an ask in its field `decision` is the
    response to what was shown. Shows itself in notebooks.

    >>> _ = engine.ingest([{"type": "case_opened", "identifiers": ada, "fields": {"case_id": "c-1"}}])
    >>> decision = engine.decide("home_banner", ada)
    >>> decision.kind, [line.reason for line in decision.lines], decision.default
    ('ask', ['suppressed'], 'brand_banner')
    """

    number: int
    kind: str
    time: datetime
    position: int
    customer: int
    placement: str
    lines: tuple[Line, ...]
    default: str = ""

    @property
    def won(self) -> tuple[Line, ...]:
        """The lines of the candidates that were chosen, in the playbook's order; none where nothing was.

        >>> [line.campaign for line in engine.decide("home_banner", ada).won]
        ['banner_upgrade']
        """
        return tuple(line for line in self.lines if line.reason == "won")

    def __repr__(self) -> str:
        """Show the whole decision on one line."""
        place = f" at {self.placement}" if self.placement else ""
        lines = ", ".join(map(repr, self.lines)) or "no candidate"
        lines += f"; shows {self.default}" if self.default else ""
        head = f"Decision {self.number} ({self.kind}{place}) for customer {self.customer} at {self.time.isoformat()}"
        return f"<{head}: {lines}>"

    def _repr_html_(self) -> str:
        """Show the lines as a table in a notebook."""
        return decision_html(self)
