"""What the proofs know of a playbook. What uses a setting that they do not know is left alone."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Final

from onevoice.playbook.model import (
    Campaign,
    CampaignClass,
    Cap,
    Channel,
    Fact,
    Measure,
    Moment,
    Offer,
    Placement,
    Playbook,
    Policies,
    Refusals,
    Resource,
    Segment,
    Source,
    Step,
    Suppression,
    Trigger,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

# A proof says what can never be, whatever is set; so each setting is named here once it was thought of.
_HEEDED: Final[dict[type, frozenset[str]]] = {
    kind: frozenset(names.split())
    for kind, names in {
        Campaign: "name klass when owner priority lever propensity condition offers send placements per after_us"
        " wait_us valid_for_us until again_after_us from_us to_us goal goal_within_us send_by unseen_after_us"
        " unseen_next at_most_contacts failures_share failures_of_at_least uses holdout",
        CampaignClass: "name weight strict purpose consent_required counts",
        Cap: "max rolling_us period channel klass campaign for_segment family owner category address own_max group"
        " placement",
        Channel: "name address cost uses rate rate_per receipts_us",
        Fact: "name opens closes per lasts_us",
        Measure: "name aggregate match field over_us",
        Moment: "name steps per within_us",
        Offer: "name product value family condition parameters computed",
        Placement: "name slots default caps fatigue_times fatigue_us",
        Playbook: "name time_zone languages identifiers groups traits products events sources facts measures segments "
        "moments offers campaigns policies placements channels resources",
        Policies: "classes rank wait_us gap_us caps counts_from exempt suppress refusals hours holidays exploration"
        " holdout look_ahead_us",
        Refusals: "refused_us not_now_us ignored_times ignored_pause_us",
        Resource: "name capacity budget stock product per hours reserve",
        Segment: "name condition",
        Source: "name lag_us events",
        Step: "matches count within_us absent",
        Suppression: "stop condition then_us at_most_us",
        Trigger: "kind name where fact at_us every",
    }.items()
}
Part = (
    Campaign | CampaignClass | Cap | Channel | Fact | Measure | Moment | Offer | Placement | Playbook | Policies
    | Refusals | Resource | Segment | Source | Step | Suppression | Trigger
)  # fmt: skip


def heeded(*parts: Part) -> bool:
    """Tell whether these parts of a playbook use only what the proofs know."""
    return all(not _is_used(part, each) for part in parts for each in _unknown(part))


def all_heeded(parts: Iterable[Part]) -> bool:
    """Tell the same of many."""
    return heeded(*parts)


def _unknown(part: Part) -> list[Field[object]]:
    return [each for each in fields(part) if each.name not in _HEEDED[type(part)]]


def _is_used(part: Part, field: Field[object]) -> bool:
    value = getattr(part, field.name)
    if field.default is not MISSING:
        return value != field.default
    return field.default_factory is MISSING or value != field.default_factory()
