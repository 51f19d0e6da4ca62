"""A policy that widens the floor or cannot be meant is refused with file and line, before any data is read."""

import datetime as dt

import pytest

from jobs.lake.config import REPOSITORY
from jobs.rules.policy import PolicyError, allowed_since, compile_policy, pairs_in, parse

TEXT = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
REFUSED = [
    ("    since: 2000-01-01            #", "    since: 2000-01-01T10:00:00 #", "since"),
    ("statute_years: 6", "statute_years: true", "statute_years"),
    ("statute_years: 6", "statute_years: 7", "statute_years"),
    ("landing_days: 90", "landing_days: true", "landing_days"),
    ("dispute_extensions: []", "dispute_extensions: all", "list of words"),
    ("dispute_extensions: []", "dispute_extensions: [1]", "list of words"),
    ("currency: EUR", "currency: euro", "ISO 4217"),
    ("recipients: [demo-insurer]", "recipients: [../../etc]", "names a folder"),
    ("recipient: company-registry", "recipient: ../x", "names a folder"),
    ("legal_basis, ordered_on, expires_on, debt_minor, currency]", "case_number]", "sent from tax"),
    ("authority, legal_basis, case_number", "penalty_points, case_number", "sent from court"),
    ("[national_id, family_name", "[national_id, national_id", "twice"),
    ("currency: EUR", "currency: EUR\ndeny: []", "outside the floor"),
]


@pytest.mark.parametrize(("old", "new", "said"), REFUSED)
def test_a_policy_is_refused_with_its_line(old, new, said):
    assert old in TEXT
    with pytest.raises(PolicyError, match=r"^policy\.yaml:[0-9]+: ") as caught:
        compile_policy(TEXT.replace(old, new, 1), "policy.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "a", "\x00", "a: b: c", "{", "!!python/object:os.system x"])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(PolicyError, match=r"^policy\.yaml:1: [^\n]+$"):
        compile_policy(text, "policy.yaml")


def test_a_pair_counts_from_the_night_that_first_had_it():
    """What the first published policy allowed counts from the purpose's own day."""
    days = [dt.date(2026, 1, d) for d in (1, 2, 3, 4)]
    policy = compile_policy(TEXT, "policy.yaml")
    node = parse(TEXT, "policy.yaml").node
    assert pairs_in(node) == set(policy.pairs())
    added, later = ("consumer_credit", "tax", "demo-lender"), ("motor_cover", "traffic", "demo-insurer")
    every = frozenset(policy.pairs())
    before = [
        (days[0], every - {added, later}),
        (days[1], every - {later}),
        (days[2], every - {added, later}),
    ]
    found = allowed_since(policy, before, days[3])
    assert found.pop(added) == days[1]
    assert found.pop(later) == days[3]
    assert set(found.values()) == {dt.date(2000, 1, 1)}
    assert set(allowed_since(policy, [], days[0]).values()) == {dt.date(2000, 1, 1)}


def test_what_is_left_out_is_as_narrow_as_the_floor():
    shorter = TEXT.replace(
        "retention: {landing_days: 90, quarantine_days: 90, unconsented_days: 30}", "retention: {}"
    )
    policy = compile_policy(shorter.replace("dispute_extensions: []", ""), "policy.yaml")
    assert policy.retention == {"landing_days": 90, "quarantine_days": 90, "unconsented_days": 30}
    assert policy.dispute_extensions == ()
