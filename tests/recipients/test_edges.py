"""Edges of what leaves, each over nights published by hand: guards, doubt, late feeds, keys, former recipients."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil

import pytest

from jobs.errors import AssentError
from jobs.export import in_sight
from jobs.lake.config import REPOSITORY
from jobs.lake.packages import prepare
from jobs.lake.query import run_query
from jobs.nightly import by_command, open_night, run_step
from tests.recipients.stage import NIGHTS, Application, Stage

N1, N2, N3, N4, N5 = NIGHTS[:5]
CROWD = [Application(w) for w in "ana bo cvita dino ema filip gita hana".split()]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys of a lake and of the demo's recipients, made once."""
    made = Stage(tmp_path_factory.mktemp("keys"))
    prepare(open_night(N1, made.lake))
    shutil.rmtree(made.keys / "consent-issuers")
    return made.keys


@pytest.fixture
def stage(tmp_path, keys, monkeypatch) -> Stage:
    for name in ("LAKE", "KEYS", "OUT", "POLICY", "DELIVERIES", "APPROVE"):
        monkeypatch.delenv(f"ASSENT_{name}", raising=False)
    return Stage(tmp_path, keys)


def begun(stage: Stage, applications=CROWD) -> Stage:
    """A first night that a person approved."""
    stage.publish(N1, applications)
    stage.run(N1, approve=True)
    return stage


def test_what_waited_on_one_night_waits_on_the_next_until_a_person_approves(stage):
    for night in (N1, N2):
        stage.publish(night, CROWD)
        said = stage.run(night)
        assert stage.changes(night) == {}
        assert any("8 of 8 live consents are new" in s for s in said)
    stage.run(N2, "export", approve=True)
    assert set(stage.changes(N2).values()) == {"ADD"}
    stage.publish(N3, [*CROWD, Application("ivo")])  # 1 of 9: within the share
    stage.run(N3)
    assert stage.changes(N3) == {"ivo": "ADD"}


def test_too_many_new_consents_stop_changes_and_never_a_removal(stage):
    begun(stage)
    stage.declare(N2, "bo")
    more = [
        Application(w, delta=-50 if w == "ana" else 0) for w in "ana cvita dino ema filip gita hana".split()
    ]
    stage.publish(N2, [*more, *(Application(w) for w in ("ivo", "jana", "klara"))])
    said = stage.run(N2)
    assert any("3 of 10 live consents are new, more than the policy's share of 0.25" in s for s in said)
    assert stage.changes(N2) == {"bo": "REMOVE withdrawn"}
    stage.run(N2, "export", approve=True)
    assert stage.changes(N2) == {
        "bo": "REMOVE withdrawn", "ana": "CHANGE", "ivo": "ADD", "jana": "ADD", "klara": "ADD",
    }  # fmt: skip
    sent = run_query(
        stage.lake, f"select change, count(*) as n from disclosures where night = '{N2}' group by all"
    )
    assert {r["change"]: r["n"] for r in sent.to_pylist()} == {"REMOVE": 1, "CHANGE": 1, "ADD": 3}


def test_a_score_is_sent_after_its_notice_alone_and_removals_all_the_same(stage):
    begun(stage)
    stage.declare(N2, "bo")
    stage.publish(N2, [a for a in CROWD if a.who != "bo"] + [Application("ivo")])
    with pytest.raises(AssentError, match="1 untold"):
        stage.run(N2, "export")
    assert stage.changes(N2) == {"bo": "REMOVE withdrawn"}
    stage.run(N2)
    assert stage.changes(N2) == {"bo": "REMOVE withdrawn", "ivo": "ADD"}


