"""Points tables from outcomes, by cyclic boosting: a sum of tables, monotone where their sentences promise a direction.

Each step is a small monotone tree over one table's cells (scikit-learn), so that their sum is such a table again: the
generalised additive model with pairs of Lou et al. (KDD 2013), on bins that a person can read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.tree import DecisionTreeRegressor

from jobs.development.limits import limits, places

SEED = 20051001
DIRECTION = {"higher": 1, "lower": -1, "neither": 0}


@dataclass(frozen=True)
class Shape:
    """One or two features of a table, which way each is better, and at most how many bins of each."""

    features: tuple[str, ...]
    better: tuple[str, ...]
    most: tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """A shape with its limits, and the log-odds of a good outcome that each cell adds (one axis a feature)."""

    shape: Shape
    limits: tuple[tuple[float, ...], ...]
    values: np.ndarray

    def cells(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The flat cell of each person, -1 where a value is missing."""
        found = [places(columns[f], at) for f, at in zip(self.shape.features, self.limits, strict=True)]
        flat = found[0]
        for at, more in zip(self.limits[1:], found[1:], strict=True):
            flat = np.where((flat < 0) | (more < 0), -1, flat * (len(at) + 1) + more)
        return flat


@dataclass(frozen=True)
class Effort:
    """How the boosting is done; the defaults were found by cross-validation (examples/uci_credit_card/README.md)."""

    rounds: int = 60
    rate: float = 0.2
    leaves: int = 6
    least_share: float = 0.01
    bags: int = 4
    bag: float = 0.8


def _grid(table: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """The places of every cell of a table, one row a cell."""
    sizes = [len(at) + 1 for at in table]
    return np.indices(sizes).reshape(len(sizes), -1).T.astype(np.float32)


def _boosted(
    cells: Sequence[np.ndarray],
    grids: Sequence[np.ndarray],
    directions: Sequence[Sequence[int]],
    good: np.ndarray,
    effort: Effort,
) -> list[np.ndarray]:
    """The values of each table's cells: round after round, each table takes a small step to what the others leave."""
    share = float(good.mean())
    said = np.full(len(good), np.log(share / (1 - share)))
    values = [np.zeros(len(g)) for g in grids]
    known = [c >= 0 for c in cells]
    flat = [c[k] for c, k in zip(cells, known, strict=True)]
    people = [np.bincount(f, minlength=len(g)) for f, g in zip(flat, grids, strict=True)]
    for _ in range(effort.rounds):
        for i, grid in enumerate(grids):
            if not people[i].sum() or len(grid) == 1:
                continue
            chance = expit(said[known[i]])
            weight = np.bincount(flat[i], weights=chance * (1 - chance), minlength=len(grid))
            gradient = np.bincount(flat[i], weights=good[known[i]] - chance, minlength=len(grid))
            held = people[i] > 0
            tree = DecisionTreeRegressor(
                max_leaf_nodes=effort.leaves,
                min_weight_fraction_leaf=effort.least_share,
                monotonic_cst=list(directions[i]),
                random_state=SEED,
            ).fit(grid[held], gradient[held] / weight[held], sample_weight=weight[held])
            step = effort.rate * tree.predict(grid)
            step -= (step * people[i]).sum() / people[i].sum()  # who has no value stays at the mean
            values[i] += step
            said[known[i]] += step[flat[i]]
    return values


def tables(
    columns: Mapping[str, np.ndarray], bad: np.ndarray, shapes: Sequence[Shape], least: int, effort: Effort
) -> list[Table]:
    """A table a shape; a missing value adds nothing. The same people in the same order give the same tables."""
    made = []
    for s in shapes:
        at = tuple(limits(columns[f], bad, m, least) for f, m in zip(s.features, s.most, strict=True))
        made.append(Table(s, at, np.zeros([len(edges) + 1 for edges in at])))
    cells = [t.cells(columns) for t in made]
    grids = [_grid(t.limits) for t in made]
    directions = [[DIRECTION[b] for b in s.better] for s in shapes]
    random = np.random.default_rng(SEED)
    total = [np.zeros(len(g)) for g in grids]
    for _ in range(effort.bags):
        chosen = np.sort(random.choice(len(bad), int(effort.bag * len(bad)), replace=False))
        found = _boosted([c[chosen] for c in cells], grids, directions, 1 - bad[chosen], effort)
        total = [t + v / effort.bags for t, v in zip(total, found, strict=True)]
    return [Table(t.shape, t.limits, v.reshape(t.values.shape)) for t, v in zip(made, total, strict=True)]
