"""export: a package a register and night for the one agency that must enforce it (DESIGN 6).

What is sent and what waits is decided in ``rules/disclosure.py``; here it is read, told, recorded and sent.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.entries import KEY, REMOVAL_CAUSES, entries, entry_fields
from jobs.errors import AssentError, RecipientsStopped
from jobs.lake import ledger
from jobs.lake.causes import causes_of
from jobs.lake.delivery import deliver
from jobs.lake.exported import sent_names
from jobs.lake.newest import compact
from jobs.lake.night import Night
from jobs.lake.packages import (
    Package,
    Previous,
    RecipientStopped,
    due,
    facts,
    let_out,
    people_of,
    prepare,
    read_previous,
    send_package,
)
from jobs.lake.recipients import recipients_of
from jobs.returns import standing, take
from jobs.rules.disclosure import Disclosure, disclosure, leaving
from jobs.rules.holds import Hold
from jobs.rules.policy import Register
from jobs.score_packages import export_scores, score_counts
from jobs.sign_off import Counts, counts_of, form, record, sight_hash
from schemas.contract import contracts


@dataclass(frozen=True)
class Planned:
    """What one register would send tonight; ``people`` is the person of each record, ``held`` what is held back."""

    register: Register
    disclosure: Disclosure
    people: dict[str, int]
    previous: Previous
    held: dict[str, Hold]
    feed: dict[str, Any]


def _unnoticed(night: Night, register: Register, entries: dict[str, int]) -> set[str]:
    """Of ``entries`` (record -> person) those whose person has no listing notice on this night or before."""
    version = night.lake.version("notices")
    if version is None or not entries:
        return set(entries)
    rows = night.lake.dataset("notices", version).to_table(
        columns=["subject", "person_id"],
        filter=(pc.field("kind") == "listing") & (pc.field("night") <= pa.scalar(night.date)),
    )
    told = {(r["subject"], r["person_id"]) for r in rows.to_pylist()}
    return {r for r, person in entries.items() if (f"{register.name}/{r}", person) not in told}


def _disclose(night: Night, plan: Planned, approval: str | None, package: str) -> None:
    """Appends what is sent to the ledger, once; a removal is of the person who was sent before."""
    register = plan.register
    known: set[tuple[str, str]] = set()
    sent: dict[str, int] = {}
    for r in ledger.sent(night.lake, register.name, night.date):
        if r["recipient"] != register.recipient or r["change"] == "RECALL":
            continue
        if r["night"] == night.date:
            known.add((r["record_id"], r["change"]))
        elif r["change"] == "REMOVE":
            sent.pop(r["record_id"], None)
        else:
            sent[r["record_id"]] = r["person_id"]
    fresh = []
    for r in plan.disclosure.changes.select(["record_id", "change"]).to_pylist():
        record, change = r["record_id"], r["change"]
        person, former = plan.people.get(record), sent.get(record)
        if change == "REMOVE":
            said = [(former or person, "REMOVE")]
        elif former is not None and former != person:
            said = [(former, "REMOVE"), (person, "ADD")]
        else:
            said = [(person, change)]
        for who, what in said:
            if who is not None and (record, what) not in known:
                fresh.append(
                    {
                        "night": night.date,
                        "person_id": who,
                        "recipient": register.recipient,
                        "subject": f"{register.name}/{record}",
                        "change": what,
                        "package": package,
                        "approval": None if what == "REMOVE" else approval,
                    }
                )
    ledger.append(night.lake, "disclosures", fresh)


def planned(night: Night, register: Register, feed: dict[str, Any], told: bool = True) -> Planned:
    """What a register would send tonight, with what people said of it; nothing is written.

    Without ``told`` additions and changes wait, whoever approved: a person has had no listing notice.
    """
    current, people = entries(night, register)
    previous = read_previous(night, register.name, register.recipient, KEY.name, entry_fields(register))
    held = standing(night, register)
    gone = leaving(previous.snapshot, current, held)
    approval = night.approval
    return Planned(
        register,
        disclosure(
            previous.snapshot,
            current,
            causes_of(night, register, gone) if gone else {},
            guards=register.guards,
            approved=told
            and not night.other_policy
            and approval is not None
            and approval.decision == "approve",
            accepted=approval is not None and register.name in approval.accepted,
            fresh=bool(feed["fresh"]),
            held=held,
        ),
        people,
        previous,
        held,
        feed,
    )


def plans(night: Night, scores: Counts) -> list[Planned]:
    """What each register would send tonight. An approval of something else, or other ``scores``, counts for nothing."""
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    found = [planned(night, register, feeds[register.feed]) for register in night.policy.registers.values()]
    approval = night.approval
    if approval is None or approval.decision != "approve" or approval.sight_hash is None:
        return found
    if approval.sight_hash == sight_hash(night, counts_of_plans(found) | scores):
        return found
    night.say(
        "export: what is due is other than what was approved, so additions and changes wait; "
        f"look again (`assent plan --date {night.date}`) and approve with `assent export --approve`"
    )
    night.approval = dataclasses.replace(approval, decision="approve_other")
    return [planned(night, p.register, p.feed) for p in found]


def counts_of_plans(found: list[Planned]) -> Counts:
    """The counts of registers that a person has in sight, beside those of scores."""
    return counts_of((p.register.name, p.disclosure, bool(p.feed["fresh"]), len(p.held)) for p in found)


def in_sight(night: Night) -> dict[str, str]:
    """What a person is shown before anything leaves: the ``form``, and the ``sight_hash`` of what it says."""
    if night.published is None:
        raise AssentError(f"plan: night {night.date} is not published; run `assent publish` first")
    from jobs.nightly import as_published

    night = as_published(night)
    _take(night)  # a refusal that came since changes what is due
    scores = score_counts(night)
    counts = counts_of_plans(plans(night, scores)) | scores
    return {"form": form(night, counts), "sight_hash": sight_hash(night, counts)}


def _say_why(night: Night, plan: Planned) -> None:
    """One line for each thing that holds a register's additions or removals back."""
    name, waiting = plan.register.name, plan.disclosure.waiting
    words = f"{waiting['ADD']} additions and {waiting['CHANGE']} changes wait"
    if not plan.feed["fresh"]:
        night.say(
            f"export {name}: {plan.register.feed} is past its freshness (last good delivery "
            f"{plan.feed['last_good_on'] or 'never'}), {words} until it delivers; removals go out"
        )
    accepted = night.approval is not None and name in night.approval.accepted
    if plan.disclosure.tripped and not accepted:
        if waiting["REMOVE"]:
            words += f", and {waiting['REMOVE']} removals as correction or source_withdrew"
        night.say(
            f"export {name}: guard {', '.join(map(str, plan.disclosure.tripped))}: {words}; look, then "
            f"`assent export --date {night.date} --approve --accept-guard {name}`"
        )


