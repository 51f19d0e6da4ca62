"""`assent explain`: what stands behind a score and an entry, on each of two nights."""

import csv
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from jobs.cli import main
from jobs.errors import AssentError, UsageError
from jobs.lake.explain import explain
from jobs.lake.query import run_query
from jobs.rules.dates import anniversary, months_back, whole_months
from tests.explain.conftest import FIRST, PEOPLE, SECOND, STRANGER

NIGHTS = {"first": dt.date.fromisoformat(FIRST), "second": dt.date.fromisoformat(SECOND)}
PROMISED = {
    "purpose", "recipient", "status", "score", "band", "points", "reasons", "no_score_reason", "sources_used",
    "features", "inputs", "consents",
}  # fmt: skip
ENTRY = {"register", "feed", "record_id", "state", "listed", "recipient", "since", "until", "inputs"}


def told(place, who, night="second", **more):
    (found,) = explain(place.lake, [PEOPLE[who][0]], as_of=NIGHTS[night], **more)
    return found


def score(found, recipient):
    (one,) = [s for s in found["scores"] if s["recipient"] == recipient]
    return one


def entries(found):
    return {e["record_id"]: e for e in found["registers"]}


def delivered(place, found):
    """The cells of the delivered row that an input names."""
    path = place.deliveries / found["file"]
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))[found["row_number"] - 1]


KEYS = {"transactions": "transaction_id", "court": "order_id", "traffic": "decision_id"}


@pytest.mark.parametrize("night", sorted(NIGHTS))
@pytest.mark.parametrize("who", ["ana", "bo"])
def test_the_points_add_up_to_the_score(place, who, night):
    found = told(place, who, night)
    scored = [s for s in found["scores"] if s["status"] == "scored"]
    assert scored
    for s in scored:
        assert set(s) >= PROMISED
        assert s["points"] == [c["points"] for c in s["characteristics"]]
        assert s["sum"] == s["base"] + sum(s["points"])
        assert s["score"] == max(350, min(950, s["sum"]))


@pytest.mark.parametrize("night", sorted(NIGHTS))
@pytest.mark.parametrize("who", ["ana", "bo"])
def test_reasons_are_the_largest_shortfalls_with_the_value_in_the_sentence(place, who, night):
    for s in told(place, who, night)["scores"]:
        short = [(c["points"] - c["neutral"], i) for i, c in enumerate(s["characteristics"])]
        worst = [-points for points, _ in sorted(p for p in short if p[0] < 0)][:4]
        assert [r["points"] for r in s["reasons"]] == worst
        assert all(r["points"] > 0 and "{" not in r["text"] for r in s["reasons"])
    late = {r["code"]: r["text"] for r in score(told(place, "ana"), "other-lender")["reasons"]}
    assert "LATE_RECENT" not in late  # the late payment is disputed on the second night
    late = {r["code"]: r["text"] for r in score(told(place, "ana", "first"), "other-lender")["reasons"]}
    assert "reported late 1 " in late["LATE_RECENT"]


@pytest.mark.parametrize(
    ("night", "recipient", "sources", "consents"),
    [
        ("first", "demo-lender", ["court", "transactions"], ["K1", "K2"]),
        ("first", "other-lender", ["transactions"], ["K3"]),
        ("second", "demo-lender", ["transactions"], ["K1"]),
        ("second", "other-lender", ["transactions"], ["K3"]),
    ],
)
def test_sources_and_consents_are_those_of_the_recipient(place, night, recipient, sources, consents):
    s = score(told(place, "ana", night), recipient)
    assert s["sources_used"] == sources
    assert s["consents"] == consents
    assert {i["feed"] for i in s["inputs"]} == set(sources)
    if "court" not in sources:
        assert s["features"]["judgments_unsatisfied"] is None


def test_inputs_are_the_delivered_rows_of_the_window(place):
    first, second = (score(told(place, "ana", n), "demo-lender") for n in ("first", "second"))
    booked = {f"{kind}{n}" for kind in "SC" for n in range(6)}
    of_court = {"J1", "J2"}
    assert {i["record_id"] for i in first["inputs"]} == booked | of_court
    assert {i["record_id"] for i in second["inputs"]} == booked - {"C4"}  # disputed, and court withdrawn
    for i in [*first["inputs"], *second["inputs"]]:
        row = delivered(place, i)
        assert row[KEYS[i["feed"]]] == i["record_id"]
        assert row["national_id"] == PEOPLE["ana"][0]
    notes = {i["record_id"]: i["note"] for i in first["inputs"]}
    assert notes["J2"] == "disputed"
    assert notes["J1"] is None


