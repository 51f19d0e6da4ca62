"""Gini, its interval and the Kolmogorov-Smirnov distance, held against what is known by hand and by other libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import somersd

from jobs.rules.discrimination import Discrimination, discrimination

TABLE = """
scores of the good | scores of the bad | gini | ks
700 800            | 500 600           | 1    | 1
500 600            | 700 800           | -1   | 1
600 600            | 600 600           | 0    | 0
500 700            | 600               | 0    | 0.5
600 700 800 900    | 600 650           | 0.625 | 0.75
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines()[1:])
def test_ties_count_half(line):
    good, bad, gini, ks = (cell.split() for cell in line.split("|"))
    scores = np.array([*good, *bad], dtype=float)
    found = discrimination(scores, np.array([False] * len(good) + [True] * len(bad)))
    assert (found.people, found.bad) == (len(good) + len(bad), len(bad))
    assert (found.gini, found.ks) == pytest.approx((float(gini[0]), float(ks[0])))


ROWS = st.lists(st.tuples(st.integers(350, 360), st.booleans()), min_size=4, max_size=40)


# of one score alone Somers' D is not defined there; ours is 0, as the table says
@given(ROWS.filter(lambda rows: len({b for _, b in rows}) == 2 and len({s for s, _ in rows}) > 1))
def test_it_is_somers_d_of_the_score_by_the_outcome(rows):
    score, bad = (np.array(v) for v in zip(*rows, strict=True))
    found = discrimination(score, bad)
    assert found.gini == pytest.approx(-somersd(bad, score).statistic)
    assert -1 <= found.gini_low <= found.gini <= found.gini_high <= 1


def test_the_interval_covers_what_is_true_about_as_often_as_it_says():
    """Normal scores one standard deviation apart: AUC is Phi(1 / sqrt 2), so Gini is 0.5205."""
    draw = np.random.default_rng(7)
    bad = np.arange(400) < 120
    covered = 0
    for _ in range(300):
        found = discrimination(draw.normal(size=400) - bad, bad)
        covered += found.gini_low <= 0.5205 <= found.gini_high
    assert 275 <= covered <= 297  # 95 % of 300, within four standard errors


def test_one_outcome_tells_nothing():
    with pytest.raises(ValueError, match="one outcome"):
        discrimination(np.array([1.0, 2.0]), np.array([True, True]))


@pytest.mark.parametrize(
    ("low", "high", "bad", "expected", "severity"),
    [
        (0.5, 0.6, 100, None, "ok"),
        (0.5, 0.6, 100, 0.58, "ok"),
        (0.4, 0.5, 100, 0.58, "warning"),
        (-0.1, 0.5, 100, None, "critical"),
        (-0.1, 0.5, 49, None, "few"),
    ],
)
def test_severity(low, high, bad, expected, severity):
    found = Discrimination(1000, bad, (low + high) / 2, low, high, 0.3)
    assert found.severity(expected) == severity
