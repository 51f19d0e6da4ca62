"""Deliveries of any size, made in seconds a million rows: by DuckDB, from the numbers of people and rows alone.

Everybody consents to be scored; the other feeds are as large as they would be beside them. The first delivery holds
the whole history, each later one a day: bookings of the day before (some late, for closed months), renewed consents,
withdrawals, revisions and disputes.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.generate import issuer
from jobs.generate.identifiers import national_ids
from jobs.generate.names import FAMILY, GIVEN_NAMES
from jobs.rules.dates import months_back

SEED = 7
CHUNK = 1_000_000
LATE_SHARE = 0.03
IDENTITY = "national_id, family_name, given_name, birth_date"
ORDER_REST = (
    "NULL AS appeal_lodged_on, NULL AS appeal_decided_on, NULL AS appeal_outcome, NULL AS stayed_from, "
    "NULL AS stayed_until"
)
# which h (0..99) is which category; the rest is `other`
CATEGORY = """CASE WHEN h < 22 THEN 'card_statement' WHEN h < 42 THEN 'card_repayment' WHEN h < 56 THEN 'salary'
     WHEN h < 62 THEN 'rent' WHEN h < 67 THEN 'loan_repayment' WHEN h < 69 THEN 'overdraft_fee'
     WHEN h < 70 THEN 'returned_payment' WHEN h < 80 THEN 'cash_withdrawal' WHEN h < 85 THEN 'utility'
     WHEN h < 90 THEN 'insurance' ELSE 'other' END"""


@dataclass(frozen=True)
class Size:
    """What is made: people, bookings in the history, and how many months that is."""

    persons: int
    transactions: int
    months: int

    @property
    def a_day(self) -> int:
        """Bookings of a usual night."""
        return max(1, round(self.transactions / self.months / 30))


class Deliveries:
    """Writes the deliveries of a size into a folder, night by night."""

    def __init__(self, folder: Path, size: Size, first: dt.date, compressed: bool = False) -> None:
        self.folder, self.size, self.first = folder, size, first
        self.format = ("csv.zst", "HEADER, COMPRESSION zstd") if compressed else ("csv", "HEADER")
        self.con = duckdb.connect(config={"python_enable_replacements": False})
        folder.mkdir(parents=True)
        people = folder.parent / "people.parquet"
        self._people(people)
        self.con.execute(f"CREATE VIEW people AS SELECT * FROM read_parquet('{people}')")

    def _people(self, path: Path) -> None:
        schema = pa.schema(
            [
                ("i", pa.int64()),
                *((n, pa.string()) for n in IDENTITY.split(", ")[:3]),
                ("birth_date", pa.date32()),
            ]
        )
        families = pa.array(FAMILY)
        with pq.ParquetWriter(path, schema) as writer:
            for start in range(0, self.size.persons, CHUNK):
                i = np.arange(start, min(start + CHUNK, self.size.persons), dtype=np.int64)
                columns = [
                    pa.array(i),
                    national_ids(i, SEED),
                    families.take(pa.array(i * 31 % len(FAMILY))),
                    GIVEN_NAMES.take(pa.array(i * 17 % len(GIVEN_NAMES))),
                    pa.array((i * 7919 % 20_000 - 10_000).astype(np.int32), pa.int32()).cast(pa.date32()),
                ]
                writer.write_table(pa.table(columns, schema=schema))

    def _copy(self, night: dt.date, name: str, sql: str) -> Path:
        day = self.folder / night.isoformat()
        day.mkdir(exist_ok=True)
        ending, options = self.format
        path = day / f"{name}.{ending}"
        self.con.execute(f"COPY ({sql}) TO '{path}' (FORMAT csv, {options})")
        return path

    def _bookings(self, night: dt.date, name: str, rows: int, booked_on: str, prefix: str) -> Path:
        """Bookings of people by chance. ``booked_on`` is SQL of ``r`` (the row's number) and ``h`` (0..99)."""
        return self._copy(
            night,
            name,
            f"""
            SELECT {IDENTITY}, '{prefix}' || r AS transaction_id, 'A' || i AS account_id,
                   ({booked_on})::DATE AS booked_on, {CATEGORY} AS category,
                   CASE WHEN h BETWEEN 42 AND 55 THEN 180000 + x % 220000 ELSE -(1000 + x % 90000)::BIGINT END
                       AS amount_minor,
                   'EUR' AS currency, (x % 700000)::BIGINT - 50000 AS balance_after_minor,
                   CASE WHEN h < 20 THEN 100000 + i % 9 * 50000 END AS credit_limit_minor,
                   CASE WHEN h < 22 THEN greatest(0, (x % 130)::BIGINT - 100) END AS days_past_due
            FROM (SELECT r, hash('{prefix}', r) % {self.size.persons} AS who, hash(r, '{prefix}', 1) % 100 AS h,
                         hash(r, '{prefix}', 2) AS x FROM range({rows}) t(r))
            JOIN people ON i = who""",
        )

    def _consents(self, name: str, night: dt.date, where: str, granted: str, wave: int) -> None:
        pairs = (
            ("consumer_credit", "transactions", "demo-lender", "true"),
            ("consumer_credit", "court", "demo-lender", "i % 2 = 0"),
            ("consumer_credit", "tax", "demo-lender", "i % 2 = 0"),
            ("motor_cover", "traffic", "demo-insurer", "i % 20 = 1"),
            ("study_finance", "education", "demo-student-finance", "i % 10 = 2"),
            ("study_finance", "transactions", "demo-student-finance", "i % 10 = 2"),
        )
        parts = " UNION ALL ".join(
            f"""SELECT *, '{n}' AS n, '{p}' AS purpose, '{s}' AS source, '{r}' AS recipient
                FROM people WHERE ({where}) AND ({who})"""
            for n, (p, s, r, who) in enumerate(pairs)
        )
        withdrawn = f"""SELECT {IDENTITY}, 'W{wave}-' || i, 'withdrawal', NULL, NULL, NULL, DATE '{night}', NULL, NULL,
                               NULL, '{night}T03:00:00Z' FROM people WHERE i % 5000 = {wave} AND {wave} > 0"""
        path = self._copy(
            night,
            name,
            f"""
            SELECT {IDENTITY}, 'C{wave}-' || i || '-' || n AS consent_id, 'consent' AS kind, purpose, source, recipient,
                   ({granted})::DATE AS granted_on, ({granted})::DATE + 365 AS expires_on, NULL AS withdrawn_on,
                   sha256('receipt {wave} ' || i || ' ' || n) AS receipt_sha256,
                   '{night}T02:00:00Z' AS revised_at
            FROM ({parts}) UNION ALL {withdrawn}""",
        )
        issuer.sign(path)

    def _records(self, night: dt.date, wave: int, where: str) -> None:
        """The feeds of decisions. Orders of wave 0 are of every year before; later ones are of the day before."""
        back = "1" if wave else "30 + i % 2500"
        ordered = f"DATE '{night}' - ({back})::INT"
        later = f"""'statute' AS legal_basis, {ordered} AS ordered_on,
                    CASE WHEN {wave} = 0 THEN {ordered} + 3 ELSE {ordered} END AS served_on,
                    {ordered} + 17 AS objection_until, {ORDER_REST},
                    CASE WHEN i % 3 = 0 AND {wave} = 0 THEN {ordered} + 25 END AS satisfied_on,
                    NULL AS set_aside_on, {ordered} + 2000 AS expires_on, '{night}T02:30:00Z' AS revised_at"""
        self._copy(
            night,
            "court",
            f"""SELECT {IDENTITY}, 'O{wave}-' || i AS order_id,
                       CASE WHEN i % 400 = 0 THEN 'insolvency' ELSE 'money_judgment' END AS kind,
                       'K ' || i AS case_number, 20000 + i % 90000 AS debt_minor, 'EUR' AS currency,
                       'Demo Court' AS authority, {later} FROM people WHERE i % 50 = 0 AND ({where})""",
        )
        self._copy(
            night,
            "traffic",
            f"""SELECT {IDENTITY}, 'D{wave}-' || i AS decision_id, 'penalty_points' AS kind,
                       CASE WHEN i % 7 = 1 THEN 'serious' ELSE 'minor' END AS severity, i % 5 + 1 AS penalty_points,
                       'Demo Traffic Police' AS authority, {later} FROM people WHERE i % 20 = 1 AND ({where})""",
        )
        status = (
            "CASE WHEN i % 100 = 4 THEN 'final_determination' WHEN i % 30 = 4 THEN 'arrears' ELSE 'paid' END"
        )
        self._copy(
            night,
            "tax",
            f"""SELECT {IDENTITY}, 'X{wave}-' || i AS assessment_id, {night.year - 1} AS tax_year,
                       DATE '{night}' - ({back})::INT AS assessed_on, 2000000 + i % 4000000 AS income_minor,
                       300000 AS tax_due_minor, CASE WHEN i % 4 = 0 THEN 300000 ELSE 250000 END AS tax_paid_minor,
                       'EUR' AS currency, {status} AS status,
                       CASE WHEN i % 100 = 4 THEN 50000 END AS debt_minor, 'Demo Tax Office' AS authority, {later}
                FROM people WHERE i % 4 = 0 AND ({where})""",
        )
        self._copy(
            night,
            "education",
            f"""SELECT {IDENTITY}, 'E{wave}-' || i AS award_id, 'School ' || i % 100 AS institution,
                       3 + i % 5 AS isced_level, {ordered} AS awarded_on, NULL AS revoked_on,
                       '{night}T02:30:00Z' AS revised_at FROM people WHERE i % 10 = 2 AND ({where})""",
        )

    def _disputes(self, night: dt.date, wave: int) -> None:
        """Of bookings of the last month of the history; one in 2,000 people a night."""
        month, rows = self.month_files()[-1], self.size.transactions // self.size.months
        prefix = f"T{month:%Y%m}-"
        step = max(1, rows // max(1, self.size.persons // 2000))
        self._copy(
            night,
            "disputes",
            f"""SELECT {IDENTITY}, 'P{wave}-' || r AS dispute_id, 'transactions' AS feed, '{prefix}' || r AS record_id,
                       'inaccurate' AS kind, DATE '{night}' AS opened_on, NULL AS resolved_on, NULL AS outcome,
                       NULL AS certified_by, '{night}T02:00:00Z' AS revised_at
                FROM (SELECT r, hash('{prefix}', r) % {self.size.persons} AS who FROM range({rows}) t(r)
                      WHERE r % {step} = {wave} AND {wave} > 0)
                JOIN people ON i = who""",
        )

    def month_files(self) -> list[dt.date]:
        """The first days of the history's months, oldest first; the last is the month of the first night."""
        return [months_back(self.first, back) for back in reversed(range(self.size.months))]

    def history(self) -> list[Path]:
        """The first night's delivery; returns its files of bookings."""
        files = []
        for month in self.month_files():
            days = calendar.monthrange(month.year, month.month)[1]
            if month == months_back(self.first, 0):
                days = max(1, (self.first - month).days)
            rows = self.size.transactions // self.size.months
            booked = f"DATE '{month}' + (r * {days} // {rows})::INT"
            name = f"transactions-{month:%Y%m}"
            files.append(self._bookings(self.first, name, rows, booked, f"T{month:%Y%m}-"))
        granted = f"DATE '{self.first}' - (i * 37 % 364 + 1)::INT"
        self._consents("consents", self.first, "true", granted, 0)
        self._records(self.first, 0, "true")
        self._disputes(self.first, 0)
        return files

    def usual(self, night: dt.date) -> list[Path]:
        """A day's delivery; returns its files of bookings."""
        wave = (night - self.first).days
        late = f"CASE WHEN x % 1000 < {LATE_SHARE * 1000:.0f} THEN 20 + x % 60 ELSE 1 END"
        booked = f"DATE '{night}' - ({late})::INT"
        files = [self._bookings(night, "transactions", self.size.a_day, booked, f"N{wave}-")]
        # half of those whose consents end tonight have consented again
        self._consents(
            "consents", night, f"i * 37 % 364 + 1 = 365 - {wave} AND i % 2 = 0", f"DATE '{night}'", wave
        )
        self._records(night, wave, f"i % 1000 < 2 * {wave} AND i % 1000 >= 2 * ({wave} - 1)")
        self._disputes(night, wave)
        return files
