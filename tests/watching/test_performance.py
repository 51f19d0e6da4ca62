"""When outcomes sound an alarm."""

import pytest

from jobs.performance import severity


@pytest.mark.parametrize(
    ("low", "high", "bad", "expected", "said"),
    [
        (0.5, 0.6, 100, None, "ok"),
        (0.5, 0.6, 100, 0.58, "ok"),
        (0.4, 0.5, 100, 0.58, "warning"),
        (-0.1, 0.5, 100, None, "critical"),
        (-0.1, 0.5, 49, None, "few"),
    ],
)
def test_severity(low, high, bad, expected, said):
    assert severity(bad, 900, low, high, expected) == said
