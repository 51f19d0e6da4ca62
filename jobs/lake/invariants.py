"""Counts what breaks each invariant of a night, over its pinned tables, without a JVM."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from expectations.night import INVARIANTS
from jobs.lake.ask import database
from jobs.lake.night import Night
from schemas.contract import IDENTITY_NAMES
from schemas.tables import REGISTERS

PLACES = {"consented": "conformed/consented", "feeds": "conformed/feeds"}
RESTRICTED = ("accepted/", "quarantine/", "vault")


def _given(night: Night) -> dict[str, Any]:
    policy, cards = night.policy, night.scorecards
    pairs = [{"purpose": p, "source": s, "recipient": r} for p, s, r in policy.pairs()]
    registers = [
        {"register": g.name, "feed": g.feed, "recipient": g.recipient} for g in policy.registers.values()
    ]
    required = [{"purpose": p.name, "source": s} for p in policy.purposes.values() for s in p.required]
    points = [
        {"purpose": p, "base": c.base, "characteristics": len(c.characteristics)} for p, c in cards.items()
    ]
    text = pa.string()
    return {
        "policy_pairs": pa.Table.from_pylist(
            pairs, schema=pa.schema([(n, text) for n in ("purpose", "source", "recipient")])
        ),
        "policy_registers": pa.Table.from_pylist(
            registers, schema=pa.schema([(n, text) for n in ("register", "feed", "recipient")])
        ),
        "required": pa.Table.from_pylist(required, schema=pa.schema([("purpose", text), ("source", text)])),
        "cards": pa.Table.from_pylist(
            points,
            schema=pa.schema([("purpose", text), ("base", pa.int64()), ("characteristics", pa.int64())]),
        ),
    }


def _identity_columns(night: Night, tables: dict[str, dict[str, Any]]) -> int:
    """Identity columns in tables outside the restricted zone."""
    found = 0
    for table, pin in tables.items():
        if not table.startswith(RESTRICTED):
            names = night.lake.dataset(table, int(pin["version"])).schema.names
            found += len(set(names) & set(IDENTITY_NAMES))
    return found


def violations(night: Night, tables: dict[str, dict[str, Any]]) -> list[tuple[str, int]]:
    """Each broken invariant with its count, for the tables that a publication would hold."""
    broken: list[tuple[str, int]] = []
    given = _given(night)
    for name in sorted({t for i in INVARIANTS for t in i.tables}):
        place = PLACES.get(name, name)
        if place not in tables:
            return [(f"table {place} is missing", 1)]
        given[name] = night.lake.dataset(place, int(tables[place]["version"]))
    given["registers_before"] = night.rows_before("registers", REGISTERS.arrow())
    with database(given) as con:
        con.execute(f"SET VARIABLE night = DATE '{night.date.isoformat()}'")
        for invariant in INVARIANTS:
            row = con.execute(invariant.broken).fetchone()
            if row and row[0]:
                broken.append((invariant.name, int(row[0])))
    identities = _identity_columns(night, tables)
    if identities:
        broken.append(("no identity outside the restricted zone", identities))
    return broken
