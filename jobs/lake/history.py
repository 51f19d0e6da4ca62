"""What one published night says of some people: rows of its pinned tables by person, without a JVM."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.lake import Lake
from jobs.lake.query import Published
from jobs.lake.scorecards import stored_policy, stored_scorecard
from jobs.rules.dates import anniversary
from jobs.rules.floor import COURT_KINDS_IN_SCORES, LONGEST
from jobs.rules.policy import parse
from schemas.contract import contracts

Rows = dict[int, list[dict[str, Any]]]
# The monthly sums hold no booking, so the bookings behind them are read where they were accepted.
BOOKINGS = ["person_id", "transaction_id", "booked_on", "file", "row_number", "night"]
CONSENT_ROWS = (
    "person_id kind consent_id purpose source recipient granted_on withdrawn_on birth_date file row_number night"
).split()


def obsolete(feed: str, record: dict[str, Any], night: dt.date) -> bool:
    """Whether a record is past the legal limit for scores (RULES, "Dates")."""
    if feed == "education":
        return False
    limit = {
        "tax": "tax",
        "court": "insolvency" if record.get("kind") == "insolvency" else "judgment",
        "traffic": "traffic_serious" if record.get("severity") == "serious" else "traffic_minor",
    }[feed]
    days = [record["ordered_on"], *([record["assessed_on"]] if feed == "tax" else [])]
    ends = [anniversary(d, LONGEST[f"{limit}_score_years"]) for d in days if d]
    return bool(ends) and max(ends) <= night


class Past:
    """A published night as some people may see it: every table at the version that the publication pins."""

    def __init__(self, published: Published, people: list[int]) -> None:
        self.published = published
        self.night = published.night
        self.lake: Lake = published.lake
        self.people = pa.array(sorted(set(people)), pa.int64())
        self._read: dict[str, Rows] = {}
        self._parsed: dict[str, dict[str, Any]] = {}
        known: dict[str, dict[str, str]] = json.loads(published.publication["scorecards"])
        self._scorecards = {purpose: c["sha256"] for purpose, c in known.items()}

    def rows(self, table: str, columns: list[str] | None = None) -> Rows:
        """Rows of a pinned table by person; none where the publication has no such table."""
        if table not in self._read:
            found: Rows = defaultdict(list)
            data = self.published.pinned(table)
            if data is not None:
                mine = pc.field("person_id").isin(self.people)
                if "night" in data.schema.names:
                    mine = mine & (pc.field("night") <= pa.scalar(self.night))
                for row in data.to_table(columns=columns, filter=mine).to_pylist():
                    found[row["person_id"]].append(row)
            self._read[table] = found
        return self._read[table]

    def of(self, table: str, person: int, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """One person's rows of a pinned table."""
        return self.rows(table, columns).get(person, [])

    def ledger(self, name: str, person: int) -> list[dict[str, Any]]:
        """A person's rows of a ledger through the night."""
        if name not in self._read:
            found: Rows = defaultdict(list)
            data = self.published.data(name)
            mine = pc.field("person_id").isin(self.people)
            table = data.filter(mine) if isinstance(data, pa.Table) else data.to_table(filter=mine)
            for row in table.to_pylist():
                found[row["person_id"]].append(row)
            self._read[name] = found
        return self._read[name].get(person, [])

    def disclosures(self, person: int) -> list[dict[str, Any]]:
        """What was sent about a person through the night, oldest first."""
        return sorted(self.ledger("disclosures", person), key=lambda r: (r["night"], r["subject"]))

    def known(self, person: int) -> bool:
        """Whether the vault of that night holds the person."""
        return bool(self.of("vault", person, ["person_id", "night"]))

    def scorecard(self, purpose: str) -> dict[str, Any]:
        """The purpose's scorecard as it was on the night (DESIGN 5), whatever floor and policy say today."""
        if purpose not in self._scorecards:
            raise AssentError(
                f"publication {self.night} names no scorecard for {purpose}; run `assent verify`"
            )
        if purpose not in self._parsed:
            text = stored_scorecard(self.lake, self._scorecards[purpose])
            self._parsed[purpose] = dict(parse(text, f"the scorecard for {purpose}").node)
        return self._parsed[purpose]

    @cached_property
    def policy(self) -> dict[str, Any]:
        """The policy as it was on the night."""
        text = stored_policy(self.lake, self.published.publication["policy_hash"])
        return dict(parse(text, f"the policy of {self.night}").node)

    @cached_property
    def feeds(self) -> dict[str, dict[str, Any]]:
        """``conformed/feeds`` of the night by feed."""
        data = self.published.pinned("conformed/feeds")
        return {r["feed"]: r for r in data.to_table().to_pylist()} if data is not None else {}

    # -- what stands behind a score
    def bookings(self, person: int, since: dt.date) -> list[dict[str, Any]]:
        """The person's bookings that count from a day on: not erased, not suspended or struck by a dispute."""
        return [b for b in self.window(person, since) if b["struck"] is None]

    def window(self, person: int, since: dt.date) -> list[dict[str, Any]]:
        """The person's bookings from a day on that are not erased; ``struck``: None, ``disputed`` or ``upheld``."""
        gone: dict[str, dt.date] = {}
        for r in self.of("accepted/consents", person, CONSENT_ROWS):
            if r["kind"] == "erasure":  # a later revision of one erasure does not erase again
                gone[r["consent_id"]] = min(r["night"], gone.get(r["consent_id"], r["night"]))
        erased = max(gone.values(), default=dt.date.min)
        left_out = {r["transaction_id"] for r in self.of("conformed/left_out", person)}
        upheld = {
            d["record_id"]
            for d in self.of("conformed/disputes", person)
            if d["feed"] == "transactions" and d["verdict"] == "upheld"
        }
        return [
            {
                **r,
                "struck": None
                if (t := r["transaction_id"]) not in left_out
                else "upheld"
                if t in upheld
                else "disputed",
            }
            for r in self.of("accepted/transactions", person, BOOKINGS)
            if r["booked_on"] >= since and r["night"] > erased
        ]

    def held(self, feed: str, person: int) -> list[dict[str, Any]]:
        """The person's current records of a feed that scores are allowed, also those past the legal limit."""
        rows = self.of(f"conformed/{feed}", person)
        if contracts()[feed].orders:
            rows = [r for r in rows if r["for_scores"]]
        if feed == "court":
            rows = [r for r in rows if r["kind"] in COURT_KINDS_IN_SCORES]
        return rows

    def records(self, feed: str, person: int) -> list[dict[str, Any]]:
        """Those of :meth:`held` that a score may read: none past the legal limit."""
        return [r for r in self.held(feed, person) if not obsolete(feed, r, self.night)]
