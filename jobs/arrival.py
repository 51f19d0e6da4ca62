"""One feed's rows of a night on their way through validate: checked, told apart, refused, written.

Every row check is evaluated once, by Spark, which keeps the rows that one refuses: few. All others are read where they
have landed. What is counted (for Great Expectations, for the manifest) is counted in the written files, so that no
count starts Spark again and none can disagree with what was written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.errors import AssentError
from jobs.lake import gx, parquet_files, tallies
from jobs.lake.ask import ask
from jobs.lake.lake import GROUP_ROWS
from jobs.lake.landing import identities
from jobs.lake.night import Night
from jobs.rules import matching, split
from jobs.rules.checks import Check, contract_checks, typed
from schemas.contract import Contract
from schemas.tables import QUARANTINE

PLACE = matching.PLACE
# Of a feed's night, put in order as they are written: what DuckDB's memory holds. Beyond it the order costs more than
# it saves (50 million bookings: 90 s and 7 GB on the disk, for a quarter of the bytes).
SORTED_ROWS = 15_000_000
BATCH_BYTES = 256 << 20  # of what was refused, at once


def with_typed(landing: DataFrame, contract: Contract) -> DataFrame:
    """Landed rows with typed columns ``t_<column>`` beside their own."""
    # as SQL: each Column made in Python is some calls of Java, and these are thousands
    return landing.selectExpr("*", *(f"{typed(c)} AS t_{c.name}" for c in contract.columns))


def checked(landing: DataFrame, contract: Contract, checks: tuple[Check, ...]) -> DataFrame:
    """Landed rows with typed columns ``t_<column>``, ``failed`` (names of checks) and ``reasons`` (sorted codes).

    Both are empty of a good row; what they would be made of is evaluated of no other.
    """
    rows = with_typed(landing, contract)
    good = " AND ".join(f"({c.ok})" for c in checks)
    each = ", ".join(
        f"CASE WHEN NOT coalesce({c.ok}, false) THEN named_struct('name', '{c.name}', 'reason', '{c.reason}') END"
        for c in checks
    )
    rows = rows.selectExpr(
        "*", f"CASE WHEN NOT coalesce({good}, false) THEN array_compact(array({each})) END AS _failed"
    )
    none = "CAST(array() AS ARRAY<STRING>)"
    return rows.selectExpr(
        "*",
        f"CASE WHEN _failed IS NULL THEN {none} ELSE _failed.name END AS failed",
        f"CASE WHEN _failed IS NULL THEN {none} ELSE array_sort(array_distinct(_failed.reason)) END AS reasons",
    ).drop("_failed")


def failing(landing: DataFrame, contract: Contract, checks: tuple[Check, ...]) -> DataFrame:
    """Of :func:`checked` the rows that a check refuses: ``file, row_number, failed, reasons``."""
    # a filter on what is made of the checks would be moved below them, and each of them evaluated twice
    rows = checked(landing, contract, checks).withColumn("_row", F.monotonically_increasing_id())
    return rows.where("_row >= 0 AND size(reasons) > 0").select(*PLACE, "failed", "reasons")


class Feed:
    """One feed of the night: its landed rows, those that a check refuses, and what is refused beside others."""

    def __init__(self, night: Night, contract: Contract, entries: list[dict[str, Any]]) -> None:
        self.night, self.contract, self.name = night, contract, contract.feed
        self.entries = entries
        self.files = [p for e in entries if not e["stopped"] for p in e["landing"]]
        self.checks = contract_checks(contract, night.date, night.policy)
        self.left_out: dict[str, Any] = {}  # of the rows that are kept so far: tables of places
        self.refused: list[DataFrame] = []  # file, row_number, reasons, contested

    @property
    def landed(self) -> Any:
        """The rows as they were delivered, by the contract's landing schema, as DuckDB reads them."""
        return parquet_files.landed(self.night.lake, self.files)

    @property
    def met(self) -> Any:
        """MET_COLUMNS of the identities that the landed rows name."""
        return identities(self.night.lake, self.night.date, self.name)

    def stage(self) -> None:
        """Evaluates the row checks once, keeps what they refuse, and finds the duplicates among the others."""
        lake = self.night.lake
        lake.scratch(f"failed-{self.name}", failing(lake.parquet(self.files), self.contract, self.checks))
        found = lake.scratched(f"failed-{self.name}")
        rows = lake.landed(self.files).count_rows()
        self.counts = tallies.refused(found, rows, [c.name for c in self.checks], gx.PREFIX)
        if found.count_rows():
            self.leave_out("failed", found)
        self.fates = self._fates()

    def leave_out(self, what: str, places: Any) -> None:
        """Leaves rows out of those that are kept."""
        self.left_out[f"{what}_{self.name}"] = places

    def kept(self, tables: dict[str, Any]) -> str:
        """FROM clause of the rows that are kept so far (:func:`split.kept`); adds to ``tables`` what it reads."""
        landed = f"landed_{self.name}"
        tables |= {landed: self.landed, **self.left_out}
        return split.kept(self.contract, landed, self.left_out)

    def rows(self, name: str, where: str, more: dict[str, Any], columns: Sequence[str]) -> DataFrame | None:
        """Those of the kept rows that a condition on the tables ``more`` holds for, evaluated once; None where none is.

        ``columns`` are of the contract, PLACE and ``person_id``.
        """
        tables = dict(more)
        sql = f"SELECT {', '.join(columns)} FROM {self.kept(tables)} r WHERE {where}"
        schema = self.night.lake.empty(self.contract.accepted_ddl()).select(*columns).schema
        return self.night.lake.answer(f"{name}-{self.name}", sql, tables, schema)

    def landed_rows(self, name: str, where: str, more: dict[str, Any]) -> DataFrame | None:
        """Of all that has landed the rows that a condition on the tables ``more`` holds for: landing's columns, then
        their typed values as ``t_<column>``; None where there are none.
        """
        lake, name, tables = self.night.lake, f"{name}-{self.name}", {"landed": self.landed, **more}
        if not lake.keep_scratch(name, f"SELECT * FROM landed WHERE {where}", tables):
            return None
        return with_typed(lake.parquet([f"_scratch/{name}"]), self.contract)

    def _fates(self) -> Any:
        """What became of the rows whose key came twice tonight, or before; None where none did."""
        night, lake, contract = self.night, self.night.lake, self.contract
        history, known = None, dict[str, Any]()
        if night.pinned_before(f"accepted/{self.name}") is not None:
            history = night.among_before(
                f"accepted/{self.name}",
                f"{contract.key} IN (SELECT {contract.key} FROM keys)",
                self.landed,
                contract.names,
                contract.accepted_ddl(),
                f"known-{self.name}",
            )
            known["before"] = lake.scratched(f"known-{self.name}")
        tables = dict(known)
        sql = split.twice(contract, self.kept(tables), bool(known))
        if not lake.keep_scratch(f"twice-{self.name}", sql, tables):
            return None
        version = ", ".join(contract.version)
        twice = {"twice": lake.scratched(f"twice-{self.name}")}
        rows = self.rows("suspects", f"({version}) IN (FROM twice)", twice, [*contract.names, *PLACE])
        if rows is None:
            return None
        told = matching.repeated(rows, history, contract).where("fate IS NOT NULL")
        name = f"fates-{self.name}"
        lake.scratch(name, told.select(*PLACE, "fate", "first_file", "first_row"))
        fates = lake.scratched(name)
        if not fates.count_rows():
            return None
        self.leave_out("fates", fates)
        return fates

    def told_apart(self, tables: dict[str, Any]) -> bool:
        """Whether rows that no check refuses are left out, once all is written; adds to ``tables`` what
        :func:`split.accepted_identities` then reads.
        """
        if self.fates is None and not self.refused:
            return False
        tables[f"landed_{self.name}"] = self.landed
        tables[f"met_{self.name}"] = self.met
        tables[f"outcomes_{self.name}"] = self.night.lake.scratched(f"outcomes-{self.name}")
        return True

    def refuse(self, places: DataFrame, reason: str, contested: Column | None = None) -> None:
        """Refuses rows by file and row number."""
        self.refused.append(
            places.select(
                *PLACE,
                F.array(F.lit(reason)).alias("reasons"),
                (F.lit(False) if contested is None else contested).alias("contested"),
            )
        )

    def _outcomes(self) -> Any:
        """``file, row_number, reasons, contested`` of every row that is not accepted (a copy has no reason); None
        where all are.
        """
        lake, name = self.night.lake, f"outcomes-{self.name}"
        tables = {"failed": lake.scratched(f"failed-{self.name}")}
        if self.fates is not None:
            tables["fates"] = self.fates
        if self.refused:
            lake.scratch(f"refused-{self.name}", reduce(DataFrame.unionByName, self.refused))
            tables["refused"] = lake.scratched(f"refused-{self.name}")
        return lake.scratched(name) if lake.keep_scratch(name, split.outcomes(set(tables)), tables) else None

    def write(self) -> list[dict[str, Any]]:
        """Writes accepted and quarantine and returns one DELIVERIES row a file."""
        outcomes = self._outcomes()
        tables, left_out, duplicates = {"landed": self.landed}, 0, dict[str, int]()
        if outcomes is not None:
            tables["outcomes"] = outcomes
            left_out = outcomes.count_rows()
            duplicates = tallies.by_file(outcomes, split.IS_COPY)
        refused = left_out - sum(duplicates.values())
        kept = self.counts["rows"] - left_out
        return _conserved(
            self,
            self._written(
                "accepted",
                split.accepted(self.contract, outcomes is not None, kept <= SORTED_ROWS),
                tables,
                self.contract.accepted_schema(),
                kept,
            ),
            self._written(
                "quarantine",
                split.refused(self.contract),
                {"landed": self.landed, "outcomes": outcomes},
                QUARANTINE.arrow(),
                refused,
            ),
            duplicates,
        )

    def _written(
        self, zone: str, sql: str, tables: dict[str, Any], schema: pa.Schema, rows: int
    ) -> dict[str, int]:
        """Writes a nightly table that gains some rows tonight; returns how many each file has in it."""
        night, table = self.night, f"{zone}/{self.name}"
        if rows == 0:
            night.write_arrow(table, schema.empty_table(), nightly=True)
            return {}
        pin = night.write_answer(table, sql, tables, schema, _at_once(sql, tables, schema))
        return tallies.by_file(night.lake.dataset(table, pin["version"]), night=night.date)


