"""What each person is told after each night, as the sender and as the person read it."""

from __future__ import annotations

import json
import stat

import pytest

from jobs.lake.query import run_query
from jobs.rules.floor import floor_hash
from tests.recipients.conftest import FOUR, NIGHTS, ONE, PEOPLE, THREE, TWO


def told(place, night, kind):
    return {n["who"]: n for n in place.notices(night) if n["kind"] == kind}


def test_everybody_is_told_of_a_first_score(place):
    scored = set(told(place, ONE, "score"))
    assert scored == {
        "ana",
        "bo",
        "cvita",
        "dino",
        "ema",
        "filip",
        "gita",
        "hana",
        "ivo",
        "jana",
        "klara",
        "lana",
    }
    both = [n["subject"] for n in place.notices(ONE) if n["who"] == "ana" and n["kind"] == "score"]
    assert sorted(both) == ["consumer_credit/demo-lender", "consumer_credit/other-lender"]


def test_a_fall_across_a_band_is_an_adverse_action(place):
    found = told(place, TWO, "adverse_action")
    assert set(found) == {"klara"}
    text = found["klara"]["text"]
    for said in (
        "350 to 950",
        "9 penalty points of serious offences",
        "Dispute any record",
        "traffic decisions",
    ):
        assert said in text
    assert "klara" not in told(place, TWO, "score")  # one letter, not two
    assert set(told(place, TWO, "score")) == {"ana", "filip"}  # theirs rose


def test_a_review_is_acknowledged_and_its_outcome_told_with_the_name(place):
    asked, decided = (told(place, n, "review")["hana"]["text"] for n in (ONE, THREE))
    assert "at the latest on 2026-12-18" in asked
    assert "Iva Babić has looked" in decided
    assert "not in your favour" in decided
    assert told(place, TWO, "review") == {}


def test_a_record_that_is_back_is_told_once(place):
    assert [set(told(place, n, "reinserted")) for n in NIGHTS] == [set(), set(), set(), {"ana"}]
    back = told(place, FOUR, "reinserted")["ana"]
    assert back["subject"] == "court/J-ana"
    assert "Court registrar certified" in back["text"]


def test_an_entry_is_told_before_it_is_sent_and_when_it_leaves(place):
    assert set(told(place, ONE, "listing")) == {"ana"}  # Filip's is past its statute
    assert set(told(place, TWO, "removal")) == {"ana"}
    assert set(told(place, FOUR, "listing")) == {"ana"}


def test_who_asked_gets_all_that_explain_knows(place):
    from jobs.lake.explain import person
    from jobs.lake.explained import render
    from jobs.lake.history import Past
    from jobs.lake.lake import Lake
    from jobs.lake.query import Published
    from jobs.lake.vault import person_ids
    from tests.recipients.test_packages import dated

    (letter,) = told(place, TWO, "access").values()
    assert letter["who"] == "lana"
    (who,) = person_ids(place.lake, [PEOPLE["lana"][0]])
    past = Past(Published(Lake(place.lake), dated(TWO)), [who])
    account = render([person(past, who, None)], "text").rstrip()
    assert letter["text"].endswith(account)
    assert "consents" in account
    assert "demo-insurer" in account


def test_each_letter_is_a_page_that_its_owner_alone_may_read(place):
    for night in NIGHTS:
        letters = place.notices(night)
        folder = place.out / "notices" / night
        if not letters:
            continue
        assert {p.stem for p in folder.iterdir()} == {n["notice_id"] for n in letters}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for letter in letters:
            page = folder / f"{letter['notice_id']}.html"
            assert stat.S_IMODE(page.stat().st_mode) == 0o600
            text = page.read_text(encoding="utf-8")
            assert PEOPLE[letter["who"]][0] in text
            assert letter["floor_hash"] == floor_hash()
            assert floor_hash() in text
    names = [str(p) for p in (place.out / "notices").rglob("*")]
    assert not any(identity[0] in n or identity[1] in n for identity in PEOPLE.values() for n in names)


def test_the_ledger_has_each_notice_once(place):
    rows = run_query(place.lake, "select night, kind, notice_id, subject from notices").to_pylist()
    said = {n["notice_id"]: n for night in NIGHTS for n in place.notices(night)}
    assert len(rows) == len(said)
    assert {(r["notice_id"], r["kind"], r["subject"]) for r in rows} == {
        (n["notice_id"], n["kind"], n["subject"]) for n in said.values()
    }


@pytest.mark.parametrize("night", NIGHTS)
def test_no_letter_leaves_a_blank(place, night):
    for letter in place.notices(night):
        assert "None" not in letter["text"]
        assert "{{" not in letter["text"]
        assert letter["title"]
        json.dumps(letter)
