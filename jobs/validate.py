"""validate: typed rows that every check passes, and the rest in quarantine with coded reasons.

The row checks are evaluated once into a scratch table; from it Great Expectations gets its counts and the rows are
split, so the two cannot disagree. Then what needs other rows: duplicates, identities, disputes, consents, erasures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.errors import AssentError
from jobs.lake import gx
from jobs.lake.landing import remove
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.rules import matching
from jobs.rules.checks import Check, contract_checks, typed
from schemas.contract import ACCEPTED_COLUMNS, Contract, contracts
from schemas.tables import DELIVERIES, QUARANTINE, VAULT

OWN_CHANNEL = ("consents", "disputes")
PLACE = matching.PLACE
Result = TypeVar("Result")


def checked(landing: DataFrame, contract: Contract, checks: tuple[Check, ...]) -> DataFrame:
    """Landed rows with typed columns ``t_<column>``, ``ok_<check>`` and ``reasons`` (sorted codes, empty if good)."""
    rows = landing.withColumns({f"t_{c.name}": F.expr(typed(c)) for c in contract.columns})
    rows = rows.withColumns({f"ok_{c.name}": F.expr(f"coalesce({c.ok}, false)") for c in checks})
    failed = [F.when(~F.col(f"ok_{c.name}"), F.lit(c.reason)) for c in checks]
    return rows.withColumn("reasons", F.array_sort(F.array_distinct(F.array_compact(F.array(*failed)))))


def good_rows(rows: DataFrame, contract: Contract) -> DataFrame:
    """Rows without a reason: typed contract columns, the surrogates and ``content_hash``."""
    values = [F.col(f"t_{c.name}").alias(c.name) for c in contract.columns]
    # a marker a column keeps a null apart from a neighbour's value
    cells = [
        x for c in contract.columns for x in (F.col(f"t_{c.name}").isNull().cast("int"), F.col(f"t_{c.name}"))
    ]
    return rows.where("size(reasons) = 0").select(
        *values,
        "person_id",
        "id_mac",
        "birth_mac",
        "name_macs",
        "given_macs",
        F.xxhash64(*cells).alias("content_hash"),
        *PLACE,
    )


def refused_counts(rows: DataFrame, checks: tuple[Check, ...]) -> DataFrame:
    """One row: ``rows``, and how many fail each check."""
    sums = [
        F.coalesce(F.sum((~F.col(f"ok_{c.name}")).cast("bigint")), F.lit(0)).alias(gx.refused_column(c))
        for c in checks
    ]
    return rows.agg(F.count("*").alias("rows"), *sums)


class Feed:
    """One feed of the night on its way: its files, its checked rows in scratch, and what is refused beside others."""

    def __init__(self, night: Night, contract: Contract, entries: list[dict[str, Any]]) -> None:
        self.night, self.contract = night, contract
        self.entries = entries
        self.files = [p for e in entries if not e["stopped"] for p in e["landing"]]
        self.checks = contract_checks(contract, night.date, night.policy)
        self.refused: list[DataFrame] = []  # file, row_number, reasons, contested
        self.history = (
            None
            if night.pinned_before(f"accepted/{contract.feed}") is None
            else night.frame_before(f"accepted/{contract.feed}", contract.accepted_ddl())
        )

    def stage(self) -> None:
        """Evaluates the row checks and the duplicates once."""
        lake = self.night.lake
        landing = lake.parquet(self.files)
        rows = checked(landing, self.contract, self.checks)
        self.rows = lake.scratch(f"checked-{self.contract.feed}", rows)
        good = good_rows(self.rows, self.contract)
        self.good = lake.scratch(
            f"good-{self.contract.feed}", matching.repeated(good, self.history, self.contract)
        )
        self.kept = self.good.where("fate IS NULL")

    def before(self) -> DataFrame:
        """Rows accepted on earlier nights; empty when there are none."""
        return self.night.frame_before(f"accepted/{self.contract.feed}", self.contract.accepted_ddl())

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
        bad = self.rows.where("size(reasons) > 0").select(*PLACE, "reasons", no)
        copies = self.good.where("fate = 'duplicate'")
        twice = self.good.where("fate <> 'duplicate'").select(*PLACE, F.array("fate").alias("reasons"), no)
        none = F.array().cast("array<string>").alias("reasons")
        found = bad.unionByName(twice).unionByName(copies.select(*PLACE, none, no))
        if self.refused:
            more = self.refused[0]
            for frame in self.refused[1:]:
                more = more.unionByName(frame)
            # a copy of a row that is refused ends as that row
            originals = more.withColumnsRenamed({"file": "first_file", "row_number": "first_row"})
            same = copies.select(*PLACE, "first_file", "first_row").join(
                originals, ["first_file", "first_row"]
            )
            found = found.unionByName(more).unionByName(same.select(*more.columns))
            every = F.array_sort(F.array_distinct(F.flatten(F.collect_list("reasons"))))
            found = found.groupBy(*PLACE).agg(
                every.alias("reasons"), F.bool_or("contested").alias("contested")
            )
        return found.withColumn("duplicate", F.size("reasons") == 0)


def _reported(made: Any, feed: Feed, folder: Path) -> dict[str, Any]:
    """Great Expectations' word on a feed: says how many checks failed, and returns the critical ones with counts."""
    night, name = feed.night, feed.contract.feed
    counts = refused_counts(feed.rows, feed.checks)
    said = gx.report(made, night.date.isoformat(), feed.contract, feed.checks, counts, folder)
    for severity in ("critical", "warning"):
        if failed := said["failed"][severity]:
            night.say(f"{name}: {severity}, {len(failed)} check(s) failed, first {failed[0]}")
    found = {r["check"]: r["count"] for r in said["results"]}
    return {check: found[check] for check in said["failed"]["critical"]}


