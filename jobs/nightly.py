"""The steps of a night, in their order, and how a night is opened, run and run again.

The one place where the order of the steps stands: the command line and Airflow both call it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jobs.errors import AssentError, RecipientsStopped, UsageError
from jobs.lake.actor import actor, moment
from jobs.lake.config import load_policy
from jobs.lake.lake import Lake
from jobs.lake.night import Approval, Night
from jobs.lake.out import out_folder
from jobs.lake.outbox import probe
from jobs.lake.touched import is_small
from schemas.contract import contracts

STEPS = ("extract", "validate", "conform", "features", "score", "registers", "publish", "notify", "export")
AFTER_PUBLICATION = ("notify", "export")

Say = Callable[[str], None]


def silent(text: str) -> None:
    """Says nothing."""


def open_night(
    date: dt.date,
    lake: str,
    deliveries: str | None = None,
    *,
    full: bool = False,
    approve: bool = False,
    approval: Approval | None = None,
    create: bool = False,
    say: Say = silent,
) -> Night:
    """The night of a date over a lake, with policy and scorecards compiled before any data is read.

    ``approve`` is the word of whoever runs the command; ``approval`` says of whom, when that is somebody else.
    AssentError when they widen the floor, when the lake is of another key, or when a later night is published.
    """
    from jobs.lake.scorecards import load_scorecards

    policy = load_policy()
    scorecards = load_scorecards(policy)
    place = Lake(lake)
    keys = place.open(create=create)
    rows = place.publications()
    if rows and rows[-1]["night"] > date:
        raise AssentError(
            f"night {date}: a later night is published ({rows[-1]['night']}), nights run in order; "
            f"to look at it again run `assent replay --date {date}`"
        )
    before = [r for r in rows if r["night"] < date]
    published = next((r for r in rows if r["night"] == date), None)
    if published is None:
        place.probe()
        probe(out_folder(lake))
    night = Night(
        date=date,
        lake=place,
        policy=policy,
        keys=keys,
        scorecards=scorecards,
        deliveries=deliveries,
        full=full,
        approval=approval or (by_command() if approve else None),
        previous=before[-1] if before else None,
        published=published,
        say=say,
    )
    place.starts_small = partial(is_small, night)
    return night


def begin_java(night: Night) -> None:
    """Starts the JVM that the processes of a night's steps share on this machine (docs/decisions/13)."""
    from jobs.lake import shared_jvm

    shared_jvm.begin(shared_jvm.place_of(night.lake.root, night.date.isoformat()), night.lake.starts_small())


def use_java(lake: str, date: str) -> None:
    """Has this process use it, where there is one."""
    from jobs.lake import shared_jvm

    shared_jvm.use(shared_jvm.place_of(lake, date))


def end_java(lake: str, date: str) -> None:
    """Ends it."""
    from jobs.lake import shared_jvm

    shared_jvm.end(shared_jvm.place_of(lake, date))


def as_published(night: Night) -> Night:
    """A published night with the scorecards that it was scored by, for what is told and sent of it."""
    from jobs.lake.scorecards import published_scorecards

    if night.published is None:
        return night
    cards = published_scorecards(night.lake, night.published, night.policy, night.scorecards)
    return dataclasses.replace(night, scorecards=cards)


def last_night(lake: str, say: Say = silent) -> Night:
    """The last published night, for what is done between nights; AssentError when nothing is published."""
    published = Lake(lake).publication()
    if published is None:
        raise AssentError(f"nothing published in {lake}; run `assent night` first")
    return open_night(published["night"], lake, say=say)


def by_command(accepted: tuple[str, ...] = (), channel: str = "command") -> Approval:
    """The approval of the operating-system user who runs this process, now."""
    return Approval("approve", actor(), moment(), channel, accepted=accepted)


def begin(night: Night) -> bool:
    """Prepares a night: False when it is already published with the same inputs.

    AssentError when it is published with other inputs: what came since belongs to the next night.
    """
    from jobs.extract import inputs
    from jobs.publish import inputs_hash

    if night.deliveries is None:
        raise UsageError("name the folder or URL of the deliveries with --deliveries")
    if not night.deliveries.count("://") and not Path(night.deliveries).is_dir():
        raise AssentError(f"deliveries {night.deliveries}: no such folder; mend --deliveries")
    if night.published is None:
        night.lake.clear_pins(night.date)
        return True
    if inputs_hash(inputs(night), night.policy, night.scorecards) == night.published["inputs_hash"]:
        return False
    raise AssentError(
        f"night {night.date} is already published from other inputs (files, policy or scorecards); "
        "new files are taken by the next night, run that"
    )


