"""How long the restricted zone keeps what it holds (RULES, "Identity"; ``retention`` of policy.yaml).

Statements in DuckDB's SQL; variables ``night`` and ``days``. What came on a night is gone ``days`` later,
and a person is unconsented when no consent was live on the night or in the ``days`` before it.
"""

from __future__ import annotations

import datetime as dt

from jobs.rules.doubt import EVENTS, STOPPING_KINDS
from schemas.contract import IDENTITY_NAMES

# Feeds whose rows stay only of people with a consent: nothing but a score reads them.
CONSENTED_FEEDS = ("transactions", "education")

# Of ``consents`` (accepted/consents, every revision) the ``person_id`` of people of whom a consent was live on the
# night or in the ``days`` before it. Only declarations that were read end one: a refused one is a doubt, and doubt
# takes nothing away from a person.
CONSENTED_PEOPLE = """
WITH granted AS (
    SELECT person_id, consent_id, any_value(purpose) AS purpose, any_value(recipient) AS recipient,
        any_value(source) AS source,
        min(granted_on) AS granted_on, least(min(expires_on), min(withdrawn_on) - 1) AS last_day
    FROM consents WHERE kind = 'consent' GROUP BY ALL
), ended AS (
    SELECT g.person_id, g.granted_on,
        least(g.last_day, (
            SELECT min(d.granted_on) - 1 FROM consents d
            WHERE d.person_id = g.person_id AND d.granted_on >= g.granted_on AND (
                d.kind IN ('erasure', 'death') OR (d.kind = 'withdrawal'
                AND coalesce(d.purpose, g.purpose) = g.purpose
                AND coalesce(d.recipient, g.recipient) = g.recipient
                AND coalesce(d.source, g.source) = g.source)))) AS last_day
    FROM granted g
)
SELECT DISTINCT person_id FROM ended
WHERE granted_on <= getvariable('night') AND last_day >= granted_on
    AND last_day >= getvariable('night') - getvariable('days')
"""

TOLD = "told"  # what a cell becomes of which doubt asks only whether it is filled


def _cell(name: str) -> str:
    return f"nullif(trim(json_extract_string(verbatim, '$.{name}')), '')"


def _words(*words: str) -> str:
    return ", ".join(f"'{w}'" for w in words)


def _key(sql: str, known: str) -> str:
    """A key where an accepted row has it too, or where it is one: short, of no signs but a key's, nobody's identity."""
    names = " OR ".join(f"lower({sql}) = lower({_cell(n)})" for n in IDENTITY_NAMES)
    own = f"contains({sql}, {_cell('national_id')}) OR {names}"
    short = f"regexp_full_match({sql}, '[A-Za-z0-9._:/-]{{1,64}}')"
    return f"CASE WHEN {known} OR ({short} AND NOT coalesce({own}, false)) THEN {sql} END"


_OF_RECORD = f"({_cell('feed')}, {_cell('record_id')}) IN (FROM known)"
# A cell may hold anything, an identity too: of each only what doubt needs of it.
_CELLS = {
    **{e: f"CASE WHEN {_cell(e)} IS NOT NULL THEN '{TOLD}' END" for e in EVENTS},
    "kind": f"CASE WHEN lower({_cell('kind')}) IN ({_words(*STOPPING_KINDS)}) THEN lower({_cell('kind')}) END",
    "feed": f"CASE WHEN {_cell('feed')} IN (FROM feeds) THEN {_cell('feed')} END",
    "record_id": _key(_cell("record_id"), _OF_RECORD),
    "outcome": f"CASE WHEN lower({_cell('outcome')}) = 'rejected' THEN 'rejected' END",
    "resolved_on": f"try_cast({_cell('resolved_on')} AS DATE)::VARCHAR",
    "revised_at": f"strftime(try_cast({_cell('revised_at')} AS TIMESTAMPTZ), '%Y-%m-%dT%H:%M:%S.%fZ')",
}
_FILLED = " OR ".join(f"cells.{e} IS NOT NULL" for e in EVENTS)
# Of ``refused`` (quarantine, the rows that go) what still counts for a person until it is mended (RULES, "Doubt"):
# in QUARANTINE's columns, without a word of the person's. ``feeds`` are the names of all feeds; ``known`` are the keys
# (``feed, key``) of accepted rows among those that the refused rows name: KEYS_NAMED.
STILL_COUNT = f"""
WITH told AS (
    SELECT * REPLACE ({_key("record_key", "(feed, record_key) IN (FROM known)")} AS record_key),
        struct_pack({", ".join(f"{name} := {sql}" for name, sql in _CELLS.items())}) AS cells
    FROM (
        SELECT * REPLACE (CASE WHEN json_valid(verbatim) THEN verbatim END AS verbatim)
        FROM refused WHERE person_id IS NOT NULL
    )
)
SELECT * EXCLUDE (verbatim, cells), to_json(cells)::VARCHAR AS verbatim FROM told
WHERE contested
    OR (feed = 'consents' AND cells.kind IS NOT NULL)
    OR (feed = 'disputes' AND cells.feed IS NOT NULL AND cells.record_id IS NOT NULL)
    OR (record_key IS NOT NULL AND ({_FILLED}))
"""


# ``feed, key`` that refused rows name, of their own record or of the one they dispute.
KEYS_NAMED = f"""
SELECT DISTINCT feed, record_key AS key FROM refused WHERE record_key IS NOT NULL
UNION SELECT DISTINCT {_cell("feed")}, {_cell("record_id")} FROM (
    SELECT verbatim FROM refused WHERE feed = 'disputes' AND json_valid(verbatim)
)
"""


def gone_through(night: dt.date, days: int) -> dt.date:
    """The last night of which nothing is kept any more."""
    return night - dt.timedelta(days=days)
