"""explain: everything behind a person's scores and entries on a published night, and a record of who looked.

Each object is made from the tables that the night's publication pins and from the scorecard and policy kept with it,
so that a past night is explained by what held then.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
from deltalake.exceptions import DeltaError

from jobs.errors import AssentError
from jobs.lake.accesses import reason_given, record_access
from jobs.lake.changed import Between
from jobs.lake.config import load_policy
from jobs.lake.explained import reason_text
from jobs.lake.history import Past
from jobs.lake.lake import Lake
from jobs.lake.query import Published
from jobs.lake.vault import person_ids
from jobs.rules import floor
from jobs.rules.dates import WINDOW_MONTHS, anniversary, months_back
from jobs.rules.holds import held
from jobs.rules.reviews import Review, reviews, under_review
from schemas.contract import contracts

REVIEW_SHOWN = "dispute_id purpose recipient opened_on due_on outcome reviewer decided_on".split()
ORDER_COLUMNS = (
    "authority legal_basis ordered_on served_on objection_until appeal_lodged_on appeal_decided_on appeal_outcome "
    "stayed_from stayed_until satisfied_on set_aside_on expires_on kind status debt_minor currency"
).split()


def _note(record: dict[str, Any]) -> str | None:
    if record.get("upheld"):
        return "set aside by a dispute"
    if record.get("disputed"):
        return "disputed"
    if record.get("gone_since"):
        return "the source no longer has it"
    return "in doubt" if record.get("in_doubt") else None


def _input(feed: str, row: dict[str, Any]) -> dict[str, Any]:
    key = contracts()[feed].key
    return {
        "feed": feed,
        "record_id": row[key],
        "file": row["file"],
        "row_number": row["row_number"],
        "note": _note(row),
    }


def _inputs(past: Past, person: int, sources: list[str]) -> list[dict[str, Any]]:
    """The delivered rows behind a score: bookings of the features' window, current records of the other sources."""
    found = []
    for feed in sources:
        rows = (
            past.bookings(person, months_back(past.night, WINDOW_MONTHS))
            if contracts()[feed].mode == "append"
            else past.records(feed, person)
        )
        found += [_input(feed, row) for row in rows]
    return sorted(found, key=lambda i: (i["feed"], i["file"], i["row_number"]))


def _characteristics(
    card: dict[str, Any], points: list[int], features: dict[str, Any], suspended: list[str]
) -> list[dict[str, Any]]:
    """Each characteristic of the scorecard with the values it met and the points it gave."""
    rows = []
    for node, given in zip(card["characteristics"], points, strict=True):
        names = [str(n) for n in node.get("features", [node.get("feature")])]
        rows.append(
            {
                "features": names,
                "values": [features.get(n) for n in names],
                "points": int(given),
                "neutral": int(node["neutral"]),
                "suspended": [n for n in names if n in suspended],
                "code": str(node["reason"]["code"]),
                "text": str(node["reason"]["text"]),
            }
        )
    return rows


