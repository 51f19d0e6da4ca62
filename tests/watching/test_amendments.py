"""What a change of policy or scorecard says of itself."""

from jobs.rules.amendments import amendments, difference

BEFORE = {"base": 600, "sources": ["tax"], "characteristics": [{"reason": {"code": "LATE"}, "neutral": 0}]}
AFTER = {
    "base": 610,
    "sources": ["tax", "court"],
    "characteristics": [{"reason": {"code": "LATE"}, "neutral": -2}],
}


def test_each_value_that_differs_has_a_line():
    assert difference(BEFORE, AFTER) == [
        "base: 600 -> 610",
        "characteristics[LATE].neutral: 0 -> -2",
        "sources: tax -> tax, court",
    ]
    assert difference(BEFORE, BEFORE) == []


def test_what_changed_between_two_nights():
    old = {"policy": "p1", "floor": "f", "scorecard consumer_credit": "c1"}
    new = {"policy": "p1", "floor": "f", "scorecard consumer_credit": "c2", "scorecard motor_cover": "m"}
    found = amendments(old, new, {"scorecard consumer_credit": (BEFORE, AFTER)})
    assert [(f["what"], f["before"], f["after"], len(f["lines"])) for f in found] == [
        ("scorecard consumer_credit", "c1", "c2", 3),
        ("scorecard motor_cover", None, "m", 0),
    ]
    assert amendments(None, new, {}) == []
