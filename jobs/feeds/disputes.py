"""What is particular to disputes: a review names a score, every other kind a record (FEEDS, ``disputes``)."""

from __future__ import annotations

import datetime as dt

from jobs.rules.checks import Check, words
from jobs.rules.policy import Policy


def checks(policy: Policy, night: dt.date) -> tuple[Check, ...]:
    """``feed`` and ``record_id`` fit the kind."""
    scores = words(sorted({f"{p}/{r}" for p, _, r in policy.pairs()})) or "''"
    return (
        Check(
            "review_names_a_score",
            "unknown_value",
            "record_id",
            f"NOT coalesce(kind = 'review', false) OR (coalesce(feed = 'scores', false) AND "
            f"coalesce(record_id IN ({scores}), false))",
        ),
        Check(
            "dispute_names_a_record",
            "unknown_value",
            "feed",
            "coalesce(kind = 'review', true) OR coalesce(feed <> 'scores', true)",
        ),
    )
