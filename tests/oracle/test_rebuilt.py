"""What a night carries over from the night before is what it would have computed."""

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest

from jobs.lake import touched
from jobs.lake.lake import Lake
from jobs.nightly import open_night, run_night
from tests.oracle.conftest import NIGHTS, date

LATER = dt.timedelta(days=1)


def pins(lake):
    found = Lake(lake).publication()
    return {table: (p["rows"], p["hash"]) for table, p in found["tables"].items()}


@pytest.fixture
def again(history, tmp_path, monkeypatch):
    """The history's lake twice more, each with its keys; their policy is the last night's."""
    places = []
    for name in ("carried", "rebuilt"):
        shutil.copytree(history.lake, tmp_path / name, copy_function=os.link)
        shutil.copytree(f"{history.lake}.keys", tmp_path / f"{name}.keys")
        places.append(str(tmp_path / name))
    monkeypatch.setenv("ASSENT_POLICY", str(Path(history.lake).parent / "policy" / "policy.yaml"))
    return places


def test_a_night_rebuilt_whole_is_equal(history, again, monkeypatch):
    """Hash by hash; at another number of shuffle partitions too."""
    monkeypatch.setattr(touched, "WORTH_ROWS", 0)
    monkeypatch.setattr(touched, "MOST", 0)
    night, found = date(NIGHTS[-1]) + LATER, {}
    for place, full in zip(again, (False, True), strict=True):
        said = []
        opened = open_night(night, place, str(history.deliveries), full=full, say=said.append)
        if full:
            opened.lake.spark.conf.set("spark.sql.shuffle.partitions", "8")
        try:
            run_night(opened)
        finally:
            opened.lake.spark.conf.set("spark.sql.shuffle.partitions", "4")
        assert ("everybody's rows are computed: asked for" in said) == full
        assert any("everybody" in s for s in said) == full
        found[full] = pins(place)
    assert found[False] == found[True]
    assert found[True]["scores"][0] > 100
