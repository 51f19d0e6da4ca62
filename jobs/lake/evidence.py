"""What a published night knew of a person, as the rules of causes read it; no JVM.

Cells of refused rows hold identities: the kind of a declaration is taken out of them, and nothing else leaves here.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from jobs.lake.history import CONSENT_ROWS, Past
from jobs.rules.causes import Known
from jobs.rules.change import Application
from jobs.rules.dates import WINDOW_MONTHS, months_back
from schemas.contract import contracts

REFUSED = ["feed", "person_id", "record_key", "contested", "night", "file", "row_number", "verbatim"]
RECORD_FEEDS = ("court", "education", "tax", "traffic")


def _kind(verbatim: str | None) -> str | None:
    try:
        cells = json.loads(verbatim or "")
    except ValueError:
        return None
    kind = cells.get("kind") if isinstance(cells, dict) else None
    return kind.strip().lower() if isinstance(kind, str) else None


def _refused(past: Past, person: int) -> tuple[dict[str, Any], ...]:
    found = []
    for table in (*past.published.quarantines(), "doubts"):
        for row in past.of(table, person, REFUSED):
            kind = _kind(row["verbatim"]) if row["feed"] == "consents" else None
            found.append({**{k: v for k, v in row.items() if k != "verbatim"}, "kind": kind})
    return tuple(found)


def _pairs(past: Past) -> dict[tuple[str, str, str], dt.date]:
    return {
        (purpose, source, recipient): p["since"]
        for purpose, p in past.policy["purposes"].items()
        for source in p["sources"]
        for recipient in p["recipients"]
    }


def known(past: Past, person: int) -> Known:
    """Everything of the night that may be a cause."""
    feeds = past.feeds
    declared = past.of("accepted/consents", person, CONSENT_ROWS)
    born = [d["birth_date"] for d in declared]
    return Known(
        night=past.night,
        records={
            feed: {r[contracts()[feed].key]: r for r in past.held(feed, person)} for feed in RECORD_FEEDS
        },
        bookings={
            b["transaction_id"]: b for b in past.window(person, months_back(past.night, WINDOW_MONTHS))
        },
        disputes=tuple(past.of("conformed/disputes", person)),
        consents={
            c["consent_id"]: c for c in past.of("conformed/consents", person) if c["kind"] == "consent"
        },
        declared=tuple({k: v for k, v in d.items() if k != "birth_date"} for d in declared),
        refused=_refused(past, person),
        fresh={f: bool(r["fresh"]) for f, r in feeds.items()},
        own_fresh={f: contracts()[f].is_fresh(r["last_good_on"], past.night) for f, r in feeds.items()},
        pairs=_pairs(past),
        born=max(born, default=None),
    )


def application(past: Past, person: int, purpose: str, recipient: str) -> Application:
    """One application as the night published it."""

    def mine(table: str) -> list[dict[str, Any]]:
        rows = past.of(table, person)
        return [r for r in rows if (r["purpose"], r["recipient"]) == (purpose, recipient)]

    publication = past.published.publication
    card = json.loads(publication["scorecards"]).get(purpose, {"version": "", "sha256": ""})
    return Application(
        purpose,
        recipient,
        next(iter(mine("scores")), None),
        next(iter(mine("features")), None),
        {c["source"]: c["consent_id"] for c in mine("conformed/consented")},
        (card["version"], card["sha256"]),
        publication["policy_hash"],
        f"{publication['code_version']} {publication['floor_hash'][:12]}",
    )
