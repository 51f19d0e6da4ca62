"""How well a night's published scores told good from bad, once outcomes are known; kept as one row of counts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.ask import database
from jobs.lake.config import load_policy
from jobs.lake.lake import Lake
from jobs.lake.macs import Macs
from jobs.lake.outcomes import fingerprint, read_outcomes
from jobs.lake.query import Published
from jobs.rules.ranking import gini, ks
from schemas.tables import PERFORMANCE

# Of fewer bad or good outcomes an interval says nothing (Siddiqi, Credit Risk Scorecards, 2006, ch. 8: hundreds).
LEAST = 50
# A person with several recipients counts once: by the application that read the most.
SCORED = """
SELECT o.bad, s.score FROM outcomes o JOIN (
    SELECT person_id, arg_max(score, (len(sources_used), recipient)) AS score FROM scores
    WHERE purpose = $purpose AND status = 'scored' GROUP BY person_id
) s USING (person_id)
"""


def measured(scores: Any, purpose: str, people: list[int], bad: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Score and outcome of each person who has both; ``scores`` is SCORES as an Arrow table or dataset."""
    outcomes = pa.table({"person_id": pa.array(people, pa.int64()), "bad": bad})
    with database({"scores": scores, "outcomes": outcomes}) as con:
        found = con.execute(SCORED, {"purpose": purpose}).fetchnumpy()
    return found["score"].astype(np.float64), found["bad"].astype(np.int64)


def severity(bad: int, good: int, low: float, high: float, expected: float | None) -> str:
    """``critical`` when no better than chance, ``warning`` when surely below ``expected``, else ``ok``; or ``few``."""
    if min(bad, good) < LEAST:
        return "few"
    if low <= 0:
        return "critical"
    return "warning" if expected is not None and high < expected else "ok"


def perform(lake: str, date: dt.date, purpose: str, path: Path) -> dict[str, Any]:
    """The row of PERFORMANCE of a purpose's scores on a night; stored unless it is there already."""
    root = Lake(lake)
    macs = Macs(root.open(), load_policy().national_id)
    published = Published(root, date)
    if published.night != date:
        raise AssentError(f"report: night {date} is not published; run `assent night` first, or name another")
    outcomes = read_outcomes(path, date, macs)
    vault = published.pinned("vault")
    known = set() if vault is None else set(vault.to_table(columns=["person_id"]).column(0).to_pylist())
    unknown = sum(p not in known for p in outcomes)
    if unknown:
        raise AssentError(
            f"outcomes: {unknown} of {len(outcomes)} people are unknown to the lake on {date}; "
            "leave them out, or name the night that knows them"
        )
    score, bad = measured(
        published.data("scores"), purpose, [*outcomes], [b == 1 for _, b in outcomes.values()]
    )
    try:
        value, low, high = gini(score, bad)
        distance = ks(score, bad)
    except ValueError:
        raise AssentError(
            f"outcomes: those scored for {purpose} on {date} have one outcome only, or nobody is scored; "
            "give outcomes of people who were"
        ) from None
    earlier = _earlier(published, purpose)
    row = {
        "night": date,
        "purpose": purpose,
        "outcomes_sha256": fingerprint(path),
        "people": len(bad),
        "bad": int(bad.sum()),
        "gini": value,
        "gini_low": low,
        "gini_high": high,
        "ks": distance,
        "severity": severity(
            int(bad.sum()), int((1 - bad).sum()), low, high, earlier[0]["gini"] if earlier else None
        ),
    }
    if (date, row["outcomes_sha256"]) not in {(r["night"], r["outcomes_sha256"]) for r in earlier}:
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
