"""Human review of an automated score (GDPR art. 22(3); CJEU C-634/21): until a named person has decided.

A review is a dispute of kind ``review`` with feed ``scores`` and record ``<purpose>/<recipient>`` (FEEDS). It marks the
application, and never suspends the score: who asks for a person to look must not lose the score meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

REVIEW_DAYS = 30  # GDPR art. 12(3): one month
ALARM_DAYS = 20  # ten days before


@dataclass(frozen=True)
class Review:
    """One review as it stands on a night; ``outcome``, ``reviewer`` and ``decided_on`` are null while it is open."""

    dispute_id: str
    person_id: int
    purpose: str
    recipient: str
    opened_on: dt.date
    due_on: dt.date
    outcome: str | None
    reviewer: str | None
    decided_on: dt.date | None

    @property
    def is_open(self) -> bool:
        """Whether the application is under review."""
        return self.decided_on is None

    def alarming(self, night: dt.date) -> bool:
        """Open for so long that the operator is told."""
        return self.is_open and (night - self.opened_on).days >= ALARM_DAYS

    def overdue(self, night: dt.date) -> bool:
        """Open beyond its days."""
        return self.is_open and night > self.due_on


def reviews(disputes: Iterable[Mapping[str, Any]], night: dt.date) -> list[Review]:
    """The reviews among rows of ``conformed/disputes``, oldest first.

    A review is decided on ``resolved_on`` when it has an outcome and ``certified_by`` names who decided: an outcome
    without a name is not a person's decision, and the application stays under review.
    """
    found = []
    for row in disputes:
        if row["kind"] != "review" or row["opened_on"] > night:
            continue
        purpose, _, recipient = row["record_id"].partition("/")
        named = (row["certified_by"] or "").strip()
        decided = bool(row["outcome"] and named and row["resolved_on"] and row["resolved_on"] <= night)
        found.append(
            Review(
                dispute_id=row["dispute_id"],
                person_id=row["person_id"],
                purpose=purpose,
                recipient=recipient,
                opened_on=row["opened_on"],
                due_on=row["opened_on"] + dt.timedelta(days=REVIEW_DAYS),
                outcome=row["outcome"] if decided else None,
                reviewer=named if decided else None,
                decided_on=row["resolved_on"] if decided else None,
            )
        )
    return sorted(found, key=lambda r: (r.opened_on, r.dispute_id))


def under_review(found: Iterable[Review]) -> set[tuple[int, str, str]]:
    """Applications that are under review: person, purpose, recipient."""
    return {(r.person_id, r.purpose, r.recipient) for r in found if r.is_open}
