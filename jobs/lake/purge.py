"""Rows that leave nightly tables for good: a version without them, and later the files that held them.

The log names nights and files alone, never a condition on a person.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from jobs.lake import parquet_files, spark_tables
from jobs.lake.ask import ask
from jobs.lake.contents import Content, content
from jobs.lake.lake import Lake
from schemas.contract import contracts

MANIFESTS = "landing/_manifests"
MARK = f"{MANIFESTS}/_purged"  # the last night of which nothing is left in landing


def nights(lake: Lake, table: str, version: int) -> list[dt.date]:
    """The nights that a version of a nightly table has rows of, oldest first."""
    data = parquet_files.rows(lake, table, version)
    found = ask("SELECT DISTINCT night FROM data ORDER BY night", {"data": data})
    return list(found.column("night").to_pylist())


def undo(lake: Lake, table: str, version: int) -> None:
    """Takes back what an abandoned night did to a table after a version; nothing where it did nothing."""
    if lake.version(table) != version:
        DeltaTable(lake.url(table)).restore(version)


def _replace(lake: Lake, table: str, days: Sequence[dt.date], files: list[AddAction]) -> int:
    """A version in which ``files`` stand in place of everything of some nights."""
    known = DeltaTable(lake.url(table))
    known.create_write_transaction(
        [*files],
        "overwrite",
        known.schema(),
        partition_by=["night"],
        partition_filters=[("night", "in", [d.isoformat() for d in days])],
    )
    return int(DeltaTable(lake.url(table)).version())


def drop_nights(lake: Lake, table: str, days: Sequence[dt.date]) -> int:
    """A version without the rows of some nights."""
    return _replace(lake, table, days, [])


def drop_people(
    lake: Lake, table: str, version: int, kept: pa.Table, through: dt.date
) -> tuple[int, Content] | None:
    """A version without the rows of nights ``through`` a day of people who are not in ``kept``, and what they were.

    None where there are none. ``version`` is the newest; the partitions that held such a row are written again.
    """
    data = parquet_files.rows(lake, table, version)
    old = f"night <= DATE '{through.isoformat()}'"
    gone = ask(
        f"SELECT DISTINCT person_id FROM data ANTI JOIN kept USING (person_id) WHERE {old}",
        {"data": data, "kept": kept},
    )
    if not gone.num_rows:
        return None
    held = ask(
        f"SELECT DISTINCT night FROM data SEMI JOIN gone USING (person_id) WHERE {old}",
        {"data": data, "gone": gone},
    )
    days = sorted(held.column("night").to_pylist())
    whole = lake.dataset(table, version)
    files, names = [], whole.schema.names
    inside = ", ".join(f'"{n}"' for n in names if n != "night")
    for day in days:
        place = f"night={day.isoformat()}/{secrets.token_hex(8)}-kept.parquet"
        path = f"{lake.path}/{table}/{place}"
        mine = whole.filter(pc.field("night") == pa.scalar(day))
        sql = f"SELECT {inside} FROM data ANTI JOIN gone USING (person_id)"
        if rows := lake.store(sql, {"data": mine, "gone": gone}, path):
            files.append(spark_tables.added(lake.fs, path, place, rows, {"night": day.isoformat()}))
        else:
            lake.fs.rm(path)
    left = whole.filter(pc.field("night").isin(pa.array(days, pa.date32())))
    return _replace(lake, table, days, files), content(left, names, gone)


def sweep(lake: Lake, table: str) -> None:
    """Removes the files that the newest version does not name."""
    DeltaTable(lake.url(table)).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)


def sweep_landing(lake: Lake, through: dt.date) -> int:
    """Removes what nights through a day have landed; the manifests stay, and name no file any more. Returns files."""
    mark = f"{lake.path}/{MARK}"
    done = lake.fs.cat_file(mark).decode() if lake.fs.exists(mark) else ""
    folder = f"{lake.path}/{MANIFESTS}"
    found = lake.fs.ls(folder, detail=False, refresh=True) if lake.fs.exists(folder) else []
    due = sorted(n for p in found if done < (n := p.rsplit("/", 1)[-1]) <= through.isoformat())
    removed = 0
    for night in map(dt.date.fromisoformat, due):
        for feed in contracts():
            entries = lake.manifest(night, feed)
            files = [f for e in entries for f in e["landing"]]
            for file in files:
                if lake.fs.exists(f"{lake.path}/{file}"):
                    lake.fs.rm(f"{lake.path}/{file}")
            if files:
                lake.write_manifest(night, feed, [{**e, "landing": []} for e in entries])
            removed += len(files)
    if due:
        lake.write_text(MARK, due[-1])
    return removed