def _stop(feed: Feed, faults: dict[str, Any]) -> list[dict[str, Any]]:
    """Stops a feed: none of tonight's files is taken, each is tried again. Returns its manifest."""
    night, name = feed.night, feed.contract.feed
    check, count = next(iter(faults.items()))
    told: dict[str, Any] = {
        "rows": None,
        "landing": [],
        "stopped": "critical_check",
        "message": f"critical check {check} failed, count {count}; have the delivery made again",
    }
    remove(night.lake, feed.files)
    entries = [e if e["stopped"] else {**e, **told} for e in feed.entries]
    night.lake.write_manifest(night.date, name, entries)
    return entries


def _identities(feeds: list[Feed], night: Night) -> int:
    """Refuses rows whose identity disagrees; returns how many people are called by two given names."""
    found = None
    named = None
    for feed in feeds:
        own = feed.contract.feed in OWN_CHANNEL
        one = matching.variants(feed.kept, own)
        given = feed.kept.select("person_id", "given_macs").distinct()
        found = one if found is None else found.unionByName(one)
        named = given if named is None else named.unionByName(given)
    if found is None or named is None:
        return 0
    bad = night.lake.scratch(
        "conflicts", matching.conflicting(found, night.frame_before("vault", VAULT.ddl()))
    )
    if bad.limit(1).count():
        for feed in feeds:
            own = feed.contract.feed in OWN_CHANNEL
            mine = bad.where(F.col("own") == own).drop("own").distinct()
            rows = feed.kept.join(mine, ["person_id", "birth_mac", "name_macs"])
            feed.refuse(rows, "identity_conflict", F.col("contested"))
            feed.kept = feed.kept.join(mine, ["person_id", "birth_mac", "name_macs"], "left_anti")
    return matching.other_given_names(named)


def _disputes(feeds: dict[str, Feed], night: Night) -> None:
    """Refuses disputes of another person's record."""
    if "disputes" not in feeds:
        return
    own = feeds["disputes"]
    for name, contract in contracts().items():
        if name == "disputes":
            continue
        records = night.frame_before(f"accepted/{name}", contract.accepted_ddl()).select(
            contract.key, "person_id"
        )
        if name in feeds:
            records = records.unionByName(feeds[name].kept.select(contract.key, "person_id"))
        own.refuse(matching.disputes_of_others(own.kept, records, contract), "identity_conflict")


def _consents(feeds: dict[str, Feed], night: Night) -> None:
    """Refuses consents rewritten, receipts reused, and rows of erased people."""
    contract = contracts()["consents"]
    before = night.frame_before("accepted/consents", contract.accepted_ddl())
    tonight = before.limit(0).select(*contract.names, "person_id")
    if "consents" in feeds:
        own = feeds["consents"]
        own.refuse(matching.rewritten(own.kept, before), "consent_rewritten")
        own.refuse(matching.receipts_reused(own.kept, before), "receipt_reused")
        tonight = own.kept.select(*contract.names, "person_id")
    if before.where("kind = 'erasure'").limit(1).count() == 0:
        return
    erased = night.lake.scratch("erased", matching.erased_people(before, tonight))
    for name, feed in feeds.items():
        # every row whose person can be told, bad ones too: their values are not kept either
        feed.refuse(matching.of_erased(feed.rows, erased, name), "erased")


