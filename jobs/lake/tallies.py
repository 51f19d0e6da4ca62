"""Counts over files that were written, without starting Spark again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow.compute as pc

from jobs.lake.ask import ask


def refused(failing: Any, rows: int, checks: list[str], prefix: str) -> dict[str, int]:
    """``rows``, and under ``<prefix><check>`` how many of ``failing`` name a check in ``failed``."""
    sql = "SELECT name, count(*) FROM (SELECT unnest(failed) AS name FROM data) GROUP BY name"
    failed = dict(zip(*(c.to_pylist() for c in ask(sql, {"data": failing}).columns), strict=True))
    return {"rows": rows} | {f"{prefix}{c}": failed.get(c, 0) for c in checks}


def by_file(rows: Any, condition: str = "true", night: dt.date | None = None) -> dict[str, int]:
    """How many rows of which a condition holds each file has (of one night's partition)."""
    if night is not None:
        rows = rows.filter(pc.field("night") == night)
    found = ask(f"SELECT file, count(*) AS n FROM data WHERE {condition} GROUP BY file", {"data": rows})
    return dict(zip(found.column("file").to_pylist(), found.column("n").to_pylist(), strict=True))


def values(rows: Any, column: str) -> set[Any]:
    """The values of a column of words."""
    return set(ask(f'SELECT DISTINCT "{column}" FROM data', {"data": rows}).column(0).to_pylist())


def holds(rows: Any, column: str, value: str) -> bool:
    """Whether a row has a value."""
    return bool(rows.count_rows(filter=pc.field(column) == value))


def lacking(had: Any, has: Any, key: str, where: str) -> int:
    """How many keys of rows ``where`` a condition holds another table (None: there is none) lacks."""
    there = "SELECT NULL WHERE false" if has is None else f"SELECT {key} FROM has WHERE {key} IS NOT NULL"
    sql = f"SELECT count(DISTINCT {key}) FROM had WHERE {where} AND {key} NOT IN ({there})"
    return int(ask(sql, {"had": had} if has is None else {"had": had, "has": has}).column(0)[0].as_py())
