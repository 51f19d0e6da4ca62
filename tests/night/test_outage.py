"""A source's outage is no mass removal: court is missing for days, then empty, then cut, and nobody leaves."""

import datetime as dt
import gzip

import pytest

from jobs.lake.query import run_query
from tests.explain.conftest import deliver, judgment
from tests.night.conftest import Place, assent
from tests.opened import opened

NIGHTS = [f"2026-11-{d}" for d in (18, 21, 22, 23)]
GOOD, EMPTY, CUT = NIGHTS[0], NIGHTS[2], NIGHTS[3]
RECORDS = [f"J{n}" for n in range(6)]


@pytest.fixture(scope="module")
def outage(spark, tmp_path_factory):
    """Four nights; what each said, and with which status it ended."""
    home = tmp_path_factory.mktemp("outage")
    place = Place(home / "deliveries", home / "lake")
    for day in NIGHTS:
        for feed in ("consents", "disputes", "tax", "traffic"):
            deliver(place.deliveries, day, feed, [])
    deliver(place.deliveries, GOOD, "court", [judgment(r) for r in RECORDS])
    deliver(place.deliveries, EMPTY, "court", [])
    deliver(place.deliveries, CUT, "court", [judgment(r, satisfied_on="2026-11-20") for r in RECORDS])
    whole = place.deliveries / CUT / "court.csv"
    cut = gzip.compress(whole.read_bytes())[:-20]
    whole.unlink()
    (place.deliveries / CUT / "court.csv.gz").write_bytes(cut)
    status = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_DELIVERIES"):
            patch.delenv(name, raising=False)
        for day in NIGHTS:
            words = (
                "night",
                "--date",
                day,
                "--deliveries",
                place.deliveries,
                "--lake",
                place.lake,
                "--approve",
            )
            status[day] = assent(*words)
    return place, status


def test_nobody_leaves_on_any_night(outage):
    place, status = outage
    assert status == {day: int(day == CUT) for day in NIGHTS}  # the cut file is told, the rest is published
    for day in NIGHTS:
        listed = run_query(
            str(place.lake), "select record_id from registers where listed", dt.date.fromisoformat(day)
        ).to_pylist()
        assert [r["record_id"] for r in sorted(listed, key=lambda r: r["record_id"])] == RECORDS, day
        snapshot = opened(place.lake, "enforcement-office", f"judgment_debts-{day}")["snapshot.csv"]
        assert len(snapshot.decode().splitlines()) == 1 + len(RECORDS), day
    sent = run_query(str(place.lake), "select change, count(*) n from disclosures group by all").to_pylist()
    assert sent == [{"change": "ADD", "n": len(RECORDS)}]
