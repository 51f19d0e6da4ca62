"""What each recipient of scores holds after each night, and why (DESIGN 5 and 6; GDPR art. 7(3), 19, 22)."""

from __future__ import annotations

import json

import pytest

from jobs.lake.query import run_query
from tests.recipients.conftest import FOUR, NIGHTS, ONE, THREE, TWO

LIVE = {"bo", "cvita", "dino", "ema", "hana", "ivo", "klara", "lana"}
MOTOR, CREDIT = ("demo-insurer", "motor_cover"), ("demo-lender", "consumer_credit")


def by_person(place, recipient, purpose, night):
    return {r["who"]: r for r in place.package(recipient, purpose, night)["snapshot"]}


def test_the_first_night_waits_for_a_person(place):
    assert place.held == {"snapshot": [], "changes": []}
    assert "15 of 15 live consents are new" in place.said[ONE]
    assert "until a person approves" in place.said[ONE]
    assert place.changes(*MOTOR, ONE) == dict.fromkeys(LIVE, ("ADD", None))
    assert not any("live consents are new" in place.said[n] for n in NIGHTS[1:])


def test_a_score_reaches_only_the_recipient_that_the_consent_names(place):
    held = {
        ("demo-insurer", "motor_cover"): LIVE,
        ("demo-lender", "consumer_credit"): {"ana", "filip", "jana"},
        ("other-lender", "consumer_credit"): {"ana"},
        ("demo-student-finance", "study_finance"): set(),
    }
    for (recipient, purpose), people in held.items():
        assert set(by_person(place, recipient, purpose, ONE)) == people
    ids = {
        r: by_person(place, r, "consumer_credit", ONE)["ana"]["application_id"]
        for r in ("demo-lender", "other-lender")
    }
    assert len(set(ids.values())) == 2  # of no use to link one recipient's with another's


COLUMNS = {"who", "application_id", "national_id", "status", "score", "band", "reasons", "under_review"}


def test_a_package_holds_score_band_and_reasons_and_nothing_else(place):
    rows = by_person(place, *CREDIT, ONE)
    scores = run_query(
        place.lake, "select * from scores where recipient = 'demo-lender'", dated(ONE)
    ).to_pylist()
    assert {(r["score"], r["band"]) for r in rows.values()} == {(s["score"], s["band"]) for s in scores}
    for row in rows.values():
        assert set(row) == COLUMNS
        for reason in json.loads(row["reasons"]):
            assert set(reason) == {"code", "text"}
            assert "{value}" not in reason["text"]
    (judged,) = [r for r in json.loads(rows["ana"]["reasons"]) if "JUDGMENT" in r["code"]]
    assert "…" in judged["text"]  # her value stays with her


def dated(night):
    import datetime as dt

    return dt.date.fromisoformat(night)


# -- the same night
OUT = {
    "bo": ("REMOVE", "withdrawn"),
    "cvita": ("REMOVE", "lapsed"),
    "dino": ("REMOVE", "erased"),
    "ema": ("REMOVE", "deceased"),
    "ivo": ("REMOVE", "corrected"),
    "klara": ("CHANGE", None),
}


def test_who_drops_out_is_said_the_same_night_with_its_cause_and_once(place):
    assert place.changes(*MOTOR, TWO) == OUT
    assert set(by_person(place, *MOTOR, TWO)) == {"hana", "klara", "lana"}
    assert place.changes(*MOTOR, THREE) == {"hana": ("CHANGE", None)}
    assert place.changes(*MOTOR, FOUR) == {}


def test_an_upheld_dispute_and_an_obsolete_judgment_change_the_score_the_same_night(place):
    before, after = (by_person(place, *CREDIT, n) for n in (ONE, TWO))
    assert place.changes(*CREDIT, TWO) == {"ana": ("CHANGE", None), "filip": ("CHANGE", None)}
    for who in ("ana", "filip"):
        assert after[who]["score"] > before[who]["score"]
        assert "JUDGMENT" in before[who]["reasons"]
        assert "JUDGMENT" not in after[who]["reasons"]
        assert after[who]["application_id"] == before[who]["application_id"]
    assert place.changes("other-lender", "consumer_credit", TWO) == {}  # she let it read no court


def test_a_record_that_comes_back_certified_counts_again(place):
    assert place.changes(*CREDIT, FOUR) == {"ana": ("CHANGE", None)}
    rows = {n: by_person(place, *CREDIT, n)["ana"]["score"] for n in (ONE, THREE, FOUR)}
    assert rows[ONE] == rows[FOUR] < rows[THREE]


