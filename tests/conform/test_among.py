"""What a night looks up of a table: the rows of its keys, wherever the lake lies and whatever older rows lack."""

import datetime as dt

import pyarrow as pa
import pytest

from jobs.lake.lake import Lake
from jobs.lake.parquet_files import Files, rows

FIRST, SECOND = dt.date(2026, 11, 18), dt.date(2026, 11, 19)
KEYS = pa.table({"key": ["a", "c"]})


@pytest.mark.parametrize(("folder", "as_files"), [("lake", True), ("my läke", True), ("one's own", False)])
def test_the_rows_of_the_keys(spark, tmp_path, folder, as_files):
    lake = Lake(str(tmp_path / folder))
    lake.write_night("t", pa.table({"k": ["a", "b"], "night": [FIRST] * 2}).to_reader(), FIRST)
    more = pa.table({"k": ["c"], "gained": [1], "night": [SECOND]})
    version = lake.append_arrow("t", more)
    assert isinstance(rows(lake, "t", version), Files) == as_files
    found = lake.among("t", version, "k IN (SELECT key FROM keys)", KEYS, ["k", "gained", "night"], "found")
    assert {tuple(r) for r in found.collect()} == {("a", None, FIRST), ("c", 1, SECOND)}


def test_nothing_is_known_as_nothing(spark, tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    version = lake.write_arrow("t", pa.table({"k": ["b"], "on": [FIRST]}))
    found = lake.among("t", version, "k IN (SELECT key FROM keys)", KEYS, ["on"], "found")
    assert found.columns == ["on"]
    assert found.collect() == []


def test_a_version_is_read_as_it_was(spark, tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    version = lake.write_arrow("t", pa.table({"k": ["a"], "n": [1]}))
    lake.write_arrow("t", pa.table({"k": ["a"], "n": [2]}))
    found = lake.among("t", version, "k IN (SELECT key FROM keys)", KEYS, ["n"], "found")
    assert [r.n for r in found.collect()] == [1]
