"""What is counted of a night's scores, and what it is held against."""

import datetime as dt

import pyarrow as pa

from jobs.lake.config import load_policy
from jobs.lake.scorecards import load_scorecards
from jobs.monitoring import measures, monitored
from schemas.tables import SCORES

FIRST, SECOND = dt.date(2026, 11, 18), dt.date(2026, 11, 19)
CARDS = {"motor_cover": load_scorecards(load_policy())["motor_cover"]}
CARD = CARDS["motor_cover"]


def scores(night, rows):
    """Rows ``(how many, points or the reason why there is no score)``."""
    made = []
    for many, points in rows:
        scored = not isinstance(points, str)
        total = max(350, min(950, CARD.base + sum(points))) if scored else None
        made += many * [
            {
                "person_id": len(made),
                "purpose": "motor_cover",
                "recipient": "demo-insurer",
                "score_date": night,
                "status": "scored" if scored else "no_score",
                "score": total,
                "band": next(b for b, low in CARD.bands if total >= low) if scored else None,
                "scorecard_version": CARD.version,
                "points": list(points) if scored else None,
                "reasons": [
                    c.code for c, p in zip(CARD.characteristics, points, strict=True) if p < c.neutral
                ]
                if scored
                else None,
                "no_score_reason": None if scored else points,
                "sources_used": ["traffic"],
            }
        ]
    return pa.Table.from_pylist(made, schema=SCORES.arrow())


GOOD, MINOR = [c.bins[0].points for c in CARD.characteristics], None
MINOR = [CARD.characteristics[0].bins[-1].points, *GOOD[1:]]
QUIET = [(150, GOOD), (50, MINOR), (20, "source_absent")]


def found(table, measure):
    return {
        r["item"]: (r["reference_night"], r["severity"]) for r in table.to_pylist() if r["measure"] == measure
    }


def test_what_is_counted():
    rows = monitored(scores(FIRST, QUIET), CARDS, [], FIRST).to_pylist()
    told = {
        (r["item"], r["bucket"]): (r["people"], r["value"]) for r in rows if r["measure"] == "distribution"
    }
    assert told[("status", "scored")] == (200, 200 / 220)
    assert told[("status", "source_absent")] == (20, 20 / 220)
    assert told[("reason", CARD.characteristics[0].code)] == (50, 0.25)
    assert told[(CARD.characteristics[0].code, str(MINOR[0]))] == (50, 0.25)
    assert sum(n for (item, _), (n, _) in told.items() if item == "score") == 200
    assert sum(n for (item, _), (n, _) in told.items() if item == "band") == 200
    assert told[("bounds", "within")][0] + told.get(("bounds", "above"), (0,))[0] == 200


def test_the_first_night_of_a_scorecard_is_the_reference():
    first = monitored(scores(FIRST, QUIET), CARDS, [], FIRST)
    assert {night for night, _ in found(first, "csi").values()} == {FIRST}
    same = monitored(scores(SECOND, QUIET), CARDS, first.to_pylist(), SECOND)
    assert found(same, "psi") == {"score": (FIRST, "ok")}
    worse = [(50, GOOD), (150, MINOR), (80, "source_absent")]
    moved = monitored(scores(SECOND, worse), CARDS, first.to_pylist(), SECOND)
    assert found(moved, "psi") == {"score": (FIRST, "critical")}
    assert found(moved, "csi")[CARD.characteristics[0].code] == (FIRST, "critical")
    assert found(moved, "csi")[CARD.characteristics[1].code] == (FIRST, "ok")
    assert found(moved, "no_score_rate") == {"status": (FIRST, "warning")}
    other = [{**r, "scorecard": "another"} for r in first.to_pylist()]
    assert found(monitored(scores(SECOND, worse), CARDS, other, SECOND), "psi") == {"score": (SECOND, "ok")}


def test_nobody_scored_is_too_few_to_tell():
    table = monitored(scores(FIRST, []), CARDS, [], FIRST)
    assert {s for _, s in found(table, "psi").values()} == {"few"}
    assert {r["severity"] for r in measures({}, None)} == {"few"}
