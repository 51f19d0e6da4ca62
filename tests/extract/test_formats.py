"""JSON Lines, Parquet and the compressions: the same row, the same landing."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from jobs.lake.macs import person_ids
from schemas.contract import contracts

from .conftest import DAY, ROWS, Place, as_csv, oib

TAX = ROWS["tax"]


def as_json(*rows: Any) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode()


def as_parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


CSV = as_csv([TAX])
TYPED = {
    **{k: [v] for k, v in TAX.items()},
    "birth_date": pa.array([dt.date(1980, 2, 29)]),
    "assessed_on": pa.array([dt.datetime(2026, 5, 1)], pa.timestamp("ns")),
    "tax_year": pa.array([2025], pa.int16()),
    "income_minor": pa.array([4000000.0]),
    "tax_due_minor": pa.array([decimal.Decimal("900000.00")]),
    "tax_paid_minor": pa.array([0], pa.uint8()),
    "status": pa.array(["assessed"]).dictionary_encode(),
    "currency": pa.array([b"EUR"]),
    "revised_at": pa.array(
        [dt.datetime(2026, 5, 1, 10, tzinfo=dt.UTC)], pa.timestamp("ms", tz="Europe/Zagreb")
    ),
    "debt_minor": pa.nulls(1),
}
FORMATS = {
    "tax.csv": CSV,
    "tax_2.csv.gz": gzip.compress(CSV),
    "tax-late.csv.gz": gzip.compress(CSV[:40]) + gzip.compress(CSV[40:]),
    "tax.part1.csv.zst": zstandard.compress(CSV),
    "tax2.csv.zst": zstandard.compress(CSV[:40]) + zstandard.compress(CSV[40:]),
    "tax.jsonl": as_json(TAX),
    "tax.jsonl.gz": gzip.compress(
        as_json({**TAX, "tax_year": 2025, "income_minor": 4000000, "debt_minor": None})
    ),
    "tax.parquet": as_parquet({k: [v] for k, v in TAX.items()}),
    "tax_typed.parquet": as_parquet(TYPED),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_lands_alike(place: Place, name: str) -> None:
    place.deliver(name, FORMATS[name])
    counts = place.extract()
    assert counts == {**dict.fromkeys(contracts(), 0), "tax": 1}
    (entry,) = place.manifest()
    assert (entry["rows"], entry["stopped"], entry["message"]) == (1, None, None)
    assert entry["file"] == f"{DAY}/{name}"
    assert entry["bytes"] == len(FORMATS[name])
    (row,) = place.landed()
    assert {k: v for k, v in row.items() if k in TAX} == TAX
    assert all(row[k] is None for k in contracts()["tax"].names if k not in TAX)
    assert (row["file"], row["row_number"], row["row_error"], row["raw"]) == (entry["file"], 1, None, None)
    assert row["id_valid"] is True
    assert [row["person_id"]] == person_ids(place.night.keys, [TAX["national_id"]], "hr.oib")


@pytest.mark.parametrize(
    ("line", "code", "kept"),
    [
        (b'{"national_id": "%s", "kind": "withdrawal"' % oib(1).encode(), "malformed_row", True),
        (b"[1, 2]", "malformed_row", False),
        (b'"text"', "malformed_row", False),
        (b"12", "malformed_row", False),
        (b'{"consent_id": NaN}', "malformed_row", False),
        (b"[" * 100_000, "malformed_row", False),
        (
            as_json({**ROWS["consents"], "purpose": {"a": 1}}).strip(),
            "malformed_row",
            True,
        ),
        (as_json({**ROWS["consents"], "purpose": "a\x00"}).strip(), "malformed_row", True),
        (
            b'{"national_id": "%s", "kind": "withdrawal", "purpose": "\\ud800"}' % oib(1).encode(),
            "malformed_row",
            True,
        ),
        (b'{"kind": "withdrawal", "kind": "death"}', "malformed_row", False),
        (
            json.dumps({**ROWS["consents"], "family_name": "Jos\u00e9"}, ensure_ascii=False).encode(
                "latin-1", "replace"
            ),
            "encoding",
            True,
        ),
    ],
)
def test_a_json_line_that_is_no_row(place: Place, line: bytes, code: str, kept: bool) -> None:
    good = as_json(ROWS["consents"])
    place.deliver("consents.jsonl", b"\xef\xbb\xbf" + good + b"\n" + line + b"\r\n" + good)
    assert place.extract(["consents"]) == {"consents": 3}
    before, row, after = place.landed("consents")
    assert before["row_error"] is None
    assert after["row_error"] is None
    assert after["row_number"] == 3
    assert row["row_error"] == code
    assert row["raw"]
    # whose id and kind can be read: a withdrawal stops the score all the same
    assert ((row["national_id"], row["kind"]) == (oib(1), "withdrawal")) is kept
    assert (row["person_id"] == before["person_id"]) is kept


def test_numbers_of_json_stay_as_written(place: Place) -> None:
    place.deliver("tax.jsonl", as_json(TAX).replace(b'"4000000"', b"4000000.50").replace(b'"0"', b"1e3"))
    place.extract()
    (row,) = place.landed()
    assert (row["income_minor"], row["tax_paid_minor"]) == ("4000000.50", "1e3")


def test_typed_values_that_do_not_fit_stay_what_they_are(place: Place) -> None:
    place.deliver(
        "tax.parquet",
        as_parquet(
            {
                **{k: [v] for k, v in TAX.items()},
                "assessed_on": pa.array([dt.datetime(2026, 5, 1, 10, 30)]),
                "income_minor": pa.array([12.5]),
                "tax_due_minor": pa.array([decimal.Decimal("12.50")]),
                "tax_paid_minor": pa.array([float("nan")], from_pandas=False),
                "tax_year": pa.array([True]),
                "revised_at": pa.array([dt.datetime(2026, 5, 1, 10, 0, 0, 250_000)]),
            }
        ),
    )
    place.extract()
    (row,) = place.landed()
    assert row["row_error"] is None
    assert row["assessed_on"] == "2026-05-01T10:30:00Z"
    assert row["income_minor"] == "12.5"
    assert row["tax_due_minor"] == "12.50"
    assert row["tax_paid_minor"] == "nan"
    assert row["tax_year"] == "true"
    assert row["revised_at"] == "2026-05-01T10:00:00.25Z"


def test_undecodable_and_nul_cells_of_parquet(place: Place) -> None:
    rows = {k: [v.encode()] * 3 for k, v in ROWS["consents"].items()}
    rows["family_name"] = [b"Jos\xe9", b"A\x00", b"Ana"]
    place.deliver("consents.parquet", as_parquet(rows))
    place.extract()
    first, second, third = place.landed("consents")
    assert (first["row_error"], second["row_error"], third["row_error"]) == (
        "encoding",
        "malformed_row",
        None,
    )
    assert "Jos\\xe9" in first["raw"]
    assert first["kind"] == second["kind"] == "withdrawal"
    assert first["family_name"] is None
    assert first["person_id"] == third["person_id"]


def test_many_rows_in_several_landing_files(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.lake import landing, readers

    monkeypatch.setattr(landing, "PART_ROWS", 100)
    monkeypatch.setattr(readers, "BATCH_ROWS", 60)
    rows = [{**TAX, "assessment_id": f"T-{i}", "national_id": oib(i % 7)} for i in range(250)]
    head, *lines = as_csv(rows).splitlines(keepends=True)
    # a faulty line a stretch makes small batches
    place.deliver(
        "tax.csv", head + b"".join(line + (b"x\n" if i % 40 == 0 else b"") for i, line in enumerate(lines))
    )
    monkeypatch.setattr("jobs.lake.csv_reader.STRETCH", 1000)
    place.extract()
    (entry,) = place.manifest()
    assert entry["rows"] == 257
    assert len(entry["landing"]) == 3
    assert place.files() == sorted(entry["landing"])
    landed = place.landed()
    assert [r["row_number"] for r in landed] == list(range(1, 258))
    assert [r["assessment_id"] for r in landed if r["row_error"] is None] == [
        r["assessment_id"] for r in rows
    ]
