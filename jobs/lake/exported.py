"""What each recipient's last packages held, so that the next package says what changed (docs/decisions/10).

``exported/<recipient>/<name>`` has a row an entry sent: ``person_id``, ``night``, ``manifest`` (which package) and the
sent columns, identities as AES-SIV ciphertext bound to person and column, as in the vault. ``packages`` has a row a
package, and is written last: rows of ``exported`` whose package is not in it were never sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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


def read_state(
    lake: Lake, keys: Keys, table: str, manifest: str, key: str, schema: pa.Schema
) -> tuple[pa.Table, dict[str, int]]:
    """The rows of one package in the columns of ``schema`` (null where not sent then), and each key's person."""
    version = lake.version(table)
    if version is None:
        return schema.empty_table(), {}
    rows = lake.dataset(table, version).to_table(filter=pc.field("manifest") == manifest).sort_by(key)
    people = rows.column("person_id").to_pylist()
    columns = []
    for field in schema:
        if field.name not in rows.column_names:
            columns.append(pa.nulls(rows.num_rows, field.type))
        elif field.name in VALUES:
            texts = unsealed_values(rows.column(field.name).to_pylist(), people, field.name, keys)
            columns.append(pa.array(texts, pa.string()).cast(field.type))
        else:
            columns.append(rows.column(field.name).cast(field.type))
    found = pa.Table.from_arrays(columns, schema=schema)
    return found, dict(zip(found.column(key).to_pylist(), people, strict=True))


def write_state(
    lake: Lake,
    keys: Keys,
    table: str,
    night: dt.date,
    manifest: str,
    snapshot: pa.Table,
    people: list[int],
    keep: set[str],
) -> None:
    """Remembers a package beside those in ``keep`` (by manifest); everything older leaves the disk too."""
    columns: dict[str, Any] = {
        "person_id": pa.array(people, pa.int64()),
        "night": pa.array([night] * snapshot.num_rows, pa.date32()),
        "manifest": pa.array([manifest] * snapshot.num_rows, pa.string()),
    }
    for name in snapshot.column_names:
        values = snapshot.column(name)
        if name in VALUES:
            columns[name] = pa.array(
                sealed_values(values.cast(pa.string()).to_pylist(), people, name, keys), pa.binary()
            )
        else:
            columns[name] = values
    rows = pa.table(columns)
    version = lake.version(table)
    if version is not None:
        others = pa.array(sorted(keep - {manifest}), pa.string())
        kept = lake.dataset(table, version).to_table(filter=pc.field("manifest").isin(others))
        rows = pa.concat_tables([kept, rows], promote_options="permissive")
    lake.write_arrow(table, rows)
    # a version less is no help to anybody: the pins of the publications do not name this table
    DeltaTable(lake.url(table)).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
