"""Where the bins of a feature part: a small tree's cuts, on numbers that a person can read."""

from __future__ import annotations

import math

import numpy as np
from sklearn.tree import DecisionTreeClassifier

DIGITS = 2  # significant ones, of a limit that is no whole number
FINEST = 0.001


def _readable(cut: float, values: np.ndarray) -> float:
    """A limit that parts (nearly) the same people as a cut between two values does."""
    above = values[values > cut]
    if not np.any(values % 1):
        return float(above.min())  # a count, or days: the first value that is not below
    if abs(cut) < FINEST:
        return math.copysign(FINEST, cut)  # to the far side of zero, where what stands still is parted off
    places = DIGITS - 1 - math.floor(math.log10(abs(cut)))
    return round(float(cut), min(places, 3))


def limits(values: np.ndarray, bad: np.ndarray, most: int, least_people: int) -> tuple[float, ...]:
    """Rising limits of at most ``most`` bins, each of ``least_people`` or so with a value; none where all are alike."""
    known = np.isfinite(values)
    tree = DecisionTreeClassifier(
        criterion="entropy", max_leaf_nodes=max(most, 2), min_samples_leaf=least_people, random_state=0
    )
    if known.sum() < 2 * least_people:
        return ()
    tree.fit(values[known].reshape(-1, 1), bad[known])
    cuts = tree.tree_.threshold[tree.tree_.children_left >= 0]
    made = sorted({_readable(cut, values[known]) for cut in cuts})
    kept: list[float] = []
    for limit in made:  # what rounding moved may leave a bin nearly empty
        start = kept[-1] if kept else -np.inf
        inside = (values >= start) & (values < limit)
        if inside.sum() >= least_people / 2 and (values >= limit).sum() >= least_people / 2:
            kept.append(limit)
    return tuple(kept)


def places(values: np.ndarray, limits: tuple[float, ...]) -> np.ndarray:
    """The bin of each value, from 0; -1 where there is none."""
    found = np.searchsorted(np.array(limits), values, side="right")
    return np.where(np.isfinite(values), found, -1)
