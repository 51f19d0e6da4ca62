"""A satisfied or ended record never costs more than an open one (RULES, "In scores"): scorecards are held to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.rules.scorecard import Characteristic

# What falls when a record is satisfied, discharged or ends; zero when none is left.
OPEN = (
    "insolvencies",
    "tax_debt_minor",
    "tax_in_arrears",
    "penalty_points_minor",
    "penalty_points_serious",
    "driving_disqualifications",
)
# A judgment that is satisfied moves from the first to the second; of the last none is left, the third is missing.
JUDGMENTS = ("judgments_unsatisfied", "judgments_satisfied", "months_since_judgment")
Values = dict[str, float | None]


def _points(characteristic: Characteristic, values: Values) -> int:
    found = [values[f] for f in characteristic.features]
    known = [v for v in found if v is not None]
    if len(known) < len(found):
        return characteristic.neutral
    return next(
        b.points
        for b in characteristic.bins
        if b.below is None or all(v < limit for v, limit in zip(known, b.below, strict=True))
    )


def _values(characteristics: Sequence[Characteristic], feature: str) -> list[float]:
    """A value in each bin of a feature: nothing, and each limit that a bin has."""
    limits = {
        b.below[c.features.index(feature)]
        for c in characteristics
        if feature in c.features
        for b in c.bins
        if b.below is not None
    }
    return sorted({0.0} | {v for v in limits if 0 < v < inf})


def _least_gain(characteristic: Characteristic, before: Values, after: Values) -> int:
    """The fewest points that a step brings, whatever the other feature of a pair is."""
    others = [f for f in characteristic.features if f not in before]
    choices = product(*(_values([characteristic], f) for f in others))
    return min(
        _points(characteristic, {**after, **dict(zip(others, choice, strict=True))})
        - _points(characteristic, {**before, **dict(zip(others, choice, strict=True))})
        for choice in choices
    )


def _steps(characteristics: Sequence[Characteristic]) -> Iterator[tuple[Values, Values]]:
    """Each way in which one record less is open: values before, values after."""
    for feature in OPEN:
        values = _values(characteristics, feature)
        for low, high in pairwise(values):
            yield {feature: high}, {feature: low}
    unsatisfied, satisfied, months = JUDGMENTS
    most = int(max(_values(characteristics, unsatisfied))) + 1
    ages = _values(characteristics, months)
    for n, paid in product(range(1, most + 1), _values(characteristics, satisfied)):
        for place, age in enumerate(ages):
            before: Values = {unsatisfied: n, satisfied: paid, months: age}
            left: Sequence[float | None] = ages[place:] if n > 1 else [None]  # the newest may be the one
            for older, more in product(left, (paid, paid + 1)):
                yield before, {unsatisfied: n - 1, satisfied: more, months: older}


def costs_more(characteristics: Sequence[Characteristic]) -> int | None:
    """The place of a characteristic by which a satisfied or ended record costs more; None where there is none."""
    for before, after in _steps(characteristics):
        gains = {
            i: _least_gain(c, before, after)
            for i, c in enumerate(characteristics)
            if set(c.features) & set(before)
        }
        if sum(gains.values()) < 0:
            return min(gains, key=lambda i: gains[i])
    return None