def test_previous_and_changes_make_the_snapshot(place):
    for recipient, purpose in (MOTOR, CREDIT):
        held: dict[str, dict] = {}
        for night in NIGHTS:
            found = place.package(recipient, purpose, night)
            for row in found["changes"]:
                change, _, _ = row.pop("change"), row.pop("cause"), row.pop("changed")
                if change == "REMOVE":
                    assert held.pop(row["application_id"])
                else:
                    held[row["application_id"]] = row
            assert [held[k] for k in sorted(held)] == found["snapshot"]


# -- attestation
def test_unattested_consents_are_scored_and_do_not_leave(place):
    scored = run_query(
        place.lake, "select count(*) as n from scores where purpose = 'motor_cover'", dated(ONE)
    )
    assert scored["n"][0].as_py() == len(LIVE) + 1
    assert "gita" not in by_person(place, *MOTOR, ONE)
    assert "1 scores rest on consents that no issuer attests" in place.said[ONE]
    assert "consents: 1 file(s) unattested" in place.said[ONE]


def test_a_consent_that_waits_for_its_issuer_leaves_what_was_sent_as_it_is(place):
    """Jana let her tax be read by an unsigned consent: the lender keeps what it has, and gets nothing new."""
    assert by_person(place, *CREDIT, FOUR)["jana"] == by_person(place, *CREDIT, ONE)["jana"]
    assert "2 scores rest on consents that no issuer attests" in place.said[TWO]


# -- review
def test_a_review_marks_the_score_and_does_not_suspend_it(place):
    rows = [by_person(place, *MOTOR, n)["hana"] for n in NIGHTS]
    assert [r["under_review"] for r in rows] == [True, True, False, False]
    assert len({r["score"] for r in rows}) == 1
    assert not by_person(place, *MOTOR, ONE)["bo"]["under_review"]


# -- the ledger
@pytest.mark.parametrize(
    ("night", "recipient", "expected"),
    [
        (ONE, "demo-insurer", {"ADD": 8}),
        (TWO, "demo-insurer", {"REMOVE": 5, "CHANGE": 1}),
        (THREE, "demo-insurer", {"CHANGE": 1}),
        (TWO, "other-lender", {}),
        (FOUR, "demo-lender", {"CHANGE": 1}),
    ],
)
def test_each_disclosure_is_in_the_ledger_once(place, night, recipient, expected):
    rows = run_query(
        place.lake,
        "select change, count(*) as n, count(distinct person_id) as people, min(package) as package, "
        f"min(subject) as subject from disclosures where night = '{night}' and recipient = '{recipient}' "
        "and subject like '%/' || recipient and change <> 'STATEMENT' group by change",
    ).to_pylist()
    assert {r["change"]: r["n"] for r in rows} == expected
    assert all(r["n"] == r["people"] and r["package"].startswith(f"{recipient}/scores-") for r in rows)


def test_explain_lists_what_was_sent_and_the_review(place):
    from jobs.lake.explain import explain
    from tests.recipients.conftest import PEOPLE

    (hana,) = explain(place.lake, [PEOPLE["hana"][0]], because="a test")
    sent = [(str(d["night"]), d["recipient"], d["subject"], d["change"]) for d in hana["disclosures"]]
    subject = "motor_cover/demo-insurer"
    assert sent == [(ONE, "demo-insurer", subject, "ADD"), (THREE, "demo-insurer", subject, "CHANGE")]
    assert [s["under_review"] for s in hana["scores"]] == [False]
    (review,) = hana["reviews"]
    assert (review["outcome"], review["reviewer"], str(review["due_on"])) == (
        "rejected",
        "Iva Babić",
        "2026-12-18",
    )
    (early,) = explain(place.lake, [PEOPLE["hana"][0]], as_of=dated(ONE), because="a test")
    assert [s["under_review"] for s in early["scores"]] == [True]
    assert early["reviews"][0]["outcome"] is None


def test_the_same_export_again_sends_nothing(place, capsys):
    from tests.recipients.conftest import assent

    before = {p: p.stat().st_mtime_ns for p in (place.out / "exports").rglob("*") if p.is_file()}
    count = "select count(*) as n from disclosures"
    rows = run_query(place.lake, count)["n"][0].as_py()
    assert assent("export", "--date", FOUR, "--lake", place.lake) == 0
    assert {p: p.stat().st_mtime_ns for p in (place.out / "exports").rglob("*") if p.is_file()} == before
    assert run_query(place.lake, count)["n"][0].as_py() == rows
