"""``make demo``: Airflow runs three real nights over generated deliveries, then a summary says what they gave.

Airflow stands on its embedded default (SQLite, in ``.demo/airflow``); its own log is ``.demo/airflow.log``, and
only the lines of the steps are shown.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from jobs.cli import leave
from jobs.errors import AssentError
from jobs.lake.query import run_query

REPOSITORY = Path(__file__).resolve().parents[1]
START, NIGHTS, PERSONS, SEED = dt.date(2026, 11, 18), 3, 10_000, 7
MARK = "assent: "


def environment(home: Path) -> dict[str, str]:
    """What Airflow and the steps are told; nothing of the caller's own Airflow or lake is touched."""
    return {
        **os.environ,
        "ASSENT_DEMO": "1",
        "ASSENT_APPROVE": "yes",  # the demo's operator approves what would wait for a person
        "ASSENT_LAKE": str(home / "lake"),
        "ASSENT_KEYS": str(home / "lake.keys"),
        "ASSENT_OUT": str(home / "out"),
        "ASSENT_DELIVERIES": str(home / "deliveries"),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(REPOSITORY),
    }


def _run(command: list[str], env: dict[str, str], log: Path) -> None:
    """Runs a command into the log and shows the lines of the steps."""
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            at = line.find(MARK)
            if at >= 0:
                click.echo("  " + line[at + len(MARK) :].rstrip())
        if process.wait():
            raise AssentError(f"{command[2]} ended with status {process.returncode}; see {log}")


def _nights(first: dt.date, count: int) -> int:
    """Runs the DAG for each night in this process (which Airflow's own ``dags test`` does for one)."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(REPOSITORY / "dags" / "nightly.py"))
    if bag.import_errors:
        print(f"assent: the DAG cannot be read: {sorted(bag.import_errors)}")
        return 1
    dag = bag.dags["assent_nightly"]
    for number in range(count):
        night = first + dt.timedelta(days=number)
        midnight = dt.datetime.combine(night, dt.time(), dt.UTC)
        run = dag.test(run_after=midnight + dt.timedelta(days=1), logical_date=midnight)
        if str(run.state) not in ("success", "DagRunState.SUCCESS"):
            print(f"assent: night {night} ended as {run.state}")
            return 1
    return 0


QUESTIONS = (
    (
        "Scores of the last night",
        "select purpose, status, coalesce(band, no_score_reason) as band_or_reason, count(*) as people "
        "from scores group by all order by all",
    ),
    (
        "Registers of the last night",
        "select register, count(*) as orders, count(*) filter (listed) as listed "
        "from registers group by all order by all",
    ),
    (
        "Why entries left",
        "select cause, count(*) as entries from registers where cause is not null group by all order by all",
    ),
    (
        "Deliveries",
        "select night, count(*) as files, sum(rows) as rows, sum(accepted) as accepted, "
        "sum(quarantined) as quarantined, "
        "sum(duplicates) as duplicates from deliveries group by all order by all",
    ),
    (
        "Why rows were refused",
        "select reason, count(*) as rows from (select unnest(reasons) as reason from quarantine) "
        "group by all order by all",
    ),
)


def changes(lake: str, first: dt.date, count: int) -> str:
    """How many are scored and listed on each night."""
    lines = []
    for number in range(count):
        night = first + dt.timedelta(days=number)
        scored = run_query(lake, "select count(*) filter (status = 'scored') as n from scores", night)
        listed = run_query(lake, "select count(*) filter (listed) as n from registers", night)
        lines.append(f"  {night}: {scored['n'][0].as_py()} scored, {listed['n'][0].as_py()} listed")
    return "\n".join(lines)


def summary(lake: str, persons: int, first: dt.date, count: int) -> None:
    """Prints counts, what changed and why, and what to try next."""
    from jobs.lake.answer import format_table

    click.echo("\nNight by night\n" + changes(lake, first, count))
    for title, sql in QUESTIONS:
        click.echo(f"\n{title}\n" + format_table(run_query(lake, sql), "table").decode().rstrip())
    shown = Path(lake)
    # the generator's own list of who is scored: the lake tells nobody's national id
    with (shown.parent / "deliveries" / "truth" / "scores.csv").open(encoding="utf-8") as file:
        anyone = next(r["national_id"] for r in csv.DictReader(file) if r["due"] == "scored")
    click.echo(
        f"""
Try next
  export ASSENT_LAKE={shown} ASSENT_KEYS={shown}.keys
  .venv/bin/assent query "select purpose, status, count(*) from scores group by all"
  .venv/bin/assent query --as-of {first} "select register, count(*) from registers where listed group by all"
  .venv/bin/assent explain {anyone} --because "trying the demo"
  ls -R {shown.parent}/out"""
    )


def run(persons: int, nights: int) -> None:
    """The demo, from nothing: generated deliveries, Airflow's database, the nights, the summary."""
    from jobs.generate import generate

    home = REPOSITORY / ".demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    env, log = environment(home), home / "airflow.log"
    started = time.monotonic()
    click.echo(f"Generating {persons} invented people and {nights} nights of deliveries")
    generate(persons, nights, START, SEED, home / "deliveries")
    click.echo(f"Preparing Airflow (SQLite); its log is {log.relative_to(REPOSITORY)}")
    _run([sys.executable, "-m", "airflow", "db", "migrate"], env, log)
    click.echo("Running the nights with Airflow")
    _run([sys.executable, "-m", "jobs.demo", "nights", str(nights)], env, log)
    seconds = time.monotonic() - started
    os.environ |= {"ASSENT_KEYS": env["ASSENT_KEYS"], "ASSENT_OUT": env["ASSENT_OUT"]}
    summary(env["ASSENT_LAKE"], persons, START, nights)
    click.echo(f"\n{nights} nights of {persons} people in {seconds:.0f} s")


def main(argv: list[str]) -> int:
    """``python -m jobs.demo [PERSONS]``."""
    if argv[:1] == ["nights"]:
        return _nights(START, int(argv[1]))
    try:
        run(int(argv[0]) if argv else PERSONS, NIGHTS)
    except AssentError as e:
        click.echo(f"assent: {e}", err=True)
        return e.status
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