def _write(feed: Feed) -> list[dict[str, Any]]:
    """Writes accepted and quarantine of a feed and returns one DELIVERIES row a file.

    No join is told to broadcast: where a whole delivery is refused, its places are as many as its rows.
    """
    night, contract, name = feed.night, feed.contract, feed.contract.feed
    outcomes = night.lake.scratch(f"outcomes-{name}", feed.outcomes())
    stamp = F.lit(night.date).alias("night")
    accepted = feed.good.join(outcomes.select(*PLACE), PLACE, "left_anti").withColumn(
        "night", F.lit(night.date)
    )
    night.write(f"accepted/{name}", accepted.select(*contract.names, *ACCEPTED_COLUMNS), nightly=True)
    refused = outcomes.where("NOT duplicate")
    cells = F.to_json(F.struct(*contract.names))
    # what could be read of the row says which person and which kind of declaration it may be (RULES, "Doubt")
    unreadable = F.to_json(F.struct(*contract.names, "raw"))
    kept = ~F.array_contains("reasons", "erased")
    quarantine = (
        feed.rows.drop("reasons")
        .join(refused, PLACE)
        .select(
            stamp,
            F.lit(name).alias("feed"),
            *PLACE,
            "reasons",
            "person_id",
            F.when(kept, F.col(contract.key)).alias("record_key"),
            "contested",
            # of an erased person nothing is kept again
            F.when(kept, F.when(F.col("row_error").isNull(), cells).otherwise(unreadable)).alias("verbatim"),
        )
    )
    night.write(f"quarantine/{name}", quarantine.select(*QUARANTINE.names), nightly=True)
    return _conserved(feed, outcomes, night.date)


def _conserved(feed: Feed, outcomes: DataFrame, night: dt.date) -> list[dict[str, Any]]:
    """One DELIVERIES row a file; AssentError when a row of it is neither accepted, quarantined nor a duplicate."""
    name = feed.contract.feed
    good = feed.good.join(outcomes.select(*PLACE), PLACE, "left_anti")
    accepted = {r["file"]: r["n"] for r in good.groupBy("file").agg(F.count("*").alias("n")).collect()}
    refused = {
        r["file"]: (r["q"], r["d"])
        for r in outcomes.groupBy("file")
        .agg(F.count_if(~F.col("duplicate")).alias("q"), F.count_if("duplicate").alias("d"))
        .collect()
    }
    rows = []
    for e in feed.entries:
        q, d = refused.get(e["file"], (0, 0))
        a = accepted.get(e["file"], 0)
        if e["stopped"]:
            q = d = a = 0
        elif e["rows"] != a + q + d:
            raise AssentError(
                f"{name}: conservation broken, {e['rows']} rows in, {a} accepted, {q} quarantined, {d} duplicates; "
                "nothing is published, report it"
            )
        rows.append(delivery_row(e, night, a, q, d))
    return rows


def _tell_manifests(night: Night, deliveries: list[dict[str, Any]]) -> None:
    """Writes into each feed's manifest what became of the rows of each file (DESIGN 3, "Row conservation")."""
    counts = {r["file"]: {k: r[k] for k in ("accepted", "quarantined", "duplicates")} for r in deliveries}
    for name in contracts():
        if entries := night.lake.manifest(night.date, name):
            night.lake.write_manifest(night.date, name, [{**e, **counts[e["file"]]} for e in entries])


def delivery_row(
    entry: dict[str, Any], night: dt.date, accepted: int, quarantined: int, duplicates: int
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


def side_by_side(step: Callable[[Feed], Result], feeds: Iterable[Feed]) -> list[Result]:
    """A step of every feed, two or more at a time: small feeds wait for the driver, not for the cores."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(step, feeds))


def run(night: Night) -> dict[str, int]:
    """Validates every feed that delivered tonight; returns accepted, quarantined and duplicate rows."""
    feeds: dict[str, Feed] = {}
    deliveries: list[dict[str, Any]] = []
    for name, contract in contracts().items():
        entries = night.lake.manifest(night.date, name)
        feed = Feed(night, contract, entries)
        if feed.files:
            feeds[name] = feed
        else:
            deliveries += [delivery_row(e, night.date, 0, 0, 0) for e in entries]
    side_by_side(Feed.stage, feeds.values())
    folder = out_folder(night.lake.root) / "validation" / night.date.isoformat()
    made = gx.context(folder) if feeds else None
    for name in list(feeds):
        if faults := _reported(made, feeds[name], folder):
            stopped = _stop(feeds.pop(name), faults)
            deliveries += [delivery_row(e, night.date, 0, 0, 0) for e in stopped]
    two_names = _identities(list(feeds.values()), night)
    if two_names:
        night.say(
            f"identity: {two_names} people are called by given names that differ (no reason, a warning)"
        )
    _disputes(feeds, night)
    _consents(feeds, night)
    for rows in side_by_side(_write, feeds.values()):
        deliveries += rows
    if made is not None:
        made.build_data_docs()
    _tell_manifests(night, deliveries)
    table = pa.Table.from_pylist(sorted(deliveries, key=lambda r: str(r["file"])), schema=DELIVERIES.arrow())
    night.write_arrow("deliveries", table, nightly=True)
    night.lake.clear_scratch()
    return {k: sum(r[k] for r in deliveries) for k in ("accepted", "quarantined", "duplicates")}
