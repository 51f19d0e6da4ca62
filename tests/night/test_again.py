"""A night run again changes nothing, a night made from the same inputs and keys is the same, and order is kept."""

import json
import shutil

import pytest
from deltalake import DeltaTable

from jobs.nightly import STEPS
from tests.night.conftest import NIGHTS, Place, assent
from tests.opened import opened

PUBLISHED = ("publications", "scores", "features", "registers", "deliveries", "vault")


def versions(place):
    return {t: DeltaTable(str(place.lake / t)).version() for t in PUBLISHED}


def out_files(place):
    return {p: p.stat().st_mtime_ns for p in place.out.rglob("*") if p.is_file()}


def test_the_same_night_again_writes_nothing(place):
    before, left = versions(place), out_files(place)
    last = ("night", "--date", NIGHTS[-1], "--deliveries", place.deliveries, "--lake", place.lake)
    assert assent(*last) == 0
    assert versions(place) == before
    assert out_files(place) == left


def test_an_earlier_night_is_refused_and_names_replay(place, capsys):
    status = assent("night", "--date", NIGHTS[0], "--deliveries", place.deliveries, "--lake", place.lake)
    assert status == 1
    assert "assent replay" in capsys.readouterr().err.splitlines()[-1]


def test_a_published_night_takes_no_new_files(place, tmp_path, capsys):
    more = tmp_path / "deliveries"
    shutil.copytree(place.deliveries, more)
    (more / NIGHTS[-1] / "education-late.csv").write_bytes(
        b"national_id,family_name,given_name,birth_date,award_id,institution,isced_level,awarded_on,revised_at\n"
    )
    assert assent("night", "--date", NIGHTS[-1], "--deliveries", more, "--lake", place.lake) == 1
    assert "next night" in capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def twin(place, tmp_path_factory):
    """The first night of another lake under the same keys: ended after conform, and again after publish, then run."""
    other = Place(place.deliveries, tmp_path_factory.mktemp("twin") / "lake")
    shutil.copytree(place.keys, other.keys)
    night = ("--date", NIGHTS[0], "--lake", other.lake)
    for last in ("conform", "publish"):
        for step in STEPS[: STEPS.index(last) + 1]:
            more = ("--deliveries", other.deliveries) if step == "extract" else ()
            assert assent(step, *night, *more) == 0
    assert not other.out.joinpath("notices").exists()
    assert assent("night", *night, "--deliveries", other.deliveries) == 0
    return other


def hashes(place, night):
    rows = DeltaTable(str(place.lake / "publications")).to_pyarrow_table().to_pylist()
    tables = json.loads(next(r["tables"] for r in rows if str(r["night"]) == night))
    return {t: (p["hash"], p["rows"]) for t, p in tables.items()}


def test_two_lakes_from_the_same_inputs_and_keys_hold_equal_hashes(place, twin):
    assert hashes(twin, NIGHTS[0]) == hashes(place, NIGHTS[0])


def test_a_night_that_was_ended_leaves_what_it_would_have_left(place, twin):
    left = {
        str(p.relative_to(twin.out)): p.read_bytes() for p in twin.out.rglob("*") if p.suffix == ".ndjson"
    }
    assert left
    assert left == {n: (place.out / n).read_bytes() for n in left}
    packages = sorted((twin.out / "exports").rglob(f"*-{NIGHTS[0]}.zip.pgp"))
    assert len(packages) == 10
    for package in packages:
        recipient, name = package.parent.name, package.name.removesuffix(".zip.pgp")
        mine, theirs = (opened(str(p.lake), recipient, name) for p in (twin, place))
        # the descriptor names the publication, whose versions count how often a night was begun
        data = [n for n in mine if n.endswith((".csv", ".parquet"))]
        assert len(data) == 4
        assert {n: mine[n] for n in data} == {n: theirs[n] for n in data}


def test_a_lake_of_another_key_is_refused(place, twin, capsys, monkeypatch, tmp_path):
    from jobs.lake.keys import make_keys

    make_keys(tmp_path / "other")
    monkeypatch.setenv("ASSENT_KEYS", str(tmp_path / "other"))
    assert assent("night", "--date", NIGHTS[1], "--deliveries", place.deliveries, "--lake", twin.lake) == 1
    assert "other keys" in capsys.readouterr().err.splitlines()[-1]