def _say_decision(night: Night, waiting: int) -> None:
    """Says, when nobody approved, that only removals leave, and who withheld the rest."""
    approval = night.approval
    if approval is None:
        night.say("export: removals only; additions and changes wait for a person (`--approve`)")
    elif approval.decision in ("reject", "no_answer"):
        night.say(
            f"export: withheld by {approval.decided_by or 'nobody'} ({approval.because}): removals only, "
            f"{waiting} additions and changes wait"
        )


def _package(night: Night, plan: Planned) -> Package:
    register, last, made = plan.register, plan.feed["last_good_on"], plan.disclosure
    days = contracts()[register.feed].freshness_days
    return Package(
        name=register.name,
        title=f"Register {register.name} for {register.recipient}",
        recipient=register.recipient,
        night=night.date,
        key=KEY.name,
        fields=entry_fields(register),
        snapshot=made.snapshot,
        changes=made.changes,
        people=people_of(
            KEY.name,
            made.snapshot,
            made.changes,
            plan.previous,
            pa.table(
                {
                    KEY.name: pa.array(plan.people, pa.string()),
                    "person_id": pa.array(plan.people.values(), pa.int64()),
                }
            ),
        ),
        previous=plan.previous,
        approved=made.released,
        causes=REMOVAL_CAUSES,
        facts=facts(
            night, None if last is None else last + dt.timedelta(days=days), legal=register.statute_source
        ),
    )


