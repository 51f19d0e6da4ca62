"""Gini, its interval and the Kolmogorov-Smirnov distance, held against what is known by hand and by other libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ks_2samp, somersd

from jobs.rules.ranking import gini, ks, share_interval

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
    good, bad, expected, distance = (cell.split() for cell in line.split("|"))
    scores = np.array([*good, *bad], dtype=float)
    outcomes = np.array([0] * len(good) + [1] * len(bad))
    assert gini(scores, outcomes)[0] == pytest.approx(float(expected[0]))
    assert ks(scores, outcomes) == pytest.approx(float(distance[0]))


ROWS = st.lists(st.tuples(st.integers(350, 360), st.integers(0, 1)), min_size=4, max_size=40)


# of one score alone Somers' D is not defined there; ours is 0, as the table says
@given(ROWS.filter(lambda rows: len({b for _, b in rows}) == 2 and len({s for s, _ in rows}) > 1))
def test_it_is_somers_d_of_the_score_by_the_outcome(rows):
    score, bad = (np.array(v) for v in zip(*rows, strict=True))
    value, low, high = gini(score, bad)
    assert value == pytest.approx(-somersd(bad, score).statistic)
    assert ks(score, bad) == pytest.approx(
        ks_2samp(score[bad == 0], score[bad == 1], method="asymp").statistic
    )
    assert -1 <= low <= value + 1e-12
    assert value - 1e-12 <= high <= 1


def test_the_interval_covers_what_is_true_about_as_often_as_it_says():
    """Normal scores one standard deviation apart: AUC is Phi(1 / sqrt 2), so Gini is 0.5205."""
    draw = np.random.default_rng(7)
    bad = (np.arange(400) < 120).astype(int)
    covered = 0
    for _ in range(300):
        _, low, high = gini(draw.normal(size=400) - bad, bad)
        covered += low <= 0.5205 <= high
    assert 275 <= covered <= 297  # 95 % of 300, within four standard errors


@pytest.mark.parametrize("measure", [gini, ks])
def test_one_outcome_tells_nothing(measure):
    with pytest.raises(ValueError, match="one outcome"):
        measure(np.array([1.0, 2.0]), np.array([1, 1]))


@pytest.mark.parametrize(("count", "people"), [(0, 10), (3, 10), (10, 10), (40, 1000)])
def test_the_interval_of_a_share_is_wilsons(count, people):
    known = binomtest(count, people).proportion_ci(method="wilson")
    assert share_interval(count, people) == pytest.approx((known.low, known.high))


def test_of_nobody_a_share_can_be_anything():
    assert share_interval(0, 0) == (0.0, 1.0)
