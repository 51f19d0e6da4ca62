"""How well a score ranks and foretells: Gini with its interval, Kolmogorov-Smirnov, shares with theirs.

The interval of the Gini is that of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988); that of a share is Wilson's
(JASA 22, 1927).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

Z = float(norm.ppf(0.975))


def gini(score: NDArray[np.float64], bad: NDArray[np.int64]) -> tuple[float, float, float]:
    """Gini of scores (higher is better; ties half) against outcomes (1 is bad), and its 95 % interval.

    ValueError where there is one outcome only.
    """
    goods, bads = score[bad == 0], score[bad == 1]
    m, n = len(goods), len(bads)
    if not m or not n:
        raise ValueError("one outcome only")
    everybody = rankdata(np.concatenate([goods, bads]))
    above = (everybody[:m] - rankdata(goods)) / n  # share of bads below each good
    below = 1 - (everybody[m:] - rankdata(bads)) / m  # share of goods above each bad
    auc = float(above.mean())
    variance = float(above.var(ddof=1) / m if m > 1 else 0) + float(below.var(ddof=1) / n if n > 1 else 0)
    half = 2 * Z * math.sqrt(variance)
    value = 2 * auc - 1
    return value, max(-1.0, value - half), min(1.0, value + half)


def ks(score: NDArray[np.float64], bad: NDArray[np.int64]) -> float:
    """The largest distance between the shares of bads and of goods at or below a score; ValueError as ``gini``."""
    values, place = np.unique(score, return_inverse=True)
    goods = np.bincount(place, weights=bad == 0, minlength=len(values))
    bads = np.bincount(place, weights=bad == 1, minlength=len(values))
    if not goods.sum() or not bads.sum():
        raise ValueError("one outcome only")
    return float(np.abs(np.cumsum(bads) / bads.sum() - np.cumsum(goods) / goods.sum()).max())


def share_interval(count: int, people: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; from 0 to 1 of nobody."""
    if not people:
        return 0.0, 1.0
    share, z2 = count / people, Z * Z
    middle = (share + z2 / (2 * people)) / (1 + z2 / people)
    half = Z * math.sqrt(share * (1 - share) / people + z2 / (4 * people * people)) / (1 + z2 / people)
    return max(0.0, middle - half), min(1.0, middle + half)