def test_a_record_in_dispute_makes_its_characteristic_neutral_and_says_so(place):
    found = score(told(place, "ana", "first"), "demo-lender")
    (part,) = [c for c in found["characteristics"] if c["features"] == ["judgments_unsatisfied"]]
    assert part["suspended"] == ["judgments_unsatisfied"]
    assert part["points"] == part["neutral"]


@pytest.mark.parametrize(
    ("night", "record", "state", "listed"),
    [
        ("first", "J1", "in_force", True),
        ("first", "J2", "disputed", False),
        ("second", "J1", "satisfied", False),
        ("second", "J2", "disputed", False),
    ],
)
def test_an_entry_is_told_with_its_state(place, night, record, state, listed):
    entry = entries(told(place, "ana", night))[record]
    assert set(entry) >= ENTRY
    assert (entry["state"], entry["listed"]) == (state, listed)
    assert entry["register"] == "judgment_debts"
    assert entry["recipient"] == "enforcement-office"
    assert entry["until"] == dt.date(2030, 2, 28)  # six years from 1 March 2024, through the day before
    (row,) = entry["inputs"]
    assert delivered(place, row)["order_id"] == record
    assert row["file"].startswith(SECOND if (night, record) == ("second", "J1") else FIRST)


def test_an_order_that_ends_before_the_statute_ends_then(place):
    (ban,) = told(place, "bo")["registers"]
    assert (ban["listed"], ban["until"]) == (True, dt.date(2028, 2, 29))


def test_what_was_sent_is_told(place):
    sent = [
        (d["night"].isoformat(), d["recipient"], d["subject"], d["change"])
        for d in told(place, "ana")["disclosures"]
    ]
    office = "enforcement-office"
    assert (FIRST, office, "judgment_debts/J1", "ADD") in sent
    assert (SECOND, office, "judgment_debts/J1", "REMOVE") in sent
    assert {d["night"] for d in told(place, "ana", "first")["disclosures"]} == {NIGHTS["first"]}


def test_without_records_there_is_no_score_and_the_reason(place):
    (s,) = told(place, "cvita")["scores"]
    assert (s["status"], s["score"], s["no_score_reason"]) == ("no_score", None, "source_absent")
    assert s["points"] == s["reasons"] == s["inputs"] == []
    assert s["consents"] == ["K5"]


def test_a_purpose_shows_its_scores_alone(place):
    found = told(place, "bo", purpose="motor_cover")
    assert [s["purpose"] for s in found["scores"]] == ["motor_cover"]
    assert found["registers"] == found["disclosures"] == []
    assert told(place, "bo", purpose="consumer_credit")["scores"] == []


def test_the_order_asked_and_the_unknown(place):
    asked = [STRANGER, PEOPLE["bo"][0], "not an id", PEOPLE["ana"][0]]
    found = explain(place.lake, asked)
    assert [o["person_id"] is None for o in found] == [True, False, True, False]
    assert found[0]["scores"] == found[0]["registers"] == found[0]["disclosures"] == []
    assert found[1]["scores"][0]["purpose"] == "motor_cover"


def against(place, who, **more):
    return told(place, who, **more)["against"]


def test_against_says_what_changed(place):
    found = against(place, "ana", against=NIGHTS["first"])
    by = {(s["purpose"], s["recipient"]): s for s in found["changes"]}
    mine = by[("consumer_credit", "demo-lender")]
    assert (mine["before"]["consents"], mine["after"]["consents"]) == (["K1", "K2"], ["K1"])
    assert mine["before"]["score"] != mine["after"]["score"]
    moved = sum(
        (c["after"] or {"points": 0})["points"] - (c["before"] or {"points": 0})["points"]
        for c in mine["characteristics"]
    )
    assert moved == mine["after"]["score"] - mine["before"]["score"]
    assert {i["record_id"] for i in mine["inputs_gone"]} == {"C4", "J1", "J2"}
    assert mine["inputs_added"] == []
    (entry,) = found["registers"]
    assert (entry["record_id"], entry["before"]["state"], entry["after"]["state"]) == (
        "J1",
        "in_force",
        "satisfied",
    )
    assert against(place, "ana", against=NIGHTS["second"]) == {
        "night": NIGHTS["second"], "from": NIGHTS["second"], "to": NIGHTS["second"], "changes": [], "registers": [],
    }  # fmt: skip


