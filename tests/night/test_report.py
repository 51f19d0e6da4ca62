"""The page of a night: pictures with a table behind each, the rules that changed, and nobody in it."""

import csv
import json

import pytest
from deltalake import DeltaTable

from tests.night.conftest import NIGHTS, assent


@pytest.fixture(scope="module")
def page(place):
    return (place.out / "report" / f"{NIGHTS[-1]}.html").read_text(encoding="utf-8")


def test_each_purpose_has_its_pictures_and_tables(page):
    for purpose in ("consumer_credit", "motor_cover", "study_finance"):
        part = page.split(f"Scores: {purpose}")[1].split("<h2>")[0]
        for heading in ("Distribution of scores", "Bands", "Drift", "Reasons", "No score, and why"):
            section = part.split(f"<h3>{heading}</h3>")[1].split("<h3>")[0]
            assert "<svg" in section, (purpose, heading)
            assert section.count("<tr>") > 1, (purpose, heading)
    assert "judgment_debts" in page
    assert "No file of counts was given" in page


def test_it_names_nobody(place, page):
    with (place.deliveries / "truth" / "scores.csv").open(encoding="utf-8", newline="") as file:
        people = {r["national_id"] for r in csv.DictReader(file)}
    assert not [p for p in people if p in page]


def test_disparity_is_shown_and_kept_nowhere(place, tmp_path, capsys):
    counts = tmp_path / "counts.csv"
    counts.write_text(
        "purpose,trait,group,band,people\nconsumer_credit,sex,one,B,70\nconsumer_credit,sex,one,E,30\n"
        "consumer_credit,sex,other,B,30\nconsumer_credit,sex,other,E,70\n",
        encoding="utf-8",
    )
    before = {str(p) for p in place.lake.rglob("*")}
    assert assent("report", "--date", NIGHTS[-1], "--lake", place.lake, "--disparity", counts) == 0
    shown = (place.out / "report" / f"{NIGHTS[-1]}.html").read_text(encoding="utf-8")
    assert "consumer_credit by sex" in shown
    assert {str(p) for p in place.lake.rglob("*")} == before
    assert assent("report", "--date", NIGHTS[-1], "--lake", place.lake) == 0
    assert str(place.out / "report" / f"{NIGHTS[-1]}.html") in capsys.readouterr().out


def outcomes(place, path, more=()):
    """A file in which who has the lower score fares worse; the truth has everybody's score."""
    with (place.deliveries / "truth" / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            r for r in csv.DictReader(file)
            if (r["night"], r["purpose"], r["due"]) == (NIGHTS[-1], "consumer_credit", "scored")
        ]  # fmt: skip
    people = sorted({r["national_id"] for r in rows})
    lines = [f"{p},2027-02-01,{int(i % 3 == 0)}" for i, p in enumerate(people)]
    path.write_text("\n".join(["national_id,outcome_on,bad", *lines, *more]) + "\n", encoding="utf-8")
    return people


def test_outcomes_are_held_against_the_scores_and_kept_as_counts(place, tmp_path, capsys):
    people = outcomes(place, tmp_path / "outcomes.csv")
    words = ("report", "--date", NIGHTS[-1], "--lake", place.lake, "--outcomes", tmp_path / "outcomes.csv")
    words += ("--purpose", "consumer_credit")
    assert assent(*words) == 0
    assert assent(*words) == 0
    rows = DeltaTable(str(place.lake / "performance")).to_pyarrow_table().to_pylist()
    assert [(str(r["night"]), r["purpose"], r["people"], r["bad"]) for r in rows] == [
        (NIGHTS[-1], "consumer_credit", len(people), -(-len(people) // 3))
    ]
    assert rows[0]["gini_low"] < 0 < rows[0]["gini_high"]  # every third person, whatever the score
    shown = (place.out / "report" / f"{NIGHTS[-1]}.html").read_text(encoding="utf-8")
    section = shown.split("Scores: consumer_credit")[1].split("<h3>Outcomes</h3>")[1].split("<h3>")[0]
    assert "<svg" in section
    assert f"{rows[0]['gini']:.3f}" in section
    assert not [p for p in people if p in shown]


@pytest.mark.parametrize(
    ("line", "said"),
    [("X,2027-02-01,0", "not a valid national_id"), ("again", "a second line for one person")],
)
def test_outcomes_of_nobody_or_of_one_twice_are_refused(place, tmp_path, capsys, line, said):
    people = outcomes(place, tmp_path / "outcomes.csv")
    line = f"{people[0].lower()} ,2027-02-01,0" if line == "again" else line
    outcomes(place, tmp_path / "outcomes.csv", [line])
    words = ("--outcomes", tmp_path / "outcomes.csv", "--purpose", "consumer_credit")
    assert assent("report", "--date", NIGHTS[-1], "--lake", place.lake, *words) == 1
    err = capsys.readouterr().err.strip().splitlines()
    assert f":{len(people) + 2}: {said}" in err[-1]


def test_a_night_that_is_not_published_has_no_page(place, capsys):
    assert assent("report", "--date", "2026-11-30", "--lake", place.lake) == 1
    assert "night 2026-11-30 is not published" in capsys.readouterr().err


def test_the_distributions_are_pinned_with_the_night(place):
    rows = DeltaTable(str(place.lake / "publications")).to_pyarrow_table().to_pylist()
    assert all("monitoring" in json.loads(r["tables"]) for r in rows)
    assert [json.loads(r["changed"]) for r in rows] == [[], [], []]
