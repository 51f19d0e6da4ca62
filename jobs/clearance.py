"""Clearance: what of a night's scores may leave at all, before any recipient is looked at. Part of ``export``.

Scores leave for consents that an issuer attests. Where many consents are new at once, somebody may be making them up:
then nothing is added or changed until a person has looked and approves. What drops out is said whatever waits.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake import parquet_files
from jobs.lake.ask import ask
from jobs.lake.exported import packages_of
from jobs.lake.issuers import fingerprints
from jobs.lake.night import Night
from jobs.rules.bands import package_name, too_many_new
from jobs.rules.reviews import reviews, under_review
from schemas.tables import CONSENTED

NEW_CONSENTS = """
SELECT count(*) AS live, count(*) FILTER (WHERE k.consent_id IS NULL) AS new
FROM (SELECT DISTINCT consent_id FROM consented) c
LEFT JOIN (SELECT DISTINCT consent_id FROM known) k USING (consent_id)
"""


@dataclass(frozen=True)
class Clearance:
    """What may leave tonight.

    ``issuers``: fingerprints of the certificates that are believed; ``held``: additions and changes wait for a person;
    ``marked``: applications under review (person, purpose, recipient); ``consents``: how many are new, and live.
    """

    issuers: frozenset[str]
    held: bool
    marked: frozenset[tuple[int, str, str]]
    consents: tuple[int, int] = (0, 0)


def at(night: Night, table: str, day: dt.date | None) -> Any:
    """A table as the publication of an earlier night holds it, as DuckDB reads it fastest; None where there is none."""
    rows = night.lake.publications() if day is not None else []
    pin = next((r["tables"].get(table) for r in rows if r["night"] == day), None)
    return None if pin is None else parquet_files.rows(night.lake, table, int(pin["version"]))


def new_consents(night: Night) -> tuple[int, int]:
    """How many of the consents live tonight came since scores were last let out, and how many are live.

    Since scores were last let out and not since last night: what waited for a person waits until one has looked.
    """
    let_out = [
        row["night"]
        for purpose in night.policy.purposes.values()
        for recipient in purpose.recipients
        for row in packages_of(night.lake, recipient, package_name(purpose.name))
        if row["approved"] and row["night"] < night.date
    ]
    known = at(night, "conformed/consents", max(let_out, default=None))
    if known is None:
        known = pa.schema([("consent_id", pa.string())]).empty_table()
    consented = night.rows("conformed/consented", CONSENTED.arrow())
    row = ask(NEW_CONSENTS, {"consented": consented, "known": known}).to_pylist()[0]
    return int(row["new"]), int(row["live"])


def clear(night: Night, say: bool = True) -> Clearance:
    """Decides for the whole night, and says what waits."""
    new, live = new_consents(night)
    approved = night.approval is not None and night.approval.decision == "approve"
    waits = too_many_new(new, live, night.policy) and not approved
    if waits and say:
        night.say(
            f"export: {new} of {live} live consents are new, more than the policy's share of "
            f"{night.policy.sending.new_consents_share:g}; no score is added or changed until a person approves "
            "(`--approve`)"
        )
    rows: list[dict[str, Any]] = []
    if night.pinned("conformed/disputes") is not None:
        disputes = night.arrow("conformed/disputes", pa.schema([]))
        rows = disputes.filter(pc.field("kind") == "review").to_pylist()
    marked = under_review(reviews(rows, night.date))
    return Clearance(
        frozenset(fingerprints(night.keys)), waits or night.other_policy, frozenset(marked), (new, live)
    )
