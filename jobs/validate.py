"""validate: typed rows that every check passes, and the rest in quarantine with coded reasons.

The row checks are evaluated once, and the rows that one refuses kept in a scratch table; from it Great Expectations
gets its counts and the rows are split, so the two cannot disagree. Then what needs other rows: duplicates, identities,
disputes, consents, erasures.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import retention
from jobs.arrival import Feed, delivery_row
from jobs.identities import grow_vault
from jobs.lake import gx, tallies
from jobs.lake.ask import NO_KEYS, ask
from jobs.lake.landing import forget_identities, remove
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.rules import matching, split
from jobs.side_by_side import side_by_side
from schemas.contract import contracts
from schemas.tables import DELIVERIES, VAULT

OWN_CHANNEL = frozenset({"consents", "disputes"})


def _reported(made: Any, feed: Feed, folder: Path) -> dict[str, Any]:
    """Great Expectations' word on a feed: says how many checks failed, and returns the critical ones with counts."""
    night, name = feed.night, feed.contract.feed
    said = gx.report(made, night.date.isoformat(), feed.contract, feed.checks, feed.counts, folder)
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
    forget_identities(night.lake, night.date, name)
    entries = [e if e["stopped"] else {**e, **told} for e in feed.entries]
    night.lake.write_manifest(night.date, name, entries)
    return entries


def _identities(feeds: list[Feed], night: Night) -> int:
    """Refuses rows whose identity disagrees; returns how many people are called by two given names.

    Spark sees the people alone of whom more than one identity is known: of others nothing can disagree.
    """
    if not feeds:
        return 0
    lake, tables = night.lake, dict[str, Any]()
    rows = {feed.name: feed.kept(tables) for feed in feeds}
    tables |= {f"met_{feed.name}": feed.met for feed in feeds}
    lake.keep_scratch("identities", split.identities(rows, OWN_CHANNEL), tables)
    found = {"found": lake.scratched("identities")}
    columns = ["person_id", "birth_mac", "name_macs"]
    known = night.among_before(
        "vault",
        "person_id IN (SELECT person_id FROM keys)",
        found["found"],
        columns,
        VAULT.ddl(),
        "known-people",
    )
    met = night.pinned_before("vault") is not None
    found["vault"] = lake.scratched("known-people") if met else VAULT.arrow().empty_table()
    own = known.selectExpr(*columns, "false AS own").schema
    suspected = lake.answer("suspected-people", split.SUSPECTED, found, own)
    if suspected is not None:
        lake.scratch("conflicts", matching.conflicting(suspected, known))
        found["conflicts"] = lake.scratched("conflicts")
        places = lake.empty("file STRING, row_number BIGINT, contested BOOLEAN").schema
        for feed in feeds:
            sql, name = split.conflicting(feed.name, rows[feed.name]), f"conflicting-{feed.name}"
            refused = lake.answer(name, sql, found | tables, places)
            if refused is not None:
                feed.refuse(refused, "identity_conflict", F.col("contested"))
                feed.leave_out("conflicting", lake.scratched(name))
    return int(ask(split.OTHER_GIVEN_NAMES, found).column("people")[0].as_py())


def _disputes(feeds: dict[str, Feed], night: Night) -> None:
    """Refuses disputes of another person's record."""
    if "disputes" not in feeds:
        return
    own = feeds["disputes"]
    disputes = own.rows("kept", "true", {}, ["feed", "record_id", "person_id", *matching.PLACE])
    if disputes is None:
        return
    kept = night.lake.scratched("kept-disputes")
    named = tallies.values(kept, "feed")
    for name, contract in contracts().items():
        if name == "disputes" or name not in named:
            continue
        columns = [contract.key, "person_id"]
        disputed = f"{contract.key} IN (SELECT record_id FROM keys WHERE feed = '{name}')"
        records = night.among_before(
            f"accepted/{name}", disputed, kept, columns, contract.accepted_ddl(), f"disputed-{name}"
        )
        tonight = (
            feeds[name].rows("disputed-tonight", disputed, {"keys": kept}, columns) if name in feeds else None
        )
        if tonight is not None:
            records = records.unionByName(tonight)
        own.refuse(matching.disputes_of_others(disputes, records, contract), "identity_conflict")


