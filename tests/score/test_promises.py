"""What the shipped scorecards promise a person: what helps never costs, and what is missing never costs."""

from math import inf, nextafter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.rules.soundness import bin_of, mean_points
from schemas.features import NAMES
from tests.score.test_score import CARDS, by_hand

CHARACTERISTICS = [(p, c.code) for p, card in CARDS.items() for c in card.characteristics]


def limits(feature):
    """Every limit that a card has for a feature."""
    return sorted(
        {
            b.below[c.features.index(feature)]
            for card in CARDS.values()
            for c in card.characteristics
            if feature in c.features
            for b in c.bins
            if b.below is not None and b.below[c.features.index(feature)] < inf
        }
    )


def values(feature):
    """A value on and just below each limit, and far off: all that a card can tell apart."""
    return sorted({0.0, 1e7} | {v for x in limits(feature) for v in (x, nextafter(x, -inf))})


ROWS = st.fixed_dictionaries({n: st.sampled_from([None, *values(n)]) for n in NAMES})


def one(purpose, code):
    return next(c for c in CARDS[purpose].characteristics if c.code == code)


def best(characteristic):
    """Values of the best bin."""
    cells = [[]]
    for f in characteristic.features:
        cells = [[*c, v] for c in cells for v in values(f)]
    return max(cells, key=lambda c: characteristic.bins[bin_of(characteristic, c)].points)


@pytest.mark.parametrize(("purpose", "code"), CHARACTERISTICS)
@settings(max_examples=60, deadline=None)
@given(row=ROWS)
def test_the_best_bin_never_lowers_the_score_and_removes_the_reason(purpose, code, row):
    card, characteristic = CARDS[purpose], one(purpose, code)
    before, _, _ = by_hand(card, row)
    raised = {**row, **dict(zip(characteristic.features, best(characteristic), strict=True))}
    after, _, reasons = by_hand(card, raised)
    assert after >= before
    assert code not in reasons


@pytest.mark.parametrize(("purpose", "code"), CHARACTERISTICS)
@settings(max_examples=60, deadline=None)
@given(row=ROWS, place=st.integers(0, 1), step=st.tuples(st.integers(0, 200), st.integers(0, 200)))
def test_a_better_value_never_lowers_the_score(purpose, code, row, place, step):
    """In the direction that is declared, whatever the rest of the row is."""
    card, characteristic = CARDS[purpose], one(purpose, code)
    place %= len(characteristic.features)
    feature, better = characteristic.features[place], characteristic.better[place]
    known = values(feature)
    low, high = sorted(known[s % len(known)] for s in step)
    worse, good = (high, low) if better == "lower" else (low, high)
    if better != "neither":
        assert by_hand(card, {**row, feature: good})[0] >= by_hand(card, {**row, feature: worse})[0]


@pytest.mark.parametrize(("purpose", "code"), CHARACTERISTICS)
@settings(max_examples=60, deadline=None)
@given(row=ROWS)
def test_what_is_missing_never_lowers_the_score_below_the_average_of_its_bins(purpose, code, row):
    card, characteristic = CARDS[purpose], one(purpose, code)
    silent = {**row, **dict.fromkeys(characteristic.features)}
    _, points, reasons = by_hand(card, silent)
    place = card.characteristics.index(characteristic)
    assert points[place] == characteristic.neutral >= mean_points(characteristic)
    assert code not in reasons


@pytest.mark.parametrize("purpose", sorted(CARDS))
def test_silence_alone_is_band_c_or_better(purpose):
    card = CARDS[purpose]
    score, _, reasons = by_hand(card, dict.fromkeys(NAMES))
    assert score >= dict(card.bands)["C"]
    assert reasons == []


@pytest.mark.parametrize("purpose", sorted(CARDS))
def test_each_feature_counts_in_one_place(purpose):
    """So that what helps in one characteristic cannot cost in another."""
    used = [f for c in CARDS[purpose].characteristics for f in c.features]
    assert sorted(set(used)) == sorted(used)
