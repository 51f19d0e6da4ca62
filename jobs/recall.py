"""recall: an entry that turned out wrong after it was sent is called back at once, and does not come back by itself."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow.compute as pc

from jobs.errors import AssentError, UsageError
from jobs.lake import ledger
from jobs.lake.actor import actor, moment
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.lake.outbox import write_whole
from jobs.lake.signatures import SUFFIX, detached
from jobs.publish import canonical, sha256
from jobs.returns import standing, versions
from jobs.rules.holds import RECALL
from jobs.rules.policy import Register


def notice(last: dict[str, Any], register: str, at: dt.datetime) -> dict[str, Any]:
    """What a recipient is told: which entry, sent when, and what to do; no identity, and no reason in words.

    ``last`` is the row of DISCLOSURES with which the recipient last received the entry.
    """
    facts = {
        "kind": "recall",
        "register": register,
        "record_id": last["record_id"],
        "recipient": last["recipient"],
        "issued_at": at.isoformat(timespec="seconds"),
        "cause": "correction",
        "last_sent_on": last["night"].isoformat(),
        "last_sent_in": last["package"],
        "act": "Stop acting on this entry and undo what was done because of it. The next package removes it.",
    }
    return {**facts, "notice_id": sha256(canonical(facts))[:16]}


def _recalled(night: Night, register: Register, record: str, person: int, because: str) -> dt.datetime:
    """When the record was recalled: before, where that still stands, else now."""
    hold = standing(night, register).get(record)
    if hold is not None and hold.reason == RECALL:
        return hold.since
    at = moment()
    row = {
        "decided_at": at,
        "night": night.date,
        "register": register.name,
        "record_id": record,
        "person_id": person,
        "event": RECALL,
        "revised_at": versions(night, register, {record}).get(record),
        "decided_by": actor(),
        "because": because,
    }
    ledger.append(night.lake, "holds", [row])
    return at


def recall(night: Night, register: str, record: str, because: str) -> list[str]:
    """Holds an entry back, and issues a signed notice to each recipient who ever received it; paths of the notices.

    Run again it does what was left of the first time. AssentError when the entry was never sent.
    """
    if register not in night.policy.registers:
        raise UsageError(f"register {register} is unknown; name one of {', '.join(night.policy.registers)}")
    named = night.policy.registers[register]
    rows = [r for r in ledger.sent(night.lake, register, night.date) if r["record_id"] == record]
    sent = [r for r in rows if r["change"] in ("ADD", "CHANGE")]
    if not sent:
        raise AssentError(f"recall {register}: that record was never sent to anybody; nothing to recall")
    at = _recalled(night, named, record, sent[-1]["person_id"], because)
    paths = []
    for recipient in sorted({r["recipient"] for r in sent}):
        last = [r for r in sent if r["recipient"] == recipient][-1]
        told = notice(last, register, at)
        name = f"recall-{register}-{told['notice_id']}.json"
        text = json.dumps(told, indent=2, sort_keys=True) + "\n"
        folder = out_folder(night.lake.root) / "exports" / recipient
        # the signature first: a notice that stands is signed
        write_whole(folder / f"{name}{SUFFIX}", [detached(text.encode(), night.keys)])
        write_whole(folder / name, [text])
        path = f"{recipient}/{name}"
        done = pc.field("package") == path
        if not ledger.rows(night.lake, "disclosures", night.date, done):
            ledger.append(
                night.lake,
                "disclosures",
                [
                    {
                        "night": night.date,
                        "person_id": last["person_id"],
                        "recipient": recipient,
                        "subject": f"{register}/{record}",
                        "change": "RECALL",
                        "package": path,
                        "approval": None,
                    }
                ],
            )
        paths.append(path)
    return paths