def _ready(night: Night, step: str, feed: str | None) -> None:
    """AssentError when an earlier step of this night is missing."""
    if step in AFTER_PUBLICATION:
        if night.published is None:
            raise AssentError(f"{step}: night {night.date} is not published; run `assent publish` first")
        return
    done = night.lake.steps_done(night.date)
    for earlier in STEPS[: STEPS.index(step)]:
        wanted = [f"extract:{f}" for f in contracts()] if earlier == "extract" else [earlier]
        if not set(wanted) <= done:
            raise AssentError(f"{step}: `{earlier}` is not done for night {night.date}; run it first")


def run_step(night: Night, step: str, feed: str | None = None) -> dict[str, int]:
    """Runs one step, says how long it took, and returns its counts."""
    if night.published is not None and step not in AFTER_PUBLICATION:
        night.say(f"night {night.date}: already published, {step} has nothing to do")
        if step == "publish":  # killed right after, it had not cleaned up
            importlib.import_module("jobs.publish").clean(night)
        return {}
    _ready(night, step, feed)
    if step in AFTER_PUBLICATION:
        night = as_published(night)
    elif step not in ("extract", "publish"):
        night.lake.mark_done(night.date, [], (step,))  # it may fail where it did not before
    started = time.monotonic()
    module = importlib.import_module(f"jobs.{step}")
    counts: dict[str, int]
    if step == "extract":
        feeds = [feed] if feed else list(contracts())
        counts = module.run(night, feeds=feeds)
        night.lake.mark_done(night.date, [f"extract:{f}" for f in feeds], STEPS[1:])
    else:
        counts = module.run(night)
        if step not in AFTER_PUBLICATION and step != "publish":
            night.lake.mark_done(night.date, [step], STEPS[STEPS.index(step) + 1 :])
    if step == "publish":
        night.published = night.lake.publication(night.date)
    words = ", ".join(f"{k} {v}" for k, v in counts.items() if v)
    name = f"{step} {feed}" if feed else step
    night.say(f"night {night.date} {name}: {words or 'nothing'} ({time.monotonic() - started:.1f} s)")
    return counts


def stopped(night: Night) -> list[dict[str, Any]]:
    """The manifest entries of tonight's stopped files, with the one line that says what to do."""
    found = []
    for feed in contracts():
        for entry in night.lake.manifest(night.date, feed):
            if entry.get("stopped"):
                found.append(entry)
    return found


def raise_if_stopped(night: Night, recipients: RecipientsStopped | None = None) -> None:
    """AssentError naming each stopped feed and recipient, after the rest is published."""
    entries = stopped(night)
    if not entries:
        if recipients is not None:
            raise recipients
        return
    first: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for e in entries:
        first.setdefault((e["feed"], e["stopped"]), []).append(e)
    parts = [
        f"{feed}: {code}, {len(group)} file{'s' if len(group) > 1 else ''} stopped ({group[0]['message']})"
        for (feed, code), group in sorted(first.items())
    ]
    also = f"; {recipients}" if recipients is not None else ""
    raise AssentError(f"night {night.date} is published without stopped files: {'; '.join(parts)}{also}")


def run_night(night: Night) -> dict[str, int]:
    """Every step of a night; a night already published only has what was left of notices and exports done.

    AssentError naming the stopped files once the rest is published; not again when the night is asked for again.
    """
    fresh = begin(night)
    if not fresh:
        night.say(f"night {night.date}: already published with the same inputs")
    counts: dict[str, int] = {}
    recipients = None
    for step in STEPS if fresh else AFTER_PUBLICATION:
        try:
            for key, value in run_step(night, step).items():
                counts[f"{step}.{key}"] = value
        except RecipientsStopped as e:
            recipients = e
    if fresh:
        report(night)
    did = any(n for what, n in counts.items() if what != "export.waiting")
    if fresh or did or recipients is not None:
        raise_if_stopped(night, recipients)
    elif left := stopped(night):
        # nothing was written: the first run ended with the fault, and each night says it again
        night.say(
            f"night {night.date}: {len(left)} file(s) are still stopped, the next night tries them again"
        )
    return counts


def report(night: Night) -> None:
    """Writes the page of a published night (``<out>/report/<date>.html``)."""
    from jobs.report import write

    night.say(f"night {night.date} report: {write(night.lake.root, night.date)}")
