"""Two nights of extract and validate: where each row ends, what is kept of it, and that every file adds up."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from jobs import arrival, extract, validate
from jobs.errors import AssentError
from jobs.nightly import run_step
from schemas.contract import contracts
from tests.extract.conftest import ROWS, Place, as_csv, oib

FIRST, SECOND = "2026-11-20", "2026-11-21"
TAX, CONSENT = ROWS["tax"], ROWS["consents"]


def person(number: int, **more: str) -> dict[str, str]:
    return {
        "national_id": oib(number),
        "family_name": "Horvat",
        "given_name": "Ana",
        "birth_date": "1980-01-01",
        **more,
    }


def tax(number: int, key: str, **more: str) -> dict[str, str]:
    return {**TAX, **person(number), "assessment_id": key, **more}


def declared(number: int, key: str, kind: str, **more: str) -> dict[str, str]:
    return {**CONSENT, **person(number), "consent_id": key, "kind": kind, **more}


def publish(place: Place) -> None:
    """What a night leaves for the next: its pins."""
    night = place.night
    night.previous = {"night": night.date, "tables": night.lake.pins(night.date)}
    night.date = dt.date.fromisoformat(SECOND)


def ends(place: Place, feed: str) -> dict[tuple[str, int], dict[str, Any]]:
    """The rows of tonight's quarantine by file and row number."""
    night = place.night
    pin = night.lake.pins(night.date)[f"quarantine/{feed}"]
    rows = night.lake.dataset(f"quarantine/{feed}", pin["version"]).to_table().to_pylist()
    return {(r["file"].split("/")[1], r["row_number"]): r for r in rows if r["night"] == night.date}


@pytest.fixture
def nights(spark: Any, place: Place) -> Place:
    place.deliver("tax.csv", as_csv([tax(1, "A1"), tax(2, "A2"), tax(3, "A3")]), day=FIRST)
    place.deliver(
        "consents.csv", as_csv([declared(4, "C4", "erasure"), declared(2, "C2", "access")]), day=FIRST
    )
    place.extract()
    assert validate.run(place.night) == {"accepted": 5, "quarantined": 0, "duplicates": 0, "vault": 4}
    publish(place)
    return place


def test_the_second_night(nights: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "BATCH_BYTES", 1)  # each refused row is longer than what may be in memory
    erased = [tax(4, "E1"), tax(4, "E2", income_minor="1.000"), tax(4, "E1")]
    other = tax(1, "B1", birth_date="1980-01-02")
    nights.deliver(
        "tax.csv",
        as_csv([tax(1, "A1"), *erased, other, other, tax(2, "B2"), tax(2, "B2")])
        + b"x,Horvat," + oib(4).encode() + b"\n",
        day=SECOND,
    )  # fmt: skip
    nights.deliver(
        "consents.csv", as_csv([declared(4, "C4b", "access"), declared(4, "C4", "erasure")]), day=SECOND
    )
    nights.extract()
    assert validate.run(nights.night) == {"accepted": 1, "quarantined": 8, "duplicates": 2}
    found = ends(nights, "tax")
    assert {key: "+".join(r["reasons"]) for key, r in found.items()} == {
        ("tax.csv", 2): "erased",
        ("tax.csv", 3): "bad_type+erased",
        ("tax.csv", 4): "erased",
        ("tax.csv", 5): "identity_conflict",
        # a copy of a refused row is no duplicate of an accepted one
        ("tax.csv", 6): "identity_conflict",
        ("tax.csv", 9): "erased+malformed_row",
    }
    own = ends(nights, "consents")
    assert {key: r["reasons"] for key, r in own.items()} == {
        ("consents.csv", 1): ["erased"],
        ("consents.csv", 2): ["erased"],
    }
    # of an erased person no value is kept, of the others the row as it came
    for row in [*found.values(), *own.values()]:
        if "erased" in row["reasons"]:
            assert (row["verbatim"], row["record_key"]) == (None, None)
    assert json.loads(found["tax.csv", 5]["verbatim"]) == {k: v for k, v in other.items() if v}
    assert found["tax.csv", 5]["record_key"] == "B1"
    (entry,) = nights.manifest("tax")
    assert {k: entry[k] for k in ("rows", "accepted", "quarantined", "duplicates")} == {
        "rows": 9,
        "accepted": 1,
        "quarantined": 6,
        "duplicates": 2,
    }


