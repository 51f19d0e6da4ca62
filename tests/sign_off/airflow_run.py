"""One run of the nightly DAG in a real Airflow (SQLite), answered over HTTP through its REST API, told as JSON.

``python airflow_run.py NIGHT ANSWER``, where ANSWER is Approve, Reject or nothing (an empty word: nobody answers, and
the scheduler's own sweep ends the wait). The steps before the sign-off are marked as done: the lake has them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path

DAG = "assent_nightly"
DONE = "begin|extract|java_begins|java_ends|validate|conform|features|score|registers|publish|notify"
USER, PASSWORD = "ana", "not a secret"


def call(port: int, method: str, path: str, body: object = None, token: str | None = None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json"}
        | ({"Authorization": f"Bearer {token}"} if token else {}),
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def serve() -> int:
    """The API app of Airflow on a port of the loopback."""
    import uvicorn
    from airflow.api_fastapi.app import create_app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app("core"), host="127.0.0.1", port=port, log_level="error")
    )
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.1)
    return port


def answer(port: int, word: str, told: dict, ended: threading.Event) -> None:
    """Answers whenever somebody is asked, until the run ends: an answer as the task parks can be lost."""
    token = call(port, "POST", "/auth/token", {"username": USER, "password": PASSWORD})["access_token"]
    while not ended.wait(0.5):
        asked = call(
            port, "GET", f"/api/v2/dags/{DAG}/dagRuns/~/hitlDetails?response_received=false", token=token
        )
        for one in asked["hitl_details"]:
            told |= {"subject": one["subject"], "body": one["body"]}
            ti = one["task_instance"]
            path = (
                f"/api/v2/dags/{DAG}/dagRuns/{ti['dag_run_id']}/taskInstances/{ti['task_id']}/-1/hitlDetails"
            )
            body = {"chosen_options": [word], "params_input": {"why": "counts_unexpected"}}
            told["answer"] = call(port, "PATCH", path, body, token)


def sweep(ended: threading.Event) -> None:
    """What the scheduler does of itself: ends the wait of whoever was not answered in time."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    runner = SchedulerJobRunner(job=Job())
    while not ended.wait(1):
        runner.check_awaiting_input_timeouts()


def main(night: str, word: str) -> None:
    home = Path(os.environ["AIRFLOW_HOME"])
    (home / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]) / "nightly.py"))
    assert not bag.import_errors, bag.import_errors
    dag = bag.dags[DAG]
    told: dict = {}
    ended = threading.Event()
    if word:
        port = serve()
        helper = threading.Thread(target=answer, args=(port, word, told, ended), daemon=True)
    else:
        helper = threading.Thread(target=sweep, args=(ended,), daemon=True)
    helper.start()
    midnight = dt.datetime.combine(dt.date.fromisoformat(night), dt.time(), dt.UTC)
    run = dag.test(
        run_after=midnight + dt.timedelta(days=1), logical_date=midnight, mark_success_pattern=DONE
    )
    ended.set()
    helper.join(30)
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        states = {t.task_id: str(t.state) for t in run.get_task_instances(session=session)}
        xcoms = [str(x.value) for x in session.query(XComModel).all()]
    print("RESULT" + json.dumps({"state": str(run.state), "tasks": states, "told": told, "xcoms": xcoms}))


if __name__ == "__main__":
    main(*sys.argv[1:])
