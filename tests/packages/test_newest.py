"""What is appended row by row stays cheap to read, and is read as it is now."""

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.lake import newest
from jobs.lake.exported import add_package, packages_of
from jobs.lake.lake import Lake
from jobs.lake.newest import MOST_FILES, compact
from schemas.tables import DISCLOSURES, PACKAGES

NIGHT = dt.date(2026, 11, 18)
NIGHTS = 3 * MOST_FILES


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def package(number: int) -> dict[str, object]:
    row = dict.fromkeys(PACKAGES.names)
    return row | {
        "night": NIGHT + dt.timedelta(days=number),
        "recipient": "agency",
        "name": "a",
        "sequence": 0,
    }


def disclosure(number: int) -> pa.Table:
    row = dict.fromkeys(DISCLOSURES.names) | {"night": NIGHT, "person_id": 1_000_000 + number}
    return pa.Table.from_pylist([row], schema=DISCLOSURES.arrow())


def test_nights_leave_a_few_files_behind(lake):
    for number in range(NIGHTS):
        add_package(lake, package(number))
        lake.append_arrow("disclosures", disclosure(number))
    before = packages_of(lake, "agency")
    assert compact(lake, print) == 2
    assert compact(lake, print) == 0
    for table in ("packages", "disclosures"):
        assert len(DeltaTable(lake.url(table)).file_uris()) == 1
    assert packages_of(Lake(lake.root), "agency") == before
    people = lake.newest.table("disclosures").column("person_id").to_pylist()
    assert sorted(people) == [1_000_000 + n for n in range(NIGHTS)]


def test_nothing_of_a_row_stands_in_the_log(lake):
    for number in range(MOST_FILES + 1):
        lake.append_arrow("disclosures", disclosure(number))
    compact(lake, print)
    for file in Path(lake.root, "disclosures", "_delta_log").glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert not any(str(1_000_000 + n) in text for n in range(MOST_FILES + 1))
        for line in map(json.loads, text.splitlines()):
            if "add" in line:
                assert not json.loads(line["add"]["stats"])["minValues"]


def test_a_table_is_read_once_a_version(lake, monkeypatch):
    add_package(lake, package(0))
    assert len(packages_of(lake, "agency")) == 1
    monkeypatch.setattr(Lake, "dataset", lambda *_: pytest.fail("read again"))
    add_package(lake, package(1))  # by this process: known without reading
    assert [r["night"] for r in packages_of(lake, "agency")] == [NIGHT, NIGHT + dt.timedelta(days=1)]


def test_what_another_process_appends_is_seen(lake):
    add_package(lake, package(0))
    assert len(packages_of(lake, "agency")) == 1
    add_package(Lake(lake.root), package(1))
    add_package(lake, package(2))
    assert len(packages_of(lake, "agency")) == 3


def test_every_table_that_is_appended_to_is_compacted():
    """Those that a night writes whole, or by nights, keep their files."""
    jobs = Path(newest.__file__).parents[1]
    found = set()
    for file in jobs.rglob("*.py"):
        for part in file.read_text(encoding="utf-8").split("append_arrow(")[1:]:
            name = part.lstrip().split(",")[0].strip()
            if name.startswith('"'):
                found.add(name.strip('"'))
    assert found <= set(newest.APPENDED)
    assert {"packages", "publications", "receipts", "notices"} <= found
