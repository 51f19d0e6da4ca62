"""A person answers in Airflow, through its REST API: approval sends everything once, anything else the removals only."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.lake.config import REPOSITORY
from jobs.lake.query import run_query
from tests.explain.conftest import PEOPLE, SECOND
from tests.opened import opened
from tests.sign_off.conftest import OFFICE, Place, assent

SCRIPT = Path(__file__).with_name("airflow_run.py")


def environment(home):
    own = {k: v for k, v in os.environ.items() if not k.startswith(("ASSENT_", "AIRFLOW_"))}
    return own | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ana:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(REPOSITORY),
    }


@pytest.fixture(scope="session")
def airflow(tmp_path_factory):
    """An Airflow with its database made; copied for each run."""
    home = tmp_path_factory.mktemp("airflow") / "home"
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return home


# how each run is answered, and what its Airflow is told besides
ANSWERS = {"Reject": {}, "Approve": {}, "": {"ASSENT_APPROVAL_HOURS": "0.0005"}}


@pytest.fixture(scope="session")
def runs(airflow, waiting, tmp_path_factory):
    """The DAG's second night once for each answer, on a lake of its own, all at the same time: most of it is waiting."""
    begun = {}
    for word, more in ANSWERS.items():
        folder = tmp_path_factory.mktemp("run")
        shutil.copytree(airflow, folder / "airflow")
        (folder / "airflow" / "airflow.cfg").unlink(missing_ok=True)  # it holds the first home's paths
        shutil.copytree(waiting.home, folder / "place")
        place = Place(folder / "place")
        env = environment(folder / "airflow") | {"ASSENT_LAKE": place.lake, **more}
        with (folder / "said").open("wb") as said:
            command = [sys.executable, SCRIPT, SECOND, word]
            begun[word] = (place, subprocess.Popen(command, env=env, stdout=said, stderr=subprocess.STDOUT))
    yield begun
    for _, process in begun.values():
        process.kill()


def night(runs, word):
    """The place of a run, what it said at its end, and what it wrote to its log."""
    place, process = runs[word]
    process.wait(600)
    log = (place.home.parent / "said").read_text(encoding="utf-8", errors="replace")
    lines = [line for line in log.splitlines() if line.startswith("RESULT")]
    assert lines, log[-6000:]
    return place, json.loads(lines[0].removeprefix("RESULT")), log


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in ("ASSENT_LAKE", "ASSENT_KEYS", "ASSENT_OUT", "ASSENT_POLICY", "ASSENT_RETURNS"):
        monkeypatch.delenv(name, raising=False)


def package(place, name):
    files = opened(place.lake, OFFICE, f"judgment_debts-{SECOND}")
    return pq.read_table(io.BytesIO(files[f"{name}.parquet"])).to_pylist()


def changes(place):
    return {(r["record_id"], r["change"], r["cause"]) for r in package(place, "changes")}


def approvals(place):
    return run_query(place.lake, f"from approvals where night = date '{SECOND}'").to_pylist()


def sent(place):
    sql = f"select subject, change, approval from disclosures where night = date '{SECOND}'"
    return {(r["subject"], r["change"], r["approval"]) for r in run_query(place.lake, sql).to_pylist()}


REMOVED = ("paid", "REMOVE", "satisfied")
EVERYTHING = {REMOVED, ("less", "CHANGE", None), ("new", "ADD", None)}


def check_that_nobody_is_named(result, log):
    said = json.dumps(result) + log
    for identity in PEOPLE.values():
        assert not [v for v in (identity[0], identity[1]) if v in said]
    for record in ("J1", '"less"', '"new"'):
        assert record not in json.dumps(result["xcoms"])


