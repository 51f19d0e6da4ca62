"""export: a package a register and night for the one agency that must enforce it (DESIGN 6).

Without approval, or with a feed past its freshness, it holds the removals alone: they go out every night.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jobs.errors import AssentError, RecipientsStopped
from jobs.lake.delivery import deliver
from jobs.lake.night import Night
from jobs.lake.packages import (
    Field,
    Package,
    RecipientStopped,
    facts,
    persons_of,
    prepare,
    read_previous,
    schema_of,
    send_package,
)
from jobs.lake.recipients import recipients_of
from jobs.lake.vault import VALUES, read_identities
from jobs.rules.policy import Register
from schemas.contract import contracts
from schemas.tables import DISCLOSURES

# why an entry leaves a register (RULES, Orders)
REMOVAL_CAUSES = tuple(
    "satisfied set_aside stay appeal expiry dispute correction erasure deceased source_withdrew".split()
)
KEY = Field("record_id", "string", "the order's key at its source; identifies the entry", required=True)
TERM = (
    Field("since", "date", "the night since which the order is listed", required=True),
    Field(
        "until",
        "date",
        "last day of force: the order's or the statute's, whichever is earlier",
        required=True,
    ),
)
NEEDED = frozenset("national_id family_name given_name birth_date authority legal_basis ordered_on".split())
OF_DEBTS = ("judgment_debts", "tax_debts")


def entry_fields(register: Register) -> tuple[Field, ...]:
    """Columns of a snapshot: ``record_id``, what the policy names, ``since`` and ``until``."""
    contract = contracts()[register.feed]
    fields = []
    for name in register.columns:
        known = contract.column(name) if name in contract.names else None
        kind = known.type if known is not None else "string"
        needed = name in NEEDED or (name == "debt_minor" and register.name in OF_DEBTS)
        meaning = name if known is None else f"{known.meaning}, {known.unit}" if known.unit else known.meaning
        fields.append(Field(name, kind, meaning, required=needed))
    return (KEY, *fields, *TERM)


def entry_schema(register: Register) -> pa.Schema:
    """The Arrow schema of :func:`entry_fields`."""
    return schema_of(entry_fields(register))


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
    current, causes, people = entries(night, register)
    fields = entry_fields(register)
    previous = read_previous(night, register.name, register.recipient, KEY.name, fields)
    approved = night.approve and bool(feed["fresh"])
    made = changes(previous.snapshot, current, causes, approved)
    told = [r["record_id"] for r in made.to_pylist() if r["change"] != "REMOVE"]
    untold = _unnoticed(night, register, {r: people[r] for r in told})
    if untold:
        raise AssentError(
            f"export {register.name}: {len(untold)} entries have no listing notice; run `assent notify` first"
        )
    contract = contracts()[register.feed]
    last = feed["last_good_on"]
    snapshot = applied(previous.snapshot, made)
    package = Package(
        name=register.name,
        title=f"Register {register.name} for {register.recipient}",
        recipient=register.recipient,
        night=night.date,
        key=KEY.name,
        fields=fields,
        snapshot=snapshot,
        changes=made,
        persons=persons_of(KEY.name, snapshot, made, previous, people),
        previous=previous,
        approved=approved,
        causes=REMOVAL_CAUSES,
        facts=facts(
            night,
            None if last is None else last + dt.timedelta(days=contract.freshness_days),
            legal=register.statute_source,
        ),
    )
    sent = send_package(night, package, lambda path: _disclose(night, register, made, people, path))
    return made, sent is not None


def run(night: Night) -> dict[str, int]:
    """Writes a package a register; returns changes by kind.

    RecipientsStopped at the end, naming each, when a recipient had no usable key or could not be reached: the others
    have their packages.
    """
    prepare(night)
    feeds = {r["feed"]: r for r in night.arrow("conformed/feeds", pa.schema([])).to_pylist()}
    counts = {"ADD": 0, "CHANGE": 0, "REMOVE": 0}
    written, stopped = 0, dict[str, None]()
    for register in night.policy.registers.values():
        try:
            made, wrote = export_register(night, register, feeds[register.feed])
        except RecipientStopped as e:
            stopped[str(e)] = None
            continue
        written += wrote
        for change in made.column("change").to_pylist():
            counts[change] += wrote
    if not night.approve:
        night.say("export: removals only; additions and changes wait for a person (`--approve`)")
    stopped |= dict.fromkeys(
        deliver(night.lake, night.keys.folder, [*recipients_of(night.policy)], night.say)
    )
    if stopped:
        raise RecipientsStopped(
            f"export: {len(stopped)} recipient(s) stopped, the others have theirs: {'; '.join(stopped)}"
        )
    return {"packages": written, **counts}
