"""Why a campaign did not go out: what stood in its way, in order, and what single change would have let it win."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onevoice.history.notebook import why_not_html

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that stood in a campaign's way. `rule`: where in the playbook it stands; `place`: file and line."""

    reason: str
    sentence: str
    rule: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change after which the campaign wins, all else being as it was; one unit less, and it does not.

    `kind` is "wait" (nothing else happens to the customer until `at`), "customer" (a trait, measure or fact is another
    one, a consent or an identifier is known), "event" (a field of the event that would trigger it is another one, or it
    came so many times), "deciding" (it had been decided on what came in), "source" (something of it had come that
    occurred after `needed`), "resource" (it had room for one more; only of a budget that is too small for one is told
    what is needed) or "playbook" (a rule, a first or last day, a pause, a stop or a holdout). `name`: what is changed;
    `found`: what it is; `needed`: what it would have to be, empty where it would have to be left out. A rule of the
    playbook is another one from when that took over, and all that the customer did is decided again by it; or only from
    `since` on, when the decision was made: by then more of it would have been used otherwise. A pause ends then, too.
    """

    kind: str
    sentence: str
    name: str
    found: str
    needed: str
    at: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What became of a campaign's wish for a customer, and what would have changed that. Shows itself in notebooks.

    `time` is the instant that is looked at: of a decision, or of a trigger of which nothing came; None where there is
    neither. `obstacles` are what stood in the way, one behind the other: what comes second was met when the first was
    taken away; of a wish that still waits, what will stand there. `values`: what was known of what the campaign's
    conditions read when they were judged, so with what the triggering event itself brought. `changes` begin with the
    smallest: each lets it go out at that instant (or when its waiting is over); none where no single change that was
    tried is enough. `language`: of the sentences; all else is the same in each. `caution`: what of it is not sure,
    because others had a part in it; empty where all of it is. `time_zone`: the playbook's, in which sentences tell
    times.

    >>> opened = {"type": "case_opened", "identifiers": ada, "fields": {"case_id": "c-1"}}
    >>> _ = engine.ingest([opened]), engine.decide("home_banner", ada)
    >>> why_not = engine.why_not(ada, "banner_upgrade", language="en")
    >>> why_not.obstacles[0].rule, why_not.smallest.sentence
    ('policies.suppress[0]', 'without policies.suppress[0]')
    """

    campaign: str
    customer: int
    time: datetime | None
    headline: str
    obstacles: tuple[Obstacle, ...]
    values: dict[str, str]
    changes: tuple[Change, ...]
    language: str = "en"
    caution: str = ""
    time_zone: str = "UTC"

    @property
    def smallest(self) -> Change | None:
        """The smallest of the changes.

        >>> _ = engine.decide("home_banner", ada)
        >>> engine.why_not(ada, "banner_upgrade").smallest is None  # it was shown
        True
        """
        return self.changes[0] if self.changes else None

    def _repr_html_(self) -> str:
        """Show the obstacles and changes as tables in a notebook."""
        return why_not_html(self)
