"""Corrections: who was once sent a score that rested on a record which has since been corrected. Part of ``export``.

A recipient that still holds the application gets the corrected score in its package. One that may hold it no longer,
and was sent it in the last twelve months, gets no score, which would need a consent: it is told that what it was sent
is corrected and may be used no longer (GDPR art. 19; 15 USC 1681i(d)).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from jobs.lake import parquet_files
from jobs.lake.ask import ask
from jobs.lake.macs import application_id
from jobs.lake.night import Night
from jobs.lake.packages import send_files
from jobs.lake.vault import read_identities
from jobs.rules.bands import corrections_name
from jobs.rules.dates import anniversary

HEAD = "application_id,national_id,last_sent_on"
READ_ME = """What you were sent of these applications of {purpose}, at the latest on the day named, rested on a
record that has since been corrected or removed after a dispute. No consent lets you receive them any more, so no new
score is sent: use what you were sent no longer, and tell whom you passed it on to.
"""
# People of whom a dispute was decided in their favour, or a record is corrected, since the night before: few.
DECIDED = """
SELECT DISTINCT person_id FROM disputes
WHERE verdict IN ('upheld', 'corrected') AND feed IN (SELECT feed FROM sources)
    AND decided_on <= getvariable('night') AND (decided_on > getvariable('since') OR night = getvariable('night'))
"""
# The last day on which the recipient was sent their score. Whose application it holds still is not among them.
FORMER = """
SELECT s.person_id, max(s.night) AS last_sent_on
FROM sent s SEMI JOIN decided USING (person_id) ANTI JOIN holding USING (person_id)
WHERE s.change IN ('ADD', 'CHANGE', 'STATEMENT') AND s.night > getvariable('after') AND s.night < getvariable('night')
    AND s.subject = getvariable('subject') AND s.recipient = getvariable('recipient')
GROUP BY ALL ORDER BY s.person_id
"""


def former(
    disputes: Any,
    sent: Any,
    holding: pa.ChunkedArray,
    sources: tuple[str, ...],
    night: dt.date,
    since: dt.date,
    **whose: str,
) -> list[dict[str, Any]]:
    """``person_id, last_sent_on`` of each former applicant to be corrected.

    ``disputes`` as conformed, ``sent`` the disclosures, ``holding`` the people whose application the recipient still
    holds, ``since`` the published night before; ``whose``: ``recipient`` and ``subject``, as the disclosures have it.
    """
    feeds = pa.table({"feed": pa.array(sources, pa.string())})
    decided = ask(DECIDED, {"disputes": disputes, "sources": feeds}, night=night, since=since)
    if not decided.num_rows:  # as mostly, and who was ever sent anything are many
        return []
    tables = {"sent": sent, "decided": decided, "holding": pa.table({"person_id": holding})}
    rows: list[dict[str, Any]] = ask(
        FORMER, tables, night=night, after=anniversary(night, -1), **whose
    ).to_pylist()
    return rows


def send_corrections(
    night: Night,
    purpose: str,
    recipient: str,
    holding: pa.ChunkedArray,
    record: Callable[[list[tuple[int, str]], str], None],
) -> int:
    """Tells a recipient of the former applicants whose score is corrected; returns of how many.

    ``holding`` are the people whose application it held last night or holds tonight: its package tells of them.
    ``record`` takes what was sent (person, change) and the package's path, before it stands under its name.
    """
    version = night.lake.version("disclosures")
    if version is None or night.previous is None or night.pinned("conformed/disputes") is None:
        return 0
    rows = former(
        night.arrow("conformed/disputes", pa.schema([])),
        parquet_files.rows(night.lake, "disclosures", version),
        holding,
        night.policy.purposes[purpose].sources,
        night.date,
        night.previous["night"],
        subject=f"{purpose}/{recipient}",
        recipient=recipient,
    )
    if not rows:
        return 0
    known = read_identities(night, pa.array([r["person_id"] for r in rows], pa.int64()))
    national = dict(zip(*(known.column(c).to_pylist() for c in ("person_id", "national_id")), strict=True))
    rows = [r for r in rows if r["person_id"] in national]
    lines = []
    for r in rows:
        key = application_id(night.keys, r["person_id"], purpose, recipient)
        lines.append(f"{key},{national[r['person_id']]},{r['last_sent_on']}")
    lines.sort()
    made = send_files(
        night.lake,
        night.keys,
        night.date,
        recipient,
        corrections_name(purpose),
        {"corrections.csv": "\n".join([HEAD, *lines]) + "\n", "READ-ME.txt": READ_ME.format(purpose=purpose)},
        lambda path: record([(r["person_id"], "CORRECTION") for r in rows], path),
        night.say,
    )
    return len(rows) if made else 0
