"""returns: what agencies answer to their packages; a refusal holds the entry back until a person decides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError, UsageError
from jobs.lake import ledger
from jobs.lake.actor import actor, moment
from jobs.lake.night import Night
from jobs.lake.return_files import ReturnFile, return_files, returns_place
from jobs.rules.holds import KEEP, REFUSED, RELEASE, Hold, held
from jobs.rules.policy import Register
from jobs.rules.returned import answer, of_package
from schemas.contract import contracts
from schemas.tables import REGISTERS

WARNED_FROM = 2  # nights after a package: an agency has had a working night to answer in
SHOWN = 20  # row numbers named in one line


@dataclass
class Taken:
    """What was taken: rows stored by outcome, and a line for each file with what is wrong in it."""

    outcomes: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def _sent(night: Night, register: Register, upto: dt.date) -> dict[str, int]:
    """The person of each record that the register's recipient was ever sent."""
    rows = ledger.sent(night.lake, register.name, upto)
    mine = (r for r in rows if r["recipient"] == register.recipient and r["change"] in ("ADD", "CHANGE"))
    return {r["record_id"]: r["person_id"] for r in mine}


def _fault(file: ReturnFile, what: str) -> str:
    return f"returns {file.path}: {what}"


def _rows(night: Night, file: ReturnFile, taken: Taken) -> list[dict[str, Any]]:
    """The good rows of a file as RETURNS has them, without the time; faults are added to ``taken``."""
    named = of_package(file.name)
    if named is None:
        # its name may be a person's, and stands in no log
        words = "a file is not named <register>-<date>.csv, ignored; rename it"
        taken.faults.append(f"returns {file.recipient}: {words}")
        return []
    name, package_on = named
    register = night.policy.registers.get(name)
    if register is None or register.recipient != file.recipient:
        words = "the register is not this recipient's; nothing of it is taken"
        known = name in night.policy.registers
        taken.faults.append(
            _fault(file, words) if known else f"returns {file.recipient}: a file's {words[4:]}"
        )
        return []
    sent = _sent(night, register, package_on)
    if file.fault or package_on > night.date or not sent:
        why = file.fault or "answers a package that was not sent"
        taken.faults.append(_fault(file, f"{why}; nothing of it is taken, ask for it again"))
        return []
    good, bad = [], []
    for number, cells in enumerate(file.rows, 1):
        found = answer(cells, sent, package_on, night.date)
        if isinstance(found, str):
            bad.append(f"{number} {found}")
        else:
            good.append({**found, "row_number": number, "register": name, "package_on": package_on})
    if bad:
        more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        words = f"{len(bad)} of {len(file.rows)} rows are not taken: row {', '.join(bad[:SHOWN])}{more}"
        taken.faults.append(_fault(file, f"{words}; ask for these rows again"))
    return good


def take(night: Night, place: str | None = None) -> Taken:
    """Takes every file of answers that no earlier call took; says what is wrong and what is missing."""
    recipients = sorted({r.recipient for r in night.policy.registers.values()})
    stored = ledger.rows(night.lake, "returns", night.date)
    known = {(r["register"], r["package_on"], r["record_id"], r["outcome"], r["answered_on"]) for r in stored}
    taken = Taken()
    new: list[dict[str, Any]] = []
    at = moment()
    for file in return_files(
        place or returns_place(night.lake.root), recipients, {r["sha256"] for r in stored}
    ):
        for row in _rows(night, file, taken):
            key = (row["register"], row["package_on"], row["record_id"], row["outcome"], row["answered_on"])
            if key in known:
                continue
            known.add(key)
            of = {"night": night.date, "taken_at": at, "recipient": file.recipient, "file": file.path}
            new.append({**row, **of, "sha256": file.sha256})
            taken.outcomes[str(row["outcome"])] = taken.outcomes.get(str(row["outcome"]), 0) + 1
    ledger.append(night.lake, "returns", new)
    for line in [*taken.faults, *missing(night), *undecided(night)]:
        night.say(line)
    return taken


