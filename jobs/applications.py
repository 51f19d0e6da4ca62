"""A recipient's applications of a night, and what turns its last package into tonight's. Part of ``export``.

In Arrow and DuckDB, whole columns at a time. Of millions of applications a few hundred change on a usual night: those
alone are put together.
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
from jobs.lake.packages import Previous
from jobs.lake.vault import read_identities
from jobs.rules.bands import package_name, sent_reasons
from jobs.rules.disclosure import CHANGE_COLUMNS
from schemas.tables import CONSENTED, SCORES

KEY = "application_id"
RESTS_ON = ("status", "score", "band", "reasons")  # columns that say something about the person
SENT = (*RESTS_ON, "under_review")  # the order of `changed`; the id never changes, as the key follows from it

_WHOSE = "purpose = getvariable('purpose') AND recipient = getvariable('recipient')"
SAID = f"SELECT DISTINCT status, reasons, no_score_reason FROM scores WHERE {_WHOSE}"
_OTHER = " || ".join(f"CASE WHEN n.{c} IS DISTINCT FROM b.{c} THEN ',{c}' ELSE '' END" for c in SENT)
_RESTS = " OR ".join(f"n.{c} IS DISTINCT FROM b.{c}" for c in RESTS_ON)
_BOTH = ", ".join(f"n.{c} AS new_{c}, b.{c} AS old_{c}" for c in SENT)
# `basis` says whether each consent, and that of the required source, is attested by a believed issuer. By person, and
# not by the application's id, as one recipient has one application of a person: an id takes longer to make than this.
COMPARED = f"""
WITH basis AS (
    SELECT c.person_id, count(i.issuer) = count(*) AS attested,
        count(i.issuer) FILTER (WHERE c.source = getvariable('source')) > 0 AS grounded
    FROM (FROM consented WHERE {_WHOSE}) c LEFT JOIN issuers i ON i.issuer = c.attested_by
    GROUP BY c.person_id
), now AS (
    SELECT s.person_id, s.status, s.score, s.band, w.worded AS reasons, m.person_id IS NOT NULL AS under_review,
        coalesce(a.attested, false) AS attested, coalesce(a.grounded, false) AS grounded
    FROM (FROM scores WHERE {_WHOSE}) s JOIN words w ON w.status = s.status
        AND w.reasons IS NOT DISTINCT FROM s.reasons AND w.no_score_reason IS NOT DISTINCT FROM s.no_score_reason
    LEFT JOIN basis a ON a.person_id = s.person_id
    LEFT JOIN marked m ON m.person_id = s.person_id
)
SELECT b.{KEY}, coalesce(n.person_id, b.person_id) AS person_id, {_BOTH}, b.person_id IS NOT NULL AS was,
    coalesce(n.grounded, false) AS stands, coalesce(n.attested, true) AS attested, substr({_OTHER}, 2) AS other,
    {_RESTS} AS rests
FROM before b FULL JOIN now n ON n.person_id = b.person_id
WHERE NOT (was AND stands AND attested AND other = '')
"""


def compared(night: Night, purpose: str, recipient: str, may: Clearance, previous: Previous) -> pa.Table:
    """Where tonight's applications of a recipient are other than what its last package held; a row an application.

    KEY (null of one that is new) and ``person_id``; each of SENT as ``new_`` and ``old_``; ``was`` in the package;
    ``stands``: the consent of the required source is attested by a believed issuer; ``attested``: each consent is;
    ``other`` names what differs, ``rests``: it says something about the person. What is not attested is there too.
    """
    tables = {
        "scores": night.rows("scores", SCORES.arrow()),
        "consented": night.rows("conformed/consented", CONSENTED.arrow()),
        "issuers": pa.table({"issuer": pa.array(sorted(may.issuers), pa.string())}),
        "before": previous.snapshot.select([KEY, *SENT]).append_column("person_id", previous.people),
    }
    words = {"purpose": purpose, "recipient": recipient}
    said = ask(SAID, tables, **words)  # few combinations, many people
    card = night.scorecards[purpose]
    worded = [sent_reasons(card, r["status"], r["reasons"], r["no_score_reason"]) for r in said.to_pylist()]
    marked = sorted(p for p, *pair in may.marked if pair == [purpose, recipient])
    tables |= {
        "words": said.append_column("worded", pa.array(worded, pa.string())),
        "marked": pa.table({"person_id": pa.array(marked, pa.int64())}),
    }
    return ask(COMPARED, tables, source=night.policy.purposes[purpose].required[0], **words)


def named(night: Night, purpose: str, recipient: str, found: pa.Table) -> pa.Table:
    """:func:`compared` with the ids of the applications that are new."""
    new = pc.is_null(found[KEY]).combine_chunks()
    people = found.column("person_id").filter(new).to_pylist()
    ids = pa.array(application_ids(night.keys, people, purpose, recipient), pa.string())
    keys = pc.replace_with_mask(found[KEY], new, ids)
    return found.set_column(found.schema.get_field_index(KEY), KEY, keys)


_MADE = ", ".join(f"CASE WHEN change = 'REMOVE' THEN old_{c} ELSE new_{c} END AS {c}" for c in SENT)
CHANGES = f"""
WITH told AS (
    SELECT f.*, e.cause AS ended, l.cause AS lost,
        getvariable('held') OR NOT f.attested OR u.person_id IS NOT NULL AS waits,
        CASE
            WHEN NOT stands THEN CASE WHEN was THEN 'REMOVE' END
            WHEN was AND other = '' THEN NULL
            WHEN NOT waits THEN CASE WHEN was THEN 'CHANGE' ELSE 'ADD' END
            WHEN was AND rests AND lost IS NOT NULL THEN 'REMOVE'
        END AS change
    FROM found f LEFT JOIN untold u ON u.person_id = f.person_id
    LEFT JOIN ended e ON e.{KEY} = f.{KEY}
    LEFT JOIN lost l ON l.{KEY} = f.{KEY}
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
    found: pa.Table,
    ended: Mapping[str, str],
    held: bool,
    untold: Collection[int] = (),
    lost: Mapping[str, str] | None = None,
) -> pa.Table:
    """What turns the last package into tonight's: KEY, ``person_id``, SENT and CHANGE_COLUMNS; one row an application
    that changes, sorted by the key.

    ``found`` as :func:`compared` gives it, ``ended`` causes by key of those that ended. What is not attested or whose
    person is ``untold``, and everything where scores are ``held``, is neither added nor changed; who holds no attested
    consent for the required source any more is removed whatever waits. So is a score that may not be replaced tonight
    and rests on what is gone: ``lost`` are causes by key, as :func:`jobs.basis.basis_lost` gives them.
    """
    tables = {
        "found": found,
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
