"""A scorecard by which a satisfied or ended record costs more than an open one is refused (RULES, "In scores")."""

import re
from math import ceil

import pytest

from jobs.lake.config import REPOSITORY, load_policy
from jobs.rules.compiler import compile_scorecard
from jobs.rules.policy import PolicyError

POLICY = load_policy()
CARDS = {p.stem: p.read_text(encoding="utf-8") for p in (REPOSITORY / "scorecards").glob("*.yaml")}
PART = "  - feature: {}\n    neutral: {}\n    reason: {{code: X, text: x}}\n    bins: [{}]\n"


def part(features, *bins):
    what = features if " " not in features else f"[{features.replace(' ', ', ')}]"
    points = [int(p) for p in re.findall(r"points: (-?\d+)", " ".join(bins))]
    text = PART.format(what, ceil(sum(points) / len(points)), ", ".join(bins))
    return text.replace("feature:", "features:") if " " in features else text


UNSATISFIED = ("{below: 1, points: 6}", "{below: 2, points: -48}", "{points: -70}")
CASES = [
    ("judgments_satisfied", ("{below: 1, points: 0}", "{points: 9}"), True),
    # paying the one that is owed brings 54
    ("judgments_satisfied", ("{below: 1, points: 0}", "{points: -60}"), False),
    # paying one of two brings 22, one of three nothing
    ("judgments_satisfied", ("{below: 1, points: 0}", "{points: -30}"), False),
    ("judgments_satisfied", ("{below: 1, points: 0}", "{points: -1}"), False),
    # an old unpaid judgment may not be worth more than none
    ("months_since_judgment", ("{below: 24, points: -20}", "{points: 0}"), True),
    ("months_since_judgment", ("{below: 24, points: -20}", "{points: 90}"), False),
    ("insolvencies", ("{below: 1, points: 0}", "{points: 90}"), False),
    ("tax_debt_minor", ("{below: 5000, points: -50}", "{points: 10}"), False),
    # of a pair, whatever the other is
    ("insolvencies utilisation", ("{below: [1, 0.5], points: 5}", "{points: -5}"), True),
    ("insolvencies utilisation", ("{below: [1, 0.5], points: -90}", "{points: 0}"), False),
]


@pytest.mark.parametrize(("features", "bins", "allowed"), CASES)
def test_paying_never_costs(features, bins, allowed):
    text = CARDS["consumer_credit"] + part(features, *bins)
    if allowed:
        assert compile_scorecard(text, "card.yaml", POLICY)
        return
    with pytest.raises(PolicyError, match=r"^card\.yaml:\d+: .*satisfied or ended"):
        compile_scorecard(text, "card.yaml", POLICY)


def test_an_ended_disqualification_never_costs():
    old = "      - {below: 1, points: 20}\n      - {points: -120}\n"
    assert old in CARDS["motor_cover"]
    text = CARDS["motor_cover"].replace(old, "      - {below: 1, points: -20}\n      - {points: 0}\n")
    with pytest.raises(PolicyError, match="driving_disqualifications"):
        compile_scorecard(text, "card.yaml", POLICY)


@pytest.mark.parametrize("limit", [".nan", ".inf", "true"])
def test_a_limit_is_a_number(limit):
    text = CARDS["motor_cover"].replace("{below: 8, points: -30}", f"{{below: {limit}, points: -30}}")
    with pytest.raises(PolicyError, match="below must give"):
        compile_scorecard(text, "card.yaml", POLICY)


def test_points_are_bounded():
    text = CARDS["motor_cover"].replace("base: 650", "base: 99999999999")
    with pytest.raises(PolicyError, match="must lie within"):
        compile_scorecard(text, "card.yaml", POLICY)
