"""When a night runs, and in which order: the steps of ``jobs.nightly``, the feeds extracted side by side.

Lake and deliveries come from ``ASSENT_LAKE`` and ``ASSENT_DELIVERIES``; no person's value, host or secret stands here.
Before the export a person is asked (docs/decisions/7-sign-off.md), unless ``ASSENT_APPROVE=yes``.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from airflow.providers.standard.operators.hitl import HITLBranchOperator
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.timetables.interval import CronDataIntervalTimetable

from schemas.contract import contracts

APPROVE, REJECT = "Approve", "Reject"
# Where the caller names a JVM, or runs every task in its own process as the demo does, there is one already.
ONE_JVM = not (os.environ.get("ASSENT_JVM") or os.environ.get("ASSENT_DEMO"))
UNATTENDED = os.environ.get("ASSENT_APPROVE") == "yes"
# How long a person has to answer; the removals of the night wait as long, and the next night starts after it.
HOURS = float(os.environ.get("ASSENT_APPROVAL_HOURS") or 10)
if not 0 < HOURS < 24:
    raise ValueError("ASSENT_APPROVAL_HOURS must be above 0 and below 24: the next night comes")
# Codes and no words of one's own: what a person types could name another.
WHY = ["not_stated", "counts_unexpected", "guard_tripped", "source_in_question", "other"]


def _step(name: str, ds: str | None, feed: str | None = None, decision: dict[str, Any] | None = None) -> Any:
    """Runs one step. A fault of the data fails at once; any other, as a server that does not answer, is tried again."""
    from jobs.errors import AssentError, UnreachedError, UsageError
    from jobs.nightly import (
        begin,
        begin_java,
        by_command,
        end_java,
        open_night,
        raise_if_stopped,
        run_step,
        use_java,
    )

    fault, fresh, seen = None, True, None
    try:
        if not os.environ.get("ASSENT_LAKE"):
            raise UsageError("name the lake in ASSENT_LAKE")
        if name == "java_ends":
            end_java(os.environ["ASSENT_LAKE"], str(ds))
            return None
        use_java(os.environ["ASSENT_LAKE"], str(ds))
        approval = by_command(channel="unattended") if UNATTENDED else None
        if decision:
            from jobs.sign_off import answered

            approval = answered(decision)
        night = open_night(
            dt.date.fromisoformat(str(ds)),
            os.environ["ASSENT_LAKE"],
            os.environ.get("ASSENT_DELIVERIES"),
            approval=approval,
            create=name == "begin",
            say=lambda text: print(f"assent: {text}", flush=True),
        )
        if name == "begin":
            fresh = begin(night)
        elif name == "java_begins":
            begin_java(night)
        elif name == "plan":
            from jobs.export import in_sight  # with what seals packages, which no other step before it loads

            seen = in_sight(night)
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
    if not fresh:
        raise AirflowSkipException("already published with the same inputs")
    return seen


class SignOff(HITLBranchOperator):
    """Waits for a person, and hands on who decided, when and why: codes and counts, nothing of the people listed.

    With the provider's ApprovalOperator a rejected run would look like any other and keep no record.
    """

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Leaves the decision for the branch that follows, and branches (which ends the task: it is the last thing)."""
        self.validate_chosen_options(event["chosen_options"])
        self.validate_params_input(event["params_input"] or {})
        user = event["responded_by_user"]
        decision = {
            "approved": event["chosen_options"] == [APPROVE],
            "by": user["name"] if user else None,
            "at": str(event["responded_at"]),
            "why": (event["params_input"] or {}).get("why", WHY[0]) if user else "no_answer",
            "sight_hash": context["ti"].xcom_pull(task_ids="plan")["sight_hash"],
        }
        context["ti"].xcom_push(key="decision", value=decision)
        return super().execute_complete(context, event)


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

    # one JVM serves every step that needs one, instead of one a task: docs/decisions/13-one-jvm-a-night.md
    @task
    def java_begins(ds: str | None = None) -> None:
        _step("java_begins", ds)

    @task
    def java_ends(ds: str | None = None) -> None:
        _step("java_ends", ds)

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

    @task(do_xcom_push=True)
    def plan(ds: str | None = None) -> Any:
        return _step("plan", ds)

    @task
    def export(ds: str | None = None, ti: Any = None) -> None:
        decision = None if UNATTENDED else ti.xcom_pull(task_ids="sign_off", key="decision")
        _step("export", ds, decision=decision)

    # also when the asking itself failed: what waits may wait, removals may not
    @task(trigger_rule="none_skipped")
    def withheld(ds: str | None = None, ti: Any = None) -> None:
        nobody = {"by": None, "at": str(ti.start_date), "why": "not_asked", "sight_hash": None}
        said = ti.xcom_pull(task_ids="sign_off", key="decision") or nobody
        _step("export", ds, decision={**said, "approved": False})

    # either branch comes here, and neither when the night had been published before
    @task(trigger_rule="none_failed_min_one_success")
    def stopped(ds: str | None = None) -> None:
        _step("stopped", ds)

    published, listed = publish(), registers()
    extracted = begin() >> extract.expand(feed=list(contracts()))
    first = validate()
    first >> conform() >> features() >> score() >> listed >> published
    if ONE_JVM:
        java = java_begins().as_setup()
        extracted >> java >> first
        listed >> java_ends().as_teardown(setups=java)
    else:
        extracted >> first
    if UNATTENDED:
        published >> notify() >> export() >> stopped()
        return
    sign_off = SignOff(
        task_id="sign_off",
        subject="Night {{ ds }}: may additions and changes leave?",
        body="{{ ti.xcom_pull(task_ids='plan')['form'] }}",
        options=[APPROVE, REJECT],
        defaults=REJECT,
        options_mapping={APPROVE: "export", REJECT: "withheld"},
        params={"why": Param(WHY[0], type="string", enum=WHY, title="Why")},
        response_timeout=dt.timedelta(hours=HOURS),
        # an answer in the seconds in which the task parks can be lost under the scheduler: then it asks again
        retries=3,
        retry_delay=dt.timedelta(seconds=10),
    )
    published >> notify() >> plan() >> sign_off >> [export(), withheld()] >> stopped()


assent_nightly()
