"""Points, score, band and reasons by the SQL of a scorecard are what its YAML says, added up by hand."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from benchmarks.oracle.night import connect
from benchmarks.oracle.scorecard import scored

CARDS = {
    p.stem: dict(YAML(typ="safe").load(p.read_text(encoding="utf-8")))
    for p in sorted((Path(__file__).resolve().parents[2] / "scorecards").glob("*.yaml"))
}


def by_hand(card, row):
    """Points, score, band and reasons of a row of features."""
    points = []
    for part in card["characteristics"]:
        values = [row[n] for n in part.get("features") or [part["feature"]]]
        given_points = part["neutral"]
        if None not in values:
            for one in part["bins"]:
                limits = one.get("below", [])
                limits = limits if isinstance(limits, list) else [limits]
                if all(v < limit for v, limit in zip(values, limits, strict=False)):
                    given_points = one["points"]
                    break
        points.append(given_points)
    score = max(350, min(950, card["base"] + sum(points)))
    band = next(b for b, low in card["bands"].items() if score >= low)
    short = [
        (p - c["neutral"], i) for i, (p, c) in enumerate(zip(points, card["characteristics"], strict=True))
    ]
    reasons = [card["characteristics"][i]["reason"]["code"] for below, i in sorted(short) if below < 0][:4]
    return points, score, band, reasons


def inputs(card):
    """Values on, beside and far from each limit, and none."""
    limits = {}
    for part in card["characteristics"]:
        names = part.get("features") or [part["feature"]]
        for place, name in enumerate(names):
            found = limits.setdefault(name, {0.0, 1e6})
            for one in part["bins"]:
                below = one.get("below")
                if below is not None:
                    limit = float(below[place] if isinstance(below, list) else below)
                    found |= {limit, limit - 0.001, limit + 0.001}
    return {n: [None, *sorted(v)] for n, v in limits.items()}


@pytest.mark.parametrize("purpose", sorted(CARDS))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_sql_of_a_scorecard_is_the_scorecard(purpose, data):
    card = CARDS[purpose]
    values = inputs(card)
    rows = data.draw(
        st.lists(st.fixed_dictionaries({n: st.sampled_from(v) for n, v in values.items()}), min_size=1)
    )
    con = connect()
    con.execute("CREATE MACRO night() AS DATE '2026-11-20'").fetchall()
    minimum = {n: None for n in card.get("minimum", {}) if n not in values}
    names = [*values, *minimum]
    columns = ", ".join(f"{n} DOUBLE" for n in names)
    con.execute(
        f"CREATE TABLE features (person_id BIGINT, purpose VARCHAR, recipient VARCHAR, sources_used VARCHAR[], {columns})"
    ).fetchall()
    for i, row in enumerate(rows):
        enough = {n: 1e6 for n in minimum}
        cells = [i, purpose, "r", card["required"], *({**row, **enough}[n] for n in names)]
        con.execute(f"INSERT INTO features VALUES ({', '.join('?' * len(cells))})", cells).fetchall()
    found = con.execute(f"SELECT * FROM ({scored(card)}) ORDER BY person_id").fetchall()
    for row, answer in zip(rows, found, strict=True):
        points, score, band, reasons = by_hand(card, row)
        least = card.get("minimum", {})
        thin = any(
            {**row, **{n: 1e6 for n in minimum}}[n] is None or row.get(n, 1e6) < v for n, v in least.items()
        )
        assert answer[3] == dt.date(2026, 11, 20)
        if thin:
            assert answer[4:7] == ("no_score", None, None)
            assert answer[10] == "thin_file"
        else:
            assert answer[4:7] == ("scored", score, band)
            assert (answer[8], answer[9], answer[10]) == (points, reasons, None)
