"""export: a package a register and night for the one agency that must enforce it (DESIGN 6).

What is sent and what waits is decided in ``rules/disclosure.py``; here it is read, told, recorded and written.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake import ledger
from jobs.lake.causes import causes_of
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.lake.packages import Package, due, newest_before, read_snapshot, write_package
from jobs.lake.vault import VALUES, read_identities
from jobs.returns import standing, take
from jobs.rules.disclosure import Disclosure, disclosure, leaving
from jobs.rules.floor import floor_hash
from jobs.rules.holds import Hold
from jobs.rules.policy import Register
from jobs.sign_off import Counts, counts_of, form, record, sight_hash
from schemas.contract import contracts

TYPES = {
    "date": pa.date32(),
    "integer": pa.int64(),
    "string": pa.string(),
}


def entry_schema(register: Register) -> pa.Schema:
    """Columns of a snapshot: ``record_id``, what the policy names, ``since`` and ``until``."""
    contract = contracts()[register.feed]
    fields = [("record_id", pa.string())]
    for name in register.columns:
        kind = "string"
        if name not in VALUES and name in contract.names:
            kind = contract.column(name).type
        if name == "birth_date":
            kind = "date"
        fields.append((name, TYPES[kind]))
    return pa.schema([*fields, ("since", pa.date32()), ("until", pa.date32())])


@dataclass(frozen=True)
class Planned:
    """What one register would send tonight; ``people`` is the person of each record, ``held`` what is held back."""

    register: Register
    disclosure: Disclosure
    people: dict[str, int]
    previous: Path | None
    held: dict[str, Hold]
    feed: dict[str, Any]


def entries(night: Night, register: Register) -> tuple[pa.Table, dict[str, int]]:
    """Tonight's entries with the identities that the agency needs, and the person of each order's record."""
    contract = contracts()[register.feed]
    listed = night.arrow("registers", pa.schema([])).filter(pc.field("register") == register.name)
    version = night.pinned(f"conformed/{register.feed}")
    wanted = [c for c in register.columns if c in contract.names and c not in VALUES]
    schema = entry_schema(register)
    people = dict(zip(*(listed.column(c).to_pylist() for c in ("record_id", "person_id")), strict=True))
    listed = listed.filter(pc.field("listed"))
    if listed.num_rows == 0 or version is None:
        return schema.empty_table(), people
    con = duckdb.connect(config={"python_enable_replacements": False})
    try:
        con.register("listed", listed)
        con.register("orders", night.lake.dataset(f"conformed/{register.feed}", version))
        con.register("people", read_identities(night, listed.column("person_id")))
        chosen = [
            f"CAST(p.{c} AS DATE) AS {c}" if c == "birth_date" else f"p.{c}" if c in VALUES else f"o.{c}"
            for c in register.columns
            if c in VALUES or c in wanted
        ]
        table = con.sql(
            f"SELECT l.record_id, {', '.join(chosen)}, l.since, least(o.expires_on, "
            f"CAST(o.ordered_on + INTERVAL {register.statute_years} YEAR AS DATE) - 1) AS until "
            f"FROM listed l JOIN orders o ON o.{contract.key} = l.record_id AND o.person_id = l.person_id "
            "JOIN people p ON p.person_id = l.person_id ORDER BY l.record_id"
        ).to_arrow_table()
    finally:
        con.close()
    if table.num_rows != listed.num_rows:
        raise AssentError(
            f"export {register.name}: {listed.num_rows - table.num_rows} entries have no order or identity; "
            "nothing is exported, restore the lake from its backup"
        )
    return table.cast(schema), people


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


def _disclose(night: Night, plan: Planned, package: str, approval: str | None) -> None:
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
    folder = out_folder(night.lake.root) / "exports" / register.recipient
    current, people = entries(night, register)
    before = newest_before(folder, register.name, night.date)
    schema = entry_schema(register)
    previous = read_snapshot(before, schema) if before else schema.empty_table()
    held = standing(night, register)
    gone = leaving(previous, current, held)
    approval = night.approval
    return Planned(
        register,
        disclosure(
            previous,
            current,
            causes_of(night, register, gone) if gone else {},
            guards=register.guards,
            approved=told and approval is not None and approval.decision == "approve",
            accepted=approval is not None and register.name in approval.accepted,
            fresh=bool(feed["fresh"]),
            held=held,
        ),
        people,
        before,
        held,
        feed,
    )


def plans(night: Night) -> list[Planned]:
    """What each register would send tonight. An approval of something else than this counts for nothing."""
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    found = [planned(night, register, feeds[register.feed]) for register in night.policy.registers.values()]
    approval = night.approval
    if approval is None or approval.decision != "approve" or approval.sight_hash is None:
        return found
    if approval.sight_hash == sight_hash(night, counts_of_plans(found)):
        return found
    night.say(
        "export: what is due is other than what was approved, so additions and changes wait; "
        f"look again (`assent plan --date {night.date}`) and approve with `assent export --approve`"
    )
    night.approval = dataclasses.replace(approval, decision="approve_other")
    return [planned(night, p.register, p.feed) for p in found]


def counts_of_plans(found: list[Planned]) -> Counts:
    """The counts that a person has in sight."""
    return counts_of((p.register.name, p.disclosure, bool(p.feed["fresh"]), len(p.held)) for p in found)


def in_sight(night: Night) -> dict[str, str]:
    """What a person is shown before anything leaves: the ``form``, and the ``sight_hash`` of what it says."""
    if night.published is None:
        raise AssentError(f"plan: night {night.date} is not published; run `assent publish` first")
    _take(night)  # a refusal that came since changes what is due
    counts = counts_of_plans(plans(night))
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
    assert night.published is not None
    register, last = plan.register, plan.feed["last_good_on"]
    days = contracts()[register.feed].freshness_days
    return Package(
        register=register.name,
        recipient=register.recipient,
        night=night.date,
        snapshot=plan.disclosure.snapshot,
        changes=plan.disclosure.changes,
        approved=plan.disclosure.released,
        facts={
            "publication": {"run_id": night.published["run_id"], "row_hash": night.published["row_hash"]},
            "floor_hash": floor_hash(),
            "policy_hash": night.published["policy_hash"],
            "legal": register.statute_source,
            "valid_until": None if last is None else (last + dt.timedelta(days=days)).isoformat(),
        },
        previous=plan.previous,
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
    """Takes what agencies answered, then writes a package a register; returns changes by kind, and what waits.

    AssentError after everything is written, when people had no listing notice: their registers sent removals alone.
    """
    _take(night)
    found = plans(night)
    untold = {p.register.name: n for p in found if (n := _untold(night, p))}
    found = [
        planned(night, p.register, p.feed, told=False) if p.register.name in untold else p for p in found
    ]
    for plan in found:
        _say_why(night, plan)
    root = out_folder(night.lake.root) / "exports"
    todo = [p for p in found if due(root / p.register.recipient, _package(night, p))]
    counts = {"ADD": 0, "CHANGE": 0, "REMOVE": 0}
    waiting = sum(p.disclosure.waiting["ADD"] + p.disclosure.waiting["CHANGE"] for p in found)
    approval = None
    if night.approval is not None and (todo or night.approval.decision != "approve"):
        approval = record(night, night.approval, counts_of_plans(found), waiting)
    for plan in todo:
        package = _package(night, plan)
        # before the package stands: killed in between, the next run mends it; the other way about it never would
        _disclose(night, plan, f"{plan.register.recipient}/{package.name}", approval)
        write_package(root / plan.register.recipient, package)
        for change in plan.disclosure.changes["change"].to_pylist():
            counts[change] += 1
    _say_decision(night, waiting)
    if untold:
        raise AssentError(
            f"export: {sum(untold.values())} entries of {', '.join(untold)} have no listing notice, so additions and "
            "changes wait there; run `assent notify`, then `assent export` again"
        )
    return {"packages": len(todo), **counts, "waiting": waiting}
