"""Watching the scores: how they are spread tonight, and how far that moved since their scorecard came into use.

Counted without a JVM, a few hundred rows a night. ``publish`` writes them with the night, so that a later night finds
its reference among them although the scores of that night may be gone.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake.ask import database
from jobs.lake.night import Night
from jobs.rules import stability
from jobs.rules.floor import SCORE_MAX, SCORE_MIN
from jobs.rules.scorecard import Scorecard
from schemas.tables import MONITORING, SCORES

WIDTH = 25  # of a bucket of scores
COUNTS = f"""
WITH scored AS (SELECT * FROM scores WHERE status = 'scored'),
pairs AS (SELECT purpose, unnest(points) AS p, generate_subscripts(points, 1) AS place FROM scored)
SELECT purpose, 'score' AS item,
    CAST(least((score - {SCORE_MIN}) // {WIDTH} * {WIDTH} + {SCORE_MIN}, {SCORE_MAX - WIDTH}) AS VARCHAR) AS bucket,
    count(*) AS people FROM scored GROUP BY ALL
UNION ALL SELECT purpose, 'band', band, count(*) FROM scored GROUP BY ALL
UNION ALL SELECT purpose, 'status', coalesce(no_score_reason, 'scored'), count(*) FROM scores GROUP BY ALL
UNION ALL SELECT purpose, 'reason', code, count(*)
    FROM (SELECT purpose, unnest(reasons) AS code FROM scored) GROUP BY ALL
UNION ALL SELECT s.purpose, 'bounds', CASE WHEN c.base + list_sum(s.points) < {SCORE_MIN} THEN 'below'
    WHEN c.base + list_sum(s.points) > {SCORE_MAX} THEN 'above' ELSE 'within' END, count(*)
    FROM scored s JOIN cards c USING (purpose) GROUP BY ALL
UNION ALL SELECT p.purpose, k.code, CAST(p.p AS VARCHAR), count(*)
    FROM pairs p JOIN codes k USING (purpose, place) GROUP BY ALL
ORDER BY ALL
"""
Counts = dict[str, dict[str, int]]  # item -> bucket -> applications
OWN_ITEMS = ("score", "band", "status", "reason", "bounds")


def counted(scores: Any, cards: dict[str, Scorecard]) -> dict[str, Counts]:
    """Applications by purpose, item and bucket; ``scores`` is SCORES as DuckDB reads it."""
    bases = [{"purpose": p, "base": c.base} for p, c in sorted(cards.items())]
    codes = [
        {"purpose": p, "place": i, "code": k.code}
        for p, c in sorted(cards.items())
        for i, k in enumerate(c.characteristics, 1)
    ]
    tables = {"scores": scores, "cards": pa.Table.from_pylist(bases), "codes": pa.Table.from_pylist(codes)}
    with database(tables) as con:
        rows = con.execute(COUNTS).fetchall()
    found: dict[str, Counts] = defaultdict(lambda: defaultdict(dict))
    for purpose, item, bucket, people in rows:
        found[purpose][item][bucket] = int(people)
    return found


def distributions(counts: Counts) -> list[dict[str, Any]]:
    """Rows of MONITORING that hold the counts themselves; a reason's share is of the scored applications."""
    scored = sum(counts.get("score", {}).values())
    rows = []
    for item, buckets in sorted(counts.items()):
        total = scored if item == "reason" else sum(buckets.values())
        for bucket, people in sorted(buckets.items()):
            rows.append(
                {
                    "measure": "distribution",
                    "item": item,
                    "bucket": bucket,
                    "people": people,
                    "value": people / total if total else None,
                }
            )
    return rows


def _row(measure: str, item: str, people: int, value: float | None, severity: str) -> dict[str, Any]:
    return {"measure": measure, "item": item, "people": people, "value": value, "severity": severity}


def measures(now: Counts, then: Counts | None) -> list[dict[str, Any]]:
    """Rows of MONITORING that compare tonight's counts with those of the reference night (none: of tonight itself)."""
    rows = []
    scored, applications = sum(now.get("score", {}).values()), sum(now.get("status", {}).values())
    cut = sum(n for b, n in now.get("bounds", {}).items() if b != "within")
    share = cut / scored if scored else None
    severity = stability.severity_of_cut(share, scored) if share is not None else "few"
    rows.append(_row("out_of_bounds_rate", "bounds", scored, share, severity))
    before = then or now
    rate = (applications - scored) / applications if applications else None
    known = sum(before.get("status", {}).values())
    old = 1 - before["status"].get("scored", 0) / known if known else None
    severity = "few"
    if rate is not None and old is not None:
        severity = stability.severity_of_rate(rate - old, applications, known)
    rows.append(_row("no_score_rate", "status", applications, rate, severity))
    for item in ["score", *sorted(now.keys() - set(OWN_ITEMS))]:
        a, e = now.get(item, {}), before.get(item, {})
        n, m = sum(a.values()), sum(e.values())
        measure = "psi" if item == "score" else "csi"
        if not n or not m:
            rows.append(_row(measure, item, n, None, "few"))
            continue
        value = stability.psi(e, a)
        rows.append(
            _row(measure, item, n, value, stability.severity_of_psi(value, len(a.keys() | e.keys()), m, n))
        )
    return rows


def reference(history: list[dict[str, Any]], purpose: str, scorecard: str) -> tuple[dt.date, Counts] | None:
    """The first night on which a purpose was scored by this scorecard, and its counts; None when tonight is."""
    rows = [r for r in history if r["purpose"] == purpose and r["scorecard"] == scorecard]
    first = min((r["night"] for r in rows), default=None)
    if first is None:
        return None
    counts: Counts = defaultdict(dict)
    for r in rows:
        if r["night"] == first and r["measure"] == "distribution":
            counts[r["item"]][r["bucket"]] = r["people"]
    return first, counts


def monitored(
    scores: Any, cards: dict[str, Scorecard], history: list[dict[str, Any]], night: dt.date
) -> pa.Table:
    """MONITORING of a night; ``history`` are the distributions of earlier nights."""
    rows = []
    counts = counted(scores, cards)
    for purpose, card in sorted(cards.items()):
        found = reference(history, purpose, card.sha256)
        held = measures(counts.get(purpose, {}), found[1] if found else None)
        for row in held:
            row["reference_night"] = found[0] if found else night
        for row in distributions(counts.get(purpose, {})) + held:
            rows.append({"night": night, "purpose": purpose, "scorecard": card.sha256, **row})
    return pa.Table.from_pylist(rows, schema=MONITORING.arrow())


def write(night: Night) -> None:
    """Writes tonight's MONITORING, and says each measure that is out of its bounds."""
    version = night.pinned_before("monitoring")
    history: list[dict[str, Any]] = []
    if version is not None:
        earlier = (pc.field("measure") == "distribution") & (pc.field("night") < pa.scalar(night.date))
        mine = pc.field("scorecard").isin([c.sha256 for c in night.scorecards.values()])
        history = night.lake.dataset("monitoring", version).to_table(filter=earlier & mine).to_pylist()
    table = monitored(night.rows("scores", SCORES.arrow()), night.scorecards, history, night.date)
    night.write_arrow("monitoring", table, nightly=True)
    for row in table.filter(
        pc.is_in(table.column("severity"), pa.array(["warning", "critical"]))
    ).to_pylist():
        night.say(
            f"{row['purpose']}: {row['severity']}, {row['measure']} of {row['item']} is {row['value']:.3f} "
            f"(held against {row['reference_night']}); see the report"
        )