def test_whoever_approves_has_the_scores_in_sight_and_the_ledger_says_who_it_was(stage):
    begun(stage)
    stage.publish(N2, [*CROWD, *(Application(w) for w in ("ivo", "jana", "klara"))])
    stage.run(N2, "notify")
    seen = in_sight(open_night(N2, stage.lake))
    assert "scores-motor_cover/demo-insurer | 8 | 11 | 3 | 0 | 0 | 0" in seen["form"]
    assert "guard new_consents_share is at 0.2727, allowed are 0.25" in seen["form"]
    other = dataclasses.replace(by_command(), sight_hash="0" * 64)
    said = []
    run_step(open_night(N2, stage.lake, approval=other, say=said.append), "export")
    assert any("other than what was approved" in s for s in said)
    assert stage.changes(N2) == {}
    mine = dataclasses.replace(by_command(), sight_hash=seen["sight_hash"])
    run_step(open_night(N2, stage.lake, approval=mine), "export")
    assert stage.changes(N2) == dict.fromkeys(("ivo", "jana", "klara"), "ADD")
    (row,) = run_query(
        stage.lake, f"from approvals where night = '{N2}' and decision = 'approve'"
    ).to_pylist()
    assert json.loads(row["counts"])["scores-motor_cover/demo-insurer"]["adds"] == 3
    sent = run_query(stage.lake, f"select approval from disclosures where night = '{N2}'").to_pylist()
    assert sent == [{"approval": row["approval_id"]}] * 3


def test_a_recipient_that_the_policy_names_no_more_is_told_to_delete_what_it_holds(
    stage, monkeypatch, tmp_path
):
    other = [Application(w, "other-lender") for w in ("ana", "bo")]
    begun(stage, [*CROWD, *other])
    assert set(stage.changes(N1, "other-lender").values()) == {"ADD"}
    text = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
    assert "[demo-lender, other-lender]" in text
    shutil.copytree(REPOSITORY / "scorecards", tmp_path / "own" / "scorecards")
    (tmp_path / "own" / "policy.yaml").write_text(
        text.replace("[demo-lender, other-lender]", "[demo-lender]")
    )
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "own" / "policy.yaml"))
    stage.publish(N2, CROWD)
    stage.run(N2)
    assert stage.changes(N2, "other-lender") == {"ana": "REMOVE corrected", "bo": "REMOVE corrected"}
    assert stage.package(N2, "other-lender")["snapshot"] == {}
    stage.publish(N3, CROWD)
    stage.run(N3)
    assert not list((stage.out / "exports" / "other-lender").glob(f"*-{N3}.zip.pgp"))  # once


MANY = [Application(w, "demo-lender") for w in "cvita dino ema filip gita hana".split()]
NEW = [Application(w, "demo-lender") for w in ("ivo", "jana", "klara")]  # too many at once: scores are held
GONE = """
consent  | withdrawn_on  | REMOVE withdrawn
consent  | expires_on    | REMOVE lapsed
dispute  | open          | REMOVE corrected
dispute  | upheld        | REMOVE corrected
dispute  | rejected      | -
nothing  | -             | -
"""


@pytest.mark.parametrize("line", GONE.strip().splitlines())
def test_a_score_that_waits_is_never_repeated_once_what_it_rests_on_is_gone(stage, line):
    """The optional consent's end, or a dispute, changes the score; that change waits, and the old score is not left."""
    what, how, change = (c.strip() for c in line.split("|"))
    bo = Application("bo", "demo-lender", also=("tax",))
    begun(stage, [*MANY, bo])
    other = Application("bo", "demo-lender", delta=40, also=() if what == "consent" else ("tax",))
    ends, disputes = {}, []
    if what == "consent":
        ends = {bo.consents["tax"]: {how: N2 if how == "withdrawn_on" else N1}}
    elif what == "dispute":
        disputes = [{"who": "bo", "dispute_id": "D1", "kind": "inaccurate", "feed": "tax", "verdict": how}]
    stage.publish(N2, [*MANY, other, *NEW], ends, disputes)
    stage.run(N2)
    assert stage.changes(N2, "demo-lender") == ({} if change == "-" else {"bo": change})
    assert ("bo" in stage.package(N2, "demo-lender")["snapshot"]) == (change == "-")
    stage.run(N2, "export", approve=True)
    made = stage.changes(N2, "demo-lender")
    assert {w: made[w] for w in ("ivo", "jana", "klara")} == dict.fromkeys(("ivo", "jana", "klara"), "ADD")
    assert made["bo"] in ("CHANGE", change)
    stage.publish(N3, [*MANY, other, *NEW], {}, disputes)
    stage.run(N3)
    assert stage.changes(N3, "demo-lender") in ({}, {"bo": "ADD"})
    assert stage.package(N3, "demo-lender")["snapshot"]["bo"]["score"] is not None