def test_each_changed_score_has_its_causes(place):
    changes = {c["recipient"]: c for c in against(place, "ana", against=NIGHTS["first"])["changes"]}
    causes = {r: {(c["cause"], c["record_id"]): c for c in row["causes"]} for r, row in changes.items()}
    # the paid judgment is no cause for a lender who may not read court any more
    assert set(causes["demo-lender"]) == {("consent_withdrawn", "K2"), ("record_disputed", "C4")}
    assert set(causes["other-lender"]) == {("record_disputed", "C4")}
    assert [c["unexplained"] for c in changes.values()] == [[], []]
    withdrawn = causes["demo-lender"][("consent_withdrawn", "K2")]
    assert delivered(place, withdrawn)["withdrawn_on"] == SECOND
    assert withdrawn["source"] == "court"
    assert "judgments_unsatisfied" in withdrawn["features"]
    disputed = causes["demo-lender"][("record_disputed", "C4")]
    assert delivered(place, disputed)["dispute_id"] == "D2"
    assert "max_days_past_due" in disputed["features"]


def test_without_another_night_the_one_before_is_held_against(place):
    assert against(place, "ana") == against(place, "ana", against=NIGHTS["first"])
    assert "against" not in told(place, "ana", "first")  # the first published night
    (first,) = explain(place.lake, [PEOPLE["ana"][0]], as_of=NIGHTS["first"], against=NIGHTS["second"])
    told_back = first["against"]
    assert (told_back["from"], told_back["to"]) == (NIGHTS["first"], NIGHTS["second"])
    assert told_back["changes"] == against(place, "ana")["changes"]


@pytest.mark.parametrize("fmt", ["text", "html"])
def test_a_night_is_explained_though_the_one_before_is_gone(place, fmt, tmp_path, monkeypatch):
    from jobs.lake.explained import render

    lake = tmp_path / "lake"
    shutil.copytree(place.lake, lake)
    monkeypatch.setenv("ASSENT_KEYS", f"{place.lake}.keys")
    rows = json.loads(
        json.dumps(run_query(str(lake), "select night, tables from publications").to_pylist(), default=str)
    )
    pins = {r["night"]: json.loads(r["tables"])["features"]["version"] for r in rows}
    for night, version in pins.items():
        if night == FIRST:
            for file in DeltaTable(str(lake / "features"), version=version).file_uris():
                Path(file).unlink()
    (found,) = explain(str(lake), [PEOPLE["ana"][0]])
    assert found["against"] is None
    assert found["scores"] == told(place, "ana")["scores"]
    assert "cannot be told" in render([found], fmt)
    with pytest.raises(AssentError, match=f"night {FIRST} cannot be read any more"):
        explain(str(lake), [PEOPLE["ana"][0]], against=NIGHTS["first"])


def test_every_look_is_recorded(place):
    before = run_query(place.lake, "from accesses").num_rows
    ana, bo = explain(place.lake, [PEOPLE["ana"][0], PEOPLE["bo"][0]], because="complaint 7")
    rows = run_query(place.lake, "from accesses order by accessed_at").to_pylist()
    assert len(rows) == before + 2
    assert {r["person_id"] for r in rows[-2:]} == {ana["person_id"], bo["person_id"]}
    assert {(r["command"], r["because"]) for r in rows[-2:]} == {("explain", "complaint 7")}
    assert rows[-1]["actor"]
    explain(place.lake, [PEOPLE["ana"][0]])
    assert (
        run_query(place.lake, "from accesses order by accessed_at").to_pylist()[-1]["because"] == "not stated"
    )


def test_a_reason_may_not_name_the_person(place):
    with pytest.raises(UsageError, match="national id") as e:
        explain(place.lake, [PEOPLE["ana"][0]], because=f"asked by {PEOPLE['ana'][0]}")
    assert PEOPLE["ana"][0] not in str(e.value)


def test_before_the_first_night(place):
    with pytest.raises(AssentError, match="nothing published on or before"):
        explain(place.lake, [PEOPLE["ana"][0]], as_of=dt.date(2020, 1, 1))


