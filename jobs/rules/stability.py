"""How far a distribution has moved: the population stability index and when it says something.

PSI and its conventional limits: Siddiqi, Credit Risk Scorecards (2006), ch. 8. When nothing moved, PSI over
``1/n + 1/m`` is chi-square distributed with one degree less than there are buckets: Yurdakul and Naranjo, "Statistical
properties of the population stability index", Journal of Risk Model Validation 14(4), 2020.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from scipy.special import chdtri  # scipy.stats takes a second to load, in each task of a night

MOVED, MOVED_FAR = 0.10, 0.25
# Of a thousand quiet comparisons one is called moved.
CHANCE = 0.999
# Below so many people a share of one bucket says nothing.
LEAST_PEOPLE = 100
# Scores outside 350..950 are cut: points that seldom count are points wrongly scaled.
CUT, CUT_OFTEN = 0.01, 0.05
RATE, RATE_FAR = 0.10, 0.25


def psi(expected: Mapping[str, int], actual: Mapping[str, int]) -> float:
    """The population stability index of two counts by bucket; half a person is added to each bucket.

    ValueError when either counts nobody.
    """
    buckets = expected.keys() | actual.keys()
    n, m = sum(expected.values()), sum(actual.values())
    if not n or not m:
        raise ValueError("a distribution without people")
    total = 0.0
    for bucket in sorted(buckets):
        e = (expected.get(bucket, 0) + 0.5) / (n + 0.5 * len(buckets))
        a = (actual.get(bucket, 0) + 0.5) / (m + 0.5 * len(buckets))
        total += (a - e) * math.log(a / e)
    return total


def by_chance(buckets: int, n: int, m: int) -> float:
    """The index that nothing but chance exceeds once in a thousand times."""
    return float(chdtri(max(buckets - 1, 1), 1 - CHANCE)) * (1 / n + 1 / m)


def severity_of_psi(value: float, buckets: int, n: int, m: int) -> str:
    """``ok``, ``warning``, ``critical``, or ``few`` where there are too few people to tell."""
    if min(n, m) < LEAST_PEOPLE:
        return "few"
    if value <= max(MOVED, by_chance(buckets, n, m)):
        return "ok"
    return "critical" if value > MOVED_FAR else "warning"


def severity_of_rate(difference: float, n: int, m: int) -> str:
    """The same of a rate's difference from its reference."""
    if min(n, m) < LEAST_PEOPLE:
        return "few"
    if abs(difference) <= RATE:
        return "ok"
    return "critical" if abs(difference) > RATE_FAR else "warning"


def severity_of_cut(share: float, n: int) -> str:
    """The same of the share of scores cut at the ends of the range."""
    if n < LEAST_PEOPLE:
        return "few"
    if share <= CUT:
        return "ok"
    return "critical" if share > CUT_OFTEN else "warning"
