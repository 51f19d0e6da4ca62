"""Rows that leave nightly tables for good: a version without them, and later the files that held them.

The log names nights and files alone, never a condition on a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from jobs.lake import parquet_files
from jobs.lake.ask import ask, stream
from jobs.lake.contents import Content, content
from jobs.lake.lake import GROUP_ROWS, Lake
from jobs.lake.runs import IDENTITIES, MANIFESTS
from schemas.contract import contracts

MARK = f"{MANIFESTS}/_purged"  # the last night of which nothing is left in landing


def nights(lake: Lake, table: str, version: int) -> list[dt.date]:
    """The nights that a version of a nightly table has rows of, oldest first."""
    data = parquet_files.rows(lake, table, version)
    found = ask("SELECT DISTINCT night FROM data ORDER BY night", {"data": data})
    return list(found.column("night").to_pylist())


def undo(lake: Lake, table: str, version: int | None) -> None:
    """Takes back what abandoned nights did to a table after a version (None: that there was none)."""
    if version is not None:
        if not lake.same(table, version):
            DeltaTable(lake.url(table)).restore(version)
    elif (newest := lake.version(table)) is not None and lake.files(table, newest):
        known = DeltaTable(lake.url(table))
        known.create_write_transaction([], "overwrite", known.schema(), partition_by=["night"])


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


GONE_KEYS = """
SELECT {key}, max(revised_at) AS revised_at FROM data SEMI JOIN gone USING (person_id) WHERE {old} GROUP BY ALL
"""


def drop_people(
    lake: Lake, table: str, version: int, kept: pa.Table, through: dt.date, key: str | None
) -> tuple[int, Content] | None:
    """A version without the rows of nights ``through`` a day of people who are not in ``kept``, and what they were.

    With ``key`` (of an upsert feed) also without what those rows have superseded, whosever it was: no older version of
    a record becomes current because the newer one is gone. None where there is nothing to drop. ``version`` is the
    newest; the partitions that held such a row are written again.
    """
    data = parquet_files.rows(lake, table, version)
    old = f"night <= DATE '{through.isoformat()}'"
    gone = ask(
        f"SELECT DISTINCT person_id FROM data ANTI JOIN kept USING (person_id) WHERE {old}",
        {"data": data, "kept": kept},
    )
    if not gone.num_rows:
        return None
    mine, tables = f"(person_id IN (SELECT person_id FROM gone) AND {old})", {"gone": gone}
    if key is not None:
        tables["keys"] = ask(GONE_KEYS.format(key=key, old=old), {"data": data, "gone": gone})
        mine += f" OR EXISTS (FROM keys k WHERE k.{key} = d.{key} AND d.revised_at < k.revised_at)"
    held = ask(f"SELECT DISTINCT night FROM data d WHERE {mine}", {"data": data, **tables})
    days = sorted(held.column("night").to_pylist())
    whole, files, lost = lake.dataset(table, version), [], Content(0, 0)
    names = whole.schema.names
    inside = ", ".join(f'"{n}"' for n in names if n != "night")
    for day in days:
        before = whole.filter(pc.field("night") == pa.scalar(day))
        sql = f"SELECT {inside} FROM data d WHERE NOT coalesce({mine}, false)"
        with stream(sql, {"data": before, **tables}, GROUP_ROWS) as batches:
            files += lake.store_night(table, batches, day)
        lost = lost.joined(content(before, names, where=mine, more=tables))
    return _replace(lake, table, days, files), lost


def sweep(lake: Lake, table: str) -> None:
    """Removes the files of a table that its newest version does not name, also those that no version ever named."""
    remove(lake, f"{table}/_temporary")  # what Spark had not finished, which vacuum passes over
    known = DeltaTable(lake.url(table))
    if known.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, full=True):
        known.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)


def remove(lake: Lake, folder: str) -> None:
    """Removes a folder of the lake, where there is one."""
    if lake.fs.exists(f"{lake.path}/{folder}"):
        lake.fs.rm(f"{lake.path}/{folder}", recursive=True)


def _names(lake: Lake, folder: str) -> list[str]:
    """What a folder of the lake holds, sorted; nothing where there is no folder."""
    path = f"{lake.path}/{folder}"
    found = lake.fs.ls(path, detail=False, refresh=True) if lake.fs.exists(path) else []
    return sorted(p.rsplit("/", 1)[-1] for p in found)


def sweep_landing(lake: Lake, through: dt.date) -> None:
    """Removes what nights through a day have landed, and whom it named; the manifests stay, and name no file any more.

    A night lands no later delivery, so all of it is among the deliveries through that day: what no manifest of a later
    night names, also what no manifest names at all (a night killed in the middle of extract has left it).
    """
    nights = [n for n in _names(lake, MANIFESTS) if n[0].isdigit()]
    kept: set[str] | None = None
    for feed in contracts():
        for folder in _names(lake, f"landing/{feed}"):
            if folder.removeprefix("delivery=") > through.isoformat():
                continue
            if kept is None:
                later = [dt.date.fromisoformat(n) for n in nights if n > through.isoformat()]
                kept = {
                    f
                    for n in later
                    for name in contracts()
                    for e in lake.manifest(n, name)
                    for f in e["landing"]
                }
            _sweep_delivery(lake, f"landing/{feed}/{folder}", kept)
    for day in _names(lake, IDENTITIES):
        if day <= through.isoformat():
            remove(lake, f"{IDENTITIES}/{day}")
    mark = f"{lake.path}/{MARK}"
    done = lake.fs.cat_file(mark).decode() if lake.fs.exists(mark) else ""
    due = [n for n in nights if done < n <= through.isoformat()]
    for night in map(dt.date.fromisoformat, due):
        for feed in contracts():
            if entries := lake.manifest(night, feed):
                lake.write_manifest(night, feed, [{**e, "landing": []} for e in entries])
    if due:
        lake.write_text(MARK, due[-1])


def _sweep_delivery(lake: Lake, folder: str, kept: set[str]) -> None:
    files = _names(lake, folder)
    gone = [f for f in files if f"{folder}/{f}" not in kept]
    for file in gone:
        lake.fs.rm(f"{lake.path}/{folder}/{file}")
    if len(gone) == len(files) and "file" in lake.fs.protocol:
        lake.fs.rmdir(f"{lake.path}/{folder}")
