"""Approval by command: who and what of is recorded, a tripped guard holds its part back until somebody decides on it."""

import dataclasses
import datetime as dt
import json

import pytest
from deltalake import DeltaTable

from jobs.export import run
from jobs.lake.config import REPOSITORY
from jobs.lake.query import run_query
from jobs.nightly import by_command, open_night
from tests.explain.conftest import SECOND
from tests.sign_off.conftest import Place, assent, two_nights
from tests.sign_off.test_airflow import EVERYTHING, REMOVED, approvals, changes, package, sent


def export(place: Place, *words: str) -> int:
    return assent("export", "--date", SECOND, "--lake", place.lake, *words)


@pytest.fixture
def guarded(place, tmp_path, monkeypatch):
    """The same nights under a policy that lets no addition through without a look on the second."""
    text = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
    assert "adds: 250000" in text
    (tmp_path / "policy.yaml").write_text(text.replace("adds: 250000", "adds: 0", 1), encoding="utf-8")
    (tmp_path / "scorecards").symlink_to(REPOSITORY / "scorecards")
    return two_nights(
        tmp_path / "guarded", lambda: monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "policy.yaml"))
    )


def test_under_another_policy_than_the_nights_nothing_is_added(place, tmp_path, monkeypatch, capsys):
    text = (REPOSITORY / "policy.yaml").read_text(encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(text.replace("adds: 250000", "adds: 249999", 1), encoding="utf-8")
    (tmp_path / "scorecards").symlink_to(REPOSITORY / "scorecards")
    monkeypatch.setenv("ASSENT_POLICY", str(tmp_path / "policy.yaml"))
    assert export(place, "--approve") == 0
    assert "the policy is another one than night" in capsys.readouterr().err
    assert changes(place) == {REMOVED}
    monkeypatch.delenv("ASSENT_POLICY")
    assert export(place, "--approve") == 0
    assert changes(place) == EVERYTHING


def test_without_approval_removals_leave_and_nothing_is_recorded(place, capsys):
    assert export(place) == 0
    assert changes(place) == {REMOVED}
    assert approvals(place) == []
    assert "removals only" in capsys.readouterr().err


def test_what_is_due_is_shown_before_anybody_approves(place, capsys):
    assert assent("plan", "--date", SECOND, "--lake", place.lake) == 0
    shown = capsys.readouterr().out
    assert "judgment_debts | 3 | 3 | 1 | 1 | 1 | 0" in shown
    assert "No guard is tripped" in shown
    assert not (place.out / "exports" / "enforcement-office" / f"judgment_debts-{SECOND}.zip.pgp").exists()


def test_an_approval_by_command_is_recorded_once_with_what_it_was_of(place, capsys):
    assert export(place, "--approve") == 0
    assert "waits" not in capsys.readouterr().err
    assert export(place) == 0
    assert "have left already; nothing waits" in capsys.readouterr().err
    assert export(place, "--approve") == 0
    assert changes(place) == EVERYTHING
    (row,) = approvals(place)
    assert (row["decision"], row["channel"], row["register"]) == ("approve", "command", None)
    assert row["decided_by"]
    counts = json.loads(row["counts"])["judgment_debts"]
    assert [counts[k] for k in ("adds", "changes", "removes")] == [1, 1, 1]
    assert {a for _, c, a in sent(place) if c != "REMOVE"} == {row["approval_id"]}
    assert {r["changed"] for r in package(place, "changes") if r["change"] == "CHANGE"} == {"debt_minor"}


def test_a_tripped_guard_waits_for_a_decision_on_that_guard(guarded, capsys):
    assert export(guarded, "--approve") == 0
    said = capsys.readouterr().err
    assert "judgment_debts: guard adds 1 (allowed 0)" in said
    assert f"`assent export --date {SECOND} --approve --accept-guard judgment_debts`" in said
    assert changes(guarded) == {REMOVED}
    assert [r["decision"] for r in approvals(guarded)] == ["approve"]
    assert export(guarded, "--approve", "--accept-guard", "judgment_debts") == 0
    assert changes(guarded) == EVERYTHING
    rows = {(r["decision"], r["register"]) for r in approvals(guarded)}
    assert rows == {("approve", None), ("accept_guard", "judgment_debts")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--accept-guard", "judgment_debts"], "give --approve"),
        (["--approve", "--accept-guard", "friendships"], "friendships is unknown"),
    ],
)
def test_wrong_use_of_a_guard(place, words, said, capsys):
    assert export(place, *words) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert approvals(place) == []


def test_an_approval_of_something_else_counts_for_nothing(place):
    """What was in sight is not what is due: additions wait, removals leave, and the ledger says so."""
    night = open_night(dt.date.fromisoformat(SECOND), place.lake)
    night.approval = dataclasses.replace(by_command(channel="airflow"), sight_hash="0" * 64)
    said = []
    night.say = said.append
    run(night)
    assert changes(place) == {REMOVED}
    assert any("other than what was approved" in s for s in said)
    assert [(r["decision"], r["waiting"]) for r in approvals(place)] == [("approve_other", 2)]


def test_a_view_tells_what_was_decided(place):
    assert export(place, "--approve") == 0
    rows = run_query(
        place.lake, "select decision, decided_by, row_hash, sight_hash from approvals"
    ).to_pylist()
    assert len(rows) == 2  # the first night was approved too
    assert len({r["sight_hash"] for r in rows}) == 2


def test_without_a_listing_notice_additions_wait_and_removals_leave(place, capsys):
    DeltaTable(f"{place.lake}/notices").delete(f"night = '{SECOND}'")
    assert export(place, "--approve") == 1
    assert "1 entries of judgment_debts have no listing notice" in capsys.readouterr().err.splitlines()[-1]
    assert changes(place) == {REMOVED}
    assert assent("notify", "--date", SECOND, "--lake", place.lake) == 0
    assert export(place, "--approve") == 0
    assert changes(place) == EVERYTHING


def test_a_place_of_answers_that_cannot_be_read_keeps_no_removal_back(place, monkeypatch, capsys):
    monkeypatch.setenv("ASSENT_RETURNS", "nowhere://returns")
    assert export(place) == 0
    assert changes(place) == {REMOVED}
    assert "mend --returns" in capsys.readouterr().err
