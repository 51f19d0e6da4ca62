"""What each recipient's last packages held, so that the next package says what changed (docs/decisions/10).

``exported/<recipient>/<name>`` has a row an entry sent: ``person_id``, ``night``, ``manifest`` (which package) and the
sent columns, identities as AES-SIV ciphertext bound to person and column, as in the vault. ``packages`` has a row a
package, and is written last: rows of ``exported`` whose package is not in it were never sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.lake.lake import Lake
from jobs.lake.vault import VALUES, sealed_values, unsealed_values
from schemas.tables import PACKAGES

if TYPE_CHECKING:
    from jobs.lake.keys import Keys

OWN = ("person_id", "night", "manifest")


@dataclass(frozen=True)
class State:
    """What a package held: its rows, sorted by key, the person of each, and identities as the lake has them."""

    rows: pa.Table
    people: pa.ChunkedArray
    sealed: Mapping[str, pa.ChunkedArray]

    @staticmethod
    def nothing(schema: pa.Schema) -> State:
        """Of no package at all."""
        return State(schema.empty_table(), pa.chunked_array([], pa.int64()), {})


def table_of(recipient: str, name: str) -> str:
    """The table of one recipient's packages of one name."""
    return f"exported/{recipient}/{name}"


def packages_of(lake: Lake, recipient: str, name: str | None = None) -> list[dict[str, Any]]:
    """Rows of ``packages`` of a recipient (and a name), oldest first; a night's last row is the one that counts."""
    known = lake.newest.table("packages")
    if known is None:
        return []
    wanted = pc.field("recipient") == recipient
    if name is not None:
        wanted = wanted & (pc.field("name") == name)
    rows = known.filter(wanted).to_pylist()
    return sorted(rows, key=lambda r: (r["night"], r["sequence"]))


def sent_names(lake: Lake) -> list[tuple[str, str]]:
    """Every recipient and name that a package was ever sealed for, sorted."""
    known = lake.newest.table("packages")
    if known is None:
        return []
    rows = known.select(["recipient", "name"])
    return sorted({(r["recipient"], r["name"]) for r in rows.to_pylist()})


def add_package(lake: Lake, row: Mapping[str, Any]) -> None:
    """The commit of a package: from here on it counts as sent."""
    lake.append_arrow("packages", pa.Table.from_pylist([dict(row)], schema=PACKAGES.arrow()))


def read_state(lake: Lake, keys: Keys, table: str, manifest: str, key: str, schema: pa.Schema) -> State:
    """The rows of one package in the columns of ``schema``, null where not sent then; no other column is read."""
    version = lake.version(table)
    if version is None:
        return State.nothing(schema)
    data = lake.dataset(table, version)
    names = ["person_id", *(n for n in schema.names if n in data.schema.names)]
    held = in_order(data.to_table(columns=names, filter=pc.field("manifest") == manifest), key)
    people = held.column("person_id")
    sealed = {n: held.column(n) for n in names if n in VALUES}
    columns = []
    for field in schema:
        if field.name not in names:
            columns.append(pa.nulls(held.num_rows, field.type))
        elif field.name in sealed:
            texts = unsealed_values(sealed[field.name].to_pylist(), people.to_pylist(), field.name, keys)
            columns.append(pa.array(texts, pa.string()).cast(field.type))
        else:
            columns.append(held.column(field.name).cast(field.type))
    return State(pa.Table.from_arrays(columns, schema=schema), people, sealed)


def in_order(rows: pa.Table, key: str) -> pa.Table:
    """Rows sorted by a key. They mostly are, which is seen in a tenth of the time that sorting takes."""
    keys = rows.column(key)
    if rows.num_rows < 2 or pc.all(pc.less_equal(keys[:-1], keys[1:])).as_py():
        return rows
    return rows.sort_by(key)


def _sealed(
    keys: Keys, key: str, snapshot: pa.Table, people: pa.ChunkedArray, before: State
) -> dict[str, pa.Array]:
    """The identity columns of a snapshot, encrypted.

    Of a row that was there before the ciphertext is taken over: of an equal value and person it would be the same.
    """
    made = {}
    at = pc.index_in(snapshot[key], value_set=before.rows[key])
    person = pc.equal(before.people.take(at), people)
    for name in (n for n in snapshot.column_names if n in VALUES):
        values, known = snapshot[name], pa.nulls(snapshot.num_rows, pa.binary())
        if name in before.sealed:
            same = pc.and_(person, pc.equal(before.rows[name].take(at), values))
            known = pc.if_else(same, before.sealed[name].take(at), None)
        new = pc.and_(pc.is_null(known), pc.is_valid(values)).combine_chunks()
        texts = values.filter(new).cast(pa.string()).to_pylist()
        fresh = sealed_values(texts, people.filter(new).to_pylist(), name, keys)
        made[name] = pc.replace_with_mask(known, new, pa.array(fresh, pa.binary()))
    return made


def write_state(
    lake: Lake,
    keys: Keys,
    table: str,
    night: dt.date,
    manifest: str,
    key: str,
    snapshot: pa.Table,
    people: pa.ChunkedArray,
    before: State,
    keep: set[str],
) -> None:
    """Remembers a package beside those in ``keep`` (by manifest); everything older leaves the disk too.

    ``people``: the person of each row of ``snapshot``; ``before``: what the package before it held.
    """
    rows = pa.table(
        {
            "person_id": people,
            "night": pa.repeat(pa.scalar(night, pa.date32()), snapshot.num_rows),
            "manifest": pa.repeat(pa.scalar(manifest, pa.string()), snapshot.num_rows),
            **{n: snapshot[n] for n in snapshot.column_names},
            **_sealed(keys, key, snapshot, people, before),
        }
    )
    version = lake.version(table)
    if version is not None:
        others = pa.array(sorted(keep - {manifest}), pa.string())
        kept = lake.dataset(table, version).to_table(filter=pc.field("manifest").isin(others))
        rows = pa.concat_tables([kept, rows], promote_options="permissive")
    lake.write_arrow(table, rows)
    # a version less is no help to anybody: the pins of the publications do not name this table
    DeltaTable(lake.url(table)).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
