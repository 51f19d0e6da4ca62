"""A recipient's applications of a night, and what turns its last package into tonight's. Part of ``export``.

In Arrow and DuckDB, whole columns at a time: of millions of applications a few hundred change on a usual night.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from jobs.clearance import Clearance
from jobs.errors import AssentError
from jobs.lake.ask import ask
from jobs.lake.macs import application_ids
from jobs.lake.night import Night
from jobs.lake.vault import read_identities
from jobs.rules.bands import package_name, sent_reasons
from jobs.rules.disclosure import CHANGE_COLUMNS
from schemas.tables import CONSENTED, SCORES

KEY = "application_id"
RESTS_ON = ("status", "score", "band", "reasons")  # columns that say something about the person
SENT = (*RESTS_ON, "under_review")  # the order of `changed`; the id never changes, as the key follows from it

# An application with whether each of its consents, and that of the required source, is attested by a believed issuer.
APPLICATIONS = """
SELECT s.person_id, s.status, s.score, s.band, s.reasons, s.no_score_reason,
    count(i.issuer) = count(*) AS attested,
    count(i.issuer) FILTER (WHERE c.source = getvariable('source')) > 0 AS grounded
FROM scores s LEFT JOIN consented c USING (person_id, purpose, recipient)
LEFT JOIN issuers i ON i.issuer = c.attested_by
WHERE s.purpose = getvariable('purpose') AND s.recipient = getvariable('recipient')
GROUP BY ALL
"""
SAID = "SELECT DISTINCT status, reasons, no_score_reason FROM rows"
WORDED = """
SELECT r.person_id, r.status, r.score, r.band, w.worded AS reasons, m.person_id IS NOT NULL AS under_review,
    r.attested, r.grounded
FROM rows r JOIN words w ON w.status = r.status AND w.reasons IS NOT DISTINCT FROM r.reasons
    AND w.no_score_reason IS NOT DISTINCT FROM r.no_score_reason
LEFT JOIN marked m ON m.person_id = r.person_id
ORDER BY r.person_id
"""


def applications(night: Night, purpose: str, recipient: str, may: Clearance) -> pa.Table:
    """Tonight's applications of a recipient, one row each: ``application_id``, ``person_id``, SENT, and two flags.

    ``attested``: every consent that it rests on is of a believed issuer; ``grounded``: that of the required source is.
    """
    tables = {
        "scores": night.rows("scores", SCORES.arrow()),
        "consented": night.rows("conformed/consented", CONSENTED.arrow()),
        "issuers": pa.table({"issuer": pa.array(sorted(may.issuers), pa.string())}),
    }
    source = night.policy.purposes[purpose].required[0]
    rows = ask(APPLICATIONS, tables, purpose=purpose, recipient=recipient, source=source)
    said = ask(SAID, {"rows": rows})  # few combinations, many people
    card = night.scorecards[purpose]
    worded = [sent_reasons(card, r["status"], r["reasons"], r["no_score_reason"]) for r in said.to_pylist()]
    marked = sorted(p for p, *pair in may.marked if pair == [purpose, recipient])
    found = ask(
        WORDED,
        {
            "rows": rows,
            "words": said.append_column("worded", pa.array(worded, pa.string())),
            "marked": pa.table({"person_id": pa.array(marked, pa.int64())}),
        },
    )
    keys = application_ids(night.keys, found.column("person_id").to_pylist(), purpose, recipient)
    return found.add_column(0, KEY, pa.array(keys, pa.string()))


_OTHER = " || ".join(f"CASE WHEN n.{c} IS DISTINCT FROM b.{c} THEN ',{c}' ELSE '' END" for c in SENT)
_RESTS = " OR ".join(f"n.{c} IS DISTINCT FROM b.{c}" for c in RESTS_ON)
_BOTH = ", ".join(f"n.{c} AS new_{c}, b.{c} AS old_{c}" for c in SENT)
_MADE = ", ".join(f"CASE WHEN change = 'REMOVE' THEN old_{c} ELSE new_{c} END AS {c}" for c in SENT)
CHANGES = f"""
WITH both_of AS (
    SELECT coalesce(n.{KEY}, b.{KEY}) AS {KEY}, n.person_id, {_BOTH},
        b.{KEY} IS NOT NULL AS was, n.{KEY} IS NOT NULL AS stands, substr({_OTHER}, 2) AS other, {_RESTS} AS rests,
        getvariable('held') OR NOT n.attested OR u.person_id IS NOT NULL AS waits, e.cause AS ended, l.cause AS lost
    FROM before b FULL JOIN (FROM now WHERE grounded) n ON n.{KEY} = b.{KEY}
    LEFT JOIN untold u ON u.person_id = n.person_id
    LEFT JOIN ended e ON e.{KEY} = b.{KEY}
    LEFT JOIN lost l ON l.{KEY} = b.{KEY}
), told AS (
    SELECT *, CASE
        WHEN NOT stands THEN 'REMOVE'
        WHEN was AND other = '' THEN NULL
        WHEN NOT waits THEN CASE WHEN was THEN 'CHANGE' ELSE 'ADD' END
        WHEN was AND rests AND lost IS NOT NULL THEN 'REMOVE' END AS change
    FROM both_of
)
SELECT {KEY}, person_id, {_MADE}, change,
    CASE WHEN change = 'REMOVE' THEN CASE WHEN stands THEN lost ELSE coalesce(ended, 'corrected') END END AS cause,
    CASE WHEN change = 'CHANGE' THEN other END AS changed
