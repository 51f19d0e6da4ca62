"""What ``assent explain`` tells, held against the deliveries, the views and the scorecard files themselves."""

import json

import pytest
from ruamel.yaml import YAML

from jobs.lake.config import REPOSITORY
from schemas.contract import contracts
from tests.edges.conftest import NIGHTS, assent
from tests.extract.conftest import oib

CARDS = {
    p.stem: YAML(typ="safe").load(p.read_text(encoding="utf-8"))
    for p in (REPOSITORY / "scorecards").glob("*.yaml")
}
SCORE = {
    "purpose", "recipient", "status", "score", "band", "points", "reasons", "no_score_reason", "sources_used", "features",
    "inputs", "consents",
}  # fmt: skip
ENTRY = {"register", "feed", "record_id", "state", "listed", "recipient", "since", "until", "inputs"}
ASKED = (
    "sound", "seven-years", "d-open", "q-paid", "ins-ten", "tax-sound", "ban-sound", "pts-minor-3", "narrows", "student", "all-sources",
    "struck", "thin", "silent", "erased", "married", "handed-over", "giver", "taker",
)  # fmt: skip


@pytest.fixture(scope="module")
def told(history):
    """night -> name -> object."""
    found = {}
    for night in NIGHTS:
        ids = [history.national_id(w) for w in ASKED]
        out = history.run("explain", *ids, "--as-of", night, "--format", "json")
        found[night] = dict(zip(ASKED, json.loads(out), strict=True))
    return found


def test_the_order_asked_and_an_unknown_one(history):
    ids = [oib(9_999_999_999), history.national_id("thin"), "nonsense", history.national_id("sound")]
    found = json.loads(history.run("explain", *ids, "--format", "json"))
    known = {name: person for person, name in history.person_ids().items()}
    assert [o["person_id"] for o in found] == [None, known["thin"], None, known["sound"]]
    assert (found[0]["scores"], found[0]["registers"], found[0]["disclosures"]) == ([], [], [])


def by_hand(card, features):
    """Points of each characteristic, from the scorecard's file."""
    points = []
    for c in card["characteristics"]:
        values = [features[f] for f in c.get("features", [c.get("feature")])]
        points.append(
            c["neutral"]
            if None in values
            else next(
                b["points"]
                for b in c["bins"]
                if "below" not in b
                or all(
                    v < x
                    for v, x in zip(values, b["below"] if len(values) > 1 else [b["below"]], strict=True)
                )
            )
        )
    return points


def card_of(night, purpose):
    """The scorecard that served on a night: on the first the policy forbade study_finance its last source."""
    card = CARDS[purpose]
    if (night, purpose) == (NIGHTS[0], "study_finance"):
        return card | {"characteristics": card["characteristics"][:-1]}
    return card


def test_points_add_up_by_hand_and_reasons_are_the_largest_shortfalls(told):
    scored = 0
    for night in NIGHTS:
        for who in ASKED:
            for s in told[night][who]["scores"]:
                assert set(s) >= SCORE
                card = card_of(night, s["purpose"])
                if s["status"] != "scored":
                    assert (s["score"], s["band"], s["points"]) == (None, None, [])
                    assert s["no_score_reason"] in ("thin_file", "source_absent")
                    continue
                scored += 1
                assert s["points"] == by_hand(card, s["features"])
                assert s["score"] == max(350, min(950, card["base"] + sum(s["points"])))
                assert s["band"] == next(b for b, low in card["bands"].items() if s["score"] >= low)
                short = sorted(
                    (p - c["neutral"], i)
                    for i, (p, c) in enumerate(zip(s["points"], card["characteristics"], strict=True))
                    if p < c["neutral"]
                )[:4]
                assert [(r["code"], r["points"]) for r in s["reasons"]] == [
                    (card["characteristics"][i]["reason"]["code"], -points) for points, i in short
                ]
                assert all("{" not in r["text"] for r in s["reasons"])
    assert scored > 50


