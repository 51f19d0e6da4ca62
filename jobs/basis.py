"""What a score that a recipient holds rests on, and why it rests on it no more. Part of ``export``."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from jobs.clearance import at
from jobs.lake.ask import ask
from jobs.lake.night import Night
from jobs.lake.packages import Previous
from jobs.retention import refused_table
from jobs.rules.consent import WHY_ENDED, WHY_ENDED_READS
from schemas.tables import CONSENTED

HELD = """
SELECT person_id, consent_id FROM data SEMI JOIN people USING (person_id)
WHERE purpose = getvariable('purpose') AND recipient = getvariable('recipient') AND source = getvariable('source')
"""


def causes_of(
    night: Night,
    purpose: str,
    recipient: str,
    ended: Mapping[str, int],
    previous: Previous,
    source: str | None = None,
) -> dict[str, str]:
    """Why applications ended (key -> cause), for the keys and people in ``ended``; absent: ``corrected``.

    ``source`` is the one whose consent ended, the required one if none is named.
    """
    if not ended:
        return {}
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    if not feeds["consents"]["fresh"]:  # nobody can say tonight that a consent is still live
        return dict.fromkeys(ended, "lapsed")
    people = pa.array(sorted(set(ended.values())), pa.int64())
    mine = pc.field("person_id").isin(people)
    source = source or night.policy.purposes[purpose].required[0]
    words = {"purpose": purpose, "recipient": recipient, "source": source}
    then = at(night, "conformed/consented", previous.night)
    whose = {"people": pa.table({"person_id": people})}
    tables = {
        name: ask(
            f"SELECT {WHY_ENDED_READS[name]} FROM data SEMI JOIN people USING (person_id)",
            whose | {"data": night.rows(table, pa.schema([]))},
        )
        for name, table in (("accepted", "accepted/consents"), ("current", "conformed/consents"))
    }
    told = refused_table(night, "consents", mine)
    tables["refused"] = ask(
        "SELECT person_id, lower(trim(json_extract_string(verbatim, '$.kind'))) AS kind FROM told "
        "WHERE verbatim IS NOT NULL",
        {"told": told},
    )
    tables["held"] = (
        ask(HELD, whose | {"data": then}, **words)
        if then is not None
        else pa.table({"person_id": people, "consent_id": pa.nulls(len(people), pa.string())})
    )
    found = ask(WHY_ENDED, tables, night=night.date, since=previous.night, **words)
    by_person = dict(zip(*(found.column(c).to_pylist() for c in ("person_id", "cause")), strict=True))
    return {key: by_person[p] for key, p in ended.items() if by_person.get(p) is not None}


LOST_CONSENTS = """
SELECT DISTINCT t.person_id, t.source FROM before t
WHERE t.purpose = getvariable('purpose') AND t.recipient = getvariable('recipient') AND NOT EXISTS (
    SELECT 1 FROM consented c WHERE c.person_id = t.person_id AND c.purpose = t.purpose
    AND c.recipient = t.recipient AND c.source = t.source)
"""
# A dispute that suspends or has struck a record since: what it says tonight it did not say then.
LOST_RECORDS = """
SELECT DISTINCT n.person_id FROM disputes n
WHERE n.verdict IN ('open', 'corrected', 'upheld') AND list_contains(getvariable('sources'), n.feed) AND NOT EXISTS (
    SELECT 1 FROM before t WHERE t.dispute_id = n.dispute_id AND t.verdict = n.verdict)
"""


def basis_lost(
    night: Night, purpose: str, recipient: str, standing: Mapping[str, int], previous: Previous
) -> dict[str, str]:
    """Applications in ``standing`` (key -> person) that rested on what is gone since the last package: key -> cause.

    A consent that is not live any more (an optional one; without the required one the application is over), or a
    record that a dispute suspends or has struck: such a score is repeated to nobody (DESIGN 1).
    """
    if previous.night is None or not standing:
        return {}
    found: dict[str, str] = {}
    words = {"purpose": purpose, "recipient": recipient}
    then, disputes = (at(night, f"conformed/{t}", previous.night) for t in ("consented", "disputes"))
    if night.pinned("conformed/disputes") is not None:
        now = night.arrow("conformed/disputes", pa.schema([]))
        before = disputes if disputes is not None else now.schema.empty_table()
        sources = list(night.policy.purposes[purpose].sources)
        rows = ask(LOST_RECORDS, {"disputes": now, "before": before}, sources=sources)
        struck = set(rows.column("person_id").to_pylist())
        found |= {key: "corrected" for key, person in standing.items() if person in struck}
    if then is not None:
        now = night.rows("conformed/consented", CONSENTED.arrow())
        gone = ask(LOST_CONSENTS, {"before": then, "consented": now}, **words).to_pylist()
        for source in sorted({r["source"] for r in gone}):
            people = {r["person_id"] for r in gone if r["source"] == source}
            ended = {key: person for key, person in standing.items() if person in people}
            causes = causes_of(night, purpose, recipient, ended, previous, source)
            found |= {key: causes.get(key, "corrected") for key in ended}
    return found