def missing(night: Night) -> list[str]:
    """A line for each register with packages that held changes and that nobody answered by the second night."""
    answered = {(r["register"], r["package_on"]) for r in ledger.rows(night.lake, "returns", night.date)}
    last = night.date - dt.timedelta(days=WARNED_FROM)
    lines = []
    for register in night.policy.registers.values():
        rows = ledger.sent(night.lake, register.name, last)
        nights = {
            r["night"] for r in rows if r["recipient"] == register.recipient and r["change"] != "RECALL"
        }
        open_ = sorted(n for n in nights if (register.name, n) not in answered)
        if open_:
            lines.append(
                f"returns {register.recipient}: no answer to {len(open_)} package(s) of {register.name}, the oldest of "
                f"{open_[0]}; ask for returns/{register.recipient}/{register.name}-{open_[0]}.csv"
            )
    return lines


def versions(night: Night, register: Register, records: set[str]) -> dict[str, dt.datetime | None]:
    """The ``revised_at`` of the current version of some records of a register's feed."""
    version = night.pinned(f"conformed/{register.feed}")
    if version is None or not records:
        return {}
    key = contracts()[register.feed].key
    rows = night.lake.dataset(f"conformed/{register.feed}", version).to_table(
        columns=[key, "revised_at"], filter=pc.field(key).isin(pa.array(sorted(records), pa.string()))
    )
    return dict(zip(rows[key].to_pylist(), rows["revised_at"].to_pylist(), strict=True))


def standing(night: Night, register: Register) -> dict[str, Hold]:
    """The records of a register that are held back tonight: recalled, or refused by their recipient."""
    mine = pc.field("register") == register.name
    decisions = ledger.rows(night.lake, "holds", night.date, mine)
    answers = ledger.rows(night.lake, "returns", night.date, mine & (pc.field("outcome") == "refused"))
    records = {r["record_id"] for r in [*decisions, *answers]}
    return held(decisions, answers, versions(night, register, records))


def undecided(night: Night) -> list[str]:
    """A line for each register with refused entries, still in force, that no person has looked at."""
    listed = night.arrow("registers", REGISTERS.arrow())
    lines = []
    for register in night.policy.registers.values():
        refused = {r for r, h in standing(night, register).items() if h.reason == REFUSED and not h.decided}
        if not refused:
            continue
        mine = listed.filter((pc.field("register") == register.name) & pc.field("listed"))
        count = len(refused & set(mine["record_id"].to_pylist()))
        if count:
            lines.append(
                f"returns {register.recipient}: {count} refused entries of {register.name} are held back until a "
                "person decides (`assent query \"from returns where outcome = 'refused'\"`, `assent returns decide`)"
            )
    return lines


def decide(night: Night, register: str, record: str, event: str, because: str) -> str:
    """Records a person's decision on an entry that is held back: ``release`` it, or ``keep`` it back."""
    if event not in (RELEASE, KEEP):
        raise UsageError(f"decision {event} is unknown; say {RELEASE} or {KEEP}")
    if register not in night.policy.registers:
        raise UsageError(f"register {register} is unknown; name one of {', '.join(night.policy.registers)}")
    named = night.policy.registers[register]
    if record not in standing(night, named):
        raise AssentError(f"{register}: that record is not held back; nothing to decide")
    people = _sent(night, named, night.date)
    ledger.append(
        night.lake,
        "holds",
        [
            {
                "decided_at": moment(),
                "night": night.date,
                "register": register,
                "record_id": record,
                "person_id": people.get(record),
                "event": event,
                "revised_at": versions(night, named, {record}).get(record),
                "decided_by": actor(),
                "because": because,
            }
        ],
    )
    if event == RELEASE:
        return f"{register}: released; the next night adds it again if its order is in force and a person approves"
    return f"{register}: kept back"
