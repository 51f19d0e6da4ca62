"""A compiled scorecard, and the points it gives a row. Its file is read in :mod:`jobs.rules.compiler`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.rules import floor

BANDS = floor.BANDS


@dataclass(frozen=True)
class Bin:
    """Values below ``below`` (one limit a feature; None: the rest) score ``points``; ``share`` of the developed on."""

    below: tuple[float, ...] | None
    points: int
    share: float | None = None


@dataclass(frozen=True)
class Characteristic:
    """One or two features, the points of each bin, the points where a value is missing, and the reason.

    ``better``: the declared direction a feature; empty where none is declared. ``basis``: what the points rest on.
    """

    features: tuple[str, ...]
    neutral: int
    code: str
    text: str
    bins: tuple[Bin, ...]
    better: tuple[str, ...] = ()
    basis: str | None = None


@dataclass(frozen=True)
class Scorecard:
    """A compiled scorecard; ``sha256`` is of the file's bytes."""

    purpose: str
    version: str
    base: int
    bands: tuple[tuple[str, int], ...]  # from the highest
    required: tuple[str, ...]
    optional: tuple[str, ...]
    minimum: tuple[tuple[str, float], ...]
    characteristics: tuple[Characteristic, ...]
    text: str
    sha256: str


def points(characteristic: Characteristic) -> Column:
    """Points of a characteristic: neutral where a value is missing, else the first bin that matches."""
    missing = reduce(lambda a, b: a | b, [F.col(f).isNull() for f in characteristic.features])
    out = F.when(missing, F.lit(characteristic.neutral))
    for one in characteristic.bins:
        if one.below is None:
            return out.otherwise(F.lit(one.points))
        match = reduce(
            lambda a, b: a & b,
            [F.col(f) < F.lit(limit) for f, limit in zip(characteristic.features, one.below, strict=True)],
        )
        out = out.when(match, F.lit(one.points))
    raise ValueError("a characteristic ends in the rest")


def scorecard_versions(scorecards: dict[str, Scorecard]) -> dict[str, dict[str, str]]:
    """Each purpose's scorecard: version and SHA-256 of its file."""
    return {p: {"version": c.version, "sha256": c.sha256} for p, c in sorted(scorecards.items())}
