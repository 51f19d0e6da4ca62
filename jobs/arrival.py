"""One feed's rows of a night on their way through validate: checked, told apart, refused, written.

Every row check is evaluated once, into a scratch table. What is counted (for Great Expectations, for the manifest) is
counted in the written files, so that no count starts Spark again and none can disagree with what was written.
"""

from __future__ import annotations

import datetime as dt
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.errors import AssentError
from jobs.lake import gx, tallies
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
NOT_AGAIN = ("row_error", "raw", "id_valid", "birth_comparable", "name_comparable")


def checked(landing: DataFrame, contract: Contract, checks: tuple[Check, ...]) -> DataFrame:
    """Landed rows with typed columns ``t_<column>``, ``failed`` (names of checks) and ``reasons`` (sorted codes).

    Both are empty of a good row; what they would be made of is evaluated of no other.
    """
    # as SQL: each Column made in Python is some calls of Java, and these are thousands
    rows = landing.selectExpr("*", *(f"{typed(c)} AS t_{c.name}" for c in contract.columns))
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


def _hash(contract: Contract) -> str:
    """SQL of ``content_hash``: of the typed contract columns."""
    # a marker a column keeps a null apart from a neighbour's value
    cells = ", ".join(f"CAST(t_{c.name} IS NULL AS INT), t_{c.name}" for c in contract.columns)
    return f"xxhash64({cells}) AS content_hash"


def good_rows(rows: DataFrame, contract: Contract) -> DataFrame:
    """Rows without a reason: typed contract columns, ``person_id``, ``identity``, ``content_hash`` and the place."""
    values = (f"t_{c.name} AS {c.name}" for c in contract.columns)
    return rows.where("size(reasons) = 0").selectExpr(
        *values, "person_id", "identity", "content_hash", *PLACE
    )


class Feed:
    """One feed of the night: its files, its checked rows in scratch, and what is refused beside others."""

    def __init__(self, night: Night, contract: Contract, entries: list[dict[str, Any]]) -> None:
        self.night, self.contract, self.name = night, contract, contract.feed
        self.entries = entries
        self.files = [p for e in entries if not e["stopped"] for p in e["landing"]]
        self.checks = contract_checks(contract, night.date, night.policy)
        self.refused: list[DataFrame] = []  # file, row_number, reasons, contested

    def stage(self) -> None:
        """Evaluates the row checks and the duplicates once."""
        lake = self.night.lake
        landed = lake.parquet(self.files)
        rows = checked(landed, self.contract, self.checks).selectExpr("*", _hash(self.contract))
        # what is verbatim stands in landing already
        self.rows = lake.scratch(f"checked-{self.name}", rows.drop(*self.contract.names, *NOT_AGAIN))
        self.staged = lake.scratched(f"checked-{self.name}")
        self.counts = tallies.refused(self.staged, [c.name for c in self.checks], gx.PREFIX)
        self.good = good_rows(self.rows, self.contract)
        self.fates = self._fates()
        self.kept = (
            self.good.join(self.fates.select(*PLACE), PLACE, "left_anti")
            if self.fates is not None
            else self.good
        )

    def _fates(self) -> DataFrame | None:
        """What became of the rows whose key came twice tonight, or before; None where none did."""
        night, key, append = self.night, self.contract.key, self.contract.mode == "append"
        version = [key] if append else [key, "revised_at"]
        twice = (
            f"SELECT {', '.join(f't_{c} AS {c}' for c in version)} FROM data WHERE len(reasons) = 0 "
            "GROUP BY ALL HAVING count(*) > 1"
        )
        tables, history = {"data": self.staged}, None
        if night.pinned_before(f"accepted/{self.name}") is not None:
            history = night.among_before(
                f"accepted/{self.name}",
                f"{key} IN (SELECT t_{key} FROM keys)",
                self.staged,
                [*version, "content_hash"],
                self.contract.accepted_ddl(),
                f"known-{self.name}",
            )
            twice += f" UNION SELECT {', '.join(version)} FROM known"
            tables["known"] = night.lake.scratched(f"known-{self.name}")
        suspects = night.lake.answer(
            f"suspects-{self.name}", twice, tables, self.good.select(*version).schema
        )
        if suspects is None:
            return None
        rows = self.good.join(suspects, version, "left_semi")
        told = matching.repeated(rows, history, self.contract).where("fate IS NOT NULL")
        fates = night.lake.scratch(
            f"fates-{self.name}", told.select(*PLACE, "fate", "first_file", "first_row")
        )
        return fates if night.lake.scratched(f"fates-{self.name}").count_rows() else None

    def kept_rows(self, tables: dict[str, Any]) -> str:
        """As SQL, in ``checked``'s columns, the rows that were ``kept`` at first; adds what it reads to ``tables``."""
        name, fates = f"checked_{self.name}", None
        tables[name] = self.staged
        if self.fates is not None:
            fates = f"fates_{self.name}"
            tables[fates] = self.night.lake.scratched(f"fates-{self.name}")
        return split.kept(name, fates)

    def told_apart(self, tables: dict[str, Any]) -> bool:
        """Whether rows that no check refuses are left out, once all is written; adds to ``tables`` what
        :func:`split.accepted_identities` then reads.
        """
        if self.fates is None and not self.refused:
            return False
        tables[f"checked_{self.name}"] = self.staged
        tables[f"met_{self.name}"] = self.met
        tables[f"outcomes_{self.name}"] = self.night.lake.scratched(f"outcomes-{self.name}")
        return True

    @property
    def met(self) -> Any:
        """MET_COLUMNS of the identities that the landed rows name."""
        return identities(self.night.lake, self.night.date, self.name)

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
        tables = {"checked": self.staged}
        if self.fates is not None:
            tables["fates"] = lake.scratched(f"fates-{self.name}")
        if self.refused:
            lake.scratch(f"refused-{self.name}", reduce(DataFrame.unionByName, self.refused))
            tables["refused"] = lake.scratched(f"refused-{self.name}")
        failed = any(self.counts[f"{gx.PREFIX}{c.name}"] for c in self.checks)
        if len(tables) == 1 and not failed:
            return None
        return lake.scratched(name) if lake.keep_scratch(name, split.outcomes(set(tables)), tables) else None

    def write(self) -> list[dict[str, Any]]:
        """Writes accepted and quarantine and returns one DELIVERIES row a file."""
        outcomes = self._outcomes()
        tables, left_out, duplicates = {"checked": self.staged}, 0, dict[str, int]()
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
                {"landed": self.night.lake.landed(self.files), "outcomes": outcomes},
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
