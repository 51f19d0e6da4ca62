"""``assent develop``: the same people give the same file; wrong outcomes end in one line that names nobody."""

import re
import shutil

import numpy as np
import pytest

from examples.uci_credit_card.source import national_id
from jobs.cli import main
from jobs.lake.config import REPOSITORY, load_policy
from jobs.rules.compiler import compile_scorecard
from tests.develop.conftest import NIGHT, PEOPLE, invented, made, outcomes_file

BAD = invented()[1]
EVERYBODY = list(range(PEOPLE))


def develop(lake, outcomes, out, purpose="consumer_credit", night=NIGHT):
    words = [
        "--purpose",
        purpose,
        "--outcomes",
        str(outcomes),
        "--lake",
        lake,
        "--as-of",
        str(night),
        "--out",
        str(out),
    ]
    return main(["develop", *words])


@pytest.fixture(scope="module")
def card(lake, tmp_path_factory):
    """The card and report of everybody."""
    folder = tmp_path_factory.mktemp("cards")
    outcomes = outcomes_file(folder / "outcomes.csv", EVERYBODY, BAD)
    assert develop(lake, outcomes, folder / "card.yaml") == 0
    return folder / "card.yaml"


def test_another_lake_and_order_give_the_same_bytes(card, tmp_path):
    order = [int(i) for i in np.random.default_rng(3).permutation(PEOPLE)]
    lake = made(tmp_path / "lake", order)
    outcomes = outcomes_file(tmp_path / "outcomes.csv", order[::-1], BAD)
    assert develop(lake, outcomes, tmp_path / "card.yaml") == 0
    for name in ("card.yaml", "card.html"):
        assert (tmp_path / name).read_bytes() == (card.parent / name).read_bytes()


def test_the_card_is_one_that_a_night_would_take(card):
    made = compile_scorecard(card.read_text(), "card.yaml", load_policy())
    developed = [c for c in made.characteristics if c.basis == "outcomes"]
    assert {"months_late", "repaid_monthly_minor"} <= {f for c in developed for f in c.features}
    shares = [sum(b.share for b in c.bins) for c in developed]
    assert shares == pytest.approx([1.0] * len(developed), abs=0.002)
    late = next(c for c in developed if c.features == ("months_late",))
    assert late.bins[0].points > late.bins[-1].points


def test_what_experts_set_is_taken_over_as_it_stands(card):
    design = (REPOSITORY / "scorecards" / "designs" / "consumer_credit.yaml").read_text()
    expert = design[design.index("  # by judgement\n") :].splitlines()[1:]
    for path in (card, REPOSITORY / "scorecards" / "consumer_credit.yaml"):
        text = path.read_text()
        held = text[text.index("  - feature: returned_payments") :].replace("    basis: expert\n", "")
        assert held.splitlines() == expert


def test_the_report_tells_what_is_asked_of_it_and_of_nobody(card):
    html = card.with_suffix(".html").read_text()
    for word in (
        "weight of evidence",
        "information value",
        "Gini",
        "KS",
        "Calibration",
        "Stability",
        "Left out",
        "unseen",
    ):
        assert word in html
    assert not re.search(r"\b\d{11}\b", html)
    assert national_id(1) not in card.read_text()


def test_outcomes_that_foretell_nothing_give_no_card(lake, tmp_path, capsys):
    random = [int(b) for b in np.random.default_rng(5).random(PEOPLE) < 0.15]
    outcomes = outcomes_file(tmp_path / "o.csv", EVERYBODY, random)
    develop(lake, outcomes, tmp_path / "card.yaml")
    said = capsys.readouterr()
    found = re.search(r"Gini (-?\d\.\d+) \((-?\d\.\d+) to", said.out)
    assert (found is None) == ("no characteristic" in said.err)
    assert found is None or float(found[2]) < 0 < 0.2  # on people unseen, chance is told as chance