def _score(past: Past, row: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
    person, purpose, recipient = row["person_id"], row["purpose"], row["recipient"]
    shown = {n: features.get(n) for n in floor.features_of(purpose)}
    sources = row["sources_used"] or []
    consented = [
        c
        for c in past.of("conformed/consented", person)
        if (c["purpose"], c["recipient"]) == (purpose, recipient)
    ]
    card = past.scorecard(purpose)
    base = int(card["base"])
    points = [int(p) for p in row["points"] or []]
    parts = _characteristics(card, points, shown, features.get("suspended") or []) if points else []
    by_code = {p["code"]: p for p in parts}
    currency = str(past.policy["currency"])
    reasons = [
        {
            "code": code,
            "text": reason_text(
                by_code[code]["text"], by_code[code]["features"], by_code[code]["values"], currency
            ),
            "points": by_code[code]["neutral"] - by_code[code]["points"],
        }
        for code in row["reasons"] or []
    ]
    return {
        "purpose": purpose,
        "recipient": recipient,
        "status": row["status"],
        "score": row["score"],
        "band": row["band"],
        "points": points,
        "reasons": reasons,
        "no_score_reason": row["no_score_reason"],
        "sources_used": sources,
        "features": shown,
        "inputs": _inputs(past, person, sources),
        "consents": sorted({c["consent_id"] for c in consented}),
        "base": base,
        "sum": base + sum(points) if points else None,
        "scorecard_version": row["scorecard_version"],
        "currency": currency,
        "characteristics": [{k: v for k, v in p.items() if k not in ("code", "text")} for p in parts],
        "consented": [
            {k: c[k] for k in ("source", "consent_id", "granted_on", "expires_on")}
            | {"attested": c.get("attested_by") is not None}
            for c in sorted(consented, key=lambda c: c["source"])
        ],
    }


def _last_day(past: Past, register: str, record: dict[str, Any] | None) -> dt.date | None:
    """The last day on which an order can be in force: the earlier of its own and the statute's."""
    if record is None:
        return None
    found = [record["expires_on"]] if record["expires_on"] else []
    limits = past.policy["registers"].get(register)
    if limits and record["ordered_on"]:
        end = anniversary(record["ordered_on"], int(limits["statute_years"]))
        found.append(end - dt.timedelta(days=1))
    return min(found, default=None)


def _entry(past: Past, row: dict[str, Any]) -> dict[str, Any]:
    feed, key = row["feed"], contracts()[row["feed"]].key
    records = [r for r in past.of(f"conformed/{feed}", row["person_id"]) if r[key] == row["record_id"]]
    record = records[0] if records else None

    def mine(name: str) -> list[dict[str, Any]]:
        named = (row["register"], row["record_id"])
        return [r for r in past.ledger(name, row["person_id"]) if (r["register"], r["record_id"]) == named]

    answers = sorted(mine("returns"), key=lambda r: (r["package_on"], r["taken_at"]))
    version = {row["record_id"]: record["revised_at"]} if record else {}
    hold = held(mine("holds"), answers, version).get(row["record_id"])
    return {
        "register": row["register"],
        "feed": feed,
        "record_id": row["record_id"],
        "state": row["state"],
        "listed": row["listed"],
        "recipient": row["recipient"],
        "since": row["since"],
        "until": _last_day(past, row["register"], record),
        "inputs": [_input(feed, r) for r in records],
        "cause": row["cause"],
        "order": {c: record.get(c) for c in ORDER_COLUMNS if c in record} if record else None,
        "held": hold and {"reason": hold.reason, "since": hold.since, "decided": hold.decided},
        "returns": [
            {n: r[n] for n in ("recipient", "package_on", "outcome", "reason")} | {"on": r["answered_on"]}
            for r in answers
        ],
    }


def _reviews(past: Past, person: int, purpose: str | None) -> list[Review]:
    """The person's reviews on the night, decided ones with outcome and reviewer."""
    found = reviews(past.of("conformed/disputes", person), past.night)
    return [r for r in found if purpose in (None, r.purpose)]


def person(past: Past, person_id: int | None, purpose: str | None) -> dict[str, Any]:
    """The object of one identity (DESIGN 7). With a purpose: its scores alone, and no register."""
    nothing: dict[str, Any] = {
        "person_id": None, "scores": [], "registers": [], "reviews": [], "disclosures": [],
    }  # fmt: skip
    if person_id is None or not past.known(person_id):
        return nothing | {"night": past.night}
    features = {(r["purpose"], r["recipient"]): r for r in past.of("features", person_id)}
    scores = [
        _score(past, r, features.get((r["purpose"], r["recipient"]), {}))
        for r in sorted(past.of("scores", person_id), key=lambda r: (r["purpose"], r["recipient"]))
        if purpose in (None, r["purpose"])
    ]
    asked = _reviews(past, person_id, purpose)
    marked = under_review(asked)
    for s in scores:
        s["under_review"] = (person_id, s["purpose"], s["recipient"]) in marked
    entries = [] if purpose else past.of("registers", person_id)
    sent = [
        {k: v for k, v in d.items() if k != "person_id"}
        for d in past.disclosures(person_id)
        if purpose is None or d["subject"].startswith(f"{purpose}/")
    ]
    return {
        "person_id": person_id,
        "scores": scores,
        "registers": [
            _entry(past, r) for r in sorted(entries, key=lambda r: (r["register"], r["record_id"]))
        ],
        "reviews": [{n: getattr(r, n) for n in REVIEW_SHOWN} for r in asked],
        "disclosures": sent,
        "night": past.night,
    }


def explain(
    lake: str,
    national_ids: list[str],
    purpose: str | None = None,
    as_of: dt.date | None = None,
    against: dt.date | None = None,
    because: str | None = None,
) -> list[dict[str, Any]]:
    """One object an identity in the order asked, with what changed since the published night before, or ``against``.

    An unknown identity has ``person_id: None``. Every look is recorded in ``accesses`` before anything is read. Where
    the night before cannot be read any more (an erasure takes old versions away) ``against`` is None.
    """
    said = reason_given(because, national_ids, load_policy().national_id)
    found = person_ids(lake, national_ids)
    published = Published(Lake(lake), as_of)
    other = Published(Lake(lake), against) if against else published.before()
    people = [p for p in found if p is not None]
    record_access(published.lake, found, "explain", said)
    past = Past(published, people)
    objects = [person(past, p, purpose) for p in found]
    if other is None:
        return objects
    compared = Past(other, people)
    for one, p in zip(objects, found, strict=True):
        try:
            one["against"] = changed(one, person(compared, p, purpose), past, compared, p)
        except (AssentError, OSError, DeltaError, pa.ArrowException) as e:
            if against:  # asked for by name
                raise AssentError(
                    f"night {other.night} cannot be read any more ({type(e).__name__}); name a later one, or "
                    "restore its tables from your backup"
                ) from None
            one["against"] = None
    return objects


def changed(
    one: dict[str, Any], other: dict[str, Any], past: Past, compared: Past, person_id: int | None
) -> dict[str, Any]:
    """What changed between the night explained and another: told from the earlier to the later of the two."""
    order = [(past, one), (compared, other)]
    (before, then), (after, now) = sorted(order, key=lambda n: n[0].night)
    found: dict[str, Any] = {"changes": [], "registers": []}
    if person_id is not None and before.night < after.night:
        found = Between(before, after).changes(person_id, now, then)
    return {"night": compared.night, "from": before.night, "to": after.night, **found}
