"""When a distribution has moved, and when it only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.stability import psi, severity_of_cut, severity_of_psi, severity_of_rate

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 5000), min_size=1).filter(
    lambda c: sum(c.values())
)


@given(COUNTS, COUNTS)
def test_nothing_is_below_zero_and_order_does_not_matter(one, other):
    assert psi(one, other) >= -1e-12
    assert psi(one, one) == pytest.approx(0)
    assert psi(dict(reversed(one.items())), other) == pytest.approx(psi(one, other))


def test_an_index_worked_by_hand():
    # Siddiqi's form: the sum of (actual - expected) * ln(actual / expected)
    assert psi({"A": 5000, "B": 5000}, {"A": 7000, "B": 3000}) == pytest.approx(0.1694, abs=2e-3)


@pytest.mark.parametrize(
    ("value", "buckets", "n", "m", "severity"),
    [
        (0.05, 10, 10_000, 10_000, "ok"),
        (0.15, 10, 10_000, 10_000, "warning"),
        (0.30, 10, 10_000, 10_000, "critical"),
        (0.15, 10, 200, 200, "ok"),  # so far two small groups differ by chance
        (0.90, 10, 99, 10_000, "few"),
    ],
)
def test_severity(value, buckets, n, m, severity):
    assert severity_of_psi(value, buckets, n, m) == severity


def test_rates():
    assert [severity_of_rate(d, 500, 500) for d in (0.05, -0.15, 0.4)] == ["ok", "warning", "critical"]
    assert severity_of_rate(0.4, 50, 500) == "few"
    assert [severity_of_cut(s, 500) for s in (0.0, 0.02, 0.2)] == ["ok", "warning", "critical"]
