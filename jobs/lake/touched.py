"""The people whose rows a night computes; everybody else's are carried over from the night before.

Touched are people of whom something came (accepted or refused, or a record that was theirs came for another), of whom
something falls due by the calendar (rules/due.py), and of whose dispute the verdict is another. Everything is computed
again where that is asked for (``--full``), where something changed for all at once, and where it is little.
"""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake import parquet_files, tallies
from jobs.lake.ask import ask
from jobs.lake.night import CARRIED, Night
from jobs.rules.due import DUE
from schemas.contract import contracts

WORTH_ROWS = 100_000  # consents below which computing everything again is sooner done
# Measured at 200,000 people, of whom 15,000 rows touched as many: a usual night 85 to 99 s instead of 108.
FEW_ROWS = 50_000
MOST = 4  # more than one person in so many touched: everything
FIRST, LITTLE = "the first night", "they are few"
UNTOLD = (FIRST, LITTLE)  # as expected
PEOPLE = pa.schema([("person_id", pa.int64())])


def _foreseen(night: Night) -> str | None:
    """What is other than the night before for everybody, of what is known before the night begins."""
    before = night.previous
    if night.full or before is None:
        return "asked for" if night.full else FIRST
    tables = before["tables"]
    if any("sum" not in tables.get(t, {}) for t in CARRIED):
        return "the night before lacks a table"
    if int(tables["conformed/consents"]["rows"]) < WORTH_ROWS:
        return LITTLE
    if (night.date.year, night.date.month) != (before["night"].year, before["night"].month):
        return "another month"
    if any(before[name] != value for name, value in night.made_by().items()):
        return "another policy, scorecard or program"
    return None


def _freshness_changes(night: Night) -> bool:
    """Whether a feed became fresh or ceased to be, by what extract says of tonight's deliveries."""
    version = night.pinned_before("conformed/feeds")
    assert night.after is not None
    if version is None:
        return True
    for row in night.lake.dataset("conformed/feeds", version).to_table().to_pylist():
        contract, old = contracts()[row["feed"]], row["last_good_on"]
        entries = night.lake.manifest(night.date, row["feed"])
        good = [dt.date.fromisoformat(e["delivered_on"]) for e in entries if not e["stopped"]]
        new = max([*good, *([old] if old else [])], default=None)
        if contract.is_fresh(old, night.after) != contract.is_fresh(new, night.date):
            return True
    return False


def is_small(night: Night) -> bool:
    """Whether so few rows are computed that fast code is not worth its making (jobs/lake/spark.py).

    Of a small lake, or of the few people who are touched, as far as that is known after extract.
    """
    if night.lake.is_small():
        return True
    if _foreseen(night) is not None or _freshness_changes(night):
        return False
    rows = sum(e["rows"] or 0 for feed in contracts() for e in night.lake.manifest(night.date, feed))
    return rows <= FEW_ROWS and rows + _people(_due(night)).num_rows <= FEW_ROWS


def _changed_for_all(night: Night) -> str | None:
    """What is other than the night before for everybody; None where nothing is."""
    if (why := _foreseen(night)) is not None:
        return why
    feeds, earlier = night.dataset("conformed/feeds"), night.pinned_before("conformed/feeds")
    assert earlier is not None
    old, new = (
        {r["feed"]: r["fresh"] for r in data.to_table(columns=["feed", "fresh"]).to_pylist()}
        for data in (night.lake.dataset("conformed/feeds", earlier), feeds)
    )
    if old != new:
        return "a feed became fresh or ceased to be"
    return None


def _lost(night: Night) -> bool:
    """Whether the source no longer has an order, or had lost one before (rules/grace.py)."""
    for feed, contract in contracts().items():
        if contract.orders:
            before = night.pinned_before(f"conformed/{feed}")
            assert before is not None
            held = night.lake.dataset(f"conformed/{feed}", before)
            if held.count_rows(filter=~pc.field("gone_since").is_null()):
                return True
            if tallies.lacking(held, night.dataset(f"accepted/{feed}"), contract.key, "is_order"):
                return True
    return False


def _came(night: Night) -> list[pa.Table]:
    """Whose rows came tonight, and whose were those of the same records before."""
    found = []
    tonight = pc.field("night") == pa.scalar(night.date)
    for feed, contract in contracts().items():
        if (refused := night.dataset(f"quarantine/{feed}")) is not None:
            found.append(refused.filter(tonight).to_table(columns=["person_id"]))
        table = f"accepted/{feed}"
        if (version := night.pinned(table)) is not None:
            rows = night.lake.dataset(table, version).filter(tonight)
            mine = rows.to_table(columns=["person_id", contract.key])
            found.append(mine)
            if contract.mode == "upsert":
                theirs = f"SELECT DISTINCT person_id FROM data SEMI JOIN mine USING ({contract.key})"
                stored = parquet_files.rows(night.lake, table, version)
                found.append(ask(theirs, {"data": stored, "mine": mine}))
    return found


def _doubted(night: Night) -> list[pa.Table]:
    """Of whom a refused row left the quarantine and still counts."""
    version, before = night.pinned("doubts"), night.pinned_before("doubts")
    if version is None or version == before:
        return []
    new = night.lake.dataset("doubts", version).to_table(columns=["person_id", "feed", "file", "row_number"])
    if before is None:
        return [new]
    old = night.lake.dataset("doubts", before)
    return [ask("FROM new ANTI JOIN old USING (feed, file, row_number)", {"new": new, "old": old})]


def _due(night: Night) -> list[pa.Table]:
    found = []
    for table, condition in DUE.items():
        if (version := night.pinned_before(table)) is not None:
            sql = f"SELECT DISTINCT person_id FROM data WHERE {condition}"
            data = parquet_files.rows(night.lake, table, version)
            found.append(ask(sql, {"data": data}, before=night.after, night=night.date))
    return found


def _judged_otherwise(night: Night) -> pa.Table:
    """Whose disputes say something else than the night before."""
    table = "conformed/disputes"
    before = night.pinned_before(table)
    new = night.dataset(table)
    if before is None:
        return ask("SELECT DISTINCT person_id FROM new", {"new": new})
    gone, come = "(FROM old EXCEPT ALL FROM new)", "(FROM new EXCEPT ALL FROM old)"
    sql = f"SELECT DISTINCT person_id FROM ({gone} UNION ALL {come})"
    return ask(sql, {"old": night.lake.dataset(table, before), "new": new})


def _people(parts: list[pa.Table]) -> pa.Table:
    """``person_id`` of everybody in them, distinct."""
    if not parts:
        return PEOPLE.empty_table()
    every = {f"t{n}": part.select(["person_id"]) for n, part in enumerate(parts)}
    union = " UNION ALL ".join(f"FROM {name}" for name in every)
    return ask(f"SELECT DISTINCT person_id FROM ({union}) WHERE person_id IS NOT NULL", every).cast(PEOPLE)


def touched(night: Night) -> pa.Table | None:
    """``person_id`` of the people to compute, distinct; None: everybody. After conformed/disputes is written."""
    why = _changed_for_all(night) or ("an order is no longer held" if _lost(night) else None)
    if why is not None:
        if why not in UNTOLD:
            night.say(f"everybody's rows are computed: {why}")
        return None
    parts = [*_came(night), *_doubted(night), *_due(night), _judged_otherwise(night)]
    people = _people(parts)
    assert night.previous is not None
    if people.num_rows * MOST > int(night.previous["tables"]["features"]["rows"]):
        night.say("everybody's rows are computed: too many people are touched")
        return None
    return people