FROM told WHERE change IS NOT NULL ORDER BY {KEY}
"""


def _by_key(causes: Mapping[str, str] | None) -> pa.Table:
    causes = causes or {}
    return pa.table({KEY: pa.array(causes, pa.string()), "cause": pa.array(causes.values(), pa.string())})


def changes(
    before: pa.Table,
    now: pa.Table,
    ended: Mapping[str, str],
    held: bool,
    untold: Collection[int] = (),
    lost: Mapping[str, str] | None = None,
) -> pa.Table:
    """What turns the snapshot ``before`` into tonight's: KEY, ``person_id`` (null of what ended), SENT and
    CHANGE_COLUMNS; one row an application that changes, sorted by the key.

    ``now`` as :func:`applications` gives it, ``ended`` causes by key of those that ended. What is not attested or whose
    person is ``untold``, and everything where scores are ``held``, is neither added nor changed; who holds no attested
    consent for the required source any more is removed whatever waits. So is a score that may not be replaced tonight
    and rests on what is gone: ``lost`` are causes by key, as :func:`jobs.basis.basis_lost` gives them.
    """
    tables = {
        "before": before,
        "now": now,
        "untold": pa.table({"person_id": pa.array(sorted(untold), pa.int64())}),
        "ended": _by_key(ended),
        "lost": _by_key(lost),
    }
    return ask(CHANGES, tables, held=held)


def identified(night: Night, made: pa.Table, before: pa.Table, name: str) -> pa.Table:
    """:func:`changes` in the columns that are sent: the national ids as ``before`` has them, or from the vault.

    AssentError when somebody who is added or changed is not in the vault.
    """
    people = made.column("person_id").filter(pc.not_equal(made["change"], "REMOVE"))
    known = read_identities(night, people, ("national_id",))
    rows = ask(
        "SELECT m.*, coalesce(b.national_id, k.national_id) AS national_id, "
        "m.change <> 'REMOVE' AND k.person_id IS NULL AS unknown "
        f"FROM made m LEFT JOIN before b USING ({KEY}) "
        f"LEFT JOIN known k ON k.person_id = m.person_id AND m.change <> 'REMOVE' ORDER BY m.{KEY}",
        {"made": made, "known": known, "before": before},
    )
    if pc.any(rows["unknown"]).as_py():
        raise AssentError(
            f"export {package_name(name)}: a person of the night is not in the vault; "
            "restore the lake from its backup"
        )
    sent = pa.schema([*before.schema, *CHANGE_COLUMNS])
    return rows.select(sent.names).cast(sent).combine_chunks()