def _at_once(sql: str, tables: dict[str, Any], schema: pa.Schema) -> int:
    """How many rows may be in memory: refused ones can be long, and a batch of Arrow has at most 2 GB of text."""
    if "verbatim" not in schema.names:
        return GROUP_ROWS
    longest = ask(f"SELECT max(strlen(verbatim)) AS bytes FROM ({sql})", tables).column("bytes")[0].as_py()
    return max(1, min(GROUP_ROWS, BATCH_BYTES // max(longest or 0, 1)))


def _conserved(
    feed: Feed, accepted: dict[str, int], quarantined: dict[str, int], duplicates: dict[str, int]
) -> list[dict[str, Any]]:
    """One DELIVERIES row a file; AssentError when a row of it is neither accepted, quarantined nor a duplicate."""
    rows = []
    for e in feed.entries:
        a, q, d = (0 if e["stopped"] else n.get(e["file"], 0) for n in (accepted, quarantined, duplicates))
        if not e["stopped"] and e["rows"] != a + q + d:
            raise AssentError(
                f"{feed.name}: conservation broken, {e['rows']} rows in, {a} accepted, {q} quarantined, "
                f"{d} duplicates; nothing is published, report it"
            )
        rows.append(delivery_row(e, feed.night.date, a, q, d))
    return rows


def delivery_row(
    entry: dict[str, Any], night: dt.date, accepted: int = 0, quarantined: int = 0, duplicates: int = 0
) -> dict[str, Any]:
    """A row of DELIVERIES from a manifest's entry."""
    return {
        "night": night,
        "feed": entry["feed"],
        "file": entry["file"],
        "delivered_on": dt.date.fromisoformat(entry["delivered_on"]),
        "rows": entry["rows"],
        "accepted": accepted,
        "quarantined": quarantined,
        "duplicates": duplicates,
        "bytes": entry["bytes"],
        "sha256": entry["sha256"],
        "stopped": entry["stopped"],
        "attested_by": entry.get("attested_by"),
    }
