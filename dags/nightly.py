"""When a night runs, and in which order: the steps of ``jobs.nightly``, the feeds extracted side by side.

Lake and deliveries come from ``ASSENT_LAKE`` and ``ASSENT_DELIVERIES``; no person's value, host or secret stands here.
"""

from __future__ import annotations

import datetime as dt
import os

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.timetables.interval import CronDataIntervalTimetable

from schemas.contract import contracts


def _step(name: str, ds: str | None, feed: str | None = None) -> None:
    """Runs one step. A fault of the data fails at once; any other, as a server that does not answer, is tried again."""
    from jobs.errors import AssentError, UnreachedError, UsageError
    from jobs.nightly import begin, open_night, raise_if_stopped, run_step

    fault = None
    try:
        if not os.environ.get("ASSENT_LAKE"):
            raise UsageError("name the lake in ASSENT_LAKE")
        night = open_night(
            dt.date.fromisoformat(str(ds)),
            os.environ["ASSENT_LAKE"],
            os.environ.get("ASSENT_DELIVERIES"),
            approve=os.environ.get("ASSENT_APPROVE") == "yes",
            create=name == "begin",
            say=lambda text: print(f"assent: {text}", flush=True),
        )
        if name == "begin":
            fresh = begin(night)
        elif name == "stopped":
            raise_if_stopped(night)
        else:
            run_step(night, name, feed)
    except UnreachedError as e:
        fault = str(e)
    except AssentError as e:
        raise AirflowFailException(str(e)) from None
    except Exception as e:
        # the text of a fault may hold a person's values: only its kind and place go into the log
        from jobs.cli import fault_line

        fault = fault_line(e)
    if fault:
        raise RuntimeError(fault)
    if name == "begin" and not fresh:
        raise AirflowSkipException("already published with the same inputs")


@dag(
    dag_id="assent_nightly",
    schedule=None
    if os.environ.get("ASSENT_DEMO")
    else CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": dt.timedelta(minutes=5), "do_xcom_push": False},
    doc_md=__doc__,
    tags=["assent"],
)
def assent_nightly() -> None:
    """One night: the date on which its interval starts."""

    @task
    def begin(ds: str | None = None) -> None:
        _step("begin", ds)

    @task(map_index_template="{{ task.op_kwargs['feed'] }}")
    def extract(feed: str, ds: str | None = None) -> None:
        _step("extract", ds, feed)

    @task
    def validate(ds: str | None = None) -> None:
        _step("validate", ds)

    @task
    def conform(ds: str | None = None) -> None:
        _step("conform", ds)

    @task
    def features(ds: str | None = None) -> None:
        _step("features", ds)

    @task
    def score(ds: str | None = None) -> None:
        _step("score", ds)

    @task
    def registers(ds: str | None = None) -> None:
        _step("registers", ds)

    @task
    def publish(ds: str | None = None) -> None:
        _step("publish", ds)

    @task
    def notify(ds: str | None = None) -> None:
        _step("notify", ds)

    @task
    def export(ds: str | None = None) -> None:
        _step("export", ds)

    @task
    def stopped(ds: str | None = None) -> None:
        _step("stopped", ds)

    published = publish()
    (
        begin()
        >> extract.expand(feed=list(contracts()))
        >> validate()
        >> conform()
        >> features()
        >> score()
        >> (registers())
        >> published
    )
    published >> notify() >> export() >> stopped()


assent_nightly()
