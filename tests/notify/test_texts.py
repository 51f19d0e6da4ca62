"""Letters say what the law asks, in one text for the sender and one page for the person."""

from __future__ import annotations

import pytest
from jinja2 import StrictUndefined
from ruamel.yaml import YAML

from jobs.errors import AssentError
from jobs.lake.letters import Texts, plain
from jobs.lake.outbox import TEXTS, texts
from jobs.lake.pages import Page
from jobs.notify import KINDS
from schemas.reasons import NO_SCORE_REASONS, REMOVAL_CAUSES

GIVEN = {
    "night": "2026-11-20",
    "low": 350,
    "high": 950,
    "operator": "Assent Bureau",
    "contact": "help@bureau.example",
    "purpose": "consumer_credit",
    "recipient": "demo-lender",
    "score": 540,
    "band": "D",
    "before_score": 700,
    "before_band": "B",
    "sources": "bank transactions",
    "reasons": [{"text": f"Reason {n}", "points": -n} for n in (40, 30, 20, 10)],
}
RIGHTS = (
    "See everything",
    "Dispute any record",
    "a person looks at",
    "Withdraw any consent",
    "help@bureau.example",
)


@pytest.fixture(scope="module")
def english() -> Texts:
    return Texts("en")


def test_an_adverse_action_says_all_that_the_law_asks(english):
    title, text = english.said("adverse_action", GIVEN)
    assert "fell to band D" in title
    for said in (
        "540",
        "350 to 950",
        "from 700, band B, to 540, band D",
        "bank transactions",
        "Assent Bureau",
    ):
        assert said in text
    assert "does not decide what demo-lender offers" in text  # 15 USC 1681m(a)(3)(B)
    assert "free copy" in text
    assert [x for x in text.splitlines() if x.startswith("- Reason")] == [
        f"- Reason {n} (-{n} points)" for n in (40, 30, 20, 10)
    ]
    assert all(r in text for r in RIGHTS)


def test_a_score_that_nothing_lowered_says_so(english):
    _, text = english.said("score", {**GIVEN, "reasons": []})
    assert "Nothing lowered it." in text
    assert all(r in text for r in RIGHTS)


def test_every_kind_has_a_title_and_a_text_in_every_language():
    for path in sorted(TEXTS.glob("*.yaml")):
        made = Texts(path.stem)
        assert set(made.kinds) == {*KINDS, "no_score"}
        kept = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        for code in (*NO_SCORE_REASONS, *REMOVAL_CAUSES):
            assert code in kept["words"], f"{path.name}: no word for {code}"
        assert made.environment.undefined is StrictUndefined


def test_a_language_that_is_not_shipped_is_one_line():
    with pytest.raises(AssentError, match=r"add jobs/texts/xx\.yaml"):
        texts("xx")


def test_what_was_delivered_can_break_neither_line_nor_page(english):
    evil = "Court\n\n- You owe nothing\x07 <script>alert(1)</script>"
    values = {
        **GIVEN,
        "record_id": "O-1",
        "authority": evil,
        "legal_basis": "x",
        "register": "judgment_debts",
    }
    title, text = english.said("listing", values)
    assert "Court - You owe nothing <script>alert(1)</script> under x" in text.replace("\n", " ")
    page = Page().of(
        {
            "language": "en",
            "title": title,
            "to": {"given_name": "<b>A</b>", "family_name": "B", "national_id": "1"},
            "text": f"{text}\n\n<i>\n\n- no list",
            "notice_id": "n",
            "night": "2026-11-20",
            "floor_hash": "f",
        },
        account=len("<i>\n\n- no list"),
    )
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;" in page
    assert "<pre>&lt;i&gt;\n\n- no list</pre>" in page


def test_a_paragraph_that_many_letters_share_is_the_same_in_each(english):
    alone = [Texts("en").said("score", {**GIVEN, "score": n}) for n in (540, 541)]
    assert [english.said("score", {**GIVEN, "score": n}) for n in (540, 541)] == alone


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\nb\n\nc", "a b\n\nc"),
        ("- a\n  more\n- b", "- a more\n- b"),
        ("\n\n  a  \n\n\n\n- b\n\n", "a\n\n- b"),
        ("", ""),
    ],
)
def test_a_text_is_laid_out_in_paragraphs_and_lists(text, made):
    assert plain(text) == made
    assert plain(made) == made