CAUSES = {
    "withdrawn_on": "withdrawn",
    "expired": "lapsed",
    "declared": "withdrawn",
    "erased": "erased",
    "died": "deceased",
    "unread withdrawal": "withdrawn",
    "unread death": "deceased",
    "consent disputed": "corrected",
}


@pytest.mark.parametrize(("how", "cause"), CAUSES.items())
def test_each_way_out_has_its_cause(stage, how, cause):
    begun(stage)
    ends = {}
    if how == "withdrawn_on":
        ends = {CROWD[1].consent_id: {"withdrawn_on": N2}}
    elif how == "expired":
        ends = {CROWD[1].consent_id: {"expires_on": N1}}
    elif how == "declared":
        stage.declare(N2, "bo", "withdrawal", purpose="motor_cover")
    elif how == "erased":
        stage.declare(N2, "bo", "erasure")
    elif how == "died":
        stage.declare(N2, "bo", "death")
    elif how.startswith("unread"):
        stage.doubt(N2, "bo", how.removeprefix("unread "))
    stage.publish(N2, [a for a in CROWD if a.who != "bo"], ends)
    stage.run(N2)
    assert stage.changes(N2) == {"bo": f"REMOVE {cause}"}
    stage.publish(N3, [a for a in CROWD if a.who != "bo"])
    stage.run(N3)
    assert stage.changes(N3) == {}  # once


def test_without_fresh_consents_everybody_is_taken_back_and_comes_again(stage):
    begun(stage)
    stage.publish(N2, [], fresh=False)
    stage.run(N2)
    assert stage.changes(N2) == {a.who: "REMOVE lapsed" for a in CROWD}
    stage.publish(N3, CROWD)
    stage.run(N3)  # no consent is new: nobody need approve
    assert stage.changes(N3) == {a.who: "ADD" for a in CROWD}


def test_a_withdrawn_consent_is_not_replaced_by_an_unattested_one(stage):
    begun(stage)
    again = Application("bo", attested=False, consent="-2")
    stage.publish(
        N2, [*[a for a in CROWD if a.who != "bo"], again], {CROWD[1].consent_id: {"withdrawn_on": N2}}
    )
    said = stage.run(N2)
    assert stage.changes(N2) == {"bo": "REMOVE withdrawn"}
    assert any("1 scores rest on consents that no issuer attests" in s for s in said)


def test_an_issuer_taken_out_of_the_folder_attests_nothing_any_more(stage):
    begun(stage)
    (stage.keys / "consent-issuers" / "demo-issuer.pub.asc").unlink()
    stage.publish(N2, CROWD)
    stage.run(N2)
    assert stage.changes(N2) == {a.who: "REMOVE corrected" for a in CROWD}


def test_a_recipient_without_a_key_is_stopped_and_gets_everything_later(stage):
    begun(stage)
    path = stage.keys / "recipients" / "demo-insurer.pub.asc"
    kept = path.read_bytes()
    path.unlink()
    stage.declare(N2, "bo")
    stage.publish(N2, [a for a in CROWD if a.who != "bo"])
    with pytest.raises(AssentError, match=r"demo-insurer: no key"):
        stage.run(N2)
    assert not list((stage.out / "exports" / "demo-insurer").glob(f"*{N2}*"))
    count = f"select count(*) as n from disclosures where night = '{N2}'"
    assert run_query(stage.lake, count)["n"][0].as_py() == 0
    path.write_bytes(kept)
    stage.publish(N3, [a for a in CROWD if a.who != "bo"])
    stage.run(N3)
    assert stage.changes(N3) == {"bo": "REMOVE withdrawn"}