def _untold(night: Night, plan: Planned) -> int:
    """How many entries that would leave are of people who have had no listing notice."""
    made = plan.disclosure.changes
    came = made.filter(pc.not_equal(made["change"], "REMOVE"))["record_id"].to_pylist()
    return len(_unnoticed(night, plan.register, {r: plan.people[r] for r in came}))


def _take(night: Night) -> None:
    """What agencies answered; a place that cannot be read is said, and keeps no removal back."""
    try:
        take(night)
    except AssentError as e:
        night.say(str(e))


def run(night: Night) -> dict[str, int]:
    """Takes what agencies answered, then sends a package a register and a recipient of scores.

    Returns changes of registers by kind, what waits, and the counts of scores.

    RecipientsStopped at the end, naming each, when a recipient had no usable key or could not be reached: the others
    have their packages. AssentError, after everything is sent, when people had no listing notice: their registers sent
    removals alone.
    """
    compact(night.lake, night.say)
    _take(night)
    prepare(night)
    if night.other_policy:
        night.say(
            f"export: the policy is another one than night {night.date} was published under, so additions and changes "
            "wait and removals go out; name that one in ASSENT_POLICY, or run the next night"
        )
    due_scores = score_counts(night) if night.approval is not None else {}
    found = plans(night, due_scores)
    untold = {p.register.name: n for p in found if (n := _untold(night, p))}
    found = [
        planned(night, p.register, p.feed, told=False) if p.register.name in untold else p for p in found
    ]
    for plan in found:
        _say_why(night, plan)
    packages = [(p, _package(night, p)) for p in found]
    todo = [(p, package) for p, package in packages if due(night.lake, package)]
    stood = bool(packages) and all(let_out(night.lake, package) for _, package in packages)
    waiting = sum(
        p.disclosure.waiting["ADD"] + p.disclosure.waiting["CHANGE"]
        for p, package in packages
        if not let_out(night.lake, package)
    )
    approval = None
    if night.approval is not None:
        sight = counts_of_plans(found) | due_scores
        changing = any(c["adds"] or c["changes"] for c in due_scores.values())
        if todo or changing or night.approval.decision != "approve":
            approval = record(night, night.approval, sight, waiting)
    counts, stopped = _send(night, todo, approval)
    scores = export_scores(night, approval)
    stopped += scores.stopped
    if stood:
        night.say("export: additions and changes of this night have left already; nothing waits")
    else:
        _say_decision(night, waiting)
    # one that the policy names no more is still owed what takes its scores back
    everybody = dict.fromkeys([*recipients_of(night.policy), *(r for r, _ in sent_names(night.lake))])
    stopped += deliver(night.lake, night.keys.folder, [*everybody], night.say)
    lines = "; ".join(dict.fromkeys(stopped))
    unsaid = []
    if untold:
        n = sum(untold.values())
        unsaid.append(
            f"{n} entries of {', '.join(untold)} have no listing notice, so additions and changes wait there"
        )
    if scores.untold:
        unsaid.append(f"{scores.untold} scores have no notice yet and wait")
    if unsaid:
        also = f"; {lines}" if lines else ""
        raise AssentError(
            f"export: {'; '.join(unsaid)}; the rest is sent; run `assent notify`, then `assent export` again{also}"
        )
    if stopped:
        n = len(dict.fromkeys(stopped))
        raise RecipientsStopped(f"export: {n} recipient(s) stopped, the others have theirs: {lines}")
    return {**counts, "waiting": waiting, **scores.counts}


def _send(
    night: Night, todo: list[tuple[Planned, Package]], approval: str | None
) -> tuple[dict[str, int], list[str]]:
    """Sends packages; returns counts, and a line for each recipient that could not be written to."""
    counts = {"packages": 0, "ADD": 0, "CHANGE": 0, "REMOVE": 0}
    stopped = []
    for plan, package in todo:
        # disclosed before the package stands: killed in between, the next run mends it; the other way it never would
        told = functools.partial(_disclose, night, plan, approval)
        try:
            send_package(night, package, told)
        except RecipientStopped as e:
            stopped.append(str(e))
            continue
        counts["packages"] += 1
        for change in plan.disclosure.changes["change"].to_pylist():
            counts[change] += 1
    return counts, stopped
