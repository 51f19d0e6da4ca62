"""Why entries left a register, also when nights sent no package: tonight's cause, else the last night's that knew."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake.night import Night
from jobs.rules.policy import Register

COLUMNS = ["record_id", "person_id", "cause"]


def _rows(night: Night, version: int, register: str, records: set[str]) -> list[dict[str, Any]]:
    mine = (pc.field("register") == register) & pc.field("record_id").isin(
        pa.array(sorted(records), pa.string())
    )
    rows: list[dict[str, Any]] = (
        night.lake.dataset("registers", version).to_table(columns=COLUMNS, filter=mine).to_pylist()
    )
    return rows


def _declared(night: Night, people: set[int]) -> dict[int, str]:
    """Of people, the cause that their own declaration (or a death) makes: ``erasure`` before ``deceased``."""
    version = night.pinned("accepted/consents")
    if version is None or not people:
        return {}
    wanted = pc.field("person_id").isin(pa.array(sorted(people), pa.int64()))
    rows = night.lake.dataset("accepted/consents", version).to_table(
        columns=["person_id", "kind"], filter=wanted & pc.field("kind").isin(["erasure", "death"])
    )
    found = {r["person_id"]: "deceased" for r in rows.to_pylist() if r["kind"] == "death"}
    return found | {r["person_id"]: "erasure" for r in rows.to_pylist() if r["kind"] == "erasure"}


def causes_of(night: Night, register: Register, records: list[str]) -> dict[str, str | None]:
    """The cause of each record of a register that some night knows; None for one that is listed tonight.

    A row of an order that is no longer held stands for one night only. Where that night's package was not written,
    or a guard held it back, the row is looked up in the publication that has it; an erasure or a death since then
    comes first.
    """
    version = night.pinned("registers")
    found = (
        {}
        if version is None
        else {r["record_id"]: r["cause"] for r in _rows(night, version, register.name, set(records))}
    )
    missing = set(records) - found.keys()
    earlier = [r for r in night.lake.publications() if r["night"] < night.date] if missing else []
    people: dict[str, int] = {}
    for publication in reversed(earlier):
        pin = publication["tables"].get("registers")
        if not missing:
            break
        if pin is None:
            continue
        for row in _rows(night, int(pin["version"]), register.name, missing):
            found[row["record_id"]] = row["cause"]
            people[row["record_id"]] = row["person_id"]
        missing -= found.keys()
    declared = _declared(night, set(people.values()))
    return found | {record: declared[p] for record, p in people.items() if p in declared}
