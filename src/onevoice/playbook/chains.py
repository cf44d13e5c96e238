"""Checking the contacts of a campaign: by what they go, what follows those that stay unseen, how many may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onevoice.playbook.model import Campaign, TriggerKind

if TYPE_CHECKING:
    from onevoice.playbook.scarce import Checker

CHANNELS_MAX: Final = 60  # of one campaign: bits of a word of the engine


def check_contacts(checker: Checker, campaign: Campaign, *, built: bool) -> None:
    """Check the channels of a campaign; `built`: in Python, so that nobody has read whether it is whole."""
    path, channels = f"campaigns.{campaign.name}", checker.playbook.channels
    if not campaign.send and campaign.when.kind is not TriggerKind.ASKED and built:
        checker.refuse(f"{path}.send", "no channel to send by", expected="at least one channel", found="none")
    if bool(campaign.unseen_next) != bool(campaign.unseen_after_us) and built:
        checker.refuse(f"{path}.if_unseen", "half a chain", expected="both `after` and `next`")
    if built and not (0.0 <= campaign.failures_share < 1.0 and campaign.failures_of_at_least > 0):
        expected = "a share above 0 and below 1, of at least so many contacts"
        checker.refuse(f"{path}.failures", "no share of failures", expected=expected)
    for key, names in (("send", campaign.send), ("if_unseen.next", campaign.unseen_next)):
        for i, name in enumerate(names):
            checker.known(f"{path}.{key}[{i}]", "channel", name, channels)
        if len(names) > CHANNELS_MAX:
            expected, found = f"at most {CHANNELS_MAX}", str(len(names))
            checker.refuse(f"{path}.{key}", "too many channels", expected=expected, found=found)
