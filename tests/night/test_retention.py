"""The restricted zone keeps nothing beyond its days, and what is gone costs nobody anything (RULES, "Identity")."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.lake.lake import Lake
from jobs.lake.query import run_query
from jobs.nightly import STEPS, begin, open_night, run_step
from tests.recipients.conftest import PEOPLE, Place, assent, consent, declaration, judgment

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO, LEFT, FOUR = "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"
CREDIT = {"purpose": "consumer_credit", "source": "transactions", "recipient": "demo-lender"}
FEEDS = ("consents", "disputes", "tax", "court", "traffic", "education", "transactions")


def booking(who: str, night: str, n: int = 1) -> dict[str, object]:
    return {
        "who": who,
        "transaction_id": f"T-{who}-{night}-{n}",
        "account_id": f"A-{who}",
        "booked_on": f"2026-{8 + n:02}-10",
        "category": "salary",
        "amount_minor": 200_000,
        "currency": "EUR",
    }


def award(who: str) -> dict[str, object]:
    return {
        "who": who,
        "award_id": f"E-{who}",
        "institution": "Demo University",
        "isced_level": 6,
        "awarded_on": "2015-06-30",
        "revised_at": "2015-07-01T00:00:00Z",
    }


@pytest.fixture(scope="module")
def kept(spark, tmp_path_factory):
    """Three published nights, and one between that was left after validate."""
    place = Place(tmp_path_factory.mktemp("retention") / "my läke")
    place.root.mkdir()
    text = (ROOT / "policy.yaml").read_text(encoding="utf-8")
    days = "retention: {landing_days: 3, quarantine_days: 3, unconsented_days: 2}"
    shipped = "retention: {landing_days: 90, quarantine_days: 90, unconsented_days: 30}"
    assert shipped in text
    (place.root / "policy.yaml").write_text(text.replace(shipped, days), encoding="utf-8")
    (place.root / "scorecards").symlink_to(ROOT / "scorecards")
    for night in (ONE, TWO, LEFT, FOUR):
        for feed in FEEDS:  # of education nothing comes after the first night
            if night == ONE or feed != "education":
                place.deliver(night, feed, [], name="-none")
    everybody = ("ana", "bo", "cvita")
    place.deliver(ONE, "transactions", [booking(w, ONE, n) for w in everybody for n in (0, 1, 2)])
    place.deliver(ONE, "education", [award("cvita")])
    granted = [consent("ana", **CREDIT), consent("bo", **CREDIT, expires_on=ONE), consent("dino")]
    bad = {**declaration("dino", "withdrawal", ONE), "granted_on": "soon"}
    place.deliver(ONE, "consents", [*granted, bad])
    place.deliver(TWO, "transactions", [booking(w, TWO) for w in everybody])
    place.deliver(LEFT, "court", [judgment("ana")])
    place.deliver(FOUR, "transactions", [booking(w, FOUR) for w in everybody])
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_DELIVERIES"):
            patch.delenv(name, raising=False)
        patch.setenv("ASSENT_POLICY", str(place.root / "policy.yaml"))
        run(place, ONE)
        run(place, TWO)
        run(place, LEFT, through="validate")
        # it purged as of its own day; none of that was published
        place.held["court"] = people_of(place, "accepted/court", None)
        (place.deliveries / LEFT / "court.csv").unlink()
        place.held["left"] = people_of(place, "accepted/transactions", None)
        place.held["before"] = people_of(place, "accepted/transactions", TWO)
        # and nights killed in the middle have left files that nothing names
        for landed in Path(place.lake).glob(f"landing/transactions/delivery={ONE}/*.parquet"):
            shutil.copy(landed, landed.with_name("killed-0.parquet"))
        for stored in Path(place.lake).glob(f"quarantine/consents/night={ONE}/*.parquet"):
            shutil.copy(stored, stored.with_name("killed.parquet"))
        run(place, FOUR)
        yield place


def run(place: Place, date: str, through: str = "notify") -> None:
    """The steps of a night through one; another policy than the shipped one has no recipients with keys."""
    night = open_night(dt.date.fromisoformat(date), place.lake, str(place.deliveries), create=True)
    assert begin(night)
    for step in STEPS[: STEPS.index(through) + 1]:
        run_step(night, step)


def ids(place: Place) -> dict[str, str]:
    return {PEOPLE[w][0]: w for w in PEOPLE}


def people_of(place: Place, table: str, night: str | None) -> list[tuple[str, str]]:
    """Who has a row of which night in a table: of a publication, or as it is now."""
    lake = Lake(place.lake)
    version = lake.version(table)
    if night is not None:
        version = int(lake.publication(dt.date.fromisoformat(night))["tables"][table]["version"])
    rows = lake.dataset(table, version).to_table().to_pylist()
    return sorted({(ids(place)[r["national_id"]], r["night"].isoformat()) for r in rows})


def on_disk(place: Place, zone: str) -> set[str]:
    """Everybody whose national id stands in a Parquet file of a part of the lake."""
    found = set()
    for file in Path(place.lake, zone).rglob("*.parquet"):
        if "national_id" in pq.read_schema(file).names:
            found |= {ids(place)[v] for v in pq.read_table(file).column("national_id").to_pylist()}
    return found


def test_bookings_stay_of_people_with_a_live_consent(kept):
    everybody = [(w, n) for w in ("ana", "bo", "cvita") for n in (ONE, TWO)]
    assert kept.held["before"] == everybody
    # what came tonight may be waiting for its consent, which another file brings
    tonight = [(w, FOUR) for w in ("ana", "bo", "cvita")]
    assert people_of(kept, "accepted/transactions", FOUR) == sorted([("ana", ONE), ("ana", TWO), *tonight])
    assert people_of(kept, "accepted/education", FOUR) == []


def test_what_an_abandoned_night_took_is_taken_back(kept):
    assert kept.held["court"] == [("ana", LEFT)]
    assert people_of(kept, "accepted/court", None) == []
    assert on_disk(kept, "accepted/court") == set()


def test_their_files_are_gone_too(kept):
    assert on_disk(kept, f"accepted/transactions/night={ONE}") == {"ana"}
    assert on_disk(kept, f"accepted/transactions/night={TWO}") == {"ana"}
    assert on_disk(kept, "accepted/education") == set()
    assert on_disk(kept, "quarantine") == set()
    assert not list(Path(kept.lake, f"quarantine/consents/night={ONE}").glob("*.parquet"))


def test_landing_is_gone_and_its_manifest_stays(kept):
    lake = Lake(kept.lake)
    assert not list(Path(kept.lake).glob(f"landing/*/delivery={ONE}"))
    assert list(Path(kept.lake).glob(f"landing/*/delivery={TWO}/*.parquet"))
    nights = {p.name for p in Path(kept.lake).glob("landing/_identities/*")}
    assert ONE not in nights
    assert TWO in nights
    entries = lake.manifest(dt.date.fromisoformat(ONE), "transactions")
    assert sorted((e["rows"], e["landing"]) for e in entries) == [(0, []), (9, [])]
    assert all(e["sha256"] for e in entries)


def test_a_refused_withdrawal_stops_the_score_for_good(kept):
    nights = {}
    for night in (ONE, TWO, FOUR):
        rows = run_query(kept.lake, "select purpose from scores", dt.date.fromisoformat(night)).to_pylist()
        nights[night] = sorted(r["purpose"] for r in rows)
    assert nights == {ONE: ["consumer_credit"] * 2, TWO: ["consumer_credit"], FOUR: ["consumer_credit"]}
    assert run_query(kept.lake, "select count(*) n from quarantine").to_pylist() == [{"n": 0}]
    (doubt,) = DeltaTable(f"{kept.lake}/doubts").to_pyarrow_table().to_pylist()
    assert (doubt["feed"], doubt["record_key"]) == ("consents", "withdrawal-dino")
    assert '"kind":"withdrawal"' in doubt["verbatim"]
    assert not any(value in str(doubt) for value in PEOPLE["dino"])
    assert not list(Path(kept.lake, "_runs").iterdir())


def test_the_lake_verifies_and_the_past_is_still_told(kept, capsys):
    assert assent("verify", "--lake", kept.lake) == 0
    capsys.readouterr()
    who = PEOPLE["bo"][0]
    assert assent("explain", who, "--as-of", ONE, "--lake", kept.lake) == 0
    said = capsys.readouterr().out
    assert "consumer_credit" in said


def test_a_purged_table_that_is_not_what_was_published_is_told(kept, capsys, tmp_path):
    for suffix in ("", ".keys"):
        shutil.copytree(f"{kept.lake}{suffix}", tmp_path / f"lake{suffix}")
    lake = Lake(str(tmp_path / "lake"))
    version = lake.publication()["tables"]["accepted/transactions"]["version"]
    file = Path(lake.files("accepted/transactions", int(version))[0])
    rows = pq.read_table(file)
    pq.write_table(rows.slice(0, rows.num_rows - 1), file)
    assert assent("verify", "--lake", lake.root) == 1
    assert "table accepted/transactions: version" in capsys.readouterr().err
