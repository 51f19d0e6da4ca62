"""What a person has in sight before a night's additions leave, and the record of what was decided.

Counts and guards only: no record and no person stands in it, so that it may go into a log, a form or Airflow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from jobs.lake import ledger
from jobs.lake.night import Approval, Night
from jobs.publish import sha256
from jobs.rules.canonical import canonical
from jobs.rules.disclosure import Disclosure

Counts = dict[str, dict[str, Any]]


def counts_of(planned: Iterable[tuple[str, Disclosure, bool, int]]) -> Counts:
    """What is due of each register: (name, disclosure, fresh, entries held back) -> numbers and tripped guards."""
    return {
        name: {
            "before": d.due.before,
            "after": d.due.after,
            "adds": d.due.adds,
            "changes": d.due.changes,
            "removes": d.due.removes,
            "doubtful_removes": d.due.doubtful,
            "held": held,
            "fresh": fresh,
            "tripped": [{"guard": t.guard, "found": t.found, "allowed": t.bound} for t in d.tripped],
        }
        for name, d, fresh, held in planned
    }


def sight_hash(night: Night, counts: Counts) -> str:
    """SHA-256 of the publication's hash and the counts: what an approval is of."""
    assert night.published is not None
    return sha256(canonical({"row_hash": night.published["row_hash"], "counts": counts}))


def form(night: Night, counts: Counts) -> str:
    """The counts as a Markdown table, with the guards that are outside their bounds and the feeds that are late."""
    head = ("register or scores", "last package", "tonight", "additions", "changes", "removals", "held back")
    keys = ("before", "after", "adds", "changes", "removes", "held")
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join([name, *(str(c[k]) for k in keys)]) for name, c in counts.items()]
    registers = night.policy.registers
    notes = [
        f"- {name}: guard {t['guard']} is at {t['found']}, allowed are {t['allowed']}: its additions and changes wait "
        + (
            f"until somebody decides on the guard (`assent export --date {night.date} --approve --accept-guard {name}`)"
            if name in registers
            else "until a person approves, and leave with an approval: somebody may be making consents up"
        )
        for name, c in counts.items()
        for t in c["tripped"]
    ]
    notes += [
        f"- {name}: its feed is past its freshness, nothing is added"
        for name, c in counts.items()
        if not c["fresh"]
    ]
    said = ["", *notes] if notes else ["", "No guard is tripped."]
    ends = (
        "Removals go out whatever is decided. Without an answer additions and changes wait for another night."
    )
    return "\n".join([f"Night {night.date}", "", *lines, *said, "", ends]) + "\n"


def answered(decision: dict[str, Any]) -> Approval:
    """The decision that Airflow hands on: ``approved``, ``by`` (None: nobody), ``at``, ``why``, ``sight_hash``."""
    word = "approve" if decision["approved"] else "reject" if decision["by"] else "no_answer"
    return Approval(
        decision=word,
        decided_by=decision["by"],
        decided_at=dt.datetime.fromisoformat(decision["at"]),
        channel="airflow",
        because=decision["why"],
        sight_hash=decision["sight_hash"],
    )


def record(night: Night, approval: Approval, counts: Counts, waiting: int) -> str | None:
    """Writes a decision to the ledger once, and returns the id of an approval (None for any other decision)."""
    assert night.published is not None
    rows = []
    decisions: list[tuple[str, str | None]] = [(approval.decision, None)]
    decisions += [("accept_guard", name) for name in approval.accepted if counts.get(name, {}).get("tripped")]
    for decision, register in decisions:
        row: dict[str, Any] = {
            "night": night.date,
            "decision": decision,
            "register": register,
            "decided_by": approval.decided_by,
            "decided_at": approval.decided_at,
            "channel": approval.channel,
            "because": approval.because,
            "row_hash": night.published["row_hash"],
            "counts": canonical(counts),
            "sight_hash": sight_hash(night, counts),
            "waiting": waiting,
        }
        named = {
            k: v for k, v in row.items() if k in ("decision", "register", "decided_by", "channel", "row_hash")
        }
        at = approval.decided_at.isoformat()
        rows.append({**row, "approval_id": sha256(canonical({**named, "decided_at": at}))[:16]})
    known = {r["approval_id"] for r in ledger.rows(night.lake, "approvals", night.date)}
    ledger.append(night.lake, "approvals", [r for r in rows if r["approval_id"] not in known])
    return str(rows[0]["approval_id"]) if approval.decision == "approve" else None
