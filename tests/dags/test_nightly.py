"""The DAG: the steps of jobs.nightly in their order, and which faults are tried again. No server, no Spark."""

import json
import os
import subprocess
import sys

import pytest

from jobs.lake.config import REPOSITORY
from jobs.nightly import STEPS
from schemas.contract import contracts

SHOW = """
import json, sys
sys.path.insert(0, "dags")
import nightly
dag = nightly.assent_nightly()
tasks = {t.task_id: t for t in dag.tasks}
plain = [t.unmap({"op_kwargs": {"feed": "tax"}}) if t.task_id == "extract" else t for t in dag.tasks]
print(json.dumps({
    "order": [t.task_id for t in dag.topological_sort()],
    "retries": sorted({t.retries for t in dag.tasks}),
    "xcom": sorted({t.do_xcom_push for t in plain}),
    "feeds": list(tasks["extract"].op_kwargs_expand_input.value["feed"]),
    "timetable": type(dag.timetable).__name__,
    "runs": dag.max_active_runs,
    "setups": [t.task_id for t in dag.tasks if t.is_setup],
    "teardowns": [t.task_id for t in dag.tasks if t.is_teardown],
}))
"""
STEP = """
import sys
sys.path.insert(0, "dags")
import nightly
try:
    nightly._step("begin", "2026-11-20")
    nightly._step("extract", "2026-11-20", "tax")
except BaseException as e:
    print(type(e).__name__, e)
"""


def airflow(code, home, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ASSENT_", "AIRFLOW"))}
    env |= {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(REPOSITORY), **more}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip().splitlines()[-1]


def test_it_runs_the_steps_in_their_order_and_each_feed_by_itself(tmp_path):
    found = json.loads(airflow(SHOW, tmp_path))
    assert found == {
        "order": [
            "begin", "extract", "java_begins", *STEPS[1:6], "java_ends", *STEPS[6:-1], "plan", "sign_off", "export",
            "withheld", "stopped",
        ],
        "retries": [2, 3],  # the sign-off asks once more: an answer as it parks can be lost
        "xcom": [False, True],  # counts, codes and hashes, from plan to the person who is asked
        "feeds": list(contracts()),
        "timetable": "CronDataIntervalTimetable",
        "runs": 1,
        "setups": ["java_begins"],
        "teardowns": ["java_ends"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ASSENT_JVM", "ASSENT_DEMO"])
def test_where_there_is_a_jvm_already_the_run_starts_none(name, tmp_path):
    found = json.loads(airflow(SHOW, tmp_path, **{name: "/x"}))
    assert found["setups"] == found["teardowns"] == []
    assert [t for t in found["order"] if t in STEPS] == list(STEPS)


@pytest.mark.parametrize(
    ("deliveries", "lake", "kind", "said"),
    [
        ("none", "lake", "AirflowFailException", "no such folder"),
        ("none", "", "AirflowFailException", "ASSENT_LAKE"),
        # a server that does not answer now may answer at the next try
        ("postgresql://u:secret@127.0.0.1:9/x", "lake", "RuntimeError", "PostgreSQL refuses"),
        ("s3://bucket/x", "lake", "RuntimeError", "cannot be reached"),
    ],
)
def test_a_fault_of_the_data_fails_at_once_and_a_silent_server_is_tried_again(
    deliveries, lake, kind, said, tmp_path
):
    more = {"ASSENT_LAKE": str(tmp_path / lake) if lake else "", "ASSENT_DELIVERIES": deliveries}
    more |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    line = airflow(STEP, tmp_path, **more)
    assert line.startswith(kind)
    assert said in line
    assert "secret" not in line
