"""One feed's rows of a night on their way through validate: checked, told apart, refused, written.

Every row check is evaluated once, into a scratch table. What is counted (for Great Expectations, for the manifest) is
counted in the written files, so that no count starts Spark again and none can disagree with what was written.
"""

from __future__ import annotations

import datetime as dt
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.errors import AssentError
from jobs.lake import gx, tallies
from jobs.lake.night import Night
from jobs.rules import matching
from jobs.rules.checks import Check, contract_checks, typed
from schemas.contract import ACCEPTED_COLUMNS, Contract
from schemas.tables import QUARANTINE

PLACE = matching.PLACE
NOT_AGAIN = ("row_error", "raw", "id_valid", "receipt_mac")


def checked(landing: DataFrame, contract: Contract, checks: tuple[Check, ...]) -> DataFrame:
    """Landed rows with typed columns ``t_<column>``, ``ok_<check>`` and ``reasons`` (sorted codes, empty if good)."""
    # as SQL: each Column made in Python is some calls of Java, and these are thousands
    rows = landing.selectExpr("*", *(f"{typed(c)} AS t_{c.name}" for c in contract.columns))
    rows = rows.selectExpr("*", *(f"coalesce({c.ok}, false) AS ok_{c.name}" for c in checks))
    failed = ", ".join(f"CASE WHEN NOT ok_{c.name} THEN '{c.reason}' END" for c in checks)
    return rows.selectExpr("*", f"array_sort(array_distinct(array_compact(array({failed})))) AS reasons")


def good_rows(rows: DataFrame, contract: Contract) -> DataFrame:
    """Rows without a reason: typed contract columns, the surrogates and ``content_hash``."""
    values = (f"t_{c.name} AS {c.name}" for c in contract.columns)
    # a marker a column keeps a null apart from a neighbour's value
    cells = ", ".join(f"CAST(t_{c.name} IS NULL AS INT), t_{c.name}" for c in contract.columns)
    return rows.where("size(reasons) = 0").selectExpr(
        *values,
        "person_id",
        "id_mac",
        "birth_mac",
        "name_macs",
        "given_macs",
        f"xxhash64({cells}) AS content_hash",
        *PLACE,
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
        self.landed = lake.parquet(self.files)
        rows = checked(self.landed, self.contract, self.checks)
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

    def refuse(self, places: DataFrame, reason: str, contested: Column | None = None) -> None:
        """Refuses rows by file and row number."""
        self.refused.append(
            places.select(
                *PLACE,
                F.array(F.lit(reason)).alias("reasons"),
                (F.lit(False) if contested is None else contested).alias("contested"),
            )
        )

    def outcomes(self) -> DataFrame:
        """``file, row_number, reasons, contested, duplicate`` of every row that is not accepted."""
        no = F.lit(False).alias("contested")
        found = self.rows.where("size(reasons) > 0").select(*PLACE, "reasons", no)
        if self.fates is not None:
            copies = self.fates.where("fate = 'duplicate'")
            twice = self.fates.where("fate <> 'duplicate'").select(
                *PLACE, F.array("fate").alias("reasons"), no
            )
            none = F.array().cast("array<string>").alias("reasons")
            found = found.unionByName(twice).unionByName(copies.select(*PLACE, none, no))
        if self.refused:
            more = reduce(DataFrame.unionByName, self.refused)
            found = found.unionByName(more)
            if self.fates is not None:
                # a copy of a row that is refused ends as that row
                originals = more.withColumnsRenamed({"file": "first_file", "row_number": "first_row"})
                same = copies.select(*PLACE, "first_file", "first_row").join(
                    originals, ["first_file", "first_row"]
                )
                found = found.unionByName(same.select(*more.columns))
            every = F.array_sort(F.array_distinct(F.flatten(F.collect_list("reasons"))))
            found = found.groupBy(*PLACE).agg(
                every.alias("reasons"), F.bool_or("contested").alias("contested")
            )
        return found.withColumn("duplicate", F.size("reasons") == 0)

    def write(self) -> list[dict[str, Any]]:
        """Writes accepted and quarantine and returns one DELIVERIES row a file.

        No join is told to broadcast: where a whole delivery is refused, its places are as many as its rows.
        """
        night, contract = self.night, self.contract
        left_out, duplicates = 0, dict[str, int]()
        if (
            self.fates is not None
            or self.refused
            or any(self.counts[f"{gx.PREFIX}{c.name}"] for c in self.checks)
        ):
            outcomes = night.lake.scratch(f"outcomes-{self.name}", self.outcomes())
            told = night.lake.scratched(f"outcomes-{self.name}")
            duplicates = tallies.by_file(told, "duplicate")
            left_out = told.count_rows()
        else:
            outcomes = self.outcomes()
        accepted = self.good
        if left_out:
            accepted = accepted.join(outcomes.select(*PLACE), PLACE, "left_anti")
        accepted = accepted.withColumn("night", F.lit(night.date))
        accepted = accepted.select(*contract.names, *ACCEPTED_COLUMNS)
        refused = left_out - sum(duplicates.values())
        return _conserved(
            self,
            self._written("accepted", accepted, self.counts["rows"] - left_out),
            self._written(
                "quarantine",
                self._quarantine(outcomes) if refused else night.lake.empty(QUARANTINE.ddl()),
                refused,
            ),
            duplicates,
        )

    def _written(self, zone: str, frame: DataFrame, rows: int) -> dict[str, int]:
        """Writes a nightly table that gains some rows tonight; returns how many each file has in it."""
        night, table = self.night, f"{zone}/{self.name}"
        if rows == 0 and night.pin_nothing(table) is not None:
            return {}
        pin = night.write(table, frame, nightly=True)
        return tallies.by_file(night.lake.dataset(table, pin["version"]), night=night.date)

    def _quarantine(self, outcomes: DataFrame) -> DataFrame:
        contract = self.contract
        refused = outcomes.where("NOT duplicate")
        names = ", ".join(contract.names)
        cells = F.expr(f"to_json(struct({names}))")
        # what could be read of the row says which person and which kind of declaration it may be (RULES, "Doubt")
        unreadable = F.expr(f"to_json(struct({names}, raw))")
        kept = ~F.array_contains("reasons", "erased")
        return (
            self.landed.join(refused, PLACE)
            .select(
                F.lit(self.night.date).alias("night"),
                F.lit(self.name).alias("feed"),
                *PLACE,
                "reasons",
                "person_id",
                F.when(kept, F.col(contract.key)).alias("record_key"),
                "contested",
                # of an erased person nothing is kept again
                F.when(kept, F.when(F.col("row_error").isNull(), cells).otherwise(unreadable)).alias(
                    "verbatim"
                ),
            )
            .select(*QUARANTINE.names)
        )


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
