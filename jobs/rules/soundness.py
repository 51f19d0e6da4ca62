"""What the points of a scorecard must keep to: directions that they declare, nothing missing that costs, no dead bin.

A characteristic's ``better`` says for each feature whether a ``lower`` or a ``higher`` value is better, or ``neither``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import inf, nextafter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.rules.scorecard import Characteristic

DIRECTIONS = ("lower", "higher", "neither")
SHARES_SUM = 0.01  # shares are written rounded: their sum may be off by so much


def bin_of(characteristic: Characteristic, values: Sequence[float]) -> int:
    """The place of the first bin that values match."""
    for place, one in enumerate(characteristic.bins):
        if one.below is None or all(v < limit for v, limit in zip(values, one.below, strict=True)):
            return place
    raise ValueError("a characteristic ends in the rest")


def _axis(characteristic: Characteristic, place: int) -> list[float]:
    """A value in each interval that a feature's limits make, rising."""
    limits = sorted({b.below[place] for b in characteristic.bins if b.below is not None})
    finite = [v for v in limits if v < inf]
    return [nextafter(finite[0], -inf), *finite] if finite else [0.0]


def unreached(characteristic: Characteristic) -> int | None:
    """The place of a bin that the bins before it cover whole: it overlaps them; None where each has its own cells."""
    axes = [_axis(characteristic, i) for i in range(len(characteristic.features))]
    reached = {bin_of(characteristic, cell) for cell in product(*axes)}
    return next((i for i in range(len(characteristic.bins)) if i not in reached), None)


def _neighbours(characteristic: Characteristic) -> Iterator[tuple[int, int, int]]:
    """Each step up of one feature with the other as it is: the feature's place, the bin before and after."""
    axes = [_axis(characteristic, i) for i in range(len(characteristic.features))]
    for place, axis in enumerate(axes):
        others = [a for i, a in enumerate(axes) if i != place]
        for other, (low, high) in product(product(*others), pairwise(axis)):
            before, after = list(other), list(other)
            before.insert(place, low)
            after.insert(place, high)
            yield place, bin_of(characteristic, before), bin_of(characteristic, after)


def contradicts(characteristic: Characteristic) -> tuple[str, int] | None:
    """A feature and the place of a bin whose points go against the declared direction; None where none does."""
    for place, before, after in _neighbours(characteristic):
        gain = characteristic.bins[after].points - characteristic.bins[before].points
        better = characteristic.better[place] if characteristic.better else "neither"
        if (better == "lower" and gain > 0) or (better == "higher" and gain < 0):
            return characteristic.features[place], after
    return None


def opposed(characteristics: Sequence[Characteristic]) -> tuple[int, str] | None:
    """The place of a characteristic that declares the opposite of one before it, and the feature; None without."""
    known: dict[str, str] = {}
    for place, one in enumerate(characteristics):
        for feature, better in zip(one.features, one.better, strict=False):
            if better != "neither" and known.setdefault(feature, better) != better:
                return place, feature
    return None


def mean_points(characteristic: Characteristic) -> float:
    """Points of the bins, weighted by their shares of the development population, by equal ones where none is given."""
    shares = [b.share for b in characteristic.bins]
    if None in shares:
        return sum(b.points for b in characteristic.bins) / len(shares)
    known = [s for s in shares if s is not None]
    return sum(s * b.points for s, b in zip(known, characteristic.bins, strict=True)) / sum(known)
