"""A generated history: reproducible, something on every night, late feeds, and a truth that knows of them."""

import csv
import datetime as dt
import filecmp
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.generate import generate
from jobs.generate.calendar import day
from jobs.generate.history import SCENES
from jobs.generate.horizon import LAST_PLANTED, LATE, Horizon
from schemas.contract import contracts

START = dt.date(2026, 11, 18)


def date(number):
    return (START + dt.timedelta(days=number - 1)).isoformat()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("history") / "D"
    generate(300, 60, START, 7, out)
    return out


def truth(folder, name):
    with (folder / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    again = tmp_path / "D"
    generate(300, 60, START, 7, again)
    files = sorted(str(p.relative_to(made)) for p in made.rglob("*") if p.is_file())
    assert files == sorted(str(p.relative_to(again)) for p in again.rglob("*") if p.is_file())
    assert filecmp.cmpfiles(made, again, files, shallow=False) == (files, [], [])


def delivered(folder, feed, number):
    return sorted(p.name for p in (folder / date(number)).glob(f"{feed}*") if p.suffix != ".sha256")


def test_a_feed_delivers_every_night_but_those_on_which_it_is_late(made):
    for feed in contracts():
        silent = {n for n in range(1, 61) if not delivered(made, feed, n)}
        assert silent == set(LATE.get(feed, ())), feed


def test_a_short_run_has_no_late_feed():
    for nights in (1, 3, 8):
        run = Horizon(day(START), nights, 7)
        assert not any(run.absent(f, n) for f in contracts() for n in range(1, nights + 1))
    longer = Horizon(day(START), 60, 7)
    absent = {f: [n for n in range(1, 61) if longer.absent(f, n)] for f in contracts()}
    disputes = [42, 43]
    assert absent == {
        "court": [11, 12, 13, *disputes],
        "traffic": disputes,
        "tax": disputes,
        "disputes": disputes,
        "consents": [21],
        "transactions": [29, 30, 31],
        "education": [],
    }


def test_every_scene_is_played_and_something_arrives_on_every_night(made):
    assert len(SCENES) <= 60 - LAST_PLANTED
    busy = [n for n in range(1, 61) if any(Path(made, date(n)).glob("*_cases.csv"))]
    assert len(busy) >= 45
    assert max(b - a for a, b in pairwise(busy)) <= 6
    outcomes = {r["outcome"] for r in truth(made, "faults") if r["night"] > date(LAST_PLANTED)}
    assert outcomes == {"quarantined"}


def test_the_truth_knows_what_a_late_feed_does(made):
    scores = truth(made, "scores")
    assert not [r for r in scores if r["night"] == date(21)]  # without consents nobody is scored
    for number in (29, 30, 31):
        due = {r["due"] for r in scores if r["night"] == date(number) and r["purpose"] == "consumer_credit"}
        assert due == {"no_score"}
    for number in (42, 43):
        due = {
            r["no_score_reason"]
            for r in scores
            if r["night"] == date(number) and r["purpose"] == "motor_cover"
        }
        assert due == {"source_absent"}
    entries = {(r["register"], r["record_id"], r["night"]) for r in truth(made, "entries")}
    feeds = {"judgment_debts": "court", "insolvencies": "court", "tax_debts": "tax"}
    run = Horizon(day(START), 60, 7)
    for register, record, night in entries:
        number = (dt.date.fromisoformat(night) - START).days + 1
        if register in feeds and run.absent(feeds[register], number):
            assert (register, record, date(number - 1)) in entries, "an entry began while its feed was late"


def test_the_longest_run_is_made(tmp_path):
    counts = generate(1, 366, START, 7, tmp_path / "D")
    assert counts["persons"] > 120
    last = {r["night"] for r in truth(tmp_path / "D", "scores")}
    assert date(366) in last
