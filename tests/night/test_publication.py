"""The chain of publications: hashed, signed, and holding what the night was made from."""

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from deltalake import DeltaTable

from jobs.lake.invariants import violations
from jobs.nightly import open_night
from jobs.publish import row_hash
from tests.night.conftest import NIGHTS


@pytest.fixture(scope="module")
def rows(place):
    found = DeltaTable(str(place.lake / "publications")).to_pyarrow_table().to_pylist()
    return sorted(found, key=lambda r: r["night"])


def test_each_row_is_hashed_chained_and_signed(place, rows):
    public = load_pem_private_key((place.keys / "signing.pem").read_bytes(), None).public_key()
    assert [str(r["night"]) for r in rows] == list(NIGHTS)
    assert [r["previous_hash"] for r in rows] == [None, *(r["row_hash"] for r in rows[:-1])]
    for row in rows:
        assert row_hash(row) == row["row_hash"]
        public.verify(base64.b64decode(row["signature"]), row["row_hash"].encode())
        with pytest.raises(InvalidSignature):
            public.verify(base64.b64decode(row["signature"]), row["row_hash"][::-1].encode())
    assert row_hash({**rows[0], "counts": "{}"}) != rows[0]["row_hash"]


def test_policy_and_scorecards_are_kept_as_they_were(place, rows):
    for purpose, card in json.loads(rows[-1]["scorecards"]).items():
        kept = (place.lake / "_scorecards" / f"{card['sha256']}.yaml").read_text(encoding="utf-8")
        assert f"purpose: {purpose}" in kept
    assert (place.lake / "_policies" / f"{rows[-1]['policy_hash']}.yaml").exists()


def test_no_identity_leaves_the_restricted_zone_nor_enters_a_log(place):
    """Searches every byte outside landing, accepted, quarantine and what is meant for people and agencies."""
    import csv

    with (place.deliveries / "truth" / "scores.csv").open(encoding="utf-8") as file:
        ids = {r["national_id"].encode() for r in csv.DictReader(file)}
    zone = ("landing", "accepted", "quarantine")
    checked = 0
    for path in place.lake.rglob("*"):
        inside = path.relative_to(place.lake).parts[0] in zone and "_delta_log" not in path.parts
        if path.is_file() and not inside and path.suffix == ".json":
            content = path.read_bytes()
            checked += 1
            assert not any(i in content for i in ids), path.name
    assert checked > 20
    assert not any(i.decode() in str(p) for p in place.lake.rglob("*") for i in list(ids)[:20])


def test_an_invariant_that_breaks_is_counted(place, rows):
    """The same tables against an earlier night: scores of another date must not pass."""
    night = open_night(rows[-1]["night"], str(place.lake))
    tables = json.loads(rows[-1]["tables"])
    assert violations(night, tables) == []
    mixed = {**tables, "scores": json.loads(rows[0]["tables"])["scores"]}
    assert "every score is of tonight" in {name for name, _ in violations(night, mixed)}
    assert violations(night, {k: v for k, v in tables.items() if k != "scores"}) == [
        ("table scores is missing", 1)
    ]
