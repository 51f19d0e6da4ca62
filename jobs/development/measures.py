"""What a report says of a table of people: weights of evidence, information value, calibration, stability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from jobs.rules import ranking, stability

HALF = 0.5  # a person, added to each cell so that an empty one has a weight


def evidence(place: np.ndarray, bad: np.ndarray, bins: int) -> list[dict[str, Any]]:
    """A row a bin (-1 is missing, last): people, share, bad rate, weight of evidence, part of the information value."""
    rows: list[dict[str, Any]] = []
    order = [*range(bins), *([-1] if (place < 0).any() else [])]
    goods, bads = int((bad == 0).sum()), int((bad == 1).sum())
    for number in order:
        inside = place == number
        people, failed = int(inside.sum()), int(bad[inside].sum())
        good_share = (people - failed + HALF) / (goods + HALF * len(order))
        bad_share = (failed + HALF) / (bads + HALF * len(order))
        woe = math.log(good_share / bad_share)
        rows.append(
            {
                "place": number,
                "people": people,
                "share": people / len(bad),
                "bad rate": failed / people if people else None,
                "weight of evidence": woe,
                "information": (good_share - bad_share) * woe,
            }
        )
    return rows


def information_value(rows: Sequence[dict[str, Any]]) -> float:
    """The sum over a table's bins, but for what is missing."""
    return float(sum(r["information"] for r in rows if r["place"] >= 0))


def chance_of_bad(score: np.ndarray, scaling: tuple[float, float, float]) -> np.ndarray:
    """The chance of a bad outcome that a score stands for: ``scaling`` is score, odds, points to double the odds."""
    anchor, odds, double = scaling
    return np.asarray(1 / (1 + odds * np.exp2((score - anchor) / double)))


def slope(score: np.ndarray, bad: np.ndarray, scaling: tuple[float, float, float]) -> float:
    """By how much the log-odds of scores are to be multiplied to fit outcomes, two decimals, between a half and one.

    Of people unseen it is below one: Copas, Regression, Prediction and Shrinkage (JRSS B 45, 1983).
    """
    anchor, odds, double = scaling
    said = np.log(odds) + (score - anchor) / double * np.log(2)

    def loss(line: np.ndarray) -> float:
        x = line[0] + line[1] * said
        return float(np.logaddexp(0, x).sum() - ((1 - bad) * x).sum())

    return float(np.clip(round(minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead").x[1], 2), 0.5, 1.0))


def calibration(
    score: np.ndarray, bad: np.ndarray, bands: Sequence[tuple[str, int]], scaling: tuple[float, float, float]
) -> list[dict[str, Any]]:
    """A row a band: people, bad outcomes expected from the scores and observed, with Wilson's interval."""
    chance, rows = chance_of_bad(score, scaling), []
    upper = np.inf
    for band, lowest in bands:
        inside = (score >= lowest) & (score < upper)
        upper = lowest
        people, failed = int(inside.sum()), int(bad[inside].sum())
        low, high = ranking.share_interval(failed, people)
        expected = float(chance[inside].mean()) if people else None
        rows.append(
            {
                "band": band,
                "people": people,
                "expected": expected,
                "observed": failed / people if people else None,
                "low": low if people else None,
                "high": high if people else None,
                "within": None if expected is None else low <= expected <= high,
            }
        )
    return rows


def quality(score: np.ndarray, bad: np.ndarray) -> dict[str, Any]:
    """People, Gini with its interval, and KS."""
    value, low, high = ranking.gini(score, bad)
    return {"people": len(bad), "bad": int(bad.sum()), "gini": value, "gini low": low, "gini high": high,
            "ks": ranking.ks(score, bad)}  # fmt: skip


def moved(before: np.ndarray, after: np.ndarray) -> float:
    """The stability index between two groups' bins."""

    def counts(place: np.ndarray) -> dict[str, int]:
        values, people = np.unique(place, return_counts=True)
        return {str(v): int(n) for v, n in zip(values, people, strict=True)}

    return stability.psi(counts(before), counts(after))
