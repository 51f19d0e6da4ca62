"""Entries that are held back though their order is in force: recalled by a person, or refused by their recipient.

A recall ends by itself only when the source has sent a newer version of the record; a refusal ends with a person's
decision. Until then nothing brings the entry back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RECALL, RELEASE, KEEP = "recall", "release", "keep"
REFUSED = "refused"


@dataclass(frozen=True)
class Hold:
    """Why a record is held back: ``recall`` or ``refused``, since when, and whether a person has looked since."""

    reason: str
    since: dt.datetime
    decided: bool


def held(
    decisions: Iterable[Mapping[str, Any]],
    answers: Iterable[Mapping[str, Any]],
    versions: Mapping[str, dt.datetime | None],
) -> dict[str, Hold]:
    """The records of one register that are held back, with the reason.

    ``decisions`` are rows of HOLDS and ``answers`` rows of RETURNS of that register; ``versions`` the ``revised_at`` of
    each record's current version.
    """
    released: dict[str, dt.datetime] = {}
    looked: dict[str, dt.datetime] = {}
    rows = sorted(decisions, key=lambda r: r["decided_at"])
    for row in rows:
        if row["event"] == RELEASE:
            released[row["record_id"]] = row["decided_at"]
        if row["event"] in (RELEASE, KEEP):
            looked[row["record_id"]] = row["decided_at"]
    found: dict[str, Hold] = {}

    def hold(record: str, reason: str, since: dt.datetime) -> None:
        if since > released.get(record, _NEVER) and record not in found:
            found[record] = Hold(reason, since, looked.get(record, _NEVER) >= since)

    for row in rows:
        now, then = versions.get(row["record_id"]), row["revised_at"]
        if row["event"] == RECALL and not (now is not None and (then is None or now > then)):
            hold(row["record_id"], RECALL, row["decided_at"])
    for row in sorted(answers, key=lambda r: (r["taken_at"], r["record_id"])):
        if row["outcome"] == REFUSED:
            hold(row["record_id"], REFUSED, row["taken_at"])
    return found


_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
