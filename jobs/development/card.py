"""A developed scorecard as a file: integer points by points to double the odds, shares of the people, the base."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import brentq

from jobs.development.design import Design
from jobs.development.measures import chance_of_bad
from jobs.development.tables import Table
from jobs.rules.scorecard import Characteristic, Scorecard

LEAST_SPREAD = 3  # points between best and worst bin: a table that moves less is left out
HEAD = """\
# {purpose}, developed by `assent develop` on the features of the night of {night} and what became of {people}
# people, {bad} of them bad. How good it is: {report}. What it may be made of, and why: {design}.
# To add it up by hand: start at `base` and add, of each characteristic, the points of the first bin whose limits are
# all above your values (of two features, both; .inf is no limit), or `neutral` where a value is missing. `better` is
# the direction that the reason promises; `share` is the part that falls into the bin, of the people who have a value.
# `basis: expert` marks points that no outcome supports: they were set by judgement, and `because` says why they point
# where they do. `base` makes the scores mean what `scaling` says: at {score:g} there are {odds:g} good outcomes for
# each bad one, and with every {double:g} points more twice as many.
"""


@dataclass(frozen=True)
class Grid:
    """A table in whole points: bins by first match, ``(limits or None, points, share)``."""

    table: Table
    bins: tuple[tuple[tuple[float, ...] | None, int, float], ...]


def _first_match(
    points: np.ndarray, limits: tuple[tuple[float, ...], ...]
) -> list[tuple[tuple[float, ...] | None, int]]:
    """The cells as bins in an order in which the first match is the cell; neighbours of equal points are one bin."""
    if points.ndim == 1:
        kept = [i for i in range(len(points)) if i + 1 == len(points) or points[i] != points[i + 1]]
        return [((limits[0][i],) if i < len(limits[0]) else None, int(points[i])) for i in kept]
    rows, columns = points.shape
    made: list[tuple[tuple[float, ...] | None, int]] = []
    for i in range(rows):
        if i + 1 < rows and np.array_equal(points[i], points[i + 1]):
            continue  # the next row says the same
        for j in range(columns):
            if j + 1 < columns and points[i, j] == points[i, j + 1]:
                continue
            at = (*limits[0], math.inf)[i], (*limits[1], math.inf)[j]
            made.append((None if i + 1 == rows and j + 1 == columns else at, int(points[i, j])))
    return made


def _cell_points(bins: Sequence[tuple[tuple[float, ...] | None, int]], values: Sequence[float]) -> int:
    return next(
        i
        for i, (at, _) in enumerate(bins)
        if at is None or all(v < x for v, x in zip(values, at, strict=True))
    )


def grid(table: Table, columns: Mapping[str, np.ndarray], double: float) -> Grid | None:
    """A table in points with ``neutral`` at 0; None where it says too little."""
    cells = table.cells(columns)
    known = cells[cells >= 0]
    if not len(known):
        return None
    values = table.values - table.values.ravel()[known].mean()
    points = np.rint(values * double / math.log(2)).astype(int)
    if points.max() - points.min() < LEAST_SPREAD:
        return None
    bins = _first_match(points, table.limits)
    people = np.bincount(known, minlength=points.size)
    held = [0] * len(bins)
    axes = [(*at, math.inf) for at in table.limits]
    below = [[-math.inf, *at] for at in table.limits]
    for flat, place in enumerate(product(*(range(len(a)) for a in axes))):
        held[_cell_points(bins, [below[k][p] for k, p in enumerate(place)])] += int(people[flat])
    shares = [round(n / len(known), 4) for n in held]
    mean = sum(s * p for s, (_, p) in zip(shares, bins, strict=True)) / sum(shares)
    neutral = math.ceil(mean - 1e-9)  # never below the mean, or what is missing would cost
    return Grid(table, tuple((at, p - neutral, s) for (at, p), s in zip(bins, shares, strict=True)))


def added(characteristics: Sequence[Characteristic], columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Points of each person, a column a characteristic."""
    size = len(next(iter(columns.values())))
    out = np.zeros((size, len(characteristics)), dtype=int)
    for place, one in enumerate(characteristics):
        values = [columns[f] for f in one.features]
        points = np.full(size, one.bins[-1].points)
        for b in reversed(one.bins[:-1]):
            assert b.below is not None
            match = np.ones(size, dtype=bool)
            for v, limit in zip(values, b.below, strict=True):
                match &= v < limit
            points = np.where(match, b.points, points)
        missing = np.any([np.isnan(v) for v in values], axis=0)
        out[:, place] = np.where(missing, one.neutral, points)
    return out


def base(points: np.ndarray, bad: np.ndarray, scaling: tuple[float, float, float]) -> int:
    """The whole number that makes the bad outcomes expected of everybody those observed."""
    return round(
        float(
            brentq(
                lambda b: chance_of_bad(b + points, scaling).sum() - bad.sum(),
                scaling[0] - 5000,
                scaling[0] + 5000,
            )
        )
    )


def scores(card: Scorecard, columns: Mapping[str, np.ndarray], low: int, high: int) -> np.ndarray:
    """The score of each person."""
    return np.asarray(np.clip(card.base + added(card.characteristics, columns).sum(axis=1), low, high))


def _number(value: float) -> str:
    if math.isinf(value):
        return ".inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def _flow(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return str(value)


def _part(features: Sequence[str], better: Sequence[str], basis: str, because: str | None, neutral: Any,
          code: str, text: str, bins: Sequence[Mapping[str, Any]]) -> list[str]:  # fmt: skip
    one = len(features) == 1
    lines = [f"  - feature: {features[0]}" if one else f"  - features: {_flow(features)}"]
    lines.append(f"    better: {better[0] if one else _flow(better)}")
    lines.append(f"    basis: {basis}")
    if because is not None:
        lines.append(f"    because: {json.dumps(because, ensure_ascii=False)}")
    lines.append(f"    neutral: {_flow(neutral)}")
    lines.append(f"    reason: {{code: {code}, text: {json.dumps(text, ensure_ascii=False)}}}")
    lines.append("    bins:")
    return lines + [f"      - {_flow(b)}" for b in bins]


def written(design: Design, grids: Mapping[int, Grid], base: int, facts: Mapping[str, Any]) -> str:
    """The text of the scorecard; ``grids`` by their place in the design."""
    lines = [HEAD.format(**facts)[:-1]]
    for key, value in design.head.items():
        if key == "scaling":
            lines += [f"scaling: {_flow(value)}", f"base: {base}"]
        else:
            lines.append(f"{key}: {_flow(value)}")
    lines.append("characteristics:")
    for place, part in enumerate(design.parts):
        if part.expert is not None:
            node = part.expert
            lines += _part(part.shape.features, part.shape.better, "expert", node.get("because"), node.get("neutral"),
                           part.code, part.text, node["bins"])  # fmt: skip
        elif place in grids:
            bins = [
                {"points": p, "share": s}
                if at is None
                else {"below": at[0] if len(at) == 1 else list(at), "points": p, "share": s}
                for at, p, s in grids[place].bins
            ]
            lines += _part(
                part.shape.features, part.shape.better, "outcomes", None, 0, part.code, part.text, bins
            )
    return "\n".join(lines) + "\n"
