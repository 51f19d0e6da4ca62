"""retention: what the restricted zone no longer keeps leaves with the night (RULES, "Identity"). Part of ``validate``.

Refused rows go after ``quarantine_days``; what they still say for a person stays without an identity (``doubts``).
Bookings and awards go of people without a live consent, ``unconsented_days`` after the last one ended, or after they
came. The night that is published is without them, and then their files go too, with what is older in landing.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake import parquet_files, purge
from jobs.lake.ask import ask
from jobs.lake.night import Night
from jobs.rules.retention import (
    CONSENTED_FEEDS,
    CONSENTED_PEOPLE,
    KEYS_NAMED,
    STILL_COUNT,
    gone_through,
)
from schemas.contract import contracts
from schemas.tables import DOUBTS, QUARANTINE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RETIRED = ("conformed/transactions",)  # tables that nights no longer write


def _tables() -> list[str]:
    return [f"{zone}/{f}" for zone in ("accepted", "quarantine") for f in contracts()]


def begin(night: Night) -> None:
    """Takes back what an abandoned night wrote and purged: a night starts from what the last publication holds.

    Nor does it start from what an earlier run of this step has pinned: files may be others now, or gone.
    """
    for table in ("doubts", "vault", "deliveries", *_tables()):
        night.lake.unpin(night.date, table)
    for table in _tables():
        purge.undo(night.lake, table, night.pinned_before(table))


def _known(night: Night, refused: Any) -> pa.Table:
    """The keys among those that refused rows name which an accepted row of the feed has."""
    named = ask(KEYS_NAMED, {"refused": refused})
    found = []
    for feed, contract in contracts().items():
        mine = named.filter(pc.field("feed") == feed)
        version = night.pinned(f"accepted/{feed}")
        if mine.num_rows and version is not None:
            data = parquet_files.rows(night.lake, f"accepted/{feed}", version)
            sql = f"SELECT feed, key FROM named n WHERE key IN (SELECT {contract.key} FROM data)"
            found.append(ask(sql, {"named": mine, "data": data}))
    return pa.concat_tables(found) if found else named.slice(0, 0)


def _refused(night: Night) -> int:
    """Drops the refused rows that are too old; what still counts of them goes to ``doubts``."""
    through = gone_through(night.date, night.policy.retention["quarantine_days"])
    gone, still = 0, []
    for feed in contracts():
        table = f"quarantine/{feed}"
        if (version := night.pinned(table)) is None:
            continue
        days = [d for d in purge.nights(night.lake, table, version) if d <= through]
        if not days:
            continue
        rows = night.lake.dataset(table, version).filter(pc.field("night").isin(pa.array(days, pa.date32())))
        gone += rows.count_rows()
        tables = {
            "refused": rows,
            "feeds": pa.table({"feed": list(contracts())}),
            "known": _known(night, rows),
        }
        still.append(ask(STILL_COUNT, tables).select(QUARANTINE.names).cast(DOUBTS.arrow()))
        night.purged(table, purge.drop_nights(night.lake, table, days), since=through + dt.timedelta(days=1))
    if sum(t.num_rows for t in still):
        before = night.pinned_before("doubts")
        if before is not None:
            still.append(night.lake.dataset("doubts", before).to_table().cast(DOUBTS.arrow()))
        night.write_arrow("doubts", pa.concat_tables(still))
    return gone


def _unconsented(night: Night) -> int:
    """Drops the rows of people without a live consent."""
    days = night.policy.retention["unconsented_days"]
    consents = night.dataset("accepted/consents")
    kept = pa.table({"person_id": pa.array([], pa.int64())})
    if consents is not None:
        kept = ask(CONSENTED_PEOPLE, {"consents": consents}, night=night.date, days=days)
    through, gone = gone_through(night.date, days), 0
    for feed in CONSENTED_FEEDS:
        table, contract = f"accepted/{feed}", contracts()[feed]
        if (version := night.pinned(table)) is None:
            continue
        key = contract.key if contract.mode == "upsert" else None
        dropped = purge.drop_people(night.lake, table, version, kept, through, key)
        if dropped is not None:
            night.purged(table, *dropped)
            gone += dropped[1].rows
    return gone


def run(night: Night) -> dict[str, int]:
    """After tonight's rows are written; returns how many rows of each kind are gone."""
    return {"purged_refused": _refused(night), "purged_unconsented": _unconsented(night)}


def sweep(night: Night) -> None:
    """After publication: removes the files of what is purged, tonight's and what a killed night left."""
    for table in _tables():
        if night.lake.version(table) is not None:
            purge.sweep(night.lake, table)
    for table in RETIRED:
        purge.remove(night.lake, table)
    purge.sweep_landing(night.lake, gone_through(night.date, night.policy.retention["landing_days"]))


def refused_rows(night: Night, feed: str) -> DataFrame:
    """What was refused of a feed, and what still counts of rows that are gone: QUARANTINE."""
    rows = night.frame(f"quarantine/{feed}", QUARANTINE.ddl())
    if night.pinned("doubts") is None:
        return rows
    doubts = night.frame("doubts").where(f"feed = '{feed}'")
    return rows.unionByName(doubts)


def refused_table(night: Night, feed: str, mine: Any) -> pa.Table:
    """The same without a JVM, of the rows that a filter asks for."""
    found = []
    for table in (f"quarantine/{feed}", "doubts"):
        if (data := night.dataset(table)) is not None:
            rows = data.to_table(filter=mine & (pc.field("feed") == feed))
            found.append(rows.select(QUARANTINE.names).cast(QUARANTINE.arrow()))
    return pa.concat_tables(found) if found else QUARANTINE.arrow().empty_table()
