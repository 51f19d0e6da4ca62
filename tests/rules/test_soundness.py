"""Points that cost who is silent, go against their promise, overlap or are no number are refused with file and line."""

import re

import pytest

from jobs.lake.config import REPOSITORY, load_policy
from jobs.rules.compiler import compile_scorecard
from jobs.rules.policy import PolicyError

POLICY = load_policy()
CARDS = {p.stem: p.read_text(encoding="utf-8") for p in (REPOSITORY / "scorecards").glob("*.yaml")}
PAIR = """
  - features: [cash_share, income_months]
    better: [lower, higher]
    neutral: 0
    reason: {code: X, text: x}
    bins:
      - {below: [0.5, 6], points: -5, share: 0.25}
      - {below: [0.5, .inf], points: 5, share: 0.25}
      - {below: [.inf, 6], points: -10, share: 0.25}
      - {points: 0, share: 0.25}
"""
OTHER = "  - feature: {}\n    better: {}\n    neutral: 0\n    reason: {{code: Y, text: y}}\n    bins: [{{points: 0}}]\n"
MOTOR, CREDIT = CARDS["motor_cover"], CARDS["consumer_credit"] + PAIR.lstrip("\n")
REFUSED = [
    # text, what is replaced, by what, the line that is named counted from the replaced one, what is said
    (CREDIT, "{below: [0.5, .inf], points: 5", "{below: [0.4, 3], points: 5", 0, "never reached"),
    (CREDIT, "{below: [.inf, 6], points: -10", "{below: [.inf, .inf], points: -10", 0, "one at least a limit"),
    (CREDIT, "{below: [.inf, 6], points: -10", "{below: [.inf, 6], points: 4", 0, "contradict"),
    (CREDIT, "{below: [0.5, 6], points: -5", "{below: [0.5, 6], points: 6", 1, "contradict"),
    (CREDIT, "      - {points: 0, share: 0.25}", "      - {below: [.inf, 9], points: 0, share: 0.25}", 0, "the last bin is the rest"),
    (CREDIT, "points: -5, share: 0.25", "points: -5", -1, "each bin its share"),
    (CREDIT, "points: -5, share: 0.25", "points: -5, share: 0.3", -1, "1 in sum"),
    (CREDIT, "points: -5, share: 0.25", "points: -5, share: 1.25", 0, "from 0 to 1"),
    (CREDIT, "points: -5, share: 0.25", "points: -5, share: .nan", 0, "from 0 to 1"),
    (CREDIT, "better: [lower, higher]", "better: [lower]", 0, "of 2 feature(s)"),
    (CREDIT, "better: [lower, higher]", "better: [lower, upwards]", 0, "better must say"),
    (CREDIT, "code: X,", "code: HEALTH_POOR,", 0, "denied word 'health'"),
    (CREDIT, "features: [cash_share, income_months]", "features: [cash_share, gender]", 0, "denied word 'gender'"),
    (CREDIT, "features: [cash_share, income_months]", "features: [cash_share, income_years]", 0, "not allowed"),
    (CREDIT, "features: [cash_share, income_months]", "features: [cash_share, penalty_points_minor]", 0, "not allowed"),
    (MOTOR, "{below: 4, points: 0}", "{below: 4, points: -31}", 1, "contradict the declared direction"),
    (MOTOR, "{below: 4, points: 0}", "{below: 1, points: 0}", -2, "must rise"),
    (MOTOR, "{below: 4, points: 0}", "{below: 4, points: .nan}", 0, "whole number"),
    (MOTOR, "neutral: 0", "neutral: .nan", 0, "whole number"),
    (MOTOR, "neutral: 0", "neutral: -13", 0, "below -12.50, the mean of the bins"),
    (MOTOR, "neutral: 0", "neutral: 41", 0, "above every bin"),
    (MOTOR, "base: 650", "base: 629", 0, "below band C (630)"),
    (MOTOR, "basis: expert", "basis: wish", 0, "basis must be"),
    (MOTOR, "purpose: motor_cover", "purpose: motor_cover\n  - x: [", 1, "not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "further", "said"), REFUSED)
def test_unsound_points_are_refused_with_file_and_line(text, old, new, further, said):
    place = text.rindex(old) if text is CREDIT else text.index(old)
    changed = text[:place] + new + text[place + len(old) :]
    line = text[:place].count("\n") + 1 + further
    with pytest.raises(PolicyError) as caught:
        compile_scorecard(changed, "card.yaml", POLICY)
    found = re.match(r"card\.yaml:(\d+): ", str(caught.value))
    assert found, str(caught.value)
    assert said in str(caught.value)
    assert int(found[1]) == line


def test_what_is_sound_compiles():
    card = compile_scorecard(CREDIT, "card.yaml", POLICY)
    assert [b.points for b in card.characteristics[-1].bins] == [-5, 5, -10, 0]
    assert compile_scorecard(MOTOR, "card.yaml", POLICY)


def test_an_experts_points_need_a_direction_and_its_reason():
    for gone in ("    better: lower\n", '    because: "who may not drive'):
        place = MOTOR.rindex(gone)
        end = MOTOR.index("\n", place + len(gone) - 1) + 1
        with pytest.raises(PolicyError, match="because"):
            compile_scorecard(MOTOR[:place] + MOTOR[end:], "card.yaml", POLICY)


def test_a_feature_has_one_direction_in_a_card():
    text = CARDS["motor_cover"] + OTHER.format("penalty_points_minor", "higher")
    with pytest.raises(PolicyError, match="declared the other way"):
        compile_scorecard(text, "card.yaml", POLICY)
    assert compile_scorecard(
        CARDS["motor_cover"] + OTHER.format("penalty_points_minor", "lower"), "card.yaml", POLICY
    )


@pytest.mark.parametrize("purpose", sorted(CARDS))
def test_the_shipped_cards_say_what_rests_on_outcomes_and_what_on_judgement(purpose):
    card = compile_scorecard(CARDS[purpose], "card.yaml", POLICY)
    bases = {c.basis for c in card.characteristics}
    assert bases == ({"outcomes", "expert"} if purpose == "consumer_credit" else {"expert"})
    assert all(c.better for c in card.characteristics)
    assert CARDS[purpose].startswith("#")
    if bases == {"expert"}:
        assert CARDS[purpose].splitlines()[0].startswith("# Set by experts, not developed on outcomes")
    assert CARDS[purpose].count("because: ") == sum(c.basis == "expert" for c in card.characteristics)
