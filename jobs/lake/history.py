"""What one published night says of some people: rows of its pinned tables by person, without a JVM."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.lake import Lake
from jobs.lake.query import Published
from jobs.rules.floor import COURT_KINDS_IN_SCORES
from jobs.rules.policy import parse
from schemas.contract import contracts

Rows = dict[int, list[dict[str, Any]]]
# The monthly sums hold no booking, so the bookings behind them are read where they were accepted.
BOOKINGS = ["person_id", "transaction_id", "booked_on", "file", "row_number", "night"]


def anniversary(day: dt.date, years: int) -> dt.date:
    """The n-th anniversary; of 29 February it is 28 February (RULES, "Dates")."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def months_back(night: dt.date, months: int) -> dt.date:
    """The first day of the calendar month that many months before the night's."""
    number = night.year * 12 + night.month - 1 - months
    return dt.date(number // 12, number % 12 + 1, 1)


class Past:
    """A published night as some people may see it: every table at the version that the publication pins."""

    def __init__(self, published: Published, people: list[int]) -> None:
        self.published = published
        self.night = published.night
        self.lake: Lake = published.lake
        self.people = pa.array(sorted(set(people)), pa.int64())
        self._read: dict[str, Rows] = {}
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

    def _text(self, place: str, what: str) -> str:
        path = f"{self.lake.path}/{place}"
        if not self.lake.fs.exists(path):
            raise AssentError(
                f"{what} of night {self.night} is not in the lake any more; restore {place.split('/')[0]} "
                "from your backup"
            )
        return str(self.lake.fs.cat_file(path).decode())

    def scorecard(self, purpose: str) -> dict[str, Any]:
        """The purpose's scorecard as it was on the night (DESIGN 5), whatever floor and policy say today."""
        if purpose not in self._scorecards:
            raise AssentError(
                f"publication {self.night} names no scorecard for {purpose}; run `assent verify`"
            )
        place = f"_scorecards/{self._scorecards[purpose]}.yaml"
        return dict(parse(self._text(place, f"the scorecard for {purpose}"), place).node)

    def policy(self) -> dict[str, Any]:
        """The policy as it was on the night."""
        place = f"_policies/{self.published.publication['policy_hash']}.yaml"
        return dict(parse(self._text(place, "the policy"), place).node)

    # -- what stands behind a score
    def bookings(self, person: int, since: dt.date) -> list[dict[str, Any]]:
        """The person's bookings that count from a day on: not erased, not suspended or struck by a dispute."""
        gone = [
            r["night"]
            for r in self.of("accepted/consents", person, ["person_id", "kind", "night"])
            if r["kind"] == "erasure"
        ]
        erased = max(gone, default=dt.date.min)
        struck = self._struck(person)
        rows = self.of("accepted/transactions", person, BOOKINGS)
        return [
            r
            for r in rows
            if r["booked_on"] >= since and r["night"] > erased and r["transaction_id"] not in struck
        ]

    def _struck(self, person: int) -> set[str]:
        """Transactions that an open, upheld or corrected dispute leaves out; a rejection ends later ones."""
        by_record: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for d in self.of("conformed/disputes", person):
            if d["feed"] == "transactions":
                by_record[d["record_id"]].append(d)
        struck = set()
        for record, said in by_record.items():
            rejected = min((d["decided_on"] for d in said if d["verdict"] == "rejected"), default=dt.date.max)
            if any(
                d["verdict"] in ("upheld", "corrected")
                or (d["verdict"] == "open" and (d["certified_by"] or d["opened_on"] < rejected))
                for d in said
            ):
                struck.add(record)
        return struck

    def records(self, feed: str, person: int) -> list[dict[str, Any]]:
        """The person's current records of a feed that a score may read."""
        rows = self.of(f"conformed/{feed}", person)
        if contracts()[feed].orders:
            rows = [r for r in rows if r["for_scores"]]
        if feed == "court":
            rows = [r for r in rows if r["kind"] in COURT_KINDS_IN_SCORES]
        return rows
