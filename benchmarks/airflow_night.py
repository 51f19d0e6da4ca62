"""The same night by ``assent night`` and by Airflow: ``python -m benchmarks.airflow_night [PERSONS]``.

Of LARGE people and more the deliveries are those of ``benchmarks.night``, with fifty bookings a person.

A lake with one night is copied. Its second night runs once by the command, in a fresh process, and once by an Airflow
that is up already (``airflow standalone``, SQLite), unattended: from the start of the run to its end, as Airflow tells
it. Both must publish the same content hashes. Prints seconds a task.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.lakes import copied, hashes
from benchmarks.night.data import Deliveries, Size
from benchmarks.night.results import keep_other

REPOSITORY = Path(__file__).resolve().parents[1]
DAG = "assent_nightly"
LONGEST = 1800.0
LARGE = 100_000  # people


def environment(home: Path, lake: Path, deliveries: Path) -> dict[str, str]:
    """An Airflow of its own on free ports of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {k: v for k, v in os.environ.items() if not k.startswith(("ASSENT_", "AIRFLOW_"))}
    return own | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        # as docker-compose.yml has it
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "ASSENT_LAKE": str(lake),
        "ASSENT_DELIVERIES": str(deliveries),
        "ASSENT_APPROVE": "yes",
    }


def rows(database: Path, sql: str) -> list[tuple[str, ...]]:
    """What Airflow's database says; nothing while it is being made."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as con:
            return con.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []


def wait(database: Path, sql: str, what: str) -> list[tuple[str, ...]]:
    """Rows as soon as there are any."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        if found := rows(database, sql):
            return found
        time.sleep(0.5)
    raise SystemExit(f"benchmarks.airflow_night: {what} did not come in {LONGEST:.0f} s")


def seconds(begun: str, ended: str) -> float:
    """Between two moments as Airflow stores them."""
    return (dt.datetime.fromisoformat(ended) - dt.datetime.fromisoformat(begun)).total_seconds()


def by_airflow(home: Path, env: dict[str, str]) -> tuple[float, dict[str, float]]:
    """Seconds of the run that Airflow begins of itself once the DAG may run, and of each task."""
    database, log = home / "airflow.db", home.with_suffix(".log")
    with log.open("wb") as said:
        server = subprocess.Popen(
            ["airflow", "standalone"], env=env, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait(database, f"SELECT dag_id FROM dag WHERE dag_id = '{DAG}'", "the DAG")
        subprocess.run(["airflow", "dags", "unpause", DAG, "--yes"], env=env, check=True, capture_output=True)
        ended = wait(
            database,
            "SELECT state, start_date, end_date FROM dag_run "
            f"WHERE dag_id = '{DAG}' AND state IN ('success', 'failed')",
            "the end of the run",
        )
        state, begun, end = ended[0]
        if state != "success":
            raise SystemExit(f"benchmarks.airflow_night: the run has {state}; see {log}")
        tasks: dict[str, float] = {}
        for task, first, last in rows(
            database, f"SELECT task_id, start_date, end_date FROM task_instance WHERE dag_id = '{DAG}'"
        ):
            if first and last:
                tasks[task] = tasks.get(task, 0) + seconds(first, last)
        return seconds(begun, end), tasks
    finally:
        os.killpg(server.pid, signal.SIGINT)  # SIGTERM would orphan its children
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def by_command(lake: Path, deliveries: Path, night: dt.date) -> float:
    """Seconds of a night in a process of its own."""
    words = ["night", "--date", str(night), "--lake", str(lake), "--deliveries", str(deliveries), "--approve"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("ASSENT_")}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "jobs.cli", *words], env=env, check=True, capture_output=True)
    return time.perf_counter() - started


def deliver(folder: Path, persons: int, first: dt.date, second: dt.date) -> None:
    """Makes the deliveries of two nights."""
    if persons >= LARGE:
        made = Deliveries(folder, Size(persons, 50 * persons, 24), first)
        made.history()
        made.usual(second)
        return
    words = f"generate --persons {persons} --nights 2 --start {first} --seed 7 --out {folder}"
    subprocess.run([sys.executable, "-m", "jobs.cli", *words.split()], check=True, capture_output=True)


def main(persons: int) -> None:
    """Prints the seconds of both, and their ratio."""
    second = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)  # the night that Airflow begins today
    first = second - dt.timedelta(days=1)
    with tempfile.TemporaryDirectory(prefix="assent-airflow-") as folder:
        home = Path(folder)
        deliver(home / "deliveries", persons, first, second)
        by_command(home / "lake", home / "deliveries", first)
        copied(home / "lake", home / "other")
        shutil.copytree(f"{home}/lake.out", f"{home}/other.out")
        command = by_command(home / "lake", home / "deliveries", second)
        airflow, tasks = by_airflow(
            home / "airflow", environment(home / "airflow", home / "other", home / "deliveries")
        )
        equal = hashes(home / "lake", second) == hashes(home / "other", second)
    for task, spent in sorted(tasks.items(), key=lambda t: -t[1]):
        print(f"  {task}: {spent:.1f} s")
    ratio = airflow / command
    print(
        f"airflow night: {persons} people, {airflow:.1f} s, by the command {command:.1f} s, ratio {ratio:.2f}"
    )
    if "--keep-results" in sys.argv:
        keep_other(f"Airflow's night against `assent night`, {persons:,} people", 1.5, ratio)
    print(json.dumps({"persons": persons, "airflow_s": airflow, "command_s": command, "equal": equal}))
    raise SystemExit(0 if equal else 1)


if __name__ == "__main__":
    main(next((int(w) for w in sys.argv[1:] if w.isdigit()), 2000))
