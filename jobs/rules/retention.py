"""How long the restricted zone keeps what it holds (RULES, "Identity"; ``retention`` of policy.yaml).

Statements in DuckDB's SQL; variables ``night``, ``days`` and ``source``. What came on a night is gone ``days`` later,
and a person is unconsented when no consent was live on the night or in the ``days`` before it.
"""

from __future__ import annotations

import datetime as dt

from jobs.rules.doubt import EVENTS, STOPPING_KINDS

# Feeds whose rows stay only of people with a consent that covers the feed: nothing but a score reads them.
CONSENTED_FEEDS = ("transactions", "education")

# Of ``consents`` (accepted/consents, every revision) the ``person_id`` of people of whom a consent to read ``source``
# was live on the night or in the ``days`` before it. Only declarations that were read end one: a refused one is a
# doubt, and doubt takes nothing away from a person.
CONSENTED_PEOPLE = """
WITH granted AS (
    SELECT person_id, consent_id, any_value(purpose) AS purpose, any_value(recipient) AS recipient,
        min(granted_on) AS granted_on, least(min(expires_on), min(withdrawn_on) - 1) AS last_day
    FROM consents WHERE kind = 'consent' AND source = getvariable('source') GROUP BY ALL
), ended AS (
    SELECT g.person_id, g.granted_on,
        least(g.last_day, (
            SELECT min(d.granted_on) - 1 FROM consents d
            WHERE d.person_id = g.person_id AND d.granted_on >= g.granted_on AND (
                d.kind IN ('erasure', 'death') OR (d.kind = 'withdrawal'
                AND coalesce(d.purpose, g.purpose) = g.purpose
                AND coalesce(d.recipient, g.recipient) = g.recipient
                AND coalesce(d.source, getvariable('source')) = getvariable('source'))))) AS last_day
    FROM granted g
)
SELECT DISTINCT person_id FROM ended
WHERE granted_on <= getvariable('night') AND last_day >= granted_on
    AND last_day >= getvariable('night') - getvariable('days')
"""

_READ = (*EVENTS, "kind", "revised_at", "feed", "record_id", "outcome", "resolved_on")
_CELLS = ", ".join(f"{name} := json_extract_string(verbatim, '$.{name}')" for name in _READ)
_FILLED = " OR ".join(f"nullif(trim(cells.{e}), '') IS NOT NULL" for e in EVENTS)
_STOPPING = ", ".join(f"'{k}'" for k in STOPPING_KINDS)
# Of ``refused`` (quarantine, the rows that go) what still counts for a person until it is mended (RULES, "Doubt"):
# in QUARANTINE's columns, but of the delivered cells only those that rules/doubt.py reads, none of them an identity.
STILL_COUNT = f"""
WITH told AS (
    SELECT *, CASE WHEN json_valid(verbatim) THEN struct_pack({_CELLS}) END AS cells
    FROM refused WHERE person_id IS NOT NULL
)
SELECT * EXCLUDE (verbatim, cells), to_json(cells)::VARCHAR AS verbatim FROM told
WHERE contested
    OR (feed = 'consents' AND lower(trim(cells.kind)) IN ({_STOPPING}))
    OR (feed = 'disputes' AND cells.feed IS NOT NULL AND cells.record_id IS NOT NULL)
    OR (record_key IS NOT NULL AND ({_FILLED}))
"""


def gone_through(night: dt.date, days: int) -> dt.date:
    """The last night of which nothing is kept any more."""
    return night - dt.timedelta(days=days)
