"""What stops a file, what stops a feed's day, and what a night takes."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from jobs.errors import AssentError, UsageError
from jobs.extract import inputs
from jobs.lake.deliveries import feed_of
from schemas.contract import contracts

from .conftest import DAY, PERSON, ROWS, Place, as_csv, make_place, oib, publish_taken

TAX, CONSENT = ROWS["tax"], ROWS["consents"]
CSV = as_csv([TAX])


def without(row: dict[str, str], *names: str) -> dict[str, str]:
    return {k: v for k, v in row.items() if k not in names}


def parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


FILE_FAULTS = {
    "zero bytes": ("tax.csv", b"", "empty_file"),
    "zero bytes gz": ("tax.csv.gz", b"", "empty_file"),
    "gz of nothing": ("tax.csv.gz", gzip.compress(b""), "empty_file"),
    "zero bytes jsonl": ("tax.jsonl", b"", "empty_file"),
    "zero bytes parquet": ("tax.parquet", b"", "empty_file"),
    "cut gz": ("tax.csv.gz", gzip.compress(CSV)[:-9], "truncated"),
    "cut gz early": ("tax.csv.gz", gzip.compress(CSV)[:5], "truncated"),
    "cut jsonl gz": ("tax.jsonl.gz", gzip.compress(b'{"tax_year": 1}\n' * 50)[:-3], "truncated"),
    "cut zst": ("tax.csv.zst", zstandard.compress(CSV)[:-4], "truncated"),
    "not gz": ("tax.csv.gz", CSV, "unreadable"),
    "not zst": ("tax.csv.zst", CSV, "unreadable"),
    "damaged gz": ("tax.csv.gz", gzip.compress(CSV)[:30] + b"XXXXX" + gzip.compress(CSV)[35:], "unreadable"),
    "not parquet": ("tax.parquet", CSV, "unreadable"),
    "cut parquet": ("tax.parquet", parquet({k: [v] for k, v in TAX.items()})[:-10], "unreadable"),
    "nested parquet": (
        "tax.parquet",
        parquet({**{k: [v] for k, v in TAX.items()}, "status": [{"a": 1}]}),
        "unreadable",
    ),
}
COLUMN_FAULTS = {
    "unknown": (
        "tax.csv",
        as_csv([{**TAX, "favourite_colour": "red"}]),
        "unknown_column",
        "favourite_colour",
    ),
    "unknown in json": (
        "tax.jsonl",
        b'{"tax_year": 1, "favourite_colour": 2}\n',
        "unknown_column",
        "favourite_colour",
    ),
    "unknown in parquet": (
        "tax.parquet",
        parquet({**{k: [v] for k, v in TAX.items()}, "favourite_colour": [1]}),
        "unknown_column",
        "favourite_colour",
    ),
    "denied": ("tax.csv", as_csv([{**TAX, "maritalStatus": "x"}]), "denied_column", "'marital'"),
    "denied in json": ("tax.jsonl", b'{"tax_year": 1, "gps_lat": 2}\n', "denied_column", "gps"),
    "missing": ("tax.csv", as_csv([without(TAX, "currency")]), "missing_column", "currency"),
    "duplicate": ("tax.csv", CSV.replace(b"currency", b"tax_year"), "duplicate_column", "tax_year"),
    "semicolons": ("tax.csv", as_csv([TAX], delimiter=";"), "missing_column", "is the delimiter a comma"),
    "utf-16": ("tax.csv", CSV.decode().encode("utf-16"), "missing_column", "UTF-8"),
    "no header": ("tax.csv", CSV.splitlines(keepends=True)[1], "missing_column", "header"),
    "line end alone": ("tax.csv", b"\n", "missing_column", "required columns"),
}


@pytest.mark.parametrize("case", FILE_FAULTS)
def test_a_fault_of_a_file_stops_it_alone(place: Place, case: str) -> None:
    name, content, code = FILE_FAULTS[case]
    place.deliver(name, content)
    place.deliver("tax_other.csv", CSV)
    assert place.extract() == {**dict.fromkeys(contracts(), 0), "tax": 1, "stopped": 1}
    entries = {e["file"]: e for e in place.manifest()}
    stopped, other = entries[f"{DAY}/{name}"], entries[f"{DAY}/tax_other.csv"]
    assert stopped["stopped"] == code
    assert (stopped["rows"], stopped["landing"], stopped["bytes"]) == (None, [], len(content))
    assert stopped["sha256"] == hashlib.sha256(content).hexdigest()
    assert "deliver" in stopped["message"]
    assert "\n" not in stopped["message"]
    assert other["stopped"] is None
    assert place.files() == other["landing"]
    assert place.identities() == {r["identity"]: r["national_id"] for r in place.landed()}
    assert any(f"tax: {DAY}/{name} stopped, {code}" in line for line in place.said)


@pytest.mark.parametrize("case", COLUMN_FAULTS)
def test_a_fault_of_the_columns_stops_the_day(place: Place, case: str) -> None:
    name, content, code, word = COLUMN_FAULTS[case]
    place.deliver(name, content)
    place.deliver("tax_also.csv", CSV)
    place.deliver("tax.csv", CSV, day="2026-11-19")
    place.deliver("tax_empty.csv", b"")
    assert place.extract() == {**dict.fromkeys(contracts(), 0), "tax": 1, "stopped": 3}
    codes = {e["file"]: e["stopped"] for e in place.manifest()}
    assert codes == {
        "2026-11-19/tax.csv": None,
        f"{DAY}/{name}": code,
        f"{DAY}/tax_also.csv": code,
        f"{DAY}/tax_empty.csv": "empty_file",
    }
    messages = " ".join(e["message"] or "" for e in place.manifest())
    assert word in messages
    assert not any(value in messages for value in PERSON.values())
    assert [f.split("/")[2] for f in place.files()] == ["delivery=2026-11-19"]


def test_the_persons_own_feeds_leave_an_unknown_column_out(place: Place) -> None:
    place.deliver("consents.csv", as_csv([{**CONSENT, "favourite_colour": "red"}]))
    place.deliver("consents_2.jsonl", b'{"consent_id": "C-2", "favourite_colour": {"a": 1}}\n{"shoe": 1}\n')
    assert place.extract(["consents"]) == {"consents": 3}
    assert [r["row_error"] for r in place.landed("consents")] == [None] * 3
    assert [e["stopped"] for e in place.manifest("consents")] == [None, None]
    assert sum("unknown_column, 1 left out" in s for s in place.said) == 1
    assert sum("unknown_column, 2 left out" in s for s in place.said) == 1
    first, second, third = place.landed("consents")
    assert first["consent_id"] == "C-1"
    assert (second["consent_id"], third["consent_id"]) == ("C-2", None)


def test_a_denied_column_stops_them_too(place: Place) -> None:
    place.deliver("consents.csv", as_csv([{**CONSENT, "gender": "x"}]))
    assert place.extract(["consents"]) == {"consents": 0, "stopped": 1}
    assert place.manifest("consents")[0]["stopped"] == "denied_column"


@pytest.mark.parametrize(
    ("row", "stays"),
    [
        (f"C-9,withdrawal,{oib(1)}", True),
        (f'C-9,"withdrawal,{oib(1)},"x"', True),
        (f"C-9,withdrawal,{oib(1)},{oib(2)}", False),
        ("C-9,withdrawal,12345678900", False),
    ],
)
def test_a_malformed_withdrawal_keeps_the_id_that_can_be_read(place: Place, row: str, stays: bool) -> None:
    place.deliver("consents.csv", as_csv([CONSENT]) + row.encode() + b"\n")
    place.extract(["consents"])
    _, bad = place.landed("consents")
    assert (bad["row_error"], bad["raw"], bad["kind"]) == ("malformed_row", row, "withdrawal")
    assert (bad["national_id"] == oib(1)) is stays
    assert (bad["person_id"] is not None) is stays


def test_header_only_is_a_good_delivery_of_none(place: Place) -> None:
    place.deliver("tax.csv", CSV.splitlines(keepends=True)[0])
    assert place.extract(["tax"]) == {"tax": 0}
    (entry,) = place.manifest()
    assert (entry["rows"], entry["stopped"]) == (0, None)
    assert place.landed() == []


@pytest.mark.parametrize(
    ("sidecar", "code"),
    [
        ("{sha}  tax.csv\n", None),
        ("{SHA} *tax.csv\n", None),
        ("\\{sha}  tax.csv\n", None),
        ("{sha}", None),
        ("0" * 64 + "  tax.csv\n", "checksum_mismatch"),
        ("", "checksum_mismatch"),
        ("nonsense", "checksum_mismatch"),
    ],
)
def test_sidecar(place: Place, sidecar: str, code: str | None) -> None:
    sha = hashlib.sha256(CSV).hexdigest()
    place.deliver("tax.csv", CSV)
    place.deliver("tax.csv.sha256", sidecar.format(sha=sha, SHA=sha.upper()).encode())
    place.extract(["tax"])
    (entry,) = place.manifest()
    assert entry["stopped"] == code
    assert place.said == [] if code is None else "checksum_mismatch" in place.said[0]


def test_a_damaged_header_does_not_stop_the_feed(place: Place) -> None:
    place.deliver("tax.csv", CSV.replace(b"currency", b"curr"))
    place.deliver("tax.csv.sha256", b"0" * 64)
    place.deliver("tax_2.csv", CSV)
    place.extract(["tax"])
    assert {e["file"][11:]: e["stopped"] for e in place.manifest()} == {
        "tax.csv": "checksum_mismatch",
        "tax_2.csv": None,
    }


def test_what_is_no_file_is_unreadable(place: Place) -> None:
    folder = place.deliver("tax_ok.csv", CSV).parent
    (folder / "tax_gone.csv").symlink_to(folder / "nowhere")
    (folder / "tax_link.csv").symlink_to(folder / "tax_ok.csv")
    os.mkfifo(folder / "tax_pipe.csv")
    (folder / "tax_folder.csv").mkdir()
    assert place.extract(["tax"]) == {"tax": 2, "stopped": 2}
    found = {e["file"][11:]: (e["stopped"], e["sha256"] is None) for e in place.manifest()}
    assert found == {
        "tax_ok.csv": (None, False),
        "tax_link.csv": (None, False),
        "tax_gone.csv": ("unreadable", True),
        "tax_pipe.csv": ("unreadable", True),
    }
    assert {i["file"][11:]: i["sha256"] is None for i in inputs(place.night)} == {
        name: none for name, (_, none) in found.items()
    }


@pytest.mark.parametrize("name", ["tax.csv", "tax.csv.gz", "tax.parquet"])
def test_storage_that_fails_while_it_is_read(
    place: Place, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.lake import deliveries

    contents = {
        "tax.csv": CSV,
        "tax.csv.gz": gzip.compress(CSV),
        "tax.parquet": parquet({k: [v] for k, v in TAX.items()}),
    }
    place.deliver(name, contents[name])
    measure = deliveries.FolderSource.measure

    def then_gone(self: Any, delivered: Any, contract: Any) -> tuple[int, str]:
        found = measure(self, delivered, contract)

        class Failing:
            def __init__(self, *_: Any) -> None: ...
            def read(self, *_: Any) -> bytes:
                raise RuntimeError("secret of the storage")

            def seek(self, *_: Any) -> int:
                return 0

            def tell(self) -> int:
                return len(contents[name])

            def close(self) -> None: ...

        monkeypatch.setattr(self.fs, "open", lambda *a, **k: Failing())
        return found

    monkeypatch.setattr(deliveries.FolderSource, "measure", then_gone)
    # the lake shares the local file system: it must go on
    source = place.night.lake.fs.__class__(skip_instance_cache=True)
    monkeypatch.setattr(deliveries, "opened", lambda url: (source, url))
    place.extract(["tax"])
    (entry,) = place.manifest()
    assert entry["stopped"] == "unreadable"
    assert "RuntimeError" in entry["message"]
    assert "secret" not in entry["message"]
    assert place.files() == []


def test_which_files_a_night_takes(place: Place) -> None:
    for day, name in [
        ("2026-11-18", "tax.csv"),
        ("2026-11-19", "tax.csv"),
        ("2026-11-19", "tax_bad.csv"),
        (DAY, "tax_b.csv"),
        (DAY, "tax_a.csv"),
        ("2026-11-21", "tax.csv"),
        ("2026-13-01", "tax.csv"),
        ("truth", "tax.csv"),
    ]:
        place.deliver(name, CSV, day=day)
    for name in ("levy.csv", "TAX.csv", "tax.xlsx", "notes.txt", "tax.csv.part"):
        place.deliver(name, CSV)
    publish_taken(
        place,
        [
            ("tax", "2026-11-18/tax.csv", None),
            ("tax", "2026-11-19/tax.csv", "unreadable"),
            ("tax", "2026-11-19/tax_bad.csv", "truncated"),
            ("tax", "2026-11-19/tax.csv", None),
        ],
        "2026-11-19",
    )
    place.deliver("tax.csv", CSV + b"changed since", day="2026-11-18")
    assert place.extract(["court", "tax"]) == {"court": 0, "tax": 3}
    assert [e["file"] for e in place.manifest()] == [
        "2026-11-19/tax_bad.csv",
        f"{DAY}/tax_a.csv",
        f"{DAY}/tax_b.csv",
    ]
    assert [i["file"] for i in inputs(place.night)] == [e["file"] for e in place.manifest()]
    assert [i["sha256"] for i in inputs(place.night)] == [e["sha256"] for e in place.manifest()]
    assert place.said == []  # said once, by the first feed
    place.extract()
    assert place.said == [f"deliveries: 6 of other names ignored, first '{DAY}/TAX.csv'"]


def test_what_lies_beside_the_days_is_told_and_left(place: Place) -> None:
    place.deliver("tax.csv", CSV)
    place.deliver("tax.csv", CSV, day=".")
    place.deliver("tax.csv", CSV, day="20261120")
    place.deliver("scores.csv", CSV, day="truth")
    assert place.extract()["tax"] == 1
    assert place.said == ["deliveries: 2 of other names ignored, first '20261120/'"]


def test_a_feed_is_what_the_name_begins_with() -> None:
    feeds = [*contracts(), "taxis"]
    names = (
        "tax.csv tax_1.csv tax2.csv.gz taxlate.csv tax-a.b.parquet taxis.csv taxi.csv transactions.jsonl.gz"
    )
    found = [feed_of(name, feeds) for name in names.split()]
    assert [f[0] if f else None for f in found] == ["tax"] * 5 + ["taxis", "tax", "transactions"]
    assert [f[1] for f in found if f][2:5] == ["csv.gz", "csv", "parquet"]
    for name in ("Tax.csv", ".tax.csv", "tax.CSV", "tax.txt", "tax", "csv", "my-tax.csv", "tax.csv.bz2"):
        assert feed_of(name, feeds) is None


def test_files_of_one_content_are_two_files(place: Place) -> None:
    place.deliver("tax_1.csv", CSV)
    place.deliver("tax_2.csv", CSV)
    place.extract(["tax"])
    assert [r["file"] for r in place.landed()] == [f"{DAY}/tax_1.csv", f"{DAY}/tax_2.csv"]


def test_run_again(place: Place) -> None:
    path = place.deliver("tax.csv", CSV)
    place.extract()
    first = {f: (place.root / "lake" / f).read_bytes() for f in place.files()}
    manifest = place.manifest()
    place.extract()
    assert {f: (place.root / "lake" / f).read_bytes() for f in place.files()} == first
    assert place.manifest() == manifest
    path.write_bytes(as_csv([TAX, TAX]))
    place.extract()
    assert place.files() == place.manifest()[0]["landing"]  # nothing left of the former content
    assert place.files() != list(first)
    path.unlink()
    place.extract()
    assert place.manifest() == []
    assert place.files() == []
    assert place.identities() == {}


@pytest.mark.parametrize("there", ["missing", "a file"])
def test_no_folder(place: Place, there: str) -> None:
    place.night.deliveries = str(place.root / "elsewhere")
    if there == "a file":
        (place.root / "elsewhere").write_bytes(CSV)
    with pytest.raises(AssentError, match="no such folder; mend --deliveries"):
        place.extract()


def test_no_deliveries_named(place: Place) -> None:
    place.night.deliveries = None
    with pytest.raises(UsageError, match="--deliveries"):
        place.extract()


def test_empty_folder_and_file_url(place: Place) -> None:
    assert place.extract() == dict.fromkeys(contracts(), 0)
    place.deliver("tax.csv", CSV)
    place.night.deliveries = f"file://{place.deliveries}/"
    assert place.extract(["tax"]) == {"tax": 1}
    assert place.manifest()[0]["file"] == f"{DAY}/tax.csv"


def test_an_unwritable_lake_is_one_line(place: Place) -> None:
    place.deliver("tax.csv", CSV)
    (place.root / "lake" / "landing").write_bytes(b"in the way")
    with pytest.raises(AssentError, match=r"lake .* cannot be written") as fault:
        place.extract()
    assert "\n" not in str(fault.value)


def test_another_lake_of_the_same_keys_lands_the_same(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place.deliver("tax.csv", CSV)
    place.extract(["tax"])
    other = make_place(tmp_path_factory.mktemp("other"), str(place.deliveries))
    other.night.keys = place.night.keys
    other.extract(["tax"])
    assert other.landed() == place.landed()
    assert other.manifest() == place.manifest()