def test_a_rejection_sends_every_removal_and_no_addition_and_shows_it(runs):
    place, result, log = night(runs, "Reject")
    assert "success" in result["state"].lower()
    states = {k: v.rsplit(".", 1)[-1].lower() for k, v in result["tasks"].items()}
    assert (states["withheld"], states["export"], states["stopped"]) == ("success", "skipped", "success")
    assert changes(place) == {REMOVED}
    assert {r["record_id"]: r["debt_minor"] for r in package(place, "snapshot")} == {
        "stays": 120000,
        "less": 120000,
    }
    (row,) = approvals(place)
    assert (row["decision"], row["decided_by"], row["because"], row["channel"], row["waiting"]) == (
        "reject", "ana", "counts_unexpected", "airflow", 2,
    )  # fmt: skip
    assert "withheld by ana (counts_unexpected): removals only, 2 additions and changes wait" in log
    assert sent(place) == {("judgment_debts/paid", "REMOVE", None)}
    # the person had counts and guards in sight
    assert result["told"]["subject"] == f"Night {SECOND}: may additions and changes leave?"
    assert "judgment_debts | 3 | 3 | 1 | 1 | 1 | 0" in result["told"]["body"]
    assert "No guard is tripped" in result["told"]["body"]
    check_that_nobody_is_named(result, log)
    # the night is readable, and the additions are still there to be approved
    listed = run_query(place.lake, "select record_id from registers where listed").to_pylist()
    assert {r["record_id"] for r in listed} == {"stays", "less", "new"}
    assert assent("export", "--date", SECOND, "--lake", place.lake, "--approve") == 0
    assert changes(place) == EVERYTHING


def test_an_approval_sends_everything_once(runs):
    place, result, log = night(runs, "Approve")
    states = {k: v.rsplit(".", 1)[-1].lower() for k, v in result["tasks"].items()}
    assert (states["export"], states["withheld"], states["stopped"]) == ("success", "skipped", "success")
    assert changes(place) == EVERYTHING
    (row,) = approvals(place)
    assert (row["decision"], row["decided_by"], row["channel"], row["waiting"]) == (
        "approve",
        "ana",
        "airflow",
        0,
    )
    publication = run_query(place.lake, "select row_hash from publications order by night desc limit 1")
    assert row["row_hash"] == publication["row_hash"][0].as_py()
    assert row["decided_at"].isoformat()[:19] == result["told"]["answer"]["responded_at"][:19]
    mine = row["approval_id"]
    once = {
        ("judgment_debts/paid", "REMOVE", None),
        ("judgment_debts/less", "CHANGE", mine),
        ("judgment_debts/new", "ADD", mine),
    }
    assert sent(place) == once
    check_that_nobody_is_named(result, log)
    folder = place.out / "exports" / OFFICE
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
    assert assent("export", "--date", SECOND, "--lake", place.lake, "--approve") == 0
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()} == before
    assert sent(place) == once
    assert len(approvals(place)) == 1


def test_no_answer_by_the_deadline_withholds(runs):
    place, result, log = night(runs, "")
    states = {k: v.rsplit(".", 1)[-1].lower() for k, v in result["tasks"].items()}
    assert (states["withheld"], states["export"]) == ("success", "skipped")
    assert changes(place) == {REMOVED}
    (row,) = approvals(place)
    assert (row["decision"], row["decided_by"], row["because"], row["waiting"]) == (
        "no_answer",
        None,
        "no_answer",
        2,
    )
    assert "withheld by nobody (no_answer)" in log


def graph(tmp_path, word):
    """The DAG as a deployment builds it: task -> (what follows, trigger rule)."""
    code = (
        "import json, runpy; d = runpy.run_path('dags/nightly.py')['assent_nightly'](); "
        "print(json.dumps({t.task_id: [sorted(t.downstream_task_ids), t.trigger_rule.value] for t in d.tasks}))"
    )
    env = environment(tmp_path) | {"ASSENT_APPROVE": word}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_demo_and_other_unattended_nights_ask_nobody(tmp_path):
    tasks = graph(tmp_path, "yes")
    assert "sign_off" not in tasks
    assert tasks["notify"][0] == ["export"]


def test_removals_leave_also_when_nobody_could_be_asked(tmp_path):
    """``none_skipped``: withheld runs after a sign-off that failed, not after one that chose the other branch."""
    tasks = graph(tmp_path, "")
    assert tasks["notify"][0] == ["plan"]
    assert tasks["sign_off"][0] == ["export", "withheld"]
    assert tasks["withheld"] == [["stopped"], "none_skipped"]
    assert tasks["export"] == [["stopped"], "all_success"]
