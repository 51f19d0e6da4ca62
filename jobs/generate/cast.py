"""The cast: people who each play one case, a planted fault or an edge of the rules, with what is due of them.

Their rows stand in files of their own (``<feed>_cases.csv``), so that every row number is known.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from pathlib import Path
from typing import Any

from jobs.generate import names
from jobs.generate.calendar import as_date
from jobs.generate.horizon import LAST_PLANTED, NEVER, Horizon
from jobs.generate.population import Population
from jobs.generate.truth import Truth
from schemas.contract import contracts

SIZE = 120
HISTORY_SIZE = 2  # people a night of a longer run
MOTOR = ("motor_cover", "demo-insurer")
CREDIT = ("consumer_credit", "demo-lender")
STUDY = ("study_finance", "demo-student-finance")
REQUIRED = {MOTOR: "traffic", CREDIT: "transactions", STUDY: "education"}
FEED_OF = {
    "judgment_debts": "court",
    "insolvencies": "court",
    "tax_debts": "tax",
    "driving_disqualifications": "traffic",
}


def cast_size(nights: int) -> int:
    """How many people a run of so many nights leaves to the cast."""
    return SIZE + HISTORY_SIZE * max(0, nights - LAST_PLANTED)


class Person:
    """One player: identity cells, and the index that makes keys."""

    def __init__(self, people: Population, place: int) -> None:
        self.index = int(people.index[place])
        self.until = {
            MOTOR: NEVER,
            CREDIT: NEVER,
            STUDY: NEVER,
        }  # last night of the consent for the required source
        self.cells = {
            "national_id": people.national_id[place].as_py(),
            "family_name": names.FAMILY[int(people.family[place])],
            "given_name": names.GIVEN[int(people.given[place])],
            "birth_date": as_date(int(people.born[place])).isoformat(),
        }

    @property
    def id(self) -> str:
        """The national id."""
        return str(self.cells["national_id"])


class Cast:
    """The stage: rows by feed and night, and what is due of them."""

    def __init__(self, people: Population, horizon: Horizon) -> None:
        self.people, self.horizon = people, horizon
        self.next = 0
        self.serial = 0
        self.rows: dict[tuple[str, int], list[bytes]] = {}
        self.faults: list[tuple[str, int, int, str, str]] = []
        self.scores: list[tuple[int, str, str, str, str, str]] = []
        self.entries: list[tuple[int, str, str, str]] = []

    # -- people and days
    def person(self) -> Person:
        """The next player."""
        if self.next >= cast_size(self.horizon.nights):
            raise ValueError(f"the cast has {self.next} people; raise SIZE or HISTORY_SIZE")
        self.next += 1
        return Person(self.people, self.next - 1)

    def day(self, night: int, days: int = 0) -> str:
        """A date relative to a night."""
        return as_date(self.horizon.start + night - 1 + days).isoformat()

    def key(self, prefix: str) -> str:
        """A record key of its own."""
        self.serial += 1
        return f"{prefix}-CASE-{self.serial:04d}"

    # -- rows
    def line(self, feed: str, night: int, content: bytes, outcome: str = "", reasons: str = "") -> None:
        """One physical row of a feed's cases, and where it must end."""
        if night > self.horizon.nights:
            return
        if not self.horizon.delivers(feed, night):
            raise ValueError(
                f"{feed} delivers nothing on night {night}; ask Horizon.open for one that it does"
            )
        rows = self.rows.setdefault((feed, night), [])
        rows.append(content)
        if outcome:
            self.faults.append((feed, night, len(rows), outcome, reasons))

    def row(self, feed: str, night: int, who: Person, /, fault: str = "", **cells: Any) -> None:
        """A row of cells; ``fault`` is its coded reasons, or ``duplicate``."""
        content = self.encoded(feed, {**who.cells, **cells})
        outcome = "duplicate" if fault == "duplicate" else "quarantined" if fault else ""
        self.line(feed, night, content, outcome, "" if fault == "duplicate" else fault)

    @staticmethod
    def encoded(feed: str, cells: dict[str, Any]) -> bytes:
        """A row as CSV."""
        unknown = set(cells) - set(contracts()[feed].names)
        if unknown:
            raise KeyError(f"{feed}: {unknown}")
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(
            ["" if (v := cells.get(n)) is None else v for n in contracts()[feed].names]
        )
        return out.getvalue().rstrip("\n").encode()

    def consent(self, who: Person, night: int = 1, /, fault: str = "", **cells: Any) -> dict[str, Any]:
        """A consent to motor cover, live from the night before through a year; returns its cells."""
        made = {
            "consent_id": self.key("C"),
            "kind": "consent",
            "purpose": "motor_cover",
            "source": "traffic",
            "recipient": "demo-insurer",
            "granted_on": self.day(night, -1),
            "expires_on": self.day(night, 300),
            "receipt_sha256": hashlib.sha256(f"case {who.index} {self.serial}".encode()).hexdigest(),
            "revised_at": f"{self.day(night, -1)}T09:00:00Z",
            **cells,
        }
        application = (made["purpose"], made["recipient"])
        if not fault and made["source"] == REQUIRED.get(application):
            last = dt.date.fromisoformat(made["expires_on"]) - as_date(self.horizon.start)
            who.until[application] = last.days + 1
        self.row("consents", night, who, fault, **made)
        return made

    def declare(self, who: Person, night: int, what: str, /, fault: str = "", **cells: Any) -> dict[str, Any]:
        """A withdrawal, erasure, access request or notice of death; returns its cells."""
        made = {
            "consent_id": self.key("C"),
            "kind": what,
            "granted_on": self.day(night),
            "revised_at": f"{self.day(night)}T07:00:00Z",
            **cells,
        }
        self.row("consents", night, who, fault, **made)
        return made

    def judgment(self, who: Person, night: int = 1, fault: str = "", **cells: Any) -> dict[str, Any]:
        """A money judgment in force since long; returns its cells."""
        key = cells.get("order_id") or self.key("O")
        made = {
            "order_id": key,
            "kind": "money_judgment",
            "case_number": f"K-{key}",
            "debt_minor": 123_400,
            "currency": "EUR",
            "authority": "Demo Court",
            "legal_basis": "Civil Procedure Act s. 12",
            "ordered_on": self.day(1, -400),
            "served_on": self.day(1, -380),
            "objection_until": self.day(1, -350),
            "revised_at": f"{self.day(night, -1)}T06:00:00Z",
            **cells,
        }
        self.row("court", night, who, fault, **made)
        return made

    def award(self, who: Person, night: int = 1, fault: str = "", **cells: Any) -> dict[str, Any]:
        """An award of education; returns its cells."""
        made = {
            "award_id": self.key("E"),
            "institution": "University of Here",
            "isced_level": 6,
            "awarded_on": self.day(1, -200),
            "revised_at": f"{self.day(1, -190)}T06:00:00Z",
            **cells,
        }
        self.row("education", night, who, fault, **made)
        return made

    def dispute(
        self, who: Person, order: str, opened: str, night: int = 1, fault: str = "", **cells: Any
    ) -> dict[str, Any]:
        """A dispute of a court order; returns its cells."""
        made = {
            "dispute_id": self.key("P"),
            "feed": "court",
            "record_id": order,
            "kind": "inaccurate",
            "opened_on": opened,
            "revised_at": f"{self.day(night)}T05:00:00Z",
            **cells,
        }
        self.row("disputes", night, who, fault, **made)
        return made

    def assessment(self, who: Person, night: int = 1, fault: str = "", **cells: Any) -> dict[str, Any]:
        """A tax assessment of half a year ago, a third of it paid; returns its cells."""
        made = {
            "assessment_id": self.key("X"),
            "tax_year": int(self.day(1)[:4]) - 1,
            "assessed_on": self.day(1, -180),
            "income_minor": 2_400_000,
            "tax_due_minor": 480_000,
            "tax_paid_minor": 160_000,
            "currency": "EUR",
            "status": "assessed",
            "revised_at": f"{self.day(night, -1)}T06:00:00Z",
            **cells,
        }
        self.row("tax", night, who, fault, **made)
        return made

    def determination(self, who: Person, night: int = 1, **cells: Any) -> dict[str, Any]:
        """A tax debt finally determined; returns its cells."""
        final = {
            "status": "final_determination",
            "debt_minor": 320_000,
            "authority": "Demo Tax Office",
            "legal_basis": "Tax Procedure Act s. 21",
            "ordered_on": self.day(1, -120),
            "served_on": self.day(1, -100),
            "objection_until": self.day(1, -70),
        }
        return self.assessment(who, night, **{**final, **cells})

    def offence(self, who: Person, night: int = 1, **cells: Any) -> dict[str, Any]:
        """A decided traffic offence, minor unless said otherwise; returns its cells."""
        made = {
            "decision_id": self.key("D"),
            "kind": "penalty_points",
            "severity": "minor",
            "penalty_points": 3,
            "authority": "Demo Traffic Police",
            "legal_basis": "Road Traffic Act s. 12",
            "ordered_on": self.day(1, -200),
            "served_on": self.day(1, -190),
            "objection_until": self.day(1, -160),
            "revised_at": f"{self.day(night, -1)}T06:00:00Z",
            **cells,
        }
        self.row("traffic", night, who, **made)
        return made

    def booking(self, who: Person, night: int = 1, fault: str = "", **cells: Any) -> dict[str, Any]:
        """A transaction; returns its cells."""
        made = {
            "transaction_id": self.key("T"),
            "account_id": f"A-CASE-{who.index}",
            "booked_on": self.day(1, -20),
            "category": "salary",
            "amount_minor": 150_000,
            "currency": "EUR",
            **cells,
        }
        self.row("transactions", night, who, fault, **made)
        return made

    # -- what is due
    def _through(self, nights: tuple[Any, ...], last: int) -> list[int]:
        """The nights named; ``...`` at the end: and every night after, through ``last``."""
        named = [n for n in nights if n is not Ellipsis]
        if nights and nights[-1] is Ellipsis:
            named += range(named[-1] + 1, self.horizon.nights + 1)
        return [n for n in named if n <= min(last, self.horizon.nights)]

    def scored(self, who: Person, *nights: Any, of: tuple[str, str] = MOTOR, no_score: str = "") -> None:
        """The application is due on these nights and no other: scored, or without a score for the reason given."""
        for n in self._through(nights, who.until[of]):
            if self.horizon.absent("consents", n):
                continue
            reason = "source_absent" if self.horizon.absent(REQUIRED[of], n) else no_score
            self.scores.append((n, who.id, *of, "no_score" if reason else "scored", reason))

    def listed(
        self, who: Person, order: dict[str, Any], *nights: Any, register: str = "judgment_debts"
    ) -> None:
        """The order is in the register on these nights and no other, but for what a late feed may not add."""
        key = next(str(order[k]) for k in ("order_id", "assessment_id", "decision_id") if k in order)
        before = 0
        for n in self._through(nights, NEVER):
            if before == n - 1 or not self.horizon.absent(FEED_OF[register], n):
                self.entries.append((n, register, key, who.id))
                before = n

    # -- the end
    def write(self, out: Path, truth: Truth) -> int:
        """Writes the cases' files and their truth; returns how many rows."""
        count = 0
        for (feed, night), rows in sorted(self.rows.items()):
            folder = out / self.day(night)
            folder.mkdir(parents=True, exist_ok=True)
            head = ",".join(contracts()[feed].names).encode()
            (folder / f"{feed}_cases.csv").write_bytes(b"\n".join([head, *rows]) + b"\n")
            count += len(rows)
        truth.add(
            "faults",
            [
                (self.day(n), f, f"{self.day(n)}/{f}_cases.csv", r, o, why)
                for f, n, r, o, why in sorted(self.faults)
            ],
        )
        truth.add("scores", [(self.day(n), *due) for n, *due in sorted(self.scores)])
        truth.add("entries", [(self.day(n), g, o, i) for n, g, o, i in sorted(self.entries)])
        return count


def birthday_after(person: Person, years: int, day: dt.date) -> None:
    """Makes a player turn an age on a day."""
    person.cells["birth_date"] = day.replace(year=day.year - years).isoformat()
