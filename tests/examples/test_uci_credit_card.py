"""The real data's delivery keeps to the contract, never holds the outcome, and is scored through a whole night."""

import csv
import gzip
import json

import numpy as np
import pytest
from click.testing import CliRunner
from stdnum.hr import oib

from examples.uci_credit_card import deliver, evaluate, outcomes
from examples.uci_credit_card.source import OUTCOME, in_development, national_id
from jobs.errors import AssentError
from jobs.lake.config import REPOSITORY
from schemas.contract import contracts
from tests.night.conftest import assent

SAMPLE = REPOSITORY / "examples" / "uci_credit_card" / "sample.csv.gz"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    out = tmp_path_factory.mktemp("uci") / "deliveries"
    result = CliRunner().invoke(deliver.main, ["--csv", str(SAMPLE), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


def rows(delivered, feed):
    with gzip.open(delivered / "2005-10-01" / f"{feed}.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_delivery_has_the_contracts_columns_and_no_outcome(delivered):
    for feed in ("transactions", "consents"):
        found = rows(delivered, feed)
        assert tuple(found[0]) == contracts()[feed].names
        assert len({r["national_id"] for r in found}) == 2000
        assert all(oib.is_valid(r["national_id"]) for r in found[:50])
    everything = b"".join(gzip.decompress(p.read_bytes()) for p in (delivered / "2005-10-01").iterdir())
    assert OUTCOME.encode() not in everything
    assert b"default" not in everything.lower()


def test_a_persons_six_months_are_told_in_full(delivered):
    with gzip.open(SAMPLE, "rt") as file:
        source = next(csv.DictReader(file))
    mine = [r for r in rows(delivered, "transactions") if r["national_id"] == national_id(int(source["ID"]))]
    september = next(r for r in mine if r["category"] == "card_statement" and r["booked_on"] == "2005-09-20")
    assert int(september["amount_minor"]) == -round(int(source["BILL_AMT1"]) * 2.5)
    assert int(september["credit_limit_minor"]) == round(int(source["LIMIT_BAL"]) * 2.5)
    assert int(september["days_past_due"]) == max(int(source["PAY_1"]), 0) * 30
    assert sum(r["category"] == "card_statement" for r in mine) == 6


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("LIMIT_BAL", "LIMIT", "LIMIT_BAL"), ("20000", "much", "whole numbers"), ("20000", "", "whole numbers")],
)
def test_another_file_is_one_line(old, new, said, tmp_path):
    head, first = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()[:2]
    assert old in f"{head},{first}"
    (tmp_path / "x.csv").write_text(f"{head}\n{first}\n".replace(old, new, 1))
    result = CliRunner().invoke(
        deliver.main, ["--csv", str(tmp_path / "x.csv"), "--out", str(tmp_path / "d")]
    )
    assert result.exit_code == 1
    assert said in result.stderr
    assert not (tmp_path / "d").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    words = ["--csv", str(SAMPLE), "--out", str(tmp_path / "file" / "d")]
    result = CliRunner().invoke(deliver.main, words)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_rank_quality_is_that_of_the_textbook():
    # 3 goods, 2 bads: of 6 pairs 4 are right, 1 tied, 1 wrong: AUC 0.75
    score, bad = np.array([700, 650, 600, 600, 640]), np.array([0, 0, 0, 1, 1])
    found = evaluate.rank_quality(score, bad)
    assert (found["gini"], found["ks"]) == (0.5, 0.6667)
    with pytest.raises(AssentError):
        evaluate.rank_quality(score, np.zeros(5))


def test_everybody_is_scored_and_late_payers_rank_below(delivered, spark, tmp_path):
    lake = tmp_path / "lake"
    assert assent("night", "--date", "2005-10-01", "--deliveries", delivered, "--lake", lake) == 0
    result = CliRunner().invoke(evaluate.main, ["--csv", str(SAMPLE), "--lake", str(lake)])
    found = json.loads(result.output.splitlines()[-1])
    assert found["n"] == 2000
    assert found["gini_low"] < found["gini"] < found["gini_high"]
    assert found["gini"] > 0.47  # what a card drawn by judgement reached on all the people
    assert sum(b["people"] for b in found["bands"]) == 2000
    held = CliRunner().invoke(
        evaluate.main, ["--csv", str(SAMPLE), "--lake", str(lake), "--split", "holdout"]
    )
    seen = CliRunner().invoke(
        evaluate.main, ["--csv", str(SAMPLE), "--lake", str(lake), "--split", "development"]
    )
    parts = [json.loads(r.output.splitlines()[-1]) for r in (held, seen)]
    assert sum(p["n"] for p in parts) == 2000
    assert 0.15 < parts[0]["n"] / 2000 < 0.25


@pytest.mark.parametrize("kind", ["zero", "shuffled"])
def test_outcomes_are_no_feed(delivered, kind, tmp_path):
    """Whatever the file says became of people, the delivery, and so every score, is byte for byte the same."""
    with gzip.open(SAMPLE, "rt", newline="") as file:
        people = list(csv.DictReader(file))
    bad = [p[OUTCOME] for p in people]
    other = (
        ["0"] * len(bad)
        if kind == "zero"
        else [bad[i] for i in np.random.default_rng(1).permutation(len(bad))]
    )
    assert other != bad
    with (tmp_path / "x.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(people[0]))
        writer.writeheader()
        writer.writerows({**p, OUTCOME: o} for p, o in zip(people, other, strict=True))
    deliver.deliver(tmp_path / "x.csv", tmp_path / "d")
    for path in sorted((delivered / "2005-10-01").iterdir()):
        assert (tmp_path / "d" / "2005-10-01" / path.name).read_bytes() == path.read_bytes()


def test_outcomes_are_written_of_development_people_alone(tmp_path):
    out = tmp_path / "outcomes.csv"
    result = CliRunner().invoke(outcomes.main, ["--csv", str(SAMPLE), "--out", str(out)])
    assert result.exit_code == 0, result.output
    with gzip.open(SAMPLE, "rt", newline="") as file:
        bad = {national_id(int(p["ID"])): (int(p["ID"]), p[OUTCOME]) for p in csv.DictReader(file)}
    with out.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert all(bad[r["national_id"]][1] == r["bad"] and r["outcome_on"] > "2005-10-01" for r in written)
    assert [bad[r["national_id"]][0] for r in written] == [i for i, _ in bad.values() if in_development(i)]