def test_a_critical_check_stops_its_feed_alone(
    spark: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(contracts()["tax"], volume=(0, 1), volume_severity="critical")
    monkeypatch.setitem(contracts(), "tax", strict)
    place.deliver("tax.csv", as_csv([tax(1, "A1"), tax(2, "A2")]))
    place.deliver("tax_cut.csv", b"")
    place.deliver("consents.csv", as_csv([declared(2, "C2", "access")]))
    place.extract()
    assert validate.run(place.night) == {"accepted": 1, "quarantined": 0, "duplicates": 0, "vault": 1}
    entries = {e["file"].split("/")[1]: e for e in place.manifest("tax")}
    assert {f: (e["stopped"], e["rows"]) for f, e in entries.items()} == {
        "tax.csv": ("critical_check", None),
        "tax_cut.csv": ("empty_file", None),
    }
    assert (
        entries["tax.csv"]["message"] == "critical check rows failed, count 2; have the delivery made again"
    )
    assert place.files("tax") == []
    pin = place.night.lake.pins(place.night.date)["deliveries"]
    rows = place.night.lake.dataset("deliveries", pin["version"]).to_table().to_pylist()
    assert {(r["feed"], r["rows"], r["accepted"], r["stopped"]) for r in rows} == {
        ("consents", 1, 1, None),
        ("tax", None, 0, "critical_check"),
        ("tax", None, 0, "empty_file"),
    }
    assert [s for s in place.said if s.startswith("tax: critical")]


def test_a_step_that_fails_when_it_is_run_again_is_not_done(spark: Any, place: Place) -> None:
    place.deliver("tax.csv", as_csv([tax(1, "A1")]))
    run_step(place.night, "extract")
    run_step(place.night, "validate")
    (entry,) = place.manifest("tax")
    (place.root / "lake" / entry["landing"][0]).write_bytes(b"no Parquet")
    with pytest.raises(Exception, match=r"[Pp]arquet"):
        run_step(place.night, "validate")
    with pytest.raises(AssentError, match="`validate` is not done"):
        run_step(place.night, "conform")


def test_a_column_that_a_contract_has_gained(nights: Place) -> None:
    """What is delivered again is held against rows that were written before there was the column."""
    lake, pins = nights.night.lake, nights.night.previous["tables"]
    before = lake.dataset("accepted/tax", pins["accepted/tax"]["version"]).to_table()
    former = before.drop_columns(["debt_minor"])
    pins["accepted/tax"]["version"] = lake.write_night(
        "accepted/tax", former.to_reader(), dt.date.fromisoformat(FIRST)
    )
    nights.deliver(
        "tax.csv",
        as_csv([tax(1, "A1", debt_minor=""), tax(2, "A2", debt_minor="", income_minor="7")]),
        day=SECOND,
    )
    nights.extract()
    found = validate.run(nights.night)
    assert (found["duplicates"], found["quarantined"]) == (1, 1)


def test_landing_that_did_not_come_to_its_end(
    spark: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers of an earlier run's identities are not those of rows that a later one has landed."""
    place.deliver("tax.csv", as_csv([tax(1, "A1")]))
    place.extract()
    assert len(place.identities()) == 1
    monkeypatch.setattr(extract, "land", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        place.extract()
    assert place.identities() == {}
    with pytest.raises(AssentError, match=r"tax: landing of .* is not whole; run `assent extract"):
        validate.run(place.night)


def test_what_stands_where_a_declaration_needs_nothing(spark: Any, place: Place) -> None:
    texts = ["infinity", "2026-1-5", "soon", "2026-11-01"]
    rows = [declared(n, f"W{n}", "access", withdrawn_on=t, expires_on=t) for n, t in enumerate(texts)]
    place.deliver("consents.csv", as_csv(rows))
    place.extract()
    assert validate.run(place.night)["accepted"] == len(texts)
    pin = place.night.lake.pins(place.night.date)["accepted/consents"]
    written = place.night.lake.dataset("accepted/consents", pin["version"]).to_table().to_pylist()
    day = dt.date(2026, 11, 1)
    assert {r["consent_id"]: (r["withdrawn_on"], r["expires_on"]) for r in written} == {
        "W0": (None, None),
        "W1": (None, None),
        "W2": (None, None),
        "W3": (day, day),
    }
