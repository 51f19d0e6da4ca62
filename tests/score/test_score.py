"""Nothing missing costs points; a score and its reasons can be computed again from the row."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.lake.config import REPOSITORY, load_policy
from jobs.lake.scorecards import load_scorecards
from jobs.rules.compiler import compile_scorecard
from jobs.rules.policy import PolicyError
from jobs.score import scores
from schemas.features import FEATURES, NAMES
from tests.tables import local

NIGHT = dt.date(2026, 11, 20)
POLICY = load_policy()
CARDS = load_scorecards(POLICY)
VALUE = st.one_of(st.none(), st.sampled_from([0.0, 0.04, 0.3, 0.5, 0.9, 1.0, 2.0, 5.0, 12.0, 99.0, 120.0]))


def by_hand(card, row):
    """A scorecard read as a person reads it."""
    points = []
    for c in card.characteristics:
        values = [row[f] for f in c.features]
        if any(v is None for v in values):
            points.append(c.neutral)
            continue
        points.append(
            next(
                b.points
                for b in c.bins
                if b.below is None or all(v < x for v, x in zip(values, b.below, strict=True))
            )
        )
    total = max(350, min(950, card.base + sum(points)))
    short = sorted(
        (p - c.neutral, i)
        for i, (p, c) in enumerate(zip(points, card.characteristics, strict=True))
        if p < c.neutral
    )
    return total, points, [card.characteristics[i].code for _, i in short[:4]]


PEOPLE = st.lists(st.fixed_dictionaries({n: VALUE for n in NAMES}), min_size=30, max_size=30)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=PEOPLE)
def test_every_row_adds_up_by_hand(spark, people):
    rows = [
        {
            "person_id": i,
            "purpose": p,
            "recipient": "x",
            **values,
            "sources_used": list(c.required),
            "suspended": [],
        }
        for i, values in enumerate(people)
        for p, c in CARDS.items()
    ]
    given_rows = local(spark, FEATURES.ddl(), rows)
    for s in scores(given_rows, CARDS, NIGHT).collect():
        card, row = CARDS[s["purpose"]], people[s["person_id"]]
        enough = all((row[n] or 0) >= least for n, least in card.minimum)
        assert s["status"] == ("scored" if enough else "no_score")
        if enough:
            assert (s["score"], list(s["points"]), list(s["reasons"])) == by_hand(card, row)
            assert s["band"] == next(b for b, low in card.bands if s["score"] >= low)
        else:
            assert (s["score"], s["band"], s["points"], s["no_score_reason"]) == (
                None,
                None,
                None,
                "thin_file",
            )


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({n: VALUE for n in NAMES}), st.sampled_from(NAMES))
def test_what_is_missing_scores_its_neutral_points(row, name):
    for card in CARDS.values():
        _, points, reasons = by_hand(card, {**row, name: None})
        for c, p in zip(card.characteristics, points, strict=True):
            if name in c.features:
                assert p == c.neutral
                assert c.code not in reasons


def test_an_absent_required_source_is_no_score(spark):
    row = {n: 0.0 for n in NAMES} | {
        "person_id": 1,
        "purpose": "study_finance",
        "recipient": "x",
        "sources_used": [],
        "suspended": [],
    }
    made = scores(local(spark, FEATURES.ddl(), [row]), CARDS, NIGHT).first()
    assert (made["status"], made["no_score_reason"], made["reasons"]) == ("no_score", "source_absent", None)


TEXT = (REPOSITORY / "scorecards" / "motor_cover.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("purpose: motor_cover", "purpose: threat_level", "outside the floor"),
        ("feature: penalty_points_minor", "feature: months_late", "not allowed for motor_cover"),
        ("feature: penalty_points_minor", "feature: [months_late, months_late]", "one feature by a word"),
        ("feature: penalty_points_minor", "feature: {a: b}", "one feature by a word"),
        ("optional: []", "optional: [[court]]", "may not read ['court']"),
        ("optional: []", "optional: [court]", "may not read 'court'"),
        ("required: [traffic]", "required: []", "requires traffic"),
        ("neutral: 0", "neutral: low", "whole number"),
        ("{below: 8, points: -30}", "{below: 2, points: -30}", "must rise"),
        ("      - {points: -60}\n", "", "the last bin is the rest"),
        ("points: -110", "points: -110.5", "whole number"),
        ("E: 350", "E: 300", "E must start at 350"),
        ("code: SERIOUS_POINTS", "code: MINOR_POINTS", "stands twice"),
        ("base: 650", "base: 650\nage_points: 3", "unknown"),
    ],
)
def test_a_scorecard_beyond_the_floor_names_file_and_line(old, new, said):
    assert old in TEXT
    with pytest.raises(PolicyError, match=r"^card\.yaml:\d+: ") as caught:
        compile_scorecard(TEXT.replace(old, new, 1), "card.yaml", POLICY)
    assert said in str(caught.value)