def test_a_lost_scorecard_is_said(place):
    kept = Path(place.lake, "_scorecards")
    gone = kept.rename(kept.with_name("lost"))
    try:
        with pytest.raises(AssentError, match="restore _scorecards from your backup"):
            explain(place.lake, [PEOPLE["ana"][0]])
    finally:
        gone.rename(kept)


@pytest.mark.parametrize("fmt", ["text", "json", "html"])
def test_no_format_shows_an_identity(place, fmt, capsys):
    ids = [identity[0] for identity in PEOPLE.values()]
    assert main(["explain", *ids, "--lake", place.lake, "--format", fmt, "--against", FIRST]) == 0
    out = capsys.readouterr().out
    for identity in PEOPLE.values():
        for value in (identity[0], identity[1], identity[3]):
            assert value not in out
    if fmt == "json":
        found = json.loads(out)
        assert [set(o) >= {"person_id", "scores", "registers", "disclosures"} for o in found] == [True] * 3
    else:
        assert "consumer_credit for demo-lender" in out
        assert "45 days" in out or "months" in out
        assert (
            "because a consent was withdrawn in consents (consent_withdrawn; moved judgments_unsatisfied"
            in out
        )


def test_the_text_shows_the_sum(place, capsys):
    assert main(["explain", PEOPLE["ana"][0], "--lake", place.lake, "--as-of", FIRST]) == 0
    out = capsys.readouterr().out
    s = score(told(place, "ana", "first"), "demo-lender")
    lines = [line.split() for line in out.splitlines()]
    assert ["base", str(s["base"])] in lines
    assert ["sum", str(s["sum"])] in lines
    for c in s["characteristics"]:
        assert any(" and ".join(c["features"]) in x and f"{c['points']:+d}" in x for x in out.splitlines())
    for r in s["reasons"]:
        assert r["text"] in out
    assert "listed since 2026-11-18" in out


def test_the_page_escapes_what_was_delivered():
    from jobs.lake.explained import render

    sent = {
        "night": FIRST,
        "recipient": "r",
        "subject": "<script>x</script>",
        "change": "ADD",
        "package": "p",
    }
    one = {"person_id": 1, "night": FIRST, "scores": [], "registers": [], "disclosures": [sent]}
    assert "<script>" not in render([one], "html")
    assert "&lt;script&gt;" in render([one], "html")
    with pytest.raises(UsageError, match="xml"):
        render([one], "xml")


def test_no_jvm_is_started(place):
    code = (
        "import sys; from jobs.lake.explain import explain; "
        f"explain({place.lake!r}, [{PEOPLE['ana'][0]!r}]); "
        "from pyspark import SparkContext; assert SparkContext._gateway is None; "
        "assert 'jobs.lake.spark' not in sys.modules"
    )
    env = {k: v for k, v in os.environ.items() if k != "JAVA_HOME"} | {"PATH": "/nowhere"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("day", "years", "then"),
    [("2024-02-29", 1, "2025-02-28"), ("2024-02-29", 4, "2028-02-29"), ("2024-03-01", 6, "2030-03-01")],
)
def test_an_anniversary(day, years, then):
    assert anniversary(dt.date.fromisoformat(day), years) == dt.date.fromisoformat(then)


@pytest.mark.parametrize(
    ("night", "months", "then"),
    [("2026-11-18", 12, "2025-11-01"), ("2026-01-31", 1, "2025-12-01"), ("2026-03-01", 0, "2026-03-01")],
)
def test_the_first_month_of_a_window(night, months, then):
    assert months_back(dt.date.fromisoformat(night), months) == dt.date.fromisoformat(then)


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2026-01-18", "2026-02-17", 0),
        ("2026-01-18", "2026-02-18", 1),
        ("2026-01-31", "2026-02-28", 1),
        ("2026-01-30", "2026-02-28", 1),
        ("2026-01-29", "2026-02-27", 0),
        ("2024-02-29", "2025-02-28", 12),
        ("2020-02-29", "2024-02-28", 47),
        ("2025-12-31", "2026-04-30", 4),
    ],
)
def test_whole_months(since, until, months):
    assert whole_months(dt.date.fromisoformat(since), dt.date.fromisoformat(until)) == months
