"""Every planted fault ends where the truth says, every due score and entry is there, and no other.

The truth and the lake are read with the standard library, DuckDB and deltalake alone: nothing of the pipeline's code says
here what is right.
"""

import csv
import hashlib
import hmac
import json

import duckdb
import pytest
from deltalake import DeltaTable

from tests.night.conftest import NIGHTS


def truth(place, name):
    with (place.deliveries / "truth" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published(place, night):
    """The pins of a night's publication."""
    rows = DeltaTable(str(place.lake / "publications")).to_pyarrow_table().to_pylist()
    return json.loads(next(r["tables"] for r in rows if str(r["night"]) == night))


def table(place, night, name):
    pin = published(place, night)[name]
    return DeltaTable(str(place.lake / name), version=pin["version"]).to_pyarrow_table()


def surrogate(place, national_id):
    """As docs/decisions says: HMAC-SHA256 of the national id under the vault's key, 63 bits of it."""
    key = (place.keys / "vault.key").read_bytes()
    digest = hmac.new(key, b"id:" + national_id.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def test_every_planted_fault_ends_where_the_truth_says(place):
    due = {
        (r["night"], r["file"], int(r["row_number"])): r["reasons"]
        for r in truth(place, "faults.csv")
        if r["outcome"] == "quarantined"
    }
    names = [t for t in published(place, NIGHTS[-1]) if t.startswith("quarantine/")]
    found = {
        (str(r["night"]), r["file"], r["row_number"]): "|".join(r["reasons"])
        for name in names
        for r in table(place, NIGHTS[-1], name).to_pylist()
    }
    assert found == due
    assert len({reason for reasons in due.values() for reason in reasons.split("|")}) >= 17


def test_every_file_conserves_its_rows_and_duplicates_are_those_planted(place):
    duplicates = {}
    for r in truth(place, "faults.csv"):
        if r["outcome"] == "duplicate":
            duplicates[r["file"]] = duplicates.get(r["file"], 0) + 1
    files = table(place, NIGHTS[-1], "deliveries").to_pylist()
    assert files
    for r in files:
        assert r["rows"] == r["accepted"] + r["quarantined"] + r["duplicates"], r["file"]
    assert {r["file"]: r["duplicates"] for r in files if r["duplicates"]} == duplicates
    on_disk = {
        str(p.relative_to(place.deliveries))
        for p in place.deliveries.glob("2026-*/*")
        if p.suffix not in (".sha256", ".sig")
    }
    assert {r["file"] for r in files} == on_disk


@pytest.mark.parametrize("night", NIGHTS)
def test_every_due_score_is_there_and_no_other(place, night):
    due = {
        (
            surrogate(place, r["national_id"]),
            r["purpose"],
            r["recipient"],
            r["due"],
            r["no_score_reason"] or None,
        )
        for r in truth(place, "scores.csv")
        if r["night"] == night
    }
    found = {
        (r["person_id"], r["purpose"], r["recipient"], r["status"], r["no_score_reason"])
        for r in table(place, night, "scores").to_pylist()
    }
    assert found - due == set()
    assert due - found == set()
    assert len(due) > 500


@pytest.mark.parametrize("night", NIGHTS)
def test_every_due_entry_is_there_and_no_other(place, night):
    due = {
        (r["register"], r["record_id"], surrogate(place, r["national_id"]))
        for r in truth(place, "entries.csv")
        if r["night"] == night
    }
    found = {
        (r["register"], r["record_id"], r["person_id"])
        for r in table(place, night, "registers").to_pylist()
        if r["listed"]
    }
    assert found - due == set()
    assert due - found == set()
    assert len({register for register, _, _ in due}) == 6


def test_scores_add_up_from_their_own_rows(place):
    scores = table(place, NIGHTS[-1], "scores")
    con = duckdb.connect()
    con.register("scores", scores)
    low, high, bands = con.execute(
        "SELECT min(score), max(score), count(DISTINCT band) FROM scores"
    ).fetchone()
    assert low >= 350
    assert high <= 950
    assert bands >= 3  # a population in which everybody scores alike would prove nothing
