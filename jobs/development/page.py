"""The report of a developed scorecard: its bins, how good it is on people not seen, how steady, what was left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jinja2 import Environment

from jobs import charts
from jobs.development import measures
from jobs.development.card import added
from jobs.development.design import Design
from jobs.lake.outbox import template
from jobs.lake.outcomes import Developed
from jobs.rules.scorecard import Characteristic
from jobs.rules.soundness import mean_points

FEW = 30


def _limit(one: Characteristic, place: int) -> str:
    """A bin in words."""
    below = one.bins[place].below
    if below is None:
        return "the rest"
    said = [f"{f} below {v:g}" for f, v in zip(one.features, below, strict=True) if not math.isinf(v)]
    return " and ".join(said)


def _places(one: Characteristic, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The bin of each person, -1 where a value is missing."""
    size = len(next(iter(columns.values())))
    found = np.full(size, len(one.bins) - 1)
    for place in range(len(one.bins) - 2, -1, -1):
        below = one.bins[place].below or ()
        match = np.all([columns[f] < v for f, v in zip(one.features, below, strict=True)], axis=0)
        found = np.where(match, place, found)
    missing = np.any([np.isnan(columns[f]) for f in one.features], axis=0)
    return np.where(missing, -1, found)


def _characteristic(one: Characteristic, people: Developed) -> dict[str, Any]:
    place = _places(one, people.columns)
    rows = measures.evidence(place, people.bad, len(one.bins))
    for row in rows:
        missing = row["place"] < 0
        if row["people"] < FEW:  # what became of so few could be told back to a person
            row |= {"people": f"below {FEW}", "bad rate": None, "weight of evidence": None, "share": None}
        row["bin"] = "missing" if missing else _limit(one, row["place"])
        row["points"] = one.neutral if missing else one.bins[row["place"]].points
    half = np.arange(len(place)) % 2
    known = [(i, r) for i, r in enumerate(rows, 1) if r["bad rate"] is not None]
    return {
        "name": " and ".join(one.features),
        "better": ", ".join(one.better),
        "text": one.text,
        "code": one.code,
        "rows": rows,
        "iv": measures.information_value(rows),
        "mean": mean_points(one),
        "psi": measures.moved(place[half == 0], place[half == 1]),
        "svg": charts.bars(
            [str(i) for i, _ in known],
            {"bad": [100 * r["bad rate"] for _, r in known]},
            "Bad outcomes by line of the table",
        ),
    }


def page(
    design: Design, people: Developed, result: Any, facts: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The HTML of the report, and the figures that the command says."""
    card, bad = result.card, people.bad
    points = added(card.characteristics, people.columns)
    seen = np.asarray(card.base + points.sum(axis=1))
    unseen = measures.quality(result.unseen, bad)
    bands = measures.calibration(result.unseen, bad, card.bands, design.scaling)
    developed = [c for c in card.characteristics if c.basis == "outcomes"]
    half = np.arange(len(bad)) % 2
    shifts = measures.moved(seen[half == 0] // 25, seen[half == 1] // 25)
    told = [b for b in bands if b["people"]]
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    html = environment.from_string(template("development.html.j2")).render(
        facts=facts,
        card=card,
        unseen=unseen,
        seen=measures.quality(seen, bad),
        bands=bands,
        picture=charts.intervals(
            [f"{b['band']}, expected {100 * b['expected']:.1f} %" for b in told],
            [(100 * b["observed"], 100 * b["low"], 100 * b["high"]) for b in told],
            "Bad outcomes observed by band, with the 95 % interval",
            "%",
        ),
        characteristics=[_characteristic(c, people) for c in developed],
        experts=[c for c in card.characteristics if c.basis != "outcomes"],
        shift=shifts,
        slope=result.slope,
        left_out=result.left_out,
        people_left_out=people.left_out,
    )
    return html, {**unseen, "characteristics": len(developed)}
