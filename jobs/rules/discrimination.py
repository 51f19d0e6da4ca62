"""How well scores tell bad outcomes from good: Gini with its interval, and the Kolmogorov-Smirnov distance.

Gini is 2 AUC - 1, ties counted half (Somers' D); its interval is DeLong's (DeLong, DeLong and Clarke-Pearson,
Biometrics 44, 1988), by the midranks of Sun and Xu (IEEE Signal Processing Letters 21, 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import ks_2samp, norm, rankdata

# Of fewer bad outcomes the interval says nothing (Siddiqi, Credit Risk Scorecards, 2006, ch. 8, asks for hundreds).
LEAST_BAD = 50
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Discrimination:
    """Over ``people`` with ``bad`` bad outcomes: ``gini`` from ``gini_low`` to ``gini_high``, and ``ks``."""

    people: int
    bad: int
    gini: float
    gini_low: float
    gini_high: float
    ks: float

    def severity(self, expected: float | None = None) -> str:
        """``critical`` when no better than chance, ``warning`` when surely below ``expected``, else ``ok``; ``few``."""
        if min(self.bad, self.people - self.bad) < LEAST_BAD:
            return "few"
        if self.gini_low <= 0:
            return "critical"
        return "warning" if expected is not None and self.gini_high < expected else "ok"


def discrimination(score: np.ndarray, bad: np.ndarray) -> Discrimination:
    """Of scores (higher is better) against outcomes (true is bad). ValueError without both outcomes."""
    bad = np.asarray(bad, dtype=bool)
    score = np.asarray(score, dtype=float)
    bads, goods = score[bad], score[~bad]
    n, m = len(bads), len(goods)
    if not n or not m:
        raise ValueError("one outcome only")
    ranks = rankdata(score)
    # the share of goods above each bad, and of bads below each good
    above = 1 - (ranks[bad] - rankdata(bads)) / m
    below = (ranks[~bad] - rankdata(goods)) / n
    auc = float(above.mean())
    variance = sum(float(part.var(ddof=1)) / len(part) for part in (above, below) if len(part) > 1)
    width = 2 * float(norm.ppf((1 + CONFIDENCE) / 2)) * variance**0.5
    gini = 2 * auc - 1
    ks = float(ks_2samp(bads, goods, method="asymp").statistic)
    return Discrimination(n + m, n, gini, max(gini - width, -1.0), min(gini + width, 1.0), ks)
