"""Features and scores of the history's nights, computed a second time, are the same for every person."""

import pytest

from benchmarks.oracle.compare import TABLES, against
from benchmarks.oracle.night import compute, connect
from benchmarks.oracle.published import publications
from benchmarks.oracle.truth import due
from tests.oracle.conftest import NIGHTS, date


@pytest.fixture(scope="module")
def compared(history):
    """Comparisons by night and table."""
    return {(one.night, one.table): one for one in history.compared}


def test_every_night_is_equal(compared):
    assert {k: str(c) for k, c in compared.items() if c.differences} == {}
    assert sorted({night for night, _ in compared}) == [date(n).isoformat() for n in NIGHTS]


def test_the_nights_hold_something_to_be_equal(compared):
    rows = {night: compared[(night, "scores")].rows for night, _ in compared}
    silent = date(21).isoformat()  # consents are late: nobody is scored
    assert rows.pop(silent) == 0
    assert min(rows.values()) >= 100


def test_a_difference_would_be_seen(history):
    published = publications(history.lake)[-1]
    con = connect()
    compute(con, published)
    con.execute(
        "UPDATE scores SET score = score + 1 WHERE purpose = 'motor_cover' AND status = 'scored'"
    ).fetchall()
    con.execute("DELETE FROM features WHERE purpose = 'study_finance'").fetchall()
    con.execute("UPDATE features SET months_late = NULL WHERE months_late = 0").fetchall()
    con.execute("ALTER TABLE features DROP COLUMN cash_share").fetchall()
    features, scores = against(con, published, "features"), against(con, published, "scores")
    assert scores.columns["score"] > 0
    assert features.only_published > 0
    assert features.columns["months_late"] > 0
    assert features.not_covered == ("cash_share",)
    assert scores.differences > 0
    assert features.differences > 0


def test_the_report_holds_counts_and_names_alone(history):
    published = publications(history.lake)[-1]
    con = connect()
    people = {r["person_id"] for r in published.table("scores").to_table(columns=["person_id"]).to_pylist()}
    compute(con, published)
    con.execute("UPDATE scores SET score = 1, person_id = person_id + 1").fetchall()
    said = " ".join(str(against(con, published, table)) for table in TABLES)
    assert "differences" in said
    assert not any(str(p) in said for p in people)


def test_what_the_generator_meant_is_what_is_published(history):
    """On the nights before the first that is left out; `make bench` holds all sixty."""
    con = connect()
    held = [due(con, p, str(history.deliveries)) for p in publications(history.lake) if p.night <= date(2)]
    assert [str(c) for c in held if c.differences] == []
    assert min(c.rows for c in held) >= 100