def test_every_input_is_a_delivered_row_of_the_person_and_of_a_source_used(history, told):
    for night in NIGHTS:
        for who in ASKED:
            for s in [*told[night][who]["scores"], *told[night][who]["registers"]]:
                for i in s["inputs"]:
                    day, name = i["file"].split("/")
                    row = history.rows[(day, name.removesuffix(".csv"))][i["row_number"] - 1]
                    assert day <= night
                    assert name == f"{i['feed']}.csv"
                    assert row[contracts()[i["feed"]].key] == i["record_id"]
                    assert row["national_id"] == history.national_id(who)
                    assert i["feed"] in s.get("sources_used", [i["feed"]])


def test_bookings_in_dispute_are_no_input(told):
    inputs = {
        night: {i["record_id"] for s in told[night]["struck"]["scores"] for i in s["inputs"]}
        for night in NIGHTS
    }
    every = {"struck.0", "struck.1", "struck.2"}
    # of a thin file too: what was read is told
    assert [inputs[n] for n in NIGHTS[:3]] == [every, every - {"struck.1"}, every]


def test_a_record_past_the_legal_limit_is_no_input(told):
    for who, last in (("ins-ten", 2), ("pts-minor-3", 2), ("seven-years", 2)):
        inputs = [
            {i["record_id"] for s in told[night][who]["scores"] for i in s["inputs"]} & {who}
            for night in NIGHTS
        ]
        assert inputs == [{who}] * last + [set()] * (5 - last)


def test_consents_are_those_that_cover_the_application(told):
    found = {
        (night, s["recipient"]): s["consents"] for night in NIGHTS for s in told[night]["narrows"]["scores"]
    }
    assert found[(NIGHTS[0], "demo-lender")] == ["narrows.1", "narrows.2"]
    assert found[(NIGHTS[1], "demo-lender")] == ["narrows.1"]
    assert found[(NIGHTS[0], "other-lender")] == ["narrows.3"]
    assert found[(NIGHTS[4], "demo-insurer")] == ["narrows.4"]
    assert (NIGHTS[3], "demo-lender") not in found


def test_entries_are_those_of_the_register(history, told):
    people = history.person_ids()
    for night in NIGHTS:
        view = history.query("from registers", night)
        for who in ASKED:
            mine = {
                (r["register"], r["record_id"], r["state"], r["listed"], str(r["since"]), r["recipient"])
                for r in view
                if people[r["person_id"]] == who
            }
            found = {
                (e["register"], e["record_id"], e["state"], e["listed"], e["since"], e["recipient"])
                for e in told[night][who]["registers"]
            }
            assert all(set(e) >= ENTRY for e in told[night][who]["registers"])
            assert found == mine
    (ins,) = told[NIGHTS[0]]["ins-ten"]["registers"]
    assert ins["until"] == "2026-02-27"


def test_who_received_an_entry_is_told(told):
    office = [
        (d["night"], d["change"])
        for d in told[NIGHTS[4]]["giver"]["disclosures"]
        if d["recipient"] == "enforcement-office"
    ]
    assert office == [(NIGHTS[0], "ADD"), (NIGHTS[2], "REMOVE")]
    assert told[NIGHTS[0]]["taker"]["disclosures"] == []


def test_nothing_is_known_of_an_erased_person(told):
    for night in NIGHTS[2:4]:
        assert told[night]["erased"]["scores"] == []
        assert not any(e["listed"] for e in told[night]["erased"]["registers"])
    assert all(not s["inputs"] for s in told[NIGHTS[4]]["erased"]["scores"])


def test_who_asks_receives_all_that_explain_knows(history):
    path = history.root / "lake.out" / "notices" / f"{NIGHTS[1]}.ndjson"
    letters = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    (letter,) = [x for x in letters if x["kind"] == "access"]
    assert letter["to"]["national_id"] == history.national_id("asks")
    known = json.loads(
        history.run("explain", history.national_id("asks"), "--as-of", NIGHTS[1], "--format", "json")
    )[0]
    (score,) = known["scores"]
    assert score["inputs"]
    for word in [
        score["recipient"],
        str(score["score"]),
        *score["consents"],
        *(i["record_id"] for i in score["inputs"]),
    ]:
        assert word in letter["text"]
    assert "base" in letter["text"]
    assert not any(x["kind"] == "access" for x in letters if x is not letter)


def test_an_unknown_purpose_is_wrong_use(history):
    assert (
        assent("explain", history.national_id("thin"), "--lake", history.lake, "--purpose", "friendship") == 2
    )
