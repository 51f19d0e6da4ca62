"""What of a score leaves, to whom, and what the person is told first (DESIGN 1 and 5; FCRA 15 USC 1681m, 1681i)."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.rules.floor import BANDS
from jobs.rules.policy import Policy

# Why an application drops out of its recipient's package, the first that is so.
CAUSES = ("erased", "deceased", "withdrawn", "lapsed", "corrected")


def bands_used(policy: Policy, recipient: str) -> tuple[str, ...]:
    """The bands whose lowest score a recipient acts on: those that the policy names, else all but the lowest."""
    return tuple(policy.sending.bands_used.get(recipient, BANDS[:-1]))


def fell_across(before: str | None, after: str | None, used: Sequence[str]) -> bool:
    """Whether a score fell below a band that the recipient uses: an adverse action may follow (1681m(a), (h))."""
    if before is None or after is None:
        return False
    was, now = BANDS.index(before), BANDS.index(after)
    return any(was <= BANDS.index(band) < now for band in used)