HEAD = "national_id,outcome_on,bad\n"
ONE, TWO = national_id(1), national_id(2)
WRONG = [
    ("", "not a readable CSV"),
    (HEAD, "holds nobody"),
    ("national_id,outcome_on\n", "must have the columns"),
    (f"{HEAD[:-1]},age\n{ONE},2026-12-31,1,3\n", "and no other"),
    (f"{HEAD}{ONE},2026-12-31,1\n{ONE[:-1]}x,2026-12-31,0\n", ":3: not a valid national_id"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},31.12.2026,0\n", ":3: outcome_on is not a date"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},,0\n", ":3: outcome_on is not a date"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-12-31,2\n", ":3: bad must be 0 or 1"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-12-31,\n", ":3: bad must be 0 or 1"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-11-17,0\n", ":3: outcome_on is not after the night 2026-11-18"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-11-18,0\n", ":3: outcome_on is not after the night 2026-11-18"),
    (
        f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-12-31,0\nHR {ONE},2026-12-31,0\n",
        ":4: a second line for one person",
    ),
    (f"{HEAD}{ONE},2026-12-31,1\n{national_id(999999)},2026-12-31,0\n", "1 of 2 people are unknown"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-12-31,1\n", "one class only"),
    (f"{HEAD}{ONE},2026-12-31,1\n{TWO},2026-12-31,0\n", "20 of each are needed"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_wrong_outcomes_are_one_line_that_names_nobody(lake, tmp_path, capsys, text, said):
    (tmp_path / "outcomes.csv").write_text(text)
    assert develop(lake, tmp_path / "outcomes.csv", tmp_path / "card.yaml") == 1
    line = capsys.readouterr().err.strip().splitlines()
    assert len(line) == 1
    assert said in line[0]
    assert not re.search(r"\d{11}", line[0])
    assert not (tmp_path / "card.yaml").exists()


def test_wrong_use(lake, tmp_path, capsys, monkeypatch):
    outcomes = outcomes_file(tmp_path / "o.csv", EVERYBODY, BAD)
    cases = [
        ({"purpose": "friendship"}, tmp_path / "c.yaml", 2, "friendship is unknown"),
        ({}, tmp_path / "c.html", 2, "must end in .yaml"),
        ({"night": "2026-11-19"}, tmp_path / "c.yaml", 1, "2026-11-19 is not published"),
        ({"night": "2026-11-01"}, tmp_path / "c.yaml", 1, "nothing published"),
        ({"purpose": "motor_cover"}, tmp_path / "c.yaml", 1, "designs/motor_cover.yaml"),
        ({}, outcomes / "c.yaml", 1, "cannot be written"),
    ]
    for given, out, status, said in cases:
        assert develop(lake, outcomes, out, **given) == status
        assert said in capsys.readouterr().err.strip().splitlines()[-1]
    assert develop(lake, tmp_path / "none.csv", tmp_path / "c.yaml") == 1
    assert "not a readable CSV" in capsys.readouterr().err


DESIGN = [
    ("better: higher\n    most_bins: 8", "better: up\n    most_bins: 8", "better must say"),
    ("most_bins: [4, 7]", "most_bins: [9, 9]", "30 cells at most"),
    ("most_bins: [4, 7]", "most_bins: 4", "of each feature"),
    ("feature: months_late", "feature: penalty_points_minor", "not allowed for consumer_credit"),
    ("feature: months_late", "feature: [months_late]", "not allowed for consumer_credit"),
    ("{months_active: 3}", "{months_active: some}", "minimum of months_active must be a number"),
    ("{months_active: 3}", "{speed: 3}", "feature 'speed' is not allowed"),
    ("{months_active: 3}", "[months_active]", "minimum must be a mapping"),
    ("odds: 2,", "odds: 0,", "scaling must give"),
    ("version: 2.0.0", "version: 2.0.0\nbase: 600", "key 'base' is unknown"),
    ("  cash_share:", "  months_late:", "not a feature that is left out"),
]


@pytest.mark.parametrize(("old", "new", "said"), DESIGN)
def test_a_wrong_design_is_refused_with_file_and_line(lake, tmp_path, capsys, monkeypatch, old, new, said):
    shutil.copy(REPOSITORY / "policy.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "scorecards", tmp_path / "scorecards")
    path = tmp_path / "scorecards" / "designs" / "consumer_credit.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "policy.yaml"))
    outcomes = outcomes_file(tmp_path / "o.csv", EVERYBODY, BAD)
    assert develop(lake, outcomes, tmp_path / "c.yaml") == 1
    assert re.search(rf"consumer_credit\.yaml:\d+: .*{re.escape(said)}", capsys.readouterr().err)
