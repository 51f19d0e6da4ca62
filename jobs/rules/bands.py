"""What of a score leaves, to whom, and what the person is told first (DESIGN 1 and 5; FCRA 15 USC 1681m, 1681i)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from jobs.rules.floor import BANDS
from jobs.rules.policy import Policy
from jobs.rules.scorecard import Scorecard
from schemas.reasons import NO_SCORE_REASONS

# Why an application drops out of its recipient's package, the first that is so.
CAUSES = ("erased", "deceased", "withdrawn", "lapsed", "corrected")


def package_name(purpose: str) -> str:
    """The name of a purpose's score packages."""
    return f"scores-{purpose}"


def corrections_name(purpose: str) -> str:
    """The name of the packages that correct what was sent of applications that a recipient holds no longer."""
    return f"corrections-{purpose}"


def bands_used(policy: Policy, recipient: str) -> tuple[str, ...]:
    """The bands whose lowest score a recipient acts on: those that the policy names, else all but the lowest."""
    return tuple(policy.sending.bands_used.get(recipient, BANDS[:-1]))


def fell_across(before: str | None, after: str | None, used: Sequence[str]) -> bool:
    """Whether a score fell below a band that the recipient uses: an adverse action may follow (1681m(a), (h))."""
    if before is None or after is None:
        return False
    was, now = BANDS.index(before), BANDS.index(after)
    return any(was <= BANDS.index(band) < now for band in used)


def without_values(text: str) -> str:
    """A reason's sentence as a recipient reads it: the person's own value stays with the person."""
    return text.replace("{value}", "…")


def sent_reasons(
    card: Scorecard, status: str, codes: Sequence[str] | None, no_score_reason: str | None
) -> str:
    """The reasons that are sent: a JSON array of ``{code, text}``, largest first; of no score why there is none."""
    if status == "scored":
        words = {c.code: without_values(c.text) for c in card.characteristics}
        found = [{"code": code, "text": words[code]} for code in codes or ()]
    else:
        reason = str(no_score_reason)
        found = [
            {"code": reason, "text": f"There is no score, which is not a low one: {NO_SCORE_REASONS[reason]}"}
        ]
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def too_many_new(new: int, live: int, policy: Policy) -> bool:
    """Whether so many of the live consents are new that a person must look before a score leaves."""
    return new > policy.sending.new_consents_share * live