def _consents(feeds: dict[str, Feed], night: Night) -> None:
    """Refuses consents rewritten, receipts reused, and rows of erased people."""
    table, contract = "accepted/consents", contracts()["consents"]

    def before(where: str, keys: Any, columns: list[str], name: str) -> DataFrame:
        return night.among_before(table, where, keys, columns, contract.accepted_ddl(), name)

    columns = [*contract.names, "person_id", *matching.PLACE]
    tonight = None
    if "consents" in feeds:
        own, known = feeds["consents"], night.pinned_before(table) is not None

        def suspected(name: str, sql: Callable[[str], str], column: str, told: str) -> DataFrame | None:
            """The rows with a value of a column that ``sql`` answers with, of those kept and what came ``before``."""
            stored = night.lake.scratched(told) if known else contract.accepted_schema().empty_table()
            tables = {"before": stored}
            again = sql(own.kept(tables))
            return own.rows(name, f"{column} IN ({again})", tables, columns)

        same_id = "consent_id IN (SELECT consent_id FROM keys)"
        said = before(same_id, own.landed, matching.SAID, "said-before")
        again = suspected("consents-again", split.consents_again, "consent_id", "said-before")
        if again is not None:
            own.refuse(matching.rewritten(again, said), "consent_rewritten")
        owners = before(
            split.SAME_RECEIPT, own.landed, ["kind", "person_id", "receipt_sha256"], "receipts-before"
        )
        shared = suspected("receipts-again", split.receipts_again, "receipt_sha256", "receipts-before")
        if shared is not None:
            own.refuse(matching.receipts_reused(shared, owners), "receipt_reused")
    version = night.pinned_before(table)
    if version is None or not tallies.holds(night.lake.dataset(table, version), "kind", "erasure"):
        return
    of_erased = before(
        "person_id IN (SELECT person_id FROM data WHERE kind = 'erasure')",
        NO_KEYS,
        ["kind", "person_id", "granted_on", "receipt_sha256"],
        "erased-before",
    )
    gone = {"gone": night.lake.scratched("erased-before")}
    if "consents" in feeds:
        where = "kind = 'consent' AND person_id IN (SELECT person_id FROM gone)"
        tonight = feeds["consents"].rows("again", where, gone, columns)
    if tonight is None:
        tonight = night.lake.empty(contract.accepted_ddl())
    erased = night.lake.scratch("erased", matching.erased_people(of_erased, tonight))
    gone = {"gone": night.lake.scratched("erased")}
    for name, feed in feeds.items():
        # every row whose person can be told, bad ones too: their values are not kept either
        found = feed.landed_rows("of-erased", "person_id IN (SELECT person_id FROM gone)", gone)
        if found is not None:
            feed.refuse(matching.of_erased(found, erased, name), "erased")


def _tell_manifests(night: Night, deliveries: list[dict[str, Any]]) -> None:
    """Writes into each feed's manifest what became of the rows of each file (DESIGN 3, "Row conservation")."""
    counts = {r["file"]: {k: r[k] for k in ("accepted", "quarantined", "duplicates")} for r in deliveries}
    for name in contracts():
        if entries := night.lake.manifest(night.date, name):
            night.lake.write_manifest(night.date, name, [{**e, **counts[e["file"]]} for e in entries])


def run(night: Night) -> dict[str, int]:
    """Validates every feed that delivered tonight; returns its accepted, quarantined and duplicate rows, and the new
    rows of the ``vault``.
    """
    feeds: dict[str, Feed] = {}
    deliveries: list[dict[str, Any]] = []
    retention.begin(night)
    for name, contract in contracts().items():
        entries = night.lake.manifest(night.date, name)
        feed = Feed(night, contract, entries)
        if feed.files:
            feeds[name] = feed
        else:
            deliveries += [delivery_row(e, night.date) for e in entries]
    folder = out_folder(night.lake.root) / "validation" / night.date.isoformat()
    # Great Expectations takes seconds to be loaded, and as many for its pages, while Spark works
    with ThreadPoolExecutor(1) as aside:
        context = aside.submit(gx.context, folder) if feeds else None
        side_by_side(Feed.stage, feeds.values())
        made = context.result() if context else None
        for name in list(feeds):
            if faults := _reported(made, feeds[name], folder):
                stopped = _stop(feeds.pop(name), faults)
                deliveries += [delivery_row(e, night.date) for e in stopped]
        pages = aside.submit(made.build_data_docs) if made else None
        two_names = _identities(list(feeds.values()), night)
        if two_names:
            night.say(
                f"identity: {two_names} people are called by given names that differ (no reason, a warning)"
            )
        _disputes(feeds, night)
        _consents(feeds, night)
        for rows in side_by_side(Feed.write, feeds.values()):
            deliveries += rows
        met = grow_vault(night, list(feeds.values()))
        if pages:
            pages.result()
    _tell_manifests(night, deliveries)
    table = pa.Table.from_pylist(sorted(deliveries, key=lambda r: str(r["file"])), schema=DELIVERIES.arrow())
    night.write_arrow("deliveries", table, nightly=True)
    night.lake.clear_scratch()
    purged = {k: n for k, n in retention.run(night).items() if n}
    counts = {k: sum(r[k] for r in deliveries) for k in ("accepted", "quarantined", "duplicates")}
    return counts | ({"vault": met} if met else {}) | purged
