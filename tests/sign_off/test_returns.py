"""What an agency answers is taken, stored and shown; a refusal takes the entry out until a person decides."""

import csv
import datetime as dt

import pytest

from jobs.lake.explain import explain
from jobs.lake.explained import render
from jobs.lake.query import run_query
from jobs.nightly import open_night
from jobs.returns import missing
from tests.explain.conftest import FIRST, PEOPLE, SECOND
from tests.sign_off.conftest import OFFICE, assent
from tests.sign_off.test_airflow import changes, package

GOOD = [("stays", "loaded", "", FIRST), ("less", "refused", "not our person", SECOND)]
NAME = f"judgment_debts-{FIRST}.csv"


def answer(place, rows, name=NAME, recipient=OFFICE, head="record_id,outcome,reason,on", folder=None):
    path = (folder or place.out / "returns") / recipient / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(head + "\r\n")
        csv.writer(file).writerows(rows)
    return path


def take(place, *words):
    return assent("returns", "take", "--lake", place.lake, *words)


def stored(place):
    sql = "select record_id, outcome, reason, answered_on, row_number from returns order by row_number"
    return [tuple(str(v) for v in r.values()) for r in run_query(place.lake, sql).to_pylist()]


TAKEN = [("stays", "loaded", "None", FIRST, "1"), ("less", "refused", "not_our_person", SECOND, "2")]


def test_answers_are_stored_once_and_shown(place, capsys):
    answer(place, GOOD)
    assert take(place) == 0
    assert capsys.readouterr().out.strip() == "loaded 1, refused 1"
    assert take(place) == 0
    assert stored(place) == TAKEN
    (person,) = explain(place.lake, [PEOPLE["ana"][0]])
    entries = {r["record_id"]: r for r in person["registers"]}
    assert entries["stays"]["returns"] == [
        {"recipient": OFFICE, "package_on": dt.date.fromisoformat(FIRST), "outcome": "loaded", "reason": None,
         "on": dt.date.fromisoformat(FIRST)}
    ]  # fmt: skip
    assert entries["less"]["held"]["reason"] == "refused"
    assert entries["paid"]["returns"] == []
    for fmt in ("text", "html"):
        shown = render([person], fmt)
        assert f"{OFFICE} on the package of {FIRST}: refused (not_our_person) on {SECOND}" in shown
        assert "refused by its recipient" in shown


def test_bad_rows_are_named_by_number_and_the_good_ones_stored(place, capsys):
    rows = [
        GOOD[0],
        ("stays", "loded", "", FIRST),
        GOOD[1],
        ("unknown", "loaded", "", FIRST),
        ("stays", "loaded"),
    ]
    path = answer(place, rows)
    assert take(place) == 1
    said = capsys.readouterr()
    assert "3 of 5 rows are not taken: row 2 unknown_value, 4 unknown_value, 5 missing_required" in said.err
    assert "loaded 1, refused 1" in said.out
    assert [r[0] for r in stored(place)] == ["stays", "less"]
    rows[1] = ("stays", "acted", "", SECOND)
    answer(place, [rows[0], rows[1], rows[2]])
    assert take(place) == 0  # mended and delivered again: what is new is taken, the rest is known
    assert sorted(r[:2] for r in stored(place)) == [
        ("less", "refused"),
        ("stays", "acted"),
        ("stays", "loaded"),
    ]
    assert path.exists()


FILES = [
    ("tax_debts-2026-11-18.csv", OFFICE, "answers a package that was not sent"),
    ("insolvencies-2026-11-18.csv", OFFICE, "not this recipient's"),
    ("judgment_debts-2026-11-17.csv", OFFICE, "not sent"),
    ("judgment_debts-2027-11-17.csv", OFFICE, "not sent"),
    ("judgment debts.csv", OFFICE, "not named"),
    (NAME, "insolvency-service", "not this recipient's"),
]


@pytest.mark.parametrize(("name", "recipient", "said"), FILES)
def test_a_file_that_answers_nothing_is_not_taken(place, name, recipient, said, capsys):
    answer(place, GOOD, name, recipient)
    assert take(place) == 1
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert stored(place) == []


