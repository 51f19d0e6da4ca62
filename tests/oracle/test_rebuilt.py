"""What a night carries over from the night before is what it would have computed."""

from pathlib import Path

import pytest

from jobs.lake.lake import Lake
from jobs.nightly import open_night, run_night
from tests.oracle.conftest import NEW_POLICY_FROM, REBUILT, date

EVERYBODY = "everybody's rows are computed"


def pins(lake: str, number: int) -> dict[str, tuple[int, str]]:
    found = Lake(lake).publication(date(number))
    assert found["night"] == date(number)
    return {table: (p["rows"], p["hash"]) for table, p in found["tables"].items()}


@pytest.mark.parametrize("number", REBUILT)
def test_a_night_rebuilt_whole_is_equal(history, monkeypatch, number):
    """Hash by hash, at other numbers of shuffle partitions; late rows, corrections, disputes and faults among them."""
    if number >= NEW_POLICY_FROM:
        monkeypatch.setenv("ASSENT_POLICY", str(Path(history.lake).parent / "policy" / "policy.yaml"))
    said = []
    night = open_night(
        date(number), history.before[number], str(history.deliveries), full=True, say=said.append
    )
    conf = night.lake.spark.conf
    usual = conf.get("spark.sql.shuffle.partitions")
    conf.set("spark.sql.shuffle.partitions", str(REBUILT[number]))
    try:
        run_night(night)
    finally:
        conf.set("spark.sql.shuffle.partitions", usual)
    assert any(EVERYBODY in s for s in said)
    assert not any(EVERYBODY in s for s in history.said[number])
    assert any("touched " in s for s in history.said[number] if "conform" in s)
    carried, rebuilt = pins(history.lake, number), pins(night.lake.root, number)
    assert carried == rebuilt
    assert rebuilt["scores"][0] > 100
