"""How well a night's published scores told good from bad, once outcomes are known; kept as one row of counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.lake import Lake
from jobs.lake.outcomes import people_of, read_outcomes
from jobs.lake.query import Published
from jobs.rules.discrimination import discrimination
from schemas.tables import PERFORMANCE

# A person with several recipients counts once: by the application that read the most.
SCORED = """
SELECT o.bad, s.score FROM outcomes o JOIN (
    SELECT person_id, arg_max(score, (len(sources_used), recipient)) AS score FROM scores
    WHERE purpose = $purpose AND status = 'scored' GROUP BY person_id
) s USING (person_id)
"""


def measured(scores: Any, purpose: str, people: list[int], bad: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Score and outcome of each person who has both; ``scores`` is SCORES as an Arrow table or dataset."""
    con = duckdb.connect(config={"python_enable_replacements": False})
    try:
        con.register("scores", scores)
        con.register("outcomes", pa.table({"person_id": pa.array(people, pa.int64()), "bad": bad}))
        found = con.execute(SCORED, {"purpose": purpose}).fetchnumpy()
    finally:
        con.close()
    return found["score"], found["bad"]


def _known(published: Published, path: Path, people: list[int]) -> None:
    data = published.pinned("vault")
    known = set() if data is None else set(data.to_table(columns=["person_id"]).column(0).to_pylist())
    unknown = sum(p not in known for p in people)
    if unknown:
        raise AssentError(
            f"{path.name}: {unknown} of {len(people)} people are unknown to the lake on {published.night}; "
            "leave them out, or name the night that knows them"
        )


def perform(lake: str, date: dt.date, purpose: str, path: Path) -> dict[str, Any]:
    """The row of PERFORMANCE of a purpose's scores on a night; stored unless it is there already."""
    root = Lake(lake)
    published = Published(root, date)
    if published.night != date:
        raise AssentError(f"report: night {date} is not published; run `assent night` first, or name another")
    outcomes = read_outcomes(path, date)
    people = people_of(lake, path, outcomes)
    _known(published, path, people)
    score, bad = measured(published.data("scores"), purpose, people, outcomes.bad)
    try:
        found = discrimination(score, bad)
    except ValueError:
        raise AssentError(
            f"{path.name}: those scored for {purpose} on {date} have one outcome only, or nobody is scored; "
            "give outcomes of people who were"
        ) from None
    earlier = _earlier(published, purpose)
    row = {"night": date, "purpose": purpose, "outcomes_sha256": outcomes.sha256, **asdict(found)}
    row["severity"] = found.severity(earlier[0]["gini"] if earlier else None)
    if (date, outcomes.sha256) not in {(r["night"], r["outcomes_sha256"]) for r in earlier}:
        root.append_arrow("performance", pa.Table.from_pylist([row], schema=PERFORMANCE.arrow()))
    return row


def _earlier(published: Published, purpose: str) -> list[dict[str, Any]]:
    """What was measured of a purpose up to a night, oldest first: later measures are held against the first."""
    data = published.newest("performance")
    if data is None:
        return []
    mine = (pc.field("purpose") == purpose) & (pc.field("night") <= pa.scalar(published.night))
    rows: list[dict[str, Any]] = data.to_table(filter=mine).to_pylist()
    return sorted(rows, key=lambda r: (r["night"], r["outcomes_sha256"]))