def test_the_name_of_a_file_that_may_be_a_persons_is_not_told(place, capsys):
    for name in ("Horvat-97174545665.csv", "horvat_97174545665-2026-11-18.csv"):
        answer(place, GOOD, name)
    assert take(place) == 1
    said = capsys.readouterr()
    assert "orvat" not in said.out + said.err
    assert "97174545665" not in said.out + said.err


PLACES = [
    ("sftp://nobody@127.0.0.1:9/returns", "host key is not known"),
    ("s3://bucket/returns", "cannot be read (NoCredentialsError)"),
]


@pytest.mark.parametrize(("url", "said"), PLACES)
def test_a_place_that_cannot_be_read_keeps_no_removal_back(place, monkeypatch, tmp_path, capsys, url, said):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("ASSENT_KNOWN_HOSTS", str(tmp_path / "none"))
    monkeypatch.setenv("ASSENT_RETURNS", url)
    assert assent("export", "--date", SECOND, "--lake", place.lake) == 0
    assert said in capsys.readouterr().err
    assert ("paid", "REMOVE", "satisfied") in changes(place)


def test_the_report_shows_what_agencies_answered(place):
    answer(place, GOOD)
    assert take(place) == 0
    assert assent("report", "--date", SECOND, "--lake", place.lake) == 0
    (page,) = (place.out / "report").glob(f"{SECOND}.html")
    text = page.read_text(encoding="utf-8")
    assert "Answers of agencies" in text
    assert "not_our_person" in text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"record_id,outcome,on\r\n", "missing_column"),
        (b"record_id,outcome,reason,on,name\r\n", "unknown_column"),
        (b"record_id,outcome,reason,on\r\nst\xe9,loaded,,2026-11-18\r\n", "encoding"),
        (b'record_id,outcome,reason,on\r\n"stays,loaded', "unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_taken(place, content, code, capsys):
    answer(place, []).write_bytes(content)
    assert take(place) == 1
    assert code in capsys.readouterr().err.splitlines()[-1]


def test_a_refusal_takes_the_entry_out_until_a_person_decides(place, capsys):
    answer(place, GOOD)
    assert (
        assent("export", "--date", SECOND, "--lake", place.lake, "--approve") == 0
    )  # the night takes it itself
    said = capsys.readouterr().err
    assert "1 refused entries of judgment_debts are held back until a person decides" in said
    assert ("less", "REMOVE", "correction") in changes(place)
    assert {r["record_id"] for r in package(place, "snapshot")} == {"stays", "new"}
    listed = run_query(place.lake, "select record_id from registers where listed").to_pylist()
    assert "less" in {r["record_id"] for r in listed}


def test_a_person_releases_what_was_refused(place, capsys):
    answer(place, GOOD)
    assert take(place) == 0
    decide = ("returns", "decide", "judgment_debts", "less")
    assert assent(*decide, "release", "--because", "asked the court", "--lake", place.lake) == 0
    capsys.readouterr()
    assert assent("export", "--date", SECOND, "--lake", place.lake, "--approve") == 0
    assert "held back until" not in capsys.readouterr().err
    assert ("less", "CHANGE", None) in changes(place)


def test_a_decision_on_what_is_not_held_is_refused(place, capsys):
    decide = (
        "returns",
        "decide",
        "judgment_debts",
        "less",
        "release",
        "--because",
        "x",
        "--lake",
        place.lake,
    )
    assert assent(*decide) == 1
    assert "not held back" in capsys.readouterr().err.splitlines()[-1]


def test_a_missing_answer_is_said_from_the_second_night_on(place):
    def lines(day):
        return missing(open_night(dt.date.fromisoformat(day), place.lake))

    assert lines("2026-11-19") == []
    (line,) = lines("2026-11-20")
    assert line.startswith(
        f"returns {OFFICE}: no answer to 1 package(s) of judgment_debts, the oldest of {FIRST}"
    )
    answer(place, GOOD)
    assert take(place) == 0
    assert lines("2026-11-20") == []


def test_answers_come_from_another_place_too(place, tmp_path, monkeypatch):
    answer(place, GOOD, folder=tmp_path / "elsewhere")
    assert take(place, "--returns", f"file://{tmp_path}/elsewhere") == 0
    assert stored(place) == TAKEN
