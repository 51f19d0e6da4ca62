"""recall: an entry that turned out wrong after it was sent is called back at once, and does not come back by itself."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow.compute as pc

from jobs.errors import AssentError, RecipientsStopped, UsageError
from jobs.lake import ledger
from jobs.lake.actor import actor, moment
from jobs.lake.delivery import deliver
from jobs.lake.exported import packages_of
from jobs.lake.night import Night
from jobs.lake.packages import RecipientStopped, send_files
from jobs.lake.recipients import recipients_of
from jobs.lake.sealing import SUFFIX
from jobs.publish import sha256
from jobs.returns import standing, versions
from jobs.rules.canonical import canonical
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
    """Holds an entry back, and sends a notice to each recipient who ever received it; paths of the notices.

    A notice is signed and encrypted as a package is, and delivered at once. Run again it does what was left of the
    first time. AssentError when the entry was never sent, RecipientsStopped at the end where one could not be told.
    """
    if register not in night.policy.registers:
        raise UsageError(f"register {register} is unknown; name one of {', '.join(night.policy.registers)}")
    named = night.policy.registers[register]
    rows = [r for r in ledger.sent(night.lake, register, night.date) if r["record_id"] == record]
    sent = [r for r in rows if r["change"] in ("ADD", "CHANGE")]
    if not sent:
        raise AssentError(f"recall {register}: that record was never sent to anybody; nothing to recall")
    at = _recalled(night, named, record, sent[-1]["person_id"], because)
    recipients = sorted({r["recipient"] for r in sent})
    paths, stopped = [], []
    for recipient in recipients:
        last = [r for r in sent if r["recipient"] == recipient][-1]
        try:
            paths.append(_tell(night, last, register, at))
        except RecipientStopped as e:
            stopped.append(str(e))
    everyone = [*dict.fromkeys([*recipients_of(night.policy), *recipients])]
    stopped += deliver(night.lake, night.keys.folder, everyone, night.say)
    if stopped:
        lines = "; ".join(dict.fromkeys(stopped))
        raise RecipientsStopped(
            f"recall {register}: {len(paths)} notices sent; run it again when mended: {lines}"
        )
    return paths


def _tell(night: Night, last: dict[str, Any], register: str, at: dt.datetime) -> str:
    """Sends one recipient its notice, once, and records that; the path of the encrypted file."""
    recipient = last["recipient"]
    told = notice(last, register, at)
    name = f"recall-{register}-{told['notice_id']}"
    before = packages_of(night.lake, recipient, name)
    path = f"{recipient}/{name}-{before[-1]['night'] if before else night.date}{SUFFIX}"

    def disclose(package: str) -> None:
        if ledger.rows(night.lake, "disclosures", night.date, pc.field("package") == package):
            return
        row = {
            "night": night.date,
            "person_id": last["person_id"],
            "recipient": recipient,
            "subject": f"{register}/{last['record_id']}",
            "change": "RECALL",
            "package": package,
            "approval": None,
        }
        ledger.append(night.lake, "disclosures", [row])

    send_files(
        night.lake,
        night.keys,
        before[-1]["night"] if before else night.date,
        recipient,
        name,
        {"recall.json": json.dumps(told, indent=2, sort_keys=True) + "\n"},
        disclose,
        night.say,
    )
    return path
