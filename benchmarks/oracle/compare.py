"""Holds a night's published ``features`` and ``scores`` against those computed here: counts and column names alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import duckdb

from benchmarks.oracle.night import compute
from benchmarks.oracle.published import Publication

TABLES = ("features", "scores")
KEY = ("person_id", "purpose", "recipient")


@dataclass
class Comparison:
    """One table of one night: how many rows were held against each other, and what differs."""

    night: str
    table: str
    rows: int
    only_published: int = 0
    only_computed: int = 0
    columns: dict[str, int] = field(default_factory=dict)  # rows of both sides that differ in the column
    not_covered: tuple[str, ...] = ()  # columns that one of the two does not know

    @property
    def differences(self) -> int:
        """Everything that is not equal; a column that one side does not know differs in every row."""
        of_columns = sum(self.columns.values()) + len(self.not_covered) * max(self.rows, 1)
        return self.only_published + self.only_computed + of_columns

    def __str__(self) -> str:
        said = [f"{self.rows} rows"]
        said += [f"{n} {what}" for n, what in ((self.only_published, "only published"),) if n]
        said += [f"{n} {what}" for n, what in ((self.only_computed, "only computed"),) if n]
        said += [f"{name}: {n} differ" for name, n in self.columns.items()]
        said += [f"{name}: not on both sides" for name in self.not_covered]
        return f"{self.night} {self.table}: {self.differences} differences ({', '.join(said)})"


def against(con: duckdb.DuckDBPyConnection, published: Publication, table: str) -> Comparison:
    """Holds a published table against the computed one of the same name."""
    con.register("published", published.table(table))
    theirs = [r[0] for r in con.execute("DESCRIBE published").fetchall()]
    ours = [r[0] for r in con.execute(f"DESCRIBE {table}").fetchall()]
    shared = [n for n in theirs if n in ours and n not in KEY]
    key = ", ".join(KEY)
    counts = ", ".join(f"count(*) FILTER (p.{n} IS DISTINCT FROM o.{n} AND p.f AND o.f)" for n in shared)
    row = con.execute(
        f"SELECT count(*) FILTER (p.f AND o.f), count(*) FILTER (o.f IS NULL), count(*) FILTER (p.f IS NULL), {counts} "
        f"FROM (SELECT *, true AS f FROM published) p FULL JOIN (SELECT *, true AS f FROM {table}) o USING ({key})"
    ).fetchall()[0]
    return Comparison(
        night=published.night.isoformat(),
        table=table,
        rows=row[0],
        only_published=row[1],
        only_computed=row[2],
        columns={n: c for n, c in zip(shared, row[3:], strict=True) if c},
        not_covered=tuple(sorted(set(theirs) ^ set(ours))),
    )


def compare(con: duckdb.DuckDBPyConnection, published: Publication) -> tuple[list[Comparison], float]:
    """Computes a published night and compares both tables; with the seconds that computing took."""
    started = time.perf_counter()
    compute(con, published)
    seconds = time.perf_counter() - started
    return [against(con, published, table) for table in TABLES], seconds
