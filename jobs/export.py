"""export: a package a register and night for the one agency that must enforce it (DESIGN 6).

Without approval, or with a feed past its freshness, it holds the removals alone: they go out every night.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError
from jobs.lake.night import Night
from jobs.lake.out import out_folder
from jobs.lake.packages import Package, newest_before, read_snapshot, write_package
from jobs.lake.vault import VALUES, read_identities
from jobs.rules.floor import floor_hash
from jobs.rules.policy import Register
from schemas.contract import contracts
from schemas.tables import DISCLOSURES

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


def of_one_person(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether two entries of a record are of the same national id (of the same birth date where it is not sent)."""
    key = next((c for c in ("national_id", "birth_date") if c in old and c in new), None)
    return key is None or old[key] == new[key]


def changes(previous: pa.Table, current: pa.Table, causes: dict[str, str | None], approved: bool) -> pa.Table:
    """What turns ``previous`` into tonight's snapshot: its columns, ``change`` and ``cause``; sorted by ``record_id``.

    ``current`` are tonight's entries; without approval only removals are made. An entry that is another person's
    now is removed from the former whatever waits.
    """
    before = {r["record_id"]: r for r in previous.to_pylist()}
    now = {r["record_id"]: r for r in current.to_pylist()}
    rows = []
    for record in sorted(before.keys() | now.keys()):
        old, new = before.get(record), now.get(record)
        if new is None and old is not None:
            rows.append({**old, "change": "REMOVE", "cause": causes.get(record) or "source_withdrew"})
        elif approved and new is not None and new != old:
            rows.append({**new, "change": "ADD" if old is None else "CHANGE", "cause": None})
        elif old is not None and new is not None and not of_one_person(old, new):
            rows.append({**old, "change": "REMOVE", "cause": "correction"})
    schema = pa.schema([*current.schema, ("change", pa.string()), ("cause", pa.string())])
    return pa.Table.from_pylist(rows, schema=schema)


def applied(previous: pa.Table, made: pa.Table) -> pa.Table:
    """``previous`` with the changes made: tonight's snapshot, sorted by ``record_id``."""
    rows = {r["record_id"]: r for r in previous.to_pylist()}
    for r in made.to_pylist():
        change, _ = r.pop("change"), r.pop("cause")
        if change == "REMOVE":
            rows.pop(r["record_id"], None)
        else:
            rows[r["record_id"]] = r
    return pa.Table.from_pylist([rows[k] for k in sorted(rows)], schema=previous.schema)


def entries(night: Night, register: Register) -> tuple[pa.Table, dict[str, str | None], dict[str, int]]:
    """Tonight's entries with the identities that the agency needs; causes and persons by record."""
    contract = contracts()[register.feed]
    listed = night.arrow("registers", pa.schema([])).filter(pc.field("register") == register.name)
    version = night.pinned(f"conformed/{register.feed}")
    wanted = [c for c in register.columns if c in contract.names and c not in VALUES]
    schema = entry_schema(register)
    causes = {r["record_id"]: r["cause"] for r in listed.to_pylist()}
    people = {r["record_id"]: r["person_id"] for r in listed.to_pylist()}
    listed = listed.filter(pc.field("listed"))
    if listed.num_rows == 0 or version is None:
        return schema.empty_table(), causes, people
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
    return table.cast(schema), causes, people


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


def _disclose(night: Night, register: Register, made: pa.Table, people: dict[str, int], package: str) -> None:
    """Appends what was sent to the ledger, once; a removal is of the person who was sent before."""
    known: set[tuple[str, str]] = set()
    sent: dict[str, int] = {}
    version = night.lake.version("disclosures")
    if version is not None:
        mine = (pc.field("recipient") == register.recipient) & (pc.field("night") <= pa.scalar(night.date))
        rows = night.lake.dataset("disclosures", version).to_table(filter=mine).to_pylist()
        for r in sorted(rows, key=lambda r: (r["night"], r["change"] != "REMOVE")):
            if r["night"] == night.date:
                known.add((r["subject"], r["change"]))
            elif r["change"] != "REMOVE":
                sent[r["subject"]] = r["person_id"]
    fresh = []
    for r in made.to_pylist():
        subject = f"{register.name}/{r['record_id']}"
        person, former = people.get(r["record_id"]), sent.get(subject)
        if r["change"] == "REMOVE":
            said = [(former or person, "REMOVE")]
        elif former is not None and former != person:
            said = [(former, "REMOVE"), (person, "ADD")]
        else:
            said = [(person, r["change"])]
        for who, change in said:
            if who is not None and (subject, change) not in known:
                fresh.append(
                    {
                        "night": night.date,
                        "person_id": who,
                        "recipient": register.recipient,
                        "subject": subject,
                        "change": change,
                        "package": package,
                    }
                )
    if fresh:
        night.lake.append_arrow("disclosures", pa.Table.from_pylist(fresh, schema=DISCLOSURES.arrow()))


def export_register(night: Night, register: Register, feed: dict[str, Any]) -> tuple[pa.Table, bool]:
    """Writes one register's package and returns its changes, and whether anything was written."""
    assert night.published is not None
    folder = out_folder(night.lake.root) / "exports" / register.recipient
    current, causes, people = entries(night, register)
    before = newest_before(folder, register.name, night.date)
    previous = (
        read_snapshot(before, entry_schema(register)) if before else entry_schema(register).empty_table()
    )
    approved = night.approve and bool(feed["fresh"])
    made = changes(previous, current, causes, approved)
    told = [r["record_id"] for r in made.to_pylist() if r["change"] != "REMOVE"]
    untold = _unnoticed(night, register, {r: people[r] for r in told})
    if untold:
        raise AssentError(
            f"export {register.name}: {len(untold)} entries have no listing notice; run `assent notify` first"
        )
    contract = contracts()[register.feed]
    last = feed["last_good_on"]
    package = Package(
        register=register.name,
        recipient=register.recipient,
        night=night.date,
        snapshot=applied(previous, made),
        changes=made,
        approved=approved,
        facts={
            "publication": {"run_id": night.published["run_id"], "row_hash": night.published["row_hash"]},
            "floor_hash": floor_hash(),
            "policy_hash": night.published["policy_hash"],
            "legal": register.statute_source,
            "valid_until": None
            if last is None
            else (last + dt.timedelta(days=contract.freshness_days)).isoformat(),
        },
        previous=before,
    )
    written = write_package(folder, package)
    if written is not None:
        _disclose(night, register, made, people, f"{register.recipient}/{written.name}")
    return made, written is not None


def run(night: Night) -> dict[str, int]:
    """Writes a package a register; returns changes by kind."""
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    counts = {"ADD": 0, "CHANGE": 0, "REMOVE": 0}
    written = 0
    for register in night.policy.registers.values():
        made, wrote = export_register(night, register, feeds[register.feed])
        written += wrote
        for change in made.column("change").to_pylist():
            counts[change] += wrote
    if not night.approve:
        night.say("export: removals only; additions and changes wait for a person (`--approve`)")
    return {"packages": written, **counts}