def test_no_score_is_sent_as_such_and_never_as_a_low_one(stage):
    begun(stage)
    stage.publish(N2, [Application(a.who, status="no_score" if a.who == "ana" else "scored") for a in CROWD])
    stage.run(N2)
    row = stage.package(N2)["snapshot"]["ana"]
    assert stage.changes(N2) == {"ana": "CHANGE"}
    assert (row["status"], row["score"], row["band"]) == ("no_score", None, None)
    assert "There is no score, which is not a low one" in row["reasons"]


def test_a_former_recipient_is_told_that_what_it_holds_is_corrected_and_gets_no_score(stage):
    begun(stage)
    without = [a for a in CROWD if a.who != "bo"]
    stage.declare(N2, "bo")
    stage.publish(N2, without)
    stage.run(N2)
    upheld = {"who": "bo", "verdict": "upheld", "decided_on": N3, "night": N3}
    also = {**upheld, "who": "ana", "dispute_id": "D-2"}
    stage.publish(
        N3, [Application(a.who, delta=30 if a.who == "ana" else 0) for a in without], disputes=[upheld, also]
    )
    stage.run(N3)
    assert stage.changes(N3) == {"ana": "CHANGE"}  # hers is sent again, corrected
    told = stage.package(N3, name="corrections-motor_cover")
    lines = told["corrections.csv"].splitlines()
    assert lines[0] == "application_id,national_id,last_sent_on"
    (row,) = lines[1:]
    before = stage.package(N1)["snapshot"]["bo"]
    assert row == f"{before['application_id']},{before['national_id']},{N1}"
    assert str(before["score"]) not in told["READ-ME.txt"]
    sent = run_query(
        stage.lake, "select person_id, package from disclosures where change = 'CORRECTION'"
    ).to_pylist()
    assert [stage.names[r["person_id"]] for r in sent] == ["bo"]
    stage.run(N3, "export")
    stage.publish(N4, without, disputes=[upheld, also])
    stage.run(N4)
    assert run_query(stage.lake, "from disclosures where change = 'CORRECTION'").num_rows == 1
    assert not (stage.out / "exports" / "demo-insurer" / f"corrections-motor_cover-{N4}.zip.pgp").exists()


def test_no_package_holds_another_recipients_people(stage):
    lenders = [
        Application("ana", "demo-lender"),
        Application("bo", "other-lender"),
        Application("cvita", "demo-lender"),
    ]
    begun(stage, [*lenders, Application("dino")])
    held = {r: set(stage.package(N1, r)["snapshot"]) for r in ("demo-lender", "other-lender", "demo-insurer")}
    assert held == {"demo-lender": {"ana", "cvita"}, "other-lender": {"bo"}, "demo-insurer": {"dino"}}


def review(**more):
    return {"who": "ana", "kind": "review", "feed": "scores", "record_id": "motor_cover/demo-insurer", **more}


def test_a_review_is_alarming_from_day_20_and_never_ends_by_itself(stage):
    old = NIGHTS[0] - dt.timedelta(days=20)
    stage.publish(N1, CROWD, disputes=[review(opened_on=old, night=old)])
    said = stage.run(N1, approve=True)
    assert any("reviews: 1 wait for a named person for 20 days or more; decide them" in s for s in said)
    assert stage.package(N1)["snapshot"]["ana"]["under_review"] is True
    late = N2 - dt.timedelta(days=31)
    stage.publish(N2, CROWD, disputes=[review(opened_on=late, night=late)])
    assert any("1 of them past their 30 days" in s for s in stage.run(N2))
    assert stage.changes(N2) == {}
    unnamed = review(opened_on=late, resolved_on=N3, outcome="rejected")
    stage.publish(N3, CROWD, disputes=[unnamed])
    stage.run(N3)
    assert stage.changes(N3) == {}
    stage.publish(N4, CROWD, disputes=[{**unnamed, "certified_by": "Iva Babić"}])
    stage.run(N4)
    assert stage.changes(N4) == {"ana": "CHANGE"}
    assert stage.package(N4)["snapshot"]["ana"]["under_review"] is False
